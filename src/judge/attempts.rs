//! Every attempt of a run in a few bytes, and what their gateway errors show.
//!
//! A gateway before a server answers 502, 503 and 504 by itself, while the server is restarted or has too much to do. So
//! a few of them are fair, and more are not. Those from before the pace was found are left out, and so are those of
//! requests that were in progress when a burst of them began. If their share fell with the pace, a rate limit is the
//! reason.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::exchange::{Attempt, Trouble};

/// This number of gateway errors is fair in a run of any length.
const FAIR: u64 = 8;
/// In a longer run, this percentage of its attempts is fair.
const FAIR_PERCENT: u64 = 5;
/// This number of errors in a row is a burst.
const BURST: usize = 3;
/// Up to so many bursts of a run count once each, whatever number of requests they met.
const OUTAGES: usize = 3;
/// By which factor the share must have fallen with the pace for a rate limit to be the reason, and in how many
/// attempts.
const FALLEN: u64 = 3;
const TELLING: usize = 20;

/// Every attempt of a run.
#[derive(Debug, Default)]
pub struct Attempts(Vec<Brief>);

/// An attempt in few bytes: there may be a million.
#[derive(Clone, Copy, Debug)]
struct Brief {
    /// When it was sent, in microseconds.
    sent: i64,
    /// How long it took, in microseconds.
    took: u32,
    /// How often the pace had fallen when it was answered.
    falls: u16,
    trouble: Option<Trouble>,
}

impl Brief {
    fn is_gateway(&self) -> bool {
        self.trouble == Some(Trouble::Gateway)
    }

    fn ended(&self) -> i64 {
        self.sent + i64::from(self.took)
    }
}

/// How many attempts met which trouble.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Troubles {
    /// 502, 503 and 504.
    pub gateway: u64,
    /// Of these, how many count: not from before the pace was found, not under way when a burst began, not a limit's.
    pub gateway_counted: u64,
    /// Other server errors.
    pub server_error: u64,
    /// Connections that were closed or reset before the answer was complete.
    pub broken: u64,
    /// No complete response within the time limit.
    pub silence: u64,
}

impl Troubles {
    /// How many gateway errors are fair in this number of attempts.
    pub fn fair(attempts: u64) -> u64 {
        FAIR.max(attempts * FAIR_PERCENT / 100)
    }

    /// What was expected and what came, for this number of gateway errors that count.
    pub fn text(counted: u64, attempts: u64) -> (String, String) {
        let expected = format!("502, 503 and 504 at most {} times in {attempts} requests", Self::fair(attempts));
        (expected, format!("{counted} times"))
    }

    /// How many there were in all.
    pub fn all(&self) -> u64 {
        self.gateway + self.server_error + self.broken + self.silence
    }

    /// Those of two parts of a run.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            gateway: self.gateway + other.gateway,
            gateway_counted: self.gateway_counted + other.gateway_counted,
            server_error: self.server_error + other.server_error,
            broken: self.broken + other.broken,
            silence: self.silence + other.silence,
        }
    }
}

impl Attempts {
    /// Adds an attempt, which was answered when the pace had fallen so often.
    pub fn add(&mut self, attempt: &Attempt, falls: u32) {
        self.0.push(Brief {
            sent: attempt.sent.timestamp_micros(),
            took: u32::try_from(attempt.elapsed.as_micros()).unwrap_or(u32::MAX),
            falls: u16::try_from(falls).unwrap_or(u16::MAX),
            trouble: attempt.trouble(),
        });
    }

    /// The share of them that met a gateway error, from 0 to 1.
    pub fn gateway_share(&self) -> f64 {
        let met = self.0.iter().filter(|brief| brief.is_gateway()).count();
        met as f64 / self.0.len().max(1) as f64
    }

    /// The trouble that they met. `fell` is when the pace first fell, if it did; `fell_ill` tells whether the run was ended
    /// since the server answered with errors only: then the last burst is why it ended, and how many of it there are depends
    /// on how many requests were under way.
    pub fn troubles(&self, fell: Option<DateTime<Utc>>, fell_ill: bool) -> Troubles {
        let count = |trouble| self.0.iter().filter(|brief| brief.trouble == Some(trouble)).count() as u64;
        Troubles {
            gateway: count(Trouble::Gateway),
            gateway_counted: self.counted(fell, fell_ill),
            server_error: count(Trouble::ServerError),
            broken: count(Trouble::Broken),
            silence: count(Trouble::Silence),
        }
    }

    fn counted(&self, fell: Option<DateTime<Utc>>, fell_ill: bool) -> u64 {
        let mut all = self.0.clone();
        all.sort_by_key(|brief| brief.sent);
        if fell_ill {
            let last = all.iter().rposition(|brief| brief.trouble.is_none());
            all.truncate(last.map_or(0, |last| last + 1));
        }
        if is_limit(&all) {
            return 0;
        }
        let settled = fell.map_or(i64::MIN, |at| at.timestamp_micros());
        let (mut counted, mut bursts) = (0, 0);
        for run in all.chunk_by(|a, b| a.is_gateway() == b.is_gateway()).filter(|run| run[0].is_gateway()) {
            // Requests in progress when the first of a burst was answered show no more than that one.
            let began = run.iter().map(Brief::ended).min().filter(|_| run.len() >= BURST);
            let counts = |brief: &&Brief| brief.sent >= settled && began.is_none_or(|began| brief.sent > began);
            let many = run.iter().filter(counts).count() as u64;
            bursts += usize::from(run.len() >= BURST);
            // How many requests a burst met depends on how fast they are sent. Many of them are no outage any more.
            let is_outage = run.len() >= BURST && bursts <= OUTAGES;
            counted += if is_outage { many.min(1) } else { many };
        }
        counted
    }
}

/// Whether the share of gateway errors fell when the pace did.
fn is_limit(all: &[Brief]) -> bool {
    let last = all.iter().map(|brief| brief.falls).max().unwrap_or(0);
    let (after, before): (Vec<&Brief>, Vec<&Brief>) = all.iter().partition(|brief| brief.falls == last);
    if last == 0 || after.len() < TELLING || before.len() < TELLING {
        return false;
    }
    let errors = |part: &[&Brief]| part.iter().filter(|brief| brief.is_gateway()).count() as u64;
    errors(&after) * FALLEN * before.len() as u64 <= errors(&before) * after.len() as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::exchange::{Interval, Outcome, Response};

    /// Attempts that were sent so many milliseconds after the first, took so many, and were answered so.
    fn attempts(all: impl IntoIterator<Item = (i64, u64, u16, u32)>) -> Attempts {
        let mut attempts = Attempts::default();
        for (sent, took, status, falls) in all {
            let sent = DateTime::from_timestamp_millis(sent).unwrap();
            let outcome = Outcome::Response(Response::new(status, Vec::new(), bytes::Bytes::new()));
            let attempt = Attempt::only(sent, Duration::from_millis(took), Interval::exact(sent), outcome);
            attempts.add(&attempt, falls);
        }
        attempts
    }

    fn counted(all: impl IntoIterator<Item = (i64, u64, u16, u32)>) -> u64 {
        attempts(all).troubles(None, false).gateway_counted
    }

    #[test]
    fn single_ones_count() {
        assert_eq!(counted((0..100).map(|n| (n * 10, 5, if n % 5 == 0 { 503 } else { 201 }, 0))), 20);
    }

    #[test]
    fn a_burst_counts_once() {
        // Sixteen in progress when the gateway began to refuse, and two more after.
        let burst = (0..16).map(|n| (1000 + n, 50, 502, 0)).chain([(1100, 5, 502, 0), (1110, 5, 502, 0)]);
        let calm = (0..50).map(|n| (n * 10, 5, 201, 0)).chain((0..50).map(|n| (2000 + n * 10, 5, 201, 0)));
        assert_eq!(counted(calm.clone().chain(burst)), 1);
        // However fast requests are sent meanwhile.
        let long = (0..60).map(|n| (1000 + n * 10, 5, 502, 0));
        assert_eq!(counted(calm.chain(long)), 1);
        // Three in each thirty, for long, is how the server is.
        let often = (0..600).map(|n| (n * 10, 5, if n % 30 < 3 { 503 } else { 201 }, 0));
        let met = counted(often);
        assert!(met > Troubles::fair(600), "{met}");
    }

    #[test]
    fn the_burst_that_ends_a_run_does_not() {
        let all = || {
            let calm = (0..50).map(|n| (n * 10, 5, if n == 7 { 502 } else { 201 }, 0));
            calm.chain((0..30).map(|n| (1000 + n * 10, 5, 502, 0)))
        };
        assert_eq!(counted(all()), 2);
        assert_eq!(attempts(all()).troubles(None, true).gateway_counted, 1);
    }

    #[test]
    fn a_share_that_falls_with_the_pace_is_a_limit() {
        let share = |every: i64| {
            let fast = (0..60).map(|n| (n, 5, if n % 3 == 0 { 503 } else { 201 }, 0));
            let slow = (0..60).map(move |n| (1000 + n * 100, 5, if n % every == 0 { 503 } else { 201 }, 1));
            counted(fast.chain(slow))
        };
        assert_eq!(share(60), 0);
        // One that was refused before the pace fell says nothing of a share.
        let early = [(0, 5, 503, 0)]
            .into_iter()
            .chain((0..100).map(|n| (10 + n * 10, 5, if n % 4 == 0 { 503 } else { 201 }, 1)));
        assert!(counted(early) > 20);
        let all = (0..100).map(|n| (n * 10, 5, if n % 4 == 0 { 503 } else { 201 }, 1));
        assert_eq!(counted(all), 25);
        assert!(share(3) > 8, "{}", share(3));
    }

    #[test]
    fn a_twentieth_is_fair() {
        assert_eq!((Troubles::fair(10), Troubles::fair(400)), (8, 20));
    }
}
