//! The operations that steps name, and the one that the contract is about.

use std::rc::Rc;

use super::file::{Arazzo, SourceDescription, Step};
use crate::document::operation::Operation;
use crate::document::{Document, Entry};
use crate::source::{Result, did_you_mean};
use crate::yaml::Node;

/// What a step carries out.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Operation(Rc<Operation>),
    /// Something that a scenario cannot carry out, and why.
    Other(String),
}

/// What the steps of all workflows carry out.
#[derive(Debug)]
pub(super) struct Targets {
    pub(super) workflows: Vec<Vec<Target>>,
    /// Each operation once, in the order of the steps.
    used: Vec<Rc<Operation>>,
}

/// Finds the operations of all steps.
///
/// # Errors
/// Operations that the document does not have, steps that name none, sources that are not described.
pub(super) fn find(arazzo: &Arazzo, source: &SourceDescription, document: &Document) -> Result<Targets> {
    let mut finder = Finder { arazzo, source, document, used: Vec::new() };
    let mut workflows = Vec::new();
    for workflow in &arazzo.workflows {
        workflows.push(workflow.steps.iter().map(|step| finder.target(step)).collect::<Result<Vec<_>>>()?);
    }
    Ok(Targets { workflows, used: finder.used })
}

struct Finder<'a> {
    arazzo: &'a Arazzo,
    source: &'a SourceDescription,
    document: &'a Document,
    used: Vec<Rc<Operation>>,
}

impl Finder<'_> {
    fn target(&mut self, step: &Step) -> Result<Target> {
        let keys = ["operationId", "operationPath", "workflowId"];
        let named: Vec<(&str, &Node)> = keys.iter().filter_map(|key| Some((*key, step.node.get(key)?))).collect();
        match named[..] {
            [("workflowId", _)] => Ok(Target::Other("it runs another workflow".to_owned())),
            [("operationId", node)] => self.by_id(node),
            [(_, node)] => self.by_path(node),
            [] => Err(step
                .id
                .error(format!("the step `{}` does not say what it does", step.name()))
                .help("give it an `operationId` or an `operationPath`")),
            [_, (key, node), ..] => {
                Err(node.error(format!("`{key}` is too much: a step names one thing that it does")))
            }
        }
    }

    fn by_id(&mut self, node: &Node) -> Result<Target> {
        let text = node.string("`operationId`")?;
        let inner = text.trim_start_matches('{').trim_end_matches('}');
        let name = match inner.strip_prefix("$sourceDescriptions.") {
            None => text,
            Some(rest) => {
                let Some((source, name)) = rest.split_once('.') else {
                    let help = "write `$sourceDescriptions.NAME.OPERATION_ID`";
                    return Err(node.error("the operation is missing behind its source").help(help));
                };
                if let Some(other) = self.elsewhere(source, node)? {
                    return Ok(other);
                }
                name
            }
        };
        self.document.operation(name, &node.place).map(|operation| self.known(operation))
    }

    fn by_path(&mut self, node: &Node) -> Result<Target> {
        let text = node.string("`operationPath`")?;
        let wrong = || {
            node.error("`operationPath` does not name an operation")
                .help("write `'{$sourceDescriptions.NAME.url}#/paths/~1things~1{id}/get'`")
        };
        let (place, pointer) = text.split_once('#').ok_or_else(wrong)?;
        let place = place.trim_start_matches('{').trim_end_matches('}');
        if let Some(rest) = place.strip_prefix("$sourceDescriptions.") {
            let source = rest.strip_suffix(".url").unwrap_or(rest);
            if let Some(other) = self.elsewhere(source, node)? {
                return Ok(other);
            }
        }
        let (path, method) =
            pointer.strip_prefix("/paths/").and_then(|rest| rest.rsplit_once('/')).ok_or_else(wrong)?;
        let path = path.replace("~1", "/").replace("~0", "~");
        let is_it = |entry: &&Entry| entry.path == path && entry.method.eq_ignore_ascii_case(method);
        match self.document.entries().iter().find(is_it) {
            Some(entry) => Ok(self.known(self.document.read_operation(entry))),
            None => {
                let paths = self.document.entries().iter().map(|entry| entry.path.as_str());
                let title = format!("the document has no operation {} {path}", method.to_uppercase());
                Err(node.error(title).help_if(did_you_mean(&path, paths)))
            }
        }
    }

    /// What to say of an operation of another source than the contract's, if it is one.
    fn elsewhere(&self, source: &str, node: &Node) -> Result<Option<Target>> {
        if source == self.source.name {
            return Ok(None);
        }
        if self.arazzo.source(source).is_some() {
            let why = format!("its operation is in the source `{source}`, and a contract is about one document");
            return Ok(Some(Target::Other(why)));
        }
        let help = did_you_mean(source, self.arazzo.source_names());
        Err(node.error(format!("no source description is named `{source}`")).help_if(help))
    }

    fn known(&mut self, operation: Operation) -> Target {
        let known = self.used.iter().find(|known| known.id == operation.id).cloned();
        Target::Operation(known.unwrap_or_else(|| {
            let operation = Rc::new(operation);
            self.used.push(Rc::clone(&operation));
            operation
        }))
    }
}

impl Targets {
    /// The ids of the operations that steps carry out.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.used.iter().map(|operation| operation.id.as_str())
    }

    /// Whether what the steps create answers with an `id`, by the document.
    pub(super) fn answer_an_id(&self) -> bool {
        let answers = |operation: &Rc<Operation>| {
            let successes = operation.responses.iter().filter(|response| response.is_success());
            let mut schemas =
                successes.flat_map(|response| &response.content).filter_map(|media| media.schema.as_ref());
            operation.method == "POST" && schemas.any(|schema| schema.json()["properties"].get("id").is_some())
        };
        self.used.iter().any(answers)
    }

    /// The operation that the contract is about. All that follows from the document is tried on it, and it decides how
    /// credentials are sent: so it is one that changes nothing and needs nothing, with the credentials of the steps; if there
    /// is none, one that creates something by itself; and else the first. Also whether it needs nothing.
    pub(super) fn own(&self, document: &Document) -> Result<(String, bool)> {
        let secured = || self.used.iter().filter(|operation| operation.security.is_some());
        let count = |of: &Operation| secured().filter(|other| other.security == of.security).count();
        // Of several, the first: `max_by_key` takes the last.
        let usual = secured().rev().max_by_key(|operation| count(operation)).and_then(|o| o.security.clone());
        let is_free = |operation: &Operation| {
            operation.security == usual
                && operation.obstacle().is_none()
                && operation.parameters.iter().all(|parameter| !parameter.required)
        };
        let reads = |operation: &Operation| operation.method == "GET" && is_free(operation);
        let creates = |operation: &Operation| operation.method == "POST" && is_free(operation);
        if let Some(operation) = self.used.iter().find(|operation| reads(operation)) {
            return Ok((operation.id.clone(), true));
        }
        let others = document.entries().iter().filter(|entry| entry.method == "GET" && !entry.path.contains('{'));
        if let Some(operation) = others.map(|entry| document.read_operation(entry)).find(reads) {
            return Ok((operation.id, true));
        }
        let first = self.used.iter().find(|operation| creates(operation)).or(self.used.first());
        match (first, document.entries().first()) {
            (Some(operation), _) => Ok((operation.id.clone(), is_free(operation))),
            (None, Some(entry)) => Ok((entry.id.clone(), false)),
            (None, None) => Err(crate::source::Diagnostic::new("the document has no operations")),
        }
    }
}
