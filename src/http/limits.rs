//! What responses say of the server's rate limits: how long to wait, and how many requests are left.

use std::time::{Duration, SystemTime};

use crate::exchange::Response;

/// From this number on, a reset is a Unix time rather than a number of seconds from now.
const EPOCH: u64 = 1_000_000_000;
/// The longest wait for the reset of a quota: a quota per hour must not make a run wait for an hour.
const SOON: Duration = Duration::from_secs(60);

/// How long the server asks to wait, if it does: with 425 and 429, and with 503 if it has `Retry-After`. The inner
/// value is None where it does not say how long.
pub(super) fn asked_delay(response: &Response) -> Option<Option<Duration>> {
    match response.status {
        425 | 429 => Some(wait(response)),
        503 => wait(response).map(Some),
        _ => None,
    }
}

/// How long a 403 asks to wait, where it may be from a rate limiter: it says when to retry, or that none are left.
pub fn forbidden_for_now(response: &Response) -> Option<Duration> {
    let is_spent = allowance(response).is_some_and(|(left, _)| left == 0);
    match wait(response) {
        _ if response.status != 403 => None,
        Some(delay) => Some(delay),
        None if is_spent => Some(allowance(response)?.1),
        None => None,
    }
}

/// How long nothing more is to be sent, because a quota that is renewed soon is used up.
pub(super) fn spent(response: &Response) -> Option<Duration> {
    let (left, reset) = allowance(response)?;
    (left == 0 && reset <= SOON).then_some(reset)
}

/// The wait that `Retry-After` asks for.
fn wait(response: &Response) -> Option<Duration> {
    response.header("retry-after").and_then(|v| retry_after(v, now(response)))
}

/// Now by the server's clock, which its dates refer to.
fn now(response: &Response) -> SystemTime {
    let now = response.header("date").and_then(|d| httpdate::parse_http_date(d).ok());
    now.unwrap_or_else(SystemTime::now)
}

/// How many requests are left, and how long until there are more.
fn allowance(response: &Response) -> Option<(u64, Duration)> {
    let number = |text: &str| text.trim().split(['.', ',']).next()?.parse::<u64>().ok();
    let named = |part: &str| {
        ["ratelimit-", "x-ratelimit-", "x-rate-limit-"]
            .iter()
            .find_map(|start| response.header(&format!("{start}{part}")))
    };
    let (left, reset) = match (named("remaining"), named("reset")) {
        (Some(left), Some(reset)) => (number(left)?, number(reset)?),
        // Both in one field, as `limit=100, remaining=50, reset=5` or `"default";r=50;t=5`.
        _ => {
            let text = response.header("ratelimit")?;
            let part = |names: [&str; 2]| {
                let parts = text.split([',', ';']).filter_map(|part| part.trim().split_once('='));
                parts.into_iter().find(|(name, _)| names.contains(name)).and_then(|(_, value)| number(value))
            };
            (part(["remaining", "r"])?, part(["reset", "t"])?)
        }
    };
    let seconds = match reset {
        EPOCH.. => {
            let now = now(response).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            reset.saturating_sub(now.as_secs())
        }
        seconds => seconds,
    };
    Some((left, Duration::from_secs(seconds)))
}

/// The delay that a `Retry-After` header asks for: seconds, or an HTTP date.
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // A number that does not fit is longer than any wait.
        return Some(value.parse().map_or(Duration::MAX, Duration::from_secs));
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
        for text in ["soon", "", "-1", "+1", "1.5"] {
            assert_eq!(retry_after(text, now), None, "{text}");
        }
        assert_eq!(retry_after("99999999999999999999", now), Some(Duration::MAX));
        assert_eq!(retry_after(&httpdate::fmt_http_date(SystemTime::UNIX_EPOCH), now), Some(Duration::ZERO));
    }

    fn answer(status: u16, headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Response::new(status, headers, bytes::Bytes::new())
    }

    #[test]
    fn reads_allowances() {
        let seconds = |s| Some((0, Duration::from_secs(s)));
        let read = |headers: &[(&str, &str)]| allowance(&answer(200, headers));
        assert_eq!(read(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "7")]), seconds(7));
        assert_eq!(read(&[("ratelimit", "limit=100, remaining=0, reset=5")]), seconds(5));
        assert_eq!(read(&[("ratelimit", "\"default\";r=0;t=30")]), seconds(30));
        let date = ("date", "Sun, 09 Sep 2001 01:46:40 GMT");
        assert_eq!(read(&[date, ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1000000009")]), seconds(9));
        assert_eq!(read(&[("x-ratelimit-remaining", "0")]), None);
    }

    #[test]
    fn an_allowance_of_an_hour_is_not_waited_for() {
        let spent = |reset| spent(&answer(200, &[("ratelimit-remaining", "0"), ("ratelimit-reset", reset)]));
        assert_eq!((spent("60"), spent("3600")), (Some(SOON), None));
    }

    #[test]
    fn a_403_is_a_limit_only_where_it_says_so() {
        assert_eq!(forbidden_for_now(&answer(403, &[])), None);
        assert_eq!(forbidden_for_now(&answer(403, &[("retry-after", "1")])), Some(Duration::from_secs(1)));
        assert_eq!(forbidden_for_now(&answer(404, &[("retry-after", "1")])), None);
    }
}
