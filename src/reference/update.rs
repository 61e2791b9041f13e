//! Updating an opportunity: `PATCH /v1/households/{household_id}/opportunities/{id}` and `PATCH /v1/opportunities/{id}`.

use super::answer::Answer;
use super::asked::{ASSIGNEE, CLOSE_DATE, CUSTOM, HOUSEHOLD, NAME, OWNER, PROBABILITY, STAGE, VALUE};
use super::changes::Changes;
use super::faults::update as hook;
use super::posted::Posted;
use super::record::Record;
use super::refusal::{Failure, Refusal};
use super::{Variation, authenticate, body, find, idempotency, read, respond, validate};
use crate::reference::server_state::ServerState;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;
use chrono::SubsecRound as _;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The properties of a body.
const PROPERTIES: [&str; 9] = [NAME, VALUE, PROBABILITY, CLOSE_DATE, STAGE, ASSIGNEE, OWNER, HOUSEHOLD, CUSTOM];

pub(super) async fn of_household(
    State(server): State<Arc<ServerState>>,
    Path((household_id, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    handle(&server, Some(&household_id), &id, request).await
}

pub(super) async fn by_id(
    State(server): State<Arc<ServerState>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    handle(&server, None, &id, request).await
}

async fn handle(server: &ServerState, household_id: Option<&str>, id: &str, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = body::bytes(&server.deviations, body).await;
    let outcome = serve(server, household_id, id, &parts, body).await;
    respond::response(server, outcome).await
}

async fn serve(
    server: &ServerState,
    household_id: Option<&str>,
    id: &str,
    parts: &Parts,
    body: Result<Bytes, Refusal>,
) -> Result<Answer, Failure> {
    let d = &server.deviations;
    let headers = &parts.headers;
    let key = idempotency::key(d, headers)?;
    let token = hook::writer(server, parts, household_id, authenticate::caller(server, parts))?;
    let body = body?;
    let record = match read::found(server, token, household_id, id, hook::takes_foreign(d, household_id)) {
        Err(refusal) => hook::unknown(server, id, refusal)?,
        found => found?,
    };
    // A key counts for one path: another operation on the record does not know it.
    let scope = parts.uri.path();
    let posted = Posted { caller: token.user, household: record.household, household_id: scope, headers, body, key };
    let changed = changed(server, &posted, household_id, &record);
    if hook::forgets_keys(d) {
        return changed.await;
    }
    let outcome = idempotency::once(server, &posted, changed).await;
    outcome.map(|answer| hook::replayed(server, &record, answer))
}

/// Changes the record, whatever was changed before.
async fn changed(
    server: &ServerState,
    posted: &Posted<'_>,
    household_id: Option<&str>,
    record: &Record,
) -> Result<Answer, Failure> {
    let d = &server.deviations;
    let object = body::object(server, posted.headers, &posted.body)?;
    let changes = match changes(server, record, &object) {
        Err(refusal) => hook::invalid(server, record, &object, refusal)?,
        changes => changes?,
    };
    let now = server.clock.now().trunc_subsecs(3);
    hook::before(d).await;
    let changed = server.store.change(&record.id, |kept| {
        hook::stale(d, record, kept);
        let before = kept.clone();
        changes.apply(kept, now);
        hook::changed(d, &object, &before, kept);
    });
    if hook::undoes(d, household_id) {
        server.store.change(&record.id, |kept| *kept = record.clone());
    }
    // It may have been forgotten meanwhile.
    let mut shown = changed.unwrap_or_else(|| record.clone());
    hook::shown(server, record, &mut shown);
    Ok(hook::answer(d, read::answer(server, &shown)))
}

/// Checks a body, property by property. Null is the same as nothing.
fn changes(server: &ServerState, record: &Record, object: &Map<String, Value>) -> Result<Changes, Failure> {
    let d = &server.deviations;
    if d.variation(Variation::UnknownPropertiesRefused)
        && let Some(unknown) = object.keys().find(|key| !PROPERTIES.contains(&key.as_str()))
    {
        return Err(Refusal::invalid("body", &format!("has an unknown property, {unknown:?}")).into());
    }
    let fields = validate::changed(server, object)?;
    let dollars = fields.value;
    let cents = dollars.map(|dollars| hook::cents(d, dollars).ok_or_else(|| Refusal::invalid(VALUE, "is too large")));
    let assignee = validate::id_of(d, ASSIGNEE, object)?;
    let owner = hook::owner_id(d, assignee, fields.owner_id);
    let stage = fields.stage_id.map(|id| {
        let found = record.pipeline.stage(&id).ok_or_else(|| refusal(server, STAGE));
        found.or_else(|refusal| hook::stage_unknown(d, record, &id, refusal))
    });
    let household = validate::id_of(d, HOUSEHOLD, object)?;
    let owner = owner.map(|id| {
        let found = find::user(record.book_id, &id).ok_or_else(|| refusal(server, OWNER));
        found.or_else(|refusal| hook::owner_unknown(d, record, &id, refusal))
    });
    let household = household.map(|id| {
        let found = find::household(&id).filter(|household| household.book_id == record.book_id);
        found.ok_or_else(|| refusal(server, HOUSEHOLD))
    });
    Ok(Changes {
        name: fields.name,
        value: cents.transpose()?,
        probability: fields.probability,
        close_date: fields.close_date,
        stage: stage.transpose()?,
        owner: owner.transpose()?,
        household: household.transpose()?,
    })
}

fn refusal(server: &ServerState, field: &'static str) -> Refusal {
    let is_404 = server.deviations.variation(Variation::UnknownReference404);
    let refusal = Refusal::unknown(field);
    Refusal { status: if is_404 { StatusCode::NOT_FOUND } else { refusal.status }, ..refusal }
}
