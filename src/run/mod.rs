//! Carrying a plan out: preflight, the pool, the trials, and a final check.
//!
//! - [`preflight`]: whether there is a target that accepts valid requests at all
//! - [`ledger`]: what was created
//! - [`outcome`]: the result of a run
//! - [`pool`]: requests of the shared pool, and the last one
//! - [`settle`]: retries of requests that met trouble
//! - [`send`]: one request and its place in the run
//! - [`trial`]: the steps of a scenario
//! - [`unanswered`]: requests that got no response, each time they were sent
//! - [`shrink`]: the smallest request that still fails
//! - [`event`]: what is reported while a run goes on

pub mod event;
pub mod ledger;
pub mod outcome;
mod pool;
pub mod preflight;
pub(crate) mod send;
pub(crate) mod settle;
mod shrink;
pub(crate) mod trial;
pub(crate) mod unanswered;

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::join;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::contract::requirement::{Always, Form};
use crate::exchange::digest::Digest;
use crate::generate::render::Issued;
use crate::generate::seed::{RunTag, Seed};
use crate::http::client::Client;
use crate::judge::Judge;
use crate::judge::attempts::{Attempts, Troubles};
use crate::judge::bind::{Control, Known, Seen};
use crate::judge::finding::{Counterexample, Finding, Found};
use crate::judge::tally::Tally;
use crate::plan::{Entry, Limit, Plan};
use crate::settings::Budget;
use event::{Event, Sink};
use ledger::Ledger;
pub use outcome::{Figures, Health, Outcome};
use preflight::Stop;
use settle::Learnt;

/// How many of the slowest requirements are reported.
pub const SLOWEST: usize = 5;

/// How a run is carried out.
#[derive(Clone, Debug)]
pub struct Options {
    /// The run's seed.
    pub seed: Seed,
    /// The run tag.
    pub run_tag: RunTag,
    /// After how many failed requirements nothing more is sent.
    pub max_failures: Option<usize>,
    /// Whether to look for the smallest requests that still fail.
    pub shrink: bool,
    /// The number of the first request.
    pub first: u64,
}

/// A run in progress.
pub(crate) struct Run<'a> {
    pub(crate) judge: Judge<'a>,
    pub(crate) plan: &'a Plan,
    pub(crate) client: &'a Client,
    pub(crate) options: &'a Options,
    pub(crate) state: Mutex<State>,
    pub(crate) sink: Mutex<&'a mut dyn Sink>,
    pub(crate) issued: Issued,
    pub(crate) number: AtomicU64,
    /// Notified when a request was answered.
    pub(crate) answered: Notify,
    /// Notified when a request is suspected of getting no response, or when such a request got one.
    pub(crate) suspected: Notify,
    /// Held while a token is tried.
    pub(crate) trying: tokio::sync::Mutex<()>,
    /// Held while a valid request checks whether the server still works.
    pub(crate) asking: tokio::sync::Mutex<()>,
    /// Closed while the server may be down: requests that are sent then show nothing.
    pub(crate) gate: tokio::sync::RwLock<()>,
}

pub(crate) struct State {
    tallies: Vec<Tally>,
    controls: HashMap<usize, Control>,
    /// How often each idempotency key was sent.
    keys: HashMap<Digest, u32>,
    attempts: Attempts,
    learnt: Learnt,
    /// When the last request was sent that was accepted.
    stood: Option<DateTime<Utc>>,
    /// The highest number of a request that was accepted.
    last_accepted: u64,
    /// In microseconds.
    latencies: Vec<u32>,
    longest: Duration,
    /// How many requests are suspected of getting no response.
    suspects: usize,
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
    sink.event(Event::Planned { requests: plan.requests() as u64 });
    let begun = Begun::now(client, plan.requests() as u64);
    let run = Run::new(judge, plan, client, options, sink);
    let mut health = Health::NotAsked;
    match run.preflight().await {
        Err(stop) => {
            run.lock().stop = Some(stop);
            run.leave_all_out();
        }
        // What it uses up cannot be used again.
        Ok(_) if plan.once => {
            run.obstacles();
            health = Health::Yes;
        }
        Ok(kept) => {
            let mut full = pin!(run.full(kept));
            // A request without a response for this long is awaited alongside others.
            let is_done = timeout(client.settings().connection.timeout / 4, &mut full).await.is_ok();
            if is_done && run.lock().stop.is_some() {
                run.leave_all_out();
            } else {
                run.leave_out_planned();
                let others = async {
                    let suspects = run.pool().await;
                    join!(suspects, run.rest());
                };
                if is_done {
                    others.await;
                } else {
                    client.pace().limit_concurrency(kept, client.settings().connection.timeout);
                    join!(others, full);
                }
                run.obstacles();
                health = run.final_check().await;
                if health == Health::Yes {
                    run.unanswered();
                }
                if options.shrink {
                    run.shrink().await;
                }
            }
        }
    }
    run.gateway_errors(&begun);
    run.outcome(begun, health)
}

/// Sends the request of an entry by itself; returns it with how many records it created, and may have created unseen.
/// None if nothing more is to be sent.
pub async fn call(
    judge: Judge<'_>,
    plan: &Plan,
    client: &Client,
    options: &Options,
    sink: &mut dyn Sink,
    entry: &Entry,
    name: &str,
) -> Option<(Seen, u64, u64)> {
    let run = Run::new(judge, plan, client, options, sink);
    let seen = run.send_entry(entry, name, Control::Missing, false).await?;
    let state = run.lock();
    Some((seen, state.ledger.created, state.ledger.uncertain))
}

/// When a run began.
pub(crate) struct Begun {
    started: DateTime<Utc>,
    timer: tokio::time::Instant,
}

impl Begun {
    pub(crate) fn now(client: &Client, planned: u64) -> Self {
        client.pace().begin(planned);
        Self { started: client.clock().local(), timer: tokio::time::Instant::now() }
    }
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        judge: Judge<'a>,
        plan: &'a Plan,
        client: &'a Client,
        options: &'a Options,
        sink: &'a mut dyn Sink,
    ) -> Self {
        Self {
            judge,
            plan,
            client,
            options,
            state: Mutex::new(State {
                tallies: judge.contract.requirements.iter().map(|_| Tally::default()).collect(),
                controls: HashMap::new(),
                keys: HashMap::new(),
                attempts: Attempts::default(),
                learnt: Learnt::default(),
                stood: None,
                last_accepted: 0,
                latencies: Vec::new(),
                longest: Duration::ZERO,
                suspects: 0,
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
            number: AtomicU64::new(options.first),
            answered: Notify::new(),
            suspected: Notify::new(),
            trying: tokio::sync::Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            gate: tokio::sync::RwLock::default(),
        }
    }

    /// The trouble that its attempts met.
    fn troubles(&self, begun: &Begun) -> Troubles {
        let fell = self.client.pace().fell().map(|at| begun.started + at.saturating_duration_since(begun.timer));
        let state = self.lock();
        state.attempts.troubles(fell, matches!(state.stop, Some(Stop::Unwell(_))))
    }

    /// Adds what all gateway errors together show: more than a fair number are a failure.
    fn gateway_errors(&self, begun: &Begun) {
        let troubles = self.troubles(begun);
        let attempts = self.client.requests();
        if troubles.gateway_counted <= Troubles::fair(attempts) {
            return;
        }
        let all = self.judge.contract.requirements.iter();
        let own = all.enumerate().filter(|(_, r)| matches!(r.form, Form::Always(Always::NoServerError)));
        for (requirement, _) in own {
            let Some((trial, exchange)) = self.lock().tallies[requirement].gateway.clone() else { continue };
            let (expected, actual) = Troubles::text(troubles.gateway_counted, attempts);
            let number = Some(exchange.number);
            let found = Found::Broken(Arc::new(Counterexample::of(expected, actual, exchange)));
            self.add(vec![Finding { requirement, trial, exchange: number, found }]);
        }
    }

    /// Its result.
    pub(crate) fn outcome(self, begun: Begun, health: Health) -> Outcome {
        let client = self.client;
        let troubles = self.troubles(&begun);
        let is_late = client.pace().is_late();
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let left_out = state.left_out + state.tallies.iter().map(|t| t.left_out).sum::<u64>();
        let stop = match state.stop {
            None if client.stop().is_cancelled() => Some(Stop::Interrupted),
            None if left_out > 0 && is_late => Some(Stop::Limit(Limit::Duration)),
            None if left_out > 0 => self.plan.left_out.limit.map(Stop::Limit),
            stop => stop,
        };
        let mut slowest: Vec<(String, Duration)> = state.slowest.into_iter().collect();
        slowest.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        slowest.truncate(SLOWEST);
        Outcome {
            tallies: state.tallies,
            left_out: state.left_out,
            stop,
            health,
            figures: Figures {
                started: begun.started,
                elapsed: begun.timer.elapsed(),
                requests: client.requests(),
                retries: client.retries(),
                accepted: state.accepted,
                created: state.ledger.created,
                uncertain: state.ledger.uncertain,
                waited: client.pace().waited(),
                troubles,
                refused: client.refused(),
                pace: client.pace().found(),
                latencies: state.latencies,
                slowest,
                most_at_once: state.most_at_once,
                clock: client.clock().difference(),
            },
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests it may send.
    fn budget(&self) -> Budget {
        self.client.settings().budget
    }

    fn tell(&self, event: Event<'_>) {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner).event(event);
    }

    /// Adds findings about requirements that this run is about.
    pub(crate) fn add(&self, findings: Vec<Finding>) {
        let mut state = self.lock();
        for finding in findings {
            if self.plan.selected[finding.requirement] {
                state.tallies[finding.requirement].add(finding);
            }
        }
    }

    /// Reserves room for some requests, if the run may send as many. Unused room is given back.
    pub(crate) fn grant(&self, requests: usize) -> bool {
        if self.is_over() {
            return false;
        }
        let mut state = self.lock();
        let wanted = state.granted + requests as u64;
        if self
            .budget()
            .max_requests
            .is_some_and(|most| wanted + self.client.retries().saturating_sub(self.client.refused()) > most)
        {
            return false;
        }
        state.granted = wanted;
        true
    }

    /// Gives back the room of requests that were not sent.
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

    /// Sends nothing more from now on; the first reason counts.
    pub(crate) fn end(&self, stop: Stop) {
        self.lock().stop.get_or_insert(stop);
    }

    pub(crate) fn leave_out(&self, requirement: usize) {
        self.lock().tallies[requirement].left_out += 1;
    }

    /// Counts what the budget leaves out.
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

    fn obstacles(&self) {
        for (requirement, reason) in &self.plan.obstacles {
            self.add(vec![Finding {
                requirement: *requirement,
                trial: String::new(),
                exchange: None,
                found: Found::Skipped(reason.clone()),
            }]);
        }
    }
}

/// The result of a request that others are compared with.
pub(crate) fn control_of(seen: &Seen) -> Control {
    match seen.accepted() {
        Known::Yes => Control::Accepted,
        Known::No => Control::Refused,
        Known::Unknown(_) => Control::Unknown,
    }
}

/// Names what was tried, in findings that do not say it themselves.
pub(crate) fn label(finding: &mut Finding, label: &str) {
    if let Found::Broken(counterexample) = &mut finding.found
        && counterexample.label.is_empty()
    {
        Arc::make_mut(counterexample).label = label.to_owned();
    }
}
