//! An answer before it is HTTP.

use super::deviations::Deviations;
use super::{Variation, json_text};
use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::Value;

pub(super) const JSON: &str = "application/json";

/// A whole answer, which may be kept and given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) media_type: Option<&'static str>,
    pub(super) body: Bytes,
    /// Whether it is given again.
    pub(super) replayed: bool,
}

impl Answer {
    pub(super) fn json(d: &Deviations, status: StatusCode, value: &Value) -> Self {
        let text = if d.variation(Variation::Indented) { format!("{value:#}") } else { value.to_string() };
        let text =
            if d.variation(Variation::EscapedBeyondAscii) { json_text::escaped_beyond_ascii(&text) } else { text };
        let text = if d.variation(Variation::LoneSurrogatesKept) {
            text.replace(char::REPLACEMENT_CHARACTER, "\\ud83d")
        } else {
            text
        };
        Self { status, media_type: Some(JSON), body: text.into(), replayed: false }
    }

    pub(super) fn empty(status: StatusCode) -> Self {
        Self { status, media_type: None, body: Bytes::new(), replayed: false }
    }
}
