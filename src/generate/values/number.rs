//! Numbers.

use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use serde_json::{Value as Json, json};

use crate::contract::template::Template;

/// Ranges of integer formats in OpenAPI's registry that are no bounds by themselves: values within them are certain to
/// be valid.
const NARROW: &[(&str, i64, i64)] = &[
    ("int8", -128, 127),
    ("uint8", 0, 255),
    ("int16", -32_768, 32_767),
    ("uint16", 0, 65_535),
    ("uint32", 0, 4_294_967_295),
    ("uint64", 0, i64::MAX),
    ("double-int", -9_007_199_254_740_991, 9_007_199_254_740_991),
];

/// The range of certainly valid values of a number's format, if the format is no bound.
pub fn narrow(format: &str) -> Option<(i64, i64)> {
    NARROW.iter().find(|(name, ..)| *name == format).map(|(_, low, high)| (*low, *high))
}

/// The range of a number's schema, including its ends; None where it is open.
pub fn integer_bounds(schema: &Json) -> (Option<i64>, Option<i64>) {
    // Whole numbers are taken as written: a double may be a different number.
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

pub(super) fn integers(schema: &Json) -> BoxedStrategy<Template> {
    let (mut low, mut high) = integer_bounds(schema);
    if let Some((least, most)) = schema["format"].as_str().and_then(narrow) {
        low = Some(low.map_or(least, |l| l.max(least)));
        high = Some(high.map_or(most, |h| h.min(most)));
    }
    let step = whole_step(schema);
    let from = low.unwrap_or_else(|| high.map_or(0, |h| h.saturating_sub(2_000_000_000).min(0)));
    let to = high.unwrap_or_else(|| from.saturating_add(2_000_000_000));
    let (from, to) = (from.div_euclid(step) + i64::from(from.rem_euclid(step) > 0), to.div_euclid(step));
    if from > to {
        return Just(Template::Literal(json!(from.saturating_mul(step)))).boxed();
    }
    let near = from..=from.saturating_add(1000).min(to);
    // People send round numbers, and units divide them.
    let round = (from..=to).prop_map(move |n| (n / 100 * 100).clamp(from, to));
    prop_oneof![near, from..=to, round].prop_map(move |n| Template::Literal(json!(n * step))).boxed()
}

/// A multiple of a step, without the noise of binary fractions: 7 times 0.01 is 0.07.
pub fn multiple(step: f64, times: f64) -> f64 {
    let digits = step.to_string().split_once('.').map_or(0, |(_, digits)| digits.len());
    format!("{:.digits$}", times * step).parse().unwrap_or(times * step)
}

pub(super) fn numbers(schema: &Json) -> BoxedStrategy<Template> {
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
                    // The next lower multiple may be below the range.
                    let below = multiple(step, (between / step).floor());
                    if below > from { below } else { multiple(step, (between / step).ceil()) }
                }
                None => between,
            };
            Template::Literal(json!(value))
        })
        .boxed()
}
