//! What a document knows of a request: the names that a case may use without saying that it means others.

use serde_json::Value as Json;

use super::operation::Operation;
use super::template::segments;
use crate::source::did_you_mean;

/// Headers that every request may carry, whatever the document says.
const HEADERS: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-type",
    "cookie",
    "expect",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "origin",
    "prefer",
    "range",
    "referer",
    "traceparent",
    "user-agent",
];

/// A part of a request that a step names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    /// A body field, by JSON Pointer.
    Field(&'a str),
    /// A header.
    Header(&'a str),
    /// A path parameter.
    PathParameter(&'a str),
}

impl Part<'_> {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Field(name) | Self::Header(name) | Self::PathParameter(name) => name,
        }
    }

    /// What the document lacks, for messages.
    pub(super) fn missing(&self) -> String {
        match self {
            Self::Field(pointer) => format!("the document's request body has no field `{pointer}`"),
            Self::Header(name) => format!("the document has no header `{name}`"),
            Self::PathParameter(name) => format!("the path has no parameter `{name}`"),
        }
    }
}

/// Whether the document knows a part of a request.
pub(super) fn knows(operation: &Operation, part: Part<'_>) -> bool {
    match part {
        Part::Field(pointer) => {
            operation.body.as_ref().is_none_or(|body| reaches(&body.schema.json, &segments(pointer)))
        }
        Part::Header(name) => {
            let mut parameters = operation.header_parameters.iter().map(|p| p.name.as_str());
            let own = operation.security.as_ref().map(|s| s.header.as_str());
            parameters.any(|known| known.eq_ignore_ascii_case(name))
                || own.is_some_and(|own| own.eq_ignore_ascii_case(name))
                || HEADERS.contains(&name.to_ascii_lowercase().as_str())
        }
        Part::PathParameter(name) => operation.path_parameters.iter().any(|p| p.name == name),
    }
}

/// A name of the document that was probably meant.
pub(super) fn similar(operation: &Operation, part: Part<'_>) -> Option<String> {
    let names: Vec<String> = match part {
        Part::Field(pointer) => {
            // A name one level up may be wrong, too; most fields stand at the top.
            let above = pointer.rsplit_once('/').map_or("", |(above, _)| above);
            let body = operation.body.as_ref()?;
            let object = body.schema.json.pointer(&segments(above).iter().fold(String::new(), |path, name| {
                path + "/properties/" + &name.replace('~', "~0").replace('/', "~1")
            }))?;
            let properties = object["properties"].as_object()?;
            properties.keys().map(|name| format!("{above}/{name}")).collect()
        }
        Part::Header(_) => operation.header_parameters.iter().map(|p| p.name.clone()).collect(),
        Part::PathParameter(_) => operation.path_parameters.iter().map(|p| p.name.clone()).collect(),
    };
    did_you_mean(part.name(), names.iter().map(String::as_str))
}

/// Whether a schema has something at a path; what it does not describe may be anything.
pub(super) fn reaches(schema: &Json, path: &[String]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return true;
    };
    let parts = ["allOf", "oneOf", "anyOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    let mut parts = parts.peekable();
    if parts.peek().is_some() {
        let own = schema["properties"].get(first).is_some_and(|s| reaches(s, rest));
        return own || parts.any(|part| reaches(part, path));
    }
    let others = schema.get("additionalProperties").filter(|others| others.is_object());
    match (schema.get("properties"), schema.get("items")) {
        (Some(properties), _) => properties.get(first).or(others).is_some_and(|s| reaches(s, rest)),
        (None, Some(items)) => reaches(items, rest),
        (None, None) => others.is_none_or(|others| reaches(others, rest)),
    }
}
