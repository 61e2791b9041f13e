//! A requirement on a server, and the forms that it may take.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::part::Part;
use super::steps::Step;
use super::template::Template;
use crate::expression::Expression;
use crate::source::Place;

/// How binding a requirement is, in the words of RFC 2119.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A server that breaks it does not conform.
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

/// A requirement on a server, or a probe of its behaviour.
#[derive(Debug)]
pub struct Requirement {
    /// Its stable id: area, slash, slug.
    pub id: String,
    /// How binding it is; None for probes, which only observe.
    pub level: Option<Level>,
    /// One sentence.
    pub text: String,
    /// Its source, as the case cites it.
    pub source: String,
    /// Where it comes from.
    pub origin: Origin,
    /// How it is tested.
    pub form: Form,
}

impl Requirement {
    /// The part of the id before the slash.
    pub fn area(&self) -> &str {
        self.id.rsplit('/').nth(1).unwrap_or_default()
    }

    /// The operation that its id begins with, where a contract is one of several.
    pub fn operation(&self) -> Option<&str> {
        let (operation, rest) = self.id.split_once('/')?;
        rest.contains('/').then_some(operation)
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
    /// A condition on requests: a request that breaks only this must be rejected.
    Constraint(Expression),
    /// A condition on every fresh exchange that it applies to.
    Rule(Rule),
    /// A condition between the exchanges of some steps.
    Scenario(Scenario),
    /// An observation.
    Probe(Probe),
    /// A part of the request's schema: a request that breaks only this must be rejected, and one at its
    /// edge must be accepted. The field is the JSON Pointer of the keyword in the translated schema, in which
    /// every reference is followed.
    Schema(Part),
    /// The same for a parameter of the operation, counted from 0. Its presence is the part `/required`.
    Parameter(usize, Part),
    /// A condition on every exchange of any operation.
    Always(Always),
    /// The same for an operation that steps call, by its place among those.
    Called(usize, Always),
    /// A condition between this operation and others on the same records.
    Law(Law),
}

/// A condition between operations on the same records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// What was created is read as it was answered.
    ReadBack,
    /// What an update answers is what is read afterwards.
    Updated,
    /// What was deleted is not read any more.
    Gone,
    /// To delete a record again is no server error.
    GoneTwice,
    /// A deletion is refused without credentials, or, if this is set, with broken ones.
    Guarded(bool),
    /// An unknown id is refused.
    Unknown,
    /// What was created stands in the list.
    Listed,
    /// A list has at most as many items as this parameter says, counted from 0.
    Limit(usize),
    /// A list has only items with the value of this parameter, counted from 0.
    Filter(usize),
}

impl Form {
    /// Whether it is judged on all exchanges of a run, and has no requests of its own.
    pub fn is_fed(&self) -> bool {
        match self {
            Self::Rule(_) | Self::Always(_) => true,
            // It is judged on what scenarios send.
            Self::Called(..) => false,
            Self::Probe(probe) => probe.steps.is_empty(),
            Self::Constraint(_) | Self::Schema(_) | Self::Parameter(..) | Self::Scenario(_) | Self::Law(_) => false,
        }
    }

    /// The condition that every exchange of an operation must meet, if it is one.
    pub fn always(&self) -> Option<Always> {
        match self {
            Self::Always(always) | Self::Called(_, always) => Some(*always),
            _ => None,
        }
    }

    /// The steps of its trials; none for a form without trials.
    pub fn steps(&self) -> &[Step] {
        match self {
            Self::Scenario(scenario) => &scenario.steps,
            Self::Probe(probe) => &probe.steps,
            _ => &[],
        }
    }

    /// What must have happened in its steps, for it to say anything.
    pub fn given(&self) -> Option<&Expression> {
        match self {
            Self::Scenario(scenario) => scenario.given.as_ref(),
            Self::Probe(probe) => probe.given.as_ref(),
            _ => None,
        }
    }

    /// Whether one of its steps calls the operation at this place among those that steps may call.
    pub fn calls(&self, place: usize) -> bool {
        self.steps().iter().flat_map(|step| &step.sends).any(|send| send.call == Some(place))
    }

    /// The table that its trials run over.
    pub fn rows(&self) -> Option<&Rows> {
        match self {
            Self::Scenario(scenario) => scenario.rows.as_deref(),
            Self::Probe(probe) => probe.rows.as_deref(),
            _ => None,
        }
    }

    /// Whether another requirement is judged by the same trials.
    pub fn shares_trials(&self, other: &Self) -> bool {
        let (steps, others) = (self.steps(), other.steps());
        !steps.is_empty() && std::ptr::eq(steps, others)
    }

    /// The form's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Constraint(_) => "constraint",
            Self::Rule(_) => "rule",
            Self::Scenario(_) => "scenario",
            Self::Probe(_) => "probe",
            Self::Schema(_) | Self::Parameter(..) => "schema",
            Self::Always(_) | Self::Called(..) => "always",
            Self::Law(_) => "law",
        }
    }
}

/// A condition on every exchange of any operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Always {
    /// Every request gets a complete HTTP response within the time limit.
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
    /// A documented response has its required headers.
    Headers(ResponseOf),
    /// The headers of a documented response match their schemas.
    HeaderValues(ResponseOf),
    /// The body of a documented response has no write-only property.
    WriteOnly(ResponseOf),
    /// The body of a documented response matches exactly one alternative of each `oneOf`.
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
    /// Whether a server may conform without ever sending this response.
    pub optional: bool,
}

/// A condition on every fresh exchange that it applies to.
#[derive(Debug)]
pub struct Rule {
    /// Which requests it applies to.
    pub filter: Option<Expression>,
    /// Which responses it applies to; None stands for `accepted`.
    pub when: Option<Expression>,
    /// What must hold.
    pub expect: Option<Expression>,
    /// A value that must never come twice.
    pub unique: Option<Expression>,
}

/// A condition between the exchanges of some steps.
#[derive(Debug)]
pub struct Scenario {
    /// Its table.
    pub rows: Option<Arc<Rows>>,
    /// The requests. Another requirement may be judged by the same.
    pub steps: Arc<Vec<Step>>,
    /// The precondition without which a trial shows nothing.
    pub given: Option<Expression>,
    /// What must hold.
    pub expect: Expression,
}

/// An observation.
#[derive(Debug)]
pub struct Probe {
    /// Its table.
    pub rows: Option<Arc<Rows>>,
    /// The requests; none if it looks at every fresh exchange. Another requirement may be judged by the same.
    pub steps: Arc<Vec<Step>>,
    /// Which requests it applies to, without steps.
    pub filter: Option<Expression>,
    /// The precondition of a trial, with steps.
    pub given: Option<Expression>,
    /// Which responses it applies to, without steps; None stands for `accepted`.
    pub when: Option<Expression>,
    /// The observed value.
    pub observe: Expression,
}

/// A table.
#[derive(Debug)]
pub enum Rows {
    /// Rows as written.
    List(Vec<Row>),
    /// The items of a list that an expression yields.
    Cel(Box<Expression>),
    /// The contexts in which valid requests are sent.
    Contexts {
        /// How many of them at most; all if there is none.
        most: Option<usize>,
    },
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
    /// Its id, of the same form as those of requirements.
    pub id: String,
    /// One sentence.
    pub text: String,
    /// True on the requests that are left to the server.
    pub when: Expression,
}

/// A short text for a row without a label.
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
