//! The law of updates: what one changes is read afterwards, and what it does not name stays.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::laws::{Created, LATER, Laws, Shown, answer_of, bodies, broken, set_path};
use super::references::named;
use crate::contract::template::Template;
use crate::document::parameter::plain;
use crate::generate::draft::Content;
use crate::judge::bind::{Known, Seen};
use crate::judge::law::{self, changed, same};
use crate::plan::{Entry, MINIMAL};
use crate::schema::{Direction, Schema};

/// Fields that a server moves on with each change.
const VERSIONS: [&str; 5] = ["version", "revision", "rev", "etag", "sequence"];

impl Laws<'_> {
    pub(super) async fn updated(&mut self, update: usize, create: usize, read: usize) -> Shown {
        let created = self.create(create).await?;
        let (seen, is_moved) = self.update(update, &created).await?;
        let (sent, answer) = bodies(&seen);
        if sent.is_array() {
            return Err("the update is a list of steps".to_owned());
        }
        if !matches!(seen.exchange.status(), Some(200 | 201 | 204)) {
            return Err(format!("the update was answered with {}", answer_of(&seen)));
        }
        let mut expected = self.echoed(update, &sent, &answer)?;
        let before = law::record(&created.answer).cloned().unwrap_or_default();
        if expected.is_empty() {
            return self.applied(read, &created, &seen, before).await;
        }
        if expected.iter().all(|(name, value)| before.get(name).is_some_and(|b| same(b, value))) {
            return Err("the update changes nothing that its answer shows".to_owned());
        }
        if self.session(update)?.contract().operation.method == "PATCH" {
            // What it does not name stays as it was.
            let before = law::unnamed(self.echoed(create, &created.sent, &created.answer)?, &sent, &answer);
            // A value that was changed may move others with it, as a beginning moves an end; it does not move words.
            let may_move = |value: &Json| is_moved && !is_words(value);
            let stays = |name: &str| !VERSIONS.contains(&plain(name).as_str());
            let rest = before.into_iter().filter(|(name, value)| stays(name) && !may_move(value));
            law::join(&mut expected, rest.collect());
        }
        let exchanges = vec![Arc::clone(&created.exchange), Arc::clone(&seen.exchange)];
        self.read_back(read, &created, &expected, exchanges).await
    }

    /// Whether anything of an update shows that was accepted, and answered without what was sent: in a record that is read as
    /// it was before, nothing does.
    async fn applied(&mut self, read: usize, created: &Created, update: &Seen, before: Map<String, Json>) -> Shown {
        let (sent, answer) = bodies(update);
        let silent = Err("the answer to the update does not show what was sent".to_owned());
        let kept = law::echoed(&created.sent, &created.answer, &|_| false);
        // Of fields that the creation kept as they were sent, those to which the update gives another value.
        let given = sent.as_object().into_iter().flatten();
        let other = given.filter(|(name, value)| kept.contains_key(*name) && !same(&kept[*name], value));
        let tried: Map<String, Json> =
            other.filter_map(|(name, _)| Some((name.clone(), before.get(name)?.clone()))).collect();
        let is_refuted = answer.is_object() && !changed(&tried, &answer).is_empty();
        if tried.len() < 2 || is_refuted {
            return silent;
        }
        let mut last = None;
        for later in LATER {
            tokio::time::sleep(later).await;
            let seen = self.call_on(read, MINIMAL, Some(created), "read").await?;
            let now = bodies(&seen).1;
            let shows_all = law::record(&now).is_some_and(|now| tried.keys().all(|name| now.contains_key(name)));
            if seen.exchange.status() != Some(200) || !shows_all || !changed(&tried, &now).is_empty() {
                return silent;
            }
            last = Some(seen.exchange);
        }
        let exchanges = [Arc::clone(&created.exchange), Arc::clone(&update.exchange)].into_iter().chain(last).collect();
        let names: Vec<&str> = tried.keys().map(String::as_str).collect();
        let due = format!("other values than before in one of {}", names.join(", "));
        Ok(broken(due, "all as before the update".to_owned(), exchanges, Vec::new(), None))
    }

    /// Updates a record, with other values than it has where there are some: a server that keeps none of them could not be
    /// told from one that keeps all. Returns whether some that are made once for all requests are among them.
    async fn update(&mut self, update: usize, created: &Created) -> Result<(Seen, bool), String> {
        let session = self.session(update)?;
        let properties = session.contract().operation.body().map(|body| body.schema.json()["properties"].clone());
        let mut entry: Entry = session.plan().entries[self.fullest(update)?].clone();
        let before = law::record(&created.answer).cloned().unwrap_or_default();
        let mut is_moved = false;
        if let Content::Json(Template::Object(members)) = &mut entry.draft.body {
            for (name, value) in members {
                // What names another record, or says which version is meant, is not to be guessed.
                let is_free = named(name).is_none() && !VERSIONS.contains(&plain(name).as_str());
                let schema = properties.as_ref().and_then(|all| all.get(name.as_str()));
                let (Some(had), Some(schema), true) = (before.get(name), schema, is_free) else { continue };
                let other = match &*value {
                    // It differs from request to request.
                    Template::Unique { .. } => None,
                    Template::Literal(sent) if !same(had, sent) => None,
                    Template::Literal(sent) => other_value(sent, schema)
                        .map(Template::Literal)
                        .or_else(|| another(&session.plan().entries, name, had, value, schema)),
                    _ => another(&session.plan().entries, name, had, value, schema),
                };
                if let Some(other) = other {
                    *value = other;
                    is_moved = true;
                }
            }
        }
        if is_moved {
            set_path(&mut entry, &self.named_by(update, created)?);
            self.partition.apply(&mut entry.draft, &self.session(update)?.contract().operation);
            let seen = self.send(update, &entry, "updated-otherwise").await?;
            if seen.accepted() == Known::Yes {
                return Ok((seen, true));
            }
        }
        Ok((self.first_accepted(update, Some(created), "updated").await?, false))
    }
}

/// Another valid value of a field, as some other request has it.
fn another(entries: &[Entry], name: &str, had: &Json, value: &Template, schema: &Json) -> Option<Template> {
    let schema = Schema::constant(schema.clone(), Direction::Request);
    let valid = entries.iter().filter(|entry| entry.control.is_none() && entry.about.is_none());
    let all = valid.filter_map(|entry| match &entry.draft.body {
        Content::Json(Template::Object(members)) => members.iter().find(|(other, _)| other == name),
        _ => None,
    });
    let differs = |other: &&Template| match other {
        Template::Literal(other) => !other.is_null() && !same(had, other) && schema.is_valid(other),
        // Templates of other values are described otherwise.
        other => format!("{other:?}") != format!("{value:?}"),
    };
    all.map(|(_, other)| other).find(differs).cloned()
}

/// Whether a value is a text, and neither an instant nor a number.
fn is_words(value: &Json) -> bool {
    let is_measure = |text: &str| text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    value.as_str().is_some_and(|text| !is_measure(text))
}

/// Another valid value of a number or a switch.
fn other_value(value: &Json, schema: &Json) -> Option<Json> {
    let others: Vec<Json> = match value {
        Json::Bool(is) => vec![(!is).into()],
        Json::Number(n) if n.is_i64() => {
            let n = n.as_i64()?;
            [n.checked_add(1), n.checked_sub(1)].into_iter().flatten().map(Json::from).collect()
        }
        Json::Number(n) => [n.as_f64()? + 1.0, n.as_f64()? - 1.0].into_iter().map(Json::from).collect(),
        _ => Vec::new(),
    };
    let schema = Schema::constant(schema.clone(), Direction::Request);
    others.into_iter().find(|other| schema.is_valid(other))
}
