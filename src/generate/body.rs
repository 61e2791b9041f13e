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
    if let Some(values) = schema["enum"].as_array().filter(|v| !v.is_empty()) {
        return select(values.clone()).prop_map(Template::Literal).boxed();
    }
    match type_of(schema) {
        "boolean" => any::<bool>().prop_map(|b| Template::Literal(json!(b))).boxed(),
        "integer" => integers(schema),
        "number" => numbers(schema),
        "string" if schema["format"] == "date-time" && schema.get("pattern").is_none() => instant::instants().boxed(),
        "string" if schema["format"] == "date" && schema.get("pattern").is_none() => instant::days().boxed(),
        "string" => text::strings(schema).prop_map(|s| Template::Literal(json!(s))).boxed(),
        "array" => arrays(schema),
        "object" => objects(schema),
        _ => Just(Template::Literal(json!("anything"))).boxed(),
    }
}

/// The range of a number's schema, ends included; None where it is open.
pub fn integer_bounds(schema: &Json) -> (Option<i64>, Option<i64>) {
    // Whole numbers as they stand: a double may be another.
    #[expect(clippy::cast_possible_truncation, reason = "bounds beyond 64 bits saturate")]
    let bound = |key: &str, round: fn(f64) -> f64, beside: i64| {
        let number = &schema[key];
        let whole = number.as_i64().or_else(|| number.as_f64().map(|n| round(n) as i64))?;
        // A fraction was rounded inwards by `round` in any case.
        let exact = number.as_f64().is_some_and(|n| n.fract() == 0.0);
        Some(if exact { whole.saturating_add(beside) } else { whole })
    };
    let low = bound("minimum", f64::ceil, 0).into_iter().chain(bound("exclusiveMinimum", f64::ceil, 1)).max();
    let high = bound("maximum", f64::floor, 0).into_iter().chain(bound("exclusiveMaximum", f64::floor, -1)).min();
    (low, high)
}

/// The smallest whole number that is a multiple of the schema's step.
fn whole_step(schema: &Json) -> i64 {
    let Some(step) = schema["multipleOf"].as_f64().filter(|s| *s > 0.0) else {
        return 1;
    };
    #[expect(clippy::cast_possible_truncation, reason = "only where it is whole and not too large")]
    let whole =
        (1_u32..=10_000).map(|n| step * f64::from(n)).find(|n| n.fract() == 0.0 && *n < 1e15).map_or(1, |n| n as i64);
    whole
}

fn integers(schema: &Json) -> BoxedStrategy<Template> {
    let (low, high) = integer_bounds(schema);
    let step = whole_step(schema);
    let from = low.unwrap_or_else(|| high.map_or(0, |h| h.saturating_sub(2_000_000_000).min(0)));
    let to = high.unwrap_or_else(|| from.saturating_add(2_000_000_000));
    let (from, to) = (from.div_euclid(step) + i64::from(from.rem_euclid(step) > 0), to.div_euclid(step));
    if from > to {
        return Just(Template::Literal(json!(from.saturating_mul(step)))).boxed();
    }
    let near = from..=from.saturating_add(1000).min(to);
    // Round numbers are what people send, and what units divide.
    let round = (from..=to).prop_map(move |n| (n / 100 * 100).clamp(from, to));
    prop_oneof![near, from..=to, round].prop_map(move |n| Template::Literal(json!(n * step))).boxed()
}

/// A multiple of a step, without the noise of binary fractions: 7 times 0.01 is 0.07.
pub fn multiple(step: f64, times: f64) -> f64 {
    let digits = step.to_string().split_once('.').map_or(0, |(_, digits)| digits.len());
    format!("{:.digits$}", times * step).parse().unwrap_or(times * step)
}

fn numbers(schema: &Json) -> BoxedStrategy<Template> {
    let number = |key: &str| schema[key].as_f64();
    let least = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).reduce(f64::min);
    let most = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).reduce(f64::max);
    let low = most(number("minimum"), number("exclusiveMinimum"));
    let high = least(number("maximum"), number("exclusiveMaximum"));
    let from = low.unwrap_or_else(|| high.map_or(0.0, |h| (h - 1e6).min(0.0)));
    let to = high.unwrap_or(from + 1e6);
    let step = number("multipleOf").filter(|s| *s > 0.0);
    (1_u32..1000)
        .prop_map(move |n| {
            let between = from + (to - from) * f64::from(n) / 1000.0;
            let value = match step {
                Some(step) => {
                    // The multiple below may lie below the range.
                    let below = multiple(step, (between / step).floor());
                    if below > from { below } else { multiple(step, (between / step).ceil()) }
                }
                None => between,
            };
            Template::Literal(json!(value))
        })
        .boxed()
}

/// No list that is sent is longer than this, whatever a schema asks for.
pub const MOST_ITEMS: usize = 1000;

/// A schema's bounds of a list's length, as far as lists of such lengths can be sent.
pub fn item_bounds(schema: &Json) -> (Option<usize>, Option<usize>) {
    let bound = |key: &str| schema[key].as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n <= MOST_ITEMS);
    (bound("minItems"), bound("maxItems"))
}

fn arrays(schema: &Json) -> BoxedStrategy<Template> {
    let (least, most) = item_bounds(schema);
    let least = least.unwrap_or(0);
    let most = most.unwrap_or(least + 3).min(least + 5).max(least);
    if schema["uniqueItems"] != true {
        return proptest::collection::vec(values(&schema["items"]), least..=most).prop_map(Template::List).boxed();
    }
    if let Some(values) = schema["items"]["enum"].as_array() {
        let few = least.min(values.len())..=most.min(values.len());
        let some = proptest::sample::subsequence(values.clone(), few).prop_shuffle();
        return some.prop_map(|v| Template::List(v.into_iter().map(Template::Literal).collect())).boxed();
    }
    // What comes twice is left out. More are drawn than are due, so that few lists become too short.
    proptest::collection::vec(values(&schema["items"]), least..=most + least.min(20))
        .prop_map(move |items| {
            let mut seen = std::collections::BTreeSet::new();
            let different = items.into_iter().filter(|i| seen.insert(format!("{i:?}")));
            different.take(most).collect::<Vec<_>>()
        })
        .prop_filter("too few different items", move |items| items.len() >= least)
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
