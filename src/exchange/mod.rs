//! The plain types that everything stands on: a request, what came of it, and both together.
//!
//! - [`request`]: a request, to the byte but for the token
//! - [`response`]: what came back, whole
//! - [`failure`]: why nothing whole came back
//! - [`json_text`]: JSON as servers write it

mod failure;
pub mod json_text;
mod request;
mod response;

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};

pub use failure::{Failure, FailureKind};
pub use request::{Request, Shown, TOKEN, TOKEN_WITHOUT_FIRST, TOKEN_WITHOUT_LAST};
pub use response::Response;

/// How much of a response's body is kept once it was judged, in bytes.
const KEPT: usize = 64 << 10;

/// One request as sent and what came back.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Its place in the run; unique.
    pub number: u64,
    /// The requirement or pool entry on whose behalf it was sent.
    pub trial: String,
    /// What was sent.
    pub request: Request,
    /// When, by our own clock.
    pub sent: DateTime<Utc>,
    /// How long until the answer was complete, or given up.
    pub elapsed: Duration,
    /// The server's clock when it was sent and when the answer was complete: earliest and latest.
    pub server_now: Interval,
    /// What came back.
    pub outcome: Outcome,
    /// Whether no other request of the run carried its idempotency key before or with it.
    pub fresh: bool,
    /// Whether a connection broke under it that was used before: that says nothing of the request.
    pub lost: bool,
    /// How often it was sent again, after a broken connection or when asked to wait.
    pub retries: u32,
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
    /// The response, if one came.
    pub fn response(&self) -> Option<&Response> {
        match &self.outcome {
            Outcome::Response(response) => Some(response),
            Outcome::Failed(_) => None,
        }
    }

    /// Keeps the beginning of a long body only: a run remembers many exchanges.
    pub fn cut(&mut self) {
        if let Outcome::Response(response) = &mut self.outcome
            && response.body.len() > KEPT
        {
            response.body = Bytes::copy_from_slice(&response.body[..KEPT]);
        }
    }

    /// The status, if a response came.
    pub fn status(&self) -> Option<u16> {
        self.response().map(|r| r.status)
    }
}
