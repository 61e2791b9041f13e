//! What a run created is removed by the deletions of the document itself.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::Whole;
use super::order::{collection, same_path, shape};
use super::records::{is_id_of, is_of};
use crate::cleanup::{Cleaned, NotRemoved, clean_up};
use crate::contract::Contract;
use crate::http::clock::Clock;
use crate::report::CREATED;
use crate::report::log::created::{self, CreatedLog, Left, Record};
use crate::report::model::{Cleanup, LeftBehind};
use crate::session::Session;
use crate::settings;
use crate::source::{Diagnostic, Result};

/// Removes what earlier runs of a document created, as far as it has operations for that, or the settings say how.
///
/// # Errors
/// A connection that cannot be set up; a list that cannot be written.
pub async fn clean_up_later(
    contracts: &[Contract],
    settings: &settings::Settings,
    mut left: Left,
    log: &mut CreatedLog,
    stop: &CancellationToken,
    progress: &dyn Fn(usize, usize),
) -> Result<Cleaned> {
    let mut all = Cleaned::default();
    let mut by_depth: Vec<&Contract> = contracts.iter().filter(|c| c.operation.method == "POST").collect();
    by_depth.sort_by_key(|contract| Reverse(contract.operation.path.matches('/').count()));
    for contract in by_depth {
        let own = shape(&contract.operation.path);
        let removes = |c: &&Contract| {
            let path = shape(&c.operation.path);
            let last = path.rsplit('/').next().unwrap_or_default();
            // Another name than an id's may mean another field.
            c.operation.method == "DELETE"
                && collection(&path).is_some_and(|of| same_path(&own, of))
                && is_id_of(&own, last.trim_matches(['{', '}']))
        };
        let delete = contracts.iter().find(removes);
        let way = match (delete, &settings.cleanup) {
            (Some(delete), _) => {
                let own = contract.operation.path.trim_end_matches('/');
                let path = match delete.operation.path.rsplit_once('(') {
                    Some((_, last)) if last.ends_with(')') => {
                        let quote = if last.starts_with('\'') { "'" } else { "" };
                        format!("{own}({quote}{{id}}{quote})")
                    }
                    _ => format!("{own}/{{id}}"),
                };
                settings::Cleanup { method: "DELETE".to_owned(), path, documented: true }
            }
            (None, Some(way)) if is_of(&own, &way.path) => way.clone(),
            _ => continue,
        };
        let is_own = |record: &mut Record| record.operation.as_ref() == Some(&contract.operation.id);
        let own = |records: &mut Vec<Record>| -> Vec<Record> {
            records.extract_if(.., is_own).map(|record| Record { operation: None, ..record }).collect()
        };
        let (records, shared) = apart(own(&mut left.records));
        all.left.extend(shared.into_iter().map(|record| (record, NotRemoved::Shared)));
        let part = Left { records, uncertain: own(&mut left.uncertain), ..Left::default() };
        if part.records.is_empty() && part.uncertain.is_empty() {
            continue;
        }
        let settings = settings::Settings { cleanup: Some(way), ..settings.clone() };
        let as_whom = delete.unwrap_or(contract);
        let cleaned = clean_up(&settings, as_whom, Clock::system(), part, log, stop, progress).await?;
        all.removed += cleaned.removed;
        all.left.extend(cleaned.left);
    }
    let others = left.records.into_iter().chain(left.uncertain);
    all.left.extend(others.map(|record| (record, NotRemoved::NoWay)));
    Ok(all)
}

/// The records with which one request was answered, and those with which several were, each once.
fn apart(records: Vec<Record>) -> (Vec<Record>, Vec<Record>) {
    let mut count: HashMap<(String, Option<String>), usize> = HashMap::new();
    let key = |record: &Record| (record.run_tag.clone(), record.id.clone().filter(|_| !record.masked));
    records.iter().for_each(|record| *count.entry(key(record)).or_default() += 1);
    let is_shared = |record: &Record| record.id.is_some() && !record.masked && count[&key(record)] > 1;
    let (mut shared, single): (Vec<Record>, Vec<Record>) = records.into_iter().partition(is_shared);
    let mut seen = HashSet::new();
    shared.retain(|record| seen.insert(key(record)));
    (single, shared)
}

impl Whole {
    /// Removes what this run created, as far as the document has operations for that, or the settings say how; None if
    /// nothing was created.
    ///
    /// # Errors
    /// A list of created records that cannot be read or written.
    pub async fn clean_up(
        &self,
        dir: &Path,
        stop: &CancellationToken,
        progress: &dyn Fn(usize, usize),
    ) -> Result<Option<Cleanup>> {
        let called = self.called.iter().map(Session::contract).filter(|contract| contract.operation.method == "DELETE");
        let mut deletes: Vec<&Contract> = called.chain(&self.deletions).collect();
        // What is under something else goes before it.
        deletes.sort_by_key(|contract| Reverse(contract.operation.path.matches('/').count()));
        let path = dir.join(CREATED);
        let unusable = |e: std::io::Error| Diagnostic::new(format!("{}: {e}", path.display()));
        let left = created::read(&path).map_err(unusable)?;
        let mut log = CreatedLog::again(&path).map_err(unusable)?;
        let own = self.options.run_tag.as_ref().map_or("", |tag| tag.text());
        let is_own = |record: &Record| record.run_tag == own && record.target == self.settings.url.as_str();
        let mut records: Vec<Record> = left.records.into_iter().filter(is_own).collect();
        let mut done = Cleanup { removed: 0, left: Vec::new() };
        for contract in deletes {
            let operation = &contract.operation;
            let mut of_kind = Vec::new();
            let mut paths: Option<String> = None;
            records.retain(|record| {
                let Some(removal) = record.number.and_then(|n| self.records.removal(n, operation)) else { return true };
                paths = Some(removal.path);
                let own = Record { masked: false, operation: None, ..record.clone() };
                of_kind.push(Record { id: Some(removal.id), parameters: removal.parameters, ..own });
                false
            });
            let Some(path) = paths else { continue };
            let way = settings::Cleanup { method: "DELETE".to_owned(), path, documented: true };
            self.remove(way, contract, of_kind, &mut done, (&mut log, stop, progress)).await?;
        }
        if let (Some(way), Some(session)) = (&self.settings.cleanup, self.called.first()) {
            // The same id may be that of a record of another kind, which is none of ours.
            let of_kind = |record: &mut Record| {
                record.number.is_some_and(|number| self.records.is_in_collection_of(number, &way.path))
            };
            let others = records.extract_if(.., of_kind).map(|record| Record { operation: None, ..record }).collect();
            self.remove(way.clone(), session.contract(), others, &mut done, (&mut log, stop, progress)).await?;
        }
        let behind = |record: Record, why: &str| LeftBehind {
            id: record.id,
            run_tag: record.run_tag,
            trial: record.trial,
            reason: why.to_owned(),
        };
        let why = match self.settings.cleanup {
            Some(_) => "neither an operation of the document nor [cleanup] removes records of its kind",
            None => "no operation of the document removes it",
        };
        let (records, shared) = apart(records);
        done.left.extend(records.into_iter().map(|record| behind(record, why)));
        let shared = shared.into_iter().map(|record| behind(record, &NotRemoved::Shared.to_string()));
        done.left.extend(shared);
        let uncertain = left.uncertain.into_iter().filter(is_own);
        done.left
            .extend(uncertain.map(|r| behind(r, "what was created is not known: search the target for its run tag")));
        log.finish().map_err(unusable)?;
        Ok(Some(done).filter(|done| done.removed > 0 || !done.left.is_empty()))
    }

    /// Removes records in one way, with the credentials of an operation.
    async fn remove(
        &self,
        way: settings::Cleanup,
        contract: &Contract,
        records: Vec<Record>,
        done: &mut Cleanup,
        (log, stop, progress): (&mut CreatedLog, &CancellationToken, &dyn Fn(usize, usize)),
    ) -> Result<()> {
        let settings = settings::Settings { cleanup: Some(way), ..self.settings.clone() };
        let left = Left { records, ..Left::default() };
        let cleaned = clean_up(&settings, contract, self.clock.clone(), left, log, stop, progress).await?;
        let cleaned = Cleanup::from(cleaned);
        done.removed += cleaned.removed;
        done.left.extend(cleaned.left);
        Ok(())
    }
}
