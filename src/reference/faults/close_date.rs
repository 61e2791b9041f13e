//! Hooks of the check of the close date.

use super::Fault;
use crate::reference::asked::CLOSE_DATE;
use crate::reference::asked::CloseDate;
use crate::reference::deviations::Deviations;
use crate::reference::refusal::{Break, Failure, Reason, Refusal};
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde_json::Value;

/// The last instant that 32-bit and 64-bit counts of seconds and nanoseconds since 1970 reach.
pub(super) const LAST_32_BIT_SECOND: i64 = i32::MAX as i64;
const LAST_64_BIT_NANOSECOND: i64 = i64::MAX / 1_000_000_000;

/// What a close date is refused for that is spelled well.
pub(in crate::reference) fn refused_though(
    d: &Deviations,
    text: &str,
    read: DateTime<FixedOffset>,
) -> Result<(), Failure> {
    if d.fault(Fault::CloseDateBeyond2038Breaks) && read.timestamp() > LAST_32_BIT_SECOND {
        return Err(Break::Error.into());
    }
    let fraction = text.split_once('.').map(|(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
    let refused = d.fault(Fault::CloseDateOffsetRefused) && !text.ends_with(['Z', 'z'])
        || d.fault(Fault::CloseDateWestRefused) && read.offset().local_minus_utc() < 0
        || d.fault(Fault::CloseDateFractionRefused) && fraction.is_some()
        || d.fault(Fault::CloseDateFractionNeeded) && fraction.is_none()
        || d.fault(Fault::CloseDateMillisecondsOnly) && fraction.is_some_and(|digits| digits != 3)
        || d.fault(Fault::CloseDateLeapDayRefused) && is_leap_day(&read.date_naive())
        || d.fault(Fault::CloseDateBeyond2038Refused) && read.timestamp() > LAST_32_BIT_SECOND
        || d.fault(Fault::CloseDateBeyond2262Refused) && read.timestamp() > LAST_64_BIT_NANOSECOND;
    if refused { Err(Refusal::invalid(CLOSE_DATE, "is not a date that is taken here").into()) } else { Ok(()) }
}

pub(super) fn is_leap_day(date: &NaiveDate) -> bool {
    (date.month(), date.day()) == (2, 29)
}

/// The instant as it is read.
pub(in crate::reference) fn misread(d: &Deviations, read: DateTime<FixedOffset>) -> DateTime<FixedOffset> {
    let seconds = read.offset().local_minus_utc();
    let seconds = if d.fault(Fault::CloseDateOffsetNegated) {
        -seconds
    } else if d.fault(Fault::CloseDateOffsetMinutesLost) {
        seconds / 3600 * 3600
    } else {
        return read;
    };
    let offset = FixedOffset::east_opt(seconds);
    offset.and_then(|offset| read.naive_local().and_local_timezone(offset).single()).unwrap_or(read)
}

/// The instant as it is compared with the clock.
pub(in crate::reference) fn compared(d: &Deviations, read: DateTime<FixedOffset>) -> DateTime<Utc> {
    if d.fault(Fault::CloseDateOffsetIgnored) { read.naive_local().and_utc() } else { read.to_utc() }
}

/// The instant that a close date has to lie after.
pub(in crate::reference) fn earliest(d: &Deviations, now: DateTime<Utc>) -> DateTime<Utc> {
    let shifts = [
        (Fault::CloseDateDayOfGrace, -24),
        (Fault::CloseDateHourOfGrace, -1),
        (Fault::CloseDateComparedByDay, -12),
        (Fault::CloseDateTodayRefused, 12),
        (Fault::CloseDateHourAheadNeeded, 1),
    ];
    if d.fault(Fault::CloseDatePastAccepted) {
        return DateTime::<Utc>::MIN_UTC;
    }
    match shifts.iter().find(|(fault, _)| d.fault(*fault)) {
        Some((_, hours)) => now + TimeDelta::hours(*hours),
        None => now,
    }
}

/// What a close date is taken for that cannot be read.
pub(in crate::reference) fn unreadable(
    d: &Deviations,
    json: &Value,
    refusal: Refusal,
) -> Result<Option<CloseDate>, Failure> {
    let is_text = refusal.reason != Reason::WrongType;
    if is_text && d.fault(Fault::CloseDateGarbageBreaks) {
        return Err(Break::Error.into());
    }
    let text = json.as_str().unwrap_or_default();
    if is_text && d.fault(Fault::CloseDateGarbageAccepted)
        || is_text && text.trim().is_empty() && d.fault(Fault::CloseDateEmptyAccepted)
    {
        return Ok(None);
    }
    let instant = if d.fault(Fault::CloseDateDateOnlyAccepted) {
        text.parse::<NaiveDate>().ok().map(|date| date.and_time(NaiveTime::MIN).and_utc())
    } else if d.fault(Fault::CloseDateNumberAccepted) {
        json.as_f64().and_then(since_1970)
    } else if d.fault(Fault::CloseDateImpossibleDayRolled) {
        rolled(text)
    } else {
        None
    };
    match instant {
        Some(instant) => Ok(Some(CloseDate { instant: instant.fixed_offset(), text: text.to_owned() })),
        None => Err(refusal.into()),
    }
}

/// Seconds, or milliseconds if they would lie far beyond any date.
#[expect(clippy::cast_possible_truncation, reason = "a cast of a float stops at the bounds, which are no dates")]
fn since_1970(number: f64) -> Option<DateTime<Utc>> {
    let milliseconds = if number.abs() > 1e11 { number } else { number * 1000.0 };
    DateTime::from_timestamp_millis(milliseconds as i64)
}

/// As many days after the start of the month as the text says.
fn rolled(text: &str) -> Option<DateTime<Utc>> {
    let day: i64 = text.get(8..10)?.parse().ok()?;
    let first = format!("{}01{}", text.get(..8)?, text.get(10..)?);
    let first = DateTime::parse_from_rfc3339(&first).ok()?;
    (1..=31).contains(&day).then(|| first.to_utc() + TimeDelta::days(day - 1))
}
