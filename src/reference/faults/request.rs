//! Hooks of the checks of name, value, probability and ids.

use super::Fault;
use crate::reference::asked::{CLOSE_DATE, NAME, OWNER, PIPELINE, PROBABILITY, STAGE, VALUE};
use crate::reference::deviations::Deviations;
use crate::reference::refusal::{Break, Failure, Reason, Refusal};
use crate::reference::validate::number::Whole;
use serde_json::{Map, Number, Value, json};
use std::borrow::Cow;
use std::ops::RangeInclusive;

/// Before all checks: what is refused for what is there and what is not.
pub(in crate::reference) fn presence(d: &Deviations, object: &Map<String, Value>) -> Result<(), Failure> {
    let has = |field: &str| object.contains_key(field);
    let lacking = [
        (Fault::ValueRequired, VALUE, true),
        (Fault::ProbabilityRequired, PROBABILITY, true),
        (Fault::CloseDateRequired, CLOSE_DATE, true),
        (Fault::PipelineRequired, PIPELINE, true),
        (Fault::StageRequired, STAGE, true),
        (Fault::OwnerRequired, OWNER, true),
        (Fault::ProbabilityRequiredWithValue, PROBABILITY, has(VALUE)),
        (Fault::StageRequiredWithPipeline, STAGE, has(PIPELINE)),
    ];
    if let Some((_, field, _)) = lacking.iter().find(|(fault, field, due)| *due && d.fault(*fault) && !has(field)) {
        return Err(Refusal::missing(field).into());
    }
    if d.fault(Fault::ValueDateAndOwnerRefused) && has(VALUE) && has(CLOSE_DATE) && has(OWNER) {
        return Err(Refusal::invalid(OWNER, "does not go with a value and a close date").into());
    }
    Ok(())
}

/// Around the check of an optional property.
pub(in crate::reference) fn optional<T>(
    d: &Deviations,
    json: Option<&Value>,
    check: impl FnOnce(&Value) -> Result<Option<T>, Failure>,
) -> Result<Option<T>, Failure> {
    match json.map(check) {
        None => Ok(None),
        Some(Err(Failure::Refused(_))) if d.fault(Fault::OptionalInvalidDropped) => Ok(None),
        Some(Err(Failure::Refused(refusal)))
            if refusal.reason == Reason::WrongType && d.fault(Fault::OptionalWrongTypeBreaks) =>
        {
            Err(Break::Error.into())
        }
        Some(checked) => checked,
    }
}

/// The name of a body that has none, or one that is no string.
pub(in crate::reference) fn no_name(d: &Deviations, json: Option<&Value>) -> Option<String> {
    let Some(json) = json else { return d.fault(Fault::NameMissingAccepted).then(String::new) };
    match json {
        Value::Null => d.fault(Fault::NameNullAccepted).then(String::new),
        Value::Number(number) => d.fault(Fault::NameNumberCoerced).then(|| number.to_string()),
        Value::Bool(truth) => d.fault(Fault::NameBooleanCoerced).then(|| truth.to_string()),
        structure => d.fault(Fault::NameStructureCoerced).then(|| structure.to_string()),
    }
}

/// What a name is refused for.
pub(in crate::reference) fn name(d: &Deviations, name: &str) -> Result<(), Failure> {
    if d.fault(Fault::NameQuoteBreaks) && name.contains('\'')
        || d.fault(Fault::NameAstralBreaks) && name.contains(|c| c > '\u{ffff}')
    {
        return Err(Break::Error.into());
    }
    let refused = d.fault(Fault::NameOver64Refused) && name.chars().count() > 64
        || d.fault(Fault::NameNonAsciiRefused) && !name.is_ascii()
        || d.fault(Fault::NameMarkupRefused) && name.contains(['<', '>']);
    if refused { Err(Refusal::invalid(NAME, "is not allowed").into()) } else { Ok(()) }
}

/// The value as it is read.
pub(in crate::reference) fn value_read<'a>(d: &Deviations, json: &'a Value) -> Cow<'a, Value> {
    match json {
        Value::String(text) if d.fault(Fault::ValueTextCoerced) => digits(json, text),
        Value::Bool(truth) if d.fault(Fault::ValueBooleanCoerced) => Cow::Owned(json!(i64::from(*truth))),
        Value::Array(_) | Value::Object(_) if d.fault(Fault::ValueStructureIgnored) => Cow::Owned(Value::Null),
        Value::Number(number) if d.fault(Fault::ValueFractionCut) => adjusted(json, number, f64::trunc),
        _ => Cow::Borrowed(json),
    }
}

/// What a value is refused for.
pub(in crate::reference) fn value(d: &Deviations, cents: i64) -> Result<(), Failure> {
    let is_small = i32::try_from(cents).is_ok();
    if d.fault(Fault::ValueBeyond32BitBreaks) && !is_small {
        return Err(Break::Error.into());
    }
    let refused = d.fault(Fault::ValueZeroRefused) && cents == 0
        || d.fault(Fault::ValueBeyond32BitRefused) && !is_small
        || d.fault(Fault::ValueBeyondTrillionRefused) && cents.unsigned_abs() >= 1_000_000_000_000
        || d.fault(Fault::ValueCentsRefused) && cents % 100 != 0;
    if refused { Err(Refusal::invalid(VALUE, "is out of range").into()) } else { Ok(()) }
}

/// The probability as it is read.
pub(in crate::reference) fn probability_read<'a>(d: &Deviations, json: &'a Value) -> Cow<'a, Value> {
    match json {
        Value::String(text) if d.fault(Fault::ProbabilityTextCoerced) => digits(json, text),
        Value::Bool(truth) if d.fault(Fault::ProbabilityBooleanCoerced) => Cow::Owned(json!(i64::from(*truth))),
        Value::Array(_) | Value::Object(_) if d.fault(Fault::ProbabilityStructureIgnored) => Cow::Owned(Value::Null),
        Value::Number(number) if d.fault(Fault::ProbabilityFractionRounded) => adjusted(json, number, f64::round),
        _ => Cow::Borrowed(json),
    }
}

/// The probability as it is kept, before its bounds are checked.
pub(in crate::reference) fn probability_kept(d: &Deviations, number: &Number, whole: Whole) -> Whole {
    match whole {
        Whole::Integer(n) if d.fault(Fault::ProbabilityClamped) => Whole::Integer(n.clamp(0, 100)),
        Whole::Integer(n) if d.fault(Fault::ProbabilityMinusDropped) => Whole::Integer(n.saturating_abs()),
        Whole::Integer(n) if d.fault(Fault::ProbabilityWrapsAt256) => Whole::Integer(n & 0xff),
        Whole::Large { negative } if d.fault(Fault::ProbabilityClamped) => {
            Whole::Integer(if negative { 0 } else { 100 })
        }
        Whole::Large { .. } if d.fault(Fault::ProbabilityHugeWraps) => lower_bits(number).map_or(whole, Whole::Integer),
        Whole::Large { negative: false } if d.fault(Fault::ProbabilityInfinityClamped) => {
            let is_infinite = number.as_str().parse::<f64>().is_ok_and(f64::is_infinite);
            if is_infinite { Whole::Integer(100) } else { whole }
        }
        _ => whole,
    }
}

fn lower_bits(number: &Number) -> Option<i64> {
    let wide: i128 = number.as_str().parse().ok()?;
    i64::try_from(wide & i128::from(u32::MAX)).ok()
}

pub(in crate::reference) fn probability_bounds(d: &Deviations) -> RangeInclusive<i64> {
    if d.fault(Fault::ProbabilityUnchecked) {
        return i64::MIN..=i64::MAX;
    }
    let lowest =
        if d.fault(Fault::ProbabilityMinus1Accepted) { -1 } else { i64::from(d.fault(Fault::ProbabilityZeroRefused)) };
    let highest = if d.fault(Fault::Probability101Accepted) {
        101
    } else {
        100 - i64::from(d.fault(Fault::Probability100Refused))
    };
    lowest..=highest
}

/// What a probability within its bounds is refused for.
pub(in crate::reference) fn probability(d: &Deviations, percent: i64) -> Result<(), Failure> {
    if d.fault(Fault::ProbabilityStepsOfFive) && percent % 5 != 0 {
        return Err(Refusal::invalid(PROBABILITY, "is not a multiple of 5").into());
    }
    Ok(())
}

pub(in crate::reference) fn id_ignored(d: &Deviations) -> bool {
    d.fault(Fault::IdWrongTypeIgnored)
}

fn digits<'a>(json: &'a Value, text: &str) -> Cow<'a, Value> {
    text.trim().parse::<i64>().map_or(Cow::Borrowed(json), |number| Cow::Owned(json!(number)))
}

fn adjusted<'a>(json: &'a Value, number: &Number, adjust: fn(f64) -> f64) -> Cow<'a, Value> {
    match number.as_f64() {
        Some(float) if float.fract() != 0.0 => Cow::Owned(json!(adjust(float))),
        _ => Cow::Borrowed(json),
    }
}
