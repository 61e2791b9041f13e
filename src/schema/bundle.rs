//! A schema with all that it refers to as one JSON Schema, for the validator: nothing is merged, and references stay.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::context::Context;
use super::discriminator::Discriminator;
use super::keywords::{Keywords, Nullable, Part};
use super::known::{Component, Known};
use super::notes::Problems;
use super::registry::{Located, Registry};
use super::scope::{elsewhere, is_elsewhere};
use super::{Direction, POINTER};
use crate::source::Diagnostic;

/// How many schemas one schema may refer to, directly or indirectly.
const MOST: usize = 60_000;

/// Combines a schema with all that it refers to.
pub(super) fn bundle<'a>(registry: &'a Registry, root: &Located<'a>, direction: Direction) -> Json {
    let mut builder = Builder::new(registry, direction);
    let context = Context::of(registry, root);
    let mut json = builder.schema(root, &context);
    let mut all = Map::new();
    while let Some((name, at, context)) = builder.waiting.pop_front() {
        let schema = builder.schema(&at, &context);
        all.insert(name, schema);
    }
    break_circles(&mut json, &mut all);
    if let Json::Object(json) = &mut json
        && !all.is_empty()
    {
        json.insert("$defs".to_owned(), all.into());
    }
    json
}

/// What is odd or not supported in a schema, and in all that it refers to.
pub(super) fn problems<'a>(registry: &'a Registry, root: &Located<'a>, direction: Direction) -> Problems {
    let mut problems = Problems::default();
    let (mut count, mut seen) = (0, HashSet::new());
    let (file, inner) = root.key();
    let mut waiting = VecDeque::from([(file, inner.to_owned(), Context::of(registry, root))]);
    while let Some((file, inner, context)) = waiting.pop_front() {
        let key = Known::key(direction, file, &inner, &context);
        let component = registry.known.component(key, || component(registry, file, &inner, &context, direction));
        problems.extend(component.problems.clone());
        count += component.count;
        if count > MOST {
            problems.unsupported(too_wide(root));
            break;
        }
        for (file, inner, context) in &component.refers {
            if seen.insert((*file, inner.clone(), context.key())) {
                waiting.push_back((*file, inner.clone(), context.clone()));
            }
        }
    }
    problems
}

/// A schema by itself.
fn component(registry: &Registry, file: usize, inner: &str, context: &Context, direction: Direction) -> Component {
    let mut builder = Builder::new(registry, direction);
    if let Some(at) = registry.at(file, inner) {
        builder.schema(&at, context);
    }
    let refers = builder.waiting.into_iter().map(|(_, at, context)| (at.key().0, at.key().1.to_owned(), context));
    Component { refers: refers.collect(), problems: builder.problems, count: builder.count }
}

fn too_wide(at: &Located<'_>) -> Box<Diagnostic> {
    at.node.error(format!("this schema refers to more than {MOST} others")).help("split it into smaller ones")
}

struct Builder<'a> {
    registry: &'a Registry,
    direction: Direction,
    /// The names of schemas that are referred to.
    names: HashMap<(usize, String, String), String>,
    waiting: VecDeque<(String, Located<'a>, Context)>,
    problems: Problems,
    count: usize,
}

impl<'a> Builder<'a> {
    fn new(registry: &'a Registry, direction: Direction) -> Self {
        let (names, waiting) = (HashMap::new(), VecDeque::new());
        Self { registry, direction, names, waiting, problems: Problems::default(), count: 0 }
    }

    fn reference(&mut self, target: Located<'a>, context: Context) -> Json {
        let (file, inner) = target.key();
        let key = (file, inner.to_owned(), context.key());
        if let Some(name) = self.names.get(&key) {
            return json!(format!("#/$defs/{name}"));
        }
        let name = format!("s{}", self.names.len());
        self.names.insert(key, name.clone());
        let reference = json!(format!("#/$defs/{name}"));
        self.waiting.push_back((name, target, context));
        reference
    }

    fn schema(&mut self, at: &Located<'a>, context: &Context) -> Json {
        self.count += 1;
        if self.count > MOST {
            self.problems.unsupported(too_wide(at));
            return json!({});
        }
        let keywords = Keywords::read(self.registry, at, &mut self.problems);
        let pointer = self.registry.pointer(at);
        if let Some(constant) = keywords.constant {
            return if constant { json!({}) } else { json!(false) };
        }
        let away = elsewhere(self.registry, at, self.direction);
        let beside = context.beside(&away);
        let mut out = Map::new();
        out.insert(POINTER.to_owned(), json!(pointer));
        if let Some(target) = &keywords.reference {
            let context = beside.entering(self.registry, target);
            let reference = self.reference(target.clone(), context);
            out.insert("$ref".to_owned(), reference);
        }
        if let Some(target) = self.dynamic(at, context) {
            let context = beside.entering(self.registry, &target);
            let reference = self.reference(target, context);
            let part = json!({ "$ref": reference, POINTER: pointer });
            out.insert("allOf".to_owned(), json!([part]));
        }
        let chosen = self.chosen(at, &keywords, &beside, &mut out);
        for (name, part) in &keywords.parts {
            self.keyword(name, part, &beside, chosen, &mut out);
        }
        self.wrapped(out, &keywords, &pointer)
    }

    fn wrapped(&self, out: Map<String, Json>, keywords: &Keywords<'_>, pointer: &str) -> Json {
        if keywords.nullable == Nullable::Perhaps {
            return json!({ "if": { "type": "null" }, "else": out, "x-wrap": true, POINTER: pointer });
        }
        out.into()
    }

    fn keyword(&mut self, name: &str, part: &Part<'a>, beside: &Context, chosen: bool, out: &mut Map<String, Json>) {
        let in_place = ["allOf", "oneOf", "anyOf", "not", "if", "then", "else", "dependentSchemas"].contains(&name);
        let below = if in_place { beside.clone() } else { beside.below() };
        let json = match part {
            Part::Plain(_) if ["default", "example", "examples"].contains(&name) => return,
            Part::Plain(Json::Array(names)) if name == "required" => {
                let names = names.iter().filter(|n| !n.as_str().is_some_and(|n| beside.elsewhere.contains(n)));
                names.cloned().collect()
            }
            Part::Plain(json) => json.clone(),
            Part::One(at) => self.schema(at, &below),
            Part::List(_) if chosen && ["oneOf", "anyOf"].contains(&name) => return,
            Part::List(all) => all.iter().map(|at| self.schema(at, &below)).collect(),
            Part::Named(all) => {
                let mut map = Map::new();
                for (key, at) in all {
                    let mut schema = self.schema(at, &below);
                    let back = self.direction == Direction::Strict && name == "properties";
                    if back && is_elsewhere(self.registry, at, self.direction) {
                        schema = json!({ "type": "null", "x-write-only": true, POINTER: self.registry.pointer(at) });
                    }
                    map.insert(key.clone(), schema);
                }
                map.into()
            }
        };
        match (name, out.get_mut(name)) {
            // The names that several places require are in one list.
            ("allOf", Some(Json::Array(own))) => own.extend(json.as_array().cloned().unwrap_or_default()),
            // Here several matching alternatives are as good as one: that only one matches is judged separately.
            ("oneOf", _) if self.direction == Direction::Response => {
                let part = json!({ "anyOf": json, POINTER: out[POINTER].clone() });
                push(out, part);
            }
            _ => {
                out.insert(name.to_owned(), json);
            }
        }
    }

    /// Adds the alternative that the discriminator chooses; returns whether there is one.
    fn chosen(
        &mut self,
        at: &Located<'a>,
        keywords: &Keywords<'a>,
        beside: &Context,
        out: &mut Map<String, Json>,
    ) -> bool {
        let Some(node) = &keywords.discriminator else {
            return false;
        };
        let key = Arc::new((at.key().0, at.key().1.to_owned()));
        if beside.chosen.as_ref() == Some(&key) {
            return false;
        }
        let alternatives = keywords.parts.iter().find_map(|(name, part)| match part {
            Part::List(all) if name == "oneOf" || name == "anyOf" => Some((name.as_str(), all)),
            _ => None,
        });
        let discriminator = match alternatives {
            Some((_, all)) => Discriminator::read(self.registry, node, all, &mut self.problems),
            None => Discriminator::of_parent(self.registry, node, at, &mut self.problems),
        };
        let Some(discriminator) = discriminator else {
            return false;
        };
        let context = match alternatives {
            Some(_) => beside.clone(),
            None => beside.choosing(key),
        };
        let pointer = out[POINTER].clone();
        let property = discriminator.property;
        let is = |value: Json| json!({ "required": [property], "properties": { property: value }, "type": "object" });
        for (value, branch) in &discriminator.branches {
            let context = context.entering(self.registry, branch);
            let reference = self.reference(branch.clone(), context);
            push(
                out,
                json!({
                    "if": is(json!({ "const": value })),
                    "then": { "$ref": reference, POINTER: self.registry.pointer(branch) },
                    "x-wrap": true,
                    POINTER: pointer,
                }),
            );
        }
        if discriminator.complete && self.direction == Direction::Request {
            let values = json!({ "enum": discriminator.values(), POINTER: self.registry.pointer(node) });
            push(out, json!({ "properties": { property: values }, POINTER: pointer }));
        }
        if let Some((name, all)) = alternatives {
            let all: Json = all.iter().map(|at| self.schema(at, &context)).collect();
            let name = if self.direction == Direction::Response { "anyOf" } else { name };
            push(
                out,
                json!({
                    "if": is(json!({ "enum": discriminator.values() })),
                    "else": { name: all, POINTER: pointer },
                    "x-wrap": true,
                    POINTER: pointer,
                }),
            );
        }
        alternatives.is_some()
    }

    fn dynamic(&mut self, at: &Located<'a>, context: &Context) -> Option<Located<'a>> {
        let node = at.node.get("$dynamicRef")?;
        let text = node.string("").ok()?;
        match self.registry.resolve(at, text, &node.place) {
            Ok(target) => {
                let name = text.rsplit('#').next().unwrap_or_default();
                Some(context.dynamic(self.registry, name, target))
            }
            Err(error) => {
                self.problems.unsupported(error);
                None
            }
        }
    }
}

fn push(out: &mut Map<String, Json>, part: Json) {
    match out.get_mut("allOf") {
        Some(Json::Array(all)) => all.push(part),
        _ => {
            out.insert("allOf".to_owned(), json!([part]));
        }
    }
}

/// Removes references by which a schema applies itself to the same value: they mean nothing, and would never end.
fn break_circles(root: &mut Json, all: &mut Map<String, Json>) {
    let mut done: HashMap<String, bool> = HashMap::new();
    let mut cut: Vec<(String, String)> = Vec::new();
    let mut stack: Vec<(String, Vec<String>)> = Vec::new();
    let mut first = Vec::new();
    in_place(root, &mut first);
    for name in first.into_iter().chain(all.keys().cloned().collect::<Vec<_>>()) {
        if done.contains_key(&name) {
            continue;
        }
        let next = |name: &str| {
            let mut next = Vec::new();
            all.get(name).into_iter().for_each(|schema| in_place(schema, &mut next));
            next
        };
        done.insert(name.clone(), false);
        stack.push((name.clone(), next(&name)));
        while let Some((from, waiting)) = stack.last_mut() {
            match waiting.pop() {
                Some(to) => match done.get(&to) {
                    Some(true) => {}
                    Some(false) => cut.push((from.clone(), to)),
                    None => {
                        done.insert(to.clone(), false);
                        let next = next(&to);
                        stack.push((to, next));
                    }
                },
                None => {
                    done.insert(from.clone(), true);
                    stack.pop();
                }
            }
        }
    }
    for (from, to) in cut {
        if let Some(schema) = all.get_mut(&from) {
            remove(schema, &format!("#/$defs/{to}"));
        }
    }
}

/// The schemas that apply to the same value.
fn in_place(schema: &Json, out: &mut Vec<String>) {
    let Json::Object(map) = schema else { return };
    for (key, value) in map {
        match (key.as_str(), value) {
            ("$ref", Json::String(text)) => out.extend(text.strip_prefix("#/$defs/").map(str::to_owned)),
            ("allOf" | "anyOf" | "oneOf", Json::Array(all)) => all.iter().for_each(|schema| in_place(schema, out)),
            ("not" | "if" | "then" | "else", schema) => in_place(schema, out),
            ("dependentSchemas", Json::Object(all)) => all.values().for_each(|schema| in_place(schema, out)),
            _ => {}
        }
    }
}

fn remove(schema: &mut Json, reference: &str) {
    let Json::Object(map) = schema else { return };
    if map.get("$ref").and_then(Json::as_str) == Some(reference) {
        map.shift_remove("$ref");
    }
    for (key, value) in map.iter_mut() {
        match (key.as_str(), value) {
            ("allOf", Json::Array(all)) => all.iter_mut().for_each(|s| remove(s, reference)),
            // An alternative that is the whole schema again is not an alternative.
            ("anyOf" | "oneOf", Json::Array(all)) => {
                for schema in all {
                    match schema.get("$ref").and_then(Json::as_str) {
                        Some(own) if own == reference => *schema = json!({ "not": {} }),
                        _ => remove(schema, reference),
                    }
                }
            }
            ("not" | "if" | "then" | "else", schema) => remove(schema, reference),
            ("dependentSchemas", Json::Object(all)) => all.values_mut().for_each(|s| remove(s, reference)),
            _ => {}
        }
    }
}
