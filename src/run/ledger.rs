//! The records that were created, each as soon as it is known.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use crate::contract::Contract;
use crate::exchange::digest::Digest;
use crate::exchange::{Attempt, Exchange, Request, Response};
use crate::expression::ScopeBuilder;
use crate::generate::draft::KEY_HEADER;
use crate::judge::law;

/// A record that was created, or may have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its id; None where no response gave it.
    pub id: Option<String>,
    /// Whether the server said that it created it. If not, it may have: there was no complete response, or
    /// a server error.
    pub certain: bool,
    /// The path parameters of the request.
    pub parameters: Vec<(String, String)>,
    /// Whose request it was.
    pub identity: String,
    /// The trial, and its step, on whose behalf it was sent.
    pub trial: String,
    /// The idempotency key.
    pub key: Option<String>,
    /// When the request was sent, by our clock.
    pub sent: DateTime<Utc>,
    /// The request's place in the run.
    pub number: u64,
    /// The operation that created it, where it is not the contract's own.
    pub operation: Option<String>,
}

/// A request that is about to be sent, and may create something.
#[derive(Clone, Copy, Debug)]
pub struct Intended<'a> {
    /// Its place in the run.
    pub number: u64,
    /// The trial, and its step, on whose behalf it is sent.
    pub trial: &'a str,
    /// The request.
    pub request: &'a Request,
    /// When it is sent, by our clock.
    pub sent: DateTime<Utc>,
    /// The operation, where it is not the contract's own.
    pub operation: Option<&'a str>,
}

/// Whether a request may create something: those of safe methods do not.
pub fn may_create(request: &Request) -> bool {
    !["GET", "HEAD", "OPTIONS", "TRACE"].contains(&request.method.as_str())
}

/// What a run has created so far.
#[derive(Debug, Default)]
pub struct Ledger {
    /// How many records, each counted once.
    pub created: u64,
    /// How many requests may have created an unknown record.
    pub uncertain: u64,
    ids: HashSet<Digest>,
}

impl Ledger {
    /// Notes an exchange; returns the record that it created, if that was not known before, or if it
    /// may be that of someone else.
    pub fn note(&mut self, contract: &Contract, exchange: &Exchange) -> Option<Created> {
        // What only reads creates nothing, also where a contract is about it: a clean-up must not remove what was read.
        if !may_create(&exchange.request) {
            return None;
        }
        if (contract.document_only || exchange.request.operation.is_some()) && !creates(exchange) {
            return None;
        }
        let id = match exchange.response() {
            Some(response) if (200..300).contains(&response.status) => {
                let id = record(contract, response);
                let is_known = id.as_ref().is_some_and(|id| !self.ids.insert(Digest::of(id)));
                // Of what only the document says that it creates, a second answer shows that the record may be older.
                if is_known && !contract.document_only {
                    return None;
                }
                self.created += u64::from(!is_known);
                id
            }
            _ if exchange.attempts.iter().any(Attempt::perhaps_processed) => {
                self.uncertain += 1;
                None
            }
            _ => return None,
        };
        Some(created(id, exchange, contract.called_id(&exchange.request).map(str::to_owned)))
    }
}

/// Whether an exchange of an operation of which only the document is known may have created something: an update and a
/// deletion do not, nor does what answers with the record that its path names.
fn creates(exchange: &Exchange) -> bool {
    let request = &exchange.request;
    let names_it = |id: &Json| {
        let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        request.parameters.iter().any(|(_, value)| *value == id)
    };
    let answered = || exchange.response().and_then(Response::json).and_then(|body| law::id(&body));
    match request.method.as_str() {
        "POST" => match (exchange.status(), answered()) {
            (_, Some(id)) => !names_it(&id),
            // Without a record in it, the answer to an action or a search looks like this.
            (Some(status), None) => status == 201 || status >= 500,
            (None, None) => true,
        },
        "PUT" => exchange.status() == Some(201),
        _ => false,
    }
}

fn created(id: Option<String>, exchange: &Exchange, operation: Option<String>) -> Created {
    Created {
        id,
        certain: exchange.status().is_some_and(|status| status < 300),
        parameters: exchange.request.parameters.clone(),
        identity: exchange.request.identity.clone(),
        trial: exchange.trial.clone(),
        key: exchange.request.header(KEY_HEADER).map(str::to_owned),
        sent: exchange.sent(),
        number: exchange.number,
        operation,
    }
}

/// When a record was created by the server's clock, from the response that describes it.
pub(crate) fn made(contract: &Contract, response: &Response) -> Option<DateTime<Utc>> {
    let scope = ScopeBuilder::default().json("response", &json!({ "body": response.json()? })).build();
    let told = contract.clock.as_ref()?.json(&scope).ok()?;
    DateTime::parse_from_rfc3339(told.as_str()?).ok().map(|told| told.to_utc())
}

/// A record's id by the contract's expression, from the response that describes it.
pub(crate) fn record(contract: &Contract, response: &Response) -> Option<String> {
    let body = response.json()?;
    let scope = ScopeBuilder::default().json("response", &json!({ "body": body })).build();
    let id = match &contract.record {
        None if contract.document_only => law::id(&body)?,
        record => record.as_ref()?.json(&scope).ok()?,
    };
    match id {
        Json::String(id) if !id.is_empty() => Some(id),
        Json::Number(id) => Some(id.to_string()),
        _ => None,
    }
}
