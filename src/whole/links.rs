//! The links of a document's responses: which values of an answer another operation takes, and for which parameters.

use serde_json::Value as Json;
use url::form_urlencoded;

use super::order::is_parameter;
use crate::document::operation::Operation;
use crate::document::parameter::ParameterLocation;
use crate::document::response::Link;
use crate::exchange::{Exchange, Response};
use crate::judge::law::{is_id, is_own_id};

/// What a link of an answer gives to the operations on one path.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The path of the operation that it leads to.
    path: String,
    /// The values of parameters, by their names as the link writes them: `id`, `path.id` or `query.id`.
    values: Vec<(String, Json)>,
    /// Whether it leads to the record of the answer itself, and not to another one that this names.
    pub is_own: bool,
}

impl Linked {
    /// All that the links of an answer give.
    pub fn all(operation: &Operation, exchange: &Exchange, response: &Response) -> Vec<Self> {
        let documented = operation.responses.iter().find(|r| r.status == response.status.to_string());
        let documented = documented
            .or_else(|| operation.responses.iter().find(|r| r.covers(response.status)))
            .or_else(|| operation.responses.iter().find(|r| r.status == "default"));
        let linked = |link: &Link| {
            let values = link.parameters.iter().filter_map(|(name, value)| {
                let value = match value {
                    Json::String(text) if text.starts_with('$') => evaluate(text, exchange, response)?,
                    Json::String(text) if text.contains("{$") => return None,
                    constant => constant.clone(),
                };
                Some((name.clone(), value))
            });
            Self { path: link.path.clone(), values: values.collect(), is_own: is_own(link) }
        };
        documented.into_iter().flat_map(|r| &r.links).map(linked).collect()
    }

    /// The values that it gives for an operation's parameters; none unless it has one for each in the path.
    pub fn values(&self, operation: &Operation) -> Option<Vec<(ParameterLocation, String, Json)>> {
        if self.path != operation.path {
            return None;
        }
        let given = |location: ParameterLocation, name: &str| {
            let qualified = format!("{}.{name}", location.name());
            let found = self.values.iter().find(|(written, _)| *written == qualified || *written == name);
            found.map(|(_, value)| (location, name.to_owned(), value.clone()))
        };
        let in_path: Option<Vec<_>> = operation
            .parameters_in(ParameterLocation::Path)
            .map(|p| given(ParameterLocation::Path, &p.name).filter(|(_, _, value)| is_id(value)))
            .collect();
        let in_query = operation
            .parameters_in(ParameterLocation::Query)
            .filter_map(|p| given(ParameterLocation::Query, &p.name).filter(|(_, _, value)| is_id(value)));
        Some(in_path?.into_iter().chain(in_query).collect()).filter(|all: &Vec<_>| !all.is_empty())
    }

    /// The values for the parameters of a path, from left to right.
    pub fn along(&self, path: &str) -> Option<Vec<Json>> {
        let names = path.split('/').filter(|s| is_parameter(s)).map(|s| s.trim_matches(['{', '}']));
        let given = |name: &str| {
            let is_it = |(written, _): &&(String, Json)| written.trim_start_matches("path.") == name;
            self.values.iter().find(is_it).map(|(_, value)| value.clone())
        };
        if self.path == path { names.map(given).collect() } else { None }
    }
}

/// Whether a link leads to the record of the answer itself: the last parameter of its path is what that is called.
fn is_own(link: &Link) -> bool {
    let last = link.path.rsplit('/').find(|segment| is_parameter(segment)).unwrap_or_default();
    let name = last.trim_matches(['{', '}']);
    let given = link.parameters.iter().find(|(written, _)| written.trim_start_matches("path.") == name);
    let text = given.and_then(|(_, value)| value.as_str()).unwrap_or_default();
    text.strip_prefix("$response.body#").is_some_and(is_own_id)
}

/// Whether an answer of an operation that it documents leads to a path, with a value for each of its parameters; where
/// `own` is set, to the record of the answer itself.
pub fn leads(operation: &Operation, path: &str, own: bool) -> bool {
    let gives = |link: &Link| {
        let mut names = path.split('/').filter(|s| is_parameter(s)).map(|s| s.trim_matches(['{', '}']));
        let has = |name: &str| link.parameters.iter().any(|(written, _)| written.trim_start_matches("path.") == name);
        (!own || is_own(link)) && link.path == path && path.contains('{') && names.all(has)
    };
    operation.responses.iter().filter(|r| r.is_success()).flat_map(|r| &r.links).any(gives)
}

/// The value of a runtime expression; None if the exchange has none.
fn evaluate(text: &str, exchange: &Exchange, response: &Response) -> Option<Json> {
    let request = &exchange.request;
    let text = text.strip_prefix('$')?;
    let (part, pointer) = text.split_once('#').unwrap_or((text, ""));
    if let Some(name) = part.strip_prefix("response.header.") {
        return response.header(name).map(Json::from);
    }
    if let Some(name) = part.strip_prefix("request.header.") {
        return request.header(name).map(Json::from);
    }
    if let Some(name) = part.strip_prefix("request.path.") {
        return request.parameters.iter().find(|(n, _)| n == name).map(|(_, value)| Json::from(value.as_str()));
    }
    if let Some(name) = part.strip_prefix("request.query.") {
        let (_, query) = request.path.split_once('?')?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        return pairs.find(|(n, _)| n == name).map(|(_, value)| Json::from(value.as_ref()));
    }
    match part {
        "response.body" => response.json()?.pointer(pointer).cloned(),
        "request.body" => request.json()?.pointer(pointer).cloned(),
        "statusCode" => Some(response.status.into()),
        "method" => Some(request.method.as_str().into()),
        _ => None,
    }
}
