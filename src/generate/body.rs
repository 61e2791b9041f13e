//! Valid values of a schema, as strategies.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::BoxedStrategy;
use serde_json::{Value as Json, json};

use super::{instant, text};
use crate::contract::template::Template;

/// The type that a schema asks for; the first if it allows null beside it.
pub fn type_of(schema: &Json) -> &str {
    match &schema["type"] {
        Json::String(one) => one,
        Json::Array(several) => several.iter().filter_map(Json::as_str).find(|t| *t != "null").unwrap_or("null"),
        _ if schema.get("properties").is_some() => "object",
        _ => "",
    }
}

/// Values that keep the schema. Optional properties are there or not at random.
pub fn values(schema: &Json) -> BoxedStrategy<Template> {
    if let Some(values) = schema["enum"].as_array() {
        return select(values.clone()).prop_map(Template::Literal).boxed();
    }
    match type_of(schema) {
        "boolean" => any::<bool>().prop_map(|b| Template::Literal(json!(b))).boxed(),
        "integer" => integers(schema),
        "number" => numbers(schema),
        "string" if schema["format"] == "date-time" && schema.get("pattern").is_none() => instant::instants().boxed(),
        "string" => text::strings(schema).prop_map(|s| Template::Literal(json!(s))).boxed(),
        "array" => arrays(schema),
        "object" => objects(schema),
        _ => Just(Template::Literal(json!("anything"))).boxed(),
    }
}

/// The range of a number's schema, ends included; None where it is open.
pub fn integer_bounds(schema: &Json) -> (Option<i64>, Option<i64>) {
    let number = |key: &str| schema[key].as_f64();
    #[expect(clippy::cast_possible_truncation, reason = "bounds beyond 64 bits saturate")]
    let low = number("minimum")
        .map(|m| m.ceil() as i64)
        .into_iter()
        .chain(number("exclusiveMinimum").map(|m| m.floor() as i64 + 1))
        .max();
    #[expect(clippy::cast_possible_truncation, reason = "bounds beyond 64 bits saturate")]
    let high = number("maximum")
        .map(|m| m.floor() as i64)
        .into_iter()
        .chain(number("exclusiveMaximum").map(|m| m.ceil() as i64 - 1))
        .min();
    (low, high)
}

fn integers(schema: &Json) -> BoxedStrategy<Template> {
    let (low, high) = integer_bounds(schema);
    let step = schema["multipleOf"].as_i64().filter(|s| *s > 0).unwrap_or(1);
    let from = low.unwrap_or_else(|| high.map_or(0, |h| h.saturating_sub(2_000_000_000).min(0)));
    let to = high.unwrap_or_else(|| from.saturating_add(2_000_000_000));
    let (from, to) = (from.div_euclid(step) + i64::from(from.rem_euclid(step) > 0), to.div_euclid(step));
    if from > to {
        return Just(Template::Literal(json!(from * step))).boxed();
    }
    let near = from..=from.saturating_add(1000).min(to);
    // Round numbers are what people send, and what units divide.
    let round = (from..=to).prop_map(move |n| (n / 100 * 100).clamp(from, to));
    prop_oneof![near, from..=to, round].prop_map(move |n| Template::Literal(json!(n * step))).boxed()
}

fn numbers(schema: &Json) -> BoxedStrategy<Template> {
    let number = |key: &str| schema[key].as_f64();
    let low = number("minimum").or(number("exclusiveMinimum")).unwrap_or(0.0);
    let high = number("maximum").or(number("exclusiveMaximum")).unwrap_or(low + 1e6);
    (1_u32..1000)
        .prop_map(move |n| {
            let value = low + (high - low) * f64::from(n) / 1000.0;
            Template::Literal(json!(value))
        })
        .boxed()
}

fn arrays(schema: &Json) -> BoxedStrategy<Template> {
    let bound = |key: &str| schema[key].as_u64().and_then(|n| usize::try_from(n).ok());
    let least = bound("minItems").unwrap_or(0);
    let most = bound("maxItems").unwrap_or(least + 3).min(least + 5);
    let unique = schema["uniqueItems"] == true;
    proptest::collection::vec(values(&schema["items"]), least..=most)
        .prop_filter("items must differ", move |items| {
            let texts: std::collections::BTreeSet<String> = items.iter().map(|i| format!("{i:?}")).collect();
            !unique || texts.len() == items.len()
        })
        .prop_map(Template::List)
        .boxed()
}

fn objects(schema: &Json) -> BoxedStrategy<Template> {
    let (names, fields): (Vec<String>, Vec<BoxedStrategy<Template>>) = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, below)| (name.clone(), values(below)))
        .unzip();
    let required: Vec<bool> = names.iter().map(|n| is_required(schema, n)).collect();
    // Presence first: what is left out first is most of what shrinking can win.
    let presence: Vec<_> =
        required.iter().map(|r| if *r { Just(true).boxed() } else { any::<bool>().boxed() }).collect();
    (presence, fields)
        .prop_map(move |(present, values)| {
            Template::Object(
                names
                    .iter()
                    .cloned()
                    .zip(values)
                    .zip(present)
                    .filter_map(|(entry, present)| present.then_some(entry))
                    .collect(),
            )
        })
        .boxed()
}

/// Whether a property must be there.
pub fn is_required(schema: &Json, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|r| r.iter().any(|n| n == name))
}

/// Everything that one request draws: presence and value of each top-level field, and where in
/// each list of given values.
#[derive(Clone, Debug)]
pub struct Draw {
    /// Whether each property of the body is there, in the order of the schema.
    pub present: Vec<bool>,
    /// A value for each property, there or not.
    pub values: Vec<Template>,
    /// A place in each list of values that the contract gives.
    pub picks: Vec<Index>,
}

/// The strategy of a whole request. `presence` forces fields in or out where it says so.
pub fn draws(schema: Option<&Json>, presence: &[Option<bool>], lists: usize) -> BoxedStrategy<Draw> {
    let properties: Vec<(&String, &Json)> =
        schema.and_then(|s| s["properties"].as_object()).into_iter().flatten().collect();
    let present: Vec<BoxedStrategy<bool>> = properties
        .iter()
        .enumerate()
        .map(|(i, (name, _))| {
            if schema.is_some_and(|s| is_required(s, name)) {
                return Just(true).boxed();
            }
            match presence.get(i).copied().flatten() {
                Some(false) => Just(false).boxed(),
                // Shrinks to absent.
                Some(true) => prop::bool::weighted(1.0).boxed(),
                None => any::<bool>().boxed(),
            }
        })
        .collect();
    let fields: Vec<_> = properties.iter().map(|(_, below)| values(below)).collect();
    let picks = proptest::collection::vec(any::<Index>(), lists);
    (present, fields, picks).prop_map(|(present, values, picks)| Draw { present, values, picks }).boxed()
}
