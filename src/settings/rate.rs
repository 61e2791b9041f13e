//! How fast requests go out.

use std::str::FromStr;
use std::time::Duration;

/// How many requests go out in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The time from one request to the next.
    pub period: Duration,
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write 8/s, 100/m or 900/h".to_owned();
        let (number, unit) = text.split_once('/').ok_or_else(wrong)?;
        let number: f64 = number.trim().parse().map_err(|_| wrong())?;
        let unit = match unit.trim() {
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            _ => return Err(wrong()),
        };
        let period = Duration::try_from_secs_f64(unit / number).map_err(|_| wrong())?;
        if period.is_zero() || period > Duration::from_secs(3600) {
            return Err("at least one an hour, and not a billion a second".to_owned());
        }
        Ok(Self { period })
    }
}
