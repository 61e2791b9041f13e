//! Who is asking: the bearer token of the `Authorization` header.

use super::Variation;
use super::credentials::{Credentials, credentials};
use super::faults::authentication as hook;
use super::find;
use super::refusal::{Failure, Reason, Refusal};
use super::world::Token;
use crate::reference::server_state::ServerState;
use axum::http::StatusCode;

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
            find::token(&token[..end.unwrap_or(token.len())])
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
