//! Removing what runs created.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use futures_util::stream::{self, StreamExt as _};
use tokio_util::sync::CancellationToken;

use crate::contract::Contract;
use crate::exchange::{FailureKind, Outcome, Request, Shown};
use crate::generate::render::segment;
use crate::http::client::Client;
use crate::http::clock::Clock;
use crate::report;
use crate::report::log::created::{CreatedLog, Left, Record};
use crate::report::model::LeftBehind;
use crate::run::ledger;
use crate::settings::{Budget, Cleanup, Settings};
use crate::source::{Diagnostic, Result};

/// For how many minutes a server certainly still knows a key.
const YOUNG: i64 = 10;
/// How long a clean-up may take, including waits.
const LASTS: Duration = Duration::from_secs(300);

/// The result of a clean-up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// How many records were removed.
    pub removed: u64,
    /// Records that are still there, or may be, and why.
    pub left: Vec<(Record, NotRemoved)>,
}

/// Why a record is still there, or may be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRemoved {
    /// Nothing was done about it any more.
    #[error("the clean-up was stopped")]
    Ended,
    /// The time was used up.
    #[error("there was no time left")]
    Late,
    /// It is on this other target.
    #[error("it is on {0}")]
    Elsewhere(String),
    /// The settings lack the identity that created it.
    #[error("the settings have no identity `{0}`")]
    NoIdentity(String),
    /// The answer that told of it did not say what it is called.
    #[error("the response did not contain its id: search the target for its run tag")]
    NoId,
    /// Another operation created it, of which the settings do not say how its records are removed.
    #[error("`{0}` created it, and [cleanup] is about the records of the contract's own operation")]
    AnotherOperation(String),
    /// Nothing says how records of its kind are removed.
    #[error("neither an operation of the document nor [cleanup] removes records of its kind")]
    NoWay,
    /// The path of the clean-up has this part, whose value is not known.
    #[error("the path under [cleanup] needs {0}, which is not known")]
    NoValue(String),
    /// What it is called contains part of a secret, and was not written down.
    #[error("its id contains part of a secret and was not written down: search the target for its run tag")]
    Masked,
    /// The target said that a record is not there that was created just before, and removed none.
    #[error("the server answered 404, and removed nothing: check the path under [cleanup]")]
    NotFound,
    /// Several requests were answered with it, so that it may be someone else's.
    #[error("several requests were answered with it: it may have been there before the run")]
    Shared,
    /// The target did not remove it, and answered with this status.
    #[error("the server answered {0}")]
    Refused(u16),
    /// The target gave no answer when it was to remove it.
    #[error("{}", .0.text())]
    Unanswered(FailureKind),
    /// What was created is not known, and no key tells.
    #[error("the request got no complete response, and had no key: search the target for its run tag")]
    NoKey,
    /// Its key made another record.
    #[error("its key was sent again and created a new record, which was removed: search the target for its run tag")]
    KeyForgotten,
    /// Its key brought an answer without an id.
    #[error("its key was sent again, and the response did not contain the record's id")]
    KeyWithoutId,
    /// Its key was refused with this status, and may have been forgotten.
    #[error("its key was sent again and was refused with {0}")]
    KeyRefused(u16),
    /// Its key brought an answer of this status, which tells nothing.
    #[error("its key was sent again, and the server answered {0}")]
    KeyAnswered(u16),
    /// Its key brought no answer.
    #[error("its key was sent again: {}", .0.text())]
    KeyUnanswered(FailureKind),
}

impl From<Cleaned> for report::model::Cleanup {
    fn from(cleaned: Cleaned) -> Self {
        let left = |(record, why): (Record, NotRemoved)| LeftBehind {
            id: record.id,
            run_tag: record.run_tag,
            trial: record.trial,
            reason: why.to_string(),
        };
        Self { removed: cleaned.removed, left: cleaned.left.into_iter().map(left).collect() }
    }
}

/// Finds out what uncertain requests created, and removes records, each by the identity that created it; notes each in
/// the log, and reports how many of how many are done. Cancelling `stop` ends it.
///
/// # Errors
/// A connection that cannot be set up; a log that cannot be written.
pub async fn clean_up(
    settings: &Settings,
    contract: &Contract,
    clock: Clock,
    left: Left,
    log: &mut CreatedLog,
    stop: &CancellationToken,
    progress: &dyn Fn(usize, usize),
) -> Result<Cleaned> {
    let Some(cleanup) = settings.cleanup.clone() else {
        return Err(Diagnostic::new("the settings do not say how to remove a record")
            .help("add [cleanup] path = \"/v1/things/{id}\" to probity.toml; see `probity explain settings`"));
    };
    let unwritable = |e| Diagnostic::new(format!("the list of created records cannot be written: {e}"));
    let mut own = settings.clone();
    own.budget = Budget { max_duration: Some(LASTS), ..Budget::default() };
    let concurrency = own.concurrency;
    let client = Client::new(own, contract.operation.security.clone(), clock)?;
    let mut cleaned = Cleaned::default();
    let (mut records, mut uncertain) = (left.records, left.uncertain);
    // The same id may be that of a record of another kind.
    for all in [&mut records, &mut uncertain] {
        let is_other = |operation: &String| *operation != contract.operation.id;
        let others = all.extract_if(.., |record| record.operation.as_ref().is_some_and(is_other));
        cleaned.left.extend(others.filter_map(|record| {
            let operation = record.operation.clone()?;
            Some((record, NotRemoved::AnotherOperation(operation)))
        }));
    }
    let all = uncertain.len() + records.len();
    client.pace().begin(all as u64);
    let known: HashSet<String> = records.iter().filter_map(|record| record.id.clone()).collect();
    let mut uncertain = stream::iter(uncertain)
        .map(|record| {
            let client = &client;
            async move {
                let found = tokio::select! {
                    biased;
                    () = stop.cancelled() => Err(NotRemoved::Ended),
                    found = look_up(client, contract, &record) => found,
                };
                (record, found)
            }
        })
        .buffered(concurrency);
    let mut done = 0;
    while let Some((record, found)) = uncertain.next().await {
        done += 1;
        progress(done, all);
        match found {
            Ok(Lookup::Nothing) => log.settled(&record).map_err(unwritable)?,
            Ok(Lookup::Record(id)) if known.contains(&id) => log.settled(&record).map_err(unwritable)?,
            Ok(Lookup::Record(id)) => {
                let record = Record { id: Some(id), request: None, ..record };
                log.found(&record).map_err(unwritable)?;
                records.push(record);
            }
            Ok(Lookup::New(id)) => {
                // The record that the replay created is removed; whether the request created one stays unknown.
                records.push(Record { id: Some(id), number: None, request: None, ..record.clone() });
                cleaned.left.push((record, NotRemoved::KeyForgotten));
            }
            Err(why) => cleaned.left.push((record, why)),
        }
    }
    drop(uncertain);
    // The last record first: one that was created later may depend on an earlier one.
    records.reverse();
    let all = done + records.len();
    let mut removals = stream::iter(records)
        .map(|record| {
            let (client, cleanup) = (&client, &cleanup);
            async move {
                let outcome = tokio::select! {
                    biased;
                    () = stop.cancelled() => Err(NotRemoved::Ended),
                    outcome = remove(client, cleanup, &record) => outcome,
                };
                (record, outcome)
            }
        })
        .buffered(concurrency);
    let mut not_found = Vec::new();
    while let Some((record, outcome)) = removals.next().await {
        done += 1;
        progress(done, all);
        match (outcome, &record.id) {
            (Ok(404), Some(_)) => not_found.push(record),
            (Ok(status), Some(_)) => {
                log.removed(&record, client.clock().local(), status).map_err(unwritable)?;
                cleaned.removed += 1;
            }
            (Ok(_), None) => {}
            (Err(why), _) => cleaned.left.push((record, why)),
        }
    }
    // A path that leads nowhere is answered in the same way as a record that is gone.
    let leads_somewhere = cleaned.removed > 0 || cleanup.documented;
    for record in not_found {
        if leads_somewhere || age(&client, &record) >= TimeDelta::minutes(YOUNG) {
            log.removed(&record, client.clock().local(), 404).map_err(unwritable)?;
            cleaned.removed += 1;
        } else {
            cleaned.left.push((record, NotRemoved::NotFound));
        }
    }
    cleaned.left.sort_by(|a, b| (&a.0.sent, &a.0.trial).cmp(&(&b.0.sent, &b.0.trial)));
    Ok(cleaned)
}

/// How long ago the request was sent that created a record.
fn age(client: &Client, record: &Record) -> TimeDelta {
    let sent = DateTime::parse_from_rfc3339(&record.sent).ok();
    sent.map_or(TimeDelta::MAX, |sent| client.clock().local() - sent.to_utc())
}

/// What an unanswered request created.
enum Lookup {
    /// Nothing.
    Nothing,
    /// The record of this id.
    Record(String),
    /// The server no longer knows its key: this record is new.
    New(String),
}

/// Finds out what a request created, by sending it again with its key: that returns the original where it was processed.
async fn look_up(client: &Client, contract: &Contract, record: &Record) -> std::result::Result<Lookup, NotRemoved> {
    may_act(client, record)?;
    let (Some(_), Some(request)) = (&record.key, &record.request) else {
        return Err(NotRemoved::NoKey);
    };
    let _place = client.pace().place(1).await;
    let at = client.clock().local();
    let began = || client.clock().at_server(at).earliest;
    let sent = client.send_safely(&request.request(&record.identity), "cleanup").await;
    let age = || age(client, record);
    let young = || age() < TimeDelta::minutes(YOUNG);
    match sent.outcome() {
        Outcome::Response(r) if (200..300).contains(&r.status) => {
            let Some(id) = ledger::record(contract, &r) else {
                return Err(NotRemoved::KeyWithoutId);
            };
            // The margin covers timestamps in whole seconds: an older record was created before.
            let is_new = || ledger::made(contract, &r).is_some_and(|made| made + TimeDelta::seconds(2) >= began());
            // A server that ignores keys creates another record at once; its clock must be known to see that.
            let is_telling = !young() || (client.clock().difference().is_some() && age() > TimeDelta::seconds(5));
            Ok(if is_telling && is_new() { Lookup::New(id) } else { Lookup::Record(id) })
        }
        // These may come from whoever stands before the server's key store, and say nothing of the key.
        Outcome::Response(r)
            if request.authorization.is_none() && [401, 403, 404, 405, 407, 413].contains(&r.status) =>
        {
            Err(NotRemoved::KeyAnswered(r.status))
        }
        // While a key is known, its request is refused only if it created nothing.
        Outcome::Response(r) if (400..500).contains(&r.status) && ![408, 409, 425, 429].contains(&r.status) => {
            match young() {
                true => Ok(Lookup::Nothing),
                false => Err(NotRemoved::KeyRefused(r.status)),
            }
        }
        Outcome::Response(r) => Err(NotRemoved::KeyAnswered(r.status)),
        Outcome::Failed(failure) => Err(NotRemoved::KeyUnanswered(failure.kind)),
    }
}

/// Whether anything can be done about a record on this target with these settings, or why not.
fn may_act(client: &Client, record: &Record) -> std::result::Result<(), NotRemoved> {
    let settings = client.settings();
    if record.target != settings.url.as_str() {
        return Err(NotRemoved::Elsewhere(record.target.clone()));
    }
    if client.shows_credentials() && !settings.identities.contains_key(&record.identity) {
        return Err(NotRemoved::NoIdentity(record.identity.clone()));
    }
    if client.pace().is_late() {
        return Err(NotRemoved::Late);
    }
    Ok(())
}

/// Removes a record; returns the status that says that it is gone, or why it is not.
async fn remove(client: &Client, cleanup: &Cleanup, record: &Record) -> std::result::Result<u16, NotRemoved> {
    may_act(client, record)?;
    let Some(id) = &record.id else {
        return Err(NotRemoved::NoId);
    };
    if record.masked {
        return Err(NotRemoved::Masked);
    }
    let mut path = cleanup.path.clone();
    for (name, value) in record.parameters.iter().map(|(n, v)| (n.as_str(), v)).chain([("id", id)]) {
        path = path.replace(&format!("{{{name}}}"), &segment(value));
    }
    if let Some(open) = path.find('{') {
        return Err(NotRemoved::NoValue(path[open..].to_owned()));
    }
    let request = Request {
        operation: None,
        method: cleanup.method.clone(),
        path,
        parameters: Vec::new(),
        headers: Vec::new(),
        identity: record.identity.clone(),
        credentials: Shown::Own,
        body: None,
        raw: false,
    };
    let _place = client.pace().place(1).await;
    // A removal can be repeated safely.
    let sent = client.send_safely(&request, "cleanup").await;
    match sent.outcome() {
        Outcome::Response(r) if (200..300).contains(&r.status) || [404, 410].contains(&r.status) => Ok(r.status),
        Outcome::Response(r) => Err(NotRemoved::Refused(r.status)),
        Outcome::Failed(failure) => Err(NotRemoved::Unanswered(failure.kind)),
    }
}
