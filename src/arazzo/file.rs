//! An Arazzo document as it is written: its sources, workflows, steps and components, with their places.

use std::sync::Arc;

use serde_json::Value as Json;

use super::Trouble;
use crate::source::{Diagnostic, Result, Source, did_you_mean};
use crate::yaml::{self, Node, Value};

/// The fields of each object. Those that begin with `x-` are read by nobody.
const ROOT: &[&str] = &["arazzo", "info", "sourceDescriptions", "workflows", "components"];
const SOURCE: &[&str] = &["name", "url", "type"];
pub(super) const WORKFLOW: &[&str] = &[
    "workflowId",
    "summary",
    "description",
    "inputs",
    "dependsOn",
    "steps",
    "successActions",
    "failureActions",
    "outputs",
    "parameters",
];
pub(super) const STEP: &[&str] = &[
    "stepId",
    "description",
    "operationId",
    "operationPath",
    "workflowId",
    "parameters",
    "requestBody",
    "successCriteria",
    "onSuccess",
    "onFailure",
    "outputs",
];
const COMPONENTS: &[&str] = &["inputs", "parameters", "successActions", "failureActions"];

/// An Arazzo document.
#[derive(Debug)]
pub struct Arazzo {
    root: Node,
    sources: Vec<SourceDescription>,
    pub(super) workflows: Vec<Workflow>,
    /// What nobody reads.
    pub(super) notes: Vec<Diagnostic>,
}

/// Where a document is whose operations the steps call.
#[derive(Clone, Debug)]
pub struct SourceDescription {
    /// What expressions call it.
    pub name: String,
    /// Its URL, or its path from the Arazzo document.
    pub url: Node,
    /// Whether it is another Arazzo document.
    is_arazzo: bool,
}

/// A workflow.
#[derive(Debug)]
pub(super) struct Workflow {
    pub(super) id: Node,
    pub(super) node: Node,
    pub(super) steps: Vec<Step>,
}

/// A step of a workflow.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) id: Node,
    pub(super) node: Node,
}

impl Workflow {
    pub(super) fn name(&self) -> &str {
        name(&self.id)
    }
}

impl Step {
    pub(super) fn name(&self) -> &str {
        name(&self.id)
    }
}

fn name(id: &Node) -> &str {
    id.string("an id").unwrap_or_default()
}

/// An entry of a list, after what it refers to has been looked up.
pub(super) struct Entry<'a> {
    pub(super) node: &'a Node,
    /// The value that stands beside a reference.
    pub(super) value: Option<&'a Node>,
}

impl Arazzo {
    /// Reads an Arazzo document.
    ///
    /// # Errors
    /// Text that is neither YAML nor JSON, and documents that are not Arazzo 1.
    pub fn read(source: &Arc<Source>) -> Result<Self> {
        let root = yaml::parse(source)?;
        root.mapping("an Arazzo document")?;
        version(&root)?;
        let mut notes = Vec::new();
        unread(&root, ROOT, "an Arazzo document", &mut notes);
        if let Some(components) = root.get("components") {
            components.mapping("`components`")?;
            unread(components, COMPONENTS, "`components`", &mut notes);
        }
        let list = required(&root, "sourceDescriptions", "an Arazzo document")?.sequence("`sourceDescriptions`")?;
        let mut sources: Vec<SourceDescription> = Vec::new();
        for node in list {
            let description = source_description(node, &mut notes)?;
            if sources.iter().any(|other| other.name == description.name) {
                return Err(node.error(format!("two source descriptions are named `{}`", description.name)));
            }
            sources.push(description);
        }
        let list = required(&root, "workflows", "an Arazzo document")?;
        let mut workflows: Vec<Workflow> = Vec::new();
        for node in list.sequence("`workflows`")? {
            let workflow = workflow(node)?;
            if workflows.iter().any(|other| other.name() == workflow.name()) {
                return Err(workflow.id.error(format!("two workflows have the id `{}`", workflow.name())));
            }
            workflows.push(workflow);
        }
        if workflows.is_empty() {
            return Err(list.error("the document has no workflows"));
        }
        Ok(Self { root, sources, workflows, notes })
    }

    /// The documents of operations that it names, in its order.
    pub fn sources(&self) -> impl Iterator<Item = &SourceDescription> {
        self.sources.iter().filter(|source| !source.is_arazzo)
    }

    /// The document whose operations the steps call: that of most steps, those counted as the first one's that name none.
    pub fn main_source(&self) -> Option<&SourceDescription> {
        let steps = || self.workflows.iter().flat_map(|workflow| &workflow.steps);
        let first = self.sources().next()?;
        let source = |step: &Step| {
            let node = step.node.get("operationId").or(step.node.get("operationPath"))?;
            let named = node.string("").ok()?.trim_start_matches('{').strip_prefix("$sourceDescriptions.");
            let name = named.and_then(|rest| rest.split(['.', '}', '#']).next());
            Some(name.unwrap_or(&first.name).to_owned())
        };
        let count = |of: &SourceDescription| steps().filter_map(source).filter(|name| *name == of.name).count();
        let most = self.sources().map(count).max()?;
        self.sources().find(|source| count(source) == most)
    }

    /// An error about its sources as a whole.
    pub fn sources_error(&self, title: &str) -> Box<Diagnostic> {
        self.root.get("sourceDescriptions").unwrap_or(&self.root).error(title)
    }

    /// The source description of a name.
    pub(super) fn source(&self, name: &str) -> Option<&SourceDescription> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// The names of all source descriptions.
    pub(super) fn source_names(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|source| source.name.as_str())
    }

    /// What the document says for all of it.
    pub(super) fn title(&self) -> Option<&str> {
        self.root.get("info")?.get("title")?.string("the title").ok()
    }

    /// Looks up an entry of a list that may be a reference: `reference: $components.parameters.page`.
    ///
    /// # Errors
    /// A reference to what is not there.
    pub(super) fn entry<'a>(&'a self, node: &'a Node, kind: &str) -> Result<Entry<'a>> {
        let Some(reference) = node.get("reference") else { return Ok(Entry { node, value: None }) };
        let text = reference.string("`reference`")?;
        let prefix = format!("$components.{kind}.");
        let Some(name) = text.strip_prefix(&prefix) else {
            return Err(reference
                .error(format!("`{text}` does not refer to one of the {kind} of the components"))
                .help(format!("write `reference: {prefix}NAME`")));
        };
        let node_of = self.component(kind, name).ok_or_else(|| {
            let names =
                self.root.get("components").and_then(|c| c.get(kind)).map(|n| n.mapping("").unwrap_or_default());
            let names = names.unwrap_or_default().iter().map(|(key, _)| key.name.as_str());
            reference
                .error(format!("the components have no {kind} of the name `{name}`"))
                .help_if(did_you_mean(name, names))
        })?;
        Ok(Entry { node: node_of, value: node.get("value") })
    }

    /// A component by its name.
    pub(super) fn component(&self, kind: &str, name: &str) -> Option<&Node> {
        self.root.get("components")?.get(kind)?.get(name)
    }

    /// A JSON Schema without what it refers to in the components.
    pub(super) fn resolved(&self, node: &Node) -> std::result::Result<Json, Trouble> {
        self.without_references(node.to_json(), 0)
    }

    fn without_references(&self, json: Json, depth: usize) -> std::result::Result<Json, Trouble> {
        if depth > 20 {
            return Err(Trouble::Unsupported("the schema refers to itself".to_owned()));
        }
        let inner = |json| self.without_references(json, depth + 1);
        Ok(match json {
            Json::Object(map) => {
                if let Some(reference) = map.get("$ref").and_then(Json::as_str) {
                    let name = reference.strip_prefix("#/components/inputs/").unwrap_or_default();
                    let Some(target) = self.component("inputs", name) else {
                        let why = format!("the schema refers to `{reference}`, which is not among `components.inputs`");
                        return Err(Trouble::Unsupported(why));
                    };
                    return inner(target.to_json());
                }
                Json::Object(
                    map.into_iter().map(|(k, v)| Ok((k, inner(v)?))).collect::<std::result::Result<_, Trouble>>()?,
                )
            }
            Json::Array(items) => items.into_iter().map(inner).collect::<std::result::Result<_, _>>()?,
            other => other,
        })
    }
}

/// Checks that the version is one that is read.
fn version(root: &Node) -> Result<()> {
    let Some(node) = root.get("arazzo") else {
        return Err(root
            .error("this is not an Arazzo document: it has no `arazzo`")
            .help("an Arazzo document begins with `arazzo: 1.0.1`; an OpenAPI document is named with --document"));
    };
    let text = match &node.value {
        Value::Scalar(Json::String(text)) => text.clone(),
        Value::Scalar(other) => other.to_string(),
        _ => return Err(node.error(format!("`arazzo` must be a version, not {}", node.kind()))),
    };
    if text == "1.0" || text.starts_with("1.0.") {
        return Ok(());
    }
    Err(node.error(format!("Arazzo {text} is not supported")).help("probity reads Arazzo 1.0"))
}

fn source_description(node: &Node, notes: &mut Vec<Diagnostic>) -> Result<SourceDescription> {
    node.mapping("a source description")?;
    unread(node, SOURCE, "a source description", notes);
    let name = required(node, "name", "a source description")?.string("`name`")?.to_owned();
    let url = required(node, "url", "a source description")?.clone();
    url.string("`url`")?;
    let is_arazzo = match node.get("type").map(|n| n.string("`type`").map(|text| (n, text))).transpose()? {
        None | Some((_, "openapi")) => false,
        Some((_, "arazzo")) => true,
        Some((kind, other)) => {
            return Err(kind.error(format!("`{other}` is not a type of source")).help("write `openapi` or `arazzo`"));
        }
    };
    Ok(SourceDescription { name, url, is_arazzo })
}

fn workflow(node: &Node) -> Result<Workflow> {
    node.mapping("a workflow")?;
    let id = required(node, "workflowId", "a workflow")?.clone();
    id.string("`workflowId`")?;
    let list = required(node, "steps", "a workflow")?;
    let mut steps: Vec<Step> = Vec::new();
    for node in list.sequence("`steps`")? {
        node.mapping("a step")?;
        let id = required(node, "stepId", "a step")?.clone();
        let step = Step { node: node.clone(), id };
        step.id.string("`stepId`")?;
        if steps.iter().any(|other| other.name() == step.name()) {
            return Err(step.id.error(format!("two steps of the workflow have the id `{}`", step.name())));
        }
        steps.push(step);
    }
    if steps.is_empty() {
        return Err(list.error("the workflow has no steps"));
    }
    Ok(Workflow { id, node: node.clone(), steps })
}

/// An entry that must be there.
pub(super) fn required<'a>(node: &'a Node, key: &str, what: &str) -> Result<&'a Node> {
    node.get(key).ok_or_else(|| {
        let names = node.mapping("").unwrap_or_default().iter().map(|(key, _)| key.name.as_str());
        let near = names
            .filter(|name| did_you_mean(name, [key]).is_some())
            .min()
            .map(|near| format!("is `{near}` meant to be it?"));
        node.error(format!("{what} needs `{key}`")).help_if(near)
    })
}

/// Notes the fields that nobody reads, with the nearest one that somebody does.
pub(super) fn unread(node: &Node, known: &[&str], what: &str, notes: &mut Vec<Diagnostic>) {
    for (key, _) in node.mapping(what).unwrap_or_default() {
        if !known.contains(&key.name.as_str()) && !key.name.starts_with("x-") {
            let note = key.place.error(format!("`{}` means nothing in {what}", key.name));
            notes.push(*note.help_if(did_you_mean(&key.name, known.iter().copied())));
        }
    }
}
