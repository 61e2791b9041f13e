//! One request as sent and what came back.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use url::Url;

use super::json_text;
use crate::generate::render::Request;

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

/// A whole response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers, names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: Bytes,
    /// The body's length; more than there is of it once [`Exchange::cut`] has cut it.
    pub length: usize,
}

/// How much of a response's body is kept once it was judged, in bytes.
const KEPT: usize = 64 << 10;

impl Response {
    /// A response whose body is whole.
    pub fn new(status: u16, headers: Vec<(String, String)>, body: Bytes) -> Self {
        Self { status, headers, length: body.len(), body }
    }

    /// The first header of a name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The body, if it is JSON.
    pub fn json(&self) -> Option<Json> {
        json_text::read(&self.body)
    }

    /// The media type without parameters, in lower case.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        let essence = value.split(';').next().unwrap_or_default().trim();
        Some(essence.to_ascii_lowercase())
    }
}

/// Why no whole response came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which kind.
    pub kind: FailureKind,
    /// The message.
    pub message: String,
}

impl Failure {
    /// What to say of it where the target has answered nothing so far.
    pub fn at_first(&self, url: &Url) -> String {
        // Where a certificate of ours is asked for, an end of the connection may be all that is seen of it.
        let perhaps = match (self.kind, url.scheme()) {
            (FailureKind::Broken, "https") => "; it may ask for a client_certificate (--client-certificate)",
            _ => "",
        };
        format!("{} ({}{perhaps})", self.kind.text(), self.message)
    }
}

/// The kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// No connection was made.
    Connect,
    /// There is somebody, but certificates are not what they should be, or it does not speak TLS.
    Tls,
    /// The time limit ran out.
    Timeout,
    /// The connection broke before the response was complete.
    Broken,
    /// What came is not HTTP.
    Protocol,
    /// The body is longer than we read.
    TooLarge,
    /// The server kept asking to wait.
    Throttled,
    /// The request cannot be written down in HTTP.
    Unsendable,
    /// A token cannot be had, or no longer works.
    Credentials,
    /// It was refused for now, and is not sent again: the run was ended, or its budget used up.
    GivenUp,
}

impl FailureKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Broken,
        Self::Protocol,
        Self::TooLarge,
        Self::Throttled,
        Self::Unsendable,
        Self::Credentials,
        Self::GivenUp,
    ];

    /// The kind's name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::Protocol => "protocol",
            Self::TooLarge => "too_large",
            Self::Throttled => "throttled",
            Self::Unsendable => "unsendable",
            Self::Credentials => "credentials",
            Self::GivenUp => "given_up",
        }
    }

    /// Whether the server was reached, and gave no whole answer.
    pub fn is_silence(self) -> bool {
        matches!(self, Self::Timeout | Self::Broken | Self::Protocol | Self::TooLarge)
    }

    /// A few words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Connect => "no connection",
            Self::Tls => "no secure connection",
            Self::Timeout => "no complete response within the time limit",
            Self::Broken => "the connection was closed before the response was complete",
            Self::Protocol => "the answer is not valid HTTP",
            Self::TooLarge => "the response body is longer than is read",
            Self::Throttled => "the server kept asking to wait",
            Self::Unsendable => "the request cannot be sent over HTTP",
            Self::Credentials => "there is no token that works",
            Self::GivenUp => "it was not sent again",
        }
    }
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
