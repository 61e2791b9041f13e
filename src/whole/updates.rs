//! The law of updates: what one changes is read afterwards, and what it does not name stays.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::laws::{Created, LATER, Laws, Shown, answer_of, bodies, broken, set_path};
use super::odd;
use super::records::tag_of;
use super::references::named;
use super::resources::one;
use crate::contract::template::Template;
use crate::document::parameter::plain;
use crate::generate::draft::Content;
use crate::judge::bind::{Known, Seen};
use crate::judge::finding::{Difference, Found, short};
use crate::judge::law::{self, changed, same};
use crate::plan::{Entry, MINIMAL};
use crate::schema::{Direction, Schema};
use crate::yaml::escape;

/// Fields that a server moves on with each change.
const VERSIONS: [&str; 5] = ["version", "revision", "rev", "etag", "sequence"];

impl Laws<'_> {
    pub(super) async fn updated(&mut self, update: usize, create: usize, read: usize) -> Shown {
        let mut kept = Map::new();
        let (created, shown) = self.changed(update, create, read, &mut kept).await?;
        if !matches!(shown, Ok(Found::Broken(_))) && self.session(update)?.contract().operation.method == "PATCH" {
            // That it shows nothing is no reason to say nothing of the first.
            if let Ok(broken @ Found::Broken(_)) = self.alone(update, read, &created, &kept).await {
                return Ok(broken);
            }
        }
        shown
    }

    /// Whether an update that names one field leaves the others as they are: of those that are `kept` when they are written.
    async fn alone(&mut self, update: usize, read: usize, created: &Created, kept: &Map<String, Json>) -> Shown {
        let session = self.session(update)?;
        let schema = session.contract().operation.body().map(|body| body.schema.json().clone()).unwrap_or_default();
        let mut entry: Entry = session.plan().entries[self.fullest(update)?].clone();
        let Content::Json(body) = &mut entry.draft.body else { return Err("its body is not JSON".to_owned()) };
        let is_text = single(body, &schema).ok_or("it has no field that can stand alone")?;
        let before = self.call_on(read, MINIMAL, Some(created), "before-one").await?;
        let shown = bodies(&before).1;
        let own = law::record(&shown).filter(|_| before.exchange.status() == Some(200));
        let before = own.map(|own| shown_of(kept, own)).ok_or("the record could not be read before")?;
        set_path(&mut entry, &self.named_by(update, created)?);
        self.partition.apply(&mut entry.draft, &self.session(update)?.contract().operation);
        let seen = self.send(update, &entry, "updated-alone").await?;
        if !matches!(seen.exchange.status(), Some(200 | 204)) {
            return Err(format!("the update was answered with {}", answer_of(&seen)));
        }
        let (sent, _) = bodies(&seen);
        // What is no text may move others with it, as a beginning moves an end.
        let stays =
            |name: &str, value: &Json| !VERSIONS.contains(&plain(name).as_str()) && (is_text || is_words(value));
        let rest: Map<String, Json> =
            law::unnamed(before, &sent, &shown).into_iter().filter(|(n, v)| stays(n, v)).collect();
        if rest.is_empty() {
            return Err("nothing is left that it does not name".to_owned());
        }
        self.read_back(read, created, &rest, vec![Arc::clone(&created.exchange), Arc::clone(&seen.exchange)]).await
    }

    /// Changes a record that it creates, and whether that is read; what is kept as it is written is added to the rest.
    async fn changed(
        &mut self,
        update: usize,
        create: usize,
        read: usize,
        kept: &mut Map<String, Json>,
    ) -> Result<(Created, Shown), String> {
        let created = self.create(create).await?;
        let shown = self.changed_on(update, create, read, &created, kept).await;
        Ok((created, shown))
    }

    async fn changed_on(
        &mut self,
        update: usize,
        create: usize,
        read: usize,
        created: &Created,
        kept: &mut Map<String, Json>,
    ) -> Shown {
        law::join(kept, self.echoed(create, &created.sent, &created.answer)?);
        if tag_of(&self.session(update)?.contract().operation).is_some() && self.tag.is_none() {
            self.call_on(read, MINIMAL, Some(created), "version").await?;
        }
        let (seen, is_moved) = self.update(update, created).await?;
        let (sent, answer) = bodies(&seen);
        if sent.is_array() {
            return Err("the update is a list of steps".to_owned());
        }
        if !matches!(seen.exchange.status(), Some(200 | 201 | 204)) {
            return Err(format!("the update was answered with {}", answer_of(&seen)));
        }
        let mut expected = self.echoed(update, &sent, &answer)?;
        law::join(kept, expected.clone());
        let before = law::record(&created.answer).cloned().unwrap_or_default();
        if expected.is_empty() {
            return self.applied(read, created, &seen, before).await;
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
        self.read_back(read, created, &expected, exchanges).await
    }

    /// Whether an update was applied that was accepted, and answered without what was sent: what is read is neither as it was
    /// before, nor another than before and than what was sent.
    async fn applied(&mut self, read: usize, created: &Created, update: &Seen, before: Map<String, Json>) -> Shown {
        let (sent, answer) = bodies(update);
        let silent = Err("the answer to the update does not show what was sent".to_owned());
        let kept = law::echoed(&created.sent, &created.answer, &|_| false);
        // Of fields that the creation kept as they were sent, those to which the update gives another value.
        let given = sent.as_object().into_iter().flatten();
        let other = given.filter(|(name, value)| {
            kept.contains_key(*name) && !same(&kept[*name], value) && !VERSIONS.contains(&plain(name).as_str())
        });
        let due: Map<String, Json> = other.map(|(name, value)| (name.clone(), value.clone())).collect();
        let tried: Map<String, Json> =
            due.keys().filter_map(|name| Some((name.clone(), before.get(name)?.clone()))).collect();
        let is_refuted = answer.is_object() && !changed(&tried, &answer).is_empty();
        if tried.is_empty() || is_refuted {
            return silent;
        }
        let mut last = None;
        let mut odd: Option<Vec<Difference>> = None;
        let mut is_as_before = tried.len() > 1;
        for later in LATER {
            tokio::time::sleep(later).await;
            let seen = self.call_on(read, MINIMAL, Some(created), "read").await?;
            let now = bodies(&seen).1;
            let shows_all = law::record(&now).is_some_and(|now| tried.keys().all(|name| now.contains_key(name)));
            if seen.exchange.status() != Some(200) || !shows_all {
                return silent;
            }
            let moved = changed(&tried, &now);
            is_as_before &= moved.is_empty();
            // Neither what was there nor what was sent; of a state, that may be a third one.
            let is_third =
                |d: &Difference| moved.iter().any(|m| m.at == d.at && m.actual == d.actual) && !self.is_state(&d.at);
            let third: Vec<Difference> = changed(&due, &now).into_iter().filter(is_third).collect();
            odd = Some(match odd {
                None => third,
                Some(before) => before.into_iter().filter(|d| third.iter().any(|t| t.at == d.at)).collect(),
            });
            if !is_as_before && odd.as_ref().is_none_or(Vec::is_empty) {
                return silent;
            }
            last = Some(seen.exchange);
        }
        let update = Arc::clone(&update.exchange);
        let exchanges = [Arc::clone(&created.exchange), update].into_iter().chain(last).collect();
        if is_as_before {
            let names: Vec<&str> = tried.keys().map(String::as_str).collect();
            let due = format!("other values than before in one of {}", names.join(", "));
            return Ok(broken(due, "all as before the update".to_owned(), exchanges, Vec::new(), None));
        }
        let differences = odd.unwrap_or_default();
        let Some(first) = differences.first() else { return silent };
        let (due, came) = (short(first.expected.as_ref()), short(first.actual.as_ref()));
        let (at, due) = (first.at.clone(), format!("{due} at {}", first.at));
        Ok(broken(due, came, exchanges, differences, Some(at)))
    }

    /// Whether a field of the update has listed values: it may be a state, which goes on by itself.
    fn is_state(&self, at: &str) -> bool {
        let body = self.sessions[self.of].as_ref().and_then(|session| session.contract().operation.body());
        let name = at.trim_start_matches('/');
        body.is_some_and(|body| body.schema.json()["properties"][name].get("enum").is_some())
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
                    Template::Literal(sent) => odd::another(sent, schema)
                        .map(Template::Literal)
                        .or_else(|| another(&session.plan().entries, name, had, value, schema)),
                    value if literal(value).is_some_and(|sent| !same(had, &sent)) => None,
                    _ => another(&session.plan().entries, name, had, value, schema),
                };
                if let Some(other) = other {
                    *value = other;
                    is_moved = true;
                }
            }
        }
        let named = self.named_by(update, created)?;
        if is_moved {
            set_path(&mut entry, &named);
            self.partition.apply(&mut entry.draft, &self.session(update)?.contract().operation);
            let seen = self.send(update, &entry, "updated-otherwise").await?;
            if seen.accepted() == Known::Yes {
                return Ok((seen, true));
            }
        }
        Ok((self.first_accepted(update, &named, "updated").await?, false))
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
        other => format!("{other:?}") != format!("{value:?}") && literal(other).is_none_or(|other| !same(had, &other)),
    };
    all.map(|(_, other)| other).find(differs).cloned()
}

/// The value of a template that is known before it is sent.
fn literal(template: &Template) -> Option<Json> {
    match template {
        Template::Literal(value) => Some(value.clone()),
        Template::List(items) => items.iter().map(literal).collect::<Option<Vec<Json>>>().map(Json::from),
        Template::Object(members) => {
            let all = members.iter().map(|(name, value)| Some((name.clone(), literal(value)?)));
            all.collect::<Option<Map<String, Json>>>().map(Json::from)
        }
        _ => None,
    }
}

/// Whether a value is a text, and neither an instant nor a number.
fn is_words(value: &Json) -> bool {
    let is_measure = |text: &str| text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    value.as_str().is_some_and(|text| !is_measure(text))
}

/// Leaves one field in the body of an update, a text if there is one, beside those that the document requires; returns
/// whether it is a text. None if there is no such field.
fn single(body: &mut Template, schema: &Json) -> Option<bool> {
    let mut all = Vec::new();
    leaves(body, schema, "", &mut all);
    let chosen = all.iter().find(|(_, is_text)| *is_text).or(all.first())?.clone();
    leave(body, schema, "", &chosen.0);
    Some(chosen.1)
}

/// The fields of a body that may be left out, and whether each is a text. What names another record, or says which version
/// is meant, is none of them.
fn leaves(body: &Template, schema: &Json, at: &str, out: &mut Vec<(String, bool)>) {
    let Template::Object(members) = body else { return };
    for (name, value) in members {
        let at = format!("{at}/{}", escape(name));
        let Some(below) = schema["properties"].get(name.as_str()) else { continue };
        let is_free = named(name).is_none() && !VERSIONS.contains(&plain(name).as_str()) && name != "id";
        match value {
            Template::Object(_) if below["properties"].is_object() => leaves(value, below, &at, out),
            _ if !is_free || is_required(schema, name) => {}
            _ => {
                let says_more = ["enum", "const", "format", "pattern"].iter().any(|key| one(below).get(*key).is_some());
                out.push((at, one(below)["type"] == "string" && !says_more));
            }
        }
    }
}

fn is_required(schema: &Json, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|all| all.iter().any(|required| required == name))
}

/// Leaves nothing in a body but what is required and what leads to this field.
fn leave(body: &mut Template, schema: &Json, at: &str, chosen: &str) {
    let Template::Object(members) = body else { return };
    members.retain_mut(|(name, value)| {
        let own = format!("{at}/{}", escape(name));
        if own == chosen {
            return true;
        }
        let leads = chosen.starts_with(&format!("{own}/"));
        let is_kept = leads || is_required(schema, name);
        if is_kept {
            leave(value, &schema["properties"][name.as_str()], &own, chosen);
        }
        is_kept
    });
}

/// What a record shows of some of its values.
fn shown_of(kept: &Map<String, Json>, own: &Map<String, Json>) -> Map<String, Json> {
    let shown = |(name, kept): (&String, &Json)| match (kept, own.get(name)?) {
        (Json::Object(kept), Json::Object(own)) => Some((name.clone(), Json::from(shown_of(kept, own)))),
        (_, Json::Null) => None,
        (_, own) => Some((name.clone(), own.clone())),
    };
    kept.iter().filter_map(shown).collect()
}
