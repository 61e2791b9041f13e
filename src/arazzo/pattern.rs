//! Patterns of criteria, as CEL takes them.

/// A regular expression in the dialect of CEL's `matches`.
///
/// # Errors
/// It is none, or cannot be said in that dialect.
pub(super) fn translated(pattern: &str) -> Result<String, String> {
    let text =
        jsonschema_regex::to_rust_regex(pattern).map_err(|_| "the pattern is not a regular expression".to_owned())?;
    match regex::Regex::new(&text) {
        Ok(_) => Ok(text.into_owned()),
        Err(_) => Err("the pattern has what CEL's `matches` does not know, such as a look-around".to_owned()),
    }
}
