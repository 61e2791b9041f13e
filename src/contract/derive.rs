//! Requirements that follow from the document itself, each citing its JSON Pointer.

use serde_json::Value as Json;

use super::requirement::{Always, Form, Level, Origin, Requirement};
use crate::document::operation::Operation;
use crate::schema::POINTER;
use crate::schema::registry::escape;

/// The requirements of a document's operation.
pub fn requirements(operation: &Operation) -> Vec<Requirement> {
    let mut all = always(operation);
    if let Some(body) = operation.body() {
        schema(body.schema.json(), "body", "", &mut all);
    }
    all
}

fn always(operation: &Operation) -> Vec<Requirement> {
    let operation_pointer = operation.pointer.as_str();
    let one = |slug: &str, level, text: String, pointer: &str, form| Requirement {
        id: format!("operation/{slug}"),
        level: Some(level),
        text,
        source: format!("OpenAPI document, {pointer}"),
        origin: Origin::Derived(pointer.to_owned()),
        form: Form::Always(form),
    };
    let mut all = vec![
        one(
            "answered",
            Level::Must,
            "Every request is answered within the time limit, with a complete HTTP response.".into(),
            operation_pointer,
            Always::Answered,
        ),
        one(
            "no-server-error",
            Level::Must,
            "No request, however odd, is answered with a 5xx status.".into(),
            operation_pointer,
            Always::NoServerError,
        ),
        one(
            "valid-accepted",
            Level::Must,
            "Every request that keeps the contract is accepted.".into(),
            operation_pointer,
            Always::ValidAccepted,
        ),
    ];
    all.extend(super::answers::requirements(operation));
    all
}

/// The keywords of a schema that a request can keep or break, with what is owed.
const KEYWORDS: &[(&str, &str)] = &[
    ("type", "has the documented type; any other is rejected"),
    ("enum", "is one of the documented values; any other is rejected"),
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
    ("uniqueItems", "repeats no item; a repeated one is rejected"),
];

/// The requirements of a part of a schema, of which `place` tells where it stands: what several
/// properties refer to stands once in the document, and is owed for each.
fn schema(json: &Json, name: &str, place: &str, out: &mut Vec<Requirement>) {
    let pointer = json[POINTER].as_str().unwrap_or_default();
    let mut push = |slug: String, text: String, keyword: &str, part: String| {
        let pointer = format!("{pointer}/{keyword}");
        out.push(Requirement {
            id: format!("schema/{slug}"),
            level: Some(Level::Must),
            text,
            source: format!("OpenAPI document, {pointer}"),
            form: Form::Schema(part),
            origin: Origin::Derived(pointer),
        });
    };
    for (keyword, owed) in KEYWORDS {
        let Some(value) = json.get(*keyword) else {
            continue;
        };
        let testable = match *keyword {
            "format" => value.as_str().is_some_and(is_checked_format),
            "uniqueItems" => value == &Json::Bool(true),
            _ => true,
        };
        if testable {
            push(
                format!("{}-{}", slug(name), slug(keyword)),
                format!("`{name}` {owed}."),
                keyword,
                format!("{place}/{keyword}"),
            );
        }
    }
    for required in json["required"].as_array().into_iter().flatten() {
        let property = required.as_str().unwrap_or_default();
        let below = child(name, property);
        push(
            format!("{}-required", slug(&below)),
            format!("`{below}` is required: a request without it is rejected."),
            &format!("required#{property}"),
            required_part(place, property),
        );
    }
    if json["additionalProperties"] == Json::Bool(false) {
        push(
            format!("{}-additional-properties", slug(name)),
            format!("`{name}` has no properties but the documented ones; others are rejected."),
            "additionalProperties",
            format!("{place}/additionalProperties"),
        );
    }
    for (property, below) in json["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}/properties/{}", escape(property));
        schema(below, &child(name, property), &place, out);
    }
    if json["items"].is_object() {
        schema(&json["items"], &format!("{name}.item"), &format!("{place}/items"), out);
    }
}

/// The part of a schema that asks for a property: `required` lists several.
pub fn required_part(place: &str, property: &str) -> String {
    format!("{place}/required#{property}")
}

fn child(name: &str, property: &str) -> String {
    match name {
        "body" => property.to_owned(),
        _ => format!("{name}.{property}"),
    }
}

/// A name as part of an id.
fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c {
            'A'..='Z' => {
                out.push('-');
                out.push(c.to_ascii_lowercase());
            }
            'a'..='z' | '0'..='9' => out.push(c),
            _ => out.push('-'),
        }
    }
    out
}

/// Formats whose values the validator checks, and so can be broken.
pub fn is_checked_format(format: &str) -> bool {
    ["date-time", "date", "time", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"].contains(&format)
}
