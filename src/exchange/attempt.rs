//! One request on the wire, and what came of it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Failure, FailureKind, Interval, Outcome, Response, json_text};

/// One request on the wire, and what came of it.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its place among the attempts of its exchange, counted from 1.
    pub number: u32,
    /// When it was sent, by our own clock.
    pub sent: DateTime<Utc>,
    /// How long until the answer was complete, or given up.
    pub elapsed: Duration,
    /// The server's clock when it was sent and when the answer was complete: earliest and latest.
    pub server_now: Interval,
    /// What came back.
    pub outcome: Outcome,
}

/// What may be the network's or a gateway's doing rather than the server's: one such answer is no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// 502, 503 or 504: servers and the gateways before them answer so.
    Gateway,
    /// The connection was closed or reset before the answer was complete.
    Broken,
    /// No whole answer within the time limit.
    Silence,
    /// 500, 501, or a status above 504: the server failed, and may not do so each time.
    ServerError,
}

impl Attempt {
    /// The only attempt of an exchange.
    pub fn only(sent: DateTime<Utc>, elapsed: Duration, server_now: Interval, outcome: Outcome) -> Self {
        Self { number: 1, sent, elapsed, server_now, outcome }
    }

    /// When the answer was complete, or given up, by our own clock.
    pub fn ended(&self) -> DateTime<Utc> {
        self.sent + TimeDelta::from_std(self.elapsed).unwrap_or_default()
    }

    /// The response, if one came.
    pub fn response(&self) -> Option<&Response> {
        match &self.outcome {
            Outcome::Response(response) => Some(response),
            Outcome::Failed(_) => None,
        }
    }

    /// Why none came, if so.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.outcome {
            Outcome::Response(_) => None,
            Outcome::Failed(failure) => Some(failure),
        }
    }

    /// Notes a body that is JSON beyond the depth that is read.
    pub fn note_depth(&mut self) {
        if let Outcome::Response(response) = &mut self.outcome
            && response.unread.is_none()
            && response.length == response.body.len()
            && response.json().is_none()
            && json_text::is_deep(&response.body)
        {
            response.unread = Some("its body is JSON that is nested deeper than is read".to_owned());
        }
    }

    /// Whether it left at all.
    pub fn left(&self) -> bool {
        self.failure().is_none_or(|failure| !matches!(failure.kind, FailureKind::Credentials | FailureKind::Unsendable))
    }

    /// The trouble that it met, if it did.
    pub fn trouble(&self) -> Option<Trouble> {
        match &self.outcome {
            Outcome::Response(response) => match response.status {
                502..=504 => Some(Trouble::Gateway),
                500.. => Some(Trouble::ServerError),
                _ => None,
            },
            Outcome::Failed(failure) => match failure.kind {
                FailureKind::Broken | FailureKind::Protocol => Some(Trouble::Broken),
                FailureKind::Timeout => Some(Trouble::Silence),
                _ => None,
            },
        }
    }

    /// Whether the server may have processed the request, though its answer does not say that it did.
    pub fn perhaps_processed(&self) -> bool {
        match &self.outcome {
            // Who sends elsewhere to see what was created has created it.
            Outcome::Response(response) => response.status >= 500 || [301, 302, 303].contains(&response.status),
            Outcome::Failed(failure) => failure.kind.is_silence(),
        }
    }
}
