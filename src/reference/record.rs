//! An opportunity.

use super::asked::Asked;
use super::world::{Household, Pipeline, Stage, User};
use chrono::{DateTime, Utc};

/// What the answer is made of.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) asked: Asked,
    pub(super) book_id: &'static str,
    /// There is always one, but for a faulty server.
    pub(super) household: Option<&'static Household>,
    pub(super) pipeline: &'static Pipeline,
    pub(super) stage: &'static Stage,
    pub(super) owner: &'static User,
    pub(super) created_at: DateTime<Utc>,
    /// When it last moved to another stage.
    pub(super) stage_updated_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
}
