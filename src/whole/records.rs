//! What a run has created and read, and the values that later operations take from it.

use percent_encoding::percent_decode_str;
use serde_json::Value as Json;

use super::order::{collection, is_parameter, named, plain};
use crate::contract::{CALLER, Contract};
use crate::document::operation::Operation;
use crate::document::parameter::ParameterLocation;
use crate::exchange::{Exchange, Response};
use crate::judge::law::{items, record as wrapped};

/// How many accepted answers of one operation are kept.
const KEPT: usize = 4;

/// A record that an answer showed.
#[derive(Clone, Debug)]
struct Record {
    /// The operation that answered.
    operation: String,
    /// Whether the run created it.
    is_ours: bool,
    /// The path of its collection, with parameters in braces.
    collection: String,
    /// The path parameters of the request.
    parameters: Vec<(String, String)>,
    body: Json,
    /// The last segment of the `Location` header.
    location: Option<String>,
}

/// Records that the run knows.
#[derive(Debug, Default)]
pub struct Records(Vec<Record>);

/// A value for a part of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// Where it goes: a path parameter, or the body.
    pub location: Option<ParameterLocation>,
    /// The parameter's name, or the field.
    pub name: String,
    /// The value.
    pub value: Json,
    /// The operation that gave it.
    pub from: String,
}

impl Records {
    /// Notes the records that an answer shows.
    pub fn note(&mut self, contract: &Contract, exchange: &Exchange) {
        let operation = &contract.operation;
        let Some(response) = exchange.response().filter(|r| (200..300).contains(&r.status)) else { return };
        if exchange.request.identity != CALLER || self.0.iter().filter(|r| r.operation == operation.id).count() >= KEPT
        {
            return;
        }
        let record = |body: Json, is_ours| Record {
            operation: operation.id.clone(),
            is_ours,
            collection: operation.path.trim_end_matches('/').to_owned(),
            parameters: exchange.request.parameters.clone(),
            body,
            location: last_segment(response),
        };
        match operation.method.as_str() {
            "POST" => self.0.push(record(response.json().unwrap_or_default(), true)),
            "GET" => {
                let items = response.json().as_ref().and_then(items).cloned().unwrap_or_default();
                self.0.extend(items.into_iter().take(1).map(|item| record(item, false)));
            }
            _ => {}
        }
    }

    /// Values for an operation's path parameters, and for body fields that name other records. Where `ours` is set, only
    /// records that the run created are used.
    pub fn values(&self, operation: &Operation, ours: bool, newest: bool) -> Vec<Taken> {
        let mut all = self.path_values(operation, ours, newest);
        all.extend(self.body_values(operation));
        all
    }

    fn path_values(&self, operation: &Operation, ours: bool, newest: bool) -> Vec<Taken> {
        let segments: Vec<&str> = operation.path.trim_end_matches('/').split('/').collect();
        let parameters = segments.iter().enumerate().filter(|(_, s)| is_parameter(s));
        // The innermost first: its record says under which others it is.
        for (at, segment) in parameters.rev() {
            let own = segments[..=at].join("/");
            let Some(of) = collection(&own) else { continue };
            let fits = |record: &&Record| same_path(&record.collection, of) && (record.is_ours || !ours);
            let name = segment.trim_matches(['{', '}']);
            let usable = |record: &Record| Some((record.clone(), id(record, name)?));
            let mut found: Vec<(Record, Json)> = self.0.iter().filter(fits).filter_map(usable).collect();
            // What the run created is better than what it found.
            found.sort_by_key(|(record, _)| !record.is_ours);
            let chosen =
                if newest { found.into_iter().rfind(|(r, _)| r.is_ours || !ours) } else { found.into_iter().next() };
            let Some((record, value)) = chosen else { continue };
            let taken = |name: &str, value: Json| Taken {
                location: Some(ParameterLocation::Path),
                name: name.to_owned(),
                value,
                from: record.operation.clone(),
            };
            let outer = segments[..at].iter().filter(|s| is_parameter(s)).zip(&record.parameters);
            let mut all: Vec<Taken> = outer
                .map(|(segment, (_, value))| taken(segment.trim_matches(['{', '}']), Json::from(value.as_str())))
                .collect();
            all.push(taken(name, value));
            return all;
        }
        Vec::new()
    }

    fn body_values(&self, operation: &Operation) -> Vec<Taken> {
        let properties = operation.body().and_then(|body| body.schema.json()["properties"].as_object());
        let mut all = Vec::new();
        for (field, schema) in properties.into_iter().flatten() {
            let Some(thing) = named(field) else { continue };
            let is_of_it = |record: &&Record| {
                let last = plain(record.collection.rsplit('/').next().unwrap_or_default());
                // The plural is the last resort: a record may also call its id by the field's name.
                record.is_ours
                    && (is_plural(&last, &thing) || record.body.get(field).is_some() && last.starts_with(&thing))
            };
            let found = self.0.iter().filter(is_of_it).find_map(|record| Some((record, id(record, field)?)));
            let kind = |value: &Json| match value {
                Json::String(_) => "string",
                Json::Number(_) => "integer",
                _ => "",
            };
            if let Some((record, value)) = found
                && (schema["type"].is_null() || schema["type"].to_string().contains(kind(&value)))
            {
                all.push(Taken { location: None, name: field.clone(), value, from: record.operation.clone() });
            }
        }
        all
    }
}

/// Which of these operations will give the values of an operation's path parameters, innermost first: a parameter's name,
/// and the operation.
pub fn givers<'a>(operation: &Operation, all: &[&'a Operation], ours: bool) -> Vec<(String, &'a Operation)> {
    let segments: Vec<&str> = operation.path.trim_end_matches('/').split('/').collect();
    for (at, segment) in segments.iter().enumerate().filter(|(_, s)| is_parameter(s)).rev() {
        let own = segments[..=at].join("/");
        let Some(of) = collection(&own) else { continue };
        let by = |method: &str| all.iter().find(|o| o.method == method && same_path(o.path.trim_end_matches('/'), of));
        let Some(giver) = by("POST").or_else(|| by("GET").filter(|_| !ours)) else { continue };
        let names = segments[..=at].iter().filter(|s| is_parameter(s)).map(|s| s.trim_matches(['{', '}']).to_owned());
        let mut all: Vec<(String, &Operation)> = names.map(|name| (name, *giver)).collect();
        all.reverse();
        debug_assert_eq!(all.first().map(|(name, _)| name.as_str()), Some(segment.trim_matches(['{', '}'])));
        return all;
    }
    Vec::new()
}

pub(super) fn is_plural(plural: &str, singular: &str) -> bool {
    let y = singular.strip_suffix('y').map(|stem| format!("{stem}ies"));
    plural == singular
        || plural == format!("{singular}s")
        || plural == format!("{singular}es")
        || y.as_deref() == Some(plural)
}

/// Whether two paths are the same, whatever their parameters are called.
pub(super) fn same_path(a: &str, b: &str) -> bool {
    let (a, b): (Vec<_>, Vec<_>) = (a.split('/').collect(), b.split('/').collect());
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a == b || (is_parameter(a) && is_parameter(b)))
}

/// What a record is called, where a parameter or a field of this name asks for it.
fn id(record: &Record, name: &str) -> Option<Json> {
    let in_body = [record.body.as_object(), wrapped(&record.body)].into_iter().flatten().find_map(|members| {
        let scalar =
            |value: &Json| matches!(value, Json::Number(_)) || value.as_str().is_some_and(|text| !text.is_empty());
        let called =
            |wanted: &str| members.iter().find(|(key, v)| plain(key) == wanted && scalar(v)).map(|(_, v)| v.clone());
        called(&plain(name)).or_else(|| called("id")).or_else(|| called("uuid"))
    });
    in_body.or_else(|| record.location.clone().map(Json::from))
}

fn last_segment(response: &Response) -> Option<String> {
    let location = response.header("location")?;
    let path = location.split(['?', '#']).next()?.trim_end_matches('/');
    let last = path.rsplit('/').next().filter(|last| !last.is_empty())?;
    Some(percent_decode_str(last).decode_utf8_lossy().into_owned())
}
