//! What was created: each record as soon as it is known.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use crate::contract::Contract;
use crate::exchange::{Exchange, Outcome, Response};
use crate::expression::ScopeBuilder;
use crate::generate::draft::KEY_HEADER;

/// A record that was created, or may have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// What it is called; None where no answer told.
    pub id: Option<String>,
    /// Whether the server said that it created it. If not, it may have: nothing whole was answered, or
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
}

/// What a run created so far.
#[derive(Debug, Default)]
pub struct Ledger {
    /// How many records, each counted once.
    pub created: u64,
    /// How many requests may have created one that is not known.
    pub uncertain: u64,
    ids: HashSet<String>,
}

impl Ledger {
    /// Notes an exchange; tells of the record that it created, if it was not known before.
    pub fn note(&mut self, contract: &Contract, exchange: &Exchange) -> Option<Created> {
        let id = match &exchange.outcome {
            Outcome::Response(response) if (200..300).contains(&response.status) => {
                let id = record(contract, response);
                if id.as_ref().is_some_and(|id| !self.ids.insert(id.clone())) {
                    return None;
                }
                self.created += 1;
                id
            }
            _ if may_have_created(&exchange.outcome) => {
                self.uncertain += 1;
                None
            }
            _ => return None,
        };
        Some(created(id, exchange))
    }

    /// Notes an exchange whose request may have been processed once before this answer.
    pub fn note_before(&mut self, exchange: &Exchange) -> Created {
        self.uncertain += 1;
        Created { certain: false, ..created(None, exchange) }
    }
}

fn created(id: Option<String>, exchange: &Exchange) -> Created {
    Created {
        id,
        certain: exchange.status().is_some_and(|status| status < 300),
        parameters: exchange.request.parameters.clone(),
        identity: exchange.request.identity.clone(),
        trial: exchange.trial.clone(),
        key: exchange.request.header(KEY_HEADER).map(str::to_owned),
        sent: exchange.sent,
        number: exchange.number,
    }
}

/// Whether something may have been created though nobody said so.
fn may_have_created(outcome: &Outcome) -> bool {
    match outcome {
        // Who sends elsewhere to see what was created has created it.
        Outcome::Response(response) => response.status >= 500 || [301, 302, 303].contains(&response.status),
        Outcome::Failed(failure) => failure.kind.is_silence(),
    }
}

/// What the contract calls a record, from the response that tells of it.
fn record(contract: &Contract, response: &Response) -> Option<String> {
    let body = response.json()?;
    let scope = ScopeBuilder::default().json("response", &json!({ "body": body })).build();
    match contract.record.as_ref()?.json(&scope).ok()? {
        Json::String(id) if !id.is_empty() => Some(id),
        Json::Number(id) => Some(id.to_string()),
        _ => None,
    }
}
