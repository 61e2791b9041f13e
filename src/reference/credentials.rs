//! What stands in the `Authorization` header.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// What the header holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Credentials<'a> {
    Missing,
    /// Text without a space, more than one header, or bytes beyond visible ASCII.
    Malformed(&'a str),
    Given {
        scheme: &'a str,
        token: &'a str,
    },
}

pub(super) fn credentials(headers: &HeaderMap) -> Credentials<'_> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Credentials::Missing };
    let Ok(text) = value.to_str() else { return Credentials::Malformed("") };
    match text.split_once(' ') {
        Some((scheme, token)) if values.next().is_none() => Credentials::Given { scheme, token },
        _ => Credentials::Malformed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::{Credentials, credentials};
    use axum::http::header::AUTHORIZATION;
    use axum::http::{HeaderMap, HeaderValue};

    fn with(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|&value| (AUTHORIZATION, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_header_is_a_scheme_and_a_token() {
        assert_eq!(credentials(&with(&[])), Credentials::Missing);
        assert_eq!(credentials(&with(&["Bearer"])), Credentials::Malformed("Bearer"));
        assert_eq!(credentials(&with(&["Bearer  a"])), Credentials::Given { scheme: "Bearer", token: " a" });
        assert_eq!(credentials(&with(&["Bearer a", "Bearer a"])), Credentials::Malformed("Bearer a"));
    }
}
