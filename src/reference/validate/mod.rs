//! From an object to what it asks for, if all of it is well formed. What its ids name is looked up later.

mod amount;
mod close_date;
mod id;
mod name;
pub(super) mod number;

use super::Variation;
use super::asked::{Asked, CLOSE_DATE, NAME, OWNER, PIPELINE, PROBABILITY, PROPERTIES, STAGE, VALUE};
use super::faults::request as hook;
use super::refusal::{Failure, Refusal};
use crate::reference::server_state::ServerState;
use serde_json::{Map, Value};

/// Checks a body, property by property.
pub(super) fn asked(server: &ServerState, object: &Map<String, Value>) -> Result<Asked, Failure> {
    let d = &server.deviations;
    if d.variation(Variation::UnknownPropertiesRefused)
        && let Some(unknown) = object.keys().find(|key| !PROPERTIES.contains(&key.as_str()))
    {
        return Err(Refusal::invalid("body", &format!("has an unknown property, {unknown:?}")).into());
    }
    hook::presence(d, object)?;
    Ok(Asked {
        name: name::read(d, object.get(NAME))?,
        value: hook::optional(d, given(server, object, VALUE)?, |json| amount::value(d, json))?,
        probability: hook::optional(d, given(server, object, PROBABILITY)?, |json| amount::probability(d, json))?,
        close_date: hook::optional(d, given(server, object, CLOSE_DATE)?, |json| close_date::read(server, json))?,
        pipeline_id: hook::optional(d, given(server, object, PIPELINE)?, |json| id::read(d, PIPELINE, json))?,
        stage_id: hook::optional(d, given(server, object, STAGE)?, |json| id::read(d, STAGE, json))?,
        owner_id: hook::optional(d, given(server, object, OWNER)?, |json| id::read(d, OWNER, json))?,
    })
}

/// An optional property; null is the same as nothing.
fn given<'a>(
    server: &ServerState,
    object: &'a Map<String, Value>,
    key: &'static str,
) -> Result<Option<&'a Value>, Refusal> {
    match object.get(key) {
        Some(Value::Null) if server.deviations.variation(Variation::NullRefused) => {
            Err(Refusal::wrong_type(key, "allowed to be null"))
        }
        Some(Value::Null) | None => Ok(None),
        json => Ok(json),
    }
}
