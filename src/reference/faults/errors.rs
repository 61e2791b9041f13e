//! Hooks of the answers to refused requests.

use super::Fault;
use crate::reference::answer::Answer;
use crate::reference::deviations::Deviations;
use crate::reference::refusal::{Reason, Refusal};
use crate::reference::server_state::ServerState;
use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

/// The status of a refusal.
pub(in crate::reference) fn status(server: &ServerState, refusal: &Refusal, status: StatusCode) -> StatusCode {
    let d = &server.deviations;
    server.memory.refusals.fetch_add(1, Ordering::Relaxed);
    if refusal.reason.is_validation() {
        if d.fault(Fault::RefusalAnswers200) {
            return StatusCode::OK;
        }
        if d.fault(Fault::RefusalRedirects) {
            return StatusCode::SEE_OTHER;
        }
    }
    status
}

/// The JSON of a refusal.
pub(in crate::reference) fn body(d: &Deviations, refusal: &Refusal, body: Value) -> Value {
    if d.fault(Fault::ErrorInList) {
        json!([body])
    } else if d.fault(Fault::ErrorAsString) {
        json!(refusal.detail)
    } else if d.fault(Fault::ErrorKeysVary) && refusal.reason != Reason::Unauthenticated {
        json!({ refusal.field.unwrap_or(refusal.reason.name()): [refusal.detail] })
    } else if d.fault(Fault::ErrorStackTrace) {
        let trace = "Error: refused\n    at check (/srv/app/opportunities/check.js:41:13)\n    \
                     at create (/srv/app/opportunities/create.js:17:9)\n    \
                     at process.processTicksAndRejections (node:internal/process/task_queues:95:5)";
        json!({ "message": refusal.detail, "stack": trace })
    } else {
        body
    }
}

/// The whole answer of a refusal.
pub(in crate::reference) fn answer(d: &Deviations, answer: Answer) -> Answer {
    if d.fault(Fault::ErrorEmpty) {
        return Answer::empty(answer.status);
    }
    if d.fault(Fault::ErrorNotJson) {
        return Answer { body: Bytes::from_static(b"Error: refused"), ..answer };
    }
    answer
}
