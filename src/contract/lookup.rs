//! The rules by which fixtures are found: requests that only read, and the parts of the responses that are fixtures.

use super::cases::compile;
use super::keys;
use crate::expression::{Expression, Names};
use crate::source::{Result, did_you_mean};
use crate::yaml::{Key, Node, Value};
use serde_json::Value as Json;

/// Stands in a path for the item of `each`.
pub const ITEM: &str = "{it}";

/// How fixtures are found.
#[derive(Debug, Default)]
pub struct Lookup {
    /// The steps, in this order.
    pub steps: Vec<Step>,
    /// The rules that derive fixtures from the steps.
    pub rules: Vec<Rule>,
}

/// A request, or a value that is computed from what is known.
#[derive(Debug)]
pub struct Step {
    /// The name of its value in later expressions.
    pub name: String,
    /// The path of a GET request; None if nothing is requested.
    pub get: Option<String>,
    /// The identity that sends it, if it is not the caller.
    pub identity: Option<String>,
    /// A list: the step is carried out for each item, and its value is the list of the results.
    pub each: Option<Expression>,
    /// Its value: that of the first expression that has one; the body if there are no expressions.
    pub values: Vec<Expression>,
}

/// The source of a fixture.
#[derive(Debug)]
pub struct Rule {
    /// The fixture's name.
    pub fixture: String,
    /// For a fixture that is a map: its items, and the name of each.
    pub entries: Option<(Expression, Expression)>,
    /// Its value, or that of each item: that of the first expression that has one.
    pub values: Vec<Expression>,
}

/// Reads `lookup` of a contract.
///
/// # Errors
/// Unknown keys and fixtures, expressions that do not compile, paths that cannot be requested.
pub(super) fn read(node: Option<&Node>, fixtures: &Json) -> Result<Lookup> {
    let Some(node) = node else { return Ok(Lookup::default()) };
    node.only("`lookup`", &keys::LOOKUP)?;
    let mut names = Names::new(["fixtures"]);
    let mut steps: Vec<Step> = Vec::new();
    for item in node.get("steps").map(|n| n.sequence("`steps`")).transpose()?.unwrap_or_default() {
        let [(key, step)] = item.mapping("a step")? else {
            return Err(item.error("a step must have one name").help("write `- me: { get: /v1/me }`"));
        };
        if key.name == "fixtures" || steps.iter().any(|s| s.name == key.name) {
            return Err(key.place.error(format!("the name `{}` is already taken", key.name)));
        }
        steps.push(self::step(key, step, &names)?);
        names = names.and([key.name.as_str()]);
    }
    let known: Vec<&str> = fixtures["properties"].as_object().into_iter().flatten().map(|(n, _)| n.as_str()).collect();
    let rules = node.get("fixtures").map(|n| n.mapping("`fixtures`")).transpose()?.unwrap_or_default();
    let rules = rules.iter().map(|(key, value)| {
        if !known.is_empty() && !known.contains(&key.name.as_str()) {
            let help = did_you_mean(&key.name, known.iter().copied());
            return Err(key
                .place
                .error(format!("the contract needs no fixture `{}`", key.name))
                .help(help.unwrap_or_else(|| format!("it needs {}", known.join(", ")))));
        }
        rule(key, value, &names)
    });
    Ok(Lookup { rules: rules.collect::<Result<_>>()?, steps })
}

fn step(key: &Key, node: &Node, names: &Names) -> Result<Step> {
    node.only("a step of `lookup`", &keys::LOOKUP_STEP)?;
    let each = node.get("each").map(|n| compile(n, names)).transpose()?;
    let get = node.get("get").map(|n| path(n, each.is_some())).transpose()?;
    let mut own = if each.is_some() { names.and(["it"]) } else { names.clone() };
    if get.is_some() {
        own = own.and(["status", "body"]);
    }
    let values = match node.get("value") {
        Some(value) => alternatives(value, &own)?,
        None if get.is_some() => Vec::new(),
        None => return Err(node.error(format!("`{}` has neither `get` nor `value`", key.name))),
    };
    let identity = node.get("as").map(|n| n.string("`as`").map(str::to_owned)).transpose()?;
    Ok(Step { name: key.name.clone(), get, identity, each, values })
}

/// A path that can be requested.
fn path(node: &Node, each: bool) -> Result<String> {
    let path = node.string("`get`")?;
    if !path.starts_with('/') {
        return Err(node.error("a path must begin with a slash"));
    }
    if path.replace(ITEM, "").contains(['{', '}']) {
        return Err(node.error(format!("a path may have nothing in braces but {ITEM}, the item of `each`")));
    }
    if path.contains(ITEM) != each {
        let title = if each { "the path does not use the item of `each`" } else { "there is no `each`" };
        return Err(node.error(title).help(format!("`each` is a CEL list, and {ITEM} in the path is one item of it")));
    }
    Ok(path.to_owned())
}

fn rule(key: &Key, node: &Node, names: &Names) -> Result<Rule> {
    let fixture = key.name.clone();
    let Value::Mapping(_) = &node.value else {
        return Ok(Rule { fixture, entries: None, values: alternatives(node, names)? });
    };
    node.only("a fixture of `lookup`", &keys::LOOKUP_FIXTURE)?;
    let part = |name: &str| node.get(name).ok_or_else(|| node.error(format!("`{name}` is missing")));
    let item = names.and(["it"]);
    let entries = (compile(part("each")?, names)?, compile(part("name")?, &item)?);
    Ok(Rule { fixture, entries: Some(entries), values: alternatives(part("value")?, &item)? })
}

/// One expression, or a list of them.
fn alternatives(node: &Node, names: &Names) -> Result<Vec<Expression>> {
    match &node.value {
        Value::Sequence(nodes) if nodes.is_empty() => Err(node.error("the list has no expressions")),
        Value::Sequence(nodes) => nodes.iter().map(|n| compile(n, names)).collect(),
        _ => Ok(vec![compile(node, names)?]),
    }
}
