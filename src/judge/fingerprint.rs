//! What failures of one cause have in common.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::finding::Counterexample;

/// What tells of a counterexample whether it is another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// The numbers of its exchanges.
    pub(super) exchanges: Vec<u64>,
    /// What was not so between request and response, and where, whatever the steps are called.
    pub(super) relation: Option<String>,
    /// A digest of the answer, where that was a refusal.
    pub(super) refusal: Option<u64>,
}

impl Fingerprint {
    pub(super) fn of(counterexample: &Counterexample) -> Self {
        let refusal = counterexample.exchanges.last().and_then(|e| e.response()).filter(|r| r.status >= 400).map(|r| {
            let mut hasher = DefaultHasher::new();
            (r.status, &r.body).hash(&mut hasher);
            hasher.finish()
        });
        Self {
            exchanges: counterexample.exchanges.iter().map(|e| e.number).collect(),
            relation: relation(counterexample),
            refusal,
        }
    }
}

/// The clause that failed without the names of steps, and the places where its sides differ.
fn relation(counterexample: &Counterexample) -> Option<String> {
    let mut text = counterexample.clause.clone()?;
    let mut of_response = false;
    for operand in &counterexample.operands {
        let half = ["response.", "request."].iter().find_map(|half| operand.path.find(half));
        let Some(at) = half else { continue };
        of_response |= operand.path[at..].starts_with("response.");
        text = text.replace(&operand.path, &operand.path[at..]);
    }
    let places: Vec<&str> = counterexample.differences.iter().map(|d| d.at.as_str()).collect();
    of_response.then(|| format!("{text} {}", places.join(" ")))
}
