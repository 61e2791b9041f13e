//! Strategies for values that match a schema.
//!
//! A schema is normalised JSON Schema 2020-12: references followed, `allOf` merged, alternatives in an `anyOf` of which each
//! member is complete. Where no exact strategy can be built, values are drawn and checked.
//!
//! - [`number`], [`list`], [`object`]: values of these types
//! - [`check`]: whether a drawn value matches the keywords that no strategy was built for

pub mod check;
pub mod list;
pub mod number;
pub mod object;
mod optional;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Union};
use serde_json::{Value as Json, json};

use super::memo::Memo;
use super::{instant, string};
use crate::contract::template::Template;

/// The types that a schema allows, including null; empty if it allows all.
pub fn types(schema: &Json) -> Vec<&str> {
    match &schema["type"] {
        Json::String(one) => vec![one],
        Json::Array(several) => several.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The type that a schema requires; the first if it allows several; the one that its keywords are about if it allows
/// all.
pub fn type_of(schema: &Json) -> &str {
    let types = types(schema);
    if let Some(first) = types.iter().find(|t| **t != "null").or(types.first()) {
        return first;
    }
    const SIGNS: &[(&str, &[&str])] = &[
        (
            "object",
            &["properties", "required", "additionalProperties", "patternProperties", "minProperties", "propertyNames"],
        ),
        ("array", &["items", "prefixItems", "minItems", "contains", "uniqueItems"]),
        ("string", &["pattern", "minLength", "maxLength"]),
        ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    ];
    let has = |keys: &[&str]| keys.iter().any(|key| schema.get(*key).is_some());
    SIGNS.iter().find(|(_, keys)| has(keys)).map_or("", |(name, _)| name)
}

/// The alternatives of a schema, each complete; empty if it has none.
pub fn alternatives(schema: &Json) -> &[Json] {
    schema["anyOf"].as_array().map_or(&[], Vec::as_slice)
}

/// Values that match the schema. Optional properties are present at random.
pub fn values(schema: &Json) -> BoxedStrategy<Template> {
    let unchecked = unchecked(schema);
    match check::needed(schema) {
        Some(check) => {
            unchecked.prop_filter("no value was found that keeps all of it", move |v| check.keeps(v)).boxed()
        }
        None => unchecked,
    }
}

/// The strategy of a fixed value.
fn literal(value: Json) -> BoxedStrategy<Template> {
    Just(Template::Literal(value)).boxed()
}

/// The strategy that yields nothing.
fn nothing() -> BoxedStrategy<Template> {
    literal(Json::Null).prop_filter("no value keeps it", |_| false).boxed()
}

fn unchecked(schema: &Json) -> BoxedStrategy<Template> {
    if schema == &json!(false) {
        return nothing();
    }
    if let Some(value) = schema.get("const") {
        return literal(value.clone());
    }
    if let Some(listed) = schema["enum"].as_array().filter(|v| !v.is_empty()) {
        return select(listed_values(schema, listed)).prop_map(Template::Literal).boxed();
    }
    let alternatives = alternatives(schema);
    if !alternatives.is_empty() {
        // A plain null shows least; it is tried at the edges.
        let (null, other): (Vec<&Json>, Vec<&Json>) = alternatives.iter().partition(|a| a["type"] == "null");
        return Union::new(if other.is_empty() { null } else { other }.into_iter().map(values)).boxed();
    }
    let several: Vec<&str> = types(schema).into_iter().filter(|t| *t != "null").collect();
    if several.len() > 1 {
        let whole = several.contains(&"number");
        let each = several.into_iter().filter(|t| !(whole && *t == "integer")).map(|t| unchecked(&of_type(schema, t)));
        return Union::new(each).boxed();
    }
    match type_of(schema) {
        "boolean" => any::<bool>().prop_map(|b| Template::Literal(json!(b))).boxed(),
        "integer" => number::integers(schema),
        "number" => number::numbers(schema),
        "string" if schema["format"] == "date-time" && schema.get("pattern").is_none() => instant::instants().boxed(),
        "string" if schema["format"] == "date" && schema.get("pattern").is_none() => instant::days().boxed(),
        "string" => string::templates(schema),
        "array" => list::lists(schema),
        "object" => object::objects(schema, &|_| None),
        "null" => literal(Json::Null),
        _ => literal(json!("anything")),
    }
}

/// The listed values that the rest of the schema allows, or all if it allows none.
fn listed_values(schema: &Json, listed: &[Json]) -> Vec<Json> {
    let more = schema.as_object().is_some_and(|map| {
        map.keys()
            .any(|key| !["enum", "type", "format", "description"].contains(&key.as_str()) && !key.starts_with("x-"))
    });
    // Null is tried at the edges.
    let plain = |v: &&Json| !v.is_null() || listed.len() == 1;
    let kept: Vec<Json> = match more.then(|| check::Check::new(schema)).flatten() {
        Some(check) => listed.iter().filter(|v| check.allows(v)).filter(plain).cloned().collect(),
        None => listed.iter().filter(plain).cloned().collect(),
    };
    if kept.is_empty() { listed.to_vec() } else { kept }
}

/// The schema for values of one of its types.
fn of_type(schema: &Json, name: &str) -> Json {
    let mut one = schema.clone();
    one["type"] = json!(name);
    one
}

/// The plainest object of a schema that asks for no more than some properties, or the empty list where that will do: what
/// drawing and simplifying yields, without a strategy for all that a large schema allows.
fn plain_compound(schema: &Json) -> Option<Template> {
    let keys = schema.as_object()?.keys();
    if schema["type"] == "array" {
        let plain = ["type", "items", "maxItems", "uniqueItems", "description", "title", "default", "examples"];
        let is_plain = |key: &String| plain.contains(&key.as_str()) || key.starts_with("x-");
        return keys.into_iter().all(is_plain).then(|| Template::List(Vec::new()));
    }
    let plain =
        ["type", "properties", "required", "additionalProperties", "description", "title", "default", "examples"];
    let is_plain = |key: &String| plain.contains(&key.as_str()) || key.starts_with("x-");
    if schema["type"] != "object" || !keys.into_iter().all(is_plain) || check::needed(schema).is_some() {
        return None;
    }
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str);
    let mut entries: Vec<(String, Template)> = Vec::new();
    // In the order of the document.
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        if object::is_required(schema, name) {
            entries.push((name.clone(), simplest(below)));
        }
    }
    for name in required {
        if !entries.iter().any(|(known, _)| known == name) {
            entries.push((name.to_owned(), simplest(&object::unnamed(schema, name))));
        }
    }
    Some(Template::Object(entries))
}

thread_local! {
    static SIMPLEST: Memo<Template> = Memo::default();
}

/// The plainest value that matches a schema.
pub fn simplest(schema: &Json) -> Template {
    plain_compound(schema).unwrap_or_else(|| SIMPLEST.with(|all| all.of(schema, || simplified(schema))))
}

/// What drawing and simplifying yields.
fn simplified(schema: &Json) -> Template {
    use proptest::strategy::ValueTree;
    let mut runner = super::seed::Seed(0).runner("simplest", 0);
    match values(schema).new_tree(&mut runner) {
        Ok(mut tree) => {
            for _ in 0..10_000 {
                if !tree.simplify() {
                    break;
                }
            }
            tree.current()
        }
        Err(_) => Template::Literal(Json::Null),
    }
}

#[cfg(test)]
mod tests;
