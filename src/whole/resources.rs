//! Resources: operations that speak of the same records, and the laws that hold between them.

use serde_json::Value as Json;

use super::links::leads;
use super::order::{Paths, collection, is_parameter, makes, same_path, shape};
use super::pages;
use super::records::is_plural;
use super::references::{To, references};
use crate::contract::Contract;
use crate::contract::requirement::{Form, Law, Level, Origin, Requirement};
use crate::document::operation::Operation;
use crate::document::parameter::{ParameterLocation, plain};

/// The operations on one kind of record, by their places among all.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The operation that reads one.
    pub read: usize,
    /// The one that creates one.
    pub create: Option<usize>,
    /// Those that change one.
    pub updates: Vec<usize>,
    /// The one that removes one.
    pub delete: Option<usize>,
}

/// The resources of an API: whatever has a path that ends with a parameter, and a GET there.
pub fn resources(contracts: &[Contract]) -> Vec<Resource> {
    let at = |method: &str, path: &str| {
        let found = |c: &Contract| c.operation.method == method && same_path(&shape(&c.operation.path), path);
        contracts.iter().position(found)
    };
    let resource = |(read, contract): (usize, &Contract)| {
        let path = shape(&contract.operation.path);
        let of = collection(&path).filter(|_| contract.operation.method == "GET")?;
        Some(Resource {
            read,
            create: at("POST", of)
                .or_else(|| {
                    let leads = |c: &Contract| leads(&c.operation, &contract.operation.path, true);
                    contracts.iter().position(|c| c.operation.method == "POST" && leads(c))
                })
                .or_else(|| at("PUT", &path).filter(|put| makes(&contracts[*put].operation))),
            updates: ["PUT", "PATCH"].iter().filter_map(|method| at(method, &path)).collect(),
            delete: at("DELETE", &path),
        })
    };
    contracts.iter().enumerate().filter_map(resource).collect()
}

/// The operations that must have created something before an operation can be called, by their places.
pub fn needs(contracts: &[Contract], of: usize) -> Vec<usize> {
    let paths = Paths::of(contracts);
    let mut all: Vec<usize> = Vec::new();
    let mut open = vec![of];
    while let Some(at) = open.pop() {
        let operation = &contracts[at].operation;
        let creates = |c: &Contract| c.operation.method == "POST" || paths.is_made_by(&c.operation);
        let creates = contracts.iter().enumerate().filter(|(_, c)| creates(c));
        let gives = creates.filter(|(other, c)| *other != at && gives(&c.operation, operation)).map(|(other, _)| other);
        for other in gives {
            if other != of && !all.contains(&other) {
                all.push(other);
                open.push(other);
            }
        }
    }
    all
}

/// Whether what one operation creates is named in the path or the body of another.
pub(super) fn gives(create: &Operation, operation: &Operation) -> bool {
    let (create_path, path) = (shape(&create.path), shape(&operation.path));
    let of = collection(&create_path).filter(|_| makes(create)).unwrap_or(&create_path);
    let own: Vec<&str> = of.split('/').collect();
    let other: Vec<&str> = path.split('/').collect();
    let is_above = other.get(own.len()).is_some_and(|next| is_parameter(next))
        && same_path(&own.join("/"), &other[..own.len()].join("/"));
    let last = plain(own.last().copied().unwrap_or_default());
    let named = operation.body().map(|body| references(body.schema.json())).unwrap_or_default();
    is_above
        || leads(create, &operation.path, false)
        || named.iter().any(|r| match &r.to {
            To::Named(thing) | To::Kind(thing) => is_plural(&last, thing),
            To::Thing(_) => false,
        })
}

/// Adds to each contract the laws that its operation is to keep.
pub fn add_laws(contracts: &mut [Contract]) {
    for resource in resources(contracts) {
        if resource.create.is_some() {
            add(&mut contracts[resource.read], Law::ReadBack);
            resource.updates.iter().for_each(|update| add(&mut contracts[*update], Law::Updated));
            if let Some(delete) = resource.delete {
                add(&mut contracts[delete], Law::Gone);
                add(&mut contracts[delete], Law::GoneTwice);
                if is_guarded(&contracts[delete].operation) {
                    for broken in [false, true] {
                        add(&mut contracts[delete], Law::Guarded(broken));
                    }
                }
            }
        }
        let refuses = |status: &str| ["404", "410", "4XX", "4xx", "default"].contains(&status);
        let may_refuse = contracts[resource.read].operation.responses.iter().any(|r| refuses(&r.status));
        if resource.create.is_some() && may_refuse {
            add(&mut contracts[resource.read], Law::Unknown);
        }
    }
    let is_filled = |list: &Contract| {
        let creates = |c: &Contract| creates_in(&c.operation, &list.operation.path);
        contracts.iter().any(|c| creates(c) && contracts.iter().any(|other| reads(other, &c.operation)))
    };
    let filled: Vec<bool> = contracts.iter().map(is_filled).collect();
    for (contract, is_filled) in contracts.iter_mut().zip(filled).filter(|(c, _)| is_list(&c.operation)) {
        if is_filled && pages::is_whole(&contract.operation) {
            add(contract, Law::Listed);
        }
        for law in of_list(&contract.operation) {
            add(contract, law);
        }
    }
}

/// Whether the document asks for credentials, whoever calls the operation.
fn is_guarded(operation: &Operation) -> bool {
    operation.security.is_some() && !operation.alternatives.iter().any(|one| one.schemes.is_empty())
}

/// Whether an operation creates records in the collection that a path names.
pub(super) fn creates_in(operation: &Operation, path: &str) -> bool {
    let own = shape(&operation.path);
    let of =
        if makes(operation) { collection(&own) } else { Some(own.as_str()).filter(|_| operation.method == "POST") };
    of.is_some_and(|of| same_path(of, &shape(path)))
}

/// Whether an operation reads one of the records that another creates.
fn reads(read: &Contract, create: &Operation) -> bool {
    let path = shape(&read.operation.path);
    read.operation.method == "GET" && collection(&path).is_some_and(|of| creates_in(create, of))
}

/// Whether an operation answers with a list, as far as its path tells.
fn is_list(operation: &Operation) -> bool {
    operation.method == "GET" && !shape(&operation.path).rsplit('/').next().is_some_and(is_parameter)
}

fn of_list(operation: &Operation) -> Vec<Law> {
    let item = item(operation);
    // A level may mean itself and those above it.
    let is_threshold = |name: &str| ["level", "severity", "priority"].iter().any(|word| plain(name).contains(word));
    let is_required = |name: &str| {
        item.is_some_and(|item| item["required"].as_array().into_iter().flatten().any(|required| required == name))
    };
    let law = |(at, parameter): (usize, &crate::document::parameter::Parameter)| {
        let schema = parameter.schema.json();
        let is_limit = parameter.is_limit(&operation.parameters);
        match parameter.location {
            ParameterLocation::Query if is_limit && schema["type"] == "integer" => Some(Law::Limit(at)),
            ParameterLocation::Query
                if is_required(&parameter.name) && !listed(schema).is_empty() && !is_threshold(&parameter.name) =>
            {
                let own = item.map(|item| listed(&item["properties"][parameter.name.as_str()]));
                (own == Some(listed(schema))).then_some(Law::Filter(at))
            }
            _ => None,
        }
    };
    operation.parameters.iter().enumerate().filter_map(law).collect()
}

/// The values that a schema lists, null apart; none if it lists none. What may be left out is often written as a choice of
/// such a schema or null.
pub(super) fn listed(schema: &Json) -> Vec<Json> {
    one(schema)["enum"].as_array().into_iter().flatten().filter(|value| !value.is_null()).cloned().collect()
}

/// The schema beside null, where there is a choice between the two; otherwise the schema itself.
pub(super) fn one(schema: &Json) -> &Json {
    let choice = schema["anyOf"].as_array().map_or(&[][..], Vec::as_slice);
    let mut others = choice.iter().filter(|one| one["type"] != "null");
    others.next().filter(|_| others.next().is_none()).unwrap_or(schema)
}

/// The schema of a list's items.
pub(super) fn item(operation: &Operation) -> Option<&Json> {
    let success = operation.responses.iter().find(|r| r.is_success())?;
    let schema = success.content.iter().find_map(|media| media.schema.as_ref())?.json();
    let list = |schema: &Json| {
        schema["type"] == "array" || schema["type"].as_array().is_some_and(|t| t.contains(&"array".into()))
    };
    if list(schema) {
        return schema.get("items");
    }
    let whole = schema["properties"].as_object()?;
    let all = whole.get("_embedded").map_or(Some(whole), |inner| inner["properties"].as_object())?;
    let has_list = |below: &Json| below["properties"].as_object().into_iter().flatten().any(|(_, below)| list(below));
    if all.values().any(has_list) {
        return None;
    }
    let mut lists = all.values().filter(|below| list(below));
    let first = lists.next()?;
    if lists.next().is_some() { None } else { first.get("items") }
}

fn add(contract: &mut Contract, law: Law) {
    let operation = &contract.operation;
    let name = |at: usize| operation.parameters.get(at).map_or("", |p| p.name.as_str());
    let (slug, text) = match law {
        Law::ReadBack => ("read-back".to_owned(), "What was created is read as it was answered.".to_owned()),
        Law::Updated => ("read-back".to_owned(), "What an update answers is what is read afterwards.".to_owned()),
        Law::Gone => ("gone".to_owned(), "What was deleted is not read any more.".to_owned()),
        Law::GoneTwice => ("deleted-twice".to_owned(), "To delete a record again is no server error.".to_owned()),
        Law::Guarded(false) => {
            ("credentials-required".to_owned(), "A request without credentials is refused.".to_owned())
        }
        Law::Guarded(true) => {
            ("broken-credentials".to_owned(), "A request with broken credentials is refused.".to_owned())
        }
        Law::Unknown => ("unknown-id".to_owned(), "An id that nobody gave is answered with a 4xx.".to_owned()),
        Law::Listed => ("listed".to_owned(), "What was created stands in the list.".to_owned()),
        Law::Limit(at) => (
            format!("at-most-{}", plain(name(at))),
            format!("A list has at most as many items as `{}` says.", name(at)),
        ),
        Law::Filter(at) => (
            format!("filtered-by-{}", plain(name(at))),
            format!("A list has only items whose `{0}` is what the parameter `{0}` says.", name(at)),
        ),
    };
    // All ids of a contract begin with its operation.
    let prefix = contract.requirements.first().and_then(|r| r.operation()).unwrap_or_default().to_owned();
    let pointer = operation.pointer.clone();
    // It is tried as a law is, on a record of its own, and is what other operations owe, too.
    let area = if matches!(law, Law::Guarded(_)) { "security" } else { "law" };
    contract.requirements.push(Requirement {
        id: format!("{prefix}/{area}/{slug}"),
        level: Some(Level::Should),
        text,
        source: format!("OpenAPI document, {pointer}"),
        origin: Origin::Derived(pointer),
        form: Form::Law(law),
    });
    contract.requirements.sort_by(|a, b| a.id.cmp(&b.id));
}
