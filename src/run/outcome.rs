//! The result of a run.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::contract::Contract;
use crate::judge::attempts::Troubles;
use crate::judge::tally::{Tally, Verdict};
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

impl Outcome {
    /// The outcome of an operation that is not tried: what is selected is skipped or untested for this reason.
    pub fn of_nothing(
        contract: &Contract,
        selected: &[bool],
        reason: &str,
        verdict: Verdict,
        now: DateTime<Utc>,
    ) -> Self {
        let tally = |selected: &bool| {
            let mut tally = Tally::default();
            match (selected, verdict) {
                (false, _) => {}
                (true, Verdict::Skipped) => (tally.skipped, tally.obstacle) = (1, Some(reason.to_owned())),
                (true, _) => tally.left_out = 1,
            }
            tally
        };
        debug_assert_eq!(contract.requirements.len(), selected.len());
        Self {
            tallies: selected.iter().map(tally).collect(),
            left_out: 0,
            stop: (verdict != Verdict::Skipped).then_some(Stop::Interrupted),
            health: Health::NotAsked,
            figures: Figures::of_nothing(now),
        }
    }
}

impl Figures {
    fn of_nothing(now: DateTime<Utc>) -> Self {
        Self {
            started: now,
            elapsed: Duration::ZERO,
            requests: 0,
            retries: 0,
            accepted: 0,
            created: 0,
            uncertain: 0,
            troubles: Troubles::default(),
            refused: 0,
            pace: None,
            waited: Duration::ZERO,
            latencies: Vec::new(),
            slowest: Vec::new(),
            most_at_once: 0,
            clock: None,
        }
    }
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
    /// The response times in microseconds, in no particular order.
    pub latencies: Vec<u32>,
    /// The requirements with the longest response times, each with its longest, the slowest first.
    pub slowest: Vec<(String, Duration)>,
    /// The highest number of requests that were in progress at once.
    pub most_at_once: usize,
    /// The server's clock minus ours, as a range, if it is known.
    pub clock: Option<(TimeDelta, TimeDelta)>,
}
