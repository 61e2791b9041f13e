//! Answers, before and as HTTP.

use super::office::Office;
use super::refusal::{Break, Failure};
use super::refused;
use super::{Liberty, json_text};
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;

pub(super) const JSON: &str = "application/json";

/// A whole answer, which may be kept and given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) media_type: Option<&'static str>,
    pub(super) body: Bytes,
    /// Whether it is given again.
    pub(super) replayed: bool,
}

impl Answer {
    pub(super) fn json(office: &Office, status: StatusCode, value: &Value) -> Self {
        let text = if office.deviations.liberty(Liberty::Indented) { format!("{value:#}") } else { value.to_string() };
        let text = if office.deviations.liberty(Liberty::EscapedBeyondAscii) {
            json_text::escaped_beyond_ascii(&text)
        } else {
            text
        };
        let text = if office.deviations.liberty(Liberty::LoneSurrogatesKept) {
            text.replace(char::REPLACEMENT_CHARACTER, "\\ud83d")
        } else {
            text
        };
        Self { status, media_type: Some(JSON), body: text.into(), replayed: false }
    }

    pub(super) fn empty(status: StatusCode) -> Self {
        Self { status, media_type: None, body: Bytes::new(), replayed: false }
    }
}

/// Marks a response in whose place the connection is to be closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Severed;

/// The response to a request, however it ended.
pub(super) async fn response(office: &Office, outcome: Result<Answer, Failure>) -> Response {
    match outcome {
        Ok(answer) => sent(office, answer),
        Err(Failure::Refused(refusal)) => sent(office, refused::refused(office, &refusal)),
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

fn sent(office: &Office, answer: Answer) -> Response {
    let d = &office.deviations;
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    if let Some(media_type) = answer.media_type {
        let mut text = media_type.to_owned();
        if d.liberty(Liberty::MediaTypesInCapitals) {
            text.make_ascii_uppercase();
        }
        if d.liberty(Liberty::Charset) {
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
    if answer.replayed && d.liberty(Liberty::ReplaysMarked) {
        headers.insert(HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static("true"));
    }
    response
}
