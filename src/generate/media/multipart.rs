//! `multipart/form-data` (RFC 7578).

use serde_json::Value as Json;

use super::super::parameter::encode::plain;
use crate::document::operation::Body;

pub(super) fn encode(body: &Body, value: &Json, boundary: &str) -> Vec<u8> {
    let mut out = String::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        let schema = &body.schema.json()["properties"][name];
        let whole = std::slice::from_ref(value);
        let parts = value.as_array().map_or(whole, Vec::as_slice);
        let below = if value.is_array() { &schema["items"] } else { schema };
        for part in parts {
            out.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(name)));
            let is_file = is_file(below);
            if is_file {
                out.push_str(&format!("; filename=\"{}\"", quoted(name)));
            }
            out.push_str("\r\n");
            if let Some(media_type) = media_type(body, name, below, part) {
                out.push_str(&format!("Content-Type: {media_type}\r\n"));
            }
            out.push_str(&format!("\r\n{}\r\n", plain(part)));
        }
    }
    out.push_str(&format!("--{boundary}--\r\n"));
    out.into_bytes()
}

/// Whether a part is a file: bytes rather than the text of a field.
fn is_file(schema: &Json) -> bool {
    let octets = schema["contentMediaType"] == "application/octet-stream" && schema.get("contentEncoding").is_none();
    ["binary", "base64", "byte"].iter().any(|format| schema["format"] == *format) || octets
}

/// The media type of a part: the document's, or the one that OpenAPI specifies for its schema; None for plain text.
fn media_type(body: &Body, name: &str, schema: &Json, part: &Json) -> Option<String> {
    let own = body.encoding.iter().find(|(n, _)| n == name).and_then(|(_, e)| e.content_type.as_deref());
    if let Some(own) = own {
        let first = own.split(',').next().unwrap_or(own).trim();
        return Some(match first {
            "image/*" => "image/png".to_owned(),
            "text/*" => "text/plain".to_owned(),
            "*/*" | "application/*" => "application/octet-stream".to_owned(),
            other => other.to_owned(),
        });
    }
    match part {
        Json::Object(_) => Some("application/json".to_owned()),
        _ if is_file(schema) => Some("application/octet-stream".to_owned()),
        _ => None,
    }
}

fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

pub(super) fn decode(body: &Body, content_type: &str, bytes: &[u8]) -> Option<Json> {
    let text = String::from_utf8_lossy(bytes);
    let boundary = content_type.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?.trim_matches('"');
    let delimiter = format!("--{boundary}");
    let mut texts = Vec::new();
    for part in text.split(delimiter.as_str()).skip(1) {
        let Some(part) = part.strip_prefix("\r\n") else { break };
        let (head, content) = part.split_once("\r\n\r\n")?;
        let disposition = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
        let (_, name) = disposition.split_once(" name=\"")?;
        let name = name.split('"').next()?.replace("%22", "\"");
        texts.push((name, content.strip_suffix("\r\n").unwrap_or(content).to_owned()));
    }
    super::object(body.schema.json(), texts)
}
