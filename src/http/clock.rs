//! Our clock, and an estimate of the server's.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::exchange::Interval;

/// The source of the time: the system, or a test.
pub type Now = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// How far the server's clock may be from ours while it is unknown.
const UNTOLD: TimeDelta = TimeDelta::minutes(10);

/// Our clock, and what is known of the server's.
#[derive(Clone)]
pub struct Clock {
    now: Now,
    known: Arc<Mutex<Known>>,
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clock").field("known", &self.known).finish_non_exhaustive()
    }
}

/// The server's clock minus ours lies between these.
#[derive(Clone, Copy, Debug)]
struct Known {
    low: TimeDelta,
    high: TimeDelta,
    from_date: bool,
    told: bool,
}

/// The system's time.
pub fn system_now() -> DateTime<Utc> {
    Utc::now()
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::new(Arc::new(system_now))
    }

    /// A given clock.
    pub fn new(now: Now) -> Self {
        Self { now, known: Arc::new(Mutex::new(Known { low: -UNTOLD, high: UNTOLD, from_date: false, told: false })) }
    }

    /// Our own time.
    pub fn local(&self) -> DateTime<Utc> {
        (self.now)()
    }

    /// The server's time, as precisely as it is known.
    pub fn server(&self) -> Interval {
        self.at_server(self.local())
    }

    /// A time of ours as the server's clock showed it.
    pub fn at_server(&self, local: DateTime<Utc>) -> Interval {
        let known = self.known();
        Interval { earliest: local + known.low, latest: local + known.high }
    }

    /// The server's clock minus ours, as a range; None while it is unknown.
    pub fn difference(&self) -> Option<(TimeDelta, TimeDelta)> {
        let known = self.known();
        known.told.then_some((known.low, known.high))
    }

    /// Learns from a `Date` header in whole seconds that was written between two of our own times.
    pub fn learn_date(&self, date: DateTime<Utc>, sent: DateTime<Utc>, received: DateTime<Utc>) {
        self.learn(date - received, date + TimeDelta::seconds(1) - sent, true);
    }

    /// Learns from a time that the server set between two of our own times; only as long as it
    /// sends no `Date`.
    pub fn learn_time(&self, time: DateTime<Utc>, sent: DateTime<Utc>, received: DateTime<Utc>) {
        // At this distance, the time is more likely to be wrong than the clock.
        if (time - received).abs() > UNTOLD {
            return;
        }
        let whole = time.timestamp_subsec_nanos() == 0;
        let slack = TimeDelta::seconds(i64::from(whole));
        self.learn(time - received, time + slack - sent, false);
    }

    fn learn(&self, low: TimeDelta, high: TimeDelta, from_date: bool) {
        let mut known = self.lock();
        if known.from_date && !from_date {
            return;
        }
        if !known.told || (from_date && !known.from_date) {
            *known = Known { low, high, from_date, told: true };
            return;
        }
        let (tighter_low, tighter_high) = (known.low.max(low), known.high.min(high));
        if tighter_low <= tighter_high {
            (known.low, known.high) = (tighter_low, tighter_high);
        } else {
            // There are several servers, or the clock was changed: both readings are accepted.
            (known.low, known.high) = (known.low.min(low), known.high.max(high));
        }
    }

    fn known(&self) -> Known {
        *self.lock()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(4_000_000_000_000 + millis).unwrap()
    }

    fn clock() -> Clock {
        Clock::new(Arc::new(|| at(0)))
    }

    #[test]
    fn is_wide_until_told() {
        let clock = clock();
        assert_eq!(clock.difference(), None);
        assert_eq!(clock.server().latest - at(0), TimeDelta::minutes(10));
    }

    #[test]
    fn narrows_with_every_date() {
        let clock = clock();
        // The server is 90.3 s ahead.
        clock.learn_date(at(90_000), at(0), at(10));
        clock.learn_date(at(91_000), at(700), at(710));
        let (low, high) = clock.difference().unwrap();
        assert!(low <= TimeDelta::milliseconds(90_300) && high >= TimeDelta::milliseconds(90_300));
        assert!(high - low < TimeDelta::seconds(1));
    }

    #[test]
    fn a_date_outweighs_a_time_in_a_body() {
        let clock = clock();
        clock.learn_time(at(300_500), at(0), at(10));
        clock.learn_date(at(0), at(0), at(10));
        clock.learn_time(at(3_600_500), at(0), at(10));
        let (_, high) = clock.difference().unwrap();
        assert!(high <= TimeDelta::seconds(1));
    }

    #[test]
    fn contradictions_widen() {
        let clock = clock();
        clock.learn_date(at(0), at(0), at(10));
        clock.learn_date(at(60_000), at(0), at(10));
        let (low, high) = clock.difference().unwrap();
        assert!(low <= TimeDelta::zero() && high >= TimeDelta::seconds(60));
    }
}
