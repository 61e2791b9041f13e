//! The parts of the body's schema that a request can keep or break.

use serde_json::Value as Json;

use super::{is_breakable, is_checked_format, slug};
use crate::contract::part::Part;
use crate::contract::requirement::{Form, Level, Origin, Requirement};
use crate::schema::POINTER;
use crate::yaml::escape;

/// The keywords of a schema that a request can match or break, with the requirement's text.
pub(super) const KEYWORDS: &[(&str, &str)] = &[
    ("type", "has the documented type; any other is rejected"),
    ("enum", "is one of the documented values; any other is rejected"),
    ("const", "has the documented value; any other is rejected"),
    ("minimum", "may be as low as its minimum; lower is rejected"),
    ("maximum", "may be as high as its maximum; higher is rejected"),
    ("exclusiveMinimum", "lies above its lower bound; the bound itself is rejected"),
    ("exclusiveMaximum", "lies below its upper bound; the bound itself is rejected"),
    ("multipleOf", "is a multiple of its step; anything between is rejected"),
    ("minLength", "may be as short as its minimum; shorter is rejected"),
    ("maxLength", "may be as long as its maximum; longer is rejected"),
    ("pattern", "matches its pattern; what does not is rejected"),
    ("format", "has the documented format; anything else is rejected"),
    ("minItems", "may have as few items as its minimum; fewer is rejected"),
    ("maxItems", "may have as many items as its maximum; more is rejected"),
    ("uniqueItems", "repeats no item; a list with a repeated item is rejected"),
    ("contains", "has the required item; a list without it is rejected"),
    ("minProperties", "may have as few properties as its minimum; fewer is rejected"),
    ("maxProperties", "may have as many properties as its maximum; more is rejected"),
    ("propertyNames", "has property names of the documented form; others are rejected"),
    ("anyOf", "matches one of its alternatives; what matches none is rejected"),
    ("not", "is not a value that the document excludes; such a value is rejected"),
    ("if", "meets the document's condition; what does not is rejected"),
    ("dependentRequired", "has what another property requires; without that, it is rejected"),
    ("dependentSchemas", "meets what another property requires; what does not is rejected"),
];

/// Whether a keyword makes a requirement that can be tested.
pub(super) fn is_testable(schema: &Json, keyword: &str) -> bool {
    let Some(value) = schema.get(keyword) else { return false };
    let positive = || value.as_u64().is_some_and(|n| n > 0);
    match keyword {
        "format" => value.as_str().is_some_and(is_checked_format),
        "pattern" => value.as_str().is_some_and(is_breakable),
        // A list of at most one item repeats none.
        "uniqueItems" => value == &Json::Bool(true) && schema["maxItems"].as_u64().is_none_or(|most| most > 1),
        "minProperties" | "contains" => value.is_object() || positive(),
        // It selects an alternative.
        "const" => schema.get("anyOf").is_none(),
        "if" => schema.get("then").is_some() || schema.get("else").is_some(),
        // Keywords that the schema has only because it contains itself make no requirement.
        _ => true,
    }
}

/// Keywords that are there only because the schema contains itself, or for another reason of ours.
pub(super) fn is_cut(schema: &Json, keyword: &str) -> bool {
    schema["x-cut"].as_array().is_some_and(|cut| cut.iter().any(|k| k == keyword))
}

/// The place of a keyword in the document.
pub(super) fn place_of(schema: &Json, keyword: &str) -> String {
    let own = schema["x-pointers"][keyword].as_str().map(str::to_owned);
    let word = if keyword == "anyOf" && schema["x-one-of"] == true { "oneOf" } else { keyword };
    own.unwrap_or_else(|| format!("{}/{word}", schema[POINTER].as_str().unwrap_or_default()))
}

/// How binding a keyword is: bounds that only the format sets are not said by the document itself.
pub(super) fn level_of(schema: &Json, keyword: &str) -> Level {
    let by_format = schema["x-format-bounds"].as_array().is_some_and(|bounds| bounds.iter().any(|k| k == keyword));
    if by_format { Level::Should } else { Level::Must }
}

/// The requirements of the part of a schema at `place`: a schema that several properties refer to is
/// in the document once, and makes requirements on each of them.
pub(super) fn parts(json: &Json, name: &str, place: &str, out: &mut Vec<Requirement>) {
    let mut push = |slug: String, text: String, pointer: String, level: Level, part: Part| {
        out.push(Requirement {
            id: format!("schema/{slug}"),
            level: Some(level),
            text,
            source: format!("OpenAPI document, {pointer}"),
            form: Form::Schema(part),
            origin: Origin::Derived(pointer),
        });
    };
    for (keyword, owed) in KEYWORDS {
        if is_testable(json, keyword) && !is_cut(json, keyword) {
            let word = if *keyword == "anyOf" && json["x-one-of"] == true { "oneOf" } else { keyword };
            push(
                format!("{}-{}", slug(name), slug(word)),
                format!("`{name}` {owed}."),
                place_of(json, keyword),
                level_of(json, keyword),
                Part::new(format!("{place}/{keyword}")),
            );
        }
    }
    for required in json["required"].as_array().into_iter().flatten() {
        let property = required.as_str().unwrap_or_default();
        let below = child(name, property);
        push(
            format!("{}-required", slug(&below)),
            format!("`{below}` is required: a request without it is rejected."),
            format!("{}#{property}", place_of(json, "required")),
            Level::Must,
            Part::required(place, property),
        );
    }
    for keyword in ["additionalProperties", "unevaluatedProperties"] {
        if json[keyword] == Json::Bool(false) && !is_cut(json, keyword) {
            push(
                format!("{}-{}", slug(name), slug(keyword)),
                format!("`{name}` has no properties but the documented ones; others are rejected."),
                place_of(json, keyword),
                Level::Must,
                Part::new(format!("{place}/{keyword}")),
            );
        }
    }
    for (property, below) in json["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}/properties/{}", escape(property));
        parts(below, &child(name, property), &place, out);
    }
    for (i, below) in json["prefixItems"].as_array().into_iter().flatten().enumerate() {
        parts(below, &format!("{name}.item-{}", i + 1), &format!("{place}/prefixItems/{i}"), out);
    }
    if json["items"].is_object() {
        parts(&json["items"], &format!("{name}.item"), &format!("{place}/items"), out);
    }
    if json["additionalProperties"].is_object() {
        parts(&json["additionalProperties"], &format!("{name}.value"), &format!("{place}/additionalProperties"), out);
    }
}

fn child(name: &str, property: &str) -> String {
    match name {
        "body" => property.to_owned(),
        _ => format!("{name}.{property}"),
    }
}
