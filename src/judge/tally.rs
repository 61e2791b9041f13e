//! Findings added up to verdicts. The order in which they come does not matter.

use std::collections::BTreeMap;
use std::collections::hash_map::{Entry, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::finding::{APPLIES_TO_NONE, Counterexample, Finding, Found, Side, cut};
use super::fingerprint::Fingerprint;
use super::numbers::Numbers;
use crate::contract::requirement::{Always, Form};
use crate::exchange::Exchange;
use crate::exchange::digest::Digest;

/// The verdict on one requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It held wherever it was tried.
    Pass,
    /// It could not be tried on this target, because the target may refuse it or a fixture is missing.
    Skipped,
    /// Nothing tried it.
    Untested,
    /// It was tried, but the result is not known.
    Inconclusive,
    /// It was broken.
    Fail,
}

impl Verdict {
    /// The verdict's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Skipped => "skipped",
            Self::Untested => "untested",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
        }
    }

    /// All verdicts, the best first.
    pub const ALL: [Self; 5] = [Self::Pass, Self::Skipped, Self::Untested, Self::Inconclusive, Self::Fail];
}

/// How many counterexamples of one requirement are kept: the first ones by name of trial.
const KEPT: usize = 5;
/// How many different observations of one probe are kept.
const OBSERVED: usize = 50;
/// How many exchanges of one requirement's evidence are remembered: the first ones.
const REMEMBERED: usize = 10_000;
/// Of how many counterexamples of one requirement the fingerprints are remembered.
const FINGERPRINTS: usize = 1000;

/// The length in bytes from which a value is remembered by its hash.
const LONG: usize = 2000;

/// The words that report a value that came twice, and its trials.
const IN_TWO: &str = " in two responses: ";
const AND: &str = " and ";

/// The two trials whose responses have the same value although it must be unique, from the reported words.
pub fn in_two(actual: &str) -> Option<(&str, &str)> {
    actual.rsplit_once(IN_TWO)?.1.split_once(AND)
}

/// A value, or the beginning and hash of a long one.
fn brief(value: String) -> String {
    if value.len() <= LONG {
        return value;
    }
    let digest = Sha256::digest(value.as_bytes());
    format!("{} with SHA-256 {}", cut(&value, 80), digest.iter().map(|b| format!("{b:02x}")).collect::<String>())
}

/// What is known of one requirement so far.
#[derive(Debug, Default)]
pub struct Tally {
    /// How often it held.
    pub holds: u64,
    /// How often it was broken.
    pub broken: u64,
    /// How often it could not be decided.
    pub unknown: u64,
    /// How often it could not be tried.
    pub skipped: u64,
    /// Trials that were planned for it and not carried out.
    pub left_out: u64,
    /// The smallest number of an exchange that showed it broken.
    pub first_broken: Option<u64>,
    /// The first counterexamples, by name of trial.
    pub counterexamples: BTreeMap<String, Arc<Counterexample>>,
    /// The smallest counterexample that was found by looking for it: trial and counterexample.
    pub smallest: Option<(String, Arc<Counterexample>)>,
    /// The result of sending the failing requests again.
    pub again: Option<Again>,
    /// The highest number of requests that one of its trials had in progress at once.
    pub at_once: usize,
    /// The numbers of the exchanges that it was judged on one by one: the lowest of them.
    pub evidence: Numbers,
    /// Valid requests with a value that it speaks of.
    pub accepted: Sent,
    /// Requests that break it alone.
    pub rejected: Sent,
    fingerprints: Vec<Fingerprint>,
    /// Why it could not be decided: the first reason by name of trial.
    pub doubt: Option<(String, String, Vec<Arc<Exchange>>)>,
    /// Why it could not be tried: the first reason in alphabetical order, one that can be remedied before others.
    pub obstacle: Option<String>,
    /// A gateway error that may be fair: the first by name of trial.
    pub gateway: Option<(String, Arc<Exchange>)>,
    /// What a probe saw, and how often.
    pub observed: BTreeMap<String, u64>,
    /// Values that must not come twice, by digest: the trial that brought one first, and the lowest number of its
    /// exchanges.
    values: HashMap<Digest, (Box<str>, u64)>,
}

/// Requests on one side of what a requirement says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// How many were sent.
    pub sent: u64,
    /// For how many the server did what is expected.
    pub as_due: u64,
}

/// The result of sending failing requests again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Again {
    /// How often they were sent again with a conclusive result.
    pub sent: u64,
    /// How often they failed again.
    pub broken: u64,
}

impl Tally {
    /// The fingerprints of its counterexamples.
    pub(super) fn fingerprints(&self) -> &[Fingerprint] {
        &self.fingerprints
    }

    /// Adds a finding.
    pub fn add(&mut self, finding: Finding) {
        let Finding { trial, exchange, found, .. } = finding;
        if !matches!(found, Found::Sent(..)) {
            exchange.into_iter().for_each(|number| self.evidence.insert(number));
            if self.evidence.len() > REMEMBERED {
                self.evidence.pop_last();
            }
        }
        match found {
            Found::Sent(side, as_due) => {
                let sent = match side {
                    Side::Accepted => &mut self.accepted,
                    Side::Rejected => &mut self.rejected,
                };
                sent.sent += 1;
                sent.as_due += u64::from(as_due);
            }
            Found::Holds => self.holds += 1,
            Found::Broken(counterexample) => {
                let number = counterexample.exchanges.iter().map(|e| e.number).max();
                self.add_counterexample(trial, counterexample, number);
            }
            Found::Unknown(reason, exchanges) => {
                self.unknown += 1;
                if self.doubt.as_ref().is_none_or(|(first, _, _)| trial < *first) {
                    self.doubt = Some((trial, reason, exchanges));
                }
            }
            Found::Skipped(reason) => {
                self.skipped += 1;
                // What can be provided is worth more than that nothing came to be looked at.
                let rank = |reason: &str| (reason == APPLIES_TO_NONE, reason.to_owned());
                if self.obstacle.as_ref().is_none_or(|first| rank(&reason) < rank(first)) {
                    self.obstacle = Some(reason);
                }
            }
            Found::Gateway(exchange) => {
                if self.gateway.as_ref().is_none_or(|(first, _)| trial < *first) {
                    self.gateway = Some((trial, exchange));
                }
            }
            Found::Unique(value, exchange) => self.add_value(trial, brief(value), exchange),
            Found::Observed(value) => {
                self.holds += 1;
                self.add_observation(&value);
            }
        }
    }

    /// Takes what was broken for unknown, if nothing but refusals since the exchange of this number show it.
    pub fn doubt_refusals(&mut self, since: u64) {
        let is_refusal = |exchange: &Arc<Exchange>| exchange.status().is_some_and(|s| (300..500).contains(&s));
        let are_refusals = self.counterexamples.values().all(|c| c.exchanges.last().is_some_and(is_refusal));
        if self.first_broken.is_none_or(|first| first <= since) || !are_refusals {
            return;
        }
        self.unknown += std::mem::take(&mut self.broken);
        self.first_broken = None;
        self.fingerprints.clear();
        let first = std::mem::take(&mut self.counterexamples).into_iter().next();
        self.doubt = first.map(|(trial, counterexample)| {
            let reason = "from then on the server refused every valid request".to_owned();
            (trial, reason, counterexample.exchanges.clone())
        });
    }

    /// Adds a counterexample that was known with the exchange of this number.
    fn add_counterexample(&mut self, trial: String, counterexample: Arc<Counterexample>, number: Option<u64>) {
        self.broken += 1;
        if self.fingerprints.len() < FINGERPRINTS {
            self.fingerprints.push(Fingerprint::of(&counterexample));
        }
        self.first_broken = self.first_broken.into_iter().chain(number).min();
        self.counterexamples.insert(trial, counterexample);
        while self.counterexamples.len() > KEPT {
            self.counterexamples.pop_last();
        }
    }

    fn add_value(&mut self, trial: String, value: String, exchange: Arc<Exchange>) {
        match self.values.entry(Digest::of(&value)) {
            Entry::Vacant(entry) => {
                // The exchange is not kept: a run may have very many.
                entry.insert((trial.into(), exchange.number));
                self.holds += 1;
            }
            Entry::Occupied(mut entry) => {
                let (_, lowest) = entry.get_mut();
                let number = exchange.number.max(*lowest);
                *lowest = exchange.number.min(*lowest);
                let mut trials = [&*entry.get().0, trial.as_str()];
                trials.sort_unstable();
                let counterexample = Counterexample {
                    label: String::new(),
                    expected: "a value that occurs only once".to_owned(),
                    actual: format!("{value}{IN_TWO}{}", trials.join(AND)),
                    clause: None,
                    differences: Vec::new(),
                    operands: Vec::new(),
                    wrong: None,
                    exchanges: vec![exchange],
                };
                self.add_counterexample(trial, Arc::new(counterexample), Some(number));
            }
        }
    }

    fn add_observation(&mut self, value: &Json) {
        let text = value.to_string();
        // A long value is cut as text, so that it stays readable and takes no more room than others.
        let text = if text.len() > LONG { Json::from(cut(&text, LONG)).to_string() } else { text };
        if self.observed.len() < OBSERVED || self.observed.contains_key(&text) {
            *self.observed.entry(text).or_default() += 1;
        }
    }

    /// The verdict for a requirement of this form.
    pub fn verdict(&self, form: &Form) -> Verdict {
        if self.broken > 0 {
            return Verdict::Fail;
        }
        if self.left_out > 0 {
            return Verdict::Untested;
        }
        // A scenario's trials each try something else; a rule's exchanges all try the same.
        let doubt_first = matches!(form, Form::Scenario(_) | Form::Schema(_) | Form::Parameter(..));
        if doubt_first && self.unknown > 0 {
            return Verdict::Inconclusive;
        }
        if self.holds > 0 {
            return Verdict::Pass;
        }
        if self.unknown > 0 {
            return Verdict::Inconclusive;
        }
        // A documented response that no request caused is no gap.
        let unprovoked = form.always().and_then(Always::response).is_some_and(|of| of.optional);
        // What no step called is not asked of anybody; that a scenario was not tried is told of that.
        let uncalled = matches!(form, Form::Called(..));
        if self.skipped > 0 || unprovoked || uncalled {
            return Verdict::Skipped;
        }
        Verdict::Untested
    }
}
