//! What failures with one cause have in common.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::finding::{Counterexample, REFUSAL};

/// The properties of a counterexample that show whether it has the same cause as another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// The number of the exchange that failed.
    pub(super) telling: Option<u64>,
    /// What was wrong between request and response, and where, regardless of the steps' names.
    pub(super) relation: Option<String>,
    /// A digest of the response, if that was a refusal.
    pub(super) refusal: Option<u64>,
    /// Whether a refusal was expected, and the request was accepted.
    pub(super) open_door: bool,
    /// What is wrong: the missing property, or the place.
    pub(super) says: Option<String>,
    /// What it read.
    read: Vec<String>,
}

impl Fingerprint {
    pub(super) fn of(counterexample: &Counterexample) -> Self {
        let last = counterexample.exchanges.last();
        let response = last.and_then(|e| e.response());
        let refusal = response.filter(|r| r.status >= 400).map(|r| {
            let mut hasher = DefaultHasher::new();
            (r.status, &r.body).hash(&mut hasher);
            hasher.finish()
        });
        let is_accepted = response.is_some_and(|r| (200..300).contains(&r.status));
        Self {
            telling: last.map(|e| e.number),
            relation: relation(counterexample),
            refusal,
            open_door: is_accepted && counterexample.expected.starts_with(REFUSAL),
            says: counterexample.clause.is_none().then(|| place(&counterexample.expected)).flatten(),
            read: counterexample.operands.iter().map(|o| o.path.clone()).collect(),
        }
    }

    /// Whether it may follow from what is missing or wrong in a body.
    pub(super) fn reads(&self, name: &str) -> bool {
        self.read.iter().any(|path| path.split(['.', '[', ']']).any(|part| part.trim_matches(['"', '\'']) == name))
    }
}

/// The property that an expectation on a body's form names: `the body with `id`, as …`, `/owner/id as …`.
fn place(expected: &str) -> Option<String> {
    if let Some((_, rest)) = expected.split_once(" with `") {
        return rest.split_once('`').map(|(name, _)| name.to_owned());
    }
    let pointer = expected.split(' ').next().filter(|first| first.starts_with('/'))?;
    pointer.rsplit('/').find(|part| part.parse::<u64>().is_err()).map(str::to_owned)
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
