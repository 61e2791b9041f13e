//! Schemas of a document, to judge with and to generate from, in terms of JSON Schema 2020-12.
//!
//! [`Schema::json`] is what requests are generated from: without references, `allOf` merged, `oneOf` and `anyOf` as one
//! list under `anyOf`, whose members are merged with what stands beside them. Beside the keywords it may have:
//!
//! - [`POINTER`]: where in the document the part stands; `x-pointers`: the same for keywords that come from elsewhere
//! - `x-one-of: true`: `anyOf` was `oneOf`
//! - `x-nullable: true`: OpenAPI 3.0's `nullable` where it may mean nothing, so that null is left to the server
//! - `x-format-bounds`: the bounds that only `format` sets
//! - `x-cut`: keywords that are there only because the schema contains itself
//! - `x-read-only`: names of properties that are not sent
//! - `x-unsupported`: keywords that cannot be checked, so that no value is surely valid

use std::sync::Arc;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value as Json, json};

use crate::document::{Reader, escape};
use crate::source::{Result, did_you_mean};
use crate::yaml::{Node, Value};

/// The annotation that remembers where in the document a subschema stands.
pub const POINTER: &str = "x-pointer";

/// A schema, translated and compiled.
#[derive(Clone, Debug)]
pub struct Schema {
    /// JSON Schema 2020-12, references inlined, each part annotated with [`POINTER`].
    json: Json,
    validator: Arc<Validator>,
}

/// One way in which a value breaks a schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// JSON Pointer into the value.
    pub at: String,
    /// JSON Pointer into the document, to the part that is broken.
    pub pointer: String,
    /// JSON Pointer into the translated schema, to the same: see
    /// `Form::Schema` of a requirement.
    pub part: String,
    /// The keyword that is broken.
    pub keyword: String,
    /// Of `required`: the property that is missing.
    pub property: Option<String>,
    /// Of `oneOf`: whether several match, and not none.
    pub several: bool,
    /// The message.
    pub message: String,
}

impl Violation {
    /// The place in the value that is wrong: of what is missing, where it is missing.
    pub fn place(&self) -> String {
        match &self.property {
            Some(property) => format!("{}/{}", self.at, escape(property)),
            None => self.at.clone(),
        }
    }
}

impl Schema {
    /// To generate from: JSON Schema 2020-12 without references, each part annotated with [`POINTER`].
    pub fn json(&self) -> &Json {
        &self.json
    }

    /// Whether the value keeps the schema.
    pub fn is_valid(&self, value: &Json) -> bool {
        self.validator.is_valid(value)
    }

    /// Every way in which the value breaks the schema.
    pub fn violations(&self, value: &Json) -> Vec<Violation> {
        if self.is_valid(value) {
            return Vec::new();
        }
        self.validator
            .iter_errors(value)
            .map(|error| {
                let path = error.schema_path().to_string();
                let keyword = error.kind().keyword().to_owned();
                let part = path.strip_suffix(&format!("/{keyword}")).unwrap_or(&path);
                let pointer = self
                    .json
                    .pointer(part)
                    .and_then(|s| s.get(POINTER))
                    .and_then(Json::as_str)
                    .map_or(part.to_owned(), |p| format!("{p}/{keyword}"));
                let property = match error.kind() {
                    ValidationErrorKind::Required { property } => property.as_str().map(str::to_owned),
                    _ => None,
                };
                let (pointer, part) = match &property {
                    Some(property) => (format!("{pointer}#{property}"), format!("{path}#{property}")),
                    None => (pointer, path),
                };
                Violation {
                    at: error.instance_path().to_string(),
                    pointer,
                    part,
                    keyword,
                    property,
                    several: matches!(error.kind(), ValidationErrorKind::OneOfMultipleValid { .. }),
                    message: error.masked().to_string(),
                }
            })
            .collect()
    }
}

/// Whether a schema is for what is sent or for what comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `readOnly` properties are not sent; combined schemas cannot be generated from.
    Request,
    /// `writeOnly` properties do not come back.
    Response,
}

/// Translates schemas of one document.
pub(super) struct Translator<'a> {
    reader: &'a Reader<'a>,
    direction: Direction,
    open: Vec<String>,
}

const ANNOTATIONS: &[&str] =
    &["title", "description", "default", "example", "externalDocs", "deprecated", "discriminator", "xml"];
const KEYWORDS: &[&str] = &[
    "title",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "maxProperties",
    "minProperties",
    "required",
    "enum",
    "type",
    "allOf",
    "oneOf",
    "anyOf",
    "not",
    "items",
    "properties",
    "additionalProperties",
    "description",
    "format",
    "default",
    "nullable",
    "discriminator",
    "readOnly",
    "writeOnly",
    "xml",
    "externalDocs",
    "example",
    "deprecated",
];
const COMBINATIONS: &[&str] = &["allOf", "oneOf", "anyOf", "not"];

impl<'a> Translator<'a> {
    pub(super) fn new(reader: &'a Reader<'a>, direction: Direction) -> Self {
        Self { reader, direction, open: Vec::new() }
    }

    /// Translates and compiles the schema at a node.
    pub(super) fn schema(mut self, node: &'a Node, pointer: String) -> Result<Schema> {
        let json = self.translate(node, pointer)?;
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .build(&json)
            .map_err(|error| node.error(format!("this schema cannot be used: {error}")))?;
        Ok(Schema { json, validator: Arc::new(validator) })
    }

    fn translate(&mut self, node: &'a Node, pointer: String) -> Result<Json> {
        let (target, pointer) = self.reader.follow(node, pointer)?;
        if self.open.contains(&pointer) {
            return Err(node
                .get("$ref")
                .unwrap_or(node)
                .error("this `$ref` leads in a circle")
                .help("schemas that contain themselves are not supported"));
        }
        self.open.push(pointer.clone());
        let translated = self.keywords(target, &pointer);
        self.open.pop();
        translated
    }

    fn keywords(&mut self, node: &'a Node, pointer: &str) -> Result<Json> {
        let mut out = Map::new();
        out.insert(POINTER.to_owned(), json!(pointer));
        let flag = |key: &str| matches!(node.get(key).map(|n| &n.value), Some(Value::Scalar(Json::Bool(true))));
        for (key, value) in node.mapping("a schema")? {
            let name = key.name.as_str();
            if name.starts_with("x-") || ANNOTATIONS.contains(&name) {
                continue;
            }
            if !KEYWORDS.contains(&name) {
                return Err(key
                    .place
                    .error(format!("the schema keyword `{name}` is not supported"))
                    .help(did_you_mean(name, KEYWORDS.iter().copied()).unwrap_or_else(|| {
                        "OpenAPI 3.0 does not have it; probity never ignores a keyword".to_owned()
                    })));
            }
            if COMBINATIONS.contains(&name) && self.direction == Direction::Request {
                return Err(key
                    .place
                    .error(format!("`{name}` is not supported in a request"))
                    .help("write the schema out: requests are generated from it"));
            }
            let below = format!("{pointer}/{}", escape(name));
            let translated = match name {
                "properties" => self.properties(value, &below)?,
                "items" | "not" => self.translate(value, below)?,
                "additionalProperties" => match &value.value {
                    Value::Scalar(Json::Bool(b)) => json!(b),
                    _ => self.translate(value, below)?,
                },
                "allOf" | "oneOf" | "anyOf" => {
                    let parts = value.sequence(&format!("`{name}`"))?;
                    let parts: Result<Vec<Json>> = parts
                        .iter()
                        .enumerate()
                        .map(|(i, part)| self.translate(part, format!("{below}/{i}")))
                        .collect();
                    Json::from(parts?)
                }
                "required" => self.required(node, value)?,
                "pattern" => {
                    let pattern = value.string("`pattern`")?;
                    check_pattern(pattern).map_err(|e| {
                        value
                            .error("this pattern is not a regular expression")
                            .label(e)
                            .help("patterns are regular expressions as in ECMA 262")
                    })?;
                    json!(pattern)
                }
                "exclusiveMinimum" | "exclusiveMaximum" | "nullable" | "readOnly" | "writeOnly" => {
                    continue;
                }
                _ => value.to_json(),
            };
            out.insert(name.to_owned(), translated);
        }
        for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            if flag(exclusive)
                && let Some(value) = out.shift_remove(bound)
            {
                out.insert(exclusive.to_owned(), value);
            }
        }
        int_format(&mut out);
        for (low, high) in [("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")] {
            let bound = |key: &str| out.get(key).and_then(Json::as_f64);
            if let (Some(least), Some(most)) = (bound(low), bound(high))
                && least > most
            {
                return Err(node
                    .get(low)
                    .unwrap_or(node)
                    .error(format!("no value can keep this schema: its `{low}` is above its `{high}`"))
                    .help("swap them, or correct one"));
            }
        }
        if flag("nullable") {
            nullable(&mut out);
        }
        Ok(Json::from(out))
    }

    fn properties(&mut self, node: &'a Node, pointer: &str) -> Result<Json> {
        let mut out = Map::new();
        for (key, property) in node.mapping("`properties`")? {
            let below = format!("{pointer}/{}", escape(&key.name));
            if !self.elsewhere(property)? {
                out.insert(key.name.clone(), self.translate(property, below)?);
            }
        }
        Ok(out.into())
    }

    /// Whether a property belongs to the other direction only.
    fn elsewhere(&self, property: &'a Node) -> Result<bool> {
        let (target, _) = self.reader.follow(property, String::new())?;
        let key = match self.direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        Ok(matches!(target.get(key).map(|n| &n.value), Some(Value::Scalar(Json::Bool(true)))))
    }

    fn required(&self, schema: &'a Node, node: &'a Node) -> Result<Json> {
        let mut names = Vec::new();
        for name in node.sequence("`required`")? {
            let name = name.string("a required property")?;
            let property = schema.get("properties").and_then(|p| p.get(name));
            let elsewhere = match property {
                Some(property) => self.elsewhere(property)?,
                None => false,
            };
            if !elsewhere {
                names.push(json!(name));
            }
        }
        Ok(names.into())
    }
}

/// Patterns are ECMA 262's; the validator's own engine says whether it can read one.
fn check_pattern(pattern: &str) -> std::result::Result<(), String> {
    jsonschema::options().build(&json!({ "pattern": pattern })).map(|_| ()).map_err(|e| e.to_string())
}

/// `int32` and `int64` are bounds.
fn int_format(schema: &mut Map<String, Json>) {
    let (low, high) = match schema.get("format").and_then(Json::as_str) {
        Some("int32") => (i64::from(i32::MIN), i64::from(i32::MAX)),
        Some("int64") => (i64::MIN, i64::MAX),
        _ => return,
    };
    let has_low = schema.contains_key("minimum") || schema.contains_key("exclusiveMinimum");
    let has_high = schema.contains_key("maximum") || schema.contains_key("exclusiveMaximum");
    if !has_low {
        schema.insert("minimum".to_owned(), json!(low));
    }
    if !has_high {
        schema.insert("maximum".to_owned(), json!(high));
    }
}

fn nullable(schema: &mut Map<String, Json>) {
    if let Some(Json::String(one)) = schema.get("type").cloned() {
        schema.insert("type".to_owned(), json!([one, "null"]));
    }
    if let Some(Json::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Json::Null)
    {
        values.push(Json::Null);
    }
}
