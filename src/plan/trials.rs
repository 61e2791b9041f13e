//! Trials of scenarios and probes: one for each row of their tables.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::contexts::{Context, Contexts, Fixed};
use super::{Entry, Obstacles};
use crate::contract::CALLER;
use crate::contract::requirement::{Form, Rows, row_label};
use crate::contract::steps::{Base, Send, Step};
use crate::contract::template::{Template, When};
use crate::exchange::TrialName;
use crate::expression::{Scope, Trouble, timestamp};
use crate::generate::draft::KEY_HEADER;
use crate::generate::seed::Seed;
use crate::judge::Judge;
use crate::judge::exchange;

/// One run of a scenario or a probe.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The requirement, by its place in the contract.
    pub requirement: usize,
    /// Further requirements that are judged by it.
    pub also: Vec<usize>,
    /// What it is called in reports: a requirement's id and the trial's number.
    pub name: String,
    /// The row of the table.
    pub row: Option<TrialRow>,
    /// The pool's request that steps `from: valid` and `from: varied` are made from.
    pub base: Option<usize>,
    /// How many requests it sends.
    pub cost: usize,
    /// Whether it waits between its steps.
    pub waits: bool,
    /// Whether its base is there for its context.
    pub varies: bool,
}

impl Trial {
    /// The requirements that are judged by it, by their places in the contract.
    pub fn requirements(&self) -> impl Iterator<Item = usize> + '_ {
        std::iter::once(self.requirement).chain(self.also.iter().copied())
    }

    /// Whether a requirement is judged by it.
    pub fn serves(&self, requirement: usize) -> bool {
        self.requirements().any(|served| served == requirement)
    }
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
    let mut all: Vec<Trial> = Vec::new();
    let mut obstacles: Obstacles = Vec::new();
    let contexts = Contexts::new(entries, seed);
    // How many trials of an area were dealt a context, and from which on those of one table were: whatever a run selects,
    // each gets the same one.
    let mut dealt: BTreeMap<&str, usize> = BTreeMap::new();
    let mut dealt_from: BTreeMap<&str, usize> = BTreeMap::new();
    let mut leaders: Vec<usize> = Vec::new();
    let requirements = &judge.contract.requirements;
    for (i, requirement) in requirements.iter().enumerate() {
        let steps = requirement.form.steps();
        if steps.is_empty() {
            continue;
        }
        let first = judge.contract.first_with_trials_of(requirement);
        let varies = steps.iter().flat_map(|s| &s.sends).any(|s| s.base == Base::Varied);
        if !selected[i] && !varies {
            continue;
        }
        if let Some(identity) = missing_identity(judge, steps) {
            let why = format!("missing identity `{identity}`: add [identities.{identity}]");
            obstacles.extend(selected[i].then_some((i, why)));
            continue;
        }
        if let Some(path) = missing_fixture(judge, &requirement.form) {
            obstacles.extend(selected[i].then(|| (i, exchange::missing_fixture(&path))));
            continue;
        }
        // A requirement before it that was selected, and is judged by the same trials.
        let leader = leaders.iter().find(|l| requirements[**l].form.shares_trials(&requirement.form)).copied();
        if let Some(leader) = leader {
            if selected[i] {
                all.iter_mut().filter(|t| t.requirement == leader).for_each(|t| t.also.push(i));
                obstacles.extend(obstacles.iter().find(|(l, _)| *l == leader).map(|(_, why)| (i, why.clone())));
            }
            continue;
        }
        if selected[i] {
            leaders.push(i);
        }
        let each = requirement.form.rows();
        let bases: Vec<Option<usize>>;
        let rows = match each {
            Some(Rows::Contexts { most }) => {
                let next = dealt.entry(first.area()).or_default();
                let chosen = contexts.without(fixed(steps), *most, *next);
                *next += most.map_or(0, |_| 1);
                bases = chosen.iter().map(|c| Some(c.entry)).collect();
                let label = |c: &Context| TrialRow { label: c.label.clone(), value: Template::Literal(Json::Null) };
                Ok(chosen.iter().map(label).map(Some).collect())
            }
            _ => {
                let rows = rows(judge, each);
                let many = rows.as_ref().map_or(0, Vec::len);
                let from = *dealt_from.entry(&first.id).or_insert_with(|| {
                    let next = dealt.entry(first.area()).or_default();
                    let from = *next;
                    *next += if varies { many } else { 0 };
                    from
                });
                let base = |n| if many == 1 { contexts.dealt_by_seed(n) } else { contexts.dealt(n) };
                bases = (from..from + many).map(|n| varies.then(|| base(n))).collect();
                rows
            }
        };
        if !selected[i] {
            continue;
        }
        let rows = match rows {
            Ok(rows) => rows,
            Err(reason) => {
                obstacles.push((i, reason.to_string()));
                continue;
            }
        };
        let cost = steps.iter().flat_map(|s| &s.sends).map(|s| s.copies).sum();
        let waits = steps.iter().any(|s| s.after.is_some() || s.until.is_some());
        for (n, (row, varied)) in rows.into_iter().zip(bases).enumerate() {
            let name = TrialName::of_row(&first.id, n);
            let wants_base = steps.iter().flat_map(|s| &s.sends).any(|s| s.base == Base::Valid);
            all.push(Trial {
                requirement: i,
                also: Vec::new(),
                base: varied.or_else(|| wants_base.then(|| base(seed, &name, entries))),
                name,
                row,
                cost,
                waits,
                varies,
            });
        }
    }
    (all, obstacles)
}

/// What the steps that are made from a request in a context decide themselves.
fn fixed(steps: &[Step]) -> Fixed {
    let varied = || steps.iter().flat_map(|s| &s.sends).filter(|s| s.base == Base::Varied);
    Fixed {
        key: varied().all(|s| s.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(KEY_HEADER))),
        caller: varied().all(|s| s.identity.is_some()),
        body: varied().all(|s| s.raw.is_some()),
        path: varied().all(|s| !s.path.is_empty()),
    }
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

/// The first fixture that steps, or what must hold between them, read and the settings do not have.
fn missing_fixture(judge: Judge<'_>, form: &Form) -> Option<String> {
    let epoch = timestamp(chrono::DateTime::UNIX_EPOCH);
    let mut scope = judge.fixtures.bare_scope().extend().value("now", epoch).unknown("it", NOT_SENT);
    for step in form.steps() {
        scope = scope.unknown(&step.name, NOT_SENT);
    }
    let scope = scope.build();
    let sends = form.steps().iter().flat_map(|step| &step.sends);
    let written = |send: &'_ Send| {
        let headers = send.headers.iter().filter_map(|(_, value)| value.as_ref());
        let values = send.set.iter().map(|(_, value)| value).chain(send.path.iter().map(|(_, value)| value));
        values.chain(headers).chain(send.raw.iter().flatten()).find_map(|value| lacking(value, &scope))
    };
    let (given, expect) = match form {
        Form::Scenario(scenario) => (scenario.given.as_ref(), Some(&scenario.expect)),
        Form::Probe(probe) => (probe.given.as_ref(), None),
        _ => (None, None),
    };
    let read = || given.into_iter().chain(expect).find_map(|e| missing(e.truth(&scope)));
    sends.into_iter().find_map(written).or_else(read)
}

const NOT_SENT: &str = "nothing was sent yet";

/// The fixture that a value needs and the settings do not have.
fn lacking(template: &Template, scope: &Scope) -> Option<String> {
    match template {
        Template::Cel(expression) => missing(expression.json(scope)),
        Template::Instant { when: When::Cel(expression), .. } => missing(expression.instant(scope)),
        Template::List(items) => items.iter().find_map(|item| lacking(item, scope)),
        Template::Object(entries) => entries.iter().find_map(|(_, value)| lacking(value, scope)),
        _ => None,
    }
}

fn missing<T>(evaluated: Result<T, Trouble>) -> Option<String> {
    match evaluated {
        Err(Trouble::Fixture(path)) => Some(path),
        _ => None,
    }
}

/// Why a table of a requirement has no rows.
#[derive(Debug, thiserror::Error)]
enum NoRows {
    /// This expression is true of nothing that is provided.
    #[error("the fixtures yield no rows for it: `{0}`")]
    Empty(String),
    /// This expression is no list.
    #[error("`{0}` is no list")]
    NoList(String),
    /// This fixture is missing.
    #[error("missing fixture `{0}`: add it under [fixtures]")]
    Fixture(String),
    /// The expression has no value.
    #[error("{0}")]
    Trouble(Trouble),
}

fn rows(judge: Judge<'_>, each: Option<&Rows>) -> Result<Vec<Option<TrialRow>>, NoRows> {
    match each {
        None | Some(Rows::Contexts { .. }) => Ok(vec![None]),
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
                Ok(Json::Array(items)) if items.is_empty() => Err(NoRows::Empty(list.text().to_owned())),
                Ok(Json::Array(items)) => Ok(items
                    .into_iter()
                    .map(|item| Some(TrialRow { label: row_label(&item), value: Template::from(item) }))
                    .collect()),
                Ok(_) => Err(NoRows::NoList(list.text().to_owned())),
                Err(Trouble::Fixture(path)) => Err(NoRows::Fixture(path)),
                Err(trouble) => Err(NoRows::Trouble(trouble)),
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
            TrialName::is_cover(&e.name)
                && matches!(&e.draft.identity, Template::Literal(Json::String(c)) if c == CALLER)
        })
        .map(|(i, _)| i)
        .collect();
    valid.get(seed.pick(name, 0, valid.len())).copied().unwrap_or(super::MINIMAL)
}
