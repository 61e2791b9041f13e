//! Requests before they are sent.

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use super::draw::{Draw, Form};
use super::media;
use super::parameter::is_key;
use crate::contract::template::{Template, segments};
use crate::contract::{CALLER, Contract, Target};
use crate::document::parameter::{Parameter, ParameterLocation};
use crate::exchange::HeaderCase;
use crate::expression::{Scope, ScopeBuilder, Trouble, timestamp};

pub use super::parameter::KEY_HEADER;

/// A request whose values are not all made yet.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The operation, by its place among those that the contract's steps call; None for the contract's own.
    pub operation: Option<usize>,
    /// The identity that sends it.
    pub identity: Template,
    /// Path parameters in the order of the path.
    pub path: Vec<(String, Template)>,
    /// The query parameters, by name. Bytes are literal, including the name.
    pub query: Vec<(String, Template)>,
    /// Headers without credentials and cookies.
    pub headers: Vec<(String, Template)>,
    /// Cookies, by name.
    pub cookies: Vec<(String, Template)>,
    /// The case of header names; chosen by the seed if it is missing.
    pub header_case: Option<HeaderCase>,
    /// The credentials.
    pub credentials: Credentials,
    /// The body.
    pub body: Content,
}

impl Draft {
    /// How many values of the body say something, see [`Template::leaves`]; none where it is not JSON.
    pub fn leaves(&self) -> usize {
        match &self.body {
            Content::Json(body) => body.leaves(),
            _ => 0,
        }
    }
}

/// The credentials of a request.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// The identity's own, as the document requires.
    Own,
    /// None.
    None,
    /// This text, with `{token}` for the identity's token.
    Text(Template),
}

/// A body before it is sent.
#[derive(Clone, Debug)]
pub enum Content {
    /// No body.
    None,
    /// A value, written in the media type that the header `Content-Type` names.
    Json(Template),
    /// Pieces of text and bytes.
    Raw(Vec<Template>),
}

/// What a target provides: the part of the settings that requests are generated from.
#[derive(Clone, Debug)]
pub struct Fixtures {
    /// The fixtures.
    pub fixtures: Json,
    /// The names of the identities.
    pub identities: Vec<String>,
    scope: Scope,
    bare_scope: Scope,
}

impl Fixtures {
    /// The fixtures and identities for a contract.
    pub fn new(contract: &Contract, fixtures: Json, identities: Vec<String>) -> Self {
        let scope = ScopeBuilder::default().fixtures(&fixtures).json("identity", &json!(CALLER)).build();
        Self {
            fixtures,
            identities,
            scope: scope.extend().defines(std::sync::Arc::clone(&contract.defines)).build(),
            bare_scope: scope,
        }
    }

    /// Fixtures, the default caller and the contract's defines.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Fixtures and the default caller: the names that are known between steps.
    pub fn bare_scope(&self) -> &Scope {
        &self.bare_scope
    }

    /// The identities that may carry out the contract's operation and are provided.
    pub fn callers(&self, contract: &Contract) -> Vec<String> {
        let fixtures = |c: &&String| self.identities.contains(c);
        contract.callers.iter().filter(fixtures).cloned().collect()
    }

    /// Whether an identity is provided.
    pub fn has(&self, identity: &str) -> bool {
        self.identities.iter().any(|i| i == identity)
    }
}

/// What the covering array decides about a request.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The place of each path parameter's value in its list; drawn if it is missing.
    pub path: Option<usize>,
    /// The identity that sends it.
    pub caller: Option<String>,
    /// Whether it carries an idempotency key.
    pub key: bool,
    /// The form of its body, by its place among [`super::draw::forms`].
    pub form: usize,
}

/// Builds a request from what was drawn.
pub fn assemble(contract: &Contract, fixtures: &Fixtures, draw: &Draw, choice: &Choice, now: DateTime<Utc>) -> Draft {
    let caller = choice.caller.clone().unwrap_or_else(|| CALLER.to_owned());
    let scope = |path: &Json, body: &Json| {
        fixtures
            .scope()
            .extend()
            .json("identity", &json!(caller))
            .value("now", timestamp(now))
            .json("request", &json!({"path": path, "body": body, "headers": {}, "query": {}, "cookies": {}}))
            .build()
    };
    let operation = &contract.operation;
    let mut picks = draw.picks.iter();
    let mut path = serde_json::Map::new();
    let parameters = || operation.parameters.iter().zip(&draw.parameters);
    let given = |parameter: &Parameter| {
        contract.values.iter().find(|v| v.target == Target::Parameter(parameter.location, parameter.name.clone()))
    };
    let mut path_drafts = Vec::new();
    for (parameter, drawn) in parameters().filter(|(p, _)| p.location == ParameterLocation::Path) {
        let pick = picks.next();
        let value = given(parameter)
            .and_then(|v| list_of(v.list.json(&scope(&path.clone().into(), &json!({})))))
            .and_then(|items| {
                let at = choice.path.map_or_else(|| pick.map_or(0, |p| p.index(items.len())), |p| p % items.len());
                items.get(at).cloned()
            });
        let value = value.map(Template::Literal).or_else(|| drawn.clone()).unwrap_or(Template::Literal(json!("1")));
        path.insert(parameter.name.clone(), known(&value));
        path_drafts.push((parameter.name.clone(), value));
    }
    let path_json = Json::from(path);
    let body = draw.body.clone().map(|mut whole| {
        for list in &contract.values {
            let Target::Body(pointer) = &list.target else {
                continue;
            };
            let pick = picks.next();
            if whole.pointer(pointer).is_some() {
                // Fields that are not yet drawn have no value that others could depend on.
                let known = literal(&whole, contract, pointer);
                let items = list_of(list.list.json(&scope(&path_json, &known)));
                match items.and_then(|i| i.get(pick.map_or(0, |p| p.index(i.len()))).cloned()) {
                    Some(value) => whole.set(pointer, Template::Literal(value)),
                    None => whole.remove(pointer),
                }
            }
        }
        mark(contract, &mut whole);
        whole
    });
    let mut headers = Vec::new();
    if let (Some(_), Some(Form::Body { body, .. })) = (&body, super::draw::forms(operation).get(choice.form))
        && let Some(body) = operation.bodies.get(*body)
    {
        headers.push(("Content-Type".to_owned(), Template::Literal(json!(media::sent(&body.media_type)))));
    }
    let (mut query, mut cookies) = (Vec::new(), Vec::new());
    for (parameter, drawn) in parameters() {
        if is_key(parameter) {
            if choice.key || parameter.required {
                let (kind, length) = super::parameter::key_form(parameter);
                let fresh = Template::Fresh { kind, length, like: None };
                headers.push((parameter.name.clone(), fresh));
            }
            continue;
        }
        let Some(drawn) = drawn else { continue };
        let value =
            given(parameter).and_then(|v| list_of(v.list.json(&scope(&path_json, &json!({}))))).and_then(|items| {
                Some(Template::Literal(items.get(picks.next().map_or(0, |p| p.index(items.len())))?.clone()))
            });
        let entry = (parameter.name.clone(), value.unwrap_or_else(|| drawn.clone()));
        match parameter.location {
            ParameterLocation::Path => {}
            ParameterLocation::Query | ParameterLocation::Querystring => query.push(entry),
            ParameterLocation::Header => headers.push(entry),
            ParameterLocation::Cookie => cookies.push(entry),
        }
    }
    Draft {
        operation: None,
        identity: Template::Literal(json!(caller)),
        path: path_drafts,
        query,
        headers,
        cookies,
        header_case: None,
        credentials: Credentials::Own,
        body: body.map_or(Content::None, Content::Json),
    }
}

/// Puts the run tag into the field that the contract names, if its value is a plain string.
fn mark(contract: &Contract, body: &mut Template) {
    if let Some(pointer) = &contract.run_tag
        && let Some(field) = body.pointer_mut(pointer)
        && let Template::Literal(Json::String(text)) | Template::Unique { text, .. } = field
    {
        *field = Template::Marked(text.clone());
    }
}

fn list_of(value: Result<Json, Trouble>) -> Option<Vec<Json>> {
    match value {
        Ok(Json::Array(items)) if !items.is_empty() => Some(items),
        _ => None,
    }
}

/// The parts of a body that are known before it is sent, without those from lists that are drawn later.
fn literal(body: &Template, contract: &Contract, pointer: &str) -> Json {
    let mut body = body.clone();
    contract
        .values
        .iter()
        .filter_map(|v| match &v.target {
            Target::Body(p) => Some(p.as_str()),
            Target::Parameter(..) => None,
        })
        .skip_while(|p| *p != pointer)
        .for_each(|p| body.remove(p));
    known(&body)
}

fn known(template: &Template) -> Json {
    match template {
        Template::Literal(json) => json.clone(),
        Template::Marked(text) | Template::Unique { text, .. } => json!(text),
        Template::List(items) => items.iter().map(known).collect(),
        Template::Object(entries) => entries
            .iter()
            .filter(|(_, t)| !matches!(t, Template::Instant { .. }))
            .map(|(k, t)| (k.clone(), known(t)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        _ => Json::Null,
    }
}

/// Whether a JSON Pointer is within another or equal to it.
pub fn within(pointer: &str, parent: &str) -> bool {
    let (inner, outer) = (segments(pointer), segments(parent));
    inner.starts_with(&outer)
}
