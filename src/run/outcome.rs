//! The result of a run.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::judge::attempts::Troubles;
use crate::judge::tally::Tally;
use crate::run::preflight::Stop;

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    /// What is known of each requirement, by its place in the contract.
    pub tallies: Vec<Tally>,
    /// Requests of the shared pool that were planned and not sent.
    pub left_out: u64,
    /// Why it ended early, if it did.
    pub stop: Option<Stop>,
    /// How the server was at the end.
    pub health: Health,
    /// Figures.
    pub figures: Figures,
}

/// Whether the server still answered a valid request at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It did.
    Yes,
    /// It did not; the field is what came instead.
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
    /// How many requests were sent, including retries.
    pub requests: u64,
    /// How many of them were retries.
    pub retries: u64,
    /// How many requests were accepted.
    pub accepted: u64,
    /// How many records were created, as far as the answers tell.
    pub created: u64,
    /// How many unanswered requests may have created one.
    pub uncertain: u64,
    /// The trouble that attempts met.
    pub troubles: Troubles,
    /// How many requests the server refused for their pace.
    pub refused: u64,
    /// The time between requests that the server was found to accept, if it caused the pace to fall.
    pub pace: Option<Duration>,
    /// How long all requests waited because the server asked for it.
    pub waited: Duration,
    /// The response times, in no particular order.
    pub latencies: Vec<Duration>,
    /// The requirements with the longest response times, each with its longest, the slowest first.
    pub slowest: Vec<(String, Duration)>,
    /// The highest number of requests that were in progress at once.
    pub most_at_once: usize,
    /// The server's clock minus ours, as a range, if it is known.
    pub clock: Option<(TimeDelta, TimeDelta)>,
}
