//! HAR 1.2: every exchange, as the developer tools of browsers show network traffic.
//!
//! What HAR has no place for stands under names that begin with an underscore, as its authors ask: whose request it was
//! (`_identity`), on whose behalf (`_trial`), what it was
//! judged as (`_judged`), what went wrong (`_error`). Tokens are `${VARIABLE}`, as in every report.

use std::io;

use serde_json::{Map, Value as Json, json};

use crate::report::model::{Exchange, Report, Request, Response};

/// A count or a name that is not known, in the words of HAR.
const UNKNOWN: i64 = -1;
const UNKNOWN_VERSION: &str = "unknown";

/// The exchanges as HAR, in the order in which they were sent.
///
/// # Errors
/// The first exchange that cannot be read.
pub fn render(report: &Report, exchanges: impl Iterator<Item = io::Result<Exchange>>) -> io::Result<String> {
    let mut exchanges = exchanges.collect::<io::Result<Vec<_>>>()?;
    exchanges.sort_by_key(|e| (e.number, e.attempt));
    let header = &report.header;
    let entries: Vec<Json> = exchanges.iter().map(entry).collect();
    let har = json!({"log": {
        "version": "1.2",
        "creator": {"name": header.tool.name, "version": header.tool.version},
        "entries": entries,
        "comment": format!(
            "{} against {}, seed {}; tokens stand as ${{VARIABLE}}",
            header.contract.name, header.target, header.seed
        ),
    }});
    let mut text = serde_json::to_string_pretty(&har)?;
    text.push('\n');
    Ok(text)
}

fn entry(exchange: &Exchange) -> Json {
    let time = exchange.elapsed_ms;
    let mut entry = json!({
        "startedDateTime": exchange.sent,
        "time": time,
        "request": request(&exchange.request),
        "response": exchange.response.as_ref().map_or_else(nothing, response),
        "cache": {},
        // Only the whole is known.
        "timings": {"send": 0, "wait": time, "receive": 0},
        "_number": exchange.number,
        "_trial": exchange.trial,
        "_identity": exchange.identity,
        "_attempt": exchange.attempt,
        "_attempts": exchange.attempts,
    });
    if let Some(judged) = &exchange.judged {
        entry["_judged"] = json!(judged);
    }
    if let Some(failure) = &exchange.failure {
        entry["_error"] = json!(failure.message);
        entry["_failure"] = json!(failure.kind);
    }
    entry
}

fn request(request: &Request) -> Json {
    let query = url::Url::parse(&request.url).ok();
    let query = query.iter().flat_map(url::Url::query_pairs).map(|(name, value)| json!({"name": name, "value": value}));
    let mut out = json!({
        "method": request.method,
        "url": request.url,
        "httpVersion": UNKNOWN_VERSION,
        "cookies": [],
        "headers": headers(&request.headers),
        "queryString": query.collect::<Vec<_>>(),
        "headersSize": UNKNOWN,
        "bodySize": size(request.bytes().as_deref(), request.truncated),
    });
    if let Some(text) = request.body.as_ref().or(request.body_base64.as_ref()) {
        let mut data = json!({"mimeType": media_type(&request.headers), "text": text});
        encoding(&mut data, request.body.is_none(), request.truncated);
        out["postData"] = data;
    }
    out
}

fn response(response: &Response) -> Json {
    let bytes = response.bytes();
    let mut content = json!({
        "size": size(bytes.as_deref(), response.truncated),
        "mimeType": media_type(&response.headers),
    });
    if let Some(text) = response.body.as_ref().or(response.body_base64.as_ref()) {
        content["text"] = json!(text);
        encoding(&mut content, response.body.is_none(), response.truncated);
    }
    let location = response.headers.iter().find(|(name, _)| name == "location");
    let reason = reqwest::StatusCode::from_u16(response.status).ok().and_then(|s| s.canonical_reason());
    json!({
        "status": response.status,
        "statusText": reason.unwrap_or_default(),
        "httpVersion": UNKNOWN_VERSION,
        "cookies": [],
        "headers": headers(&response.headers),
        "content": content,
        "redirectURL": location.map_or("", |(_, value)| value),
        "headersSize": UNKNOWN,
        "bodySize": UNKNOWN,
    })
}

/// What stands where no answer came: browsers write it so.
fn nothing() -> Json {
    json!({
        "status": 0,
        "statusText": "",
        "httpVersion": UNKNOWN_VERSION,
        "cookies": [],
        "headers": [],
        "content": {"size": 0, "mimeType": "x-unknown"},
        "redirectURL": "",
        "headersSize": UNKNOWN,
        "bodySize": UNKNOWN,
    })
}

/// Says how a text stands for bytes, and whether it is only their beginning.
fn encoding(content: &mut Json, base64: bool, truncated: Option<u64>) {
    let mut notes = Map::new();
    if base64 {
        notes.insert("encoding".into(), json!("base64"));
    }
    if let Some(length) = truncated {
        notes.insert("comment".into(), json!(format!("the beginning of {length} bytes")));
        notes.insert("_truncated".into(), json!(length));
    }
    if let Some(content) = content.as_object_mut() {
        content.extend(notes);
    }
}

fn size(bytes: Option<&[u8]>, truncated: Option<u64>) -> u64 {
    truncated.unwrap_or_else(|| bytes.map_or(0, |b| b.len() as u64))
}

fn media_type(headers: &[(String, String)]) -> &str {
    headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type")).map_or("", |(_, value)| value)
}

fn headers(headers: &[(String, String)]) -> Vec<Json> {
    headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}
