//! Who is asking: the bearer token of the `Authorization` header.

use super::Variation;
use super::faults::authentication as hook;
use super::refusal::{Failure, Reason, Refusal};
use super::world::{self, Token};
use crate::reference::server_state::ServerState;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};

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

/// The token of a request, known and allowed to write.
pub(super) fn caller(server: &ServerState, request: &axum::http::request::Parts) -> Result<&'static Token, Failure> {
    let token = known(server, request)?;
    if token.may_write { Ok(token) } else { hook::read_only(&server.deviations, token, read_only(server)) }
}

/// The token of a request, known.
pub(super) fn known(server: &ServerState, request: &axum::http::request::Parts) -> Result<&'static Token, Failure> {
    let d = &server.deviations;
    let presented = credentials(&request.headers);
    let known = match presented {
        Credentials::Given { scheme, token } if is_bearer(server, scheme) => {
            let end = token.find(' ').filter(|_| d.variation(Variation::CredentialsSplit));
            world::token(&token[..end.unwrap_or(token.len())])
        }
        _ => None,
    };
    let token = match known.or_else(|| hook::taken_anyway(d, &presented, &request.extensions)) {
        Some(token) => token,
        None => {
            let detail = "a bearer token that is known here is needed";
            let refusal = Refusal::new(StatusCode::UNAUTHORIZED, Reason::Unauthenticated, detail);
            return Err(hook::refusal(d, &presented, refusal));
        }
    };
    hook::remember(d, token, &request.extensions);
    Ok(token)
}

fn credentials(headers: &HeaderMap) -> Credentials<'_> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Credentials::Missing };
    let Ok(text) = value.to_str() else { return Credentials::Malformed("") };
    match text.split_once(' ') {
        Some((scheme, token)) if values.next().is_none() => Credentials::Given { scheme, token },
        _ => Credentials::Malformed(text),
    }
}

fn is_bearer(server: &ServerState, scheme: &str) -> bool {
    scheme == "Bearer"
        || server.deviations.variation(Variation::BearerInAnyCase) && scheme.eq_ignore_ascii_case("bearer")
}

fn read_only(server: &ServerState) -> Refusal {
    let d = &server.deviations;
    let (status, reason) = if d.variation(Variation::ReadOnly401) {
        (StatusCode::UNAUTHORIZED, Reason::Unauthenticated)
    } else if d.variation(Variation::ReadOnly404) {
        (StatusCode::NOT_FOUND, Reason::NoHousehold)
    } else {
        (StatusCode::FORBIDDEN, Reason::ReadOnly)
    };
    Refusal::new(status, reason, "this token may only read")
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
