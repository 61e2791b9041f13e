//! How fast requests go out.

use std::str::FromStr;
use std::time::Duration;

/// How many requests go out in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The time from one request to the next.
    pub period: Duration,
}

/// Why a text is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// It is no number for a unit of time.
    #[error("write 8/s, 100/m or 900/h")]
    Form,
    /// It is slower or faster than any that makes sense.
    #[error("use at least one request an hour, and less than a billion a second")]
    Range,
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let (number, unit) = text.split_once('/').ok_or(RateError::Form)?;
        let number: f64 = number.trim().parse().map_err(|_| RateError::Form)?;
        let unit = match unit.trim() {
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            _ => return Err(RateError::Form),
        };
        let period = Duration::try_from_secs_f64(unit / number).map_err(|_| RateError::Form)?;
        if period.is_zero() || period > Duration::from_secs(3600) {
            return Err(RateError::Range);
        }
        Ok(Self { period })
    }
}
