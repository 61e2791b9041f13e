//! From the bytes of a body to the JSON object in it.

use super::faults::robustness as hook;
use super::json_text;
use super::refusal::{Failure, Reason, Refusal};
use super::{Variation, deviations::Deviations};
use crate::exchange::json_text::without_lone_surrogates;
use crate::reference::server_state::ServerState;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use bytes::{Bytes, BytesMut};
use hyper::body::Body as _;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::Pin;

/// Two names of the longest length that a client may try, with every character escaped, fit.
const LIMIT: usize = 2 << 20;
const SMALL_LIMIT: usize = 64 << 10;

/// Beyond this a connection is given up rather than read to its end.
const PATIENCE: usize = 32 << 20;

/// The whole body, up to the limit. What is beyond it is read and dropped: a client that still sends may not look at an
/// answer.
pub(super) async fn bytes(d: &Deviations, mut body: Body) -> Result<Bytes, Refusal> {
    let limit = if d.variation(Variation::SmallBodyLimit) { SMALL_LIMIT } else { LIMIT };
    let mut read = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        // A body that broke off ends here too, but then nobody waits for an answer.
        let Some(data) = frame.ok().and_then(|frame| frame.into_data().ok()) else { break };
        length += data.len();
        if length <= limit {
            read.extend_from_slice(&data);
        } else if length > PATIENCE {
            break;
        }
    }
    if length > limit {
        let detail = format!("the body has more than {limit} bytes");
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, Reason::BodyTooLarge, detail));
    }
    Ok(read.freeze())
}

/// The object that the body holds.
pub(super) fn object(server: &ServerState, headers: &HeaderMap, body: &Bytes) -> Result<Map<String, Value>, Failure> {
    let d = &server.deviations;
    hook::declared(d, headers.get(CONTENT_TYPE), is_json(headers))?;
    if !is_json(headers) && !d.variation(Variation::ContentTypeIgnored) {
        if d.variation(Variation::ContentTypeNeededForFields) {
            return Ok(Map::new());
        }
        let detail = "the body is to be declared as application/json";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Reason::MediaType, detail).into());
    }

    hook::received(d, body)?;
    let text = mended(d, body);
    let value = match serde_json::from_slice(&text) {
        Ok(value) => value,
        Err(error) => hook::malformed(d, &text, malformed(d, &error.to_string()))?,
    };
    let object = match value {
        Value::Object(object) => object,
        other => {
            let detail = "the body is not an object";
            let refusal = Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, Reason::WrongType, detail);
            hook::not_an_object(d, other, refusal)?
        }
    };
    if d.variation(Variation::DuplicatePropertiesRefused) && json_text::has_duplicates(&text) {
        return Err(malformed(d, "a property stands twice").into());
    }
    hook::parsed(d, &text, &object)?;
    Ok(object)
}

fn is_json(headers: &HeaderMap) -> bool {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = declared.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

fn malformed(d: &Deviations, problem: &str) -> Refusal {
    let status =
        if d.variation(Variation::Malformed422) { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::BAD_REQUEST };
    Refusal::new(status, Reason::Malformed, format!("the body is not JSON: {problem}"))
}

/// The body as a lenient reader has it: by itself, the body as it is.
fn mended<'a>(d: &Deviations, body: &'a [u8]) -> Cow<'a, [u8]> {
    let mut text = Cow::Borrowed(body);
    if d.variation(Variation::ByteOrderMarkSkipped) {
        text = Cow::Borrowed(body.strip_prefix(json_text::BYTE_ORDER_MARK).unwrap_or(body));
    }
    if d.variation(Variation::InvalidUtf8Replaced) && std::str::from_utf8(&text).is_err() {
        text = Cow::Owned(String::from_utf8_lossy(&text).into_owned().into_bytes());
    }
    if (d.variation(Variation::LoneSurrogatesReplaced) || d.variation(Variation::LoneSurrogatesKept))
        && let Some(replaced) = without_lone_surrogates(&text)
    {
        text = Cow::Owned(replaced);
    }
    text
}
