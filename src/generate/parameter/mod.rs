//! Parameters: the schemas that values are drawn from, and how a value is written as text and read again.
//!
//! - [`encode`]: a value as the text that is sent
//! - [`decode`]: what was sent as a value

pub mod decode;
pub mod encode;

use serde_json::{Value as Json, json};

use super::values::{alternatives, type_of};
use crate::contract::template::FreshKind;
use crate::document::parameter::{Parameter, ParameterLocation, Style};
use crate::schema::Schema;

/// The header that makes a request idempotent.
pub const KEY_HEADER: &str = "Idempotency-Key";

/// Whether a parameter is the header of the idempotency key.
pub fn is_key(parameter: &Parameter) -> bool {
    parameter.location == ParameterLocation::Header && parameter.name.eq_ignore_ascii_case(KEY_HEADER)
}

/// How the idempotency keys of a parameter are made: their kind, and their length where the usual one does not fit.
pub fn key_form(parameter: &Parameter) -> (FreshKind, Option<usize>) {
    let schema = parameter.schema.json();
    if schema["format"] == "uuid" {
        return (FreshKind::KeyUuid, None);
    }
    let bound = |keyword: &str| schema[keyword].as_u64().and_then(|n| usize::try_from(n).ok());
    let length = match (bound("minLength"), bound("maxLength")) {
        (Some(least), _) if least > KEY.len() => Some(least),
        (_, Some(most)) if most < KEY.len() => Some(most),
        _ => None,
    };
    (FreshKind::Key, length)
}

/// The schema of idempotency keys, if keys that are made for it keep it.
pub fn key_schema(parameter: &Parameter) -> Option<&Schema> {
    let sample = match key_form(parameter) {
        (FreshKind::KeyUuid, _) => "00000000-0000-4000-8000-000000000000".to_owned(),
        (_, None) => KEY.to_owned(),
        (_, Some(length)) => "aZ0-_".chars().cycle().take(length).collect(),
    };
    parameter.schema.is_valid(&sample.into()).then_some(&parameter.schema)
}

/// What an idempotency key of the usual length looks like.
const KEY: &str = "probity-00000000-00000000000000000000";

/// Letters, digits and characters that need no escape in any part of a request, and never `.` or `..` alone.
const TOKEN: &str = "^[A-Za-z][A-Za-z0-9_~-]{0,11}$";
/// The same for texts that must be longer.
const LONG_TOKEN: &str = "^[A-Za-z][A-Za-z0-9_~-]*$";

/// The schema that values of a parameter are drawn from: its own, without values that are missing or different once
/// they are text.
pub fn drawn(parameter: &Parameter) -> Json {
    let mut schema = parameter.schema.json().clone();
    let shown: Vec<Json> = parameter.examples.iter().chain(&parameter.default).cloned().collect();
    if !shown.is_empty() && schema.get("examples").is_none() {
        schema["examples"] = shown.into();
    }
    // What names something that is there is not to be made up.
    let known: Vec<Json> = shown_of(parameter).filter(|value| parameter.schema.is_valid(value)).cloned().collect();
    let schema_says =
        ["pattern", "format", "enum", "const"].iter().any(|key| parameter.schema.json().get(*key).is_some());
    let is_needed = parameter.required && parameter.schema.json()["type"] == "string" && !schema_says;
    if (parameter.location == ParameterLocation::Path || is_needed) && !known.is_empty() {
        return json!({ "enum": known });
    }
    plain(&schema)
}

fn shown_of(parameter: &Parameter) -> impl Iterator<Item = &Json> {
    let own = parameter.schema.json();
    let below = own["examples"].as_array().into_iter().flatten().chain(own.get("example")).chain(own.get("default"));
    parameter.examples.iter().chain(&parameter.default).chain(below)
}

fn plain(schema: &Json) -> Json {
    let Some(map) = schema.as_object() else { return json!({"type": "string", "pattern": TOKEN}) };
    let mut out = map.clone();
    if !alternatives(schema).is_empty() {
        let each = alternatives(schema).iter().filter(|a| a["type"] != "null").map(plain);
        out.insert("anyOf".to_owned(), each.collect());
        return out.into();
    }
    let listed = map.contains_key("enum") || map.contains_key("const");
    match type_of(schema) {
        _ if listed => {}
        "" | "string" => {
            out.insert("type".to_owned(), json!("string"));
            let shaped = ["pattern", "format", "examples", "default"].iter().any(|key| map.contains_key(*key));
            if !shaped {
                let is_long = map.get("minLength").and_then(Json::as_u64).is_some_and(|least| least > 12);
                out.insert("pattern".to_owned(), json!(if is_long { LONG_TOKEN } else { TOKEN }));
            }
        }
        "array" => {
            // A list without items makes no parameter.
            if map.get("minItems").and_then(Json::as_u64).unwrap_or(0) == 0 {
                out.insert("minItems".to_owned(), json!(1));
            }
            out.insert("items".to_owned(), plain(&schema["items"]));
        }
        "object" => {
            let below = |(name, below): (&String, &Json)| (name.clone(), plain(below));
            let properties: serde_json::Map<String, Json> =
                map.get("properties").and_then(Json::as_object).into_iter().flatten().map(below).collect();
            if !properties.is_empty() {
                out.insert("properties".to_owned(), properties.into());
                out.entry("minProperties").or_insert(json!(1));
            }
        }
        _ => {}
    }
    out.into()
}

/// Whether a valid value of a parameter is known rather than guessed: a text or a number with a meaning that only the
/// server knows is guessed.
pub fn is_known(parameter: &Parameter) -> bool {
    !parameter.examples.is_empty() || parameter.default.is_some() || says_enough(parameter.schema.json(), parameter)
}

fn says_enough(schema: &Json, parameter: &Parameter) -> bool {
    if ["enum", "const", "examples", "default"].iter().any(|key| schema.get(*key).is_some()) {
        return true;
    }
    if !alternatives(schema).is_empty() {
        return alternatives(schema).iter().filter(|a| a["type"] != "null").all(|a| says_enough(a, parameter));
    }
    // A path parameter names a resource that may not exist.
    let names_a_thing = parameter.location == ParameterLocation::Path;
    match type_of(schema) {
        "boolean" => true,
        "integer" | "number" => !names_a_thing || schema.get("maximum").is_some(),
        "string" => {
            let known = |format: &str| super::string::format::is_known(format) && (format != "uuid" || !names_a_thing);
            schema.get("pattern").is_some() || schema["format"].as_str().is_some_and(known)
        }
        "array" => says_enough(&schema["items"], parameter),
        "object" => {
            let mut properties = schema["properties"].as_object().into_iter().flatten().peekable();
            properties.peek().is_some() && properties.all(|(_, below)| says_enough(below, parameter))
        }
        _ => false,
    }
}

/// What separates the items of a list that is one text.
fn delimiter(style: Style, explode: bool) -> char {
    match (style, explode) {
        (Style::SpaceDelimited, _) => ' ',
        (Style::PipeDelimited, _) => '|',
        (Style::Label, true) => '.',
        _ => ',',
    }
}
