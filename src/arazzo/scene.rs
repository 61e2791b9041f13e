//! What runtime expressions mean at a step: the exchanges of the steps so far, and the inputs.

use std::rc::Rc;

use super::cel::{Kind, Operand};
use super::file::{Arazzo, Workflow};
use super::inputs::Inputs;
use super::runtime::{Part, Runtime, steps};
use super::{Outcome, Trouble};
use crate::document::media::may_be_json;
use crate::document::operation::Operation;
use crate::document::parameter::ParameterLocation;
use crate::source::{Place, did_you_mean};

/// A step that has been translated.
#[derive(Debug)]
pub(super) struct Done {
    /// Its id in the Arazzo document.
    pub(super) id: String,
    /// Its name in expressions.
    pub(super) name: String,
    pub(super) operation: Rc<Operation>,
    /// The status codes that its criteria name; none if it is a success.
    pub(super) statuses: Vec<u16>,
    /// Its outputs, by name: a runtime expression each.
    pub(super) outputs: Vec<(String, String)>,
}

/// What expressions of a workflow see.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) arazzo: &'a Arazzo,
    pub(super) workflow: &'a Workflow,
    pub(super) inputs: &'a Inputs,
    /// The steps so far.
    pub(super) done: &'a [Done],
    /// The step whose request and response are meant, if it has been sent.
    pub(super) here: Option<usize>,
    /// Whether all steps are done that can be.
    pub(super) is_at_end: bool,
}

impl Scene<'_> {
    /// The value of a runtime expression, which stands at a place.
    pub(super) fn operand(&self, text: &str, place: &Place) -> Outcome<Operand> {
        let unsupported = |why: &str| Err(Trouble::Unsupported(format!("`{text}` {why}")));
        let wrong = |title: String, help: Option<String>| Err(Trouble::Wrong(place.error(title).help_if(help)));
        let Some(runtime) = Runtime::read(text) else {
            return unsupported("is not a runtime expression");
        };
        match runtime {
            Runtime::Input(rest) => match self.inputs.operand(rest) {
                Ok(operand) => Ok(operand),
                Err(name) => wrong(
                    format!("the workflow `{}` has no input `{name}`", self.workflow.name()),
                    did_you_mean(&name, self.inputs.names()).or(Some("describe it under `inputs`".to_owned())),
                ),
            },
            Runtime::Output(step, rest) => self.output(step, rest, place),
            Runtime::Source(name, "url") => match self.arazzo.source(name) {
                Some(source) => {
                    let url = source.url.string("`url`").unwrap_or_default();
                    Ok(Operand::of_kind(super::cel::quoted(url), Kind::Text))
                }
                None => wrong(
                    format!("no source description is named `{name}`"),
                    did_you_mean(name, self.arazzo.source_names()),
                ),
            },
            Runtime::Url => unsupported("is the whole URL, which the case language does not have"),
            Runtime::Source(..) | Runtime::Other(_) => unsupported("has no counterpart in the case language"),
            Runtime::StatusCode | Runtime::Method | Runtime::Request(_) | Runtime::Response(_) => {
                match self.here.and_then(|here| self.done.get(here)) {
                    Some(step) => of_exchange(step, &runtime).map_or_else(|| unsupported("leads nowhere"), Ok),
                    None => unsupported("stands where nothing has been sent yet"),
                }
            }
        }
    }

    /// An output of an earlier step.
    fn output(&self, id: &str, rest: &str, place: &Place) -> Outcome<Operand> {
        let Some(at) = self.done.iter().position(|step| step.id == id) else {
            let all = || self.workflow.steps.iter().map(|step| step.name());
            let is_later = all().any(|name| name == id);
            if is_later && self.is_at_end {
                return Err(Trouble::Unsupported(format!("the step `{id}` is left out")));
            }
            let (title, help) = if is_later {
                (format!("the step `{id}` comes later"), Some("use the outputs of earlier steps".to_owned()))
            } else {
                (format!("the workflow has no step `{id}`"), did_you_mean(id, all()))
            };
            return Err(Trouble::Wrong(place.error(title).help_if(help)));
        };
        let step = &self.done[at];
        let fits = |(name, _): &&(String, String)| {
            rest.strip_prefix(name.as_str()).is_some_and(|after| after.is_empty() || after.starts_with(['.', '#', '[']))
        };
        let Some((name, expression)) = step.outputs.iter().filter(fits).max_by_key(|(name, _)| name.len()) else {
            let names = || step.outputs.iter().map(|(name, _)| name.as_str());
            let asked = rest.split(['#', '[']).next().unwrap_or(rest);
            let help = did_you_mean(asked, names()).unwrap_or_else(|| match step.outputs.is_empty() {
                true => "it has no `outputs`".to_owned(),
                false => format!("its outputs: {}", names().collect::<Vec<_>>().join(", ")),
            });
            let title = format!("the step `{id}` has no output `{asked}`");
            return Err(Trouble::Wrong(place.error(title).help(help)));
        };
        // What comes before a step is all that its outputs can name.
        let there = Scene { done: &self.done[..=at], here: Some(at), ..*self };
        if matches!(Runtime::read(expression), Some(Runtime::Output(other, _)) if other == id) {
            return Err(Trouble::Unsupported(format!("the output `{name}` of the step `{id}` is made of itself")));
        }
        let whole = there.operand(expression, place)?;
        let Some(path) = steps(&rest[name.len()..]) else {
            return Err(Trouble::Unsupported(format!("`{rest}` leads nowhere")));
        };
        Ok(path.iter().fold(whole, |at, token| at.token(token)))
    }
}

/// A part of a step's exchange; None if a path in it is none.
fn of_exchange(step: &Done, runtime: &Runtime<'_>) -> Option<Operand> {
    let name = &step.name;
    let below = |body: Operand, rest: &str| Some(steps(rest)?.iter().fold(body, |at, token| at.token(token)));
    let texts = |part: &str, key: &str| Operand::described(format!("{name}.request.{part}"), Vec::new()).text(key);
    match runtime {
        Runtime::StatusCode => Some(Operand::of_kind(format!("{name}.response.status"), Kind::Number)),
        Runtime::Method => Some(Operand::of_kind(format!("{name}.request.method"), Kind::Text)),
        Runtime::Response(Part::Header(header)) => {
            let headers = Operand::described(format!("{name}.response.headers"), Vec::new());
            Some(headers.text(&header.to_ascii_lowercase()))
        }
        Runtime::Response(Part::Body(rest)) => {
            let body = Operand::described(format!("{name}.response.body"), answers(step));
            below(body, rest)
        }
        Runtime::Request(Part::Header(header)) => Some(texts("headers", &header.to_ascii_lowercase())),
        Runtime::Request(Part::Query(key)) => Some(texts("query", key)),
        Runtime::Request(Part::Path(key)) => Some(texts("path", key)),
        Runtime::Request(Part::Body(rest)) => {
            let schemas = step.operation.body().map(|body| body.schema.json().clone());
            below(Operand::described(format!("{name}.request.body"), schemas.into_iter().collect()), rest)
        }
        _ => None,
    }
}

/// What the document says of the bodies of the answers that a step is to get.
fn answers(step: &Done) -> Vec<serde_json::Value> {
    let responses = step.operation.responses.iter().filter(|response| match step.statuses[..] {
        [] => response.is_success(),
        _ => step.statuses.iter().any(|status| response.covers(*status)),
    });
    let content = responses.flat_map(|response| &response.content).filter(|media| may_be_json(&media.name));
    content.filter_map(|media| media.schema.as_ref()).map(|schema| schema.json().clone()).collect()
}

/// The part of a request that a parameter's `in` names.
pub(super) fn location(name: &str) -> Option<ParameterLocation> {
    ParameterLocation::read(name).filter(|location| *location != ParameterLocation::Querystring)
}
