//! How a run ended, how it left the server, and what it left there.

use serde::{Deserialize, Serialize};

/// Whether the server still answered a valid request at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Whether it did.
    pub state: HealthState,
    /// What came instead, if it did not.
    pub answer: Option<String>,
}

/// Whether the server still answered a valid request at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// It did.
    Yes,
    /// It did not.
    No,
    /// It was not asked.
    NotAsked,
}

/// The report's footer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Whether all that was planned was done.
    pub complete: bool,
    /// What kept it from that, for programs; null where nothing did.
    pub cause: Option<Cause>,
    /// What kept it from that, for people: what happened and what to do.
    pub reason: Option<String>,
    /// Whether the target did not get past the first requests: nothing is known of it.
    pub preflight_failed: bool,
}

/// What keeps a run from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// No connection, or nothing that speaks HTTP.
    Unreachable,
    /// The target does not let us in.
    Refused,
    /// The server kept asking to wait.
    Throttled,
    /// A token cannot be had, or no longer works.
    Token,
    /// Someone ended it.
    Interrupted,
    /// As many requirements failed as were allowed to.
    MaxFailures,
    /// As many requests were sent as were allowed.
    MaxRequests,
    /// As many records were created as were allowed.
    MaxCreated,
    /// It took as long as it was allowed to.
    MaxDuration,
    /// A defect of this program.
    Defect,
}

impl Cause {
    /// All causes.
    pub const ALL: [Self; 10] = [
        Self::Unreachable,
        Self::Refused,
        Self::Throttled,
        Self::Token,
        Self::Interrupted,
        Self::MaxFailures,
        Self::MaxRequests,
        Self::MaxCreated,
        Self::MaxDuration,
        Self::Defect,
    ];
}

/// What came of removing what was created, by this run and by earlier ones of which the list still told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleanup {
    /// How many records are gone.
    pub removed: u64,
    /// Those that are still there, or may be.
    pub left: Vec<LeftBehind>,
}

/// A record that is still there, or may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftBehind {
    /// What the server calls it; null where it did not say.
    pub id: Option<String>,
    /// The mark of the run that created it.
    #[serde(alias = "mark")]
    pub run_tag: String,
    /// The trial, and its step, on whose behalf it was created.
    pub trial: String,
    /// Why it is there.
    pub reason: String,
}
