//! The one clock of the server, which may be wrong on purpose.

use super::deviations::Deviations;
use crate::reference::variations::Variation;
use chrono::{DateTime, TimeDelta, Utc};

/// Tells the time, in microseconds: a server keeps no more.
#[derive(Debug)]
pub(super) struct Clock {
    ahead: TimeDelta,
}

impl Clock {
    pub(super) fn new(d: &Deviations) -> Self {
        let mut ahead = TimeDelta::zero();
        if d.variation(Variation::ClockAhead) || d.variation(Variation::ClockAheadUndated) {
            ahead += TimeDelta::seconds(90);
        }
        if d.variation(Variation::ClockBehind) || d.variation(Variation::ClockBehindUndated) {
            ahead -= TimeDelta::seconds(90);
        }
        Self { ahead }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        let now = Utc::now() + self.ahead;
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }
}
