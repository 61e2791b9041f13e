//! What holds between the steps of a trial.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::Judge;
use super::bind::{Known, Seen};
use super::classify::Class;
use super::exchange::{explained, missing_fixture};
use super::finding::Found;
use crate::contract::requirement::{Form, Probe, Scenario};
use crate::exchange::Exchange;
use crate::expression::{Operand, Scope, ScopeBuilder, Trouble, timestamp};

/// The result of a step.
#[derive(Clone, Debug)]
pub struct StepSeen {
    /// The step's name.
    pub name: String,
    /// Whether the name stands for a list.
    pub many: bool,
    /// Its exchanges, in the order of the step.
    pub seen: Vec<Seen>,
}

/// What expressions see between steps.
pub fn scope(judge: Judge<'_>, steps: &[StepSeen], row: Option<&Json>, now: DateTime<Utc>) -> Scope {
    names(judge, steps, row, now).build()
}

fn names(judge: Judge<'_>, steps: &[StepSeen], row: Option<&Json>, now: DateTime<Utc>) -> ScopeBuilder {
    let mut scope = judge.fixtures.bare_scope().extend().value("now", timestamp(now));
    if let Some(row) = row {
        scope = scope.json("it", row);
    }
    for step in steps {
        let scopes: Vec<Scope> = step.seen.iter().map(|s| s.scope.clone()).collect();
        scope = match (&scopes[..], step.many) {
            ([one], false) => scope.scope(&step.name, one),
            _ => scope.scopes(&step.name, &scopes),
        };
    }
    scope
}

impl Judge<'_> {
    /// What a trial of a scenario says.
    pub fn scenario(self, scenario: &Scenario, steps: &[StepSeen], scope: &Scope, label: &str) -> Found {
        let exchanges = || all(steps);
        if let Some(given) = &scenario.given {
            match given.truth(scope) {
                Ok(true) => {}
                Err(Trouble::Unknown(reason)) => return Found::Unknown(reason, exchanges()),
                Err(Trouble::Fixture(path)) => return Found::Skipped(missing_fixture(&path)),
                Ok(false) | Err(Trouble::Error(_) | Trouble::Value(_)) => return self.without_ground(steps),
            }
        }
        match scenario.expect.truth(scope) {
            Ok(true) => Found::Holds,
            Err(Trouble::Unknown(reason)) => Found::Unknown(reason, exchanges()),
            Err(Trouble::Fixture(path)) => Found::Skipped(missing_fixture(&path)),
            Ok(false) | Err(Trouble::Error(_) | Trouble::Value(_)) => {
                explained(&scenario.expect, scope, |read| told(steps, read), label.to_owned())
            }
        }
    }

    /// What a trial says that ended before its last step because of some trouble: nothing, if what came before already
    /// shows that its precondition does not hold; that it failed, if what came before shows that.
    pub fn cut_short(
        self,
        form: &Form,
        steps: &[StepSeen],
        row: Option<&Json>,
        now: DateTime<Utc>,
        trouble: &Trouble,
    ) -> Found {
        if let Trouble::Fixture(path) = trouble {
            return Found::Skipped(missing_fixture(path));
        }
        let missing = form.steps().iter().filter(|step| !steps.iter().any(|done| done.name == step.name));
        let reason = trouble.to_string();
        let scope =
            missing.fold(names(self, steps, row, now), |scope, step| scope.unknown(&step.name, &reason)).build();
        match (form.given().map(|given| given.truth(&scope)), form) {
            (Some(Ok(false)), _) => self.without_ground(steps),
            // What is known already may be enough to fail it.
            (None | Some(Ok(true)), Form::Scenario(scenario)) if scenario.expect.truth(&scope) == Ok(false) => {
                explained(&scenario.expect, &scope, |read| told(steps, read), String::new())
            }
            _ => Found::Unknown(reason, all(steps)),
        }
    }

    /// What a probe saw.
    pub fn probe(self, probe: &Probe, steps: &[StepSeen], scope: &Scope, label: &str) -> Found {
        if let Some(given) = &probe.given {
            match given.truth(scope) {
                Ok(true) => {}
                Err(Trouble::Unknown(reason)) => return Found::Unknown(reason, all(steps)),
                Err(Trouble::Fixture(path)) => return Found::Skipped(missing_fixture(&path)),
                Ok(false) | Err(Trouble::Error(_) | Trouble::Value(_)) => return self.without_ground(steps),
            }
        }
        match probe.observe.json(scope) {
            Ok(value) if label.is_empty() => Found::Observed(value),
            Ok(value) => {
                let mut row = serde_json::Map::new();
                row.insert(label.to_owned(), value);
                Found::Observed(row.into())
            }
            Err(Trouble::Fixture(path)) => Found::Skipped(missing_fixture(&path)),
            Err(trouble) => Found::Unknown(trouble.to_string(), all(steps)),
        }
    }

    /// The verdict on a trial whose precondition does not hold, by whether the server was free to refuse the set-up.
    fn without_ground(self, steps: &[StepSeen]) -> Found {
        let refused: Vec<&Seen> = steps.iter().flat_map(|s| &s.seen).filter(|s| s.accepted() == Known::No).collect();
        let failed = refused.iter().find(|s| s.exchange.status().is_some_and(|status| status >= 500));
        if let Some((failed, status)) = failed.and_then(|s| Some((s, s.exchange.status()?))) {
            return Found::Unknown(
                format!("the server answered {status} to the set-up"),
                vec![Arc::clone(&failed.exchange)],
            );
        }
        let Some(first) = refused.first() else {
            return Found::Skipped("its precondition does not hold here".to_owned());
        };
        // A step that calls another operation says itself what its request has.
        let own = refused.iter().filter(|s| s.exchange.request.operation.is_none());
        let open = own.into_iter().find_map(|s| match &s.class {
            Class::Open(reason) | Class::Doubtful(reason) => Some(reason),
            _ => None,
        });
        match open {
            Some(reason) => {
                Found::Skipped(format!("the server refused the set-up, which the contract leaves to it ({reason})"))
            }
            None => Found::Unknown("the server refused the set-up".to_owned(), vec![Arc::clone(&first.exchange)]),
        }
    }
}

/// All exchanges, and the place of the one that an expression read; one of a list, such as `burst[3]`, is put last.
fn told(steps: &[StepSeen], read: &[Operand]) -> (Vec<Arc<Exchange>>, usize) {
    let mut exchanges = all(steps);
    let last = exchanges.len().saturating_sub(1);
    let places = || read.iter().filter_map(|operand| place(steps, &operand.path));
    match places().find(|(_, listed)| *listed).or_else(|| places().next()) {
        Some((place, true)) if place <= last => {
            let failed = exchanges.remove(place);
            exchanges.push(failed);
            (exchanges, last)
        }
        Some((place, _)) => (exchanges, place.min(last)),
        None => (exchanges, last),
    }
}

/// The place, among all exchanges, of the one that a path begins with, and whether it is one of a list: `first.response`,
/// `burst[3].accepted`.
fn place(steps: &[StepSeen], path: &str) -> Option<(usize, bool)> {
    let name = path.split(['.', '[']).next()?;
    let step = steps.iter().position(|s| s.name == name)?;
    let (within, listed): (usize, bool) = match path[name.len()..].strip_prefix('[') {
        Some(rest) => (rest.split_once(']')?.0.parse().ok()?, true),
        None if steps[step].many => return None,
        None => (0, false),
    };
    Some((steps[..step].iter().map(|s| s.seen.len()).sum::<usize>() + within, listed))
}

fn all(steps: &[StepSeen]) -> Vec<Arc<Exchange>> {
    steps.iter().flat_map(|s| &s.seen).map(|s| Arc::clone(&s.exchange)).collect()
}
