//! One schema of a document in terms of JSON Schema 2020-12, whatever the document's version. The schemas that it
//! contains are left as they are.

use serde_json::{Map, Value as Json, json};

use super::notes::Problems;
use super::registry::{Dialect, Located, PatternError, Registry};
use super::vocabulary::{Kind, TYPES, kind_of};
use crate::source::did_you_mean;
use crate::yaml::Value;

/// The value of a keyword.
pub(super) enum Part<'a> {
    /// A plain value.
    Plain(Json),
    /// A schema.
    One(Located<'a>),
    /// Several schemas.
    List(Vec<Located<'a>>),
    /// Several schemas by name.
    Named(Vec<(String, Located<'a>)>),
}

/// Whether a schema of OpenAPI 3.0 allows null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nullable {
    /// It does not say so, or says it by its types.
    No,
    /// It says so where this has, strictly, no effect.
    Perhaps,
}

/// The keywords of one schema.
pub(super) struct Keywords<'a> {
    /// `true` or `false` in place of keywords.
    pub(super) constant: Option<bool>,
    /// The target of its `$ref`, which applies as well, or instead.
    pub(super) reference: Option<Located<'a>>,
    /// All other keywords in the order of the document.
    pub(super) parts: Vec<(String, Part<'a>)>,
    pub(super) nullable: Nullable,
    pub(super) discriminator: Option<Located<'a>>,
    /// Bounds that only a format sets.
    pub(super) format_bounds: Vec<&'static str>,
    /// Keywords that cannot be checked.
    pub(super) unsupported: Vec<String>,
}

impl<'a> Keywords<'a> {
    /// Reads a schema, and notes what is unusual about it.
    pub(super) fn read(registry: &'a Registry, at: &Located<'a>, problems: &mut Problems) -> Self {
        let mut out = Self {
            constant: None,
            reference: None,
            parts: Vec::new(),
            nullable: Nullable::No,
            discriminator: None,
            format_bounds: Vec::new(),
            unsupported: Vec::new(),
        };
        let entries = match &at.node.value {
            Value::Scalar(Json::Bool(constant)) => {
                out.constant = Some(*constant);
                return out;
            }
            Value::Mapping(entries) => entries,
            _ => {
                problems.note(at.node.error(format!("a schema must be a map, not {}", at.node.kind())));
                return out;
            }
        };
        if let Some(key) = entries.repeated().first() {
            problems.unsupported(crate::yaml::repeated_key(key));
        }
        let old = registry.dialect() == Dialect::OpenApi30;
        if let Some(node) = at.node.get("$ref") {
            match node.string("`$ref`").and_then(|text| registry.resolve(at, text, &node.place)) {
                Ok(target) => match registry.follow(target.clone()) {
                    Ok(_) => out.reference = Some(target),
                    Err(error) => {
                        problems.unsupported(error);
                        out.unsupported.push("$ref".to_owned());
                    }
                },
                Err(error) => {
                    problems.unsupported(error);
                    out.unsupported.push("$ref".to_owned());
                }
            }
            if old {
                out.siblings(at, problems);
                return out;
            }
        }
        for (key, node) in entries.iter() {
            out.keyword(registry, key, &at.below(&key.name, node), problems);
        }
        out.contradictions(at, problems);
        out.bounds();
        if old {
            out.nullable(at, problems);
        }
        out
    }

    /// OpenAPI 3.0 ignores what stands beside a `$ref`.
    fn siblings(&mut self, at: &Located<'a>, problems: &mut Problems) {
        for (key, _) in at.entries() {
            match key.name.as_str() {
                "$ref" | "description" | "summary" | "title" | "deprecated" | "example" => {}
                "nullable" if at.flag("nullable") => {
                    self.nullable = Nullable::Perhaps;
                    problems.note(
                        key.place
                            .error("`nullable` beside a `$ref` has no effect in OpenAPI 3.0")
                            .help("null is accepted in responses, and left to the server in requests"),
                    );
                }
                name if name.starts_with("x-") => {}
                name => problems.note(
                    key.place
                        .error(format!("`{name}` beside a `$ref` has no effect in OpenAPI 3.0"))
                        .help("put the `$ref` into an `allOf`: keywords beside that have an effect"),
                ),
            }
        }
    }

    fn keyword(&mut self, registry: &Registry, key: &crate::yaml::Key, at: &Located<'a>, problems: &mut Problems) {
        let name = key.name.as_str();
        let old = registry.dialect() == Dialect::OpenApi30;
        let kind = kind_of(name);
        if old && super::vocabulary::is_new(name) {
            problems.note(
                key.place
                    .error(format!("OpenAPI 3.0 does not have the keyword `{name}`"))
                    .help("it is read as in OpenAPI 3.1"),
            );
        }
        let node = at.node;
        let mut wrong = |due: &str| {
            problems.note(node.error(format!("`{name}` must be {due}, not {}", node.kind())).help("it is ignored"));
        };
        let part = match kind {
            None => {
                if name.starts_with("x-") {
                    return;
                }
                let near = did_you_mean(name, super::vocabulary::names());
                if old || near.is_some() {
                    let error = key.place.error(format!("unknown schema keyword `{name}`"));
                    problems.note(error.help(near.unwrap_or_else(|| "it is ignored".to_owned())));
                }
                return;
            }
            Some(Kind::Read | Kind::Annotation) => return,
            Some(Kind::Kept) => Part::Plain(node.to_json()),
            Some(Kind::Type) => match self.types(at, old, problems) {
                Some(types) => Part::Plain(types),
                None => return,
            },
            Some(Kind::Number) => match &node.value {
                Value::Scalar(Json::Number(n)) if name != "multipleOf" || n.as_f64() > Some(0.0) => {
                    Part::Plain(Json::Number(n.clone()))
                }
                Value::Scalar(Json::Bool(flag)) if name.starts_with("exclusive") => {
                    if *flag {
                        self.parts.push((name.to_owned(), Part::Plain(json!(true))));
                    }
                    if !old {
                        problems.note(
                            node.error(format!("`{name}` must be a number from OpenAPI 3.1 on"))
                                .help("it is read as in OpenAPI 3.0"),
                        );
                    }
                    return;
                }
                _ => return wrong("a number"),
            },
            Some(Kind::Count) => match &node.value {
                // However it is written: as 3, 3.0 or 0.3e1. Beyond what can be counted it is no limit.
                Value::Scalar(Json::Number(n)) => match n.as_f64() {
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "is whole and positive"
                    )]
                    Some(count) if count >= 0.0 && count.fract() == 0.0 => {
                        Part::Plain(Json::from(n.as_u64().unwrap_or(count as u64)))
                    }
                    _ => return wrong("a whole number that is not negative"),
                },
                _ => return wrong("a whole number that is not negative"),
            },
            Some(Kind::Flag) => match &node.value {
                Value::Scalar(Json::Bool(flag)) => Part::Plain(json!(flag)),
                _ => return wrong("true or false"),
            },
            Some(Kind::Text) => match &node.value {
                Value::Scalar(Json::String(text)) => Part::Plain(json!(text)),
                _ => return wrong("a string"),
            },
            Some(Kind::Pattern) => match &node.value {
                Value::Scalar(Json::String(pattern)) => match registry.pattern(pattern, check_pattern) {
                    Ok(()) => Part::Plain(json!(pattern)),
                    Err(why) => {
                        let error = node.error("this pattern cannot be read").label(why.to_string());
                        problems.part(error.help("it is not checked: patterns are regular expressions of ECMA 262, of which some are not supported"));
                        self.unsupported.push(name.to_owned());
                        return;
                    }
                },
                _ => return wrong("a string"),
            },
            Some(Kind::Values) => match &node.value {
                Value::Sequence(_) => Part::Plain(node.to_json()),
                _ => return wrong("a list"),
            },
            Some(Kind::Names) => match &node.value {
                Value::Sequence(nodes) => {
                    let mut names: Vec<Json> = Vec::new();
                    for node in nodes {
                        match node.string("a name") {
                            Ok(name) if !names.contains(&json!(name)) => names.push(json!(name)),
                            Ok(_) => {}
                            Err(error) => problems.note(error.help("it is ignored")),
                        }
                    }
                    Part::Plain(names.into())
                }
                _ => return wrong("a list of names"),
            },
            Some(Kind::NameLists) => match node.to_json() {
                Json::Object(map)
                    if map.values().all(|v| v.as_array().is_some_and(|v| v.iter().all(Json::is_string))) =>
                {
                    Part::Plain(map.into())
                }
                _ => return wrong("a map of lists of names"),
            },
            Some(Kind::Schema) => match &node.value {
                // This is the form of older drafts.
                Value::Sequence(_) if name == "items" => {
                    problems.note(node.error("`items` must be one schema").help("a list is read as `prefixItems`"));
                    self.parts.push(("prefixItems".to_owned(), Part::List(at.items())));
                    return;
                }
                Value::Mapping(_) | Value::Scalar(Json::Bool(_)) => Part::One(at.clone()),
                _ => return wrong("a schema"),
            },
            Some(Kind::Schemas) => match &node.value {
                Value::Sequence(nodes) if !nodes.is_empty() => Part::List(at.items()),
                _ => return wrong("a list of schemas"),
            },
            Some(Kind::NamedSchemas) => match &node.value {
                Value::Mapping(entries) => {
                    if let Some(key) = entries.repeated().first() {
                        problems.unsupported(crate::yaml::repeated_key(key));
                    }
                    let mut all = Vec::new();
                    for (key, below) in at.entries() {
                        match (name == "patternProperties").then(|| registry.pattern(&key.name, check_pattern)) {
                            Some(Err(why)) => {
                                let error = key.place.error("this pattern cannot be read").label(why.to_string());
                                problems.part(error.help("it is not checked: patterns are regular expressions of ECMA 262, of which some are not supported"));
                                self.unsupported.push(name.to_owned());
                            }
                            _ => all.push((key.name.clone(), below)),
                        }
                    }
                    Part::Named(all)
                }
                _ => return wrong("a map of schemas"),
            },
            Some(Kind::Discriminator) => {
                self.discriminator = Some(at.clone());
                return;
            }
        };
        self.parts.push((name.to_owned(), part));
    }

    fn types(&self, at: &Located<'a>, old: bool, problems: &mut Problems) -> Option<Json> {
        let known = |name: &Json| name.as_str().is_some_and(|name| TYPES.contains(&name));
        let json = at.node.to_json();
        match &json {
            Json::String(_) if known(&json) => {
                if old && json == "null" {
                    problems.note(
                        at.node.error("OpenAPI 3.0 does not have the type `null`").help("write `nullable: true`"),
                    );
                }
                Some(json)
            }
            Json::Array(all) if !all.is_empty() && all.iter().all(known) => {
                if old {
                    problems.note(
                        at.node
                            .error("OpenAPI 3.0 does not allow a list of types")
                            .help("it is read as in OpenAPI 3.1"),
                    );
                }
                let mut unique: Vec<Json> = Vec::new();
                for name in all {
                    if !unique.contains(name) {
                        unique.push(name.clone());
                    }
                }
                Some(if unique.len() == 1 { unique.remove(0) } else { unique.into() })
            }
            _ => {
                let error = at.node.error(format!("{json} is not a type"));
                problems.note(error.help(format!("it is ignored; the types are {}", TYPES.join(", "))));
                None
            }
        }
    }

    /// A keyword's value, if it is a plain one.
    pub(super) fn plain(&self, name: &str) -> Option<&Json> {
        self.parts.iter().find_map(|(own, part)| match part {
            Part::Plain(json) if own == name => Some(json),
            _ => None,
        })
    }

    fn has(&self, name: &str) -> bool {
        self.parts.iter().any(|(own, _)| own == name)
    }

    fn set(&mut self, name: &str, json: Json) {
        match self.parts.iter_mut().find(|(own, _)| own == name) {
            Some((_, part)) => *part = Part::Plain(json),
            None => self.parts.push((name.to_owned(), Part::Plain(json))),
        }
    }

    /// Notes bounds between which there is no value.
    fn contradictions(&self, at: &Located<'a>, problems: &mut Problems) {
        for (low, high) in [
            ("minimum", "maximum"),
            ("minLength", "maxLength"),
            ("minItems", "maxItems"),
            ("minProperties", "maxProperties"),
        ] {
            let bound = |name: &str| self.plain(name).and_then(Json::as_f64);
            if let (Some(least), Some(most)) = (bound(low), bound(high))
                && least > most
            {
                let node = at.node.get(low).unwrap_or(at.node);
                problems.unsupported(
                    node.error(format!("no value can match this schema: its `{low}` is greater than its `{high}`"))
                        .help("swap them, or correct one"),
                );
            }
        }
    }

    /// Turns exclusive bounds into numbers, and formats of integers into bounds.
    fn bounds(&mut self) {
        for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            if self.plain(exclusive) == Some(&json!(true)) {
                let value = self.plain(bound).cloned();
                self.parts.retain(|(name, _)| name != bound && name != exclusive);
                if let Some(value) = value {
                    self.parts.push((exclusive.to_owned(), Part::Plain(value)));
                }
            }
        }
        let (low, high) = match self.plain("format").and_then(Json::as_str) {
            Some("int32") => (i64::from(i32::MIN), i64::from(i32::MAX)),
            Some("int64") => (i64::MIN, i64::MAX),
            _ => return,
        };
        let numeric = match self.plain("type") {
            None => true,
            Some(Json::Array(types)) => types.iter().any(|t| t == "integer" || t == "number"),
            Some(one) => one == "integer" || one == "number",
        };
        if !numeric {
            return;
        }
        for (bound, exclusive, value) in [("minimum", "exclusiveMinimum", low), ("maximum", "exclusiveMaximum", high)] {
            if !self.has(bound) && !self.has(exclusive) {
                self.set(bound, json!(value));
                self.format_bounds.push(bound);
            }
        }
    }

    /// Turns `nullable` into a type, if the `type` beside it alone decides which values are allowed.
    fn nullable(&mut self, at: &Located<'a>, problems: &mut Problems) {
        if !at.flag("nullable") {
            return;
        }
        let combined = ["allOf", "oneOf", "anyOf"].iter().any(|name| self.has(name));
        let listed = self.plain("enum").and_then(Json::as_array).is_some_and(|values| !values.contains(&Json::Null));
        match self.plain("type").cloned() {
            Some(Json::String(one)) if one != "null" && !combined && !listed => self.set("type", json!([one, "null"])),
            None if !combined && !listed => {}
            _ => {
                self.nullable = Nullable::Perhaps;
                let beside = if combined { "a combination" } else { "an `enum` without null" };
                let node = at.node.get("nullable").unwrap_or(at.node);
                problems.note(
                    node.error(format!("`nullable` beside {beside} may have no effect in OpenAPI 3.0"))
                        .help("null is accepted in responses, and left to the server in requests"),
                );
            }
        }
    }
}

/// Patterns are ECMA 262's; the validator's own engine says whether it can read one.
fn check_pattern(pattern: &str) -> std::result::Result<(), PatternError> {
    let schema = Json::Object(Map::from_iter([("pattern".to_owned(), json!(pattern))]));
    super::compiled::options().build(&schema).map(|_| ()).map_err(|e| PatternError { said: e.to_string() })
}
