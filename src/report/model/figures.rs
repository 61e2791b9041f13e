//! A run's figures as the report shows them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::judge::attempts::Troubles;
use crate::run;

/// Figures of a run. Times are in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Requests that were sent, repetitions included.
    pub requests: u64,
    /// Repetitions, after a broken connection or when asked to wait.
    pub retries: u64,
    /// Requests that were accepted.
    pub accepted: u64,
    /// Records that were created, as far as the answers tell.
    #[serde(default)]
    pub created: u64,
    /// Requests without an answer, or answered with a server error, that may have created one.
    #[serde(default)]
    pub uncertain: u64,
    /// Requests that the server refused for the pace.
    #[serde(default)]
    pub refused: u64,
    /// What trouble requests met that may be the network's or a gateway's.
    #[serde(default)]
    pub troubles: Troubles,
    /// Requests a second that the target was found to take; null where it did not bring the pace down.
    #[serde(default)]
    pub pace_per_second: Option<f64>,
    /// How long all waited because the server asked for it.
    pub waited_ms: u64,
    /// How long the run took.
    pub elapsed_ms: u64,
    /// How long answers took; null where nothing was sent.
    pub latency: Option<Latency>,
    /// The requirements whose requests took longest, the slowest first; `pool` for the shared pool.
    #[serde(default)]
    pub slowest: Vec<Slow>,
    /// The most requests that were under way at once.
    pub most_at_once: u64,
    /// The server's clock minus ours; null where it did not tell.
    pub clock: Option<ClockDifference>,
}

/// A requirement and its slowest answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slow {
    /// The requirement's id; `pool` for the shared pool.
    pub requirement: String,
    /// How long its slowest answer took, in milliseconds.
    pub max_ms: f64,
}

/// How long answers took, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of them took no longer.
    pub p50_ms: f64,
    /// Nine in ten took no longer.
    pub p90_ms: f64,
    /// 99 in a hundred took no longer.
    pub p99_ms: f64,
    /// None took longer.
    pub max_ms: f64,
}

/// The server's clock minus ours lies between these, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockDifference {
    /// Not less.
    pub low_ms: i64,
    /// Not more.
    pub high_ms: i64,
}

impl Figures {
    /// What trouble requests met, in a line; None if they met none.
    pub fn unsteady(&self) -> Option<String> {
        let t = &self.troubles;
        let all = [
            (t.gateway, "answered 502 to 504"),
            (t.server_error, "answered another server error"),
            (t.broken, "lost their connection"),
            (t.silence, "got no whole answer in time"),
        ];
        let parts: Vec<String> =
            all.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} of {} {what}", self.requests)).collect();
        (!parts.is_empty()).then(|| format!("not steady: {}; what met that was tried again", parts.join(", ")))
    }

    /// What was learnt of the server's limit, in a line; None if nothing.
    pub fn limit(&self) -> Option<String> {
        // Of a slow limit, less than one request a second is said by the hour; rounded down, so that it is kept.
        let per_second = self.pace_per_second?;
        let (rate, unit, word) = match per_second >= 1.0 {
            true => ((10.0 * per_second).floor() / 10.0, "s", "second"),
            false => ((3600.0 * per_second).floor(), "h", "hour"),
        };
        // Without a refusal it was something else, such as errors of a gateway, for which it was slowed down.
        Some(match self.refused {
            0 => format!("the pace fell to about {rate} requests per {word}, since the server did not answer all"),
            refused => format!(
                "the server accepted about {rate} requests per {word}, and refused {}; --rate {rate}/{unit} avoids that",
                crate::report::text::counted(refused, "request")
            ),
        })
    }
}

impl From<&run::Figures> for Figures {
    fn from(figures: &run::Figures) -> Self {
        let mut latencies = figures.latencies.clone();
        latencies.sort_unstable();
        // The least time within which so many in a hundred came.
        let within = |percent: usize| {
            let place = (latencies.len() * percent).div_ceil(100).saturating_sub(1);
            latencies.get(place).map_or(0.0, |time| millis(u128::from(*time)))
        };
        Self {
            requests: figures.requests,
            retries: figures.retries,
            accepted: figures.accepted,
            created: figures.created,
            uncertain: figures.uncertain,
            refused: figures.refused,
            troubles: figures.troubles,
            pace_per_second: figures.pace.map(|period| (1000.0 / period.as_secs_f64()).floor() / 1000.0),
            waited_ms: whole(figures.waited),
            elapsed_ms: whole(figures.elapsed),
            latency: (!latencies.is_empty()).then(|| Latency {
                p50_ms: within(50),
                p90_ms: within(90),
                p99_ms: within(99),
                max_ms: within(100),
            }),
            slowest: figures
                .slowest
                .iter()
                .map(|(id, longest)| Slow { requirement: id.clone(), max_ms: millis(longest.as_micros()) })
                .collect(),
            most_at_once: u64::try_from(figures.most_at_once).unwrap_or(u64::MAX),
            clock: figures.clock.map(|(low, high)| ClockDifference {
                low_ms: low.num_milliseconds(),
                high_ms: high.num_milliseconds(),
            }),
        }
    }
}

fn whole(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Microseconds as milliseconds; beyond 71 minutes without the fraction.
pub(in crate::report) fn millis(micros: u128) -> f64 {
    match u32::try_from(micros) {
        Ok(micros) => f64::from(micros) / 1000.0,
        Err(_) => f64::from(u32::try_from(micros / 1000).unwrap_or(u32::MAX)),
    }
}
