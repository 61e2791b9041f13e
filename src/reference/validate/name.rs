//! The name: any string, of any length.

use super::NAME;
use crate::reference::Variation;
use crate::reference::deviations::Deviations;
use crate::reference::faults::request as hook;
use crate::reference::refusal::{Failure, Refusal};
use icu_normalizer::ComposingNormalizerBorrowed as ComposingNormalizer;
use serde_json::Value;

const LONG: usize = 200;

pub(super) fn read(d: &Deviations, json: Option<&Value>) -> Result<String, Failure> {
    let name = match json {
        Some(Value::String(name)) => name.clone(),
        other => {
            let refusal = match other {
                None => Refusal::missing(NAME),
                Some(_) => Refusal::wrong_type(NAME, "a string"),
            };
            hook::no_name(d, other).ok_or(refusal)?
        }
    };
    hook::name(d, &name)?;
    variation(d, name).map_err(Failure::from)
}

fn variation(d: &Deviations, mut name: String) -> Result<String, Refusal> {
    let refused = [
        (Variation::EmptyNamesRefused, name.is_empty(), "is empty"),
        (Variation::BlankNamesRefused, name.trim().is_empty(), "is blank"),
        (Variation::LongNamesRefused, name.chars().count() > LONG, "is too long"),
        (Variation::ControlCharactersRefused, name.contains(char::is_control), "has a control character"),
    ];
    if let Some((_, _, problem)) = refused.iter().find(|(variation, is_so, _)| *is_so && d.variation(*variation)) {
        return Err(Refusal::invalid(NAME, problem));
    }
    if d.variation(Variation::NamesTrimmed) {
        name = name.trim().to_owned();
    }
    if d.variation(Variation::ControlCharactersDropped) {
        name.retain(|c| !c.is_control());
    }
    if d.variation(Variation::NamesComposed) {
        name = ComposingNormalizer::new_nfc().normalize(&name).into_owned();
    }
    if d.variation(Variation::LongNamesCut) {
        name = name.chars().take(LONG).collect();
    }
    Ok(name)
}
