//! The operation: `POST /v1/households/{household_id}/opportunities`, step by step.

use super::answer::Answer;
use super::asked::Asked;
use super::faults::{combined, defaults, echo, idempotency as key_hook, state, stored};
use super::posted::Posted;
use super::record::Record;
use super::refusal::{Failure, Reason, Refusal};
use super::resolve::Resolved;
use super::{Variation, authenticate, body, created, idempotency, resolve, respond, tenancy, validate};
use crate::reference::server_state::ServerState;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;
use chrono::SubsecRound as _;
use std::sync::Arc;

/// The bytes of the longest path that is taken by a server that takes no longer ones.
const LONG_PATH: usize = 1_000;

pub(super) async fn handle(
    State(server): State<Arc<ServerState>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // An id that is no UTF-8 is the id of nothing.
    let household_id = path.map_or_else(|_| "\u{fffd}".to_owned(), |Path(id)| id);
    let (parts, body) = request.into_parts();
    let body = body::bytes(&server.deviations, body).await;
    let outcome = serve(&server, &household_id, &parts, body).await;
    respond::response(&server, outcome).await
}

async fn serve(
    server: &ServerState,
    household_id: &str,
    parts: &Parts,
    body: Result<Bytes, Refusal>,
) -> Result<Answer, Failure> {
    let d = &server.deviations;
    if d.variation(Variation::LongPathsRefused) && parts.uri.path().len() > LONG_PATH {
        return Err(Refusal::new(StatusCode::URI_TOO_LONG, Reason::NoRoute, "the path is too long").into());
    }
    if d.variation(Variation::OddPathsRedirected) && ["/", "%", ".."].iter().any(|odd| household_id.contains(odd)) {
        return Ok(Answer::empty(StatusCode::PERMANENT_REDIRECT));
    }
    let headers = &parts.headers;
    let key = idempotency::key(d, headers);
    if let Some(answer) = key_hook::before_authentication(server, household_id, &key) {
        return Ok(answer);
    }
    if d.variation(Variation::ParsingBeforeAuthentication) {
        body::object(server, headers, body.as_ref().map_err(Clone::clone)?)?;
    }
    let token = match authenticate::caller(server, parts) {
        Ok(token) => token,
        Err(refusal) => return combined::replayed(server, parts, household_id, &key).ok_or(refusal),
    };
    let body = body?;
    let household = match tenancy::household(d, token, household_id) {
        Err(refusal) => match combined::household(d, headers, token, &body, household_id) {
            None => Err(refusal),
            taken => Ok(taken),
        },
        household => household,
    };
    let household = match household {
        // Only what has no household is told of its body first: a replay is never validated again.
        Err(refusal) if d.variation(Variation::ValidationBeforeTenancy) => {
            validate::asked(server, &body::object(server, headers, &body)?)?;
            return Err(refusal);
        }
        household => household?,
    };
    let posted = Posted { caller: token.user, household, household_id, headers, body, key: key? };
    idempotency::once(server, &posted, fresh(server, &posted)).await
}

/// Creates a record, whatever was created before.
async fn fresh(server: &ServerState, posted: &Posted<'_>) -> Result<Answer, Failure> {
    let mut object = body::object(server, posted.headers, &posted.body)?;
    key_hook::unchecked(&server.deviations, posted, &mut object);
    combined::unchecked(server, posted, &mut object);
    stored::refused_before(server, posted, &mut object);
    let asked = validate::asked(server, &object);
    stored::refused(server, posted, asked.is_err());
    let mut asked = asked?;
    let caller = state::cross(server, posted.caller, &mut asked).await;
    let resolved = resolve::resolve(server, caller, posted.household, &asked)?;
    let record = record(server, posted, asked, resolved);
    state::namesake(server, posted, &record)?;
    let answer = created::created(server, &record);
    stored::kept(server, posted, record).into_iter().for_each(|record| server.store.insert(record));
    Ok(answer)
}

/// Makes the record of what was asked.
fn record(server: &ServerState, posted: &Posted<'_>, asked: Asked, resolved: Resolved) -> Record {
    let now = server.clock.now().trunc_subsecs(3);
    let mut record = Record {
        id: state::id(server, posted, &asked, now).unwrap_or_else(|| server.ids.next(&server.deviations)),
        asked,
        book_id: posted.household.map_or(posted.caller.book_id, |household| household.book_id),
        household: posted.household,
        pipeline: resolved.pipeline,
        stage: resolved.stage,
        owner: resolved.owner,
        created_at: now,
        stage_updated_at: now,
        updated_at: now,
    };
    defaults::record(server, &mut record);
    echo::record(server, &mut record);
    record.stage_updated_at = record.created_at;
    record
}

/// What is asked of any other path or method.
pub(super) async fn elsewhere(State(server): State<Arc<ServerState>>, request: Request) -> Response {
    let detail = format!("there is no {} {}", request.method(), request.uri().path());
    let refusal = Refusal::new(StatusCode::NOT_FOUND, Reason::NoRoute, detail);
    respond::response(&server, Err(refusal.into())).await
}
