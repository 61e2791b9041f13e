//! Random pairs: a valid request, and the same with one fault.

use std::sync::Arc;

use proptest::strategy::BoxedStrategy;

use super::draw::{draws, is_sound};
use super::parts::Parts;
use super::{Entry, PATIENCE, Planner, Shape};
use crate::contract::CALLER;
use crate::exchange::TrialName;
use crate::generate::draft::Choice;
use crate::generate::draw::Draw;
use crate::generate::fault::{self, Change};
use crate::generate::seed::Seed;
use crate::judge::Judge;
use crate::judge::classify::Class;

impl Planner<'_> {
    /// What random pairs are made from, made once.
    pub(in crate::plan) fn random(&self) -> Random {
        let shape = Shape { presence: self.parts.presence(None), choice: Choice::default() };
        let schema = self.judge.contract.operation.body().map(|b| b.schema.json());
        Random {
            seed: self.seed,
            now: self.now,
            strategies: (0..self.parts.forms.len().max(1))
                .map(|form| draws(self.judge, &self.parts, &of_form(&shape, form)))
                .collect(),
            parts: Arc::clone(&self.parts),
            shape,
            callers: self.judge.fixtures.callers(self.judge.contract),
            changes: schema.map(fault::faults).unwrap_or_default(),
        }
    }
}

/// What random pairs are made from.
#[derive(Debug)]
pub(in crate::plan) struct Random {
    seed: Seed,
    now: chrono::DateTime<chrono::Utc>,
    /// One for each form of the body.
    strategies: Vec<BoxedStrategy<Draw>>,
    parts: Arc<Parts>,
    shape: Shape,
    callers: Vec<String>,
    changes: Vec<Change>,
}

impl Random {
    pub(in crate::plan) fn pair(
        &self,
        judge: Judge<'_>,
        selected: &[bool],
        number: usize,
    ) -> (Option<Entry>, Option<Entry>) {
        let parts = Arc::clone(&self.parts);
        let planner = Planner { judge, seed: self.seed, now: self.now, selected, parts, most: usize::MAX };
        let id = TrialName::of_random(number);
        let n = u64::try_from(number).unwrap_or_default();
        let mut shape = self.shape.clone();
        let caller = self.callers.get(self.seed.pick("pool/caller", n, self.callers.len()));
        shape.choice = Choice {
            path: None,
            caller: Some(caller.cloned().unwrap_or_else(|| CALLER.to_owned())),
            key: planner.has_key() && self.seed.pick("pool/key", n, 2) == 1,
            form: self.seed.pick("pool/form", n, self.strategies.len()),
        };
        let strategy = &self.strategies[shape.choice.form];
        let valid =
            planner.draw_with(strategy, PATIENCE, &id, "a random valid request", &shape, |_, class| is_sound(class));
        let fault = valid.as_ref().and_then(|valid| self.fault(&planner, valid, n));
        (valid, fault)
    }

    fn fault(&self, planner: &Planner<'_>, valid: &Entry, n: u64) -> Option<Entry> {
        (0..20).find_map(|attempt| {
            let at = self.seed.pick("pool/fault", n * 100 + attempt, self.changes.len());
            let change = self.changes.get(at)?;
            let about = planner.requirement_about(&change.about);
            let name = TrialName::of_fault(&valid.name);
            let mut entry = planner.changed(name, change, valid, None, |class| matches!(class, Class::Broken(_)))?;
            entry.about = about;
            Some(entry)
        })
    }
}

/// The same shape with a body of another form.
fn of_form(shape: &Shape, form: usize) -> Shape {
    let mut other = shape.clone();
    other.choice.form = form;
    other
}
