//! Hooks of the authentication.

use super::Fault;
use crate::reference::credentials::Credentials;
use crate::reference::deviations::Deviations;
use crate::reference::find;
use crate::reference::refusal::{Break, Failure, Refusal};
use crate::reference::seed_data::TOKENS;
use crate::reference::world::Token;
use axum::http::{Extensions, StatusCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// What a connection remembers of its requests; the server puts one into each request's extensions.
#[derive(Clone, Debug, Default)]
pub(in crate::reference) struct ConnectionMemory(Arc<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    token: OnceLock<&'static Token>,
    is_used: AtomicBool,
}

/// Whether a request is the first one of its connection; to be asked once for each.
pub(super) fn is_first(extensions: &Extensions) -> bool {
    extensions.get().is_some_and(|ConnectionMemory(memory)| !memory.is_used.swap(true, Ordering::Relaxed))
}

/// The token of whom a request without valid credentials is taken for.
pub(in crate::reference) fn taken_anyway(
    d: &Deviations,
    presented: &Credentials,
    extensions: &Extensions,
) -> Option<&'static Token> {
    let caller = TOKENS.first();
    if d.fault(Fault::ConnectionRemembered)
        && let Some(ConnectionMemory(memory)) = extensions.get()
        && let Some(token) = memory.token.get()
    {
        return Some(token);
    }
    match *presented {
        Credentials::Missing if d.fault(Fault::TokenMissingAccepted) => caller,
        // The space that ends the scheme is mostly lost, with the other white space around a header's value.
        Credentials::Malformed("Bearer") | Credentials::Given { scheme: "Bearer", token: "" }
            if d.fault(Fault::TokenEmptyAccepted) =>
        {
            caller
        }
        Credentials::Malformed(text) if d.fault(Fault::SchemeMissingAccepted) => find::token(text),
        Credentials::Given { token, .. } if d.fault(Fault::SchemeIgnored) => find::token(token),
        Credentials::Given { scheme: "Basic", .. } if d.fault(Fault::BasicAccepted) => caller,
        Credentials::Given { scheme: "Bearer", token } => similar(d, token),
        _ => None,
    }
}

fn similar(d: &Deviations, presented: &str) -> Option<&'static Token> {
    let known = TOKENS.iter();
    if d.fault(Fault::TokenUnknownAccepted) {
        return TOKENS.first();
    }
    if d.fault(Fault::TokenLongerAccepted) {
        return known.into_iter().find(|token| presented.starts_with(token.secret));
    }
    if d.fault(Fault::TokenShorterAccepted) && presented.len() > "sandbox_".len() {
        return known.into_iter().find(|token| token.secret.starts_with(presented));
    }
    None
}

/// What a request without valid credentials is answered.
pub(in crate::reference) fn refusal(d: &Deviations, presented: &Credentials, refusal: Refusal) -> Failure {
    let breaks = match presented {
        Credentials::Missing => d.fault(Fault::TokenMissingBreaks),
        Credentials::Malformed(_) => d.fault(Fault::HeaderMalformedBreaks),
        Credentials::Given { scheme, .. } => *scheme == "Bearer" && d.fault(Fault::TokenUnknownBreaks),
    };
    if breaks {
        return Break::Error.into();
    }
    let statuses = [
        (Fault::Unauthenticated200, StatusCode::OK),
        (Fault::Unauthenticated403, StatusCode::FORBIDDEN),
        (Fault::Unauthenticated404, StatusCode::NOT_FOUND),
        (Fault::UnauthenticatedRedirected, StatusCode::FOUND),
    ];
    let wrong = statuses.into_iter().find(|(fault, _)| d.fault(*fault));
    Refusal { status: wrong.map_or(refusal.status, |(_, status)| status), ..refusal }.into()
}

/// What a token that may only read gets.
pub(in crate::reference) fn read_only(
    d: &Deviations,
    token: &'static Token,
    refusal: Refusal,
) -> Result<&'static Token, Failure> {
    if d.fault(Fault::ReadOnlyAccepted) {
        Ok(token)
    } else if d.fault(Fault::ReadOnlyBreaks) {
        Err(Break::Error.into())
    } else {
        Err(refusal.into())
    }
}

/// Keeps a token that was accepted.
pub(in crate::reference) fn remember(d: &Deviations, token: &'static Token, extensions: &Extensions) {
    if d.fault(Fault::ConnectionRemembered)
        && let Some(ConnectionMemory(memory)) = extensions.get()
    {
        // A later token on the same connection changes nothing.
        let _ = memory.token.set(token);
    }
}

/// Whether a 401 names the scheme that it wants.
pub(in crate::reference) fn challenges(d: &Deviations) -> bool {
    !d.fault(Fault::ChallengeMissing)
}
