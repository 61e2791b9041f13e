//! Waiting for all requests together, when the server asks for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// How long all waits of a run may take together.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many requests are under way, and not before when the next may go.
#[derive(Clone, Debug)]
pub struct Pace {
    places: Arc<Semaphore>,
    size: u32,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    not_before: Option<Instant>,
    waited: Duration,
}

impl Pace {
    /// A pace with so many requests under way at most.
    pub fn new(concurrency: usize) -> Self {
        let size = u32::try_from(concurrency.max(1)).unwrap_or(u32::MAX);
        Self { places: Arc::new(Semaphore::new(size as usize)), size, state: Arc::default() }
    }

    /// A place for some requests that go out at once; waits as long as the server asked for.
    pub async fn place(&self, requests: usize) -> Option<OwnedSemaphorePermit> {
        let wanted = u32::try_from(requests).unwrap_or(u32::MAX).clamp(1, self.size);
        let permit = Arc::clone(&self.places).acquire_many_owned(wanted).await.ok();
        self.wait().await;
        permit
    }

    /// Waits as long as the server asked for.
    pub async fn wait(&self) {
        loop {
            let not_before = self.lock().not_before;
            match not_before {
                Some(at) if at > Instant::now() => tokio::time::sleep_until(at).await,
                _ => return,
            }
        }
    }

    /// Holds all requests back; false if the run has waited too long already.
    pub fn hold(&self, delay: Duration) -> bool {
        let mut state = self.lock();
        let now = Instant::now();
        // A server may ask for more time than there is.
        let Some(until) = now.checked_add(delay) else { return false };
        let held = state.not_before.filter(|at| *at > now).unwrap_or(now);
        let more = until.saturating_duration_since(held);
        if state.waited + more > PATIENCE {
            return false;
        }
        state.waited += more;
        state.not_before = Some(until.max(held));
        true
    }

    /// How long the run has waited because the server asked for it.
    pub fn waited(&self) -> Duration {
        self.lock().waited
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The delay that a `Retry-After` header asks for: seconds, or an HTTP date.
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_seconds_and_dates() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        assert_eq!(retry_after(" 3 ", now), Some(Duration::from_secs(3)));
        let date = httpdate::fmt_http_date(now + Duration::from_secs(5));
        assert_eq!(retry_after(&date, now), Some(Duration::from_secs(5)));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after(&httpdate::fmt_http_date(SystemTime::UNIX_EPOCH), now), Some(Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn holds_everybody_and_gives_up_in_the_end() {
        let pace = Pace::new(2);
        assert!(pace.hold(Duration::from_secs(3)));
        assert!(pace.hold(Duration::from_secs(3)), "the same wait counts once");
        let start = Instant::now();
        let _permit = pace.place(5).await;
        assert_eq!(start.elapsed().as_secs(), 3);
        assert_eq!(pace.waited(), Duration::from_secs(3));
        assert!(!pace.hold(Duration::from_secs(200)));
        assert!(!pace.hold(Duration::MAX), "more time than there is");
    }
}
