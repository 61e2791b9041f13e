//! Carrying a plan out: first contact, the pool, the trials, and a last look.
//!
//! - [`contact`]: whether there is a target that takes valid requests at all
//! - [`ledger`]: what was created
//! - [`send`]: one request and its place in the run
//! - [`trial`]: the steps of a scenario
//! - [`unanswered`]: what got no answer, sent again
//! - [`shrink`]: the smallest request that still fails
//! - [`event`]: what is told while it goes on

pub mod contact;
pub mod event;
pub mod ledger;
mod send;
mod shrink;
mod trial;
mod unanswered;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{self, StreamExt};
use hdrhistogram::Histogram;
use tokio::sync::Notify;

use crate::generate::render::Issued;
use crate::generate::seed::{Mark, Seed};
use crate::judge::Judge;
use crate::judge::bind::{Control, Known, Seen};
use crate::judge::finding::Finding;
use crate::judge::tally::Tally;
use crate::plan::{Entry, FULL, Limit, MINIMAL, Plan};
use crate::target::client::Client;
use crate::target::settings::Budget;
use contact::Stop;
use event::{Event, Sink};
use ledger::Ledger;

/// How many of the slowest requirements are told.
const SLOWEST: usize = 5;

/// How a run is carried out.
#[derive(Clone, Debug)]
pub struct Options {
    /// The run's seed.
    pub seed: Seed,
    /// The run's mark.
    pub mark: Mark,
    /// After how many failed requirements no more is sent.
    pub max_failures: Option<usize>,
    /// Whether the smallest requests that still fail are looked for.
    pub shrink: bool,
}

/// What a run brought.
#[derive(Debug)]
pub struct Outcome {
    /// What is known of each requirement, by its place in the contract.
    pub tallies: Vec<Tally>,
    /// Requests of the shared pool that were planned and not sent.
    pub left_out: u64,
    /// Why it did not come to its end, if so.
    pub stop: Option<Stop>,
    /// What happened to the server in the end.
    pub standing: Standing,
    /// Figures.
    pub figures: Figures,
}

/// Whether the server still answered a valid request at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It did.
    Yes,
    /// It did not; what came instead.
    No(String),
    /// It was not asked.
    NotAsked,
}

/// Figures of a run.
#[derive(Debug)]
pub struct Figures {
    /// When it began, by our clock.
    pub started: DateTime<Utc>,
    /// How long it took.
    pub elapsed: Duration,
    /// How many requests were sent, repetitions included.
    pub requests: u64,
    /// How many of them were repetitions.
    pub retries: u64,
    /// How many requests were accepted.
    pub accepted: u64,
    /// How many records were created, as far as the answers tell.
    pub created: u64,
    /// How many requests went unanswered that may have created one.
    pub uncertain: u64,
    /// How long all waited because the server asked for it.
    pub waited: Duration,
    /// How long answers took, in microseconds.
    pub latencies: Histogram<u64>,
    /// The requirements whose requests took longest, with the longest: the slowest first.
    pub slowest: Vec<(String, Duration)>,
    /// The most requests that were under way at once.
    pub most_at_once: usize,
    /// The server's clock minus ours, from and to, if it told.
    pub clock: Option<(TimeDelta, TimeDelta)>,
}

/// A run under way.
pub(crate) struct Run<'a> {
    judge: Judge<'a>,
    plan: &'a Plan,
    client: &'a Client,
    options: &'a Options,
    state: Mutex<State>,
    sink: Mutex<&'a mut dyn Sink>,
    issued: Issued,
    number: AtomicU64,
    /// Told when a request was answered.
    answered: Notify,
    /// Held while a token is tried.
    trying: tokio::sync::Mutex<()>,
}

struct State {
    tallies: Vec<Tally>,
    controls: HashMap<usize, Control>,
    keys: HashMap<String, u32>,
    latencies: Histogram<u64>,
    slowest: BTreeMap<String, Duration>,
    accepted: u64,
    under_way: usize,
    most_at_once: usize,
    /// Places for requests that were given and are not answered.
    placed: u64,
    ledger: Ledger,
    /// Why nothing more is sent.
    stop: Option<Stop>,
    left_out: u64,
    granted: u64,
    tokens_tried: u32,
}

/// Carries a plan out. Cancelling [`Client::stop`] ends it early, with what is known.
pub async fn run(judge: Judge<'_>, plan: &Plan, client: &Client, options: &Options, sink: &mut dyn Sink) -> Outcome {
    client.pace().begin();
    let started = client.clock().local();
    let timer = tokio::time::Instant::now();
    sink.event(Event::Planned { requests: plan.requests() as u64 });
    let run = Run {
        judge,
        plan,
        client,
        options,
        state: Mutex::new(State {
            tallies: judge.contract.requirements.iter().map(|_| Tally::default()).collect(),
            controls: HashMap::new(),
            keys: HashMap::new(),
            latencies: Histogram::new(3).expect("three digits are allowed"),
            slowest: BTreeMap::new(),
            accepted: 0,
            under_way: 0,
            most_at_once: 0,
            placed: 0,
            ledger: Ledger::default(),
            stop: None,
            left_out: 0,
            granted: 0,
            tokens_tried: 0,
        }),
        sink: Mutex::new(sink),
        issued: Issued::default(),
        number: AtomicU64::new(0),
        answered: Notify::new(),
        trying: tokio::sync::Mutex::default(),
    };
    let mut standing = Standing::NotAsked;
    match run.first_contact().await {
        Some(stop) => {
            run.lock().stop = Some(stop);
            run.leave_all_out();
        }
        None => {
            run.leave_out_planned();
            run.pool().await;
            run.rest().await;
            run.obstacles();
            standing = run.last_look().await;
            if standing == Standing::Yes {
                run.unanswered().await;
            }
            if options.shrink {
                run.shrink().await;
            }
        }
    }
    let is_late = client.pace().is_late();
    let state = run.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    let left_out = state.left_out + state.tallies.iter().map(|t| t.left_out).sum::<u64>();
    let stop = match state.stop {
        None if client.stop().is_cancelled() => Some(Stop::Interrupted),
        None if left_out > 0 && is_late => Some(Stop::Limit(Limit::Duration)),
        None if left_out > 0 => plan.left_out.limit.map(Stop::Limit),
        stop => stop,
    };
    let mut slowest: Vec<(String, Duration)> = state.slowest.into_iter().collect();
    slowest.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    slowest.truncate(SLOWEST);
    Outcome {
        tallies: state.tallies,
        left_out: state.left_out,
        stop,
        standing,
        figures: Figures {
            started,
            elapsed: timer.elapsed(),
            requests: client.requests(),
            retries: client.retries(),
            accepted: state.accepted,
            created: state.ledger.created,
            uncertain: state.ledger.uncertain,
            waited: client.pace().waited(),
            latencies: state.latencies,
            slowest,
            most_at_once: state.most_at_once,
            clock: client.clock().difference(),
        },
    }
}

impl<'a> Run<'a> {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it may cost.
    fn budget(&self) -> Budget {
        self.client.settings().budget
    }

    fn tell(&self, event: Event<'_>) {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner).event(event);
    }

    /// Adds findings about requirements that this run is about.
    fn add(&self, findings: Vec<Finding>) {
        let mut state = self.lock();
        for finding in findings {
            if self.plan.selected[finding.requirement] {
                state.tallies[finding.requirement].add(finding);
            }
        }
    }

    /// Grants room for some requests, if the run may send so many more. What is not sent is given back.
    fn grant(&self, requests: usize) -> bool {
        if self.is_over() {
            return false;
        }
        let mut state = self.lock();
        let wanted = state.granted + requests as u64;
        if self.budget().max_requests.is_some_and(|most| wanted + self.client.retries() > most) {
            return false;
        }
        state.granted = wanted;
        true
    }

    /// Gives room for requests back that were not sent.
    fn give_back(&self, requests: usize) {
        let mut state = self.lock();
        state.granted = state.granted.saturating_sub(requests as u64);
    }

    /// Whether nothing more should be begun, whatever the number of requests.
    fn is_over(&self) -> bool {
        if self.client.stop().is_cancelled() || self.client.pace().is_late() {
            return true;
        }
        let state = self.lock();
        let failures = state.tallies.iter().filter(|t| t.broken > 0).count();
        state.stop.is_some() || self.options.max_failures.is_some_and(|m| failures >= m)
    }

    /// Nothing more is sent; the first reason counts.
    fn end(&self, stop: Stop) {
        self.lock().stop.get_or_insert(stop);
    }

    fn leave_out(&self, requirement: usize) {
        self.lock().tallies[requirement].left_out += 1;
    }

    /// Notes what the budget leaves out.
    fn leave_out_planned(&self) {
        let mut state = self.lock();
        state.left_out += self.plan.left_out.pool;
        for (requirement, trials) in &self.plan.left_out.trials {
            state.tallies[*requirement].left_out += trials;
        }
    }

    fn leave_all_out(&self) {
        let mut state = self.lock();
        for (i, tally) in state.tallies.iter_mut().enumerate() {
            tally.left_out += u64::from(self.plan.selected[i]);
        }
    }

    /// The pool's valid requests: many trials are compared with them, so they go first.
    async fn pool(&self) {
        let valid = self.plan.entries.iter().enumerate().filter(|(i, e)| *i > FULL && e.wanted && e.control.is_none());
        stream::iter(valid)
            .map(|(i, entry)| self.entry(Some(i), entry, None))
            .buffer_unordered(2 * self.client.settings().concurrency)
            .collect::<Vec<_>>()
            .await;
    }

    async fn rest(&self) {
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
    async fn entry(&self, place: Option<usize>, entry: &Entry, control: Option<Control>) -> Option<Control> {
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
    fn control(&self, place: usize) -> Control {
        self.lock().controls.get(&place).copied().unwrap_or(Control::Missing)
    }

    fn obstacles(&self) {
        for (requirement, reason) in &self.plan.obstacles {
            self.add(vec![Finding {
                requirement: *requirement,
                trial: String::new(),
                exchange: None,
                found: crate::judge::finding::Found::Skipped(reason.clone()),
            }]);
        }
    }

    async fn last_look(&self) -> Standing {
        if !self.grant(1) {
            return Standing::NotAsked;
        }
        let entry = &self.plan.entries[MINIMAL];
        let Some(seen) = self.send_entry(entry, "pool/last", Control::Missing, true).await else {
            return Standing::NotAsked;
        };
        self.add(self.judge.exchange(&seen));
        match seen.accepted() {
            Known::Yes => Standing::Yes,
            _ => Standing::No(contact::what_came(&seen.exchange)),
        }
    }
}

/// What a request that others are compared with came to.
pub(crate) fn control_of(seen: &Seen) -> Control {
    match seen.accepted() {
        Known::Yes => Control::Accepted,
        Known::No => Control::Refused,
        Known::Unknown(_) => Control::Unknown,
    }
}

/// Names what was tried in findings that do not say it themselves.
fn label(finding: &mut Finding, label: &str) {
    if let crate::judge::finding::Found::Broken(breach) = &mut finding.found
        && breach.label.is_empty()
    {
        Arc::make_mut(breach).label = label.to_owned();
    }
}
