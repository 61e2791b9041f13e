//! A request, to the byte but for the token.

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The identity's own credentials.
    Own,
    /// Nothing.
    Nothing,
    /// This text, with `{token}` for the identity's token.
    Text(String),
}

impl Request {
    /// The body as JSON, where it is JSON.
    pub fn json(&self) -> Option<Json> {
        serde_json::from_slice(self.body.as_ref()?).ok()
    }

    /// A header's value, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}
