//! Refusing for a while: rate limits and overload, as variations.

use super::Variation;
use super::clock::Clock;
use super::deviations::Deviations;
use super::faults::memory::lock;
use axum::body::Body;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_millis(500);
const MOST_IN_WINDOW: u32 = 60;
const OVERLOADED_FROM: u32 = 10;

/// The requests of the last moments.
#[derive(Debug, Default)]
pub(super) struct Limits(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    window: Option<(Instant, u32)>,
    total: u32,
    overloaded: Option<Instant>,
}

impl Limits {
    /// The response to a request that came too early, if it did.
    pub(super) fn check(&self, d: &Deviations, clock: &Clock) -> Option<Response> {
        let now = Instant::now();
        let limited = [Variation::RateLimited, Variation::RateLimitedByDate, Variation::RateLimitedWithoutTime];
        if limited.into_iter().any(|l| d.variation(l)) && lock(&self.0).exceeds(now) {
            let after = if d.variation(Variation::RateLimitedByDate) {
                Some(date_after(clock, 1))
            } else {
                d.variation(Variation::RateLimited).then_some(HeaderValue::from_static("1"))
            };
            return Some(refused(StatusCode::TOO_MANY_REQUESTS, after));
        }
        if d.variation(Variation::Overloaded) && lock(&self.0).overloaded(now) {
            return Some(refused(StatusCode::SERVICE_UNAVAILABLE, Some(HeaderValue::from_static("1"))));
        }
        None
    }
}

impl Counts {
    fn exceeds(&mut self, now: Instant) -> bool {
        match &mut self.window {
            Some((start, count)) if now.duration_since(*start) < WINDOW => {
                *count += 1;
                *count > MOST_IN_WINDOW
            }
            window => {
                *window = Some((now, 1));
                false
            }
        }
    }

    fn overloaded(&mut self, now: Instant) -> bool {
        self.total = self.total.saturating_add(1);
        if self.total == OVERLOADED_FROM {
            self.overloaded = Some(now);
        }
        self.overloaded.is_some_and(|start| now.duration_since(start) < WINDOW)
    }
}

/// A date has whole seconds: the next one that is far enough away.
fn date_after(clock: &Clock, seconds: i64) -> HeaderValue {
    let date = clock.now() + chrono::TimeDelta::seconds(seconds + 1);
    HeaderValue::try_from(httpdate::fmt_http_date(date.into())).unwrap_or(HeaderValue::from_static("2"))
}

fn refused(status: StatusCode, after: Option<HeaderValue>) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().extend(after.map(|after| (RETRY_AFTER, after)));
    response
}

#[cfg(test)]
mod tests {
    use super::{Counts, MOST_IN_WINDOW, WINDOW};
    use std::time::Instant;

    #[test]
    fn a_window_lets_so_many_through() {
        let (mut counts, start) = (Counts::default(), Instant::now());
        assert!((0..MOST_IN_WINDOW).all(|_| !counts.exceeds(start)));
        assert!(counts.exceeds(start));
        assert!(!counts.exceeds(start + WINDOW));
    }

    #[test]
    fn overload_passes() {
        let (mut counts, start) = (Counts::default(), Instant::now());
        assert!((0..9).all(|_| !counts.overloaded(start)));
        assert!(counts.overloaded(start) && counts.overloaded(start));
        assert!(!counts.overloaded(start + WINDOW));
    }
}
