//! The laws between operations on the same records, tried one after another: what each of them shows is only known if no
//! other request changes the record meanwhile.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::order::shape;
use super::partition::Partition;
use super::records::{Records, Taken, repeated, tag_of};
use super::resources::Resource;
use crate::contract::requirement::{Always, Form, Law, Requirement};
use crate::contract::template::Template;
use crate::document::parameter::{ParameterLocation, plain};
use crate::exchange::{Exchange, TrialName};
use crate::generate::draft::Content;
use crate::judge::bind::{Known, Seen};
use crate::judge::exchange::answer;
use crate::judge::finding::{Counterexample, Difference, Finding, Found, short};
use crate::judge::law::{self, changed, echoed};
use crate::judge::tally::Tally;
use crate::plan::{Entry, FULL, MINIMAL};
use crate::run::event::Sink;
use crate::session::Session;
use crate::yaml::escape;

/// How long after the last read the next one follows: some servers show what was written only after a while.
pub(super) const LATER: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(2)];
/// An integer that no record is called.
const UNKNOWN_NUMBER: u64 = 2_013_265_921;

/// Tries laws.
pub(super) struct Laws<'a> {
    /// The operations, by their places; None for one that is not called.
    pub sessions: &'a [Option<Session>],
    /// The number of the next request.
    pub number: u64,
    /// How many requests may still be sent.
    pub left: u64,
    /// How many records were created, and perhaps were.
    pub created: (u64, u64),
    /// How many requests were accepted.
    pub accepted: u64,
    /// How many records may still be created.
    pub left_to_create: Option<u64>,
    /// The operation whose laws are tried.
    pub of: usize,
    /// What was created.
    pub made: Records,
    /// Where the record is known that was created for the law.
    pub partition: Partition,
    /// How many records are being created for the sake of another.
    pub within: u8,
    /// The `ETag` of the record that was created for the law, as it came last.
    pub tag: Option<String>,
    /// The run's tag.
    pub run_tag: String,
    /// The requirement that is tried.
    pub subject: String,
    pub sink: &'a mut dyn Sink,
    /// Server errors, and answers of another form than the document's, by the operation that gave them.
    pub errors: Vec<Vec<Finding>>,
    /// The operations of the last requests in a row that got no answer, or a gateway's that the server gave none, and what
    /// became of the last.
    pub silent: (Vec<usize>, String),
    /// Which operations accepted nothing: they are not called again.
    pub refused: Vec<bool>,
}

/// Why a law shows nothing, or what it shows.
pub(super) type Shown = Result<Found, String>;

/// A record that was created for a law.
pub(super) struct Created {
    pub exchange: Arc<Exchange>,
    pub sent: Json,
    pub answer: Json,
    pub records: Records,
}

impl Laws<'_> {
    /// What a law of an operation shows.
    pub(super) async fn law(&mut self, law: Law, of: usize, requirement: usize, resources: &[Resource]) -> Tally {
        let mut tally = Tally::default();
        self.of = of;
        self.partition = Partition::default();
        self.tag = None;
        self.subject =
            self.session(of).map_or_else(|_| String::new(), |s| s.contract().requirements[requirement].id.clone());
        let shown = match law {
            Law::Listed => self.listed(of).await,
            Law::Limit(at) => self.limit(of, at).await,
            Law::Filter(at) => self.filter(of, at).await,
            _ => {
                let has = |r: &&Resource| r.read == of || r.updates.contains(&of) || r.delete == Some(of);
                match resources.iter().find(has) {
                    Some(resource) => self.of_resource(law, of, resource).await,
                    None => Err("it is not clear which records it is about".to_owned()),
                }
            }
        };
        let found = shown.unwrap_or_else(Found::Skipped);
        tally.add(Finding { requirement, trial: self.subject.clone(), exchange: None, found });
        tally
    }

    pub(super) fn session(&self, at: usize) -> Result<&Session, String> {
        self.sessions[at].as_ref().ok_or_else(|| "one of the operations that it is about is not called".to_owned())
    }

    async fn of_resource(&mut self, law: Law, of: usize, resource: &Resource) -> Shown {
        let create = resource.create.ok_or("no operation creates such a record")?;
        match law {
            Law::ReadBack => {
                let created = self.create_oddly(create).await?;
                let mut expected = self.echoed(create, &created.sent, &created.answer)?;
                // It is this record, and not another.
                let id = law::record(&created.answer).and_then(|record| record.get("id"));
                expected.extend(id.filter(|id| law::is_id(id)).map(|id| ("id".to_owned(), id.clone())));
                self.read_back(resource.read, &created, &expected, vec![Arc::clone(&created.exchange)]).await
            }
            Law::Updated => self.updated(of, create, resource.read).await,
            Law::Gone | Law::GoneTwice => self.gone(law, of, create, resource.read).await,
            Law::Guarded(broken) => self.guarded(of, create, resource.read, broken).await,
            Law::Unknown => self.unknown(of, create).await,
            Law::Listed | Law::Limit(_) | Law::Filter(_) => Err("it is not about one record".to_owned()),
        }
    }

    /// What was sent and echoed, states apart.
    pub(super) fn echoed(&self, by: usize, sent: &Json, answer: &Json) -> Result<Map<String, Json>, String> {
        let operation = &self.session(by)?.contract().operation;
        let schema = operation.body().map(|body| body.schema.json());
        let is_state = |name: &str| schema.is_some_and(|schema| schema["properties"][name].get("enum").is_some());
        Ok(echoed(sent, answer, &is_state))
    }

    /// The place of the fullest request of an operation that was accepted: the full one, unless it was not.
    pub(super) fn fullest(&self, of: usize) -> Result<usize, String> {
        let session = self.session(of)?;
        let (operation, entries) = (&session.contract().operation, &session.plan().entries);
        if self.made.accepts(operation, &entries[FULL].name) {
            return Ok(FULL);
        }
        let is_taken = |entry: &Entry| entry.control.is_none() && self.made.accepts(operation, &entry.name);
        let taken = entries.iter().enumerate().filter(|(_, entry)| is_taken(entry));
        Ok(taken.max_by_key(|(place, entry)| (entry.draft.leaves(), Reverse(*place))).map_or(FULL, |(place, _)| place))
    }

    /// Whether a record is read as expected; if not, it is read once more after a while.
    pub(super) async fn read_back(
        &mut self,
        read: usize,
        created: &Created,
        expected: &Map<String, Json>,
        mut exchanges: Vec<Arc<Exchange>>,
    ) -> Shown {
        let mut differences: Option<Vec<Difference>> = None;
        let mut last = None;
        for later in LATER {
            tokio::time::sleep(later).await;
            let seen = self.call_on(read, MINIMAL, Some(created), "read").await?;
            let now = match seen.exchange.status() {
                Some(200) => {
                    let answer = bodies(&seen).1;
                    let missing = self.missing(read, expected, &answer)?;
                    changed(expected, &answer).into_iter().chain(missing).collect()
                }
                // What was changed may be what it is called by.
                Some(404 | 410) if exchanges.len() > 1 => return Err("it is not there under the same name".to_owned()),
                Some(404 | 410) => vec![Difference { at: String::new(), expected: None, actual: None }],
                _ => return Err(format!("the record could not be read: {}", answer_of(&seen))),
            };
            let both = match differences {
                None => now,
                Some(before) => {
                    now.into_iter().filter(|d| before.iter().any(|b| b.at == d.at && b.actual == d.actual)).collect()
                }
            };
            if both.is_empty() {
                return Ok(Found::Holds);
            }
            differences = Some(both);
            last = Some(seen.exchange);
        }
        exchanges.extend(last);
        let differences = differences.unwrap_or_default();
        let first = differences.first();
        let is_missing = first.is_some_and(|d| d.at.is_empty());
        let (due, came) = match first.filter(|_| !is_missing) {
            Some(d) => (format!("{} at {}", short(d.expected.as_ref()), d.at), short(d.actual.as_ref())),
            None => ("the record".to_owned(), exchanges.last().map_or_else(String::new, |e| answer(e))),
        };
        let wrong = first.filter(|_| !is_missing).map(|d| d.at.clone());
        let differences = if is_missing { Vec::new() } else { differences };
        Ok(broken(due, came, exchanges, differences, wrong))
    }

    /// What was written and is not read, though the document shows it there. Some servers leave out what is nothing, and what
    /// is secret, and some show what they are asked for.
    fn missing(&self, read: usize, expected: &Map<String, Json>, answer: &Json) -> Result<Vec<Difference>, String> {
        let operation = &self.session(read)?.contract().operation;
        let chooses =
            |name: &str| ["fields", "include", "expand", "embed", "select", "view"].iter().any(|w| name.contains(w));
        if operation.parameters.iter().any(|p| p.location != ParameterLocation::Path && chooses(&plain(&p.name))) {
            return Ok(Vec::new());
        }
        let shown = operation.responses.iter().filter(|r| r.is_success()).flat_map(|r| &r.content);
        let schemas: Vec<&Json> = shown.filter_map(|media| Some(media.schema.as_ref()?.json())).collect();
        let inner = schemas.iter().flat_map(|schema| schema["properties"].as_object().into_iter().flatten());
        let schemas: Vec<&Json> = schemas.iter().copied().chain(inner.map(|(_, below)| below)).collect();
        Ok(law::record(answer).map(|own| absent(expected, own, &schemas, "")).unwrap_or_default())
    }

    async fn unknown(&mut self, read: usize, create: usize) -> Shown {
        let created = self.create(create).await?;
        let operation = &self.session(read)?.contract().operation;
        let mut taken = created.records.values(operation, true, false);
        let path = shape(&operation.path);
        let own = path.rsplit('/').find(|s| s.starts_with('{')).unwrap_or_default();
        let own = own.trim_matches(['{', '}']).to_owned();
        let parameter = operation.parameters_in(ParameterLocation::Path).find(|p| p.name == own);
        let schema = parameter.map(|p| p.schema.json()).ok_or("its path names no record")?;
        let known = taken.iter().find(|t| t.name == own).map(|t| t.value.clone());
        let value = unknown_like(known.as_ref(), schema).ok_or("no id in its form is surely unknown")?;
        taken.retain(|t| t.name != own);
        taken.push(Taken { location: Some(ParameterLocation::Path), name: own, value });
        let seen = self.call(read, MINIMAL, &taken, &[], "unknown").await?;
        match seen.exchange.status() {
            // Documented for that, as far as anybody can tell.
            Some(204) => Err(answer_of(&seen)),
            Some(200..=299) => {
                let exchanges = vec![Arc::clone(&seen.exchange)];
                Ok(broken("a refusal (4xx)".to_owned(), answer(&seen.exchange), exchanges, Vec::new(), None))
            }
            Some(300..=399) => Err(answer_of(&seen)),
            _ => self.no_error(&seen, "a refusal (4xx)", Vec::new()),
        }
    }

    /// Calls an operation on a record that was created for this.
    pub(super) async fn call_on(
        &mut self,
        of: usize,
        place: usize,
        on: Option<&Created>,
        step: &str,
    ) -> Result<Seen, String> {
        let taken = on.map(|created| self.named_by(of, created)).transpose()?.unwrap_or_default();
        self.call(of, place, &taken, &[], step).await
    }

    /// The values by which an operation names a created record: in its path, and where its body repeats that.
    pub(super) fn named_by(&self, of: usize, created: &Created) -> Result<Vec<Taken>, String> {
        let operation = &self.session(of)?.contract().operation;
        let taken = created.records.values(operation, true, false);
        let parameters = operation.parameters_in(ParameterLocation::Path).count();
        if taken.iter().filter(|t| t.location == Some(ParameterLocation::Path)).count() < parameters {
            return Err("it is not clear what the created record is called".to_owned());
        }
        // What it names besides is as in other requests; only itself is another.
        let mut taken: Vec<Taken> = taken.into_iter().filter(|t| t.location.is_some()).collect();
        taken.extend(repeated(operation, &taken));
        Ok(taken)
    }

    pub(super) async fn call(
        &mut self,
        of: usize,
        place: usize,
        taken: &[Taken],
        query: &[(String, Json)],
        step: &str,
    ) -> Result<Seen, String> {
        let mut entry: Entry = self.session(of)?.plan().entries[place].clone();
        set_path(&mut entry, taken);
        self.partition.apply(&mut entry.draft, &self.session(of)?.contract().operation);
        for (name, value) in query {
            entry.draft.query.retain(|(other, _)| other != name);
            entry.draft.query.push((name.clone(), Template::Literal(value.clone())));
        }
        self.send(of, &entry, step).await
    }

    pub(super) async fn send(&mut self, of: usize, entry: &Entry, step: &str) -> Result<Seen, String> {
        if self.left == 0 {
            return Err("the budget leaves no room for it".to_owned());
        }
        // Not through `self`, which is changed below.
        let session = self.sessions[of].as_ref().ok_or("one of the operations that it is about is not called")?;
        let mut entry = entry.clone();
        if let (Some(name), Some(tag)) = (tag_of(&session.contract().operation), &self.tag) {
            entry.draft.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            entry.draft.headers.push((name.to_owned(), Template::Literal(tag.as_str().into())));
        }
        let creates = session.contract().operation.method != "GET";
        if creates && self.left_to_create.is_some_and(|most| self.created.0 + self.created.1 >= most) {
            return Err("the budget leaves no room for it (--max-created)".to_owned());
        }
        let name = TrialName::of_step(&TrialName::of_row(&self.subject, self.number), step, None);
        let called = session.call(&entry, &name, self.number, self.sink).await;
        let called = called.ok_or("nothing more was sent")?;
        self.number += called.sent;
        self.left = self.left.saturating_sub(called.sent);
        self.created = (self.created.0 + called.created, self.created.1 + called.uncertain);
        self.made.note(session.contract(), &called.seen.exchange);
        let response = called.seen.exchange.response().filter(|r| (200..300).contains(&r.status));
        if let Some(tag) = response.and_then(|response| response.header("etag")) {
            self.tag = Some(tag.to_owned());
        }
        let is_error = |f: &Finding| matches!(f.found, Found::Broken(_));
        let always = |f: &Finding| {
            let form = &session.contract().requirements[f.requirement].form;
            matches!(form, Form::Always(Always::NoServerError | Always::Shape(_) | Always::MediaType))
        };
        let all = session.findings(&called.seen).into_iter();
        self.errors[of].extend(all.filter(|f| is_error(f) && always(f)));
        let silence = match called.seen.exchange.answer() {
            Ok(response) => (502..=504).contains(&response.status).then(|| format!("status {}", response.status)),
            Err(failure) => Some(failure.kind.text().to_owned()),
        };
        match silence {
            Some(why) => {
                self.silent.0.push(of);
                self.silent.1 = why;
            }
            None => self.silent.0.clear(),
        }
        self.accepted += u64::from(called.seen.accepted() == Known::Yes);
        match called.seen.exchange.answer() {
            Ok(_) => Ok(called.seen),
            Err(failure) => Err(failure.kind.text().to_owned()),
        }
    }
}

/// The laws of a contract that are asked for: their places among its requirements.
pub(super) fn of_contract(requirements: &[Requirement], selected: &[bool]) -> Vec<(usize, Law)> {
    let law = |(i, form): (usize, &Form)| match form {
        Form::Law(law) => Some((i, *law)),
        _ => None,
    };
    requirements.iter().map(|r| &r.form).enumerate().filter(|(i, _)| selected[*i]).filter_map(law).collect()
}

/// Puts values into the path of a request, its query and its body.
pub(super) fn set_path(entry: &mut Entry, taken: &[Taken]) {
    for taken in taken {
        if let (None, Content::Json(body)) = (taken.location, &mut entry.draft.body)
            && body.pointer(&taken.name).is_some()
        {
            body.set(&taken.name, Template::Literal(taken.value.clone()));
        }
        let parts = match taken.location {
            Some(ParameterLocation::Path) => &mut entry.draft.path,
            Some(ParameterLocation::Query) => &mut entry.draft.query,
            _ => continue,
        };
        let value = Template::Literal(taken.value.clone());
        match parts.iter_mut().find(|(name, _)| *name == taken.name) {
            Some((_, had)) => *had = value,
            None if taken.location == Some(ParameterLocation::Query) => parts.push((taken.name.clone(), value)),
            None => {}
        }
    }
}

/// What was sent, and what was answered.
pub(super) fn bodies(seen: &Seen) -> (Json, Json) {
    let answer = seen.response_body.as_deref().cloned();
    let sent = seen.request_body.as_deref().cloned();
    (sent.unwrap_or_default(), answer.unwrap_or_default())
}

pub(super) fn answer_of(seen: &Seen) -> String {
    answer(&seen.exchange)
}

pub(super) fn broken(
    expected: String,
    actual: String,
    exchanges: Vec<Arc<Exchange>>,
    differences: Vec<Difference>,
    wrong: Option<String>,
) -> Found {
    Found::Broken(Arc::new(Counterexample {
        label: String::new(),
        expected,
        actual,
        clause: None,
        differences,
        operands: Vec::new(),
        wrong,
        exchanges,
    }))
}

/// Of these values, those that a record does not have, though one of these schemas shows them.
fn absent(expected: &Map<String, Json>, own: &Map<String, Json>, schemas: &[&Json], at: &str) -> Vec<Difference> {
    const SECRETS: [&str; 9] = ["password", "secret", "token", "key", "pin", "code", "card", "account", "credential"];
    let mut all = Vec::new();
    for (name, value) in expected {
        let at = format!("{at}/{}", escape(name));
        let below: Vec<&Json> = schemas.iter().filter_map(|schema| schema["properties"].get(name)).collect();
        match (value, own.get(name)) {
            (Json::Object(value), Some(Json::Object(own))) => all.extend(absent(value, own, &below, &at)),
            (_, Some(_)) => {}
            (value, None) => {
                let is_nothing = match value {
                    Json::Null | Json::Bool(false) => true,
                    Json::Number(n) => n.as_f64() == Some(0.0),
                    Json::String(text) => text.is_empty(),
                    Json::Array(items) => items.is_empty(),
                    Json::Object(members) => members.is_empty(),
                    Json::Bool(true) => false,
                };
                let is_secret = SECRETS.iter().any(|word| plain(name).contains(word));
                let is_shown = below.iter().any(|schema| schema["writeOnly"] != true);
                if is_shown && !is_nothing && !is_secret {
                    all.push(Difference { at, expected: Some(value.clone()), actual: None });
                }
            }
        }
    }
    all
}

/// An id that nobody gave, in the form of a known one.
fn unknown_like(known: Option<&Json>, schema: &Json) -> Option<Json> {
    if ["enum", "const", "pattern"].iter().any(|keyword| schema.get(*keyword).is_some()) {
        return None;
    }
    let is_uuid = |text: &str| text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    match known {
        Some(Json::Number(_)) => {
            let fits = schema["maximum"].as_f64().is_none_or(|most| most >= UNKNOWN_NUMBER as f64);
            fits.then(|| UNKNOWN_NUMBER.into())
        }
        Some(Json::String(text)) if is_uuid(text) => Some("3f0c2b1e-7a64-4d59-9c3b-5e8d1f6a2b70".into()),
        Some(Json::String(text)) => {
            // The same form with other digits and letters, the last ones: a prefix may tell the kind.
            let turned = |c: char| match c {
                '0'..='8' => char::from(c as u8 + 1),
                '9' => '0',
                'a'..='y' | 'A'..='Y' => char::from(c as u8 + 1),
                'z' => 'a',
                'Z' => 'A',
                other => other,
            };
            let length = text.chars().count();
            let kept = length - length.min(4).max(length / 2);
            let turned: String =
                text.chars().enumerate().map(|(i, c)| if i >= kept { turned(turned(turned(c))) } else { c }).collect();
            // Among few short ones, another is soon met.
            let turned = if length < 8 { "no-such-thing".to_owned() } else { turned };
            (turned != *text).then(|| turned.into())
        }
        _ => None,
    }
}
