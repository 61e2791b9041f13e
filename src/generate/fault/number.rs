//! Numbers out of bounds and between steps.

use serde_json::{Value as Json, json};

use super::Collector;
use crate::generate::values::number::{integer_bounds, multiple};
use crate::generate::values::type_of;

pub(super) fn beyond(schema: &Json, c: &mut Collector<'_>) {
    let integral = type_of(schema) == "integer";
    let (low, high) = integer_bounds(schema);
    let (low, high) = (low.map(i128::from), high.map(i128::from));
    for (keyword, bound, sign) in
        [("minimum", low, -1), ("exclusiveMinimum", low, -1), ("maximum", high, 1), ("exclusiveMaximum", high, 1)]
    {
        let (Some(bound), Some(exact)) = (bound, schema[keyword].as_f64()) else {
            continue;
        };
        if integral {
            let beyond = bound + sign;
            c.set(keyword, format!("{beyond}, just beyond"), whole(beyond));
            // Beyond 64 bits, the value just beyond is far enough.
            let far = bound + sign * 1_000_000;
            if i64::try_from(far).is_ok() {
                c.set(keyword, format!("{far}, far beyond"), whole(far));
            }
        } else {
            let step = schema["multipleOf"].as_f64().filter(|s| *s > 0.0).unwrap_or(1.0);
            let sign = if sign < 0 { -1.0 } else { 1.0 };
            let beyond = if keyword.starts_with("exclusive") { exact } else { exact + sign * step };
            c.set(keyword, "beyond", json!(beyond));
        }
    }
    if let Some(step) = schema["multipleOf"].as_f64().filter(|s| *s > 0.0) {
        #[expect(clippy::cast_precision_loss, reason = "bounds of a schema are small")]
        let first = (low.unwrap_or(0) as f64 / step).ceil();
        #[expect(clippy::cast_possible_truncation, reason = "bounds of a schema are small")]
        let value = match integral {
            true => (multiple(step, first) + (step / 2.0).ceil()) as i128,
            false => 0,
        };
        if !integral {
            c.set("multipleOf", "between two steps", json!(multiple(step / 10.0, first * 10.0 + 5.0)));
        } else if step != 1.0 {
            c.set("multipleOf", "between two steps", whole(value));
        }
    }
    // A value that a narrow column would wrap around into the range.
    if let (true, Some(low), Some(high)) = (integral, low, high) {
        for bits in [8_u32, 16, 32] {
            let wrapped = high - (high - low) / 2 + (1_i128 << bits);
            if wrapped > high && schema.get("maximum").is_some() {
                c.set("maximum", format!("{wrapped}, which wraps into the range in {bits} bits"), whole(wrapped));
            }
        }
    }
}

/// A whole number of any size.
fn whole(number: i128) -> Json {
    serde_json::from_str(&number.to_string()).unwrap_or(Json::Null)
}
