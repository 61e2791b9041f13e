//! An opportunity, as it is created. It lives until its answer is sent: nothing asks for it later.

use super::create::Posted;
use super::faults::{defaults, echo, state};
use super::office::Office;
use super::resolve::Resolved;
use super::validate::Asked;
use super::world::{Household, Pipeline, Stage, User};
use chrono::{DateTime, SubsecRound, Utc};

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
    pub(super) updated_at: DateTime<Utc>,
}

impl Record {
    pub(super) fn create(office: &Office, posted: &Posted<'_>, asked: Asked, resolved: Resolved) -> Self {
        let now = office.clock.now().trunc_subsecs(3);
        let mut record = Record {
            id: state::id(office, posted, &asked, now).unwrap_or_else(|| office.ids.next(&office.deviations)),
            asked,
            book_id: posted.household.map_or(posted.caller.book_id, |household| household.book_id),
            household: posted.household,
            pipeline: resolved.pipeline,
            stage: resolved.stage,
            owner: resolved.owner,
            created_at: now,
            updated_at: now,
        };
        defaults::record(office, &mut record);
        echo::record(office, &mut record);
        record
    }
}
