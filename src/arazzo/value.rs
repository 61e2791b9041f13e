//! Values of parameters and bodies as values of the case language.

use serde_json::{Value as Json, json};

use super::Outcome;
use super::cel::{Kind, constant, quoted};
use super::runtime::{Piece, Runtime, pieces};
use super::scene::Scene;
use crate::contract::keys::forms;
use crate::source::Place;

/// A value as a step of the case language takes it.
pub(super) fn template(json: &Json, place: &Place, scene: Scene<'_>) -> Outcome<Json> {
    Ok(match json {
        _ if is_constant(json) => literal(json),
        Json::Array(items) => {
            items.iter().map(|item| template(item, place, scene)).collect::<Outcome<Vec<_>>>()?.into()
        }
        Json::Object(map) if !has_form(json) => {
            let entry = |(k, v): (&String, &Json)| Ok((k.clone(), template(v, place, scene)?));
            map.iter().map(entry).collect::<Outcome<serde_json::Map<_, _>>>()?.into()
        }
        other => json!({ "cel": expression(other, place, scene)? }),
    })
}

/// A value as a CEL expression.
pub(super) fn expression(json: &Json, place: &Place, scene: Scene<'_>) -> Outcome<String> {
    Ok(match json {
        Json::String(text) => self::text(text, place, scene)?,
        Json::Array(items) => {
            let all = items.iter().map(|item| expression(item, place, scene)).collect::<Outcome<Vec<_>>>()?;
            format!("[{}]", all.join(", "))
        }
        Json::Object(map) => {
            let entry = |(k, v): (&String, &Json)| Ok(format!("{}: {}", quoted(k), expression(v, place, scene)?));
            format!("{{{}}}", map.iter().map(entry).collect::<Outcome<Vec<_>>>()?.join(", "))
        }
        other => constant(other),
    })
}

/// A text: a runtime expression, or one in which some are embedded.
fn text(text: &str, place: &Place, scene: Scene<'_>) -> Outcome<String> {
    if Runtime::read(text).is_some() {
        return Ok(scene.operand(text, place)?.value());
    }
    let piece = |piece: Piece<'_>| match piece {
        Piece::Text(text) => Ok(quoted(text)),
        Piece::Expression(inner) => {
            let operand = scene.operand(inner, place)?;
            let value = operand.value();
            Ok(if operand.kind() == Some(Kind::Text) { value } else { format!("string({value})") })
        }
    };
    Ok(pieces(text).into_iter().map(piece).collect::<Outcome<Vec<_>>>()?.join(" + "))
}

/// Whether a value has no runtime expression.
pub(super) fn is_constant(json: &Json) -> bool {
    match json {
        Json::String(text) => {
            let is_text = |piece: &Piece<'_>| matches!(piece, Piece::Text(_));
            Runtime::read(text).is_none() && pieces(text).iter().all(is_text)
        }
        Json::Array(items) => items.iter().all(is_constant),
        Json::Object(map) => map.values().all(is_constant),
        _ => true,
    }
}

/// Whether a map would be mistaken for a form of the case language.
fn has_form(json: &Json) -> bool {
    json.as_object().is_some_and(|map| forms().any(|word| map.contains_key(word)))
}

/// A constant as the case language writes it.
fn literal(json: &Json) -> Json {
    let has_any = |json: &Json| {
        let mut waiting = vec![json];
        while let Some(next) = waiting.pop() {
            if has_form(next) {
                return true;
            }
            match next {
                Json::Array(items) => waiting.extend(items),
                Json::Object(map) => waiting.extend(map.values()),
                _ => {}
            }
        }
        false
    };
    if has_any(json) { json!({ "literal": json }) } else { json.clone() }
}
