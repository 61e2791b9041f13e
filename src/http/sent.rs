//! The result of a request, and how often it was tried.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use crate::exchange::{Attempt, Failure, FailureKind, Outcome, Response};
use crate::http::gate::Gate;
use crate::http::pace::{Delays, delays};

/// How a request is sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner<'a> {
    /// Whether it gets a new connection.
    pub alone: bool,
    /// The gate that holds its last byte until others have come as far.
    pub gate: Option<&'a Gate>,
}

/// The result of a request.
#[derive(Debug, Default)]
pub struct Sent {
    /// Its attempts, in order.
    pub attempts: Vec<Attempt>,
    /// Why it was not sent again, though the last response called for that.
    pub ended: Option<Failure>,
    /// Whether a token that used to work was refused, without a replacement.
    pub token_refused: bool,
}

impl Sent {
    /// Adds the attempts of sending it again.
    pub fn add(&mut self, more: Self) {
        let before = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
        let attempts = more.attempts.into_iter();
        self.attempts.extend(attempts.map(|a| Attempt { number: a.number.saturating_add(before), ..a }));
        self.ended = more.ended;
        self.token_refused |= more.token_refused;
    }

    /// The final result.
    pub fn outcome(self) -> Outcome {
        match (self.ended, self.attempts.into_iter().next_back()) {
            (Some(failure), _) => Outcome::Failed(failure),
            (None, Some(last)) => last.outcome,
            (None, None) => Outcome::Failed(Failure { kind: FailureKind::Unsendable, message: String::new() }),
        }
    }

    /// The response, if a complete one came.
    pub fn response(&self) -> Option<&Response> {
        self.attempts.last().filter(|_| self.ended.is_none())?.response()
    }
}

/// How often a request was tried, and how it is tried next.
pub(super) struct Tries {
    pub alone: bool,
    /// How many connections were tried, and how long to wait before the next.
    pub connects: u32,
    pub connecting: Delays,
    /// How often the server asked to wait, since when, and how long to wait if it does not say.
    pub waits: u32,
    pub waiting_since: Option<Instant>,
    pub waiting: Delays,
    /// The token that replaced a refused one.
    pub renewed: Option<SecretString>,
}

impl Tries {
    pub fn new(alone: bool) -> Self {
        Self {
            alone,
            connects: 1,
            connecting: delays(Duration::from_millis(150)),
            waits: 0,
            waiting_since: None,
            waiting: delays(Duration::from_millis(500)),
            renewed: None,
        }
    }
}
