//! Values that are easily damaged on the way to a record and back.

use serde_json::Value as Json;

use super::references::named;
use crate::contract::template::Template;
use crate::schema::{Direction, Schema};

/// What is escaped in HTML, a letter of two bytes, and one that is beyond the first 65,536.
const ODD: &str = "<&\"é😀 ";
/// How many characters such a text needs, with what makes it one of its own.
const ROOM: u64 = 40;

/// Puts such texts into a body, and other values than those that the document says are assumed; returns whether any.
pub(super) fn make(body: &mut Template, schema: &Json) -> bool {
    let mut any = false;
    let Template::Object(members) = body else { return false };
    for (name, value) in members {
        let Some(below) = schema["properties"].get(name.as_str()) else { continue };
        if matches!(value, Template::Object(_)) {
            any |= make(value, below);
            continue;
        }
        // What names something else has a form of its own.
        if named(name).is_some() || NAMES.contains(&name.to_lowercase().as_str()) {
            continue;
        }
        let other = match &*value {
            Template::Unique { text, schema } if takes_any(below) => {
                Some(Template::Unique { text: format!("{ODD}{text}"), schema: schema.clone() })
            }
            Template::Literal(Json::String(text)) if takes_any(below) => {
                Some(Template::Literal(format!("{ODD}{text}").into()))
            }
            Template::Literal(known) if below.get("default") == Some(known) || known == &Json::Bool(false) => {
                another(known, below).map(Template::Literal)
            }
            _ => None,
        };
        if let Some(other) = other {
            *value = other;
            any = true;
        }
    }
    any
}

/// What a server is likely to have words of its own for, or to check in its own way.
const NAMES: [&str; 12] =
    ["id", "type", "kind", "state", "status", "currency", "country", "language", "locale", "timezone", "phone", "slug"];

/// Whether a schema takes any text that is short enough.
fn takes_any(schema: &Json) -> bool {
    let says_more =
        ["pattern", "format", "enum", "const", "anyOf", "not", "examples"].iter().any(|key| schema.get(*key).is_some());
    schema["type"] == "string" && !says_more && schema["maxLength"].as_u64().is_none_or(|most| most >= ROOM)
}

/// Another valid value of a number, a switch or a list.
pub(super) fn another(value: &Json, schema: &Json) -> Option<Json> {
    let others: Vec<Json> = match value {
        Json::Bool(is) => vec![(!is).into()],
        Json::Number(n) if n.is_i64() => {
            let n = n.as_i64()?;
            [n.checked_add(1), n.checked_sub(1)].into_iter().flatten().map(Json::from).collect()
        }
        Json::Number(n) => [n.as_f64()? + 1.0, n.as_f64()? - 1.0].into_iter().map(Json::from).collect(),
        _ => Vec::new(),
    };
    let valid = Schema::constant(schema.clone(), Direction::Request);
    others.into_iter().find(|other| valid.is_valid(other))
}
