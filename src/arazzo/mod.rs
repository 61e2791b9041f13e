//! Arazzo documents as cases: each workflow is a file of scenarios, each step a case that says by its criteria what must
//! hold. What a scenario cannot say is named, and left out; everything else goes on.
//!
//! - [`file`]: the document as it is written
//! - `runtime`, `condition`, `query`: the languages in it
//! - `scene`, `criterion`, `jsonpath`, `value`: the same in CEL and in the case language
//! - `operations`, `request`, `workflow`: steps as requests, workflows as case files

mod cel;
mod condition;
mod criterion;
pub mod file;
mod flow;
mod inputs;
mod jsonpath;
mod operations;
mod pattern;
mod query;
mod request;
mod runtime;
mod scene;
mod value;
mod workflow;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::document::Document;
use crate::source::{Diagnostic, Result};
use file::{Arazzo, SourceDescription};

/// Why something has no translation.
#[derive(Debug)]
enum Trouble {
    /// The case language cannot say it: it is left out, for this reason.
    Unsupported(String),
    /// It is a mistake, and nothing goes on.
    Wrong(Box<Diagnostic>),
}

type Outcome<T> = std::result::Result<T, Trouble>;

/// What was left out so far, in the order of the text.
#[derive(Debug, Default)]
struct Notes(Vec<Diagnostic>);

/// How wide comments are, in columns.
const COLUMNS: usize = 110;

impl Notes {
    #[expect(clippy::boxed_local, reason = "what is made at a place is boxed")]
    fn add(&mut self, note: Box<Diagnostic>) {
        self.0.push(*note);
    }

    /// The place up to which there are notes now.
    fn mark(&self) -> usize {
        self.0.len()
    }

    /// The notes since a mark, as comments of a case file.
    fn comments(&self, mark: usize, indent: &str) -> String {
        let mut text = String::new();
        for note in &self.0[mark..] {
            let place = note.place().map_or_else(String::new, |place| format!(" ({place})"));
            text += &comment(&format!("Note: {}{place}.", note.title()), indent);
        }
        text
    }
}

/// A comment of a case file, wrapped.
fn comment(text: &str, indent: &str) -> String {
    // A lone carriage return would end the comment.
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut out = String::new();
    for line in textwrap::wrap(&text, COLUMNS) {
        let _ = writeln!(out, "{indent}# {line}");
    }
    out
}

/// A case file.
#[derive(Debug)]
pub struct CaseFile {
    /// Its name without an ending: the area of its cases.
    pub area: String,
    /// Its text.
    pub text: String,
    /// How many steps of the workflow it has, of how many.
    pub steps: (usize, usize),
    /// The workflow's id.
    pub workflow: String,
}

/// An Arazzo document as cases of a contract.
#[derive(Debug)]
pub struct Cases {
    /// The operation of the contract, by which the other operations are called.
    pub operation: String,
    /// The operations that steps call besides it.
    pub called: Vec<String>,
    /// Whether what they create is called by the `id` that they answer.
    pub has_ids: bool,
    /// The inputs of the workflows, as a JSON Schema of fixtures.
    pub fixtures: Json,
    /// The inputs for which the document has no value.
    pub asked: Vec<String>,
    /// One file for each workflow.
    pub files: Vec<CaseFile>,
    /// What is left out, and what nobody reads.
    pub notes: Vec<Diagnostic>,
}

/// Makes cases of an Arazzo document, given the document of operations that one of its sources names.
///
/// # Errors
/// References to operations, steps, inputs or components that are not there.
pub fn cases(arazzo: &Arazzo, source: &SourceDescription, document: &Document) -> Result<Cases> {
    let targets = operations::find(arazzo, source, document)?;
    let (own, is_free) = targets.own(document)?;
    let mut notes = Notes(arazzo.notes.clone());
    if !is_free {
        let title = format!("no operation reads something without needing anything, so the contract is about `{own}`");
        let help = "what the document says of it is tried as well; give what it needs under `values` of contract.yaml";
        notes.add(arazzo.sources_error(&title).help(help));
    }
    let mut fixtures = inputs::Fixtures::default();
    let mut files: Vec<CaseFile> = Vec::new();
    for (workflow, targets) in arazzo.workflows.iter().zip(&targets.workflows) {
        let names: Vec<&str> = files.iter().map(|file| file.area.as_str()).collect();
        let area = workflow::area(workflow.name(), &names);
        files.push(workflow::write(arazzo, workflow, targets, (&own, &area), &mut fixtures, &mut notes)?);
    }
    let called = targets.ids().filter(|id| *id != own).map(str::to_owned).collect();
    let asked = fixtures.asked().to_vec();
    // What a workflow says for all of its steps is noted at each.
    let mut seen = BTreeSet::new();
    notes.0.retain(|note| seen.insert((note.title().to_owned(), note.place())));
    let has_ids = targets.answer_an_id();
    Ok(Cases { has_ids, called, operation: own, fixtures: fixtures.schema(), asked, files, notes: notes.0 })
}
