//! Operations beside the one: they only read, and tell what a client has to know of the world.

use super::answer::Answer;
use super::authenticate;
use super::find;
use super::refusal::{Failure, Reason, Refusal};
use super::respond;
use super::world::{Household, Pipeline, Stage, Token, User};
use crate::reference::server_state::ServerState;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};
use std::sync::Arc;

/// Their routes.
pub(super) fn routes() -> Router<Arc<ServerState>> {
    let nothing = || Refusal::new(StatusCode::NOT_FOUND, Reason::NoRoute, "there is nothing of this name");
    Router::new()
        .route("/v1/me", get(|server, request| answer(server, request, |token| Ok(user(token.user)))))
        .route(
            "/v1/households",
            get(|server, request| {
                answer(server, request, |token| Ok(list(find::households(token.user.book_id).map(household))))
            }),
        )
        .route(
            "/v1/households/{household_id}",
            get(move |server, Path(id): Path<String>, request| {
                answer(server, request, move |token| {
                    let mut all = find::households(token.user.book_id);
                    all.find(|household| household.id == id).map(household).ok_or_else(nothing)
                })
            }),
        )
        .route(
            "/v1/pipelines",
            get(|server, request| {
                answer(server, request, |token| Ok(list(find::pipelines(token.user.book_id).map(pipeline))))
            }),
        )
        .route(
            "/v1/pipelines/{pipeline_id}",
            get(move |server, Path(id): Path<String>, request| {
                answer(server, request, move |token| {
                    find::pipeline(token.user.book_id, &id).map(pipeline).ok_or_else(nothing)
                })
            }),
        )
}

/// What is there for who asks. Tokens that may only read do.
async fn answer(
    State(server): State<Arc<ServerState>>,
    request: Request,
    of: impl FnOnce(&Token) -> Result<Value, Refusal>,
) -> Response {
    let (parts, _) = request.into_parts();
    let found = authenticate::known(&server, &parts).and_then(|token| of(token).map_err(Failure::from));
    let outcome = found.map(|value| Answer::json(&server.deviations, StatusCode::OK, &value));
    respond::response(&server, outcome).await
}

fn list(items: impl Iterator<Item = Value>) -> Value {
    json!({ "data": items.collect::<Vec<_>>() })
}

fn user(user: &User) -> Value {
    json!({
        "id": user.id,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "book_id": user.book_id,
    })
}

fn household(household: &Household) -> Value {
    json!({ "id": household.id, "type": household.kind.name(), "book_id": household.book_id })
}

fn pipeline(pipeline: &Pipeline) -> Value {
    let stage = |stage: &Stage| json!({"id": stage.id, "name": stage.name, "probability": stage.probability});
    json!({
        "id": pipeline.id,
        "name": pipeline.name,
        "pipeline_type": pipeline.kind.name(),
        "is_default": pipeline.is_default,
        "stages": pipeline.stages.iter().map(stage).collect::<Vec<_>>(),
    })
}
