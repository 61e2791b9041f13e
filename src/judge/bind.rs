//! An exchange as the names in expressions.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::Judge;
use super::classify::Class;
use crate::exchange::{Exchange, Response};
use crate::exchange::{Request, Shown};
use crate::expression::{Scope, ScopeBuilder, from_json, timestamp};
use crate::generate::media;
use crate::generate::parameter::decode::{cookies, decoded, pairs};

/// Whether the same request without the fault was accepted in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Control {
    /// It was.
    Accepted,
    /// It was not.
    Refused,
    /// It was sent, but the result is not known.
    Unknown,
    /// There is none.
    Missing,
}

impl Control {
    fn doubt(self) -> &'static str {
        match self {
            Self::Accepted => "",
            Self::Refused => "the same request without the fault was also refused",
            Self::Unknown => "it is not known whether the same request without the fault is accepted",
            Self::Missing => "no request without the fault was sent",
        }
    }
}

/// What an exchange is judged as, in addition to what was on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// Whether the same request without the fault was accepted.
    pub control: Control,
    /// Whether headers, credentials and the body's form were left alone.
    pub plain: bool,
}

/// A value that is true, false, or unknown for a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// True.
    Yes,
    /// False.
    No,
    /// Not known.
    Unknown(String),
}

/// An exchange, with everything that judging needs.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The exchange.
    pub exchange: Arc<Exchange>,
    /// Whether its request was valid.
    pub class: Class,
    /// Whether the same request without its fault was accepted.
    pub control: Control,
    /// The requirement that it was sent for, where it tries a part of the schema.
    pub about: Option<usize>,
    /// Its names.
    pub scope: Scope,
    /// The request's names alone.
    pub request_scope: Scope,
    /// The request's body, see [`Judge::body`].
    pub request_body: Option<Arc<Json>>,
    /// The response's body, where it is JSON.
    pub response_body: Option<Arc<Json>>,
    accepted: Known,
}

impl Seen {
    /// Whether the server accepted the request.
    pub fn accepted(&self) -> Known {
        self.accepted.clone()
    }

    /// The status of the answer to a request that was accepted.
    pub fn accepted_status(&self) -> Option<u16> {
        (self.accepted() == Known::Yes).then(|| self.exchange.status()).flatten()
    }

    /// Whether the server answered with a client error.
    pub fn client_error(&self, judge: Judge<'_>) -> Known {
        client_error(&self.exchange, judge.of(&self.exchange.request))
    }
}

impl Judge<'_> {
    /// Looks at an exchange. `plain` tells whether a step left headers, credentials and the body's
    /// form alone.
    pub fn see(self, mut exchange: Exchange, control: Control, about: Option<usize>, plain: bool) -> Seen {
        let judge = self.of(&exchange.request);
        let request_body = judge.body(&exchange.request);
        let now = exchange.server_now().middle();
        let request_scope = judge.request_scope(&exchange.request, request_body.as_ref(), now);
        let class = judge.classify(&exchange, request_body.as_ref(), &request_scope, plain);
        if let Some(attempt) = exchange.attempts.last_mut() {
            attempt.note_depth();
        }
        let response_body = exchange.response().and_then(Response::json).map(Arc::new);
        let scope = judge.exchange_scope(&exchange, &request_scope, control, response_body.as_deref());
        exchange.cut();
        let accepted = accepted(&exchange, judge);
        let (exchange, request_body) = (Arc::new(exchange), request_body.map(Arc::new));
        Seen { exchange, class, control, about, scope, request_scope, request_body, response_body, accepted }
    }

    /// The value of a request's body, where it is JSON or a form that the document describes.
    pub fn body(self, request: &Request) -> Option<Json> {
        let bytes = request.body.as_ref()?;
        let content_type = request.header("content-type").unwrap_or_default();
        match media::form_of(&self.of(request).contract.operation, content_type) {
            Some(form) if media::kind(&form.media_type) != media::Kind::Json => {
                media::decode(form, content_type, bytes)
            }
            _ => request.json(),
        }
    }

    /// The same exchange, if it met its trouble each time it was tried.
    pub fn confirmed(self, seen: Seen) -> Seen {
        let exchange = Exchange { unconfirmed: false, ..(*seen.exchange).clone() };
        let judge = self.of(&exchange.request);
        let scope = judge.exchange_scope(&exchange, &seen.request_scope, seen.control, seen.response_body.as_deref());
        let accepted = accepted(&exchange, judge);
        Seen { exchange: Arc::new(exchange), scope, accepted, ..seen }
    }

    /// Whether a request is one that must be accepted.
    pub fn is_valid(self, exchange: &Exchange, plain: bool) -> bool {
        let body = exchange.request.json();
        let scope = self.request_scope(&exchange.request, body.as_ref(), exchange.server_now().middle());
        self.of(&exchange.request).classify(exchange, body.as_ref(), &scope, plain) == Class::Valid
    }

    /// The names of a request alone, sent at an instant of the server's clock.
    pub fn request_scope(self, request: &Request, body: Option<&Json>, now: DateTime<Utc>) -> Scope {
        let parameters: Map<String, Json> = request.parameters.iter().map(|(n, v)| (n.clone(), json!(v))).collect();
        let mut members = vec![
            ("method", from_json(&json!(request.method))),
            ("path", from_json(&parameters.into())),
            ("query", from_json(&self.query(request))),
            ("headers", from_json(&headers(&request.headers))),
            ("cookies", from_json(&named(cookies(request.header("cookie").unwrap_or_default())))),
        ];
        members.extend(body.map(|body| ("body", from_json(body))));
        self.fixtures
            .scope()
            .extend()
            .map("request", members)
            .json("identity", &json!(request.identity))
            .value("now", timestamp(now))
            .build()
    }

    /// The query by name, each text decoded; a name that comes several times is a list of texts.
    fn query(self, request: &Request) -> Json {
        let query = request.path.split_once('?').map_or("", |(_, query)| query);
        named(pairs(query))
    }

    fn exchange_scope(self, exchange: &Exchange, request: &Scope, control: Control, body: Option<&Json>) -> Scope {
        let mut scope = request.extend();
        scope = match unknown_response(exchange, self) {
            Some(reason) => scope.unknown("response", &reason),
            None => match exchange.response() {
                Some(response) => scope.map("response", response_members(response, body)),
                None => scope,
            },
        };
        scope = known(scope, "accepted", &accepted(exchange, self));
        let client_error = client_error(exchange, self);
        scope = known(scope, "answered", &answered(exchange));
        let refused = match (&client_error, control) {
            (Known::Yes, Control::Accepted) => Known::Yes,
            (Known::Yes, _) => Known::Unknown(control.doubt().into()),
            (other, _) => other.clone(),
        };
        scope = known(scope, "client_error", &client_error);
        known(scope, "refused", &refused).build()
    }
}

fn known(scope: ScopeBuilder, name: &str, value: &Known) -> ScopeBuilder {
    match value {
        Known::Yes => scope.json(name, &json!(true)),
        Known::No => scope.json(name, &json!(false)),
        Known::Unknown(reason) => scope.unknown(name, reason),
    }
}

/// Headers as a map of lower-case names; several of one name are joined as HTTP specifies.
fn headers(list: &[(String, String)]) -> Json {
    let mut map = Map::new();
    for (name, value) in list {
        let name = name.to_lowercase();
        let joined = match map.get(&name).and_then(Json::as_str) {
            Some(first) => format!("{first}, {value}"),
            None => value.clone(),
        };
        map.insert(name, json!(joined));
    }
    map.into()
}

fn response_members(response: &Response, body: Option<&Json>) -> Vec<(&'static str, Box<dyn cel::common::value::Val>)> {
    let mut members = vec![
        ("status", from_json(&json!(response.status))),
        ("headers", from_json(&headers(&response.headers))),
        ("media_type", from_json(&json!(response.media_type().unwrap_or_default()))),
    ];
    members.extend(body.map(|body| ("body", from_json(body))));
    members
}

/// Whether the credentials are those of an identity that the operation is meant for.
fn own_credentials(exchange: &Exchange, judge: Judge<'_>) -> bool {
    exchange.request.credentials == Shown::Own && judge.contract.callers.contains(&exchange.request.identity)
}

/// Why the response shows nothing, if so.
fn unknown_response(exchange: &Exchange, judge: Judge<'_>) -> Option<String> {
    match exchange.answer() {
        Err(failure) => Some(failure.kind.text().to_owned()),
        Ok(r) => match r.status {
            _ if r.unread.is_some() => r.unread.clone(),
            408 | 425 | 429 | 500.. => Some(format!("the server answered {}", r.status)),
            401 if own_credentials(exchange, judge) => {
                Some("the server answered 401 to a token that it should accept".to_owned())
            }
            _ => None,
        },
    }
}

fn accepted(exchange: &Exchange, judge: Judge<'_>) -> Known {
    match exchange.answer() {
        Err(failure) => Known::Unknown(failure.kind.text().to_owned()),
        Ok(r) => match r.status {
            200..=299 => Known::Yes,
            // A redirection that the document names counts as acceptance.
            300..=399 if judge.contract.operation.responses.iter().any(|d| d.covers(r.status)) => Known::Yes,
            408 | 425 | 429 => Known::Unknown(format!("the server answered {}", r.status)),
            status @ 500.. if exchange.unconfirmed => Known::Unknown(once(status)),
            401 if exchange.request.credentials == Shown::Own => {
                Known::Unknown("the server answered 401 to a valid token".into())
            }
            _ => Known::No,
        },
    }
}

/// Whether the server refused: a 4xx, unless it is about something other than the request.
fn client_error(exchange: &Exchange, judge: Judge<'_>) -> Known {
    match exchange.answer() {
        Err(failure) => Known::Unknown(failure.kind.text().to_owned()),
        Ok(r) => match r.status {
            408 | 425 | 429 => Known::Unknown(format!("the server answered {}", r.status)),
            401 if own_credentials(exchange, judge) => {
                Known::Unknown("the server answered 401 to a valid token".into())
            }
            400..=499 => Known::Yes,
            500.. => Known::Unknown(format!("the server answered {}, which is not a refusal", r.status)),
            _ => Known::No,
        },
    }
}

/// Whether a complete response came that is not a server error.
fn answered(exchange: &Exchange) -> Known {
    match exchange.answer() {
        Ok(r) if r.status >= 500 && exchange.unconfirmed => Known::Unknown(once(r.status)),
        Ok(r) if r.status >= 500 => Known::No,
        Ok(_) => Known::Yes,
        Err(failure) if failure.kind.is_silence() && !exchange.unconfirmed => Known::No,
        Err(failure) => Known::Unknown(failure.kind.text().to_owned()),
    }
}

/// The reason for a verdict on a server error that has not been confirmed.
fn once(status: u16) -> String {
    format!("the server answered {status}, and it is not known whether it would do so again")
}

/// Texts by name, decoded; a name that comes several times is a list of texts.
fn named(all: Vec<(String, String)>) -> Json {
    let mut map = Map::new();
    for (name, text) in all {
        let text = json!(decoded(&text));
        match map.get_mut(&name) {
            None => {
                map.insert(name, text);
            }
            Some(Json::Array(several)) => several.push(text),
            Some(one) => *one = json!([one.clone(), text]),
        }
    }
    map.into()
}
