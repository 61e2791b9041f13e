//! What a server owes: one requirement, and the forms that it may take.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::steps::Step;
use super::template::Template;
use crate::expression::Expression;
use crate::source::Place;

/// How binding a requirement is, in the words of RFC 2119.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing that breaks it conforms.
    Must,
    /// Breaking it needs a good reason.
    Should,
    /// Left to the server.
    May,
}

impl Level {
    /// The level's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::May => "may",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One thing that a server owes, or that is asked of it out of interest.
#[derive(Debug)]
pub struct Requirement {
    /// Its stable id: area, slash, slug.
    pub id: String,
    /// How binding it is; None for probes, which only observe.
    pub level: Option<Level>,
    /// One sentence.
    pub text: String,
    /// What it rests on.
    pub source: String,
    /// Where it comes from.
    pub origin: Origin,
    /// How it is tested.
    pub form: Form,
}

impl Requirement {
    /// The part of the id before the slash.
    pub fn area(&self) -> &str {
        self.id.split_once('/').map_or("", |(area, _)| area)
    }
}

/// Where a requirement comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A case, at this place.
    Declared(Place),
    /// The document, at this JSON Pointer.
    Derived(String),
}

/// How a requirement is tested.
#[derive(Debug)]
pub enum Form {
    /// What a request must keep: a request that breaks only this must be rejected.
    Constraint(Expression),
    /// What holds on every fresh exchange that it can speak to.
    Rule(Rule),
    /// What holds between the exchanges of some steps.
    Scenario(Scenario),
    /// What is noted down.
    Probe(Probe),
    /// A part of the request's schema: what breaks only this must be rejected, what lies at its
    /// edge must be accepted. The JSON Pointer of the keyword in the translated schema, in which
    /// every reference is followed.
    Schema(String),
    /// The same of a parameter of the operation, counted from 0. That it is there is the part `/required`.
    Parameter(usize, String),
    /// What holds of every exchange of any operation.
    Always(Always),
}

impl Form {
    /// Whether it is judged on whatever a run sends, and has no requests of its own.
    pub fn is_fed(&self) -> bool {
        match self {
            Self::Rule(_) | Self::Always(_) => true,
            Self::Probe(probe) => probe.steps.is_empty(),
            Self::Constraint(_) | Self::Schema(_) | Self::Parameter(..) | Self::Scenario(_) => false,
        }
    }

    /// The steps of its trials; none for what has no trials.
    pub fn steps(&self) -> &[Step] {
        match self {
            Self::Scenario(scenario) => &scenario.steps,
            Self::Probe(probe) => &probe.steps,
            _ => &[],
        }
    }

    /// The table that its trials run over.
    pub fn rows(&self) -> Option<&Rows> {
        match self {
            Self::Scenario(scenario) => scenario.rows.as_ref(),
            Self::Probe(probe) => probe.rows.as_ref(),
            _ => None,
        }
    }

    /// The form's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Constraint(_) => "constraint",
            Self::Rule(_) => "rule",
            Self::Scenario(_) => "scenario",
            Self::Probe(_) => "probe",
            Self::Schema(_) | Self::Parameter(..) => "schema",
            Self::Always(_) => "always",
        }
    }
}

/// What holds of every exchange of any operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Always {
    /// Every request is answered in time with whole HTTP.
    Answered,
    /// No response is a server error.
    NoServerError,
    /// Every valid request is accepted.
    ValidAccepted,
    /// Every response to an accepted request has a documented status.
    DocumentedStatus,
    /// Every response to a refused request has a documented status.
    RefusalStatus,
    /// Every documented response has a documented media type; for JSON, one with the suffix `+json` will do.
    MediaType,
    /// The body of a documented response has its shape.
    Shape(ResponseOf),
    /// A documented response has the headers that it must have.
    Headers(ResponseOf),
    /// The headers of a documented response keep their schemas.
    HeaderValues(ResponseOf),
    /// The body of a documented response has nothing that is only sent.
    WriteOnly(ResponseOf),
    /// The body of a documented response matches one alternative where the document says one.
    OneAlternative(ResponseOf),
}

impl Always {
    /// The documented response that it speaks of, if it speaks of one.
    pub fn response(self) -> Option<ResponseOf> {
        match self {
            Self::Shape(of) | Self::Headers(of) | Self::HeaderValues(of) | Self::WriteOnly(of) => Some(of),
            Self::OneAlternative(of) => Some(of),
            _ => None,
        }
    }
}

/// A documented response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseOf {
    /// Its place in the document, counted from 0.
    pub index: usize,
    /// Whether a server may keep all else without ever answering so.
    pub optional: bool,
}

/// What holds on every fresh exchange that it can speak to.
#[derive(Debug)]
pub struct Rule {
    /// Of which requests it speaks.
    pub filter: Option<Expression>,
    /// Of which responses; None stands for `accepted`.
    pub when: Option<Expression>,
    /// What must hold.
    pub expect: Option<Expression>,
    /// A value that never comes twice.
    pub unique: Option<Expression>,
}

/// What holds between the exchanges of some steps.
#[derive(Debug)]
pub struct Scenario {
    /// The table it runs over.
    pub rows: Option<Rows>,
    /// The requests.
    pub steps: Vec<Step>,
    /// Without which nothing was shown.
    pub given: Option<Expression>,
    /// What must hold.
    pub expect: Expression,
}

/// What is noted down.
#[derive(Debug)]
pub struct Probe {
    /// The table it runs over.
    pub rows: Option<Rows>,
    /// The requests; none where it looks at every fresh exchange.
    pub steps: Vec<Step>,
    /// Of which requests it speaks, without steps.
    pub filter: Option<Expression>,
    /// Without which nothing was shown, with steps.
    pub given: Option<Expression>,
    /// Of which responses it speaks, without steps; None stands for `accepted`.
    pub when: Option<Expression>,
    /// What is noted.
    pub observe: Expression,
}

/// A table.
#[derive(Debug)]
pub enum Rows {
    /// Rows as written.
    List(Vec<Row>),
    /// The items of a list that an expression yields.
    Cel(Expression),
}

/// A row of a table.
#[derive(Debug)]
pub struct Row {
    /// What it is called in reports.
    pub label: Option<String>,
    /// Its values.
    pub value: Template,
}

/// A request that the contract leaves to the server.
#[derive(Debug)]
pub struct Open {
    /// Its id, in the manner of requirements.
    pub id: String,
    /// One sentence.
    pub text: String,
    /// Holds on the requests meant.
    pub when: Expression,
}

/// Short text for a row without a label.
pub fn row_label(row: &Json) -> String {
    let text = match row {
        Json::String(s) => s.clone(),
        Json::Object(map) => map.get("label").and_then(Json::as_str).map_or_else(|| row.to_string(), str::to_owned),
        other => other.to_string(),
    };
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
