//! Who is asking: the bearer token of the `Authorization` header.

use super::Liberty;
use super::faults::authentication as hook;
use super::office::Office;
use super::refusal::{Failure, Reason, Refusal};
use super::world::{self, Token};
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
pub(super) fn caller(office: &Office, request: &axum::http::request::Parts) -> Result<&'static Token, Failure> {
    let token = known(office, request)?;
    if token.may_write { Ok(token) } else { hook::read_only(&office.deviations, token, read_only(office)) }
}

/// The token of a request, known.
pub(super) fn known(office: &Office, request: &axum::http::request::Parts) -> Result<&'static Token, Failure> {
    let d = &office.deviations;
    let presented = credentials(&request.headers);
    let known = match presented {
        Credentials::Given { scheme, token } if is_bearer(office, scheme) => {
            let end = token.find(' ').filter(|_| d.liberty(Liberty::CredentialsSplit));
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

fn is_bearer(office: &Office, scheme: &str) -> bool {
    scheme == "Bearer" || office.deviations.liberty(Liberty::BearerInAnyCase) && scheme.eq_ignore_ascii_case("bearer")
}

fn read_only(office: &Office) -> Refusal {
    let d = &office.deviations;
    let (status, reason) = if d.liberty(Liberty::ReadOnly401) {
        (StatusCode::UNAUTHORIZED, Reason::Unauthenticated)
    } else if d.liberty(Liberty::ReadOnly404) {
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
