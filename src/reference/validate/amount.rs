//! The two numbers: value, in cents, and probability, in percent.

use super::number::Whole;
use super::{PROBABILITY, VALUE};
use crate::reference::Variation;
use crate::reference::deviations::Deviations;
use crate::reference::faults::request as hook;
use crate::reference::refusal::{Failure, Refusal};
use serde_json::{Number, Value};

/// The largest integer up to which a float tells all integers apart.
const SAFE: i64 = 1 << 53;

pub(super) fn value(d: &Deviations, json: &Value) -> Result<Option<i64>, Failure> {
    let json = hook::value_read(d, json);
    let Some((_, whole)) = integer(d, VALUE, &json)? else { return Ok(None) };
    let Whole::Integer(cents) = whole else {
        return Err(Refusal::invalid(VALUE, "is beyond 64 bits").into());
    };
    hook::value(d, cents)?;
    if d.variation(Variation::NegativeValuesRefused) && cents < 0 {
        return Err(Refusal::invalid(VALUE, "is negative").into());
    }
    if d.variation(Variation::ValuesBeyondSafeRefused) && !(-SAFE..=SAFE).contains(&cents) {
        return Err(Refusal::invalid(VALUE, "is beyond 53 bits").into());
    }
    Ok(Some(cents))
}

pub(super) fn probability(d: &Deviations, json: &Value) -> Result<Option<i64>, Failure> {
    let json = hook::probability_read(d, json);
    let Some((number, whole)) = integer(d, PROBABILITY, &json)? else { return Ok(None) };
    match hook::probability_kept(d, number, whole) {
        Whole::Integer(percent) if hook::probability_bounds(d).contains(&percent) => {
            hook::probability(d, percent)?;
            Ok(Some(percent))
        }
        _ => Err(Refusal::invalid(PROBABILITY, "is not between 0 and 100").into()),
    }
}

fn integer<'a>(d: &Deviations, field: &'static str, json: &'a Value) -> Result<Option<(&'a Number, Whole)>, Refusal> {
    let number = match json {
        Value::Null => return Ok(None),
        Value::Number(number) => number,
        _ => return Err(Refusal::wrong_type(field, "an integer")),
    };
    let is_plain = || number.as_str().bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match Whole::read(number.as_str()) {
        None => Err(Refusal::wrong_type(field, "an integer")),
        Some(_) if d.variation(Variation::IntegralFloatsRefused) && !is_plain() => {
            Err(Refusal::wrong_type(field, "written as an integer"))
        }
        Some(whole) => Ok(Some((number, whole))),
    }
}
