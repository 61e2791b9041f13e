//! Values that match the document and may still be refused: where it says less than a server has to check, a value is
//! not certain to be valid.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value as Json, json};

use crate::generate::string::{format, written};
use crate::generate::values::list::item_at;
use crate::generate::values::number::narrow;
use crate::generate::values::object::unnamed;
use crate::generate::values::{alternatives, type_of};

/// Formats of numbers that mean nothing but the bounds that come with them.
const NUMBERS: &[&str] = &["int32", "int64", "float", "double", "int", "integer", "long", "number"];

/// Control characters, and code points without an assigned character.
static ODD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[\p{Cc}\p{Cn}\p{Co}]").expect("a pattern"));

/// Why a value that matches a schema is not certain to be accepted, if so.
pub(super) fn doubt(schema: &Json, value: &Json) -> Option<String> {
    if schema.get("x-unsupported").is_some() {
        return Some("a part of its schema cannot be checked".to_owned());
    }
    if let Some(part) = null_beside(schema, value) {
        return Some(part);
    }
    if schema.get("const").is_some() || schema["enum"].as_array().is_some_and(|listed| listed.contains(value)) {
        return None;
    }
    let choice = alternatives(schema);
    if !choice.is_empty() {
        return of_any(choice, value);
    }
    match value {
        Json::String(text) => text_doubt(schema, text),
        Json::Number(_) => number_doubt(schema, value),
        Json::Array(items) => items.iter().take(100).enumerate().find_map(|(i, item)| doubt(item_at(schema, i), item)),
        Json::Object(map) => map.iter().find_map(|(name, below)| {
            if schema["x-read-only"].as_array().is_some_and(|names| names.iter().any(|n| n == name)) {
                return Some(format!("`{name}` is read-only"));
            }
            match schema["properties"].get(name) {
                Some(known) => doubt(known, below),
                None => doubt(&unnamed(schema, name), below),
            }
        }),
        Json::Null | Json::Bool(_) => None,
    }
}

/// Null where `nullable` may mean in a document that it is accepted, or may mean nothing.
pub(super) fn null_beside(schema: &Json, value: &Json) -> Option<String> {
    (value.is_null() && schema["x-nullable"] == json!(true))
        .then(|| "`nullable` is ambiguous beside a reference, a combination or an enum".to_owned())
}

/// The doubt about a value by its most likely alternative; none if one of those has none.
fn of_any(choice: &[Json], value: &Json) -> Option<String> {
    let mut likely: Vec<&Json> = choice.iter().filter(|a| is_likely(a, value)).collect();
    if likely.is_empty() {
        likely = choice.iter().collect();
    }
    let mut doubts = likely.into_iter().map(|alternative| doubt(alternative, value));
    let first = doubts.next().flatten()?;
    doubts.all(|d| d.is_some()).then_some(first)
}

/// Whether a value has the type of an alternative, and the constants that tell it from others.
fn is_likely(alternative: &Json, value: &Json) -> bool {
    let kind = match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    };
    let own = type_of(alternative);
    let same = own.is_empty() || own == kind || (own == "integer" && kind == "number");
    let constants = alternative["properties"].as_object().into_iter().flatten();
    same && constants
        .filter_map(|(name, below)| Some((below.get("const")?, value.get(name)?)))
        .all(|(due, actual)| due == actual)
}

fn text_doubt(schema: &Json, text: &str) -> Option<String> {
    let unknown = schema["format"].as_str().is_some_and(|f| !format::is_known(f));
    if (unknown || schema.get("pattern").is_some()) && written(schema).iter().any(|shown| shown == text) {
        return Some("it is not known whether the document's example is accepted".to_owned());
    }
    if let Some(name) = schema["format"].as_str().filter(|f| !format::is_known(f)) {
        return Some(format!("the requirements of the format `{name}` are not known"));
    }
    if ODD.is_match(text) {
        return Some("the text contains a control character, or a code point without an assigned character".to_owned());
    }
    let says_more = ["minLength", "pattern", "format"].iter().any(|key| schema.get(*key).is_some());
    if text.trim().is_empty() && !says_more {
        return Some("the document does not say whether an empty text is accepted".to_owned());
    }
    None
}

fn number_doubt(schema: &Json, value: &Json) -> Option<String> {
    let name = schema["format"].as_str()?;
    if NUMBERS.contains(&name) || schema["examples"].as_array().is_some_and(|shown| shown.contains(value)) {
        return None;
    }
    match narrow(name) {
        Some((low, high)) if value.as_i64().is_some_and(|n| (low..=high).contains(&n)) => None,
        Some(_) => Some(format!("it is outside the range of `{name}`")),
        None => Some(format!("the requirements of the format `{name}` are not known")),
    }
}
