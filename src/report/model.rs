//! The report: everything that a run showed, in the shape of `report.json`.
//!
//! The shape is published as [`super::SCHEMA`]. Readers ignore keys that they do not know; a change
//! that they could not live with raises [`VERSION`]. Lists are sorted, so that two runs with one
//! seed differ only in times, ids and the run's mark.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use super::summary::Summary;
use crate::contract::requirement::Level;
use crate::judge::tally::Verdict;
pub use crate::plan::Shard;

pub use super::record::{Exchange, Failed, Request, Response};
pub use super::ruling::{Ruling, Weight};
pub use crate::judge::tally::Sent;

/// The version of the report's shape.
pub const VERSION: u32 = 1;

/// What the report calls the reference server that a check without a target starts.
pub const EMBEDDED_TARGET: &str = "embedded reference server";

/// What a run showed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of this shape: [`VERSION`].
    pub version: u32,
    /// What was run against what.
    pub header: Header,
    /// Every requirement of the contract, by id.
    pub requirements: Vec<Requirement>,
    /// Figures of the whole run.
    pub figures: Figures,
    /// Whether the server still answered at the end.
    pub standing: Standing,
    /// How many requirements have which verdict.
    pub summary: Summary,
    /// Whether the run came to its end, or why not.
    pub end: End,
    /// What came of removing what was created; null where that was not tried.
    #[serde(default)]
    pub cleanup: Option<Cleanup>,
    /// What the gate made of it; null where nothing was decided yet.
    #[serde(default)]
    pub ruling: Option<Ruling>,
}

/// What came of removing what was created, by this run and by earlier ones of which the list still told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleanup {
    /// How many records are gone.
    pub removed: u64,
    /// Those that are still there, or may be.
    pub left: Vec<LeftBehind>,
}

/// A record that is still there, or may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftBehind {
    /// What the server calls it; null where it did not say.
    pub id: Option<String>,
    /// The mark of the run that created it.
    pub mark: String,
    /// The trial, and its step, on whose behalf it was created.
    pub trial: String,
    /// Why it is there.
    pub reason: String,
}

/// What was run against what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// This program.
    pub tool: Tool,
    /// The contract.
    pub contract: Contract,
    /// The target's base URL, or [`EMBEDDED_TARGET`].
    pub target: String,
    /// The run's seed: the same seed makes the same requests.
    pub seed: u64,
    /// What marks everything that this run made.
    pub mark: String,
    /// When it began, by our clock: RFC 3339, UTC, milliseconds.
    pub started: String,
    /// The variables that hold tokens; wherever a text says `${NAME}`, the token stood.
    pub variables: Vec<String>,
    /// How it was run.
    pub options: Options,
    /// The command that checks this target again, without seed and selection; empty where it is not known.
    #[serde(default)]
    pub command: String,
}

/// A program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The contract that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// Its name.
    pub name: String,
    /// SHA-256 of the document and the cases, in hexadecimal.
    pub hash: String,
    /// The document's file.
    pub document: String,
    /// The operation's id.
    pub operation_id: String,
    /// The operation's method, in capitals.
    pub method: String,
    /// The operation's path, with its parameters in braces.
    pub path: String,
}

/// How a run was carried out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// How many random requests the shared pool had.
    pub examples: u64,
    /// How many requests were allowed.
    pub max_requests: u64,
    /// After how many failed requirements nothing more was sent.
    pub max_failures: Option<u64>,
    /// How many records it was allowed to create.
    #[serde(default)]
    pub max_created: Option<u64>,
    /// How long it was allowed to take, in milliseconds.
    #[serde(default)]
    pub max_duration_ms: Option<u64>,
    /// The least time from one request to the next, in milliseconds.
    #[serde(default)]
    pub rate_ms: Option<f64>,
    /// How many requests were under way at most.
    pub concurrency: u64,
    /// The time limit of a request, in milliseconds.
    pub timeout_ms: u64,
    /// Whether any certificate was believed.
    #[serde(default)]
    pub insecure: bool,
    /// Patterns of the ids that were asked for; none for all.
    pub only: Vec<String>,
    /// Patterns of the ids that were left out.
    pub skip: Vec<String>,
    /// Whether nothing was sent, and recorded traffic was judged.
    #[serde(default)]
    pub recorded: bool,
    /// Which part of a run this is; null where it is the whole.
    #[serde(default)]
    pub shard: Option<Shard>,
}

/// One requirement, and what the evidence says of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    /// Its stable id: area, slash, slug.
    pub id: String,
    /// The part of the id before the slash.
    pub area: String,
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
    /// What the evidence says; `untested` where the run was not about it.
    pub verdict: Verdict,
    /// Why it is inconclusive, skipped or untested, in a line, with what to add.
    pub reason: Option<String>,
    /// The evidence, counted.
    pub counts: Counts,
    /// Breaches, the most telling first; not all, see [`Requirement::more_failures`].
    pub failures: Vec<Failure>,
    /// How many breaches there were beside those in `failures`.
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
    /// What a probe saw, by value.
    pub observations: Vec<Observation>,
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

/// One breach.
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
    /// The command that runs only this requirement again.
    pub rerun: String,
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

/// Figures of a run. Times are in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Requests that were sent, repetitions included.
    pub requests: u64,
    /// Repetitions, after a broken connection or when asked to wait.
    pub retries: u64,
    /// Requests that were accepted.
    pub accepted: u64,
    /// Records that were created, as far as the answers tell.
    #[serde(default)]
    pub created: u64,
    /// Requests without an answer, or answered with a server error, that may have created one.
    #[serde(default)]
    pub uncertain: u64,
    /// How long all waited because the server asked for it.
    pub waited_ms: u64,
    /// How long the run took.
    pub elapsed_ms: u64,
    /// How long answers took; null where nothing was sent.
    pub latency: Option<Latency>,
    /// The requirements whose requests took longest, the slowest first; `pool` for the shared pool.
    #[serde(default)]
    pub slowest: Vec<Slow>,
    /// The most requests that were under way at once.
    pub most_at_once: u64,
    /// The server's clock minus ours; null where it did not tell.
    pub clock: Option<ClockDifference>,
}

/// A requirement and its slowest answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slow {
    /// The requirement's id; `pool` for the shared pool.
    pub requirement: String,
    /// How long its slowest answer took, in milliseconds.
    pub max_ms: f64,
}

/// How long answers took, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of them took no longer.
    pub p50_ms: f64,
    /// Nine in ten took no longer.
    pub p90_ms: f64,
    /// 99 in a hundred took no longer.
    pub p99_ms: f64,
    /// None took longer.
    pub max_ms: f64,
}

/// The server's clock minus ours lies between these, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockDifference {
    /// Not less.
    pub low_ms: i64,
    /// Not more.
    pub high_ms: i64,
}

/// Whether the server still answered a valid request at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whether it did.
    pub state: StandingState,
    /// What came instead, if it did not.
    pub answer: Option<String>,
}

/// Whether the server still answered a valid request at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandingState {
    /// It did.
    Yes,
    /// It did not.
    No,
    /// It was not asked.
    NotAsked,
}

/// The report's footer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Whether all that was planned was done.
    pub complete: bool,
    /// What kept it from that, for programs; null where nothing did.
    pub cause: Option<Cause>,
    /// What kept it from that, for people: what happened and what to do.
    pub reason: Option<String>,
    /// Whether the target did not get past the first requests: nothing is known of it.
    pub first_contact_failed: bool,
}

/// What keeps a run from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// No connection, or nothing that speaks HTTP.
    Unreachable,
    /// The target does not let us in.
    Refused,
    /// The server kept asking to wait.
    Throttled,
    /// A token cannot be had, or no longer works.
    Token,
    /// Someone ended it.
    Interrupted,
    /// As many requirements failed as were allowed to.
    MaxFailures,
    /// As many requests were sent as were allowed.
    MaxRequests,
    /// As many records were created as were allowed.
    MaxCreated,
    /// It took as long as it was allowed to.
    MaxDuration,
    /// A defect of this program.
    Defect,
}

impl Cause {
    /// All causes.
    pub const ALL: [Self; 10] = [
        Self::Unreachable,
        Self::Refused,
        Self::Throttled,
        Self::Token,
        Self::Interrupted,
        Self::MaxFailures,
        Self::MaxRequests,
        Self::MaxCreated,
        Self::MaxDuration,
        Self::Defect,
    ];
}

impl Requirement {
    /// What is wrong with it, in a line: what was due and what came, or why nothing is known; empty where it held.
    pub fn trouble(&self) -> String {
        match self.failures.first() {
            Some(failure) => format!("expected {}, got {}", failure.expected, failure.actual),
            None => self.reason.clone().unwrap_or_default(),
        }
    }
}

impl Report {
    /// The requirement with this id.
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.requirements.binary_search_by(|r| r.id.as_str().cmp(id)).ok().and_then(|i| self.requirements.get(i))
    }

    /// The requirements that the run was about.
    pub fn selected(&self) -> impl Iterator<Item = &Requirement> {
        self.requirements.iter().filter(|r| r.selected)
    }

    /// Those of them that were broken, musts first, then by id.
    pub fn failed(&self) -> Vec<&Requirement> {
        let mut failed: Vec<_> = self.selected().filter(|r| r.verdict == Verdict::Fail).collect();
        failed.sort_by_key(|r| r.level);
        failed
    }
}
