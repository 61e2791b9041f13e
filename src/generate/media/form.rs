//! `application/x-www-form-urlencoded`.

use serde_json::Value as Json;

use super::super::parameter::decode::{decoded, pairs};
use super::super::parameter::encode::{escaped, plain};
use crate::document::operation::Body;

pub(super) fn encode(body: &Body, value: &Json) -> String {
    let Json::Object(map) = value else { return escaped(&plain(value)) };
    let mut all = Vec::new();
    for (name, value) in map {
        let encoding = body.encoding.iter().find(|(n, _)| n == name).map(|(_, e)| e);
        let json = encoding.and_then(|e| e.content_type.as_deref()).is_some_and(crate::document::media::is_json);
        let joined = encoding.is_some_and(|e| e.explode == Some(false));
        match value {
            Json::Array(items) if !json && items.iter().all(|i| !i.is_object() && !i.is_array()) => {
                let texts: Vec<String> = items.iter().map(|i| escaped(&plain(i))).collect();
                match joined {
                    true => all.push(format!("{}={}", escaped(name), texts.join(","))),
                    false => all.extend(texts.iter().map(|text| format!("{}={text}", escaped(name)))),
                }
            }
            other => all.push(format!("{}={}", escaped(name), escaped(&plain(other)))),
        }
    }
    all.join("&")
}

pub(super) fn decode(body: &Body, text: &str) -> Option<Json> {
    let joined = |name: &str| body.encoding.iter().any(|(n, e)| n == name && e.explode == Some(false));
    let mut texts = Vec::new();
    for (name, value) in pairs(text) {
        match joined(&name) {
            true => texts.extend(value.split(',').map(|part| (name.clone(), decoded(part)))),
            false => texts.push((name, decoded(&value))),
        }
    }
    super::object(body.schema.json(), texts)
}
