//! Values of another type, and values that are not listed.

use serde_json::{Value as Json, json};

use super::{Collector, simplest};
use crate::contract::template::Template;
use crate::generate::values::{alternatives, type_of, types};

/// Marks a schema for which the document leaves it open whether null is allowed.
pub(super) const NULLABLE: &str = "x-nullable";

pub(super) fn allows(schema: &Json, name: &str) -> bool {
    let types = types(schema);
    types.is_empty() || types.contains(&name)
}

pub(super) fn wrong_types(schema: &Json, c: &mut Collector<'_>) {
    let kind = type_of(schema).to_owned();
    let text = kind == "string";
    // A careless server takes 0 and false for a missing text, so these are the wrong values for a text.
    let number = if text { json!(0) } else { json!(12) };
    let boolean = json!(false);
    let candidates: &[(&str, &str, Json)] = &[
        ("string", "a string", json!("abc")),
        ("string", "a number in a string", json!("12")),
        ("number", "a fraction", json!(1.5)),
        ("integer", "a number", number),
        ("boolean", "a boolean", boolean),
        ("object", "an object", json!({})),
        ("null", "null", json!(null)),
    ];
    for (name, label, value) in candidates {
        let fits = allows(schema, name)
            || (*name == "integer" && allows(schema, "number"))
            || (*name == "null" && schema[NULLABLE] == json!(true))
            // Strings that look like numbers are tempting only where numbers are expected.
            || (*label == "a number in a string" && !["integer", "number"].contains(&kind.as_str()))
            || (*name == "number" && !["integer", "string"].contains(&kind.as_str()));
        if !fits {
            c.set("type", *label, value.clone());
        }
    }
    if !allows(schema, "array") {
        // Some readers accept a list of one item for the item.
        c.put("type", "a list of one", vec![Template::List(vec![simplest(schema)])]);
    }
}

pub(super) fn unlisted(schema: &Json, c: &mut Collector<'_>) {
    if let Some(values) = schema["enum"].as_array() {
        match values.iter().find(|v| !v.is_null()) {
            Some(Json::String(first)) => {
                c.set("enum", "a value that is not listed", json!(format!("{first}-x")));
            }
            Some(Json::Number(_)) => c.set("enum", "a value that is not listed", json!(987_654_321)),
            Some(Json::Bool(listed)) if !values.contains(&json!(!listed)) => {
                c.set("enum", "the value that is not listed", json!(!listed));
            }
            _ => {}
        }
    }
    // If there are alternatives, the constant selects one.
    if let Some(constant) = schema.get("const").filter(|_| alternatives(schema).is_empty()) {
        let other = match constant {
            Json::String(text) => json!(format!("{text}-x")),
            Json::Bool(value) => json!(!value),
            Json::Number(_) => json!(987_654_321),
            _ => return,
        };
        c.set("const", "another value", other);
    }
}
