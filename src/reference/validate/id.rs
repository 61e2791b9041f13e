//! The ids of pipeline, stage and owner: strings, whatever they say.

use crate::reference::Variation;
use crate::reference::deviations::Deviations;
use crate::reference::faults::request as hook;
use crate::reference::refusal::{Failure, Refusal};
use serde_json::Value;

pub(super) fn read(d: &Deviations, field: &'static str, json: &Value) -> Result<Option<String>, Failure> {
    match json {
        Value::String(id) if id.is_empty() && d.variation(Variation::EmptyIdsOmitted) => Ok(None),
        Value::String(id) => Ok(Some(id.clone())),
        _ if hook::id_ignored(d) => Ok(None),
        _ => Err(Refusal::wrong_type(field, "a string").into()),
    }
}
