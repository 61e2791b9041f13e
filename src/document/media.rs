//! Media types and ranges of them.

/// A media type without its parameters, in lower case.
pub fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a media type is JSON.
pub fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}

/// Whether a body of this media type, or of one in this range, may be written as JSON.
pub fn may_be_json(media_type: &str) -> bool {
    is_json(media_type) || ["*/*", "application/*"].contains(&essence(media_type).as_str())
}

/// Whether what the document writes, which may be a range, covers a media type.
pub fn covers(documented: &str, actual: &str) -> bool {
    let (documented, actual) = (essence(documented), essence(actual));
    if documented == actual || documented == "*/*" || documented == "*" {
        return true;
    }
    documented.strip_suffix("/*").is_some_and(|kind| actual.split('/').next() == Some(kind))
}
