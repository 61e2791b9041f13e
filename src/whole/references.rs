//! The parts of a body that name other records.

use serde_json::Value as Json;

use crate::document::parameter::plain;
use crate::yaml::escape;

/// A part of a body that names another record.
pub(super) struct Reference<'a> {
    /// Its JSON Pointer.
    pub at: String,
    /// The name of the field.
    pub field: &'a str,
    /// What the document says of it.
    pub schema: &'a Json,
    /// What it names.
    pub to: To,
    /// Whether each body has it.
    pub is_required: bool,
}

/// How a part of a body names another record.
pub(super) enum To {
    /// By a field that is called as its id is: `customer_id`.
    Named(String),
    /// By a field that is called as it is: `customer`.
    Thing(String),
    /// By its id in an object that says of which kind it is: `{"customer": {"id": …}}`, `{"type": "customers", "id": …}`.
    Kind(String),
}

/// The parts of a body that name other records.
pub(super) fn references(schema: &Json) -> Vec<Reference<'_>> {
    let mut all = Vec::new();
    within(schema, "", "", true, &mut all);
    all
}

/// The same within the object at a place; `holder` is what it is called.
fn within<'a>(schema: &'a Json, at: &str, holder: &str, is_required: bool, out: &mut Vec<Reference<'a>>) {
    // Deeper than that, bodies hold themselves.
    const DEEPEST: usize = 6;
    for (field, below) in schema["properties"].as_object().into_iter().flatten() {
        let pointer = format!("{at}/{}", escape(field));
        let is_required =
            is_required && schema["required"].as_array().is_some_and(|all| all.iter().any(|name| name == field));
        let is_plain = ["integer", "string"].iter().any(|t| below["type"] == *t);
        let to = match named(field) {
            Some(thing) => Some(To::Named(thing)),
            // The comment of a comment is a text.
            None if at.is_empty() && is_plain => Some(To::Thing(plain(field))),
            None if ["id", "uuid"].contains(&field.as_str()) => kind(schema, holder).map(To::Kind),
            None => None,
        };
        out.extend(to.map(|to| Reference { at: pointer.clone(), field, schema: below, to, is_required }));
        if below["properties"].is_object() && pointer.matches('/').count() < DEEPEST {
            within(below, &pointer, if field == "data" { holder } else { field }, is_required, out);
        }
    }
}

/// Of which kind the record is that an object names by its id: its only `type`, or what the object is called, if it is
/// about little else.
fn kind(schema: &Json, holder: &str) -> Option<String> {
    let own = &schema["properties"]["type"];
    let listed = own["enum"].as_array().filter(|all| all.len() == 1).and_then(|all| all[0].as_str());
    let by_type = own["const"].as_str().or(listed).map(plain);
    let is_required = || schema["required"].as_array().is_some_and(|all| all.iter().any(|n| n == "id" || n == "uuid"));
    by_type.or_else(|| Some(plain(holder)).filter(|holder| !holder.is_empty() && is_required()))
}

/// Whether a schema takes values of the type of an id.
pub(super) fn has_type(schema: &Json, value: &Json) -> bool {
    let kind = if value.is_string() { "string" } else { "integer" };
    schema["type"].is_null() || schema["type"].to_string().contains(kind)
}

/// What a field names that ends with `id`: `customer_id` and `customerId` name a `customer`.
pub fn named(field: &str) -> Option<String> {
    let plain = plain(field);
    plain.strip_suffix("id").filter(|thing| thing.len() > 2).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_lead_to_what_they_name() {
        assert_eq!(named("customer_id").as_deref(), Some("customer"));
        assert_eq!(named("customerId").as_deref(), Some("customer"));
        for none in ["id", "paid", "name", "grid"] {
            assert_eq!(named(none), None, "{none}");
        }
    }

    #[test]
    fn references_are_found_wherever_they_are() {
        let id = json!({ "type": "string" });
        let linked = |kind: &str| json!({ "properties": { "type": { "enum": [kind] }, "id": id }, "required": ["id"] });
        let body = json!({
            "required": ["customer_id", "data"],
            "properties": {
                "customer_id": id,
                "title": id,
                "owner": { "properties": { "id": id }, "required": ["id"] },
                "size": { "properties": { "id": id, "width": {} } },
                "data": { "properties": {
                    "type": { "const": "events" },
                    "id": id,
                    "relationships": { "properties": { "venue": { "properties": { "data": linked("venues") } } } },
                } },
            },
        });
        let shown = |r: &Reference<'_>| match &r.to {
            To::Named(thing) => format!("{} named {thing}", r.at),
            To::Thing(thing) => format!("{} thing {thing}", r.at),
            To::Kind(kind) => format!("{} kind {kind}", r.at),
        };
        let all = references(&body);
        let mut found: Vec<String> = all.iter().map(shown).collect();
        found.sort();
        assert_eq!(
            found,
            [
                "/customer_id named customer",
                "/data/id kind events",
                "/data/relationships/venue/data/id kind venues",
                "/owner/id kind owner",
                "/title thing title",
            ]
        );
        let required: Vec<&str> = all.iter().filter(|r| r.is_required).map(|r| r.at.as_str()).collect();
        assert_eq!(required, ["/customer_id"]);
    }
}
