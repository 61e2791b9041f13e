//! Retries of requests that met trouble: one gateway error, one reset or one timeout is no verdict.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Run;
use super::event::Event;
use crate::exchange::{FailureKind, Trouble};
use crate::judge::bind::{Known, Seen};
use crate::plan::MINIMAL;
use crate::run::preflight::{Stop, what_came};

/// How many retries a run may make for each kind of trouble.
const MOST: u64 = 200;
/// How often after a server error: that fails anyway, and what a run may cost is for trying the rest.
const MOST_ERRORS: u64 = 60;
/// How often the same trouble must have been confirmed, without an exception, to be believed at once.
const STEADY: u32 = 8;
/// The delays before each check of a server that no longer accepts valid requests.
const PATIENCE: [u64; 6] = [0, 250, 500, 1000, 2000, 4000];

/// What follows trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follows {
    /// It is tried again.
    Again,
    /// The trouble came each time: it is what the server does.
    Confirmed,
    /// It cannot be tried again, and the trouble is not known to be what the server does.
    Unknown,
}

/// What was learnt about trouble so far.
#[derive(Debug, Default)]
pub(crate) struct Learnt {
    /// How often something was tried again, for each kind of trouble.
    again: BTreeMap<Trouble, u64>,
    /// How often each kind of trouble was confirmed, and how often trouble did not come again.
    steady: BTreeMap<Trouble, u32>,
    mended: u32,
}

/// How seldom a request must meet a gateway error each time by chance, for it to be judged by that.
const CHANCE: f64 = 1e-5;

/// How often a request must meet the same trouble to be judged by it, given the share of all attempts that met a
/// gateway error.
fn due(trouble: Trouble, share: f64) -> u32 {
    match trouble {
        Trouble::ServerError | Trouble::Silence => 2,
        Trouble::Gateway => (3..8).find(|times| share.powi(*times) <= CHANCE).unwrap_or(8).unsigned_abs(),
        Trouble::Broken => 4,
    }
}

impl Run<'_> {
    /// Whether a request that met this trouble each of these times is judged by it.
    pub(crate) fn is_confirmed(&self, trouble: Trouble, times: u32) -> bool {
        let mut state = self.lock();
        // Past trouble counts only where it is the server's own, or takes a whole time limit to see: that of a gateway
        // or a network does not predict the next.
        let is_own = matches!(trouble, Trouble::ServerError | Trouble::Silence);
        let steady = state.learnt.steady.get(&trouble).copied().unwrap_or(0);
        let is_known = is_own && steady >= STEADY && state.learnt.mended == 0;
        let is_confirmed = times >= due(trouble, state.attempts.gateway_share()) || is_known;
        if is_confirmed {
            *state.learnt.steady.entry(trouble).or_default() += 1;
        }
        is_confirmed
    }

    /// Notes that a request that met trouble did not meet it again.
    pub(crate) fn mended(&self, met: &Met) {
        if !met.is_empty() {
            self.lock().learnt.mended += 1;
        }
    }

    /// Whether a request that met trouble is tried again: there is room, and the server has worked since. A valid
    /// request checks that, unless the trouble was a server error.
    pub(crate) async fn may_try_again(&self, trouble: Trouble, since: DateTime<Utc>) -> bool {
        let most = if trouble == Trouble::ServerError { MOST_ERRORS } else { MOST };
        if self.is_over() {
            return false;
        }
        {
            let mut state = self.lock();
            let again = state.learnt.again.entry(trouble).or_default();
            if *again >= most {
                return false;
            }
            *again += 1;
        }
        match trouble {
            Trouble::ServerError => true,
            // Other requests go on meanwhile.
            Trouble::Silence => self.stands(since).await,
            Trouble::Gateway | Trouble::Broken => {
                let _closed = self.gate.write().await;
                self.stands(since).await
            }
        }
    }

    /// Whether the server accepted a valid request that was sent after this time. Ends the run if it no longer does.
    async fn stands(&self, since: DateTime<Utc>) -> bool {
        // One task checks on behalf of all.
        let _asking = self.asking.lock().await;
        let mut last = String::new();
        for delay in PATIENCE {
            if self.lock().stood.is_some_and(|stood| stood > since) {
                return true;
            }
            let delay = Duration::from_millis(delay);
            if !delay.is_zero() {
                self.tell(Event::Waiting("the server does not accept valid requests", delay));
            }
            self.sleep(delay).await;
            if !self.grant(1) {
                return false;
            }
            let entry = &self.plan.entries[MINIMAL];
            let Some(seen) = self.probe(entry, "control/standing").await else {
                self.give_back(1);
                return false;
            };
            self.add(self.judge.superseded(&seen));
            if seen.exchange.answer().is_err_and(|failure| failure.kind == FailureKind::Connect) {
                // No connection can be made: every other request will find that out by itself.
                return false;
            }
            match seen.accepted() {
                Known::Yes => return true,
                // A refusal shows that the server works: requests that are compared with this one take it into account.
                Known::No if seen.exchange.trouble().is_none() => return true,
                _ => last = what_came(&seen.exchange),
            }
            // A server that did not respond within the time limit is not asked six times.
            if seen.exchange.trouble() == Some(Trouble::Silence) && !delay.is_zero() {
                break;
            }
        }
        self.end(Stop::Unwell(last));
        false
    }

    /// What follows an exchange, if it met trouble; counts that trouble.
    pub(crate) async fn follows(&self, seen: &Seen, met: &mut Met) -> Option<Follows> {
        let Some(trouble) = seen.exchange.trouble() else {
            self.mended(met);
            return None;
        };
        count(met, [(seen.exchange.trial.clone(), trouble)]);
        if self.is_confirmed(trouble, times(met, &seen.exchange.trial, trouble)) {
            return Some(Follows::Confirmed);
        }
        match self.may_try_again(trouble, seen.exchange.sent()).await {
            true => Some(Follows::Again),
            false => Some(Follows::Unknown),
        }
    }
}

/// How often in a row requests met which trouble, by the requests' names.
pub(crate) type Met = BTreeMap<(String, Trouble), u32>;

/// Counts the trouble of this time; the count of what met none begins anew.
pub(crate) fn count(met: &mut Met, now: impl IntoIterator<Item = (String, Trouble)>) {
    let counted = now.into_iter().map(|place| {
        let before = met.get(&place).copied().unwrap_or(0);
        (place, before + 1)
    });
    *met = counted.collect();
}

/// How often in a row a request of this name met this trouble.
pub(crate) fn times(met: &Met, name: &str, trouble: Trouble) -> u32 {
    met.get(&(name.to_owned(), trouble)).copied().unwrap_or(0)
}
