//! What a run has created and read, and the values that later operations take from it.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::percent_decode_str;
use serde_json::Value as Json;

use super::links::{Linked, leads};
use super::order::{collection, is_parameter, makes, same_path, shape};
use super::partition::Partition;
use super::references::{Reference, To, has_type, references};
use crate::contract::{CALLER, Contract};
use crate::document::operation::{Operation, template_names};
use crate::document::parameter::{Parameter, ParameterLocation, plain};
use crate::exchange::{Exchange, Response};
use crate::judge::law::{self, is_id, items, record as wrapped};
use crate::yaml::escape;

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
    /// What else the request named.
    partition: Partition,
    body: Json,
    /// The last segment of the `Location` header.
    location: Option<String>,
    /// The segments of its path, decoded.
    address: Vec<String>,
    /// The header `ETag`.
    tag: Option<String>,
    /// What the document's links of the answer give to other operations.
    linked: Vec<Linked>,
}

impl Record {
    fn new(operation: &Operation, exchange: &Exchange, body: Json, response: &Response, is_ours: bool) -> Self {
        let collection = shape(&operation.path);
        // A POST may also search: what it links to then is not the run's.
        let may_link = !is_ours || response.status == 201;
        Self {
            linked: if may_link { Linked::all(operation, exchange, response) } else { Vec::new() },
            operation: operation.id.clone(),
            is_ours,
            parameters: exchange.request.parameters.clone(),
            partition: Partition::of(operation, &exchange.request),
            location: last_segment(response, &collection),
            // What was created is what it names then, and only then.
            address: if response.status == 201 { address(response) } else { Vec::new() },
            tag: response.header("etag").map(str::to_owned),
            collection,
            body,
        }
    }
}

impl Record {
    /// The record that a PUT created: what its path says.
    fn put(operation: &Operation, exchange: &Exchange, response: &Response) -> Option<Self> {
        let path = shape(&operation.path);
        let mut parameters = exchange.request.parameters.clone();
        let (_, own) = parameters.pop()?;
        let record = Self::new(operation, exchange, Json::Null, response, true);
        Some(Self { collection: collection(&path)?.to_owned(), parameters, location: Some(own), ..record })
    }

    /// Whether it is under the same name as another.
    fn is_at(&self, other: &Self) -> bool {
        self.collection == other.collection && self.parameters == other.parameters && self.location == other.location
    }
}

/// How a record that the run created is removed.
#[derive(Clone, Debug, PartialEq)]
pub struct Removal {
    /// The path, with `{id}` for the record, and `{outer0}` and so on for those that it is under.
    pub path: String,
    /// What it is called.
    pub id: String,
    /// The values for the others.
    pub parameters: BTreeMap<String, String>,
}

/// Records that the run knows.
#[derive(Debug, Default)]
pub struct Records {
    /// Some of each operation.
    known: Vec<Record>,
    /// All that the run created, by the number of the request.
    made: BTreeMap<u64, Record>,
    /// The names of the requests that were accepted, by operation.
    accepted: BTreeMap<String, BTreeSet<String>>,
}

/// A value for a part of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// Where it goes: a parameter, or the body.
    pub location: Option<ParameterLocation>,
    /// The parameter's name, or the JSON Pointer of the part of the body.
    pub name: String,
    /// The value.
    pub value: Json,
}

impl Taken {
    /// The value of a parameter.
    fn parameter((location, name, value): (ParameterLocation, String, Json)) -> Self {
        Self { location: Some(location), name, value }
    }
}

impl Records {
    /// Notes the records that an answer shows.
    pub fn note(&mut self, contract: &Contract, exchange: &Exchange) {
        let operation = &contract.operation;
        let Some(response) = exchange.response().filter(|r| (200..300).contains(&r.status)) else { return };
        self.accepted.entry(operation.id.clone()).or_default().insert(exchange.trial.clone());
        if operation.method == "POST" {
            let record = Record::new(operation, exchange, response.json().unwrap_or_default(), response, true);
            self.made.insert(exchange.number, record);
        }
        let put =
            (makes(operation) && response.status == 201).then(|| Record::put(operation, exchange, response)).flatten();
        // What is there already is replaced, and may be answered so again.
        let put = put.filter(|record| !self.made.values().any(|made| made.is_at(record)));
        if let Some(record) = &put {
            self.made.insert(exchange.number, record.clone());
        }
        if exchange.request.identity != CALLER
            || self.known.iter().filter(|r| r.operation == operation.id).count() >= KEPT
        {
            return;
        }
        let record = |body, is_ours| Record::new(operation, exchange, body, response, is_ours);
        match operation.method.as_str() {
            "POST" => self.known.push(record(response.json().unwrap_or_default(), true)),
            "PUT" => self.known.extend(put),
            "GET" => {
                let items = response.json().as_ref().and_then(items).cloned().unwrap_or_default();
                let first = record(items.into_iter().next().unwrap_or_default(), false);
                self.known.extend(Some(first).filter(|r| !r.body.is_null() || !r.linked.is_empty()));
            }
            _ => {}
        }
    }

    /// Whether an operation accepted the request of this name.
    pub fn accepts(&self, operation: &Operation, name: &str) -> bool {
        self.accepted.get(&operation.id).is_some_and(|all| all.contains(name))
    }

    /// Whether what the request of this number created is a record of its own.
    pub fn is_of_its_own(&self, number: u64) -> bool {
        self.made.get(&number).is_some_and(|record| self.is_new(record))
    }

    /// Whether the run created a record. What several requests are answered with may have been there before.
    fn is_new(&self, record: &Record) -> bool {
        let id = |record: &Record| law::id(&record.body).or_else(|| record.location.clone().map(Json::from));
        let (own, address) = (id(record), &record.address);
        let is_same = |other: &&Record| {
            let is_called_so = own.is_some() && id(other) == own;
            let is_there = !address.is_empty() && other.address == *address;
            other.collection == record.collection && (is_called_so || is_there)
        };
        record.is_ours && self.made.values().filter(is_same).count() < 2
    }

    /// Whether what the request of this number created is in the collection of the records that a path with `{id}` names.
    pub fn is_in_collection_of(&self, number: u64, path: &str) -> bool {
        self.made.get(&number).is_some_and(|record| self.is_new(record) && is_of(&record.collection, path))
    }

    /// How what the request of this number created is removed by an operation, if it is of its kind.
    pub fn removal(&self, number: u64, delete: &Operation) -> Option<Removal> {
        let record = self.made.get(&number).filter(|record| self.is_new(record))?;
        let path = shape(&delete.path);
        let of = collection(&path)?;
        let own = path.rsplit('/').next()?.trim_matches(['{', '}']);
        let text = |value: Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let linked = record.linked.iter().filter(|l| l.is_own).find_map(|linked| linked.along(&delete.path));
        let mut all: Vec<String> = match linked {
            Some(values) => values.into_iter().map(text).collect(),
            None if !same_path(&record.collection, of) => {
                by_address(record, delete)?.into_iter().map(|taken| text(taken.value)).collect()
            }
            None => {
                let outer = record.parameters.iter().map(|(_, value)| value.clone());
                outer.chain([text(id(record, own)?)]).collect()
            }
        };
        let id = all.pop()?;
        let mut values = all.into_iter();
        let mut parameters = BTreeMap::new();
        let names = template_names(&delete.path);
        let mut path = delete.path.trim_end_matches('/').to_owned();
        for (n, name) in names.iter().enumerate() {
            let written = format!("{{{name}}}");
            if n + 1 == names.len() {
                path = path.replacen(&written, "{id}", 1);
            } else {
                path = path.replacen(&written, &format!("{{outer{n}}}"), 1);
                parameters.insert(format!("outer{n}"), values.next()?);
            }
        }
        Some(Removal { path, id, parameters })
    }

    /// Values for an operation's path parameters, and for body fields that name other records. Where `ours` is set, only
    /// records that the run created are used.
    pub fn values(&self, operation: &Operation, ours: bool, newest: bool) -> Vec<Taken> {
        let mut all = self.path_values(operation, ours, newest);
        all.extend(self.body_values(operation));
        all
    }

    /// Values that the document's links give for an operation's parameters.
    fn linked_values(&self, operation: &Operation, ours: bool, newest: bool) -> Option<Vec<Taken>> {
        let usable = self.known.iter().filter(|record| !ours || self.is_new(record));
        let fits = |linked: &&Linked| !ours || linked.is_own;
        let values = |record: &'_ Record| record.linked.iter().filter(fits).find_map(|linked| linked.values(operation));
        let mut found = usable.filter_map(|record| Some((record, values(record)?)));
        let (record, values) = if newest { found.next_back() } else { found.next() }?;
        Some(values.into_iter().chain(record.partition.values(operation)).map(Taken::parameter).collect())
    }

    fn path_values(&self, operation: &Operation, ours: bool, newest: bool) -> Vec<Taken> {
        if let Some(linked) = self.linked_values(operation, ours, newest) {
            return linked;
        }
        let path = shape(&operation.path);
        let segments: Vec<&str> = path.split('/').collect();
        let parameters = segments.iter().enumerate().filter(|(_, s)| is_parameter(s));
        // The innermost first: its record says under which others it is.
        for (at, segment) in parameters.rev() {
            let own = segments[..=at].join("/");
            let Some(of) = collection(&own) else { continue };
            let fits = |record: &&Record| same_path(&record.collection, of) && (!ours || self.is_new(record));
            let name = segment.trim_matches(['{', '}']);
            let usable = |record: &Record| Some((record.clone(), id(record, name)?));
            let mut found: Vec<(Record, Json)> = self.known.iter().filter(fits).filter_map(usable).collect();
            // What the run created is better than what it found.
            found.sort_by_key(|(record, _)| !record.is_ours);
            let chosen = if newest { found.pop() } else { found.into_iter().next() };
            let Some((record, value)) = chosen else { continue };
            let taken = |name: &str, value: Json| Taken {
                location: Some(ParameterLocation::Path),
                name: name.to_owned(),
                value,
            };
            let outer = segments[..at].iter().filter(|s| is_parameter(s)).zip(&record.parameters);
            let mut all: Vec<Taken> = outer
                .map(|(segment, (_, value))| taken(segment.trim_matches(['{', '}']), Json::from(value.as_str())))
                .collect();
            all.push(taken(name, value));
            let tagged = |(parameter, tag): (&str, &String)| {
                Taken::parameter((ParameterLocation::Header, parameter.to_owned(), tag.as_str().into()))
            };
            all.extend(tag_of(operation).zip(record.tag.as_ref()).map(tagged));
            all.extend(record.partition.values(operation).into_iter().map(Taken::parameter));
            return all;
        }
        // A list is of what is under the same as a record that was created in it.
        let mut in_it =
            self.known.iter().filter(|record| !ours && record.is_ours && same_path(&record.collection, &path));
        let in_it = in_it.rfind(|record| !record.parameters.is_empty());
        if let Some(record) = in_it {
            let names = segments.iter().filter(|s| is_parameter(s)).map(|s| s.trim_matches(['{', '}']).to_owned());
            let values = record.parameters.iter().map(|(_, value)| Json::from(value.as_str()));
            let taken = |(name, value)| Taken { location: Some(ParameterLocation::Path), name, value };
            return names.zip(values).map(taken).collect();
        }
        let created = self.known.iter().filter(|record| record.is_ours && (!ours || self.is_new(record)));
        let mut found = created.filter_map(|record| Some((record, by_address(record, operation)?)));
        let chosen = if newest { found.next_back() } else { found.next() };
        let with_partition = |(record, all): (&Record, Vec<Taken>)| {
            all.into_iter().chain(record.partition.values(operation).into_iter().map(Taken::parameter)).collect()
        };
        chosen.map(with_partition).unwrap_or_default()
    }

    fn body_values(&self, operation: &Operation) -> Vec<Taken> {
        let Some(body) = operation.body() else { return Vec::new() };
        let own = shape(&operation.path);
        let is_own = |record: &Record| {
            same_path(&record.collection, &own) || collection(&own).is_some_and(|of| same_path(&record.collection, of))
        };
        let value = |reference: Reference<'_>| {
            let Reference { at, field, schema, to, .. } = reference;
            let is_of_it = |record: &&Record| {
                let last = plain(record.collection.rsplit('/').next().unwrap_or_default());
                record.is_ours
                    && match &to {
                        To::Thing(thing) => {
                            is_plural(&last, thing) && !is_own(record) && record.body.get(field).is_none()
                        }
                        To::Kind(kind) => is_plural(&last, kind) && !is_own(record),
                        // The plural is the last resort: a record may also call its id by the field's name.
                        To::Named(thing) => {
                            is_plural(&last, thing) || record.body.get(field).is_some() && last.starts_with(thing)
                        }
                    }
            };
            let value = self.known.iter().filter(is_of_it).find_map(|record| id(record, field))?;
            has_type(schema, &value).then_some(Taken { location: None, name: at, value })
        };
        references(body.schema.json()).into_iter().filter_map(value).collect()
    }
}

/// The parts of a body in which an update repeats what its path says: the record's own id.
pub fn repeated(operation: &Operation, taken: &[Taken]) -> Vec<Taken> {
    let path = shape(&operation.path);
    let Some(last) = path.rsplit('/').next().filter(|last| is_parameter(last)) else { return Vec::new() };
    let name = last.trim_matches(['{', '}']);
    let own = taken.iter().find(|t| t.location == Some(ParameterLocation::Path) && t.name == name);
    let (Some(own), Some(body), true) = (own, operation.body(), ["PUT", "PATCH"].contains(&operation.method.as_str()))
    else {
        return Vec::new();
    };
    let json = body.schema.json();
    let inner = &json["properties"]["data"];
    let of = |schema: &Json, at: &str| -> Vec<Taken> {
        let all = schema["properties"].as_object().into_iter().flatten();
        let is_it = |(field, below): &(&String, &Json)| {
            (["id", "uuid"].contains(&field.as_str()) || plain(field) == plain(name)) && has_type(below, &own.value)
        };
        let taken = |(field, _): (&String, &Json)| Taken {
            location: None,
            name: format!("{at}/{}", escape(field)),
            value: own.value.clone(),
        };
        all.filter(is_it).map(taken).collect()
    };
    [of(json, ""), of(inner, "/data")].concat()
}

/// Which of these operations will give the values of an operation's path parameters, innermost first: a parameter's name,
/// and the operation.
pub fn givers<'a>(operation: &Operation, all: &[&'a Operation], ours: bool) -> Vec<(String, &'a Operation)> {
    let path = shape(&operation.path);
    let segments: Vec<&str> = path.split('/').collect();
    let linked = all.iter().find(|o| leads(o, &operation.path, ours) && (!ours || o.method == "POST"));
    if let Some(linked) = linked {
        let names = operation.parameters_in(ParameterLocation::Path).map(|p| p.name.clone());
        return names.map(|name| (name, *linked)).collect();
    }
    for (at, segment) in segments.iter().enumerate().filter(|(_, s)| is_parameter(s)).rev() {
        let own = segments[..=at].join("/");
        let Some(of) = collection(&own) else { continue };
        let by = |method: &str| all.iter().find(|o| o.method == method && same_path(&shape(&o.path), of));
        let put = || all.iter().find(|o| makes(o) && same_path(&shape(&o.path), &own));
        let giver = by("POST").or_else(put).or_else(|| by("GET").filter(|_| !ours));
        let Some(giver) = giver else { continue };
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

/// Whether a path with `{id}` names records of a collection: the last word of both is the same.
pub(super) fn is_of(of: &str, path: &str) -> bool {
    let last = |path: &str| {
        let word = path.split('/').rev().find(|word| !word.is_empty() && !is_parameter(word)).map(plain);
        word.unwrap_or_default()
    };
    last(of) == last(path.split("{id}").next().unwrap_or_default())
}

/// Whether a parameter of this name asks for the id of the records of a collection: it is called so, or as one of them, or
/// as the last words of that.
pub(super) fn is_id_of(collection: &str, name: &str) -> bool {
    let last = collection.rsplit('/').next().unwrap_or_default();
    let (name, kind) = (plain(name), plain(last));
    // `intent` of `payment_intents`.
    let mut tails = last.char_indices().filter(|(_, c)| !c.is_alphanumeric()).map(|(at, _)| plain(&last[at..]));
    ["id", "uuid", "guid"].iter().any(|end| name.ends_with(end))
        || is_plural(&kind, &name)
        || tails.any(|tail| is_plural(&tail, &name))
}

/// The fields of a collection's records that a parameter of this name may ask for, if it begins with what one of them is
/// called: `name` for `layerName` of `/layers`. All are without case and without what joins words, so that there may be
/// several: `articleslug` begins with `article`, and with `articles`.
pub(super) fn fields_of(collection: &str, name: &str) -> Vec<String> {
    let kind = plain(collection.rsplit('/').next().unwrap_or_default());
    let places = name.char_indices().map(|(at, _)| at).filter(|at| *at > 1);
    places.map(|at| name.split_at(at)).filter(|(thing, _)| is_plural(&kind, thing)).map(|(_, f)| f.to_owned()).collect()
}

/// What the header is called in which an operation wants to be told which version of a record is meant.
pub(super) fn tag_of(operation: &Operation) -> Option<&str> {
    let is_it = |p: &&Parameter| p.name.eq_ignore_ascii_case("if-match");
    operation.parameters_in(ParameterLocation::Header).find(is_it).map(|p| p.name.as_str())
}

/// What a record is called, where a parameter or a field of this name asks for it.
fn id(record: &Record, name: &str) -> Option<Json> {
    let wanted = plain(name);
    // The record itself rather than what is around it.
    let members = || [wrapped(&record.body), record.body.as_object()].into_iter().flatten();
    let within = |all: &serde_json::Map<String, Json>, wanted: &str| {
        all.iter().find(|(key, v)| plain(key) == wanted && is_id(v)).map(|(_, v)| v.clone())
    };
    // Some keep what a record is called apart from what it holds.
    let called = |wanted: &str| {
        members().find_map(|all| within(all, wanted)).or_else(|| {
            members().find_map(|all| all.get("metadata").and_then(Json::as_object).and_then(|all| within(all, wanted)))
        })
    };
    // Or by its path: `things/7`.
    let kind = record.collection.rsplit('/').next().unwrap_or_default();
    let by_path = || {
        let path = called("name")?;
        let (above, last) = path.as_str()?.rsplit_once('/')?;
        (above.rsplit('/').next() == Some(kind) && !last.is_empty()).then(|| Json::from(last))
    };
    // Another name than an id's may mean another field.
    let is_id = is_id_of(&record.collection, name);
    let location = || record.location.clone().map(Json::from);
    // `layerName` of a layer is its `name`.
    let by_field = || fields_of(&record.collection, &wanted).iter().find_map(|field| called(field));
    called(&wanted)
        .filter(|id| wanted != "name" || !id.as_str().is_some_and(|id| id.contains('/')))
        .or_else(location)
        .or_else(by_field)
        .or_else(by_path)
        .or_else(|| called("id").or_else(|| called("uuid")).filter(|_| is_id))
}

/// The segments of the path that the `Location` header names.
fn address(response: &Response) -> Vec<String> {
    let path = response.header("location").and_then(|location| location.split(['?', '#']).next()).unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned()).collect()
}

/// The values of an operation's path parameters where its path, up to the last of them, is that of the `Location` header.
fn by_address(record: &Record, operation: &Operation) -> Option<Vec<Taken>> {
    let segments: Vec<&str> = operation.path.split('/').filter(|segment| !segment.is_empty()).collect();
    let last = segments.iter().rposition(|segment| is_parameter(segment))?;
    let own = &segments[..=last];
    // What comes before it is where the API begins.
    let address = record.address.get(record.address.len().checked_sub(own.len())?..)?;
    let is_it = own.iter().zip(address).all(|(template, segment)| is_parameter(template) || template == segment);
    let taken = |(template, segment): (&&str, &String)| Taken {
        location: Some(ParameterLocation::Path),
        name: template.trim_matches(['{', '}']).to_owned(),
        value: segment.as_str().into(),
    };
    let all = || own.iter().zip(address).filter(|(template, _)| is_parameter(template)).map(taken).collect();
    // A path of parameters alone is that of everything.
    (is_it && !is_parameter(own[0])).then(all)
}

/// The last segment of the `Location` header, if it leads into the collection.
fn last_segment(response: &Response, collection: &str) -> Option<String> {
    let location = response.header("location")?;
    let path = location.split(['?', '#']).next()?.trim_end_matches('/');
    let (above, last) = path.rsplit_once('/').filter(|(_, last)| !last.is_empty())?;
    let kind = collection.rsplit('/').next()?;
    let in_brackets = || Some(last.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')')?.trim_matches('\''));
    let last = if above.rsplit('/').next() == Some(kind) { last } else { in_brackets()? };
    Some(percent_decode_str(last).decode_utf8_lossy().into_owned())
}
