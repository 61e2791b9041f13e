//! What a body asks for, once it was found to be well formed.

use chrono::{DateTime, FixedOffset};

/// The properties of a body, the one that is required first.
pub(super) const PROPERTIES: [&str; 7] = [NAME, VALUE, PROBABILITY, CLOSE_DATE, PIPELINE, STAGE, OWNER];

pub(super) const NAME: &str = "name";
pub(super) const VALUE: &str = "value";
pub(super) const PROBABILITY: &str = "probability";
pub(super) const CLOSE_DATE: &str = "target_close_date";
pub(super) const PIPELINE: &str = "pipeline_id";
pub(super) const STAGE: &str = "pipeline_stage_id";
pub(super) const OWNER: &str = "owner_id";

/// Properties that only an update has.
pub(super) const ASSIGNEE: &str = "assigned_to_id";
pub(super) const HOUSEHOLD: &str = "household_id";
pub(super) const CUSTOM: &str = "custom_fields";

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

/// An instant as a request gave it.
#[derive(Clone, Debug)]
pub(super) struct CloseDate {
    /// With the offset that was written, in microseconds.
    pub(super) instant: DateTime<FixedOffset>,
    pub(super) text: String,
}
