//! The credentials of a request.

use crate::document::security::{Carrier, Security};
use crate::exchange::Shown;
use crate::exchange::{TOKEN, TOKEN_WITHOUT_FIRST, TOKEN_WITHOUT_LAST};

/// The name of the header that carries the credentials, in lower case.
pub fn header_name(security: Option<&Security>) -> &str {
    security.map_or("authorization", |security| security.header.as_str())
}

/// The credentials: which part of the request carries them, the header's name, and the value. Empty where the request
/// has none. `others` are the tokens of the further schemes.
pub(super) fn credentials(
    security: Option<&Security>,
    shown: &Shown,
    token: &str,
    others: &[String],
) -> Vec<(Carrier, String, String)> {
    let value = match (shown, security) {
        (Shown::Nothing, _) | (Shown::Own, None) => return Vec::new(),
        (Shown::Own, Some(security)) => security.value(token),
        (Shown::Text(text), _) => fill(text, token),
    };
    let carrier = security.map_or(Carrier::Header, |security| security.carrier.clone());
    let mut all = vec![(carrier, header_name(security).to_owned(), value)];
    let also = security.into_iter().flat_map(|security| &security.also);
    all.extend(also.zip(others).map(|(also, token)| (also.carrier.clone(), also.header.clone(), also.value(token))));
    all
}

/// Puts a token, or the token without its first or last character, into a text.
fn fill(text: &str, token: &str) -> String {
    let mut chars = token.chars();
    let without_last = chars.next_back().map_or("", |_| chars.as_str());
    let mut chars = token.chars();
    let without_first = chars.next().map_or("", |_| chars.as_str());
    text.replace(TOKEN_WITHOUT_LAST, without_last).replace(TOKEN_WITHOUT_FIRST, without_first).replace(TOKEN, token)
}
