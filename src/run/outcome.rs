//! What a run brought.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::judge::tally::Tally;
use crate::run::preflight::Stop;

/// What a run brought.
#[derive(Debug)]
pub struct Outcome {
    /// What is known of each requirement, by its place in the contract.
    pub tallies: Vec<Tally>,
    /// Requests of the shared pool that were planned and not sent.
    pub left_out: u64,
    /// Why it did not come to its end, if so.
    pub stop: Option<Stop>,
    /// What happened to the server in the end.
    pub health: Health,
    /// Figures.
    pub figures: Figures,
}

/// Whether the server still answered a valid request at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It did.
    Yes,
    /// It did not; what came instead.
    No(String),
    /// It was not asked.
    NotAsked,
}

/// Figures of a run.
#[derive(Debug)]
pub struct Figures {
    /// When it began, by our clock.
    pub started: DateTime<Utc>,
    /// How long it took.
    pub elapsed: Duration,
    /// How many requests were sent, repetitions included.
    pub requests: u64,
    /// How many of them were repetitions.
    pub retries: u64,
    /// How many requests were accepted.
    pub accepted: u64,
    /// How many records were created, as far as the answers tell.
    pub created: u64,
    /// How many requests went unanswered that may have created one.
    pub uncertain: u64,
    /// How long all waited because the server asked for it.
    pub waited: Duration,
    /// How long answers took, in any order.
    pub latencies: Vec<Duration>,
    /// The requirements whose requests took longest, with the longest: the slowest first.
    pub slowest: Vec<(String, Duration)>,
    /// The most requests that were under way at once.
    pub most_at_once: usize,
    /// The server's clock minus ours, from and to, if it told.
    pub clock: Option<(TimeDelta, TimeDelta)>,
}
