//! What one piece of evidence says of one requirement.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::expression::Operand;
use crate::target::exchange::Exchange;

/// What one piece of evidence says of one requirement.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The requirement, by its place in the contract.
    pub requirement: usize,
    /// Where the evidence comes from; findings are sorted by it.
    pub trial: String,
    /// What it says.
    pub found: Found,
}

/// What a piece of evidence says.
#[derive(Clone, Debug)]
pub enum Found {
    /// The requirement held.
    Holds,
    /// It did not.
    Broken(Arc<Breach>),
    /// It cannot be told. Why, and on what.
    Unknown(String, Vec<Arc<Exchange>>),
    /// It could not be tried here. Why.
    Skipped(String),
    /// A value that must not come twice.
    Unique(String, Arc<Exchange>),
    /// What a probe saw.
    Observed(Json),
}

/// How a requirement was broken.
#[derive(Clone, Debug)]
pub struct Breach {
    /// The row of the table, or what was tried, in a few words.
    pub label: String,
    /// What was due.
    pub expected: String,
    /// What came.
    pub actual: String,
    /// The part of the expression that failed, if there is one.
    pub clause: Option<String>,
    /// What it read.
    pub operands: Vec<Operand>,
    /// The exchanges, in the order in which they were sent; the last is the one that failed.
    pub exchanges: Vec<Arc<Exchange>>,
}

/// A JSON value for a message, cut short.
pub fn short(value: Option<&Json>) -> String {
    let text = value.map_or_else(|| "nothing".to_owned(), Json::to_string);
    cut(&text, 200)
}

/// A text cut to so many characters.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}… ({} characters)", &text[..at], text.chars().count()),
        None => text.to_owned(),
    }
}
