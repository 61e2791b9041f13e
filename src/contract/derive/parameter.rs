//! The requirements on parameters: their presence, and the parts of their schemas.

use serde_json::Value as Json;

use super::body::{KEYWORDS, is_cut, is_testable, level_of, place_of};
use super::slug;
use crate::contract::part::{BOUNDS, Part, REQUIRED};
use crate::contract::requirement::{Form, Level, Origin, Requirement};
use crate::document::operation::Operation;
use crate::document::parameter::{Parameter, ParameterLocation};

/// Keywords that text can break. Which text is a list or an object is left open.
const ON_THE_WIRE: &[&str] = &[
    "type",
    "enum",
    "const",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minItems",
    "maxItems",
    "uniqueItems",
    "anyOf",
    "not",
];

/// Headers that say under which condition a request is meant, in lower case.
const CONDITIONS: &[&str] = &["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"];

/// Up to how many characters every server takes in a parameter.
const LONGEST: u64 = 2_000;

/// The requirements of all parameters of an operation.
pub(super) fn all(operation: &Operation, out: &mut Vec<Requirement>) {
    for (i, parameter) in operation.parameters.iter().enumerate() {
        let location = parameter.location;
        if location == ParameterLocation::Querystring {
            continue;
        }
        let is_key = location == ParameterLocation::Header && parameter.name.eq_ignore_ascii_case("Idempotency-Key");
        // Without it, a request may be one of another operation, where only what is behind `#` tells them apart.
        let is_shared = operation.path.contains('#');
        if parameter.required && location != ParameterLocation::Path && !parameter.may_be_nothing() && !is_shared {
            out.push(Requirement {
                id: format!("schema/{}-required", named(parameter)),
                level: Some(Level::Must),
                text: format!(
                    "The {} `{}` is required: a request without it is rejected.",
                    kind(location),
                    parameter.name
                ),
                source: format!("OpenAPI document, {}/required", parameter.pointer),
                origin: Origin::Derived(format!("{}/required", parameter.pointer)),
                form: Form::Parameter(i, Part::new(REQUIRED)),
            });
        }
        // HTTP itself says which other versions these may name, and that they then mean something else.
        let is_condition =
            location == ParameterLocation::Header && CONDITIONS.contains(&&*parameter.name.to_lowercase());
        // The cases say which idempotency keys a server accepts.
        if !is_key && !is_condition && parameter.media_type.is_none() {
            let from = out.len();
            parts(parameter, i, parameter.schema.json(), "", "", out);
            // A server may take the nearest limit that it has.
            if parameter.is_limit(&operation.parameters) {
                let own = out.split_off(from);
                out.extend(own.into_iter().filter(|r| !is_bound(r)));
            }
        }
    }
}

/// Whether it is about the bounds of a number.
fn is_bound(requirement: &Requirement) -> bool {
    matches!(&requirement.form, Form::Parameter(_, part) if BOUNDS.contains(&part.keyword()))
}

fn kind(location: ParameterLocation) -> &'static str {
    match location {
        ParameterLocation::Path => "path parameter",
        ParameterLocation::Query | ParameterLocation::Querystring => "query parameter",
        ParameterLocation::Header => "header",
        ParameterLocation::Cookie => "cookie",
    }
}

fn named(parameter: &Parameter) -> String {
    let name = match parameter.location {
        ParameterLocation::Header => parameter.name.to_lowercase(),
        _ => parameter.name.clone(),
    };
    format!("{}-{}", parameter.location.name(), slug(&name))
}

fn parts(parameter: &Parameter, i: usize, json: &Json, of: &str, place: &str, out: &mut Vec<Requirement>) {
    let location = parameter.location;
    for (keyword, owed) in KEYWORDS {
        if !ON_THE_WIRE.contains(keyword) || !is_testable(json, keyword) || is_cut(json, keyword) {
            continue;
        }
        if *keyword == "type" && !has_wrong_text(json) {
            continue;
        }
        // Servers bound the length of a request's first lines.
        if *keyword == "maxLength" && json[*keyword].as_u64().is_some_and(|most| most > LONGEST) {
            continue;
        }
        // Below a minimum of 1 there is only an empty text or list, which is no parameter at all.
        let nothing = ["minLength", "minItems"].contains(keyword) && json[*keyword].as_u64().is_none_or(|n| n < 2);
        if nothing {
            continue;
        }
        let word = if *keyword == "anyOf" && json["x-one-of"] == true { "oneOf" } else { keyword };
        let pointer = place_of(json, keyword);
        let level = if location == ParameterLocation::Path { level_of(json, keyword) } else { Level::Should };
        out.push(Requirement {
            id: format!("schema/{}{}-{}", named(parameter), slug(of), slug(word)),
            level: Some(level),
            text: format!("The {} `{}`{} {owed}.", kind(location), parameter.name, of.replace('-', ", ")),
            source: format!("OpenAPI document, {pointer}"),
            origin: Origin::Derived(pointer),
            form: Form::Parameter(i, Part::new(format!("{place}/{keyword}"))),
        });
    }
    if json["items"].is_object() {
        parts(parameter, i, &json["items"], &format!("{of}-item"), &format!("{place}/items"), out);
    }
}

/// Whether a value of another type is recognisable by its text: everything on the wire is text.
fn has_wrong_text(schema: &Json) -> bool {
    let types: Vec<&str> = match &schema["type"] {
        Json::String(one) => vec![one],
        Json::Array(several) => several.iter().filter_map(Json::as_str).collect(),
        _ => return false,
    };
    types.iter().all(|t| ["integer", "number", "boolean", "null"].contains(t))
}
