//! `application/x-www-form-urlencoded`.

use serde_json::{Map, Value as Json};

use super::super::parameter::decode::{Reading, decoded, in_query, pairs};
use super::super::parameter::encode::{escaped, plain, query};
use crate::document::operation::{Body, Encoding};
use crate::document::parameter::{Parameter, ParameterLocation, Style};
use crate::schema::{Direction, Schema};

pub(super) fn encode(body: &Body, value: &Json) -> String {
    let Json::Object(map) = value else { return escaped(&plain(value)) };
    let mut all = Vec::new();
    for (name, value) in map {
        let encoding = body.encoding.iter().find(|(n, _)| n == name).map(|(_, e)| e);
        let json = encoding.and_then(|e| e.content_type.as_deref()).is_some_and(crate::document::media::is_json);
        if let Some(parameter) = encoding.and_then(|e| styled(body, name, e)) {
            all.extend(Some(query(&parameter, value)).filter(|text| !text.is_empty()));
            continue;
        }
        match value {
            Json::Array(items) if !json && items.iter().all(|i| !i.is_object() && !i.is_array()) => {
                all.extend(items.iter().map(|item| format!("{}={}", escaped(name), escaped(&plain(item)))));
            }
            other => all.push(format!("{}={}", escaped(name), escaped(&plain(other)))),
        }
    }
    all.join("&")
}

pub(super) fn decode(body: &Body, text: &str) -> Option<Json> {
    let mut rest = pairs(text);
    let mut own = Map::new();
    for (name, encoding) in &body.encoding {
        let Some(parameter) = styled(body, name, encoding) else { continue };
        match in_query(&parameter, &rest) {
            Reading::Value(value) => {
                let members = value.as_object().filter(|_| parameter.explode);
                rest.retain(|(n, _)| {
                    let is_below = n.strip_prefix(name.as_str()).is_some_and(|n| n.starts_with('['));
                    n != name && !is_below && members.is_none_or(|m| !m.contains_key(n))
                });
                own.insert(name.clone(), value);
            }
            Reading::Absent => {}
            Reading::Open(_) => return None,
        }
    }
    let texts = rest.into_iter().map(|(name, value)| (name, decoded(&value))).collect();
    let mut all = super::object(body.schema.json(), texts)?;
    all.as_object_mut()?.extend(own);
    Some(all)
}

/// A property that is written as a query parameter is: the document says in which style.
fn styled(body: &Body, name: &str, encoding: &Encoding) -> Option<Parameter> {
    if encoding.style.is_none() && encoding.explode.is_none() && !encoding.allow_reserved {
        return None;
    }
    let style = encoding.style.unwrap_or(Style::Form);
    let schema = body.schema.json()["properties"].get(name).cloned().unwrap_or_default();
    Some(Parameter {
        name: name.to_owned(),
        location: ParameterLocation::Query,
        required: false,
        style,
        explode: encoding.explode.unwrap_or(style.explodes()),
        allow_reserved: encoding.allow_reserved,
        media_type: None,
        schema: Schema::constant(schema, Direction::Request),
        examples: Vec::new(),
        default: None,
        pointer: String::new(),
        place: body.place.clone(),
    })
}
