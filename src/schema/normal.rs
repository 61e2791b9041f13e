//! A schema to generate from: no references, `allOf` merged, alternatives under one key.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::context::Context;
use super::discriminator::Discriminator;
use super::keywords::{Keywords, Nullable, Part};
use super::merge::{alternatives, merge};
use super::notes::Problems;
use super::registry::{Located, Registry};
use super::scope::{elsewhere, is_elsewhere};
use super::{Direction, POINTER};

/// How far a schema is expanded: how often it may contain itself, how deep optional properties go, and how many
/// alternatives each part may have.
#[derive(Clone, Copy)]
struct Reach {
    again: usize,
    depth: usize,
    alternatives: usize,
}

/// From wide to narrow: the first that stays within [`MOST`] is used.
const REACHES: &[Reach] = &[
    Reach { again: 2, depth: 24, alternatives: 32 },
    Reach { again: 1, depth: 8, alternatives: 32 },
    Reach { again: 1, depth: 5, alternatives: 16 },
    Reach { again: 1, depth: 3, alternatives: 8 },
    Reach { again: 1, depth: 1, alternatives: 4 },
    Reach { again: 1, depth: 0, alternatives: 1 },
];
/// How many parts a schema may have when it is expanded.
const MOST: usize = 5000;

/// Expands a schema; None if no value can match it, or only an infinite one.
pub(super) fn normal<'a>(registry: &'a Registry, root: &Located<'a>, direction: Direction) -> Option<Json> {
    let mut known = HashMap::new();
    for (i, reach) in REACHES.iter().enumerate() {
        let is_last = i + 1 == REACHES.len();
        // Where nothing narrower is left, more than is good is better than nothing.
        let most = if is_last { MOST * 4 } else { MOST };
        let mut writer = Writer { registry, direction, reach: *reach, most, count: 0, open: HashMap::new(), known };
        let written = writer.schema(root, &Context::of(registry, root), 0);
        if writer.count <= MOST || is_last {
            return written;
        }
        known = writer.known;
    }
    None
}

struct Writer<'a> {
    registry: &'a Registry,
    direction: Direction,
    reach: Reach,
    /// How many parts are enough to know that it is too wide.
    most: usize,
    count: usize,
    /// How often a schema is being expanded, by file and pointer.
    open: HashMap<(usize, String), usize>,
    /// What was read of schemas, which are met again and again.
    known: HashMap<(usize, String), Rc<Read<'a>>>,
}

/// What a schema says.
struct Read<'a> {
    keywords: Keywords<'a>,
    /// The names of properties that only the other side sends.
    away: BTreeSet<String>,
}

impl<'a> Writer<'a> {
    fn schema(&mut self, at: &Located<'a>, context: &Context, depth: usize) -> Option<Json> {
        self.count += 1;
        if self.count > self.most {
            return None;
        }
        let key = (at.key().0, at.key().1.to_owned());
        let open = self.open.entry(key.clone()).or_default();
        if *open > self.reach.again {
            return None;
        }
        *open += 1;
        let written = self.write(at, context, depth);
        if let Some(open) = self.open.get_mut(&key) {
            *open -= 1;
        }
        written
    }

    fn read(&mut self, at: &Located<'a>) -> Rc<Read<'a>> {
        let (file, inner) = at.key();
        let (registry, direction) = (self.registry, self.direction);
        let read = self.known.entry((file, inner.to_owned())).or_insert_with(|| {
            // Notes on this schema have been made before.
            let keywords = Keywords::read(registry, at, &mut Problems::default());
            Rc::new(Read { keywords, away: elsewhere(registry, at, direction) })
        });
        Rc::clone(read)
    }

    fn write(&mut self, at: &Located<'a>, context: &Context, depth: usize) -> Option<Json> {
        let read = self.read(at);
        let Read { keywords, away } = &*read;
        if let Some(constant) = keywords.constant {
            return constant.then(|| json!({}));
        }
        let pointer = self.registry.pointer(at);
        let beside = context.beside(away);
        let mut out = Map::new();
        out.insert(POINTER.to_owned(), json!(pointer));
        let mut required: Vec<String> = Vec::new();
        if let Some(Json::Array(names)) = keywords.plain("required") {
            let names = names.iter().filter_map(Json::as_str).filter(|n| !beside.elsewhere.contains(*n));
            required.extend(names.map(str::to_owned));
        }
        let mut cut: Vec<&str> = Vec::new();
        for (name, part) in &keywords.parts {
            self.keyword(name, part, &beside, depth, &required, &mut out, &mut cut)?;
        }
        if !away.is_empty() && self.direction == Direction::Request {
            let own = at.get("properties").map(|p| p.entries()).unwrap_or_default();
            let names = own.iter().filter(|(key, _)| away.contains(&key.name)).map(|(key, _)| json!(key.name));
            let names: Vec<Json> = names.collect();
            if !names.is_empty() {
                out.insert("x-read-only".to_owned(), names.into());
            }
        }
        if !cut.is_empty() {
            out.insert("x-cut".to_owned(), json!(cut));
        }
        if !keywords.format_bounds.is_empty() {
            out.insert("x-format-bounds".to_owned(), json!(keywords.format_bounds));
        }
        if !keywords.unsupported.is_empty() {
            out.insert("x-unsupported".to_owned(), json!(keywords.unsupported));
        }
        let mut all = self.combined(at, keywords, &beside, depth, out.into())?;
        if keywords.nullable == Nullable::Perhaps
            && let Json::Object(map) = &mut all
        {
            map.insert("x-nullable".to_owned(), json!(true));
        }
        Some(all)
    }

    /// Adds what applies as well: references, `allOf`, and one of each list of alternatives.
    fn combined(
        &mut self,
        at: &Located<'a>,
        keywords: &Keywords<'a>,
        beside: &Context,
        depth: usize,
        own: Json,
    ) -> Option<Json> {
        let mut targets: Vec<Located<'a>> = keywords.reference.iter().cloned().collect();
        if let Some(node) = at.node.get("$dynamicRef")
            && let Ok(text) = node.string("")
            && let Ok(target) = self.registry.resolve(at, text, &node.place)
        {
            targets.push(beside.dynamic(self.registry, text.rsplit('#').next().unwrap_or_default(), target));
        }
        let is_bare = own.as_object().is_some_and(|map| map.len() == 1);
        let mut all = own;
        for (i, target) in targets.iter().enumerate() {
            let context = beside.entering(self.registry, target);
            let other = self.schema(target, &context, depth)?;
            // A reference with nothing beside it is replaced by its target.
            all = if is_bare && i == 0 { other } else { merge(all, other)? };
        }
        let mut groups: Vec<(Vec<Json>, bool)> = Vec::new();
        let chosen = self.chosen(at, keywords, beside, depth);
        for (name, part) in &keywords.parts {
            let Part::List(parts) = part else { continue };
            match name.as_str() {
                "allOf" => {
                    for part in parts {
                        let other = self.schema(part, beside, depth)?;
                        all = merge(all, other)?;
                    }
                }
                "oneOf" | "anyOf" if chosen.is_none() => {
                    let group: Vec<Json> = parts.iter().filter_map(|p| self.schema(p, beside, depth)).collect();
                    if group.is_empty() {
                        return None;
                    }
                    groups.push((group, name == "oneOf"));
                }
                _ => {}
            }
        }
        groups.extend(chosen.map(|group| (group, true)));
        for (group, one_of) in groups {
            let group = group.into_iter().flat_map(|part| match part.get("anyOf") {
                Some(Json::Array(all)) => all.clone(),
                _ => vec![part],
            });
            let group: Vec<Json> = group.take(self.reach.alternatives).collect();
            all = match all.as_object_mut().and_then(|map| map.shift_remove("anyOf")) {
                Some(Json::Array(others)) => alternatives(all, vec![others, group], one_of)?,
                _ => alternatives(all, vec![group], one_of)?,
            };
            // Keywords beside alternatives are merged into each.
            self.count += size(&all) / 8;
            if self.count > self.most {
                return None;
            }
        }
        Some(all)
    }

    /// The alternatives of a discriminator, each with the value that stands for it.
    fn chosen(
        &mut self,
        at: &Located<'a>,
        keywords: &Keywords<'a>,
        beside: &Context,
        depth: usize,
    ) -> Option<Vec<Json>> {
        let node = keywords.discriminator.as_ref()?;
        let key = Arc::new((at.key().0, at.key().1.to_owned()));
        if beside.chosen.as_ref() == Some(&key) {
            return None;
        }
        let listed = keywords.parts.iter().find_map(|(name, part)| match part {
            Part::List(all) if name == "oneOf" || name == "anyOf" => Some(all),
            _ => None,
        });
        let mut problems = Problems::default();
        let discriminator = match listed {
            Some(all) => Discriminator::read(self.registry, node, all, &mut problems),
            None => Discriminator::of_parent(self.registry, node, at, &mut problems),
        }?;
        let context = match listed {
            Some(_) => beside.clone(),
            None => beside.choosing(key),
        };
        let mut all = Vec::new();
        let mut done: Vec<(usize, &str)> = Vec::new();
        for (_, branch) in &discriminator.branches {
            if done.contains(&branch.key()) {
                continue;
            }
            done.push(branch.key());
            let same = discriminator.branches.iter().filter(|(_, other)| other.key() == branch.key());
            let values: Vec<Json> = same.map(|(value, _)| json!(value)).collect();
            let says = match values.as_slice() {
                [one] => json!({ "const": one, "type": "string" }),
                _ => json!({ "enum": values, "type": "string" }),
            };
            let property = discriminator.property;
            let inner = context.entering(self.registry, branch);
            let Some(written) = self.schema(branch, &inner, depth) else { continue };
            let says = json!({ "properties": { property: says }, "required": [property] });
            for part in match written.get("anyOf") {
                Some(Json::Array(all)) => all.clone(),
                _ => vec![written],
            } {
                all.extend(merge(part, says.clone()));
            }
        }
        (!all.is_empty()).then_some(all)
    }

    #[expect(clippy::too_many_arguments, reason = "what one keyword needs of its schema")]
    fn keyword(
        &mut self,
        name: &str,
        part: &Part<'a>,
        beside: &Context,
        depth: usize,
        required: &[String],
        out: &mut Map<String, Json>,
        cut: &mut Vec<&'static str>,
    ) -> Option<()> {
        let below = beside.below();
        let json = match (name, part) {
            ("example", Part::Plain(json)) => {
                let all = out.entry("examples").or_insert_with(|| json!([]));
                all.as_array_mut()?.push(json.clone());
                return Some(());
            }
            ("examples", Part::Plain(json)) => {
                let all = out.entry("examples").or_insert_with(|| json!([]));
                all.as_array_mut()?.extend(json.as_array().into_iter().flatten().cloned());
                return Some(());
            }
            ("required", _) if required.is_empty() => return Some(()),
            ("required", _) => json!(required),
            (_, Part::Plain(json)) => json.clone(),
            ("properties", Part::Named(all)) => {
                let mut map = Map::new();
                for (key, property) in all {
                    let needed = required.contains(key);
                    if is_elsewhere(self.registry, property, self.direction) && self.direction == Direction::Request {
                        continue;
                    }
                    if depth >= self.reach.depth && !needed {
                        continue;
                    }
                    match self.schema(property, &below, depth + 1) {
                        Some(schema) => {
                            map.insert(key.clone(), schema);
                        }
                        None if needed => return None,
                        None => {}
                    }
                }
                map.into()
            }
            (_, Part::Named(all)) => {
                let inner = if name == "patternProperties" { &below } else { beside };
                let written =
                    all.iter().filter_map(|(key, at)| Some((key.clone(), self.schema(at, inner, depth + 1)?)));
                written.collect::<Map<_, _>>().into()
            }
            ("items" | "contains", Part::One(at)) => match self.schema(at, &below, depth + 1) {
                Some(schema) => schema,
                None if at.node.to_json() == json!(false) => json!(false),
                None if name == "contains" || out.get("minItems").is_some_and(|least| *least != 0) => return None,
                None => {
                    cut.push("maxItems");
                    out.insert("maxItems".to_owned(), json!(0));
                    return Some(());
                }
            },
            ("additionalProperties" | "unevaluatedProperties" | "unevaluatedItems", Part::One(at)) => {
                match self.schema(at, &below, depth + 1) {
                    Some(schema) if at.node.to_json() == json!(true) => {
                        let _ = schema;
                        json!({})
                    }
                    Some(schema) => schema,
                    None if at.node.to_json() == json!(false) => json!(false),
                    None => return Some(()),
                }
            }
            ("propertyNames", Part::One(at)) => self.schema(at, &below, depth + 1)?,
            (_, Part::One(at)) => match self.schema(at, beside, depth + 1) {
                Some(schema) => schema,
                // `not`, `if`, `then`, `else` of nothing.
                None => json!({ "not": {} }),
            },
            ("prefixItems", Part::List(all)) => {
                all.iter().map(|at| self.schema(at, &below, depth + 1)).collect::<Option<Vec<_>>>()?.into()
            }
            (_, Part::List(_)) => return Some(()),
        };
        out.insert(name.to_owned(), json);
        Some(())
    }
}

/// How many values there are in a value.
fn size(json: &Json) -> usize {
    match json {
        Json::Array(all) => 1 + all.iter().map(size).sum::<usize>(),
        Json::Object(all) => 1 + all.values().map(size).sum::<usize>(),
        _ => 1,
    }
}
