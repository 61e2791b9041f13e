//! Answers as HTTP.

use super::answer::{Answer, JSON};
use super::refusal::{Break, Failure};
use super::{Variation, refused};
use crate::reference::server_state::ServerState;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

/// Marks a response in whose place the connection is to be closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Severed;

/// The response to a request, however it ended.
pub(super) async fn response(server: &ServerState, outcome: Result<Answer, Failure>) -> Response {
    match outcome {
        Ok(answer) => sent(server, answer),
        Err(Failure::Refused(refusal)) => sent(server, refused::refused(server, &refusal)),
        Err(Failure::Broken(broken)) => broken_down(broken).await,
    }
}

async fn broken_down(broken: Break) -> Response {
    let mut response = Response::new(Body::empty());
    match broken {
        Break::Error => {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
            *response.body_mut() =
                Body::from(r#"{"code":"internal","message":"something went wrong","status":500,"field":null}"#);
        }
        Break::Hang => std::future::pending().await,
        Break::Sever => {
            response.extensions_mut().insert(Severed);
        }
    }
    response
}

fn sent(server: &ServerState, answer: Answer) -> Response {
    let d = &server.deviations;
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    if let Some(media_type) = answer.media_type {
        let mut text = media_type.to_owned();
        if d.variation(Variation::MediaTypesInCapitals) {
            text.make_ascii_uppercase();
        }
        if d.variation(Variation::Charset) {
            text += "; charset=utf-8";
        }
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(CONTENT_TYPE, value);
        }
    }
    if answer.status == StatusCode::UNAUTHORIZED && super::faults::authentication::challenges(d) {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"opportunities\""));
    }
    if answer.status.is_redirection() {
        headers.insert(LOCATION, HeaderValue::from_static("/form"));
    }
    if answer.replayed && d.variation(Variation::ReplaysMarked) {
        headers.insert(HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static("true"));
    }
    response
}
