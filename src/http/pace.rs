//! How fast requests go out, for all of them together: the rate that is allowed, the waits that the
//! server asks for, a pace that falls when it does and recovers afterwards, and how many are under way at once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use backon::BackoffBuilder as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::settings::Rate;

/// How long all waits of a run may take together, where nobody said how long it may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long nothing must have been refused before the pace rises again.
const CALM: Duration = Duration::from_secs(1);
/// A pace above which there is no use in limiting it.
const FAST: Duration = Duration::from_millis(2);
/// The slowest pace that a server brings that asks for no longer waits.
const PATIENT: Duration = Duration::from_millis(100);
/// How many of the last requests tell how fast they went.
const RECENT: usize = 50;

/// How many requests are under way, and not before when the next may go.
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
    not_before: Option<Instant>,
    waited: Duration,
    recent: VecDeque<Instant>,
    /// The time between requests now, and not before when it lets the next one go.
    period: Option<Duration>,
    next: Option<Instant>,
    /// When it last changed.
    changed: Option<Instant>,
    /// How many requests may be under way now, and how long one took that was alone.
    open: u32,
    alone: Duration,
}

impl Pace {
    /// A pace with so many requests under way at most, not faster than this, for a run that takes no longer than this.
    pub fn new(concurrency: usize, rate: Option<Rate>, lasts: Option<Duration>) -> Self {
        let size = u32::try_from(concurrency.max(1)).unwrap_or(u32::MAX);
        let mut state = State { open: size, ..State::default() };
        state.set(rate.map(|r| r.period));
        let places = Arc::new(Semaphore::new(size as usize));
        Self { places, size, rate, lasts, state: Arc::new(Mutex::new(state)) }
    }

    /// The run begins.
    pub fn begin(&self) {
        self.lock().began = Some(Instant::now());
    }

    /// Leaves room for so few requests at once that a server which serves one after the other answers each within half of
    /// the time limit, after one took this long `alone`. To be called while nothing is under way.
    pub fn limit_concurrency(&self, alone: Duration, limit: Duration) {
        let most = (limit.as_secs_f64() / 2.0 / alone.as_secs_f64()).clamp(1.0, f64::from(self.size));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to a size")]
        let open = most as u32;
        let mut state = self.lock();
        state.alone = alone;
        let closed = state.open.saturating_sub(open);
        state.open -= closed;
        self.places.forget_permits(closed as usize);
    }

    /// Leaves room for one more where an answer among others took hardly longer than one alone.
    pub fn answered(&self, elapsed: Duration) {
        let mut state = self.lock();
        if state.open < self.size && elapsed < state.alone * 3 / 2 {
            state.open += 1;
            self.places.add_permits(1);
        }
    }

    /// Whether the run has taken as long as it may.
    pub fn is_late(&self) -> bool {
        self.end().is_some_and(|end| Instant::now() >= end)
    }

    /// A place for some requests that go out at once; waits for their turns.
    pub async fn place(&self, requests: usize) -> Option<OwnedSemaphorePermit> {
        let wanted = u32::try_from(requests).unwrap_or(u32::MAX).clamp(1, self.lock().open);
        let permit = Arc::clone(&self.places).acquire_many_owned(wanted).await.ok();
        for _ in 0..requests.max(1) {
            self.turn().await;
        }
        permit
    }

    /// Waits until the rate lets one more request go, and as long as the server asked for.
    pub async fn turn(&self) {
        self.recover();
        let turn = self.lock().next_turn();
        if let Some(at) = turn {
            tokio::time::sleep_until(at).await;
        }
        loop {
            let not_before = self.lock().not_before;
            match not_before {
                Some(at) if at > Instant::now() => tokio::time::sleep_until(at).await,
                _ => break,
            }
        }
        let mut state = self.lock();
        if state.recent.len() == RECENT {
            state.recent.pop_front();
        }
        state.recent.push_back(Instant::now());
    }

    /// Holds all requests back; false if that would take longer than the run may.
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

    /// Lowers the pace by a third, since a request that was sent at this time was refused for it; not below what the
    /// server asked for, as it then has room again.
    pub fn slow_down(&self, sent: Instant, asked: Duration) {
        let mut state = self.lock();
        // What was sent before the last change says nothing of the pace since.
        if state.changed.is_some_and(|changed| sent <= changed) {
            return;
        }
        let seen = match (state.recent.front(), state.recent.back()) {
            (Some(first), Some(last)) if state.recent.len() > 1 => (*last - *first) / (state.recent.len() as u32 - 1),
            _ => Duration::from_millis(50),
        };
        let allowed = self.rate.map_or(Duration::ZERO, |r| r.period);
        let period = (state.period.unwrap_or(seen) * 3 / 2).max(2 * FAST).min(asked.max(PATIENT)).max(allowed);
        tracing::info!("slower: a request every {period:?}");
        state.set(Some(period));
        state.changed = Some(Instant::now());
    }

    /// Lets the pace rise after some calm, to what is allowed.
    fn recover(&self) {
        let mut state = self.lock();
        let Some(changed) = state.changed.filter(|changed| changed.elapsed() >= CALM) else { return };
        let allowed = self.rate.map(|r| r.period);
        let period = state.period.map(|p| p * 4 / 5).filter(|p| *p > allowed.unwrap_or(FAST)).or(allowed);
        state.set(period);
        state.changed = (period != allowed).then(|| changed.max(Instant::now()));
    }

    /// How long the run has waited because the server asked for it.
    pub fn waited(&self) -> Duration {
        let state = self.lock();
        let ahead = state.not_before.map(|at| at.saturating_duration_since(Instant::now())).unwrap_or_default();
        state.waited.saturating_sub(ahead)
    }

    fn end(&self) -> Option<Instant> {
        self.lock().began?.checked_add(self.lasts?)
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

    /// When the next request may go, where there is a rate: that turn is then taken.
    fn next_turn(&mut self) -> Option<Instant> {
        let (period, now) = (self.period?, Instant::now());
        let turn = self.next.map_or(now, |next| next.max(now));
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

/// The delay that a `Retry-After` header asks for: seconds, or an HTTP date.
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More than a number holds is longer than anybody waits.
        return Some(value.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rates() {
        let period = |text: &str| text.parse::<Rate>().map(|r| r.period);
        assert_eq!(period("8/s"), Ok(Duration::from_millis(125)));
        assert_eq!(period("900/h"), Ok(Duration::from_secs(4)));
        assert_eq!(period("0.5 / s"), Ok(Duration::from_secs(2)));
        for text in ["8", "8/d", "0/s", "-1/s", "x/s", "1e20/s", "0.1/h"] {
            assert!(period(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_seconds_and_dates() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        assert_eq!(retry_after(" 3 ", now), Some(Duration::from_secs(3)));
        let date = httpdate::fmt_http_date(now + Duration::from_secs(5));
        assert_eq!(retry_after(&date, now), Some(Duration::from_secs(5)));
        for text in ["soon", "", "-1", "+1", "1.5"] {
            assert_eq!(retry_after(text, now), None, "{text}");
        }
        assert_eq!(retry_after("99999999999999999999", now), Some(Duration::MAX));
        assert_eq!(retry_after(&httpdate::fmt_http_date(SystemTime::UNIX_EPOCH), now), Some(Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn holds_everybody_and_gives_up_in_the_end() {
        let pace = Pace::new(2, None, None);
        assert!(pace.hold(Duration::from_secs(3)));
        assert!(pace.hold(Duration::from_secs(3)), "the same wait counts once");
        let start = Instant::now();
        let _permit = pace.place(5).await;
        assert_eq!(start.elapsed().as_secs(), 3);
        assert_eq!(pace.waited(), Duration::from_secs(3));
        assert!(!pace.hold(Duration::from_secs(200)));
        assert!(!pace.hold(Duration::from_secs(u64::MAX)));
    }

    #[tokio::test(start_paused = true)]
    async fn waits_no_longer_than_the_run_may_take() {
        let pace = Pace::new(2, None, Some(Duration::from_secs(600)));
        pace.begin();
        assert!(pace.hold(Duration::from_secs(500)));
        assert!(!pace.hold(Duration::from_secs(601)));
        assert!(!pace.is_late());
        tokio::time::advance(Duration::from_secs(600)).await;
        assert!(pace.is_late());
    }

    #[tokio::test(start_paused = true)]
    async fn falls_and_recovers() {
        let pace = Pace::new(2, Some("100/s".parse().unwrap()), None);
        let period = || pace.lock().period.unwrap();
        let sent = Instant::now();
        let second = Duration::from_secs(1);
        pace.slow_down(sent, second);
        assert_eq!(period(), Duration::from_millis(15));
        tokio::time::advance(Duration::from_millis(1)).await;
        pace.slow_down(sent, second);
        assert_eq!(period(), Duration::from_millis(15), "one crowd is one sign");
        pace.slow_down(Instant::now(), second);
        assert_eq!(period(), Duration::from_micros(22_500));
        for _ in 0..6 {
            tokio::time::advance(CALM).await;
            pace.recover();
        }
        assert_eq!(period(), Duration::from_millis(10), "what is allowed");
        for _ in 0..20 {
            tokio::time::advance(Duration::from_millis(1)).await;
            pace.slow_down(Instant::now(), Duration::ZERO);
        }
        assert_eq!(period(), PATIENT, "who asks for no wait gets none");
        for _ in 0..20 {
            tokio::time::advance(CALM).await;
            pace.recover();
        }
        assert_eq!(period(), Duration::from_millis(10), "what is allowed");
    }

    #[tokio::test(start_paused = true)]
    async fn keeps_the_rate() {
        let pace = Pace::new(16, Some("100/s".parse().unwrap()), None);
        let start = Instant::now();
        let all = futures_util::future::join_all((0..11).map(|_| pace.turn())).await;
        assert_eq!((all.len(), start.elapsed().as_millis() / 10), (11, 10), "the first goes at once");
        tokio::time::advance(Duration::from_secs(1)).await;
        let later = Instant::now();
        pace.turn().await;
        assert!(later.elapsed() < Duration::from_millis(5), "nobody waits after some silence");
        pace.turn().await;
        assert!(later.elapsed() >= Duration::from_millis(10), "and silence saves nothing up");
    }

    #[tokio::test(start_paused = true)]
    async fn makes_room_for_what_does_no_harm() {
        let pace = Pace::new(16, None, None);
        let (second, limit) = (Duration::from_secs(1), Duration::from_secs(10));
        pace.answered(second);
        pace.limit_concurrency(Duration::from_millis(20), limit);
        assert_eq!(pace.places.available_permits(), 16, "a fast server");
        pace.limit_concurrency(second, limit);
        assert_eq!(pace.places.available_permits(), 5);
        let burst = pace.place(8).await.unwrap();
        assert_eq!(burst.num_permits(), 5, "a burst takes all there is");
        drop(burst);
        pace.answered(3 * second);
        assert_eq!(pace.places.available_permits(), 5, "it had to wait for others");
        for _ in 0..20 {
            pace.answered(second);
        }
        assert_eq!(pace.places.available_permits(), 16, "what is allowed");
        pace.limit_concurrency(Duration::from_secs(30), limit);
        assert_eq!(pace.places.available_permits(), 1);
    }

    #[test]
    fn delays_grow() {
        let all: Vec<Duration> = delays(Duration::from_millis(100)).take(12).collect();
        assert!(all[0] >= Duration::from_millis(100) && all[0] <= Duration::from_millis(200));
        assert!(all[11] >= Duration::from_secs(30), "{all:?}");
    }
}
