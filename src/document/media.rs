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

/// Whether the document's media type, which may be a range, covers a media type.
pub fn covers(documented: &str, actual: &str) -> bool {
    let (documented, actual) = (essence(documented), essence(actual));
    if documented == actual || documented == "*/*" || documented == "*" {
        return true;
    }
    documented.strip_suffix("/*").is_some_and(|kind| actual.split('/').next() == Some(kind))
}

/// How a request body of a media type is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BodyKind {
    /// As JSON.
    Json,
    /// As `name=value&…`.
    Form,
    /// As parts, some of which may be files.
    Multipart,
    /// As text.
    Text,
    /// As bytes.
    Octets,
}

impl BodyKind {
    /// How a body of this media type, or of one in this range, is written; None if it cannot be generated.
    pub fn of(media_type: &str) -> Option<Self> {
        let essence = essence(media_type);
        match essence.as_str() {
            _ if may_be_json(&essence) => Some(Self::Json),
            "application/x-www-form-urlencoded" => Some(Self::Form),
            "multipart/form-data" => Some(Self::Multipart),
            "text/plain" | "text/*" => Some(Self::Text),
            "application/octet-stream" => Some(Self::Octets),
            _ => None,
        }
    }

    /// The order in which media types are preferred: plain JSON first, ranges after the types that they cover.
    pub fn rank(media_type: &str) -> usize {
        let essence = essence(media_type);
        match Self::of(&essence) {
            Some(Self::Json) if essence == "application/json" => 0,
            Some(Self::Json) if !essence.contains('*') => 1,
            Some(Self::Json) => 2,
            Some(Self::Form) => 3,
            Some(Self::Multipart) => 4,
            Some(Self::Text) => 5,
            Some(Self::Octets) => 6,
            None => 7,
        }
    }
}
