//! Finding a target's fixtures, by requests that only read.

use serde_json::{Value as Json, json};

use crate::contract::lookup::{ITEM, Lookup, Rule, Step};
use crate::contract::{CALLER, FixtureSchema};
use crate::exchange::{Failure, Outcome, Request, Response, Shown};
use crate::expression::{Expression, Scope, ScopeBuilder};
use crate::generate::render::segment;
use crate::http::client::Client;

/// For how many items of a list a step is carried out at most.
const ITEMS: usize = 10;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Fixtures, each of which keeps its schema.
    pub fixtures: Json,
    /// The requests that were sent.
    pub asked: Vec<Asked>,
}

/// A request, and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its path.
    pub path: String,
    /// The identity that sent it.
    pub identity: String,
    /// The status, or why there is none.
    pub answer: Result<u16, Failure>,
}

impl Asked {
    /// Whether its response was a success.
    pub fn is_answered(&self) -> bool {
        self.answer.as_ref().is_ok_and(|status| (200..300).contains(status))
    }

    /// The request and its response, in one line.
    pub fn line(&self) -> String {
        let by = if self.identity == CALLER { String::new() } else { format!(" as {}", self.identity) };
        let answer = match &self.answer {
            Ok(status) => status.to_string(),
            Err(failure) => format!("{} ({})", failure.kind.text(), failure.message),
        };
        format!("GET {}{by}: {answer}", self.path)
    }
}

/// Finds what can be found; `given` are the fixtures that are already known. No response of a target is an error: a
/// fixture that does not follow from the responses is not found.
pub async fn look_up(lookup: &Lookup, client: &Client, schema: &FixtureSchema, given: &Json) -> Found {
    let mut scope = ScopeBuilder::default().fixtures(given).build();
    let mut asker = Asker { client, asked: Vec::new(), is_silent: false };
    for step in &lookup.steps {
        let value = asker.step(step, &scope).await;
        let known = scope.extend();
        scope = match value {
            Some(value) => known.json(&step.name, &value),
            None => known.unknown(&step.name, "it was not found"),
        }
        .build();
    }
    let mut fixtures = json!({});
    for rule in &lookup.rules {
        let Some(value) = value_of(rule, &scope) else { continue };
        let wrong = schema.violations(&json!({ rule.fixture.as_str(): value }));
        let about = format!("/{}", rule.fixture);
        if !wrong.iter().any(|(at, _)| *at == about || at.starts_with(&format!("{about}/"))) {
            fixtures[&rule.fixture] = value;
        }
    }
    Found { fixtures, asked: asker.asked }
}

fn value_of(rule: &Rule, scope: &Scope) -> Option<Json> {
    let Some((items, name)) = &rule.entries else { return first(&rule.values, scope) };
    let mut entries = serde_json::Map::new();
    for item in items.json(scope).ok()?.as_array()? {
        let scope = scope.extend().json("it", item).build();
        if let (Ok(Json::String(name)), Some(value)) = (name.json(&scope), first(&rule.values, &scope)) {
            entries.insert(name, value);
        }
    }
    (!entries.is_empty()).then(|| entries.into())
}

/// The value of the first expression that has one.
fn first(expressions: &[Expression], scope: &Scope) -> Option<Json> {
    expressions.iter().filter_map(|e| e.json(scope).ok()).find(|value| !value.is_null())
}

struct Asker<'a> {
    client: &'a Client,
    asked: Vec<Asked>,
    /// Whether the target did not respond at all: then nothing more is sent to it.
    is_silent: bool,
}

impl Asker<'_> {
    async fn step(&mut self, step: &Step, scope: &Scope) -> Option<Json> {
        let Some(each) = &step.each else {
            return self.value(step, scope, step.get.clone()).await;
        };
        let items = each.json(scope).ok()?;
        let mut values = Vec::new();
        for item in items.as_array()?.iter().take(ITEMS) {
            let path = match (&step.get, item) {
                (Some(path), Json::String(item)) => Some(path.replace(ITEM, &segment(item))),
                // Only a string can be put into a path.
                (Some(_), _) => continue,
                (None, _) => None,
            };
            let scope = scope.extend().json("it", item).build();
            values.extend(self.value(step, &scope, path).await);
        }
        Some(values.into())
    }

    /// The value of a step, for one item.
    async fn value(&mut self, step: &Step, scope: &Scope, path: Option<String>) -> Option<Json> {
        let Some(path) = path else { return first(&step.values, scope) };
        let response = self.ask(path, step.identity.as_deref().unwrap_or(CALLER)).await?;
        let body = response.json()?;
        if step.values.is_empty() {
            return Some(body);
        }
        let scope = scope.extend().json("status", &response.status.into()).json("body", &body).build();
        first(&step.values, &scope)
    }

    /// The response to a GET, if it is a success.
    async fn ask(&mut self, path: String, identity: &str) -> Option<Response> {
        if self.is_silent || !self.client.settings().identities.contains_key(identity) {
            return None;
        }
        let request = get(path.clone(), identity);
        let _place = self.client.pace().place(1).await;
        let sent = self.client.send_safely(&request, "lookup").await;
        let (answer, response) = match sent.outcome() {
            Outcome::Response(response) => (Ok(response.status), Some(response)),
            Outcome::Failed(failure) => {
                self.is_silent = true;
                (Err(failure), None)
            }
        };
        self.asked.push(Asked { path, identity: identity.to_owned(), answer });
        response.filter(|r| (200..300).contains(&r.status))
    }
}

/// A request that only reads.
pub fn get(path: String, identity: &str) -> Request {
    Request {
        operation: None,
        method: "GET".to_owned(),
        path,
        parameters: Vec::new(),
        headers: vec![("accept".to_owned(), "application/json".to_owned())],
        identity: identity.to_owned(),
        credentials: Shown::Own,
        body: None,
        raw: false,
    }
}
