//! Bodies: how a value is written in a media type, and read again.
//!
//! - `form`: `application/x-www-form-urlencoded`
//! - `multipart`: `multipart/form-data`

mod form;
mod multipart;

use serde_json::{Value as Json, json};

use super::parameter::{decode::Reading, decode::scalar, encode::plain};
use crate::document::media::{essence, may_be_json};
use crate::document::operation::{Body, Operation};

/// How the values of a media type are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// JSON.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data`.
    Multipart,
    /// Plain text.
    Text,
    /// Bytes of an unknown format.
    Bytes,
    /// Another format, which cannot be generated.
    Other,
}

/// How the values of a media type, or of one in a range, are written.
pub fn kind(media_type: &str) -> Kind {
    let name = essence(media_type);
    match name.as_str() {
        _ if may_be_json(&name) => Kind::Json,
        "application/x-www-form-urlencoded" => Kind::Form,
        "multipart/form-data" => Kind::Multipart,
        "text/plain" | "text/*" | "text/markdown" => Kind::Text,
        "application/octet-stream" | "application/binary" => Kind::Bytes,
        _ => Kind::Other,
    }
}

/// The media type that is sent for this one, or this range, in a document.
pub fn sent(media_type: &str) -> String {
    match essence(media_type).as_str() {
        "*/*" | "*" | "application/*" => "application/json".to_owned(),
        "text/*" => "text/plain".to_owned(),
        _ => media_type.to_owned(),
    }
}

/// The form of the operation's bodies that a content type names.
pub fn form_of<'a>(operation: &'a Operation, content_type: &str) -> Option<&'a Body> {
    let name = essence(content_type);
    operation.bodies.iter().find(|body| essence(&sent(&body.media_type)) == name)
}

/// A value as it is sent: the content type, and the bytes.
pub fn encode(body: &Body, value: &Json, boundary: &str) -> (String, Vec<u8>) {
    let content_type = sent(&body.media_type);
    match kind(&body.media_type) {
        Kind::Json | Kind::Other => (content_type, value.to_string().into_bytes()),
        Kind::Form => (content_type, form::encode(body, value).into_bytes()),
        Kind::Multipart => (format!("{content_type}; boundary={boundary}"), multipart::encode(body, value, boundary)),
        Kind::Text | Kind::Bytes => (content_type, plain(value).into_bytes()),
    }
}

/// The value of a body that was sent; None if it cannot be read.
pub fn decode(body: &Body, content_type: &str, bytes: &[u8]) -> Option<Json> {
    match kind(&body.media_type) {
        Kind::Json => serde_json::from_slice(bytes).ok(),
        Kind::Form => form::decode(body, std::str::from_utf8(bytes).ok()?),
        Kind::Multipart => multipart::decode(body, content_type, bytes),
        Kind::Text => one(body.schema.json(), std::str::from_utf8(bytes).ok()?),
        Kind::Bytes => Some(json!(String::from_utf8_lossy(bytes))),
        Kind::Other => None,
    }
}

/// The value of a text; None if it can be read in more than one way.
fn one(schema: &Json, text: &str) -> Option<Json> {
    let types = super::values::types(schema);
    if types.contains(&"object") || schema.get("properties").is_some() {
        return serde_json::from_str(text).ok();
    }
    // An empty text is a value: a field that is left out is not in the body at all.
    if text.is_empty() && (types.is_empty() || types.contains(&"string")) {
        return Some(json!(""));
    }
    match scalar(schema, text) {
        Reading::Value(value) => Some(value),
        Reading::Absent | Reading::Open(_) => None,
    }
}

/// The texts of one name as the value of a property.
fn property(schema: &Json, texts: &[String]) -> Option<Json> {
    let is_list = super::values::type_of(schema) == "array";
    match texts {
        _ if is_list => {
            texts.iter().map(|text| one(&schema["items"], text)).collect::<Option<Vec<_>>>().map(Json::from)
        }
        [text] => one(schema, text),
        _ => None,
    }
}

/// All properties of a form, from the texts that were sent by name.
fn object(schema: &Json, texts: Vec<(String, String)>) -> Option<Json> {
    let mut by_name: indexmap::IndexMap<String, Vec<String>> = indexmap::IndexMap::new();
    for (name, text) in texts {
        by_name.entry(name).or_default().push(text);
    }
    let value = |(name, texts): (String, Vec<String>)| {
        let below = match schema["properties"].get(&name) {
            Some(below) => below.clone(),
            None => super::values::object::unnamed(schema, &name),
        };
        Some((name, property(&below, &texts)?))
    };
    by_name.into_iter().map(value).collect::<Option<serde_json::Map<_, _>>>().map(Json::from)
}

#[cfg(test)]
mod tests;
