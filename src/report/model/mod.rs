//! The report: everything that a run showed, in the shape of `report.json`.
//!
//! The shape is published as [`super::SCHEMA`]. Readers ignore keys that they do not know; a change
//! that they could not live with raises [`VERSION`]. Lists are sorted, so that two runs with one
//! seed differ only in times, ids and the run tag.

pub mod end;
pub mod figures;
pub mod header;
pub mod record;
pub mod requirement;
pub mod ruling;
pub mod subject;
pub mod summary;

use serde::{Deserialize, Serialize};

pub use crate::judge::attempts::Troubles;
pub use crate::judge::tally::Sent;
use crate::judge::tally::Verdict;
pub use crate::plan::Shard;
pub use crate::report::model::end::{Cause, Cleanup, End, Health, HealthState, LeftBehind};
pub use crate::report::model::figures::{ClockDifference, Figures, Latency, Slow};
pub use crate::report::model::header::{Contract, Header, Options, Tool, UnsupportedPart};
pub use crate::report::model::record::{Earlier, Exchange, Failed, Request, Response};
pub use crate::report::model::requirement::{
    Again, Counts, Coverage, Difference, Doubt, Failure, Form, Observation, Operand, Place, Requirement,
};
pub use crate::report::model::ruling::{Change, Ruling, Turn, Weight};
pub use crate::report::model::subject::{Subject, SubjectError};
use crate::report::model::summary::Summary;

/// The version of the report's shape.
pub const VERSION: u32 = 2;
/// The oldest version that is read.
pub const OLDEST_READ: u32 = 1;

/// What the report calls the reference server that a check without a target starts.
pub const EMBEDDED_TARGET: &str = "embedded reference server";

/// What a run showed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of this shape: [`VERSION`].
    pub version: u32,
    /// What was run against what.
    pub header: Header,
    /// Every requirement of the contract, by id.
    pub requirements: Vec<Requirement>,
    /// Figures of the whole run.
    pub figures: Figures,
    /// Whether the server still answered at the end.
    #[serde(alias = "standing")]
    pub health: Health,
    /// How many requirements have which verdict.
    pub summary: Summary,
    /// Whether the run came to its end, or why not.
    pub end: End,
    /// What came of removing what was created; null where that was not tried.
    #[serde(default)]
    pub cleanup: Option<Cleanup>,
    /// What the gate made of it; null where nothing was decided yet.
    #[serde(default)]
    pub ruling: Option<Ruling>,
}

impl Report {
    /// The requirement with this id.
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.requirements.binary_search_by(|r| r.id.as_str().cmp(id)).ok().and_then(|i| self.requirements.get(i))
    }

    /// The requirements that the run was about.
    pub fn selected(&self) -> impl Iterator<Item = &Requirement> {
        self.requirements.iter().filter(|r| r.selected)
    }

    /// Those of them that were broken: musts first, then those of areas whose failures do most harm, then what the server
    /// makes of values before the form of requests and answers, then by id.
    pub fn failed(&self) -> Vec<&Requirement> {
        let mut failed: Vec<_> = self.selected().filter(|r| r.verdict == Verdict::Fail).collect();
        failed.sort_by_key(|r| (r.level, !r.foremost, matches!(r.form, Form::Schema | Form::Always)));
        failed
    }
}
