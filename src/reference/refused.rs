//! From a refusal to its answer: JSON, with the same properties whatever the reason.

use super::Liberty;
use super::faults::errors as hook;
use super::office::Office;
use super::refusal::Refusal;
use super::respond::Answer;
use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Map, Value, json};

pub(super) fn refused(office: &Office, refusal: &Refusal) -> Answer {
    let d = &office.deviations;
    let is_400 = refusal.reason.is_validation() && d.liberty(Liberty::Invalid400);
    let is_400 = is_400 && refusal.status == StatusCode::UNPROCESSABLE_ENTITY;
    let status = hook::status(office, refusal, if is_400 { StatusCode::BAD_REQUEST } else { refusal.status });
    let mut body = if d.liberty(Liberty::ProblemJson) {
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
    if d.liberty(Liberty::ErrorsTraced)
        && let Value::Object(properties) = &mut body
    {
        properties.insert("request_id".to_owned(), json!(office.ids.next(d)));
    }
    if d.liberty(Liberty::ErrorsWrapped) {
        body = Value::Object(Map::from_iter([("error".to_owned(), body)]));
    }

    let mut answer = Answer::json(office, status, &hook::body(d, refusal, body));
    if d.liberty(Liberty::ProblemJson) {
        answer.media_type = Some("application/problem+json");
    }
    if d.liberty(Liberty::ErrorsInPlainText) {
        answer.media_type = Some("text/plain");
        answer.body = Bytes::from(refusal.detail.clone());
    }
    if d.liberty(Liberty::ErrorsInHtml) {
        answer.media_type = Some("text/html");
        answer.body = Bytes::from(format!("<!doctype html><title>{status}</title><h1>{status}</h1>"));
    }
    hook::answer(d, answer)
}
