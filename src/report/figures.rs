//! A run's figures as the report shows them.

use std::time::Duration;

use super::model::{ClockDifference, Figures, Latency, Slow};
use crate::run;

impl From<&run::Figures> for Figures {
    fn from(figures: &run::Figures) -> Self {
        let latencies = &figures.latencies;
        let at = |quantile| millis(u128::from(latencies.value_at_quantile(quantile)));
        Self {
            requests: figures.requests,
            retries: figures.retries,
            accepted: figures.accepted,
            created: figures.created,
            uncertain: figures.uncertain,
            waited_ms: whole(figures.waited),
            elapsed_ms: whole(figures.elapsed),
            latency: (!latencies.is_empty()).then(|| Latency {
                p50_ms: at(0.5),
                p90_ms: at(0.9),
                p99_ms: at(0.99),
                max_ms: millis(u128::from(latencies.max())),
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
pub(super) fn millis(micros: u128) -> f64 {
    match u32::try_from(micros) {
        Ok(micros) => f64::from(micros) / 1000.0,
        Err(_) => f64::from(u32::try_from(micros / 1000).unwrap_or(u32::MAX)),
    }
}
