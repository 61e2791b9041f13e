//! What one piece of evidence says of one requirement.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::exchange::Exchange;
use crate::exchange::excerpt::cut_apart;
use crate::expression::Operand;

/// Why a rule was not tried: there was no response that it speaks of.
pub(crate) const APPLIES_TO_NONE: &str = "it applies to no response of this run";

/// What one piece of evidence says of one requirement.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The requirement, by its place in the contract.
    pub requirement: usize,
    /// Where the evidence comes from; findings are sorted by it.
    pub trial: String,
    /// The number of the exchange, where it is about one alone.
    pub exchange: Option<u64>,
    /// The finding.
    pub found: Found,
}

/// What a piece of evidence says.
#[derive(Clone, Debug)]
pub enum Found {
    /// The requirement held.
    Holds,
    /// It did not.
    Broken(Arc<Counterexample>),
    /// It cannot be decided: the reason, and the exchanges.
    Unknown(String, Vec<Arc<Exchange>>),
    /// It could not be tried here: the reason.
    Skipped(String),
    /// A gateway error, which may be fair: only all of them together show that.
    Gateway(Arc<Exchange>),
    /// A value that must not come twice.
    Unique(String, Arc<Exchange>),
    /// What a probe saw.
    Observed(Json),
    /// A request on one side of what the requirement says, and whether the server did what is expected there.
    /// This is no evidence by itself: the refusal of a valid request may have any reason.
    Sent(Side, bool),
}

/// A side of what a part of the schema or a constraint says of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Valid requests with a value that it speaks of: they must be accepted.
    Accepted,
    /// Requests that break it alone: they must be rejected.
    Rejected,
}

/// What is expected for an invalid request.
pub const REFUSAL: &str = "a refusal (4xx)";

/// How a requirement was broken.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// The row of the table, or what was tried, in a few words.
    pub label: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub actual: String,
    /// The part of the expression that failed, if there is one.
    pub clause: Option<String>,
    /// Where the two sides of a comparison of objects or lists differ.
    pub differences: Vec<Difference>,
    /// What it read.
    pub operands: Vec<Operand>,
    /// The place of the wrong value in the body of the last response, as a JSON Pointer.
    pub wrong: Option<String>,
    /// The exchanges in the order in which they were sent, except that the one that failed comes last.
    pub exchanges: Vec<Arc<Exchange>>,
}

impl Counterexample {
    /// What was expected and what came, shown by one exchange.
    pub fn of(expected: String, actual: String, exchange: Arc<Exchange>) -> Self {
        Self {
            label: String::new(),
            expected,
            actual,
            clause: None,
            differences: Vec::new(),
            operands: Vec::new(),
            wrong: None,
            exchanges: vec![exchange],
        }
    }
}

/// A place where two JSON values differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// JSON Pointer.
    pub at: String,
    /// The expected value there; None if there is none.
    pub expected: Option<Json>,
    /// The actual value there; None if there is none.
    pub actual: Option<Json>,
}

/// How many differences are kept.
const DIFFERENCES: usize = 10;

/// Where two objects or lists differ; empty for other values, whose difference is obvious.
pub fn differences(expected: Option<&Json>, actual: Option<&Json>) -> Vec<Difference> {
    let (Some(expected), Some(actual)) = (expected, actual) else { return Vec::new() };
    let nested = |json: &Json| json.is_object() || json.is_array();
    if !nested(expected) || !nested(actual) {
        return Vec::new();
    }
    let mut all: Vec<Difference> = json_patch::diff(expected, actual)
        .iter()
        .map(|operation| {
            let at = operation.path().to_string();
            Difference { expected: expected.pointer(&at).cloned(), actual: actual.pointer(&at).cloned(), at }
        })
        .collect();
    all.sort_by(|a, b| a.at.cmp(&b.at));
    all.truncate(DIFFERENCES);
    all
}

/// A JSON value for a message, cut short.
pub fn short(value: Option<&Json>) -> String {
    let text = value.map_or_else(|| "nothing".to_owned(), Json::to_string);
    cut(&text, 200)
}

/// An expected value and an actual one for a message, each cut short around the place where they differ.
pub fn short_apart(expected: Option<&Json>, actual: Option<&Json>) -> (String, String) {
    let text = |value: Option<&Json>| value.map_or_else(|| "nothing".to_owned(), Json::to_string);
    cut_apart(&text(expected), &text(actual), 200)
}

/// A text cut to this number of characters.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}… ({} characters)", &text[..at], text.chars().count()),
        None => text.to_owned(),
    }
}
