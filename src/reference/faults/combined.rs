//! Hooks of what is checked alone, and not together with something else.

use super::Fault;
use crate::reference::authenticate::{self, Credentials};
use crate::reference::create::Posted;
use crate::reference::deviations::Deviations;
use crate::reference::idempotency::{HEADER, Key};
use crate::reference::refusal::Refusal;
use crate::reference::respond::Answer;
use crate::reference::seed_data::{COLLEAGUE, TOKENS};
use crate::reference::server_state::ServerState;
use crate::reference::validate::{CLOSE_DATE, NAME, OWNER, PIPELINE, PROBABILITY};
use crate::reference::world::{self, Household, Kind, Token};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use bytes::Bytes;
use chrono::DateTime;
use serde_json::{Map, Value, json};

/// Whether a token that may only read writes nevertheless.
pub(in crate::reference) fn reader_writes(d: &Deviations, headers: &HeaderMap) -> bool {
    d.fault(Fault::ReadOnlyAcceptedWithKey) && headers.contains_key(HEADER)
}

/// The answer of a known key for a token that may only read.
pub(in crate::reference) fn replayed(
    server: &ServerState,
    request: &Parts,
    household_id: &str,
    key: &Result<Option<Key>, Refusal>,
) -> Option<Answer> {
    if !server.deviations.fault(Fault::ReadOnlyReplayed) {
        return None;
    }
    let key = key.as_ref().ok()?.as_ref()?;
    authenticate::known(server, request).ok().filter(|token| !token.may_write)?;
    let slot = server.keys.find(|scope| scope.household == household_id && scope.key == *key)?;
    let kept = slot.try_lock().ok()?;
    kept.as_ref().and_then(|kept| kept.outcome.clone().ok())
}

/// The token of whom an unknown one is taken for.
pub(in crate::reference) fn taken_anyway(
    d: &Deviations,
    presented: &Credentials,
    headers: &HeaderMap,
) -> Option<&'static Token> {
    let is_token = matches!(presented, Credentials::Given { scheme: "Bearer", token } if !token.contains(' '));
    let is_taken = d.fault(Fault::TokenUnknownAcceptedWithKey) && is_token && headers.contains_key(HEADER);
    TOKENS.first().filter(|_| is_taken)
}

/// Another tenant's household, where it is taken.
pub(in crate::reference) fn household(
    d: &Deviations,
    headers: &HeaderMap,
    token: &Token,
    body: &Bytes,
    id: &str,
) -> Option<&'static Household> {
    let names_owner = || serde_json::from_slice::<Map<String, Value>>(body).is_ok_and(|body| body.contains_key(OWNER));
    let is_taken = d.fault(Fault::HouseholdForeignAcceptedWithKey) && headers.contains_key(HEADER)
        || d.fault(Fault::HouseholdForeignAcceptedForColleague) && token.user.id == COLLEAGUE.id
        || d.fault(Fault::HouseholdForeignAcceptedInFull) && names_owner();
    world::household(id).filter(|_| is_taken)
}

/// What is not checked of a request.
pub(in crate::reference) fn unchecked(server: &ServerState, posted: &Posted<'_>, object: &mut Map<String, Value>) {
    let d = &server.deviations;
    let is_past = |value: &Value| {
        let instant = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        instant.is_some_and(|instant| instant < server.clock.now())
    };
    if d.fault(Fault::CloseDatePastDroppedForColleague) && posted.caller.id == COLLEAGUE.id {
        object.retain(|key, value| key != CLOSE_DATE || !is_past(value));
    }
    if d.fault(Fault::PipelineUnknownDroppedWithKey) && posted.key.is_some() {
        let is_known = |id: &str| world::pipeline(posted.caller.book_id, id).is_some();
        object.retain(|key, value| key != PIPELINE || value.as_str().is_none_or(is_known));
    }
    let is_elsewhere = posted.household.is_some_and(|household| household.kind == Kind::Client);
    if d.fault(Fault::ProbabilityUncheckedElsewhere) && is_elsewhere {
        let is_kept = |value: &Value| value.as_i64().is_none_or(|value| (0..=100).contains(&value));
        object.retain(|key, value| key != PROBABILITY || is_kept(value));
    }
    if d.fault(Fault::NameUncheckedInFull)
        && object.contains_key(OWNER)
        && let Some(name) = object.get_mut(NAME).filter(|name| !name.is_string())
    {
        *name = json!(name.to_string());
    }
}
