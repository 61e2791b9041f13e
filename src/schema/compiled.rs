//! Schemas to judge with: as the document writes them, references and all.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError, ValidationOptions, Validator};
use serde_json::Value as Json;

use super::{POINTER, Violation};
use crate::yaml::escape;

/// How patterns and formats are read.
pub(super) fn options<'i>() -> ValidationOptions<'i> {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(200_000))
        .should_validate_formats(true)
}

/// A schema with all that it refers to, and its validator.
#[derive(Debug)]
pub(super) struct Compiled {
    json: Json,
    /// None for a schema that the library refuses, which would be a defect of the translation: it judges nothing then.
    validator: Option<Validator>,
}

impl Compiled {
    pub(super) fn new(json: Json) -> Self {
        let validator = options().build(&json);
        debug_assert!(validator.is_ok(), "{:?} in {json:#}", validator.err().map(|e| e.to_string()));
        Self { validator: validator.ok(), json }
    }

    /// Every way in which a value breaks the schema.
    pub(super) fn violations(&self, value: &Json) -> Vec<Violation> {
        let Some(validator) = &self.validator else {
            return Vec::new();
        };
        if validator.is_valid(value) {
            return Vec::new();
        }
        let mut all: Vec<Violation> = validator.iter_errors(value).filter_map(|error| self.violation(&error)).collect();
        all.dedup();
        all
    }

    fn violation(&self, error: &ValidationError<'_>) -> Option<Violation> {
        let kind = error.kind();
        // A value that the engine gives up on is not known to be wrong.
        let undecided = matches!(
            kind,
            ValidationErrorKind::BacktrackLimitExceeded { .. } | ValidationErrorKind::RegexEngineFailure { .. }
        );
        if undecided {
            return None;
        }
        let mut keyword = kind.keyword().to_owned();
        let path = error.evaluation_path().to_string();
        let (mut part, schema) = self.walk(&path);
        let here = schema.and_then(|s| s.get(POINTER)).and_then(Json::as_str).unwrap_or_default();
        if schema.is_some_and(|s| s.get("x-write-only").is_some()) {
            keyword = "writeOnly".to_owned();
        }
        // For the schema `false`, the keyword is the one that contains it.
        let mut pointer = if matches!(kind, ValidationErrorKind::FalseSchema) {
            here.to_owned()
        } else {
            format!("{here}/{}", escape(&keyword))
        };
        let property = match kind {
            ValidationErrorKind::Required { property } => property.as_str().map(str::to_owned),
            _ => None,
        };
        if let Some(property) = &property {
            pointer = format!("{pointer}#{property}");
            part = format!("{part}#{property}");
        }
        Some(Violation {
            at: error.instance_path().to_string(),
            pointer,
            part,
            keyword,
            property,
            several: matches!(kind, ValidationErrorKind::OneOfMultipleValid { .. }),
            message: error.masked().to_string(),
        })
    }

    /// The place in [`super::Schema::json`] that an evaluation path comes to, and the schema that has the keyword.
    fn walk(&self, path: &str) -> (String, Option<&Json>) {
        let names: Vec<String> = path.split('/').skip(1).map(|n| n.replace("~1", "/").replace("~0", "~")).collect();
        let mut names = names.iter().map(String::as_str).peekable();
        let mut part = String::new();
        let mut at = &self.json;
        let mut holder = Some(at);
        while let Some(keyword) = names.next() {
            holder = Some(at);
            let wrapped = at.get("x-wrap").is_some();
            let Some(below) = at.get(keyword) else {
                part.push_str(&format!("/{}", escape(keyword)));
                break;
            };
            match keyword {
                "$ref" => {
                    let target = below.as_str().and_then(|r| self.json.pointer(r.trim_start_matches('#')));
                    let Some(target) = target else { break };
                    at = target;
                    // The reference itself is broken.
                    continue;
                }
                "allOf" | "then" | "else" if keyword == "allOf" || wrapped => {
                    at = match (keyword, names.peek()) {
                        ("allOf", Some(index)) => match below.get(index.parse::<usize>().unwrap_or_default()) {
                            Some(below) => {
                                names.next();
                                below
                            }
                            None => break,
                        },
                        _ => below,
                    };
                    continue;
                }
                _ => {}
            }
            part.push_str(&format!("/{}", escape(if keyword == "oneOf" { "anyOf" } else { keyword })));
            let takes_name = below.is_array() || NAMED.contains(&keyword);
            at = match names.peek() {
                Some(name) if takes_name && !below.is_array() => match below.get(name) {
                    Some(next) if next.is_object() || next.is_boolean() => {
                        part.push_str(&format!("/{}", escape(name)));
                        names.next();
                        next
                    }
                    _ => break,
                },
                Some(name) if takes_name => match name.parse::<usize>().ok().and_then(|i| below.get(i)) {
                    Some(next) => {
                        part.push_str(&format!("/{name}"));
                        names.next();
                        next
                    }
                    None => break,
                },
                _ => below,
            };
        }
        // Behind the last keyword may stand what it was about; only the keyword counts.
        (part, holder)
    }
}

/// Keywords that contain schemas by name.
const NAMED: &[&str] = &["properties", "patternProperties", "dependentSchemas", "$defs"];
