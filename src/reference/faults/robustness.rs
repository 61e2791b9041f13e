//! Hooks of the way from bytes to an object.

use super::Fault;
use crate::exchange::json_text::without_lone_surrogates;
use crate::reference::asked::PROPERTIES;
use crate::reference::deviations::Deviations;
use crate::reference::json_text;
use crate::reference::refusal::{Break, Failure, Reason, Refusal};
use axum::http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

/// One fault that breaks down in its way, if what it is about is there.
fn breaks(d: &Deviations, cases: &[(Fault, Break, &dyn Fn() -> bool)]) -> Result<(), Failure> {
    match cases.iter().find(|(fault, _, is_there)| d.fault(*fault) && is_there()) {
        Some((_, broken, _)) => Err((*broken).into()),
        None => Ok(()),
    }
}

/// What the declared media type does.
pub(in crate::reference) fn declared(
    d: &Deviations,
    media_type: Option<&HeaderValue>,
    is_json: bool,
) -> Result<(), Failure> {
    let text = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    if d.fault(Fault::CharsetRefused) && text.contains("charset")
        || d.fault(Fault::MediaTypeInCapitalsRefused) && text.contains(|c: char| c.is_ascii_uppercase())
    {
        let detail = format!("the body is to be declared as application/json, not as {text}");
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Reason::MediaType, detail).into());
    }
    breaks(
        d,
        &[
            (Fault::ContentTypeMissingBreaks, Break::Error, &|| media_type.is_none()),
            (Fault::ContentTypeWrongBreaks, Break::Error, &|| media_type.is_some() && !is_json),
        ],
    )
}

/// What the bytes do, before they are parsed.
pub(in crate::reference) fn received(d: &Deviations, body: &[u8]) -> Result<(), Failure> {
    breaks(
        d,
        &[
            (Fault::EmptyBodyBreaks, Break::Error, &|| body.trim_ascii().is_empty()),
            (Fault::EmptyBodyHangs, Break::Hang, &|| body.trim_ascii().is_empty()),
            (Fault::InvalidUtf8Breaks, Break::Error, &|| std::str::from_utf8(body).is_err()),
            (Fault::InvalidUtf8Drops, Break::Sever, &|| std::str::from_utf8(body).is_err()),
            (Fault::ByteOrderMarkBreaks, Break::Error, &|| body.starts_with(json_text::BYTE_ORDER_MARK)),
            (Fault::LoneSurrogateBreaks, Break::Error, &|| without_lone_surrogates(body).is_some()),
            (Fault::NulCharacterBreaks, Break::Error, &|| body.contains(&0)),
            (Fault::DeepNestingBreaks, Break::Error, &|| json_text::depth(body) > 64),
            (Fault::DeepNestingHangs, Break::Hang, &|| json_text::depth(body) > 64),
        ],
    )
}

/// What a body that is no JSON is taken for.
pub(in crate::reference) fn malformed(d: &Deviations, text: &[u8], refusal: Refusal) -> Result<Value, Failure> {
    if text.trim_ascii().is_empty() {
        return if d.fault(Fault::EmptyBodyAccepted) { Ok(json!({"name": ""})) } else { Err(refusal.into()) };
    }
    breaks(d, &[(Fault::MalformedBodyBreaks, Break::Error, &|| true)])?;
    let read = if d.fault(Fault::TruncatedBodyRepaired) {
        repaired(text)
    } else if d.fault(Fault::TrailingCommaAccepted) {
        without_trailing_comma(text)
    } else if d.fault(Fault::TrailingTextAccepted) {
        serde_json::Deserializer::from_slice(text).into_iter().next().and_then(Result::ok)
    } else {
        None
    };
    read.ok_or_else(|| refusal.into())
}

/// Closes the object at its end, or else at one of its last commas.
fn repaired(text: &[u8]) -> Option<Value> {
    let commas = text.iter().enumerate().rev().filter(|(_, byte)| **byte == b',').map(|(at, _)| at);
    let mut ends = std::iter::once(text.len()).chain(commas.take(20));
    ends.find_map(|end| serde_json::from_slice(&[text.get(..end)?, b"}"].concat()).ok())
}

fn without_trailing_comma(text: &[u8]) -> Option<Value> {
    let inner = text.trim_ascii_end().strip_suffix(b"}")?.trim_ascii_end().strip_suffix(b",")?;
    serde_json::from_slice(&[inner, b"}"].concat()).ok()
}

/// What a body that is JSON, but no object, is taken for.
pub(in crate::reference) fn not_an_object(
    d: &Deviations,
    value: Value,
    refusal: Refusal,
) -> Result<Map<String, Value>, Failure> {
    breaks(
        d,
        &[
            (Fault::ArrayBodyBreaks, Break::Error, &|| value.is_array()),
            (Fault::StringBodyBreaks, Break::Error, &|| value.is_string()),
            (Fault::NumberBodyBreaks, Break::Error, &|| value.is_number()),
            (Fault::NullBodyBreaks, Break::Error, &|| value.is_null()),
        ],
    )?;
    let nameless = || Ok(Map::from_iter([("name".to_owned(), json!(""))]));
    match value {
        Value::Array(items) if d.fault(Fault::ArrayBodyAccepted) => match items.into_iter().next() {
            Some(Value::Object(first)) => Ok(first),
            _ => nameless(),
        },
        Value::String(_) if d.fault(Fault::StringBodyAccepted) => Ok(Map::from_iter([("name".to_owned(), value)])),
        Value::Number(_) if d.fault(Fault::NumberBodyAccepted) => nameless(),
        Value::Null if d.fault(Fault::NullBodyAccepted) => nameless(),
        _ => Err(refusal.into()),
    }
}

/// What the object does, before it is checked.
pub(in crate::reference) fn parsed(d: &Deviations, text: &[u8], object: &Map<String, Value>) -> Result<(), Failure> {
    let name_length = || object.get("name").and_then(Value::as_str).map_or(0, |name| name.chars().count());
    let any_value = |test: fn(&Value) -> bool| object.values().any(|value| anywhere(value, test));
    let has_null = || PROPERTIES.iter().skip(1).any(|key| object.get(*key).is_some_and(Value::is_null));
    breaks(
        d,
        &[
            (Fault::NulCharacterBreaks, Break::Error, &|| any_value(|v| v.as_str().is_some_and(|s| s.contains('\0')))),
            (Fault::HugeIntegerBreaks, Break::Error, &|| any_value(is_huge_integer)),
            (Fault::HugeExponentBreaks, Break::Error, &|| any_value(is_infinite)),
            (Fault::HugeExponentDrops, Break::Sever, &|| any_value(is_infinite)),
            (Fault::LongNameBreaks, Break::Error, &|| name_length() >= 5_000),
            (Fault::VeryLongNameBreaks, Break::Error, &|| name_length() >= 50_000),
            (Fault::VeryLongNameHangs, Break::Hang, &|| name_length() >= 50_000),
            (Fault::UnknownPropertyBreaks, Break::Error, &|| {
                object.keys().any(|key| !PROPERTIES.contains(&key.as_str()))
            }),
            (Fault::DuplicatePropertyBreaks, Break::Error, &|| json_text::has_duplicates(text)),
            (Fault::NullFieldBreaks, Break::Error, &has_null),
        ],
    )
}

/// Whether the test holds of the value or of one within it; the parser has bounded the depth.
fn anywhere(value: &Value, test: fn(&Value) -> bool) -> bool {
    test(value)
        || match value {
            Value::Array(items) => items.iter().any(|item| anywhere(item, test)),
            Value::Object(map) => map.values().any(|item| anywhere(item, test)),
            _ => false,
        }
}

fn is_huge_integer(value: &Value) -> bool {
    let Value::Number(number) = value else { return false };
    let digits = number.as_str().trim_start_matches('-');
    digits.bytes().all(|byte| byte.is_ascii_digit()) && number.as_i64().is_none() && number.as_u64().is_none()
}

fn is_infinite(value: &Value) -> bool {
    // With arbitrary precision a number is kept as it was written.
    matches!(value, Value::Number(number) if number.as_str().parse::<f64>().is_ok_and(f64::is_infinite))
}
