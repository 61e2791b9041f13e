//! A contract: an operation of an OpenAPI document and the requirements on it.
//!
//! - [`cases`], [`steps`], [`template`]: the case language
//! - [`keys`]: which keys its maps have, for the loader and for editors
//! - [`derive`]: the requirements that follow from the document
//! - `called`: the operations that steps call besides the contract's own
//! - [`lookup`]: how a target's fixtures are found
//! - [`requirement`]: a requirement of any origin
//! - [`coverage`]: which fields requirements are about

mod answers;
mod bodyless;
mod called;
pub mod cases;
pub mod coverage;
pub mod derive;
pub(crate) mod documented;
mod files;
mod ids;
pub mod keys;
pub mod lookup;
pub mod of_document;
pub mod part;
pub mod patterns;
pub mod requirement;
mod security;
pub mod steps;
pub mod template;

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, OnceLock};

use serde_json::Value as Json;

use crate::document::operation::Operation;
use crate::document::parameter::{Parameter, ParameterLocation};
use crate::expression::{BodyPath, Defines, Expression, Names};
use crate::source::{Place, Result, did_you_mean};
use crate::yaml::{self, Node, Value};
use cases::{Vocabulary, compile};
pub use files::Location;
use lookup::Lookup;
use requirement::{Form, Level, Open, Origin, Requirement, Row, Rows};
use template::Template;

/// An operation and all requirements on it.
#[derive(Debug)]
pub struct Contract {
    /// The folder's name.
    pub name: String,
    /// SHA-256 of the document and the cases, in hexadecimal.
    pub hash: String,
    /// The operation.
    pub operation: Operation,
    /// The operations that steps call besides it. They have no requirements of their own.
    pub called: Vec<Contract>,
    /// Derived and declared requirements, by id.
    pub requirements: Vec<Requirement>,
    /// What is left to the server.
    pub open: Vec<Open>,
    /// Expressions that cases share.
    pub defines: Arc<Defines>,
    /// What a target must provide.
    pub fixtures: FixtureSchema,
    /// How a target's fixtures are found.
    pub lookup: Lookup,
    /// Lists that valid values are drawn from, in this order.
    pub values: Vec<ValueList>,
    /// The identities that may carry out the operation.
    pub callers: Vec<String>,
    /// The id of a created record.
    pub record: Option<Expression>,
    /// The body field that carries the run tag, by JSON Pointer.
    pub run_tag: Option<String>,
    /// A time that the server sets on arrival.
    pub clock: Option<Expression>,
    /// Areas whose failures do the most harm: they are reported first, and each by itself.
    pub foremost: Vec<String>,
    /// Whether the document alone says what is valid: a server may have rules that it does not state, so the refusal of a
    /// request that keeps it is no failure.
    pub document_only: bool,
    /// The fields that each requirement speaks of, decided when it is first asked for.
    spoken: Spoken,
}

/// For each requirement, the names on the way to each of its fields.
type Spoken = OnceLock<Vec<Vec<Vec<String>>>>;

/// The JSON Schema of a target's fixtures.
#[derive(Debug)]
pub struct FixtureSchema {
    /// The schema.
    pub json: Json,
    validator: jsonschema::Validator,
}

impl FixtureSchema {
    /// The errors in fixtures: JSON Pointer and message.
    pub fn violations(&self, fixtures: &Json) -> Vec<(String, String)> {
        self.validator.iter_errors(fixtures).map(|e| (e.instance_path().to_string(), e.to_string())).collect()
    }
}

/// A list that valid values of one part of a request are drawn from.
#[derive(Debug)]
pub struct ValueList {
    /// The part.
    pub target: Target,
    /// The list.
    pub list: Expression,
}

/// A part of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A parameter, by name.
    Parameter(ParameterLocation, String),
    /// A body field, by JSON Pointer.
    Body(String),
}

/// The identity that sends unless a case says otherwise.
pub const CALLER: &str = "caller";

impl Contract {
    /// Loads a contract.
    ///
    /// # Errors
    /// Files that are missing or wrong, each with its place.
    pub fn load(location: &Location) -> Result<Self> {
        let mut files = files::read(location)?;
        let mut root = root(&files)?;
        // A document is looked for from the contract that names it.
        let mut names_spec = location.clone();
        if let Some(extends) = root.get("extends") {
            let base = location.beside(extends.string("`extends`")?);
            let base_files = files::read(&base).map_err(|e| {
                extends.error(e.title().to_owned()).help("name the folder of a contract, from this one's")
            })?;
            let base_root = self::root(&base_files)?;
            if let Some(further) = base_root.get("extends") {
                return Err(further
                    .error("a contract that another one extends cannot extend one itself")
                    .help("let the last one extend the first, and copy what it needs of the second"));
            }
            if root.get("spec").is_none() {
                names_spec = base;
            }
            files.extend(base_files);
            root = root.over(base_root);
        }
        let spec = text(&root, "spec")?;
        let operation_id = text(&root, "operation")?;
        let document = files::document(&names_spec, spec.string("`spec`")?, &spec.place)?;
        files.leave_out(location, &document);
        let operation = document.operation(operation_id.string("`operation`")?, &operation_id.place)?;
        let defines = defines(&root)?;
        let vocabulary = Vocabulary::new(defines.timely());
        let (defines, callers, hash) = (Arc::new(defines), callers(&root)?, files.hash(&document));
        let called = called::read(root.get("operations"), &document, &operation, &hash, (&defines, &callers))?;
        let cases = cases::read(&files.areas, &vocabulary, &operation, &called).map_err(|e| operation.blame(e))?;
        let mut requirements = derive::requirements(&operation);
        ids::tell_apart(&mut requirements);
        requirements.extend(security::requirements(&operation, &cases.requirements, &vocabulary, Level::Must)?);
        requirements.extend(called::requirements(&called, &document, &cases.requirements));
        requirements.extend(cases.requirements);
        requirements.sort_by(|a, b| a.id.cmp(&b.id));
        unique_ids(&requirements)?;
        let expression = |key: &str| root.get(key).map(|n| compile(n, &vocabulary.exchange)).transpose();
        let fixtures = fixture_schema(root.get("fixtures"))?;
        let contract = Self {
            name: files.name.clone(),
            hash,
            called,
            lookup: lookup::read(root.get("lookup"), &fixtures.json)?,
            fixtures,
            values: values(&root, &operation, &vocabulary.request).map_err(|e| operation.blame(e))?,
            callers,
            record: expression("record")?,
            run_tag: root.get("run_tag").map(|n| n.string("`run_tag`").map(str::to_owned)).transpose()?,
            clock: expression("clock")?,
            foremost: match root.get("foremost") {
                Some(node) => {
                    let areas = node.sequence("`foremost`")?.iter();
                    areas.map(|area| area.string("an area").map(str::to_owned)).collect::<Result<_>>()?
                }
                None => Vec::new(),
            },
            document_only: false,
            spoken: OnceLock::new(),
            open: cases.open,
            defines,
            requirements,
            operation,
        };
        contract.check_paths().map_err(|e| contract.operation.blame(e))?;
        Ok(contract)
    }

    /// Whether the contract gives the values of a parameter.
    pub fn gives(&self, parameter: &Parameter) -> bool {
        let is_it = |target: &Target| matches!(target, Target::Parameter(l, n) if *l == parameter.location && *n == parameter.name);
        self.values.iter().any(|v| is_it(&v.target))
    }

    /// The requirement with this id.
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.requirements.iter().find(|r| r.id == id)
    }

    /// The first requirement that is judged by the same trials as this one: the trials have its name.
    pub fn first_with_trials_of<'a>(&'a self, requirement: &'a Requirement) -> &'a Requirement {
        self.requirements.iter().find(|r| r.form.shares_trials(&requirement.form)).unwrap_or(requirement)
    }

    /// The identities that the contract names, the caller first.
    pub fn identities(&self) -> Vec<String> {
        let steps = self.requirements.iter().flat_map(|r| r.form.steps());
        let named = steps.flat_map(|step| &step.sends).filter_map(|send| match &send.identity {
            Some(Template::Literal(Json::String(name))) => Some(name),
            _ => None,
        });
        let asking = self.lookup.steps.iter().filter_map(|step| step.identity.as_ref());
        let others: BTreeSet<&String> = self.callers.iter().chain(named).chain(asking).collect();
        let others = others.into_iter().filter(|name| *name != CALLER).cloned();
        [CALLER.to_owned()].into_iter().chain(others).collect()
    }

    /// Whether a text occurs literally in the document or in the cases.
    pub fn has_written(&self, text: &str) -> bool {
        let cases = self.requirements.iter().filter_map(|r| match &r.origin {
            Origin::Declared(place) => Some(&place.source),
            Origin::Derived(_) => None,
        });
        cases.chain([&self.operation.place.source]).any(|source| source.text.contains(text))
    }

    /// The literal values of a header in cases.
    pub fn written_headers(&self, name: &str) -> HashSet<String> {
        let mut all = HashSet::new();
        for requirement in &self.requirements {
            let rows: &[Row] = match requirement.form.rows() {
                Some(Rows::List(rows)) => rows,
                _ => &[],
            };
            let headers = requirement.form.steps().iter().flat_map(|step| &step.sends).flat_map(|send| &send.headers);
            for value in headers.filter(|(n, _)| n.eq_ignore_ascii_case(name)).filter_map(|(_, value)| value.as_ref()) {
                let values: Vec<&Template> = match value {
                    Template::Row(path) => rows.iter().filter_map(|row| row.value.part(path)).collect(),
                    other => vec![other],
                };
                all.extend(values.into_iter().filter_map(|value| match value {
                    Template::Literal(Json::String(text)) => Some(text.clone()),
                    _ => None,
                }));
            }
        }
        all
    }

    /// Every path under a body that an expression reads must exist in the document.
    fn check_paths(&self) -> Result<()> {
        for expression in self.expressions() {
            for path in expression.body_paths() {
                if !self.has_path(path) {
                    let side = if path.response { "response" } else { "request" };
                    return Err(expression
                        .place()
                        .error(format!("the document's {side} has no `{}`", path.segments.join(".")))
                        .label("read here"));
                }
            }
        }
        Ok(())
    }

    /// Whether the contract's operation, or one that steps call, has this part of a body.
    fn has_path(&self, path: &BodyPath) -> bool {
        let has = |operation: &Operation| {
            if path.response {
                let mut schemas =
                    operation.responses.iter().flat_map(|r| &r.content).filter_map(|m| m.schema.as_ref()).peekable();
                schemas.peek().is_none() || schemas.any(|s| s.reaches(&path.segments))
            } else {
                operation.body().is_none_or(|b| b.schema.reaches(&path.segments))
            }
        };
        [&self.operation].into_iter().chain(self.called.iter().map(|c| &c.operation)).any(has)
    }

    /// Whether a step calls the operation at this place among those that steps may call.
    pub fn calls(&self, place: usize) -> bool {
        self.requirements.iter().any(|requirement| requirement.form.calls(place))
    }

    /// The operation at this place among those that steps call; its own without one.
    pub fn operation_of(&self, call: Option<usize>) -> &Operation {
        call.map_or(&self.operation, |place| &self.called[place].operation)
    }

    /// The id of the operation of a request, where a run may be about several: not where it is a contract's own.
    pub fn called_id(&self, request: &crate::exchange::Request) -> Option<&str> {
        match request.operation {
            Some(place) => self.called.get(place).map(|called| called.operation.id.as_str()),
            None => Some(self.operation.id.as_str()).filter(|_| self.document_only),
        }
    }

    /// The called operation that a method and a path are of, by its place; None for the contract's own, and for what is
    /// of none.
    pub fn called_at(&self, method: &str, path: &str) -> Option<usize> {
        let fits = |operation: &Operation| {
            let (own, asked): (Vec<&str>, Vec<&str>) = (operation.path.split('/').collect(), path.split('/').collect());
            let same = |(own, asked): (&&str, &&str)| own == asked || own.starts_with('{');
            operation.method.eq_ignore_ascii_case(method)
                && own.len() == asked.len()
                && own.iter().zip(&asked).all(same)
        };
        if fits(&self.operation) { None } else { self.called.iter().position(|c| fits(&c.operation)) }
    }

    /// Every expression of the contract.
    pub fn expressions(&self) -> Vec<&Expression> {
        let mut all: Vec<&Expression> = self
            .defines
            .names()
            .filter_map(|n| self.defines.get(n))
            .chain(self.values.iter().map(|v| &v.list))
            .chain(self.open.iter().map(|o| &o.when))
            .chain(self.record.iter())
            .chain(self.clock.iter())
            .collect();
        for requirement in &self.requirements {
            match &requirement.form {
                Form::Constraint(valid) => all.push(valid),
                Form::Rule(rule) => {
                    all.extend([&rule.filter, &rule.when, &rule.expect, &rule.unique].into_iter().flatten())
                }
                Form::Scenario(scenario) => {
                    all.extend(&scenario.given);
                    all.push(&scenario.expect);
                }
                Form::Probe(probe) => {
                    all.extend(probe.filter.iter().chain(&probe.given).chain(&probe.when));
                    all.push(&probe.observe);
                }
                Form::Schema(_) | Form::Parameter(..) | Form::Always(_) | Form::Called(..) | Form::Law(_) => {}
            }
        }
        all
    }
}

/// The parsed `contract.yaml`, of which every key is known.
fn root(files: &files::Files) -> Result<Node> {
    let root = yaml::parse(&files.contract)?;
    if let Some(old) = root.get("mark") {
        return Err(old.error("`mark` is now called `run_tag`").help("write run_tag: in its place"));
    }
    root.only("contract.yaml", &keys::CONTRACT)?;
    Ok(root)
}

fn text<'a>(root: &'a Node, key: &str) -> Result<&'a Node> {
    root.get(key).ok_or_else(|| root.error(format!("contract.yaml needs `{key}`")))
}

fn unique_ids(requirements: &[Requirement]) -> Result<()> {
    for pair in requirements.windows(2) {
        if pair[0].id == pair[1].id {
            let place = pair.iter().find_map(|r| match &r.origin {
                requirement::Origin::Declared(place) => Some(place),
                requirement::Origin::Derived(_) => None,
            });
            let title = format!("the id `{}` is also derived from the document", pair[0].id);
            return Err(match place {
                Some(place) => place.error(title).help("give the case another id"),
                None => crate::source::Diagnostic::new(title),
            });
        }
    }
    Ok(())
}

fn defines(root: &Node) -> Result<Defines> {
    let Some(node) = root.get("define") else {
        return Ok(Defines::default());
    };
    let entries = node.mapping("`define`")?;
    let mut all: Vec<(String, Expression)> = Vec::new();
    for (key, value) in entries {
        // A define can use only those before it, so that none can use itself.
        let known = all.iter().map(|(name, e)| (name.as_str(), e.is_timely()));
        let names = Vocabulary::new(known).exchange;
        let later = entries.iter().skip(all.len()).any(|(k, _)| value.string("").is_ok_and(|t| t.contains(&k.name)));
        let expression = compile(value, &names)
            .map_err(|e| if later { e.help("a define can use only those before it") } else { e })?;
        all.push((key.name.clone(), expression));
    }
    Ok(Defines::new(all))
}

fn fixture_schema(node: Option<&Node>) -> Result<FixtureSchema> {
    let json = node.map_or_else(|| serde_json::json!({"type": "object"}), Node::to_json);
    let validator = jsonschema::validator_for(&json).map_err(|error| match node {
        Some(node) => node.error(format!("`fixtures` is not a JSON Schema: {error}")),
        None => crate::source::Diagnostic::new(error.to_string()),
    })?;
    Ok(FixtureSchema { json, validator })
}

fn values(root: &Node, operation: &Operation, names: &Names) -> Result<Vec<ValueList>> {
    let Some(node) = root.get("values") else {
        return Ok(Vec::new());
    };
    node.only("`values`", &keys::VALUES)?;
    let mut all = Vec::new();
    for (kind, lists) in node.mapping("`values`")? {
        for (key, list) in lists.mapping("a list of values")? {
            let target = if let Some(location) = ParameterLocation::read(&kind.name) {
                let mut names = operation.parameters_in(location).map(|p| p.name.as_str());
                if !names.any(|name| name == key.name) {
                    let what = if location == ParameterLocation::Path { "path" } else { "operation" };
                    let kind = if what == "path" { String::new() } else { format!("{} ", location.name()) };
                    let error = key.place.error(format!("the {what} has no {kind}parameter `{}`", key.name));
                    let known = operation.parameters_in(location).map(|p| p.name.as_str());
                    return Err(match did_you_mean(&key.name, known) {
                        Some(help) => error.help(help),
                        None => error,
                    });
                }
                Target::Parameter(location, key.name.clone())
            } else {
                let known = operation.body().is_some_and(|b| b.schema.reaches(&template::segments(&key.name)));
                if !key.name.starts_with('/') || !known {
                    return Err(key
                        .place
                        .error(format!("the body has no field `{}`", key.name))
                        .help("write body fields as JSON Pointers: `/name`"));
                }
                Target::Body(key.name.clone())
            };
            all.push(ValueList { target, list: compile(list, names)? });
        }
    }
    // Path parameters come first: bodies may depend on them.
    all.sort_by_key(|v| matches!(v.target, Target::Body(_)));
    Ok(all)
}

fn callers(root: &Node) -> Result<Vec<String>> {
    let Some(node) = root.get("callers") else {
        return Ok(vec![CALLER.to_owned()]);
    };
    match &node.value {
        Value::Sequence(nodes) => nodes.iter().map(|n| n.string("an identity").map(str::to_owned)).collect(),
        _ => Err(node.error("`callers` must be a list of identities")),
    }
}

/// A place for nodes that are in no file, such as derived expressions.
pub fn nowhere(text: &str) -> Place {
    let source = crate::source::Source::new("(derived)", text);
    Place { span: 0..text.len(), source }
}
