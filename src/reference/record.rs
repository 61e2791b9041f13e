//! An opportunity, as it is created. It lives until its answer is sent: nothing asks for it later.

use super::create::Posted;
use super::faults::{defaults, echo, state};
use super::resolve::Resolved;
use super::validate::Asked;
use super::world::{Household, Pipeline, Stage, User};
use crate::reference::server_state::ServerState;
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
    pub(super) fn create(server: &ServerState, posted: &Posted<'_>, asked: Asked, resolved: Resolved) -> Self {
        let now = server.clock.now().trunc_subsecs(3);
        let mut record = Record {
            id: state::id(server, posted, &asked, now).unwrap_or_else(|| server.ids.next(&server.deviations)),
            asked,
            book_id: posted.household.map_or(posted.caller.book_id, |household| household.book_id),
            household: posted.household,
            pipeline: resolved.pipeline,
            stage: resolved.stage,
            owner: resolved.owner,
            created_at: now,
            updated_at: now,
        };
        defaults::record(server, &mut record);
        echo::record(server, &mut record);
        record
    }
}
