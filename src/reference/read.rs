//! Reading an opportunity: `GET /v1/households/{household_id}/opportunities/{id}` and `GET /v1/opportunities/{id}`.

use super::answer::Answer;
use super::faults::read as hook;
use super::record::Record;
use super::refusal::{Failure, Reason, Refusal};
use super::world::{Pipeline, Stage, Token};
use super::{Variation, authenticate, created, respond};
use crate::reference::deviations::Deviations;
use crate::reference::server_state::ServerState;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn of_household(
    State(server): State<Arc<ServerState>>,
    Path((household_id, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    let outcome = serve(&server, Some(&household_id), &id, &request.into_parts().0);
    respond::response(&server, outcome).await
}

pub(super) async fn by_id(
    State(server): State<Arc<ServerState>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let outcome = serve(&server, None, &id, &request.into_parts().0);
    respond::response(&server, outcome).await
}

fn serve(server: &ServerState, household_id: Option<&str>, id: &str, parts: &Parts) -> Result<Answer, Failure> {
    let d = &server.deviations;
    let token = hook::reader(d, parts, household_id, authenticate::known(server, parts))?;
    let record = match found(server, token, household_id, id, hook::shows_foreign(d, household_id)) {
        Err(refusal) => hook::unknown(server, id, refusal)?,
        found => found?,
    };
    let record = hook::record(server, token, household_id, record);
    Ok(hook::answer(server, household_id, id, answer(server, &record)))
}

/// The record of this id, if it is one of the caller's book and of the household that the path names. A faulty server
/// takes one of another book.
pub(super) fn found(
    server: &ServerState,
    token: &Token,
    household_id: Option<&str>,
    id: &str,
    takes_foreign: bool,
) -> Result<Record, Failure> {
    let d = &server.deviations;
    let kept = server.store.get(id);
    let is_foreign = kept.as_ref().is_some_and(|record| record.book_id != token.user.book_id);
    let is_there = |record: &Record| {
        !hook::finds_nothing(d, household_id)
            && household_id.is_none_or(|asked| record.household.is_some_and(|household| household.id == asked))
    };
    let visible = kept.filter(|_| !is_foreign || takes_foreign);
    visible.filter(is_there).ok_or_else(|| {
        let is_403 = d.variation(Variation::Household403) || is_foreign && d.variation(Variation::ForeignHousehold403);
        let status = if is_403 { StatusCode::FORBIDDEN } else { StatusCode::NOT_FOUND };
        Refusal::new(status, Reason::NoRecord, "there is no such opportunity").into()
    })
}

/// The record, whole: with the stages of its pipeline.
pub(super) fn answer(server: &ServerState, record: &Record) -> Answer {
    let d = &server.deviations;
    let mut object = created::object(d, record);
    object.insert("pipeline".to_owned(), pipeline(d, record.pipeline));
    let order = record.pipeline.stages.iter().position(|stage| stage.id == record.stage.id).unwrap_or_default();
    object.insert("pipeline_stage".to_owned(), stage(order, record.stage));
    created::answer(d, StatusCode::OK, &Value::Object(created::taken_variations(d, object)))
}

fn pipeline(d: &Deviations, pipeline: &Pipeline) -> Value {
    let mut stages: Vec<Value> = pipeline.stages.iter().enumerate().map(|(order, one)| stage(order, one)).collect();
    hook::stages(d, &mut stages);
    json!({
        "id": pipeline.id,
        "name": pipeline.name,
        "pipeline_type": pipeline.kind.name(),
        "pipeline_stages": stages,
    })
}

fn stage(order: usize, stage: &Stage) -> Value {
    json!({
        "id": stage.id,
        "name": stage.name,
        "stage_order": order + 1,
        "visible": true,
        "default_probability": stage.probability,
    })
}
