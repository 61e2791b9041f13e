//! From a refusal to its answer: JSON, with the same properties whatever the reason.

use super::Variation;
use super::answer::Answer;
use super::faults::errors as hook;
use super::refusal::Refusal;
use crate::reference::server_state::ServerState;
use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Map, Value, json};

pub(super) fn refused(server: &ServerState, refusal: &Refusal) -> Answer {
    let d = &server.deviations;
    let is_400 = refusal.reason.is_validation() && d.variation(Variation::Invalid400);
    let is_400 = is_400 && refusal.status == StatusCode::UNPROCESSABLE_ENTITY;
    let status = hook::status(server, refusal, if is_400 { StatusCode::BAD_REQUEST } else { refusal.status });
    let mut body = if d.variation(Variation::ProblemJson) {
        json!({
            "type": format!("urn:problem:{}", refusal.reason.name().replace('_', "-")),
            "title": refusal.reason.name().replace('_', " "),
            "status": status.as_u16(),
            "detail": refusal.detail,
        })
    } else {
        json!({
            "code": refusal.reason.name(),
            "message": refusal.detail,
            "status": status.as_u16(),
            "field": refusal.field,
        })
    };
    if d.variation(Variation::ErrorsTraced)
        && let Value::Object(properties) = &mut body
    {
        properties.insert("request_id".to_owned(), json!(server.ids.next(d)));
    }
    if d.variation(Variation::ErrorsWrapped) {
        body = Value::Object(Map::from_iter([("error".to_owned(), body)]));
    }

    let mut answer = Answer::json(d, status, &hook::body(d, refusal, body));
    if d.variation(Variation::ProblemJson) {
        answer.media_type = Some("application/problem+json");
    }
    if d.variation(Variation::ErrorsInPlainText) {
        answer.media_type = Some("text/plain");
        answer.body = Bytes::from(refusal.detail.clone());
    }
    if d.variation(Variation::ErrorsInHtml) {
        answer.media_type = Some("text/html");
        answer.body = Bytes::from(format!("<!doctype html><title>{status}</title><h1>{status}</h1>"));
    }
    hook::answer(d, answer)
}
