//! What was run against what.

use serde::{Deserialize, Serialize};

use crate::plan::Shard;
use crate::report::model::subject::Subject;

/// What was run against what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// This program.
    pub tool: Tool,
    /// The contract.
    pub contract: Contract,
    /// The target's base URL, or [`EMBEDDED_TARGET`](crate::report::model::EMBEDDED_TARGET).
    pub target: String,
    /// The run's seed: the same seed makes the same requests.
    pub seed: u64,
    /// What marks everything that this run made.
    #[serde(alias = "mark")]
    pub run_tag: String,
    /// When it began, by our clock: RFC 3339, UTC, milliseconds.
    pub started: String,
    /// The variables that hold tokens; wherever a text says `${NAME}`, the token stood.
    pub variables: Vec<String>,
    /// How it was run.
    pub options: Options,
    /// The command that checks this target again, without seed and selection; empty where it is not known.
    #[serde(default)]
    pub command: String,
    /// What was tested, where CI or the command line names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
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
    /// Where there are several, the operations by their ids, in the order in which they were tried. The operation's own id,
    /// method and path are empty then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<String>,
    /// Those of them that were not reached: they were not called, or the first valid request was refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_reached: Vec<String>,
    /// What of the document is not supported, and so was left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsupported: Vec<UnsupportedPart>,
}

/// A part of an operation that is not supported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsupportedPart {
    /// The operation's id.
    pub operation: String,
    /// What it is, why it is left out, and where it stands, in a line.
    pub part: String,
}

impl Contract {
    /// What requirements are shown under.
    pub fn grouping(&self) -> &'static str {
        if self.operations.is_empty() { "area" } else { "operation" }
    }

    /// What was checked, in a few words: a method and a path, or a number of operations.
    pub fn subject(&self) -> String {
        match self.operations.len() {
            0 | 1 => format!("{} {}", self.method, self.path),
            n => format!("{n} operations of {}", self.document),
        }
    }
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
    /// Whether any certificate was accepted.
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
    /// Whether only what finds most for few requests was tried; the rest is not selected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quick: bool,
}
