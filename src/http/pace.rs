//! How fast requests are sent, for all of them together: the rate that is allowed, the waits that the server asks for,
//! a pace that is learnt from its refusals, and how many are in progress at once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::BackoffBuilder as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::settings::Rate;

/// How long all waits together may take outside a run, which would have its own limit.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a run may take by default: at least this, and twice what its requests take at the pace of the target.
pub const LASTS: Duration = Duration::from_secs(300);
/// How long there must have been no refusal before the pace rises again, and by how much it rises.
const CALM: Duration = Duration::from_secs(10);
const RISE: f64 = 1.05;
/// Which share of the accepted rate is used after a refusal.
const KEPT: f64 = 0.9;
/// After this number of refusals of a raised pace, it is not raised again.
const PROBES: u32 = 2;
/// Above this pace, limiting is of no use.
const FAST: Duration = Duration::from_millis(2);
/// The slowest pace to which refusals lead, unless the server asks for longer waits.
const PATIENT: Duration = Duration::from_millis(100);
/// The shortest and the longest time over which accepted requests are counted.
const WINDOW: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How many accepted requests are remembered.
const REMEMBERED: usize = 1024;
/// After this number of reductions in a row without effect, the pace is not the reason for the refusals.
const FUTILE: u32 = 3;

/// How many requests are in progress, and the earliest time at which the next may be sent.
#[derive(Clone, Debug)]
pub struct Pace {
    places: Arc<Semaphore>,
    size: u32,
    rate: Option<Rate>,
    lasts: Option<Duration>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    began: Option<Instant>,
    /// How many requests the run means to send.
    planned: u64,
    not_before: Option<Instant>,
    waited: Duration,
    /// When requests were sent that were not refused for the pace.
    accepted: VecDeque<Instant>,
    /// The current time between requests, and the earliest time at which it allows the next one.
    period: Option<Duration>,
    next: Option<Instant>,
    /// When the pace last changed, and whether it rose then.
    changed: Option<Instant>,
    rose: bool,
    refused_probes: u32,
    /// How often the pace fell, and when it first did.
    falls: u32,
    fell: Option<Instant>,
    level: Level,
    /// How many reductions in a row left the share of refusals unchanged.
    futile: u32,
    /// How many requests may be in progress now, and how long a request took that was alone.
    open: u32,
    alone: Duration,
    /// The time limit of a response.
    limit: Duration,
    /// When the last response came among others.
    answered: Option<Instant>,
}

/// How the requests of one pace fared.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    refused: u32,
    sent: u32,
    /// The share of refusals before.
    before: f64,
}

impl Pace {
    /// A pace with this number of requests in progress at most, with an optional rate and time limit of the run.
    pub fn new(concurrency: usize, rate: Option<Rate>, lasts: Option<Duration>) -> Self {
        let size = u32::try_from(concurrency.max(1)).unwrap_or(u32::MAX);
        let mut state = State { open: size, ..State::default() };
        state.set(rate.map(|r| r.period));
        let places = Arc::new(Semaphore::new(size as usize));
        Self { places, size, rate, lasts, state: Arc::new(Mutex::new(state)) }
    }

    /// Begins a run that plans to send this number of requests, or a further part of one.
    pub fn begin(&self, planned: u64) {
        let mut state = self.lock();
        state.began.get_or_insert_with(Instant::now);
        state.planned += planned;
    }

    /// Limits the number of simultaneous requests so that even a server which serves one after the other answers each
    /// within half of the time limit, given that one took this long `alone`. To be called while none is in progress.
    pub fn limit_concurrency(&self, alone: Duration, limit: Duration) {
        let most = (limit.as_secs_f64() / 2.0 / alone.as_secs_f64()).clamp(1.0, f64::from(self.size));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to a size")]
        let open = most as u32;
        let mut state = self.lock();
        (state.alone, state.limit) = (alone, limit);
        // Those that are in use stay until they are given back.
        let closed = self.places.forget_permits(state.open.saturating_sub(open) as usize);
        state.open -= u32::try_from(closed).unwrap_or(state.open);
    }

    /// How long a response takes at most if the server serves one request after the other; None while that is unknown.
    pub fn longest(&self) -> Option<Duration> {
        let state = self.lock();
        Some(state.alone * state.open).filter(|longest| !longest.is_zero())
    }

    /// Allows one more simultaneous request if a response among others took hardly longer than one alone, and came soon
    /// after another: a server that serves one after the other answers the first of a crowd as fast, but not the second.
    /// While there is only one at a time, a second is allowed if even such a server would answer it in time.
    pub fn answered(&self, elapsed: Duration) {
        let mut state = self.lock();
        let now = Instant::now();
        let soon = state.answered.replace(now).is_some_and(|last| now.duration_since(last) < state.alone / 2);
        let may_be_two = state.open == 1 && state.alone * 5 / 2 < state.limit;
        if (soon || may_be_two) && state.open < self.size && elapsed < state.alone * 3 / 2 {
            state.open += 1;
            self.places.add_permits(1);
        }
    }

    /// Whether the run has reached its time limit.
    pub fn is_late(&self) -> bool {
        self.end().is_some_and(|end| Instant::now() >= end)
    }

    /// A place for some requests that are sent at once; waits for their turns.
    pub async fn place(&self, requests: usize) -> Option<OwnedSemaphorePermit> {
        let wanted = u32::try_from(requests).unwrap_or(u32::MAX).clamp(1, self.lock().open);
        let permit = Arc::clone(&self.places).acquire_many_owned(wanted).await.ok();
        for _ in 0..requests.max(1) {
            self.turn().await;
        }
        permit
    }

    /// Waits until the rate allows one more request, and as long as the server asked for.
    pub async fn turn(&self) {
        self.rise();
        loop {
            let turn = self.lock().next_turn();
            let Some(at) = turn else { return };
            tokio::time::sleep_until(at).await;
            // A request that was held back meanwhile takes another turn, so that not all are sent together.
            if self.held().is_zero() {
                return;
            }
        }
    }

    /// Holds all requests back; false if that would exceed the run's time limit.
    pub fn hold(&self, delay: Duration) -> bool {
        let end = self.end();
        let mut state = self.lock();
        let now = Instant::now();
        let Some(until) = now.checked_add(delay) else { return false };
        let held = state.not_before.filter(|at| *at > now).unwrap_or(now);
        let more = until.saturating_duration_since(held);
        let is_too_long = match end {
            Some(end) => until > end,
            None => state.waited + more > PATIENCE,
        };
        if is_too_long {
            return false;
        }
        state.waited += more;
        state.not_before = Some(until.max(held));
        true
    }

    /// How much longer all requests are held back.
    pub fn held(&self) -> Duration {
        let not_before = self.lock().not_before;
        not_before.map(|at| at.saturating_duration_since(Instant::now())).unwrap_or_default()
    }

    /// Notes a request that was sent at this time and not refused for the pace.
    pub fn accepted(&self, sent: Instant) {
        let mut state = self.lock();
        if state.accepted.len() == REMEMBERED {
            state.accepted.pop_front();
        }
        state.accepted.push_back(sent);
        state.level.sent += 1;
    }

    /// Whether a request that was not refused was sent after this time.
    pub fn gets_through_since(&self, time: Instant) -> bool {
        self.lock().accepted.back().is_some_and(|last| *last > time)
    }

    /// Lowers the pace to nine tenths of what was accepted last, since a request that was sent at this time was refused
    /// for it, with the wait that the server asked for.
    pub fn refused(&self, sent: Instant, asked: Duration) {
        let mut state = self.lock();
        state.level.refused += 1;
        state.level.sent += 1;
        // A request that was sent before the last change says nothing of the present pace.
        if state.changed.is_some_and(|changed| sent <= changed) || state.futile >= FUTILE {
            return;
        }
        let share = f64::from(state.level.refused) / f64::from(state.level.sent);
        let is_futile = state.falls > 0 && share >= 0.7 * state.level.before;
        state.futile = if is_futile { state.futile + 1 } else { 0 };
        state.level = Level { before: share, ..Level::default() };
        if std::mem::take(&mut state.rose) {
            state.refused_probes += 1;
        }
        let slowest = asked.clamp(PATIENT, WINDOW.1);
        let current = state.period.unwrap_or(PATIENT);
        let learnt = state.accepted_rate(asked.clamp(WINDOW.0, WINDOW.1)).map(|rate| 1.0 / (KEPT * rate));
        let learnt =
            learnt.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(2 * current).min(slowest);
        let least = state.period.unwrap_or_default().max(self.rate.map_or(2 * FAST, |r| r.period));
        let period = learnt.clamp(least, slowest.max(least));
        tracing::info!("slower: a request every {period:?}");
        state.falls += 1;
        state.fell.get_or_insert_with(Instant::now);
        state.set(Some(period));
        state.changed = Some(Instant::now());
    }

    /// Raises the pace after some time without refusals, up to what is allowed; not if that was refused twice.
    fn rise(&self) {
        let mut state = self.lock();
        if state.refused_probes >= PROBES || state.changed.is_none_or(|changed| changed.elapsed() < CALM) {
            return;
        }
        let allowed = self.rate.map(|r| r.period);
        let higher = state.period.map(|p| p.div_f64(RISE)).filter(|p| *p > allowed.unwrap_or(FAST));
        state.set(higher.or(allowed));
        state.rose = higher.is_some();
        state.changed = higher.is_some().then(Instant::now);
    }

    /// How often the pace was reduced because of a refusal.
    pub fn falls(&self) -> u32 {
        self.lock().falls
    }

    /// When it first fell.
    pub fn fell(&self) -> Option<Instant> {
        self.lock().fell
    }

    /// The time between requests that the server was found to accept, if it caused the pace to fall.
    pub fn found(&self) -> Option<Duration> {
        let state = self.lock();
        state.period.filter(|_| state.falls > 0 && state.futile < FUTILE)
    }

    /// How many of the planned requests remain after this number was sent.
    pub fn still_planned(&self, sent: u64) -> u64 {
        self.lock().planned.saturating_sub(sent)
    }

    /// How long the run has waited because the server asked for it.
    pub fn waited(&self) -> Duration {
        let state = self.lock();
        let ahead = state.not_before.map(|at| at.saturating_duration_since(Instant::now())).unwrap_or_default();
        state.waited.saturating_sub(ahead)
    }

    /// How long the run may take: its given limit, or a default that depends on the pace.
    pub fn lasts(&self) -> Duration {
        let state = self.lock();
        self.lasts.unwrap_or_else(|| {
            let planned = u32::try_from(state.planned).unwrap_or(u32::MAX);
            LASTS.max(state.period.unwrap_or_default().saturating_mul(planned).saturating_mul(2))
        })
    }

    fn end(&self) -> Option<Instant> {
        let began = self.lock().began?;
        began.checked_add(self.lasts())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn set(&mut self, period: Option<Duration>) {
        if self.period != period {
            self.period = period;
            self.next = None;
        }
    }

    /// How many requests a second were accepted over the last window; None if none were.
    fn accepted_rate(&self, window: Duration) -> Option<f64> {
        let now = Instant::now();
        let recent = self.accepted.iter().rev().take_while(|at| now.saturating_duration_since(**at) <= window).count();
        // If the memory is full, the remembered requests took less time than the window.
        let span = match self.accepted.front() {
            Some(first) if recent == REMEMBERED => now.saturating_duration_since(*first),
            _ => window,
        };
        (recent > 0).then(|| recent as f64 / span.as_secs_f64().max(0.001))
    }

    /// When the next request may be sent, if not at once; takes that turn.
    fn next_turn(&mut self) -> Option<Instant> {
        let now = Instant::now();
        let not_before = self.not_before.filter(|at| *at > now);
        let Some(period) = self.period else { return not_before };
        let earliest = not_before.unwrap_or(now);
        let turn = self.next.map_or(earliest, |next| next.max(earliest));
        self.next = Some(turn + period);
        Some(turn)
    }
}

/// Ever longer delays, with jitter.
pub type Delays = backon::ExponentialBackoff;

/// Ever longer delays, with jitter, for servers that do not say how long.
pub fn delays(shortest: Duration) -> Delays {
    backon::ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(shortest)
        .with_max_delay(Duration::from_secs(30))
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests;
