//! Trials of scenarios and probes: one for each row of their tables.

use serde_json::Value as Json;

use super::{Entry, Obstacles};
use crate::contract::CALLER;
use crate::contract::requirement::{Form, Rows, row_label};
use crate::contract::steps::{Base, Step};
use crate::contract::template::Template;
use crate::expression::{Trouble, timestamp};
use crate::generate::seed::Seed;
use crate::judge::Judge;

/// One run of a scenario or a probe.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The requirement, by its place in the contract.
    pub requirement: usize,
    /// What it is called in reports: the requirement's id and the trial's number.
    pub name: String,
    /// The row of the table.
    pub row: Option<TrialRow>,
    /// The pool's request that steps `from: valid` are made from.
    pub base: Option<usize>,
    /// How many requests it sends.
    pub cost: usize,
    /// Whether it waits between its steps.
    pub waits: bool,
}

/// The row of a table.
#[derive(Clone, Debug)]
pub struct TrialRow {
    /// What it is called.
    pub label: String,
    /// Its values.
    pub value: Template,
}

/// All trials, and what cannot be tried.
pub(super) fn trials(judge: Judge<'_>, seed: Seed, selected: &[bool], entries: &[Entry]) -> (Vec<Trial>, Obstacles) {
    let mut all = Vec::new();
    let mut obstacles = Vec::new();
    for (i, requirement) in judge.contract.requirements.iter().enumerate() {
        if !selected[i] {
            continue;
        }
        let (each, steps) = match &requirement.form {
            Form::Scenario(s) => (s.rows.as_ref(), &s.steps),
            Form::Probe(p) if !p.steps.is_empty() => (p.rows.as_ref(), &p.steps),
            _ => continue,
        };
        if let Some(identity) = missing_identity(judge, steps) {
            obstacles.push((i, format!("the settings provide no identity `{identity}`: add [identities.{identity}]")));
            continue;
        }
        let rows = match rows(judge, each) {
            Ok(rows) => rows,
            Err(reason) => {
                obstacles.push((i, reason));
                continue;
            }
        };
        let cost = steps.iter().flat_map(|s| &s.sends).map(|s| s.copies).sum();
        let waits = steps.iter().any(|s| s.after.is_some() || s.until.is_some());
        for (n, row) in rows.into_iter().enumerate() {
            let name = format!("{}#{n}", requirement.id);
            let wants_base = steps.iter().flat_map(|s| &s.sends).any(|s| s.base == Base::Valid);
            all.push(Trial {
                requirement: i,
                base: wants_base.then(|| base(seed, &name, entries)),
                name,
                row,
                cost,
                waits,
            });
        }
    }
    (all, obstacles)
}

/// The first identity that steps name and the settings do not.
fn missing_identity(judge: Judge<'_>, steps: &[Step]) -> Option<String> {
    steps
        .iter()
        .flat_map(|s| &s.sends)
        .filter_map(|s| match &s.identity {
            Some(Template::Literal(Json::String(name))) => Some(name),
            _ => None,
        })
        .find(|name| !judge.fixtures.has(name))
        .cloned()
}

fn rows(judge: Judge<'_>, each: Option<&Rows>) -> Result<Vec<Option<TrialRow>>, String> {
    match each {
        None => Ok(vec![None]),
        Some(Rows::List(rows)) => Ok(rows
            .iter()
            .map(|row| {
                let label = row.label.clone().unwrap_or_else(|| match &row.value {
                    Template::Literal(json) => row_label(json),
                    _ => String::new(),
                });
                Some(TrialRow { label, value: row.value.clone() })
            })
            .collect()),
        Some(Rows::Cel(list)) => {
            // A table may depend on what is provided, but not on the time.
            let scope =
                judge.fixtures.bare_scope().extend().value("now", timestamp(chrono::DateTime::UNIX_EPOCH)).build();
            match list.json(&scope) {
                Ok(Json::Array(items)) if items.is_empty() => {
                    Err(format!("the settings provide nothing for it to run over: `{}`", list.text()))
                }
                Ok(Json::Array(items)) => Ok(items
                    .into_iter()
                    .map(|item| Some(TrialRow { label: row_label(&item), value: Template::from(item) }))
                    .collect()),
                Ok(_) => Err(format!("`{}` is no list", list.text())),
                Err(Trouble::Fixture(path)) => {
                    Err(format!("the settings provide no `{path}`: add it under [fixtures]"))
                }
                Err(trouble) => Err(trouble.to_string()),
            }
        }
    }
}

/// One of the caller's valid requests in the pool.
fn base(seed: Seed, name: &str, entries: &[Entry]) -> usize {
    let valid: Vec<usize> = entries
        .iter()
        .enumerate()
        .filter(|(_, e)| {
            // Only these are there whatever the requirements are.
            e.name.starts_with("pool/cover-")
                && matches!(&e.draft.identity, Template::Literal(Json::String(c)) if c == CALLER)
        })
        .map(|(i, _)| i)
        .collect();
    valid.get(seed.pick(name, 0, valid.len())).copied().unwrap_or(super::MINIMAL)
}
