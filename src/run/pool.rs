//! The requests of the shared pool, the trials beside them, and the final check.

use std::time::Duration;

use futures_util::stream::{self, FuturesUnordered, StreamExt};

use super::outcome::Health;
use super::{Run, control_of, label};
use crate::exchange::TrialName;
use crate::judge::bind::{Control, Known, Seen};
use crate::plan::{Entry, FULL, MINIMAL};
use crate::run::preflight::{Stop, what_came};
use crate::run::settle::{Follows, Met};

/// How many trials or requests of the pool are begun at least before one has ended; places limit those in progress.
const AT_ONCE: usize = 256;
/// The delays in milliseconds before each check at the end of whether the server still works.
const ONCE_MORE: [u64; 4] = [0, 250, 1000, 2000];

impl Run<'_> {
    /// The pool's valid requests: many trials are compared with them, so they go first. The returned future
    /// waits for those that are suspected of getting no response: that can happen alongside other requests.
    pub(crate) async fn pool(&self) -> impl Future<Output = ()> {
        let valid = self.plan.entries.iter().enumerate().filter(|(i, e)| *i > FULL && e.wanted && e.control.is_none());
        // Places limit how many of them are in progress.
        let mut all: FuturesUnordered<_> = valid.map(|(i, entry)| self.entry(Some(i), entry, None)).collect();
        loop {
            let suspected = self.suspected.notified();
            if all.len() <= self.lock().suspects {
                break;
            }
            tokio::select! {
                _ = all.next() => {}
                () = suspected => {}
            }
        }
        async move { while all.next().await.is_some() {} }
    }

    pub(crate) async fn rest(&self) {
        let faults = async {
            let faults = self.plan.entries.iter().enumerate().filter(|(_, e)| e.wanted && e.control.is_some());
            // If the valid request of a context is not accepted, a refusal in that context shows nothing.
            let is_of_use = |entry: &Entry| entry.control.is_none_or(|of| self.control(of) == Control::Accepted);
            let entry = |entry: &Entry| match entry.in_plainest() {
                Some(plain) if !is_of_use(entry) => plain,
                _ => entry.clone(),
            };
            stream::iter(faults)
                .map(|(i, chosen)| {
                    let chosen = entry(chosen);
                    async move { self.entry(Some(i), &chosen, None).await }
                })
                .buffer_unordered(AT_ONCE.max(2 * self.client.settings().concurrency))
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
        // Trials that wait do so concurrently: the pace limits what is sent.
        let trials = async {
            // Trials that wait go first, so that the others fill the time.
            let (waiting, others): (Vec<_>, Vec<_>) = self.plan.trials.iter().partition(|t| t.waits);
            // The number of trials in memory is limited, since each keeps its exchanges until it ends; but a trial that
            // gets no response must not hold up the others.
            let at_once = waiting.len() + AT_ONCE.max(2 * self.client.settings().concurrency);
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
        // Each request reserves its own room below; this only checked that there is room for both.
        self.give_back(2);
        let (valid, fault) = self.plan.pair(self.judge, number);
        let Some(valid) = valid else { return };
        let control = self.entry(None, &valid, None).await;
        // If the valid request was refused, a refusal of the other shows nothing.
        if let Some(fault) = fault.filter(|_| control == Some(Control::Accepted)) {
            self.entry(None, &fault, control).await;
        }
    }

    /// Sends a request of the pool and judges it; returns whether it was accepted.
    pub(crate) async fn entry(&self, place: Option<usize>, entry: &Entry, control: Option<Control>) -> Option<Control> {
        let control = match (control, entry.control) {
            (Some(control), _) => control,
            (None, Some(of)) => self.control(of),
            (None, None) => Control::Missing,
        };
        let seen = self.granted_entry(entry, control, false).await?;
        let seen = self.settled(entry, control, seen).await;
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

    /// What came of a request of the pool in the end: it is sent again where it met trouble.
    pub(crate) async fn settled(&self, entry: &Entry, control: Control, mut seen: Seen) -> Seen {
        let mut met = Met::new();
        loop {
            match self.follows(&seen, &mut met).await {
                None | Some(Follows::Unknown) => return seen,
                Some(Follows::Confirmed) => return self.judge.confirmed(seen),
                // Another takes its place, on a connection of its own.
                Some(Follows::Again) => match self.again_entry(entry, control).await {
                    Some(next) => {
                        self.add(self.judge.superseded(&seen));
                        seen = next;
                    }
                    None => return seen,
                },
            }
        }
    }

    /// Sends a request of the pool again, if there is room for it.
    async fn again_entry(&self, entry: &Entry, control: Control) -> Option<Seen> {
        if !self.grant(1) {
            return None;
        }
        let seen = self.send_entry(entry, &entry.name, control, true).await;
        if seen.is_none() {
            self.give_back(1);
        }
        seen
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

    /// The result of a request of the pool that others are compared with.
    pub(crate) fn control(&self, place: usize) -> Control {
        self.lock().controls.get(&place).copied().unwrap_or(Control::Missing)
    }

    pub(crate) async fn final_check(&self) -> Health {
        if let Some(Stop::Unwell(what)) = &self.lock().stop {
            return Health::No(what.clone());
        }
        let entry = &self.plan.entries[MINIMAL];
        let mut seen: Option<Seen> = None;
        for delay in ONCE_MORE {
            self.sleep(Duration::from_millis(delay)).await;
            if !self.grant(1) {
                break;
            }
            let Some(next) = self.send_entry(entry, &TrialName::of_pool("last"), Control::Missing, true).await else {
                break;
            };
            if let Some(before) = seen.replace(next) {
                self.add(self.judge.superseded(&before));
            }
            if seen.as_ref().is_none_or(|seen| seen.exchange.trouble().is_none()) {
                break;
            }
        }
        let Some(seen) = seen else { return Health::NotAsked };
        self.add(self.judge.exchange(&seen));
        match seen.accepted() {
            Known::Yes => Health::Yes,
            // It may be what a first request used up.
            Known::No if self.judge.contract.document_only && seen.exchange.trouble().is_none() => Health::Yes,
            _ => {
                if seen.exchange.status().is_some_and(|status| (300..500).contains(&status)) {
                    self.doubt_refusals();
                }
                Health::No(what_came(&seen.exchange))
            }
        }
    }

    /// Where the server refuses at the end whatever is valid, as behind a gateway that lets nobody through any more, its
    /// refusals since it last accepted anything tell nothing of what they refused.
    fn doubt_refusals(&self) {
        let mut state = self.lock();
        // What was never accepted is the server's own doing.
        if state.controls.get(&MINIMAL) != Some(&Control::Accepted) {
            return;
        }
        // Requests that were under way at the time may have been answered in any order.
        let since = state.last_accepted.saturating_sub(state.most_at_once as u64);
        state.tallies.iter_mut().for_each(|tally| tally.doubt_refusals(since));
    }
}
