//! A workflow as a case file: a case for each step, all judged by the requests of the first.

use std::fmt::Write as _;
use std::rc::Rc;

use super::cel::{is_identifier, quoted};
use super::criterion::{self, Criterion};
use super::file::{Arazzo, STEP, Step, WORKFLOW, Workflow, unread};
use super::flow::{self, Next};
use super::inputs::{Fixtures, Inputs};
use super::operations::Target;
use super::request::{Request, scalar};
use super::scene::{Done, Scene};
use super::{CaseFile, Notes, Trouble, comment};
use crate::source::Result;

/// Names that mean something else in expressions between steps.
const TAKEN: &[&str] = &[
    "accepted",
    "answered",
    "bool",
    "bytes",
    "caller",
    "client_error",
    "double",
    "fixtures",
    "identity",
    "int",
    "it",
    "list",
    "lists",
    "map",
    "math",
    "minimal",
    "now",
    "null_type",
    "optional",
    "refused",
    "rejected",
    "request",
    "response",
    "string",
    "strings",
    "type",
    "uint",
    "valid",
];

/// Names of files that are something else than a workflow, and areas that every contract has.
const AREAS: &[&str] = &["contract", "header", "law", "operation", "parameter", "schema", "security"];

/// How long a description may be in the text of a case, in characters.
const MAX_TEXT: usize = 160;

/// The area of a workflow.
pub(super) fn area(id: &str, taken: &[&str]) -> String {
    let name = slug(id);
    let name = if AREAS.contains(&name.as_str()) { format!("{name}-workflow") } else { name };
    unique(&name, "-", |name| taken.contains(&name))
}

/// A case in the making.
struct Case {
    id: String,
    /// What was left out of it.
    comments: String,
    text: String,
    source: String,
    /// Whether it must hold, or is only noted.
    is_required: bool,
    /// What must hold, joined by `&&`.
    expect: Vec<String>,
}

/// The case file of a workflow.
///
/// # Errors
/// Mistakes in the workflow.
pub(super) fn write(
    arazzo: &Arazzo,
    workflow: &Workflow,
    targets: &[Target],
    (own, area): (&str, &str),
    fixtures: &mut Fixtures,
    notes: &mut Notes,
) -> Result<CaseFile> {
    let mut text = header(arazzo, workflow);
    let mark = notes.mark();
    unread(&workflow.node, WORKFLOW, "a workflow", &mut notes.0);
    let inputs = Inputs::read(arazzo, workflow, fixtures, notes)?;
    text += &notes.comments(mark, "");
    let (steps, cases) = (String::new(), Vec::new());
    let mut writer =
        Writer { arazzo, workflow, targets, own, inputs, done: Vec::new(), steps, cases, tail: String::new() };
    let mark = notes.mark();
    if let Some((why, node)) = flow::obstacle(workflow) {
        notes.add(node.error(format!("the workflow `{}` is left out: {why}", workflow.name())));
        writer.tail = notes.comments(mark, "");
    } else {
        writer.all(notes)?;
    }
    text += &writer.text();
    fixtures.ask(&writer.inputs);
    let steps = (writer.done.len(), workflow.steps.len());
    Ok(CaseFile { area: area.to_owned(), text, steps, workflow: workflow.name().to_owned() })
}

struct Writer<'a> {
    arazzo: &'a Arazzo,
    workflow: &'a Workflow,
    targets: &'a [Target],
    /// The contract's own operation.
    own: &'a str,
    inputs: Inputs,
    done: Vec<Done>,
    /// The steps as they are written.
    steps: String,
    cases: Vec<Case>,
    /// What is said of the steps that are left out.
    tail: String,
}

impl Writer<'_> {
    fn all(&mut self, notes: &mut Notes) -> Result<()> {
        for at in 0..self.workflow.steps.len() {
            let mark = notes.mark();
            let is_last = at + 1 == self.workflow.steps.len();
            let name = self.workflow.steps[at].name();
            let (title, node) = match self.step(at, notes)? {
                Ok(Next::Step) => continue,
                Ok(Next::End) if is_last => continue,
                Ok(Next::Unknown(why)) if is_last => (
                    format!("what comes after the step `{name}` is left out: {why}"),
                    self.workflow.steps[at].node.get("onSuccess").or(self.workflow.node.get("successActions")),
                ),
                Ok(Next::End) => (
                    format!("the workflow ends with the step `{name}`, so the steps after it are left out"),
                    self.workflow.steps[at].node.get("onSuccess").or(self.workflow.node.get("successActions")),
                ),
                Ok(Next::Unknown(why)) => (
                    format!("the steps after `{name}` are left out: {why}"),
                    self.workflow.steps[at].node.get("onSuccess").or(self.workflow.node.get("successActions")),
                ),
                Err(why) => {
                    let what = if is_last { "is" } else { "and the steps after it are" };
                    (format!("the step `{name}` {what} left out: {why}"), None)
                }
            };
            let before = notes.mark();
            notes.add(node.unwrap_or(&self.workflow.steps[at].id).error(title));
            // What was noted of a step that is left out stands with it.
            let from = if self.done.len() == at { mark } else { before };
            self.tail = notes.comments(from, "");
            break;
        }
        self.outputs(notes)
    }

    fn scene(&self, here: Option<usize>) -> Scene<'_> {
        let Self { arazzo, workflow, inputs, done, .. } = self;
        Scene { arazzo, workflow, inputs, done, here, is_at_end: false }
    }

    /// Adds a step, and says what comes after it; or why it cannot be one.
    fn step(&mut self, at: usize, notes: &mut Notes) -> Result<std::result::Result<Next, String>> {
        let step = &self.workflow.steps[at];
        let operation = match &self.targets[at] {
            Target::Operation(operation) => Rc::clone(operation),
            Target::Other(why) => return Ok(Err(why.clone())),
        };
        let mark = notes.mark();
        let request = match Request::of(step, &operation, self.scene(None), notes) {
            Ok(request) => request,
            Err(Trouble::Unsupported(why)) => return Ok(Err(why)),
            Err(Trouble::Wrong(error)) => return Err(error),
        };
        let names: Vec<&str> = self.done.iter().map(|done| done.name.as_str()).collect();
        let name = identifier(step.name(), &names);
        self.steps += &notes.comments(mark, "    ");
        self.steps += &request.yaml(&name, Some(operation.id.as_str()).filter(|id| *id != self.own));
        let mark = notes.mark();
        unread(&step.node, STEP, "a step", &mut notes.0);
        let criteria = criterion::read(step.node.get("successCriteria"), notes)?;
        let statuses: Vec<u16> = criteria.iter().flat_map(Criterion::statuses).collect();
        let is_fault = statuses.iter().any(|status| *status >= 500);
        if is_fault {
            let title = format!("the step `{}` expects a server error: it is noted rather than required", step.name());
            notes.add(step.node.get("successCriteria").unwrap_or(&step.id).error(title));
        }
        let outputs = outputs(step)?;
        self.done.push(Done { id: step.name().to_owned(), name: name.clone(), operation, statuses, outputs });
        let scene = self.scene(Some(at));
        let mut expect = vec![format!("{name}.{}", if criteria.is_empty() { "accepted" } else { "answered" })];
        for criterion in &criteria {
            match criterion.expression(scene) {
                Ok(text) => expect.push(text),
                Err(Trouble::Unsupported(why)) => {
                    notes.add(criterion.place().error(format!("a criterion of `{}` is left out: {why}", step.name())));
                }
                Err(Trouble::Wrong(error)) => return Err(error),
            }
        }
        for (key, node) in step.node.get("outputs").map(|n| n.mapping("`outputs`")).transpose()?.unwrap_or_default() {
            match scene.operand(node.string("an output")?, &node.place) {
                Ok(_) => {}
                Err(Trouble::Unsupported(why)) => {
                    notes.add(node.error(format!("the output `{}` is left out: {why}", key.name)));
                }
                Err(Trouble::Wrong(error)) => return Err(error),
            }
        }
        let is_required = !flow::may_fail(self.arazzo, self.workflow, at, notes)? && !is_fault;
        let next = flow::after(self.arazzo, self.workflow, at, notes)?;
        let comments = notes.comments(mark, "");
        let text = sentence(step, self.workflow, is_required);
        self.case(step.name(), text, (comments, is_required, expect));
        Ok(Ok(next))
    }

    fn case(&mut self, name: &str, text: String, (comments, is_required, expect): (String, bool, Vec<String>)) {
        let id = unique(&slug(name), "-", |id| self.cases.iter().any(|case| case.id == id));
        let file = self.workflow.id.place.source.path.rsplit('/').next().unwrap_or_default().to_owned();
        let source = format!("{file}, workflow {}, {name}", self.workflow.name());
        self.cases.push(Case { id, comments, text, source, is_required, expect });
    }

    /// Adds a probe for the outputs of the workflow.
    fn outputs(&mut self, notes: &mut Notes) -> Result<()> {
        let Some(node) = self.workflow.node.get("outputs") else { return Ok(()) };
        let mark = notes.mark();
        let mut entries = Vec::new();
        for (key, node) in node.mapping("`outputs`")? {
            let scene = Scene { is_at_end: true, ..self.scene(None) };
            match scene.operand(node.string("an output")?, &node.place) {
                Ok(operand) => entries.push(format!("{}: {}", quoted(&key.name), operand.or_null())),
                Err(Trouble::Unsupported(why)) => {
                    notes.add(node.error(format!("the output `{}` is left out: {why}", key.name)));
                }
                Err(Trouble::Wrong(error)) => return Err(error),
            }
        }
        let comments = notes.comments(mark, "");
        if entries.is_empty() || self.cases.is_empty() {
            self.tail += &comments;
            return Ok(());
        }
        let text = format!("The outputs of the workflow `{}`.", self.workflow.name());
        let observe = vec![format!("{{{}}}", entries.join(", "))];
        self.case("outputs", text, (comments, false, observe));
        Ok(())
    }

    /// The cases.
    fn text(&self) -> String {
        let mut text = String::new();
        for (at, case) in self.cases.iter().enumerate() {
            let _ = write!(text, "\n{}- id: {}\n", case.comments, case.id);
            if case.is_required {
                text += "  level: must\n";
            }
            let _ = writeln!(text, "  text: {}", serde_json::Value::from(case.text.as_str()));
            if case.is_required {
                let _ = writeln!(text, "  source: {}", serde_json::Value::from(case.source.as_str()));
            }
            match self.cases.first().filter(|_| at > 0) {
                Some(first) => {
                    let _ = writeln!(text, "  steps_of: {}", scalar(&first.id));
                }
                None => {
                    let _ = write!(text, "  steps:\n{}", self.steps);
                }
            }
            let given: Vec<&str> = self.cases[..at].iter().flat_map(|case| &case.expect).map(String::as_str).collect();
            if !given.is_empty() {
                text += &block("given", &given);
            }
            let expect: Vec<&str> = case.expect.iter().map(String::as_str).collect();
            text += &block(if case.is_required { "expect" } else { "observe" }, &expect);
        }
        if !self.tail.is_empty() {
            let _ = write!(text, "\n{}", self.tail);
        }
        if self.cases.is_empty() {
            text += "[]\n";
        }
        text
    }
}

/// The comment at the head of a file.
fn header(arazzo: &Arazzo, workflow: &Workflow) -> String {
    let text = |key: &str| workflow.node.get(key).and_then(|node| node.string("").ok()).map(flat);
    let about = text("summary").or(text("description")).map_or_else(String::new, |about| format!(": {about}"));
    let of = arazzo.title().map_or_else(String::new, |title| format!(" of {}", flat(title)));
    let first = format!("The workflow `{}`{of}{about}", workflow.name());
    let second = "Made by `probity init --arazzo`: a case for each step. All are judged by the requests of the first; each \
                  says something only if the steps before it succeeded.";
    comment(&first, "") + &comment(second, "")
}

/// The outputs of a step, by name.
fn outputs(step: &Step) -> Result<Vec<(String, String)>> {
    let entries = step.node.get("outputs").map(|node| node.mapping("`outputs`")).transpose()?.unwrap_or_default();
    entries.iter().map(|(key, node)| Ok((key.name.clone(), node.string("an output")?.to_owned()))).collect()
}

/// What a case says of a step.
fn sentence(step: &Step, workflow: &Workflow, is_required: bool) -> String {
    let about = step.node.get("description").and_then(|node| node.string("").ok()).map(flat).unwrap_or_default();
    let about = about.trim_end_matches('.');
    let mut short: String = about.chars().take(MAX_TEXT).collect();
    if short.len() < about.len() {
        short.push('…');
    }
    let the = if is_required { "The" } else { "Whether the" };
    let what = format!("{the} step `{}` of the workflow `{}` succeeds", step.name(), workflow.name());
    if short.is_empty() { format!("{what}.") } else { format!("{what}: {short}.") }
}

/// An expression in lines of its own.
fn block(key: &str, parts: &[&str]) -> String {
    let mut text = format!("  {key}: >-\n");
    for (at, part) in parts.iter().enumerate() {
        let and = if at > 0 { "&& " } else { "" };
        let _ = writeln!(text, "    {and}{part}");
    }
    text
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name in lower-case letters, digits and hyphens.
fn slug(name: &str) -> String {
    let mut text = String::new();
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && was_lower {
            text.push('-');
        }
        text.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    let parts: Vec<&str> = text.split('-').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "unnamed".to_owned() } else { parts.join("-") }
}

/// A name that expressions can use.
fn identifier(name: &str, taken: &[&str]) -> String {
    let mut text: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    // The items of lists are called so in expressions.
    if TAKEN.contains(&text.as_str()) || text.starts_with("item") || !is_identifier(&text) {
        text = format!("step_{text}");
    }
    unique(&text, "_", |name| taken.contains(&name))
}

/// A name, with a number behind it if it is taken.
fn unique(name: &str, between: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{name}{between}{number}"));
    [name.to_owned()].into_iter().chain(numbered).find(|name| !is_taken(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_case_language() {
        assert_eq!(slug("placeOrder_v2"), "place-order-v2");
        assert_eq!(slug("??"), "unnamed");
        assert_eq!(identifier("pay-now", &[]), "pay_now");
        assert_eq!(identifier("pay_now", &["pay_now"]), "pay_now_2");
        assert_eq!(identifier("valid", &[]), "step_valid");
        assert_eq!(identifier("1st", &[]), "step_1st");
        assert_eq!(area("contract", &[]), "contract-workflow");
        assert_eq!(area("Buy", &["buy"]), "buy-2");
    }
}
