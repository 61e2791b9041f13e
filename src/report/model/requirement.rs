//! One requirement, and what the evidence says of it.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use crate::contract::requirement::Level;
use crate::exchange::excerpt::cut_apart;
use crate::judge::finding::cut;
use crate::judge::tally::{Sent, Verdict};
use crate::report::model::record::Exchange;
use crate::report::text::counted;

/// One requirement, and what the evidence says of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    /// Its stable id: area, slash, slug; before that operation and slash, where the check is about several.
    pub id: String,
    /// The part of the id before the last slash, and behind the operation where it begins with one.
    pub area: String,
    /// What the id begins with where the check is about several operations: the operation that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Whether it is of an area whose failures do most harm: they are told first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub foremost: bool,
    /// How binding it is; null for probes, which only observe.
    pub level: Option<Level>,
    /// One sentence.
    pub text: String,
    /// What it rests on.
    pub source: String,
    /// Where it is written: `file:line` for cases, a JSON Pointer into the document otherwise.
    pub origin: String,
    /// The line of a file that says so: of the case, or of the document.
    #[serde(default)]
    pub place: Option<Place>,
    /// How it is tested.
    pub form: Form,
    /// Whether this run was about it.
    pub selected: bool,
    /// What the evidence says; `untested` where the run did not include it.
    pub verdict: Verdict,
    /// Why it is inconclusive, skipped or untested, in a line, with what to add.
    pub reason: Option<String>,
    /// The evidence, counted.
    pub counts: Counts,
    /// Counterexamples, the most telling first; not all, see [`Requirement::more_failures`].
    pub failures: Vec<Failure>,
    /// How many counterexamples there were beside those in `failures`.
    pub more_failures: u64,
    /// The requirement under which its failure is told: the cause is probably one.
    #[serde(default)]
    pub cause: Option<String>,
    /// What came of sending what failed again.
    #[serde(default)]
    pub again: Option<Again>,
    /// The most requests that a step of its trials had under way at once; null where it has no trials of its own.
    #[serde(default)]
    pub at_once: Option<u64>,
    /// The numbers of the exchanges that it was judged on one by one, as ranges: `0-17 19`; of very
    /// many the first. Those of its own trials are known by their names.
    #[serde(default)]
    pub evidence: String,
    /// Which fields of the body it speaks of, and which side of it was tried; null for what does
    /// not say which bodies are valid.
    #[serde(default)]
    pub coverage: Option<Coverage>,
    /// What could not be told, where the verdict is `inconclusive`.
    pub doubt: Option<Doubt>,
    /// One of the gateway errors that were few enough to be fair; shown where those of several parts together are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Box<Failure>>,
    /// What a probe saw, by value.
    pub observations: Vec<Observation>,
}

impl Requirement {
    /// What reports show it under: the operation where there are several, the area otherwise.
    pub fn group(&self) -> &str {
        self.operation.as_deref().unwrap_or(&self.area)
    }
}

/// What a part of the document's schema or a constraint says of bodies, and what of it was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The fields: JSON Pointers, `*` for any item of a list, one empty pointer for the body itself.
    pub fields: Vec<String>,
    /// What it says: keyword and value (`maximum: 100`), or an expression.
    pub says: String,
    /// Valid requests with such a field.
    pub accepted: Sent,
    /// Requests that break this alone.
    pub rejected: Sent,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file as it was named: relative to the folder of the run, or absolute.
    pub file: String,
    /// The line, counted from 1.
    pub line: u64,
}

/// How a requirement is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// What a request must keep.
    Constraint,
    /// What holds on every exchange that it can speak to.
    Rule,
    /// What holds between the exchanges of some steps.
    Scenario,
    /// What is noted down.
    Probe,
    /// A part of the request's schema.
    Schema,
    /// What holds of every exchange of any operation.
    Always,
    /// What holds between operations on the same records.
    Law,
}

/// What came of sending what failed again: steady if it failed each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// How often it was sent again.
    pub sent: u64,
    /// How often it failed again.
    pub broken: u64,
}

/// A place where what was due and what came differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// JSON Pointer.
    pub at: String,
    /// What was due there; missing where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<serde_json::Value>,
    /// What came; missing where nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<serde_json::Value>,
}

/// The evidence on one requirement, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// How often it held.
    pub holds: u64,
    /// How often it was broken.
    pub broken: u64,
    /// How many requests were sent until one broke it, that one included; null if none did.
    pub until_broken: Option<u64>,
    /// How often it could not be told.
    pub unknown: u64,
    /// How often it could not be tried.
    pub skipped: u64,
    /// Trials that were planned and not carried out.
    pub left_out: u64,
}

/// One counterexample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The trial that showed it.
    pub trial: String,
    /// What was tried, in a few words; may be empty.
    pub label: String,
    /// What was due.
    pub expected: String,
    /// What came.
    pub actual: String,
    /// The part of the expression that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// Where the two sides of a comparison of objects or lists differ.
    #[serde(default)]
    pub differences: Vec<Difference>,
    /// What it read.
    pub operands: Vec<Operand>,
    /// Whether it was found by looking for the smallest request that still fails.
    pub smallest: bool,
    /// The exchanges in the order in which they were sent; the last is the one that failed.
    pub exchanges: Vec<Exchange>,
    /// Commands for bash that send the requests again, one a line: at most three.
    pub curl: Vec<String>,
    /// Commands for bash that send the requests as they were sent, where one command does not: several, at once, with
    /// pauses, or with instants that pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// Where in the body of the last answer the wrong value stands, by JSON Pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong: Option<String>,
    /// The command that runs only this requirement again.
    pub rerun: String,
}

impl Failure {
    /// The differences, where what was due is a whole object or list: they say more than it does.
    pub fn compared(&self) -> &[Difference] {
        if self.expected.starts_with(['{', '[']) { &self.differences } else { &[] }
    }
}

/// A path that an expression read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operand {
    /// The path as written.
    pub path: String,
    /// What stood there; left out where nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub value: Option<Json>,
}

/// A value that is there, even if it is null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

/// Evidence that tells nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Doubt {
    /// The trial.
    pub trial: String,
    /// The exchanges, at most the last three.
    pub exchanges: Vec<Exchange>,
}

/// A fact about undocumented behaviour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// What was seen.
    pub value: Json,
    /// How often.
    pub count: u64,
}

impl Requirement {
    /// What is wrong with it, in a line: what was due and what came, or why nothing is known; empty where it held.
    pub fn trouble(&self) -> String {
        self.trouble_within(usize::MAX)
    }

    /// The same in about so many characters: of what was due and of what came, that is seen in which they differ.
    pub fn trouble_within(&self, most: usize) -> String {
        let Some(failure) = self.failures.first() else { return cut(self.reason.as_deref().unwrap_or_default(), most) };
        let side = |value: &Option<Json>| value.as_ref().map_or_else(|| "nothing".to_owned(), Json::to_string);
        let (place, expected, actual) = match failure.compared() {
            [] => (String::new(), failure.expected.clone(), failure.actual.clone()),
            [first, rest @ ..] => {
                let more = if rest.is_empty() {
                    String::new()
                } else {
                    format!(" and at {}", counted(rest.len() as u64, "other place"))
                };
                (format!(" at {}{more}", first.at), side(&first.expected), side(&first.actual))
            }
        };
        // The words between them take some room, too.
        let half = most.saturating_sub(60 + place.len()) / 2;
        let (expected, actual) = match expected.len() + actual.len() <= half.saturating_mul(2) {
            true => (expected, actual),
            false => cut_apart(&expected, &actual, half.max(20)),
        };
        format!("expected {expected}{place}, got {actual}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::sample;

    #[test]
    fn what_came_is_seen_in_a_short_line() {
        let mut requirement = sample().requirement("response/name-as-sent").unwrap().clone();
        let failure = &mut requirement.failures[0];
        failure.differences.clear();
        failure.expected = format!("\"{}1\"", "x".repeat(500));
        failure.actual = format!("\"{}2\"", "x".repeat(500));
        let line = requirement.trouble_within(200);
        assert!(line.contains("x1\"") && line.contains("x2\"") && line.chars().count() < 220, "{line}");
        requirement.failures[0].expected = "{}".into();
        requirement.failures[0].differences =
            ["/a", "/b"].map(|at| Difference { at: at.into(), expected: Some(1.into()), actual: None }).into();
        assert_eq!(requirement.trouble(), "expected 1 at /a and at 1 other place, got nothing");
    }
}
