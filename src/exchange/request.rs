//! A request, to the byte but for the token.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Stands for the identity's token in a case's `authorization`.
pub const TOKEN: &str = "{token}";
/// Stands for the token without its last character.
pub const TOKEN_WITHOUT_LAST: &str = "{token[:-1]}";
/// Stands for the token without its first character.
pub const TOKEN_WITHOUT_FIRST: &str = "{token[1:]}";

/// A request to the byte, but for the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The operation, by its place among those that a contract's steps call; None for the contract's own.
    pub operation: Option<usize>,
    /// The method, in capitals.
    pub method: String,
    /// The path with parameters filled in and encoded.
    pub path: String,
    /// The path parameters as they were meant.
    pub parameters: Vec<(String, String)>,
    /// Headers, credentials apart.
    pub headers: Vec<(String, String)>,
    /// Whose request it is.
    pub identity: String,
    /// What it shows of its sender.
    pub credentials: Shown,
    /// The body.
    pub body: Option<bytes::Bytes>,
    /// Whether the body's bytes were given as they are, and may be no JSON on purpose.
    pub raw: bool,
}

/// What a request shows of its sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// The identity's own credentials.
    Own,
    /// Nothing.
    Nothing,
    /// This text, with `{token}` for the identity's token.
    Text(String),
}

/// How the names of a request's headers are written. They have no case, so every server has to take each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderCase {
    /// `content-type`.
    Lower,
    /// `Content-Type`, in HTTP/1.1 only.
    Title,
}

impl HeaderCase {
    /// A name, so written.
    pub fn apply(self, name: &str) -> String {
        let mut starts = self == Self::Title;
        let mut written = String::with_capacity(name.len());
        for c in name.chars() {
            written.push(if starts { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() });
            starts = self == Self::Title && c == '-';
        }
        written
    }
}

impl Request {
    /// How the names of its headers are written.
    pub fn header_case(&self) -> HeaderCase {
        let is_titled = |(name, _): &(String, String)| name.starts_with(|c: char| c.is_ascii_uppercase());
        if self.headers.iter().any(is_titled) { HeaderCase::Title } else { HeaderCase::Lower }
    }

    /// Writes the names of its headers so.
    pub fn write_headers(&mut self, case: HeaderCase) {
        self.headers.iter_mut().for_each(|(name, _)| *name = case.apply(name));
    }

    /// The body as JSON, where it is JSON.
    pub fn json(&self) -> Option<Json> {
        serde_json::from_slice(self.body.as_ref()?).ok()
    }

    /// A header's value, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::HeaderCase;

    #[test]
    fn names_are_written_in_either_case() {
        for name in ["idempotency-key", "Idempotency-Key", "IDEMPOTENCY-KEY"] {
            assert_eq!(HeaderCase::Title.apply(name), "Idempotency-Key");
            assert_eq!(HeaderCase::Lower.apply(name), "idempotency-key");
        }
    }
}
