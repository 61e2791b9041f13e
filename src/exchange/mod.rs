//! The plain types that everything stands on: a request, what came of it, and both together.
//!
//! - [`request`]: a request, to the byte but for the token
//! - [`attempt`]: that request on the wire once, and what came of it
//! - [`response`]: what came back, whole
//! - [`failure`]: why nothing whole came back
//! - [`trial`]: what a request was sent for, by its name
//! - [`json_text`]: JSON as servers write it
//! - [`digest`]: texts that are only compared
//! - [`excerpt`]: parts of long texts

mod attempt;
pub mod digest;
pub mod excerpt;
mod failure;
pub mod json_text;
mod request;
mod response;
mod trial;

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};

pub use attempt::{Attempt, Trouble};
pub use failure::{CUT_OFF, Failure, FailureKind, UNASKED};
pub use request::{HeaderCase, Request, Shown, TOKEN, TOKEN_WITHOUT_FIRST, TOKEN_WITHOUT_LAST};
pub use response::{Response, bare};
pub use trial::TrialName;

/// How much of a response's body is kept once it was judged, in bytes.
const KEPT: usize = 64 << 10;

/// A request that the plan wanted, with all its attempts; the last one is its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Its place in the run; unique.
    pub number: u64,
    /// The requirement or pool entry on whose behalf it was sent.
    pub trial: String,
    /// What was sent.
    pub request: Request,
    /// Each time that it was sent, in order: at least one.
    pub attempts: Vec<Attempt>,
    /// Why it was not sent again, where the last attempt's answer asked for that: then nothing is known of it.
    pub ended: Option<Failure>,
    /// Whether no other request of the run carried its idempotency key before or with it.
    pub fresh: bool,
    /// Whether it met trouble that may not be the server's, and nothing confirmed that it is.
    pub unconfirmed: bool,
}

/// Two instants between which another lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Not before.
    pub earliest: DateTime<Utc>,
    /// Not after.
    pub latest: DateTime<Utc>,
}

impl Interval {
    /// An instant that is known exactly.
    pub fn exact(at: DateTime<Utc>) -> Self {
        Self { earliest: at, latest: at }
    }

    /// The middle.
    pub fn middle(&self) -> DateTime<Utc> {
        self.earliest + (self.latest - self.earliest) / 2
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A whole response.
    Response(Response),
    /// None, and why.
    Failed(Failure),
}

impl Exchange {
    /// The attempt that counts.
    pub fn last(&self) -> &Attempt {
        // Whoever makes an exchange gives it one.
        &self.attempts[self.attempts.len() - 1]
    }

    /// What came of it: the last attempt's response, or why there is none.
    ///
    /// # Errors
    /// Nothing whole came, or what came says nothing of the request.
    pub fn answer(&self) -> Result<&Response, &Failure> {
        match (&self.ended, &self.last().outcome) {
            (Some(failure), _) | (None, Outcome::Failed(failure)) => Err(failure),
            (None, Outcome::Response(response)) => Ok(response),
        }
    }

    /// The response, if one came that counts.
    pub fn response(&self) -> Option<&Response> {
        self.answer().ok()
    }

    /// The status, if a response came that counts.
    pub fn status(&self) -> Option<u16> {
        self.response().map(|r| r.status)
    }

    /// When the last attempt was sent, by our own clock.
    pub fn sent(&self) -> DateTime<Utc> {
        self.last().sent
    }

    /// How long the last attempt took.
    pub fn took(&self) -> Duration {
        self.last().elapsed
    }

    /// The same in microseconds, of which a few bytes hold more than an hour.
    pub fn took_micros(&self) -> u32 {
        u32::try_from(self.took().as_micros()).unwrap_or(u32::MAX)
    }

    /// The server's clock while the last attempt was under way.
    pub fn server_now(&self) -> Interval {
        self.last().server_now
    }

    /// The trouble that the last attempt met, if it did.
    pub fn trouble(&self) -> Option<Trouble> {
        self.last().trouble().filter(|_| self.ended.is_none())
    }

    /// Adds what came of sending it again.
    pub fn add(&mut self, attempts: Vec<Attempt>, ended: Option<Failure>) {
        let before = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
        let numbered = |a: Attempt| Attempt { number: a.number.saturating_add(before), ..a };
        self.attempts.extend(attempts.into_iter().map(numbered));
        self.ended = ended;
        self.unconfirmed = self.trouble().is_some();
    }

    /// Keeps the beginning of long bodies only: a run remembers many exchanges.
    pub fn cut(&mut self) {
        for attempt in &mut self.attempts {
            if let Outcome::Response(response) = &mut attempt.outcome
                && response.body.len() > KEPT
            {
                response.body = Bytes::copy_from_slice(&response.body[..KEPT]);
            }
        }
    }
}
