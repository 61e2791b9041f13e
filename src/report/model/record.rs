//! Exchanges as reports show them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::exchange::Exchange as Seen;
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
    /// How often it was sent again before this answer.
    pub retries: u32,
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
    /// What it was judged as; in `exchanges.ndjson` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judged>,
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
        }
    }
}

/// A request as sent. What the HTTP library adds by itself (Host, Content-Length, Accept,
/// Accept-Encoding) is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Names in lower case and values, in the order sent; tokens as `${VARIABLE}`, `${VARIABLE%?}`
    /// without their last character, `${VARIABLE#?}` without their first.
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
