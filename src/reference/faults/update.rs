//! Hooks of updating a record.

use super::read::with_status;
use super::stored::{cut_to_day, offset_dropped, to_ten};
use super::{Fault, text};
use crate::reference::answer::Answer;
use crate::reference::asked::{ASSIGNEE, CLOSE_DATE, CloseDate, NAME, OWNER, PIPELINE, PROBABILITY, STAGE, VALUE};
use crate::reference::changes::Changes;
use crate::reference::deviations::Deviations;
use crate::reference::find;
use crate::reference::idempotency::HEADER;
use crate::reference::read;
use crate::reference::record::Record;
use crate::reference::refusal::{Break, Failure, Reason, Refusal};
use crate::reference::seed_data::{CALLER, TOKENS, USERS};
use crate::reference::server_state::ServerState;
use crate::reference::world::{Stage, Token, User};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use chrono::{DateTime, FixedOffset, TimeDelta};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Who writes.
pub(in crate::reference) fn writer(
    server: &ServerState,
    parts: &Parts,
    household_id: Option<&str>,
    token: Result<&'static Token, Failure>,
) -> Result<&'static Token, Failure> {
    let d = &server.deviations;
    if d.fault(Fault::UpdateByIdHangs) && household_id.is_none() {
        return Err(Break::Hang.into());
    }
    token.or_else(|refusal| {
        let known = crate::reference::authenticate::known(server, parts).ok();
        let is_missing = !parts.headers.contains_key(AUTHORIZATION);
        let is_taken = match known {
            Some(_) => {
                d.fault(Fault::UpdateReadOnlyTaken)
                    || d.fault(Fault::UpdateReadOnlyTakenWithKey) && parts.headers.contains_key(HEADER)
            }
            None if is_missing => d.fault(Fault::UpdateTokenMissingAccepted),
            None => d.fault(Fault::UpdateTokenUnknownAccepted),
        };
        known.or(TOKENS.first()).filter(|_| is_taken).ok_or(refusal)
    })
}

/// Whether another tenant's record is updated.
pub(in crate::reference) fn takes_foreign(d: &Deviations, household_id: Option<&str>) -> bool {
    d.fault(Fault::UpdateForeignTaken) || d.fault(Fault::UpdateForeignTakenById) && household_id.is_none()
}

/// What is updated in place of a record that is not there.
pub(in crate::reference) fn unknown(server: &ServerState, id: &str, refusal: Failure) -> Result<Record, Failure> {
    let d = &server.deviations;
    if d.fault(Fault::UpdateUnknown400) {
        return Err(with_status(refusal, StatusCode::BAD_REQUEST));
    }
    if server.store.get(id).is_some() {
        return Err(refusal);
    }
    if d.fault(Fault::UpdateUnknownHangs) {
        return Err(Break::Hang.into());
    }
    if d.fault(Fault::UpdateUnknownBreaks) {
        return Err(Break::Error.into());
    }
    let made_up = server.store.latest().filter(|_| d.fault(Fault::UpdateUnknownTaken));
    made_up.map(|latest| Record { id: id.to_owned(), ..latest }).ok_or(refusal)
}

pub(in crate::reference) fn forgets_keys(d: &Deviations) -> bool {
    d.fault(Fault::UpdateKeyIgnored)
}

/// The answer to a key that was used before.
pub(in crate::reference) fn replayed(server: &ServerState, record: &Record, answer: Answer) -> Answer {
    if answer.replayed && server.deviations.fault(Fault::UpdateReplayIsCurrent) {
        return server.store.get(&record.id).map_or(answer, |record| read::answer(server, &record));
    }
    answer
}

/// The record's worth in cents, of what was sent.
pub(in crate::reference) fn cents(d: &Deviations, dollars: i64) -> Option<i64> {
    if d.fault(Fault::UpdateValueInCents) {
        return Some(dollars);
    }
    dollars.checked_mul(if d.fault(Fault::UpdateValueTimesHundred) { 10_000 } else { 100 })
}

/// Who is to own the record, of the two names for it.
pub(in crate::reference) fn owner_id(
    d: &Deviations,
    assignee: Option<String>,
    owner: Option<String>,
) -> Option<String> {
    let assignee = assignee.filter(|_| !d.fault(Fault::UpdateAssigneeIgnored));
    assignee.or_else(|| owner.filter(|_| !d.fault(Fault::UpdateOwnerIgnored)))
}

/// The stage for an id that names none of the pipeline.
pub(in crate::reference) fn stage_unknown(
    d: &Deviations,
    record: &Record,
    id: &str,
    refusal: Refusal,
) -> Result<&'static Stage, Refusal> {
    let elsewhere = find::pipeline_of_stage(record.book_id, id).and_then(|pipeline| pipeline.stage(id));
    match elsewhere {
        Some(stage) if d.fault(Fault::UpdateStageElsewhereTaken) => Ok(stage),
        None if d.fault(Fault::UpdateStageUnknownIgnored) => Ok(record.stage),
        _ => Err(refusal),
    }
}

/// The user for an id that names none of the book.
pub(in crate::reference) fn owner_unknown(
    d: &Deviations,
    record: &Record,
    id: &str,
    refusal: Refusal,
) -> Result<&'static User, Refusal> {
    match USERS.iter().find(|user| user.id == id) {
        Some(user) if d.fault(Fault::UpdateOwnerForeignTaken) => Ok(user),
        None if d.fault(Fault::UpdateOwnerUnknownIgnored) => Ok(record.owner),
        _ => Err(refusal),
    }
}

/// What becomes of an invalid body.
pub(in crate::reference) fn invalid(
    server: &ServerState,
    record: &Record,
    object: &Map<String, Value>,
    refusal: Failure,
) -> Result<Changes, Failure> {
    let d = &server.deviations;
    let Failure::Refused(problem) = &refusal else { return Err(refusal) };
    let taken = match (problem.reason, problem.field) {
        (Reason::Invalid, Some(PROBABILITY)) if d.fault(Fault::UpdateProbabilityUnchecked) => {
            Some(Changes { probability: object.get(PROBABILITY).and_then(Value::as_i64), ..Changes::default() })
        }
        (Reason::WrongType, _) if d.fault(Fault::UpdateWrongTypeBreaks) => return Err(Break::Error.into()),
        (Reason::WrongType, Some(NAME)) if d.fault(Fault::UpdateNameNumberCoerced) => {
            let number = object.get(NAME).filter(|json| json.is_number());
            number.map(|number| Changes { name: Some(number.to_string()), ..Changes::default() })
        }
        (Reason::WrongType | Reason::Invalid, _) if d.fault(Fault::UpdateInvalidIgnored) => Some(Changes::default()),
        _ => None,
    };
    if d.fault(Fault::UpdateRefusedApplied)
        && let Some(name) = object.get(NAME).and_then(Value::as_str)
    {
        server.store.change(&record.id, |kept| name.clone_into(&mut kept.asked.name));
    }
    taken.ok_or(refusal)
}

/// Lets another update come between reading and writing.
pub(in crate::reference) async fn before(d: &Deviations) {
    if d.fault(Fault::UpdateLost) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The record as the update takes it to be.
pub(in crate::reference) fn stale(d: &Deviations, read: &Record, kept: &mut Record) {
    if d.fault(Fault::UpdateLost) {
        *kept = read.clone();
    }
}

/// The record once it was changed, which is what is kept.
pub(in crate::reference) fn changed(d: &Deviations, object: &Map<String, Value>, before: &Record, kept: &mut Record) {
    if !d.is_faulty() {
        return;
    }
    let names = |key: &str| object.contains_key(key);
    fields(d, before, kept);
    left_out(d, &names, kept);
    if names(CLOSE_DATE) {
        let change = |change: fn(DateTime<FixedOffset>) -> DateTime<FixedOffset>, kept: &mut Record| {
            let date = kept.asked.close_date.take();
            let moved = date.map(|date| CloseDate { instant: change(date.instant), text: String::new() });
            kept.asked.close_date = moved;
        };
        if d.fault(Fault::UpdateCloseDateOffsetDropped) {
            change(offset_dropped, kept);
        } else if d.fault(Fault::UpdateCloseDateCutToDay) {
            change(cut_to_day, kept);
        }
    }
    if names(NAME) {
        kept.asked.name = text::name_changed(d, std::mem::take(&mut kept.asked.name));
    }
    let is_zero = |key: &str| object.get(key).is_some_and(|json| *json == json!(0));
    if d.fault(Fault::UpdateZeroIgnored) {
        kept.asked.value = if is_zero(VALUE) { before.asked.value } else { kept.asked.value };
        kept.asked.probability = if is_zero(PROBABILITY) { before.asked.probability } else { kept.asked.probability };
    }
    if d.fault(Fault::UpdateProbabilityRoundedToTen) && names(PROBABILITY) {
        kept.asked.probability = kept.asked.probability.map(to_ten);
    }
    let pipeline = object.get(PIPELINE).and_then(Value::as_str).filter(|_| d.fault(Fault::UpdatePipelineTaken));
    if let Some(pipeline) = pipeline.and_then(|id| find::pipeline(kept.book_id, id)) {
        kept.pipeline = pipeline;
        kept.stage = pipeline.stages.first().unwrap_or(kept.stage);
    }
    times(d, before, kept);
}

/// Fields that an update does not reach.
fn fields(d: &Deviations, before: &Record, kept: &mut Record) {
    let was = before.asked.clone();
    if d.fault(Fault::UpdateNameIgnored) {
        kept.asked.name = was.name;
    }
    if d.fault(Fault::UpdateValueIgnored) {
        kept.asked.value = was.value;
    }
    if d.fault(Fault::UpdateProbabilityIgnored) {
        kept.asked.probability = was.probability;
    }
    if d.fault(Fault::UpdateCloseDateIgnored) {
        kept.asked.close_date = was.close_date;
    }
    if d.fault(Fault::UpdateStageIgnored) {
        kept.stage = before.stage;
        kept.stage_updated_at = before.stage_updated_at;
    }
}

/// What becomes of fields that the update does not name.
fn left_out(d: &Deviations, names: &dyn Fn(&str) -> bool, kept: &mut Record) {
    let clears = d.fault(Fault::UpdateClearsRest);
    if clears && !names(VALUE) {
        kept.asked.value = None;
    }
    if clears && !names(PROBABILITY) {
        kept.asked.probability = None;
    }
    if (clears || d.fault(Fault::UpdateClearsCloseDate)) && !names(CLOSE_DATE) {
        kept.asked.close_date = None;
    }
    if d.fault(Fault::UpdateZeroesValue) && !names(VALUE) {
        kept.asked.value = kept.asked.value.or(Some(0));
    }
    if d.fault(Fault::UpdateResetsProbability) && !names(PROBABILITY) {
        kept.asked.probability = Some(kept.stage.probability);
    }
    if d.fault(Fault::UpdateResetsOwner) && !names(ASSIGNEE) && !names(OWNER) {
        kept.owner = &CALLER;
    }
    if d.fault(Fault::UpdateResetsStage) && !names(STAGE) {
        kept.stage = kept.pipeline.stages.first().unwrap_or(kept.stage);
    }
    if d.fault(Fault::UpdateHouseholdLost) {
        kept.household = None;
    }
}

fn times(d: &Deviations, before: &Record, kept: &mut Record) {
    if d.fault(Fault::UpdateStageTimeKept) {
        kept.stage_updated_at = before.stage_updated_at;
    }
    if d.fault(Fault::UpdateStageTimeMoved) {
        kept.stage_updated_at = kept.updated_at;
    }
    if d.fault(Fault::UpdateTimeGoesBack) {
        kept.updated_at = before.updated_at - TimeDelta::hours(1);
    }
    if d.fault(Fault::UpdateCreationMoved) {
        kept.created_at = kept.updated_at + TimeDelta::seconds(10);
    }
}

/// Whether an update is answered, and then undone.
pub(in crate::reference) fn undoes(d: &Deviations, household_id: Option<&str>) -> bool {
    d.fault(Fault::UpdateNotStored) || d.fault(Fault::UpdateByIdNotStored) && household_id.is_none()
}

/// The record as the answer shows it.
pub(in crate::reference) fn shown(server: &ServerState, before: &Record, shown: &mut Record) {
    let d = &server.deviations;
    if d.fault(Fault::UpdateIdChanges) {
        shown.id = server.ids.next(d);
    }
    if d.fault(Fault::UpdateAnswersBefore) {
        *shown = before.clone();
    }
}

/// The answer that is given.
pub(in crate::reference) fn answer(d: &Deviations, answer: Answer) -> Answer {
    if d.fault(Fault::UpdateAsHtml) {
        return Answer { media_type: Some("text/html"), ..answer };
    }
    if d.fault(Fault::UpdateAnswersOnlyId) {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        return Answer { body: json!({ "id": body["id"] }).to_string().into(), ..answer };
    }
    let status = if d.fault(Fault::UpdateAnswers201) { StatusCode::CREATED } else { answer.status };
    Answer { status, ..answer }
}
