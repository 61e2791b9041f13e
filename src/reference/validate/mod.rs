//! From an object to what it asks for, if all of it is well formed. What its ids name is looked up later.

mod amount;
mod close_date;
mod id;
mod name;
pub(super) mod number;

use super::Variation;
use super::asked::{Asked, CLOSE_DATE, CloseDate, NAME, OWNER, PIPELINE, PROBABILITY, PROPERTIES, STAGE, VALUE};
use super::deviations::Deviations;
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

/// The fields of an update that a creation has too; nothing is required.
pub(super) struct Changed {
    pub(super) name: Option<String>,
    /// As it was sent: in dollars.
    pub(super) value: Option<i64>,
    pub(super) probability: Option<i64>,
    pub(super) close_date: Option<CloseDate>,
    pub(super) stage_id: Option<String>,
    pub(super) owner_id: Option<String>,
}

/// Checks what an update shares with a creation.
pub(super) fn changed(server: &ServerState, object: &Map<String, Value>) -> Result<Changed, Failure> {
    let d = &server.deviations;
    Ok(Changed {
        name: given(server, object, NAME)?.map(|json| name::read(d, Some(json))).transpose()?,
        value: given(server, object, VALUE)?.map(|json| amount::value(d, json)).transpose()?.flatten(),
        probability: given(server, object, PROBABILITY)?
            .map(|json| amount::probability(d, json))
            .transpose()?
            .flatten(),
        close_date: given(server, object, CLOSE_DATE)?.map(|json| close_date::any(d, json)).transpose()?,
        stage_id: id_of(d, STAGE, object)?,
        owner_id: id_of(d, OWNER, object)?,
    })
}

/// An id that may be left out; null is the same as nothing.
pub(super) fn id_of(
    d: &Deviations,
    field: &'static str,
    object: &Map<String, Value>,
) -> Result<Option<String>, Failure> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(json) => id::read(d, field, json),
    }
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
