//! Exchanges as reports show them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::exchange::{Exchange as Seen, Shown};
use crate::judge::bind::{Control, Purpose};

/// How many bytes of a body a record shows.
pub const BODY_SHOWN: usize = 16 << 10;

/// What stands in the place of a header's value that nobody needs to see.
pub const HIDDEN: &str = "(hidden)";

/// One request as sent, and what came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// Its place in the run; unique.
    pub number: u64,
    /// The trial, and its step, on whose behalf it was sent.
    pub trial: String,
    /// When it was sent, by our clock: RFC 3339, UTC, microseconds.
    pub sent: String,
    /// How long until the answer was complete or given up, in milliseconds.
    pub elapsed_ms: f64,
    /// Which attempt of the exchange this is, counted from 1.
    #[serde(default = "first")]
    pub attempt: u32,
    /// How many attempts the exchange has; the last one is its answer.
    #[serde(default = "first")]
    pub attempts: u32,
    /// Whose request it was.
    pub identity: String,
    /// What was sent.
    pub request: Request,
    /// What came back; left out where nothing whole did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
    /// Why nothing whole came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failed>,
    /// The attempts before; left out in `exchanges.ndjson`, where each has a line of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Earlier>,
    /// What it was judged as; in `exchanges.ndjson` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judged>,
}

fn first() -> u32 {
    1
}

/// An attempt that was not the last of its exchange, in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Earlier {
    /// Which attempt it is, counted from 1.
    pub attempt: u32,
    /// When it was sent, by our clock: RFC 3339, UTC, microseconds.
    pub sent: String,
    /// How long until its answer was complete or given up, in milliseconds.
    pub elapsed_ms: f64,
    /// The status that came; left out where nothing whole did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why nothing whole came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failed>,
}

/// What an exchange was judged as, beyond what was on the wire: with it a recording can be judged again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Whether no other request carried its idempotency key.
    pub fresh: bool,
    /// Whether the same request without its fault was accepted.
    pub control: Control,
    /// Whether headers, credentials and the body's form were left alone.
    pub plain: bool,
    /// Whether the body's bytes were given as they are.
    pub raw: bool,
    /// The path parameters as they were meant.
    pub parameters: Vec<(String, String)>,
    /// What it showed of its sender; left out in older recordings, whose headers tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Shown>,
}

impl Judged {
    /// What an exchange is judged as.
    pub fn of(seen: &Seen, purpose: Purpose) -> Self {
        Self {
            fresh: seen.fresh,
            control: purpose.control,
            plain: purpose.plain,
            raw: seen.request.raw,
            parameters: seen.request.parameters.clone(),
            credentials: Some(seen.request.credentials.clone()),
        }
    }
}

/// A request as sent. What the HTTP library adds by itself (Host, Content-Length, Accept,
/// Accept-Encoding) is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The whole URL, but for credentials in its query.
    pub url: String,
    /// The credentials in the query of the URL: names and values, tokens as in headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query_credentials: Vec<(String, String)>,
    /// Names in lower case and values, in the order sent; tokens as `${VARIABLE}`, `${VARIABLE%?}`
    /// without their last character, `${VARIABLE#?}` without their first, `base64(${VARIABLE})` where `Basic` encodes them.
    pub headers: Vec<(String, String)>,
    /// The body, where it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body in Base64, where it is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// The body's whole length in bytes, where only its beginning is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<u64>,
}

/// A whole response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names in lower case and values, in the order received.
    pub headers: Vec<(String, String)>,
    /// The body, decoded, where it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body, decoded, in Base64, where it is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// The body's whole length in bytes, where only its beginning is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<u64>,
}

/// Why nothing whole came back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// See [`FailureKind::name`](crate::exchange::FailureKind::name).
    pub kind: String,
    /// The message.
    pub message: String,
}

impl Request {
    /// The body's bytes as far as they are shown; None where there is no body.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        bytes(self.body.as_deref(), self.body_base64.as_deref())
    }
}

impl Response {
    /// The body's bytes as far as they are shown.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        bytes(self.body.as_deref(), self.body_base64.as_deref())
    }
}

fn bytes(text: Option<&str>, base64: Option<&str>) -> Option<Vec<u8>> {
    match (text, base64) {
        (Some(text), _) => Some(text.as_bytes().to_vec()),
        (None, Some(base64)) => STANDARD.decode(base64).ok(),
        (None, None) => None,
    }
}
