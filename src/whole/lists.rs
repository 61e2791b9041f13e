//! The laws of lists.

use std::sync::Arc;

use serde_json::Value as Json;

use super::laws::{Created, LATER, Laws, Shown, answer_of, bodies, broken};
use super::order::{collection, is_parameter, same_path, shape};
use super::pages::{self, Next, Read};
use super::records::{Taken, fields_of};
use super::resources::{creates_in, item, listed};
use crate::contract::template::Template;
use crate::document::operation::Operation;
use crate::document::parameter::{ParameterLocation, plain};
use crate::generate::draft::Content;
use crate::judge::bind::{Known, Seen};
use crate::judge::finding::{Found, short};
use crate::judge::law::{is_id, items, record, same};
use crate::plan::MINIMAL;
use crate::session::Session;

/// How many pages of a list are read at most.
const MOST_PAGES: u64 = 5;
/// How many of the listed values of a field are tried.
const VALUES: usize = 6;

impl Laws<'_> {
    /// Whether a record that was just created stands in the list.
    pub(super) async fn listed(&mut self, list: usize) -> Shown {
        let path = shape(&self.session(list)?.contract().operation.path);
        let create = self.creator(&path);
        let created = self.create(create.ok_or("the operation that creates such a record is not called")?).await?;
        let name_in = |s: &Session| {
            let own = shape(&s.contract().operation.path);
            let name = plain(own.rsplit('/').next()?);
            collection(&own)
                .filter(|of| same_path(of, &path))
                .map(|of| [vec![name.clone()], fields_of(of, &name)].concat())
        };
        let names: Vec<String> = self.sessions.iter().flatten().filter_map(name_in).flatten().collect();
        let own =
            key(&created.answer, &names).ok_or("the answer to the creation does not say what the record is called")?;
        // The list is the one that the record was created in.
        let parameters = created.exchange.request.parameters.iter().map(|(_, value)| value);
        let outer = path.split('/').filter(|s| is_parameter(s)).map(|s| s.trim_matches(['{', '}']));
        let taken = |(name, value): (&str, &String)| Taken {
            location: Some(ParameterLocation::Path),
            name: name.to_owned(),
            value: value.as_str().into(),
        };
        let parent: Vec<Taken> = outer.zip(parameters).map(taken).collect();
        let mut last = None;
        for later in LATER {
            tokio::time::sleep(later).await;
            let (found, items, seen) = self.search(list, &parent, &own).await?;
            if found {
                return Ok(Found::Holds);
            }
            self.may_leave_out(list, &created, &items)?;
            last = Some((items.len(), seen));
        }
        let (count, seen) = last.ok_or("the list could not be read")?;
        let exchanges = vec![Arc::clone(&created.exchange), seen.exchange];
        let due = format!("an item whose {} is {}", own.0, short(Some(&own.1)));
        Ok(broken(due, format!("none among all {count} items"), exchanges, Vec::new(), None))
    }

    /// The operation that creates records in a list, if it is called.
    fn creator(&self, path: &str) -> Option<usize> {
        let creates = |session: &Session| creates_in(&session.contract().operation, path);
        self.sessions.iter().position(|session| session.as_ref().is_some_and(creates))
    }

    /// Reads a list until it shows a record, or ends. Returns whether it does, all items, and the last answer.
    async fn search(
        &mut self,
        list: usize,
        parent: &[Taken],
        (name, id): &(String, Json),
    ) -> Result<(bool, Vec<Json>, Seen), String> {
        let mut query = pages::first(&self.session(list)?.contract().operation);
        let mut read = Read::default();
        let mut all: Vec<Json> = Vec::new();
        loop {
            let seen = self.call(list, MINIMAL, parent, &query, "listed").await?;
            let page = match (seen.exchange.status(), items(&bodies(&seen).1)) {
                (Some(200), Some(items)) => items.clone(),
                (Some(200), None) => return Err("the answer is not clearly a list".to_owned()),
                // Some servers have no page behind the last.
                (Some(400..=499), _) if read.pages > 0 && pages::is_numbered(&query) => return Ok((false, all, seen)),
                _ => return Err(format!("the list could not be read: {}", answer_of(&seen))),
            };
            let called = |item: &Json| record(item).and_then(|record| record.get(name)).cloned();
            if page.iter().any(|item| called(item).is_some_and(|own| same(&own, id))) {
                return Ok((true, all, seen));
            }
            if page.iter().any(|item| called(item).is_none()) {
                return Err(format!("an item of the list shows no `{name}`"));
            }
            read.pages += 1;
            read.last = page.last().and_then(called);
            let new: Vec<Json> = page.into_iter().filter(|item| !all.contains(item)).collect();
            read.new = new.len() as u64;
            all.extend(new);
            read.items = all.len() as u64;
            let response = seen.exchange.response().ok_or("the list could not be read")?;
            match pages::next(&self.session(list)?.contract().operation, response, &read) {
                Next::End => return Ok((false, all, seen)),
                Next::Unclear => return Err("it is not clear how the rest of the list is read".to_owned()),
                Next::Page(_) if read.pages == MOST_PAGES => {
                    return Err(format!("the list has more than {MOST_PAGES} pages"));
                }
                Next::Page(next) => {
                    query.retain(|(name, _)| !next.iter().any(|(other, _)| other == name));
                    query.extend(next);
                }
            }
        }
    }

    /// Some lists leave out what is in a certain state: whether this one shows others in the state of the record.
    fn may_leave_out(&self, list: usize, created: &Created, all: &[Json]) -> Result<(), String> {
        let operation: &Operation = &self.session(list)?.contract().operation;
        let schema = item(operation);
        let is_state = |name: &str, value: &Json| {
            let is_listed = || schema.is_some_and(|item| item["properties"][name].get("enum").is_some());
            value.is_boolean() || is_listed() || is_word(value) && created.sent.get(name).is_none()
        };
        for (name, value) in record(&created.answer).into_iter().flatten().filter(|(name, value)| is_state(name, value))
        {
            let shows = |item: &Json| record(item).and_then(|item| item.get(name)).is_some_and(|own| same(own, value));
            if !all.iter().any(shows) {
                return Err(format!(
                    "the list shows no item whose {name} is {}, and may leave them out",
                    short(Some(value))
                ));
            }
        }
        Ok(())
    }

    /// Whether a list has at most as many items as are asked for. A server may have a smallest page, and answer with that
    /// to whoever asks for less: therefore one item less than there are is asked for, and what comes then counts only if no
    /// smallest page explains it.
    pub(super) async fn limit(&mut self, list: usize, at: usize) -> Shown {
        let parameter = &self.session(list)?.contract().operation.parameters[at];
        let (name, schema) = (parameter.name.clone(), parameter.schema.json());
        let minimum = schema["minimum"].as_u64();
        let most = schema["maximum"].as_u64().unwrap_or(u64::MAX);
        // These are pages that the server has, as the document says.
        let known = minimum.or_else(|| parameter.default.as_ref().or(schema.get("default"))?.as_u64());
        self.fill(list, &[None, None, None], 3).await?;
        let (all, _) = self.list(list, &[], "all").await?;
        let asked = (all.len() as u64).saturating_sub(1).min(most);
        if asked < minimum.unwrap_or(1).max(1) {
            return Err("the list has too few items to show it".to_owned());
        }
        let (some, seen) = self.list(list, &[(name.clone(), asked.into())], "limited").await?;
        if some.len() as u64 <= asked {
            return Ok(Found::Holds);
        }
        let mut exchanges = vec![seen.exchange];
        if known.is_none_or(|known| asked < known) {
            let less = Some(asked - 1).filter(|less| *less > 0);
            let unclear = "the server may have a smallest page, of which the document says nothing";
            let less = less.ok_or(unclear)?;
            let (fewer, seen) = self.list(list, &[(name, less.into())], "limited-further").await?;
            // A smallest page is as large whatever is asked for.
            if fewer.len() as u64 <= less || fewer.len() == some.len() {
                return Err(unclear.to_owned());
            }
            exchanges.push(seen.exchange);
        }
        Ok(broken(format!("at most {asked}"), format!("{} items", some.len()), exchanges, Vec::new(), None))
    }

    pub(super) async fn filter(&mut self, list: usize, at: usize) -> Shown {
        let parameter = &self.session(list)?.contract().operation.parameters[at];
        let (name, values) = (parameter.name.clone(), listed(parameter.schema.json()));
        let with = values.into_iter().take(VALUES).map(|value| Some((name.clone(), value)));
        let with: Vec<Option<(String, Json)>> = with.collect();
        self.fill(list, &with, 2).await?;
        let (all, _) = self.list(list, &[], "all").await?;
        let value = all.last().and_then(|item| item.get(&name)).cloned().unwrap_or_default();
        let others = all.iter().filter(|item| item.get(&name).is_some_and(|v| *v != value)).count();
        if value.is_null() || others == 0 {
            return Err(format!("the list shows no two values of `{name}`"));
        }
        let (some, seen) = self.list(list, &[(name.clone(), value.clone())], "filtered").await?;
        let wrong = some.iter().filter_map(|item| item.get(&name)).find(|v| **v != value);
        match wrong {
            _ if some.is_empty() => Err("the filtered list is empty".to_owned()),
            None => Ok(Found::Holds),
            Some(wrong) => {
                let exchanges = vec![Arc::clone(&seen.exchange)];
                let due = format!("only items whose {name} is {}", short(Some(&value)));
                Ok(broken(due, format!("one whose {name} is {}", short(Some(wrong))), exchanges, Vec::new(), None))
            }
        }
    }

    /// Creates records in a list, if there is an operation for that, with such a field where it is given: the first that
    /// are accepted, up to this number.
    async fn fill(&mut self, list: usize, with: &[Option<(String, Json)>], most: u32) -> Result<(), String> {
        let path = shape(&self.session(list)?.contract().operation.path);
        let Some(create) = self.creator(&path) else { return Ok(()) };
        if self.refused[create] {
            return Ok(());
        }
        let mut taken = 0;
        for field in with {
            let mut entry = self.session(create)?.plan().entries[MINIMAL].clone();
            if let (Content::Json(Template::Object(members)), Some((name, value))) = (&mut entry.draft.body, field) {
                // Some wrap the record in the request, too.
                let place = match &mut members[..] {
                    [(_, Template::Object(inner))] => inner,
                    _ => members,
                };
                place.retain(|(other, _)| other != name);
                place.push((name.clone(), Template::Literal(value.clone())));
            }
            self.partition.apply(&mut entry.draft, &self.session(create)?.contract().operation);
            taken += u32::from(self.send(create, &entry, "listed").await?.accepted() == Known::Yes);
            if taken == most {
                break;
            }
        }
        Ok(())
    }

    async fn list(&mut self, list: usize, query: &[(String, Json)], step: &str) -> Result<(Vec<Json>, Seen), String> {
        let seen = self.call(list, MINIMAL, &[], query, step).await?;
        match (seen.exchange.status(), items(&bodies(&seen).1)) {
            (Some(200), Some(items)) => Ok((items.clone(), seen)),
            (Some(200), None) => Err("the answer is not clearly a list".to_owned()),
            _ => Err(format!("the list could not be read: {}", answer_of(&seen))),
        }
    }
}

/// Whether a value is one word in small letters, as states are that no schema lists.
fn is_word(value: &Json) -> bool {
    let is_small = |c: char| c.is_ascii_lowercase() || c == '_';
    value.as_str().is_some_and(|text| !text.is_empty() && text.chars().all(is_small))
}

/// What a record is called, and the name of that field: `id`, or what the path of one record calls it.
fn key(answer: &Json, names: &[String]) -> Option<(String, Json)> {
    let members = record(answer)?;
    let is_named = |(name, value): &(&String, &Json)| names.contains(&plain(name)) && is_id(value);
    let of_path = || members.iter().find(is_named);
    let own = ["id", "uuid"].iter().find_map(|name| members.get_key_value(*name).filter(|(_, value)| is_id(value)));
    own.or_else(of_path).map(|(name, value)| (name.clone(), value.clone()))
}
