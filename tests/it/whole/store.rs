//! A server that keeps records by their paths, as a test says.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;

use crate::support::server::{Answer, Request, Server};
use crate::support::{Ran, probity};

/// The token of those servers that ask for one.
pub const TOKEN: &str = "a-token-of-some-length";

/// What a server keeps.
pub type Records = BTreeMap<String, Value>;

/// A server that answers a request, given what it keeps, the path without its query, and the body as JSON.
pub fn store(
    kept: Records,
    answer: impl Fn(&mut Records, &Request, &str, &Value) -> Answer + Send + Sync + 'static,
) -> Server {
    let kept = Mutex::new(kept);
    Server::http(move |request| {
        let mut kept = kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let path = request.target.split('?').next().unwrap_or_default();
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
        let body = serde_json::from_slice(&request.body).unwrap_or_default();
        answer(&mut kept, request, &path, &body)
    })
}

/// A check of a server by a document.
pub fn check(server: &Server, document: &str, words: &str) -> Ran {
    let words = format!("check --seed 1 --document it.yaml --target {} {words}", server.url());
    probity(&words).file("it.yaml", document).env("PROBITY_TOKEN", TOKEN).run()
}

/// A record as an answer.
pub fn whole(status: u16, value: &Value) -> Answer {
    Answer::json(status, &value.to_string())
}

/// The record at a path, or that there is none.
pub fn found(kept: &Records, path: &str) -> Answer {
    kept.get(path).map_or_else(|| Answer::empty(404), |record| whole(200, record))
}

/// Whether a text has so many characters.
pub fn is_text(value: &Value, least: usize, most: usize) -> bool {
    value.as_str().is_some_and(|text| (least..=most).contains(&text.chars().count()))
}
