//! The requests of the shared pool, the trials beside them, and the final check.

use futures_util::stream::{self, StreamExt};

use super::outcome::Health;
use super::{Run, control_of, label};
use crate::judge::bind::{Control, Known, Seen};
use crate::plan::{Entry, FULL, MINIMAL};
use crate::run::preflight::what_came;

impl Run<'_> {
    /// The pool's valid requests: many trials are compared with them, so they go first.
    pub(crate) async fn pool(&self) {
        let valid = self.plan.entries.iter().enumerate().filter(|(i, e)| *i > FULL && e.wanted && e.control.is_none());
        stream::iter(valid)
            .map(|(i, entry)| self.entry(Some(i), entry, None))
            .buffer_unordered(2 * self.client.settings().concurrency)
            .collect::<Vec<_>>()
            .await;
    }

    pub(crate) async fn rest(&self) {
        let faults = async {
            let faults = self.plan.entries.iter().enumerate().filter(|(_, e)| e.wanted && e.control.is_some());
            stream::iter(faults)
                .map(|(i, entry)| self.entry(Some(i), entry, None))
                .buffer_unordered(2 * self.client.settings().concurrency)
                .collect::<Vec<_>>()
                .await;
        };
        let pairs = async {
            stream::iter(0..self.plan.pairs)
                .map(|n| self.pair(n))
                .buffer_unordered(2 * self.client.settings().concurrency)
                .for_each(|()| async {})
                .await;
        };
        // Trials that wait do so beside each other: the pace limits what is under way.
        let trials = async {
            // Those that wait go first, so that the others fill the time.
            let (waiting, others): (Vec<_>, Vec<_>) = self.plan.trials.iter().partition(|t| t.waits);
            // Each remembers what came until it ends.
            let at_once = waiting.len() + 2 * self.client.settings().concurrency;
            stream::iter(waiting.into_iter().chain(others))
                .map(|trial| self.trial(trial))
                .buffer_unordered(at_once)
                .for_each(|()| async {})
                .await;
        };
        tokio::join!(trials, faults, pairs);
    }

    async fn pair(&self, number: usize) {
        if !self.grant(2) {
            self.lock().left_out += 2;
            return;
        }
        // Each takes its own below; here it only mattered that there is room for both.
        self.give_back(2);
        let (valid, fault) = self.plan.pair(self.judge, number);
        let Some(valid) = valid else { return };
        let control = self.entry(None, &valid, None).await;
        // Where the valid one was refused, a refusal of the other shows nothing.
        if let Some(fault) = fault.filter(|_| control == Some(Control::Accepted)) {
            self.entry(None, &fault, control).await;
        }
    }

    /// Sends a request of the pool and judges it; tells whether it was accepted.
    pub(crate) async fn entry(&self, place: Option<usize>, entry: &Entry, control: Option<Control>) -> Option<Control> {
        let control = match (control, entry.control) {
            (Some(control), _) => control,
            (None, Some(of)) => self.control(of),
            (None, None) => Control::Missing,
        };
        let mut seen = self.granted_entry(entry, control, false).await?;
        if seen.exchange.lost {
            // That says nothing of this request. It is another's turn, on a connection of its own.
            seen = self.granted_entry(entry, control, true).await?;
        }
        let outcome = control_of(&seen);
        if let Some(place) = place {
            self.lock().controls.insert(place, outcome);
        }
        let mut findings = self.judge.exchange(&seen);
        for finding in &mut findings {
            label(finding, &entry.label);
        }
        self.add(findings);
        Some(outcome)
    }

    /// Sends a request of the pool, if there is room for it.
    async fn granted_entry(&self, entry: &Entry, control: Control, alone: bool) -> Option<Seen> {
        if self.grant(1) {
            if let Some(seen) = self.send_entry(entry, &entry.name, control, alone).await {
                return Some(seen);
            }
            self.give_back(1);
        }
        self.lock().left_out += 1;
        if let Some(about) = entry.about {
            self.leave_out(about);
        }
        None
    }

    /// What came of a pool's request that others are compared with.
    pub(crate) fn control(&self, place: usize) -> Control {
        self.lock().controls.get(&place).copied().unwrap_or(Control::Missing)
    }

    pub(crate) async fn final_check(&self) -> Health {
        if !self.grant(1) {
            return Health::NotAsked;
        }
        let entry = &self.plan.entries[MINIMAL];
        let Some(seen) = self.send_entry(entry, "pool/last", Control::Missing, true).await else {
            return Health::NotAsked;
        };
        self.add(self.judge.exchange(&seen));
        match seen.accepted() {
            Known::Yes => Health::Yes,
            _ => Health::No(what_came(&seen.exchange)),
        }
    }
}
