//! What a body asks for, if all of it is well formed. What its ids name is looked up later.

mod amount;
pub(super) mod close_date;
mod id;
mod name;
pub(super) mod number;

use self::close_date::CloseDate;
use super::Variation;
use super::faults::request as hook;
use super::refusal::{Failure, Refusal};
use crate::reference::server_state::ServerState;
use serde_json::{Map, Value};

/// The properties of a body, the one that is required first.
pub(super) const PROPERTIES: [&str; 7] = [NAME, VALUE, PROBABILITY, CLOSE_DATE, PIPELINE, STAGE, OWNER];

pub(super) const NAME: &str = "name";
pub(super) const VALUE: &str = "value";
pub(super) const PROBABILITY: &str = "probability";
pub(super) const CLOSE_DATE: &str = "target_close_date";
pub(super) const PIPELINE: &str = "pipeline_id";
pub(super) const STAGE: &str = "pipeline_stage_id";
pub(super) const OWNER: &str = "owner_id";

/// A body that was checked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) name: String,
    /// In cents.
    pub(super) value: Option<i64>,
    /// In percent.
    pub(super) probability: Option<i64>,
    pub(super) close_date: Option<CloseDate>,
    pub(super) pipeline_id: Option<String>,
    pub(super) stage_id: Option<String>,
    pub(super) owner_id: Option<String>,
}

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
