//! What a request shows of its sender.

use crate::document::security::Security;
use crate::exchange::Shown;

/// Stands for the identity's token in a case's `authorization`.
pub const TOKEN: &str = "{token}";
/// Stands for the token without its last character.
pub const TOKEN_WITHOUT_LAST: &str = "{token[:-1]}";
/// Stands for the token without its first character.
pub const TOKEN_WITHOUT_FIRST: &str = "{token[1:]}";

/// The name of the header that shows who sends, in lower case.
pub fn header_name(security: Option<&Security>) -> &str {
    security.map_or("authorization", |security| security.header.as_str())
}

/// The header that shows who sends, and its value; None where nothing is shown.
pub(super) fn header(security: Option<&Security>, shown: &Shown, token: &str) -> Option<(String, String)> {
    let value = match shown {
        Shown::Nothing => return None,
        Shown::Own => security?.value(token),
        Shown::Text(text) => fill(text, token),
    };
    Some((header_name(security).to_owned(), value))
}

/// Puts a token, or the token without its first or last character, into a text.
fn fill(text: &str, token: &str) -> String {
    let mut chars = token.chars();
    let without_last = chars.next_back().map_or("", |_| chars.as_str());
    let mut chars = token.chars();
    let without_first = chars.next().map_or("", |_| chars.as_str());
    text.replace(TOKEN_WITHOUT_LAST, without_last).replace(TOKEN_WITHOUT_FIRST, without_first).replace(TOKEN, token)
}
