//! The steps of a scenario or a probe: requests, and how they differ from a valid one.

use std::sync::Arc;
use std::time::Duration;

use super::Contract;
use super::documented::{self, Part};
use super::keys;
use super::template::{Template, duration, integer};
use crate::document::operation::Operation;
use crate::document::parameter::ParameterLocation;
use crate::exchange::HeaderCase;
use crate::expression::{Expression, Names};
use crate::source::{Place, Result, did_you_mean};
use crate::yaml::{Node, Value};

/// One step: what is sent under one name.
#[derive(Debug)]
pub struct Step {
    /// Its name in expressions.
    pub name: String,
    /// The requests, sent at once if there are several.
    pub sends: Vec<Send>,
    /// Whether the name stands for a list of exchanges.
    pub many: bool,
    /// How long to wait before it.
    pub after: Option<Duration>,
    /// Until when to wait before it.
    pub until: Option<Expression>,
    /// Where it stands.
    pub place: Place,
}

/// One request of a step.
#[derive(Debug)]
pub struct Send {
    /// The operation that it calls, by its place among those that the contract's steps call; None for the contract's own.
    pub call: Option<usize>,
    /// What it is made from.
    pub base: Base,
    /// Body fields that are set, by JSON Pointer.
    pub set: Vec<(String, Template)>,
    /// Body fields that are left out, by JSON Pointer.
    pub drop: Vec<String>,
    /// The whole body, in pieces.
    pub raw: Option<Vec<Template>>,
    /// Headers by name; None removes one.
    pub headers: Vec<(String, Option<Template>)>,
    /// Path parameters by name.
    pub path: Vec<(String, Template)>,
    /// Query parameters by name; None removes one.
    pub query: Vec<(String, Option<Template>)>,
    /// Cookies by name; None removes one.
    pub cookies: Vec<(String, Option<Template>)>,
    /// The credentials, if they are not the identity's own; an inner None sends none.
    pub authorization: Option<Option<Template>>,
    /// The identity that sends it.
    pub identity: Option<Template>,
    /// The case of its header names; chosen by the seed if it is missing.
    pub header_case: Option<HeaderCase>,
    /// How many copies are sent at once.
    pub copies: usize,
    /// Whether fresh values are made anew: for each copy, and when an earlier step's request is repeated.
    pub anew: bool,
    /// Where it stands.
    pub place: Place,
}

/// What a request is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// A valid request of the shared pool.
    Valid,
    /// The smallest valid request.
    Minimal,
    /// A valid request in the trial's context.
    Varied,
    /// An earlier step's request, with its fresh values made anew.
    From(String),
    /// An earlier step's request, byte for byte.
    Repeat(String),
}

/// Names that already have another meaning and cannot be a step's.
const RESERVED: &[&str] =
    &["minimal", "valid", "it", "request", "response", "accepted", "refused", "client_error", "answered"];

/// The context in which steps are read.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The operation that the steps carry out.
    pub operation: &'a Operation,
    /// The other operations that steps may call.
    pub called: &'a [Contract],
    /// The members of an exchange in expressions.
    pub members: &'a Names,
}

/// Reads the steps of a case; `names` are those that every expression there may use.
///
/// # Errors
/// Anything that is not a step, references to steps that are not earlier ones, and undocumented parts of a request.
pub fn read(node: &Node, names: &Names, context: Context<'_>) -> Result<Vec<Step>> {
    let nodes = node.sequence("`steps`")?;
    if nodes.is_empty() {
        return Err(node.error("`steps` is empty"));
    }
    let all: Vec<String> =
        nodes.iter().filter_map(|n| n.mapping("a step").ok()?.first().map(|(k, _)| k.name.clone())).collect();
    let mut steps: Vec<Step> = Vec::new();
    for (i, node) in nodes.iter().enumerate() {
        let entries = node.mapping("a step")?;
        let [(name, body)] = entries else {
            return Err(node.error("a step must be a map with one key, its name").help("write `- sent: { … }`"));
        };
        let is_identifier = name.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_identifier || name.name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(name
                .place
                .error(format!("`{}` cannot be the name of a step", name.name))
                .help("expressions refer to the step by its name: use letters, digits and `_`"));
        }
        if RESERVED.contains(&name.name.as_str()) || names.is_taken(&name.name) {
            return Err(name
                .place
                .error(format!("the name `{}` is reserved", name.name))
                .help("it already has another meaning: give the step another name"));
        }
        if all[..i].contains(&name.name) {
            return Err(name.place.error(format!("two steps are named `{}`", name.name)));
        }
        let earlier: Vec<&str> = all[..i].iter().map(String::as_str).collect();
        let names = names.and_exchanges(earlier.iter().copied(), context.members);
        let calls: Vec<Option<usize>> = steps.iter().map(|s| s.sends.first().and_then(|send| send.call)).collect();
        let reader = StepReader { names, context, calls: &calls, earlier: &earlier, later: &all[i..] };
        let (sends, waits) = match &body.value {
            Value::Sequence(parts) => {
                let sends = parts.iter().map(|p| reader.send(p)).collect::<Result<Vec<_>>>()?;
                (sends, parts.first())
            }
            _ => (vec![reader.send(body)?], Some(body)),
        };
        let many = matches!(&body.value, Value::Sequence(_)) || sends.iter().any(|s| s.copies > 1);
        steps.push(Step {
            name: name.name.clone(),
            many,
            sends,
            after: waits.and_then(|n| n.get("after")).map(|n| duration(n, "`after`")).transpose()?,
            until: waits.and_then(|n| n.get("until")).map(|n| reader.expression(n)).transpose()?,
            place: name.place.clone(),
        });
    }
    Ok(steps)
}

struct StepReader<'a> {
    names: Names,
    context: Context<'a>,
    /// The operation that the first request of each earlier step calls.
    calls: &'a [Option<usize>],
    earlier: &'a [&'a str],
    later: &'a [String],
}

impl StepReader<'_> {
    fn expression(&self, node: &Node) -> Result<Expression> {
        Expression::compile(node.string("an expression")?, &node.place, &self.names).map_err(|e| self.hint(e))
    }

    /// A better hint for a name that is a later step's.
    fn hint(&self, error: Box<crate::source::Diagnostic>) -> Box<crate::source::Diagnostic> {
        let later = self.later.iter().find(|l| error.title().contains(&format!("unknown name `{l}`")));
        match later {
            Some(name) => error.help(format!("`{name}` comes later: a step can refer only to earlier ones")),
            None => error,
        }
    }

    fn template(&self, node: &Node) -> Result<Template> {
        Template::read(node, &self.names).map_err(|e| self.hint(e))
    }

    fn step_name(&self, node: &Node) -> Result<String> {
        let name = node.string("a step's name")?;
        if self.earlier.contains(&name) {
            return Ok(name.to_owned());
        }
        Err(node.error(format!("no earlier step is named `{name}`")).help(if self.later.iter().any(|l| l == name) {
            "it comes later: a step can use only earlier ones".to_owned()
        } else {
            format!("earlier steps: {}", self.earlier.join(", "))
        }))
    }

    fn send(&self, node: &Node) -> Result<Send> {
        if let Some(old) = node.get("each_copy") {
            return Err(old.error("`each_copy` is now called `anew`").help("write `anew: true` beside `copies`"));
        }
        node.only("a step", &keys::STEP)?;
        let anew = match node.get("anew").map(|n| (n, n.to_json())) {
            None => false,
            Some((n, _)) if node.get("repeat").is_none() && node.get("copies").is_none() => {
                return Err(n.error("there is nothing to make anew").help("`anew` stands beside `repeat` or `copies`"));
            }
            Some((_, serde_json::Value::Bool(anew))) => anew,
            Some((n, _)) => return Err(n.error("`anew` must be true or false")),
        };
        let base = self.base(node, anew)?;
        let call = self.call(node, &base)?;
        let operation = call.map_or(self.context.operation, |call| &self.context.called[call].operation);
        if let (true, Some(of_body)) =
            (operation.bodies.is_empty() && call.is_some(), node.get("set").or(node.get("drop")))
        {
            return Err(of_body.error(format!("the document has no body for the request of `{}`", operation.id)));
        }
        let mut undocumented = self.undocumented(node)?;
        let mut set = Vec::new();
        if let Some(fields) = node.get("set") {
            for (key, value) in fields.mapping("`set`")? {
                let pointer = pointer(&key.name, &key.place)?;
                check(operation, Part::Field(&pointer), &key.place, &mut undocumented)?;
                set.push((pointer, self.template(value)?));
            }
        }
        let mut drop = Vec::new();
        if let Some(fields) = node.get("drop") {
            for field in fields.sequence("`drop`")? {
                let pointer = pointer(field.string("a field")?, &field.place)?;
                check(operation, Part::Field(&pointer), &field.place, &mut undocumented)?;
                drop.push(pointer);
            }
        }
        let kinds = [
            ("headers", Part::Header as fn(_) -> _),
            ("path", Part::PathParameter),
            ("query", Part::Query),
            ("cookies", Part::Cookie),
        ];
        for (key, part) in kinds {
            for (key, _) in node.get(key).map(|n| n.mapping(&format!("`{key}`"))).transpose()?.unwrap_or_default() {
                check(operation, part(&key.name), &key.place, &mut undocumented)?;
            }
        }
        if let Some((name, place)) = undocumented.into_iter().next() {
            return Err(place
                .error(format!("`{name}` is not undocumented here"))
                .help("`undocumented` lists names that the step uses and the document lacks: remove this one"));
        }
        let raw = match node.get("raw") {
            Some(raw) => Some(match &raw.value {
                Value::Sequence(pieces) => pieces.iter().map(|p| self.template(p)).collect::<Result<_>>()?,
                _ => vec![self.template(raw)?],
            }),
            None => None,
        };
        if let (Some(raw), false) = (node.get("raw"), set.is_empty() && drop.is_empty()) {
            return Err(raw.error("`raw` is the whole body: `set` and `drop` are not allowed beside it"));
        }
        let given = |name: &str| node.get("path").is_some_and(|path| path.get(name).is_some());
        let mut path = operation.parameters_in(ParameterLocation::Path);
        if let (Some(_), Some(missing)) = (node.get("call"), path.find(|p| !given(&p.name))) {
            return Err(node
                .error(format!("the step gives no value for `{}` in the path of `{}`", missing.name, operation.id))
                .help(format!("add `path: {{ {}: … }}`", missing.name)));
        }
        Ok(Send {
            call,
            base,
            set,
            drop,
            raw,
            headers: self.named(node, "headers")?,
            query: self.named(node, "query")?,
            cookies: self.named(node, "cookies")?,
            path: self
                .named(node, "path")?
                .into_iter()
                .map(|(name, value)| match value {
                    Some(value) => Ok((name, value)),
                    None => Err(node.error(format!("the path parameter `{name}` cannot be left out"))),
                })
                .collect::<Result<_>>()?,
            authorization: match node.get("authorization") {
                Some(n) => Some(self.optional(n)?),
                None => None,
            },
            identity: node.get("as").map(|n| self.template(n)).transpose()?,
            header_case: match node.get("header_case") {
                Some(n) => Some(match n.string("`header_case`")? {
                    "lower" => HeaderCase::Lower,
                    "title" => HeaderCase::Title,
                    _ => return Err(n.error("`header_case` must be `lower` or `title`")),
                }),
                None => None,
            },
            copies: node.get("copies").map_or(Ok(1), |n| integer(n, "`copies`"))?,
            anew,
            place: node.place.clone(),
        })
    }

    /// The other operation that a step calls, by its place, if it does.
    fn call(&self, node: &Node, base: &Base) -> Result<Option<usize>> {
        if let Base::From(name) | Base::Repeat(name) = base {
            if let Some(call) = node.get("call") {
                return Err(call.error("a step that repeats another calls the same operation: leave `call` out"));
            }
            let place = self.earlier.iter().position(|earlier| earlier == name);
            return Ok(place.and_then(|place| self.calls[place]));
        }
        let Some(call) = node.get("call") else { return Ok(None) };
        if let Some(from) = node.get("from").filter(|_| *base != Base::Minimal) {
            return Err(from
                .error("the request of another operation is made from its smallest valid one")
                .help("leave `from` out, and say what differs: `path`, `set`, `headers`, `query`"));
        }
        let name = call.string("`call`")?;
        let known = || self.context.called.iter().map(|c| &c.operation);
        let is_it = |o: &Operation| o.id == name || name.split_once(' ') == Some((o.method.as_str(), o.path.as_str()));
        match known().position(is_it) {
            Some(place) => Ok(Some(place)),
            None if self.context.operation.id == name => {
                Err(call.error(format!("`{name}` is the contract's own operation")).help("leave `call` out"))
            }
            None => {
                let error = call.error(format!("`{name}` is not among the contract's operations"));
                Err(match did_you_mean(name, known().map(|o| o.id.as_str())) {
                    Some(help) => error.help(format!("{help} Or add it to contract.yaml: `operations: [{name}]`")),
                    None => error.help(format!("add it to contract.yaml: `operations: [{name}]`")),
                })
            }
        }
    }

    fn base(&self, node: &Node, anew: bool) -> Result<Base> {
        let (from, repeat) = (node.get("from"), node.get("repeat"));
        if let (Some(_), Some(repeat)) = (from, repeat) {
            return Err(repeat.error("a step can have `from` or `repeat`, not both"));
        }
        if let Some(repeat) = repeat {
            let name = self.step_name(repeat)?;
            return Ok(if anew { Base::From(name) } else { Base::Repeat(name) });
        }
        match from.map(|n| n.string("`from`").map(|text| (n, text))).transpose()? {
            None if node.get("call").is_some() => Ok(Base::Minimal),
            None | Some((_, "valid")) => Ok(Base::Valid),
            Some((_, "minimal")) => Ok(Base::Minimal),
            Some((_, "varied")) => Ok(Base::Varied),
            Some((from, step)) => Err(from.error("`from` must be `valid`, `minimal` or `varied`").help(format!(
                "the request of an earlier step is sent again by `repeat: {step}`, with what is fresh in it made anew by `anew: true`"
            ))),
        }
    }

    /// The undocumented names that a step uses intentionally.
    fn undocumented(&self, node: &Node) -> Result<Vec<(String, Place)>> {
        let names = node.get("undocumented").map(|n| n.sequence("`undocumented`")).transpose()?.unwrap_or_default();
        names.iter().map(|n| Ok((n.string("a name")?.to_owned(), n.place.clone()))).collect()
    }

    fn optional(&self, node: &Node) -> Result<Option<Template>> {
        match &node.value {
            Value::Scalar(serde_json::Value::Null) => Ok(None),
            _ => self.template(node).map(Some),
        }
    }

    fn named(&self, node: &Node, key: &str) -> Result<Vec<(String, Option<Template>)>> {
        let Some(map) = node.get(key) else {
            return Ok(Vec::new());
        };
        map.mapping(&format!("`{key}`"))?.iter().map(|(k, n)| Ok((k.name.clone(), self.optional(n)?))).collect()
    }
}

/// Removes a part of the request from the step's list of undocumented names.
///
/// # Errors
/// A part that is neither on the list nor in the document.
fn check(operation: &Operation, part: Part<'_>, place: &Place, undocumented: &mut Vec<(String, Place)>) -> Result<()> {
    if documented::knows(operation, part) {
        return Ok(());
    }
    let before = undocumented.len();
    undocumented.retain(|(name, _)| name != part.name());
    if undocumented.len() < before {
        return Ok(());
    }
    let meant = format!("if the step means it, add `undocumented: [{}]`", part.name());
    let help = documented::similar(operation, part);
    Err(place.error(part.missing()).help(help.map_or(meant.clone(), |similar| format!("{similar} {meant}"))))
}

fn pointer(text: &str, place: &Place) -> Result<String> {
    if text.starts_with('/') {
        return Ok(text.to_owned());
    }
    Err(place.error(format!("`{text}` is not a JSON Pointer")).help(format!("body fields are written `/{text}`")))
}

/// An expression shared by several owners.
pub type Shared = Arc<Expression>;
