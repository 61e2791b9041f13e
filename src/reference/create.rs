//! The operation: `POST /v1/households/{household_id}/opportunities`, step by step.

use super::faults::{idempotency as key_hook, state};
use super::idempotency::Key;
use super::office::Office;
use super::record::Record;
use super::refusal::{Failure, Reason, Refusal};
use super::respond::{self, Answer};
use super::world::{Household, User};
use super::{Liberty, authenticate, body, created, idempotency, resolve, tenancy, validate};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use std::sync::Arc;

/// The bytes of the longest path that is taken by a server that takes no longer ones.
const LONG_PATH: usize = 1_000;

/// A request from someone who may make it, about a household that they have.
#[derive(Debug)]
pub(super) struct Posted<'a> {
    pub(super) caller: &'static User,
    /// There is always one, but for a faulty server.
    pub(super) household: Option<&'static Household>,
    pub(super) household_id: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: Bytes,
    pub(super) key: Option<Key>,
}

pub(super) async fn handle(
    State(office): State<Arc<Office>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // An id that is no UTF-8 is the id of nothing.
    let household_id = path.map_or_else(|_| "\u{fffd}".to_owned(), |Path(id)| id);
    let (parts, body) = request.into_parts();
    let body = body::bytes(&office.deviations, body).await;
    let outcome = serve(&office, &household_id, &parts, body).await;
    respond::response(&office, outcome).await
}

async fn serve(
    office: &Office,
    household_id: &str,
    parts: &Parts,
    body: Result<Bytes, Refusal>,
) -> Result<Answer, Failure> {
    let d = &office.deviations;
    if d.liberty(Liberty::LongPathsRefused) && parts.uri.path().len() > LONG_PATH {
        return Err(Refusal::new(StatusCode::URI_TOO_LONG, Reason::NoRoute, "the path is too long").into());
    }
    if d.liberty(Liberty::OddPathsRedirected) && ["/", "%", ".."].iter().any(|odd| household_id.contains(odd)) {
        return Ok(Answer::empty(StatusCode::PERMANENT_REDIRECT));
    }
    let headers = &parts.headers;
    let key = idempotency::key(d, headers);
    if let Some(answer) = key_hook::before_authentication(office, household_id, &key) {
        return Ok(answer);
    }
    if d.liberty(Liberty::ParsingBeforeAuthentication) {
        body::object(office, headers, body.as_ref().map_err(Clone::clone)?)?;
    }
    let token = authenticate::caller(office, parts)?;
    let body = body?;
    let household = match tenancy::household(d, token, household_id) {
        // Only what has no household is told of its body first: a replay is never validated again.
        Err(refusal) if d.liberty(Liberty::ValidationBeforeTenancy) => {
            validate::asked(office, &body::object(office, headers, &body)?)?;
            return Err(refusal);
        }
        household => household?,
    };
    let posted = Posted { caller: token.user, household, household_id, headers, body, key: key? };
    idempotency::once(office, &posted, fresh(office, &posted)).await
}

/// Creates a record, whatever was created before.
async fn fresh(office: &Office, posted: &Posted<'_>) -> Result<Answer, Failure> {
    let mut object = body::object(office, posted.headers, &posted.body)?;
    key_hook::unchecked(&office.deviations, posted, &mut object);
    let mut asked = validate::asked(office, &object)?;
    let caller = state::cross(office, posted.caller, &mut asked).await;
    let resolved = resolve::resolve(office, caller, posted.household, &asked)?;
    let record = Record::create(office, posted, asked, resolved);
    state::namesake(office, posted, &record)?;
    Ok(created::created(office, &record))
}

/// What is asked of any other path or method.
pub(super) async fn elsewhere(State(office): State<Arc<Office>>, request: Request) -> Response {
    let detail = format!("there is no {} {}", request.method(), request.uri().path());
    let refusal = Refusal::new(StatusCode::NOT_FOUND, Reason::NoRoute, detail);
    respond::response(&office, Err(refusal.into())).await
}
