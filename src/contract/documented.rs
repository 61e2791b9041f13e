//! The parts of a request in a document: the names that a case may use without `undocumented`.

use super::template::segments;
use crate::document::operation::Operation;
use crate::document::parameter::{Parameter, ParameterLocation};
use crate::document::security::SchemeKind;
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
pub(crate) enum Part<'a> {
    /// A body field, by JSON Pointer.
    Field(&'a str),
    /// A header.
    Header(&'a str),
    /// A path parameter.
    PathParameter(&'a str),
    /// A query parameter, or a member of one, as `filter[state]`.
    Query(&'a str),
    /// A cookie.
    Cookie(&'a str),
}

impl Part<'_> {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Field(name)
            | Self::Header(name)
            | Self::PathParameter(name)
            | Self::Query(name)
            | Self::Cookie(name) => name,
        }
    }

    /// The message for a part that the document lacks.
    pub(super) fn missing(&self) -> String {
        match self {
            Self::Field(pointer) => format!("the document's request body has no field `{pointer}`"),
            Self::Header(name) => format!("the document has no header `{name}`"),
            Self::PathParameter(name) => format!("the path has no parameter `{name}`"),
            Self::Query(name) => format!("the document has no query parameter `{name}`"),
            Self::Cookie(name) => format!("the document has no cookie `{name}`"),
        }
    }
}

/// Whether the document has a part of a request.
pub(crate) fn knows(operation: &Operation, part: Part<'_>) -> bool {
    match part {
        Part::Field(pointer) => operation.body().is_none_or(|body| body.schema.reaches(&segments(pointer))),
        Part::Header(name) => {
            let mut parameters = operation.parameters_in(ParameterLocation::Header).map(|p| p.name.as_str());
            parameters.any(|known| known.eq_ignore_ascii_case(name))
                || operation.security.as_ref().is_some_and(|own| own.header.eq_ignore_ascii_case(name))
                || HEADERS.contains(&name.to_ascii_lowercase().as_str())
        }
        Part::PathParameter(name) => operation.parameters_in(ParameterLocation::Path).any(|p| p.name == name),
        Part::Query(name) => {
            let first = name.split('[').next().unwrap_or(name);
            let is_own = |p: &Parameter| {
                // The members of an object may each have a pair of their own.
                let members = p.schema.json()["properties"].as_object();
                p.name == name || p.name == first || members.is_some_and(|members| members.contains_key(name))
            };
            operation.parameters_in(ParameterLocation::Query).any(is_own)
                || operation.parameters_in(ParameterLocation::Querystring).next().is_some()
                || is_key(operation, |kind| matches!(kind, SchemeKind::QueryKey(own) if own == name))
        }
        Part::Cookie(name) => {
            operation.parameters_in(ParameterLocation::Cookie).any(|p| p.name == name)
                || is_key(operation, |kind| matches!(kind, SchemeKind::CookieKey(own) if own == name))
        }
    }
}

/// Whether a caller's credentials are of a kind.
fn is_key(operation: &Operation, is_it: impl Fn(&SchemeKind) -> bool) -> bool {
    operation.alternatives.iter().flat_map(|alternative| &alternative.schemes).any(|scheme| is_it(&scheme.kind))
}

/// A name of the document that was probably meant.
pub(super) fn similar(operation: &Operation, part: Part<'_>) -> Option<String> {
    let names: Vec<String> = match part {
        Part::Field(pointer) => {
            // A name one level up may also be wrong; most fields are at the top.
            let above = pointer.rsplit_once('/').map_or("", |(above, _)| above);
            let body = operation.body()?;
            let object = body.schema.json().pointer(&segments(above).iter().fold(String::new(), |path, name| {
                path + "/properties/" + &name.replace('~', "~0").replace('/', "~1")
            }))?;
            let properties = object["properties"].as_object()?;
            properties.keys().map(|name| format!("{above}/{name}")).collect()
        }
        Part::Header(_) => operation.parameters_in(ParameterLocation::Header).map(|p| p.name.clone()).collect(),
        Part::PathParameter(_) => operation.parameters_in(ParameterLocation::Path).map(|p| p.name.clone()).collect(),
        Part::Query(_) => operation.parameters_in(ParameterLocation::Query).map(|p| p.name.clone()).collect(),
        Part::Cookie(_) => operation.parameters_in(ParameterLocation::Cookie).map(|p| p.name.clone()).collect(),
    };
    did_you_mean(part.name(), names.iter().map(String::as_str))
}
