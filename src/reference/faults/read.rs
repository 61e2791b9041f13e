//! Hooks of reading a record.

use super::Fault;
use super::memory::lock;
use crate::reference::answer::Answer;
use crate::reference::deviations::Deviations;
use crate::reference::record::Record;
use crate::reference::refusal::{Break, Failure, Reason, Refusal};
use crate::reference::seed_data::TOKENS;
use crate::reference::server_state::ServerState;
use crate::reference::world::Token;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde_json::{Value, json};

/// Who reads.
pub(in crate::reference) fn reader(
    d: &Deviations,
    parts: &Parts,
    household_id: Option<&str>,
    token: Result<&'static Token, Failure>,
) -> Result<&'static Token, Failure> {
    if d.fault(Fault::ReadByIdHangs) && household_id.is_none() {
        return Err(Break::Hang.into());
    }
    match token {
        Ok(token) if !token.may_write && d.fault(Fault::ReadOnlyTokenRefused) => {
            Err(Refusal::new(StatusCode::FORBIDDEN, Reason::ReadOnly, "this token may not read opportunities").into())
        }
        Err(refusal) => {
            let is_missing = !parts.headers.contains_key(AUTHORIZATION);
            let is_taken = d.fault(Fault::ReadTokenMissingAccepted) && is_missing
                || d.fault(Fault::ReadTokenUnknownAccepted) && !is_missing;
            TOKENS.first().filter(|_| is_taken).ok_or_else(|| {
                let is_403 = d.fault(Fault::ReadTokenMissing403);
                if is_403 { with_status(refusal, StatusCode::FORBIDDEN) } else { refusal }
            })
        }
        token => token,
    }
}

/// Whether another tenant's record is shown.
pub(in crate::reference) fn shows_foreign(d: &Deviations, household_id: Option<&str>) -> bool {
    d.fault(Fault::ReadForeignShown) || d.fault(Fault::ReadForeignShownById) && household_id.is_none()
}

/// A refusal with another status.
pub(super) fn with_status(failure: Failure, status: StatusCode) -> Failure {
    match failure {
        Failure::Refused(refusal) => Refusal { status, ..refusal }.into(),
        broken => broken,
    }
}

/// Whether no record is found.
pub(in crate::reference) fn finds_nothing(d: &Deviations, household_id: Option<&str>) -> bool {
    d.fault(Fault::ReadByIdMissing) && household_id.is_none()
}

/// What is shown in place of a record that is not there.
pub(in crate::reference) fn unknown(server: &ServerState, id: &str, refusal: Failure) -> Result<Record, Failure> {
    let d = &server.deviations;
    if d.fault(Fault::ReadUnknown400) {
        return Err(with_status(refusal, StatusCode::BAD_REQUEST));
    }
    // A record of another tenant is no unknown one.
    if server.store.get(id).is_some() {
        return Err(refusal);
    }
    if d.fault(Fault::ReadUnknownBreaks) {
        return Err(Break::Error.into());
    }
    if d.fault(Fault::ReadUnknownHangs) {
        return Err(Break::Hang.into());
    }
    let is_shown = d.fault(Fault::ReadUnknownLatest) || d.fault(Fault::ReadUnknownEmpty);
    server.store.latest().filter(|_| is_shown).ok_or(refusal)
}

/// The record that is shown.
pub(in crate::reference) fn record(
    server: &ServerState,
    token: &Token,
    household_id: Option<&str>,
    mut record: Record,
) -> Record {
    let d = &server.deviations;
    if d.fault(Fault::ReadLatest) {
        record = server.store.latest().unwrap_or(record);
    }
    if d.fault(Fault::ReadByIdValueInCents) && household_id.is_none() {
        record.asked.value = record.asked.value.map(|cents| cents.saturating_mul(100));
    }
    if d.fault(Fault::ReadOwnerIsReader) {
        record.owner = token.user;
    }
    if d.fault(Fault::ReadBookOfOther) {
        let other = TOKENS.iter().map(|token| token.user.book_id).find(|book_id| *book_id != record.book_id);
        record.book_id = other.unwrap_or(record.book_id);
    }
    if d.fault(Fault::ReadCreatedNow) {
        record.created_at = server.clock.now();
    }
    record
}

/// The stages of a pipeline, as they are shown.
pub(in crate::reference) fn stages(d: &Deviations, stages: &mut [Value]) {
    if d.fault(Fault::ReadStagesByName) {
        stages.sort_by_key(|stage| stage["name"].as_str().unwrap_or_default().to_owned());
    }
}

/// The answer that is given.
pub(in crate::reference) fn answer(
    server: &ServerState,
    household_id: Option<&str>,
    id: &str,
    answer: Answer,
) -> Answer {
    let d = &server.deviations;
    if d.fault(Fault::ReadCached) {
        let path = format!("{}/{id}", household_id.unwrap_or_default());
        return lock(&server.memory.reads).entry(path).or_insert(answer).clone();
    }
    if d.fault(Fault::ReadAsHtml) {
        return Answer { media_type: Some("text/html"), ..answer };
    }
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if d.fault(Fault::ReadUnknownEmpty) && server.store.get(id).is_none() {
        body = json!({});
    } else if d.fault(Fault::ReadValueAsText) && !body["value"].is_null() {
        body["value"] = json!(body["value"].to_string());
    } else if let (true, Some(object)) = (d.fault(Fault::ReadNameAbsent), body.as_object_mut()) {
        object.shift_remove("name");
    } else if d.fault(Fault::ReadAnswers201) {
        return Answer { status: StatusCode::CREATED, ..answer };
    } else {
        return answer;
    }
    Answer { body: body.to_string().into(), ..answer }
}
