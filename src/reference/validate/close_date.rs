//! The close date: an RFC 3339 date-time that lies in the future.

use crate::reference::Variation;
use crate::reference::asked::{CLOSE_DATE, CloseDate};
use crate::reference::deviations::Deviations;
use crate::reference::faults::close_date as hook;
use crate::reference::refusal::{Failure, Refusal};
use crate::reference::server_state::ServerState;
use chrono::{DateTime, Datelike, FixedOffset, SubsecRound, TimeDelta, Timelike, Utc};
use serde_json::Value;
use std::borrow::Cow;

pub(super) fn read(server: &ServerState, json: &Value) -> Result<Option<CloseDate>, Failure> {
    let d = &server.deviations;
    let refusal = match json {
        Value::String(text) => match spelled(d, text) {
            Some(instant) => {
                hook::refused_though(d, text, instant)?;
                let instant = hook::misread(d, text, instant);
                in_future(server, instant)?;
                return Ok(Some(CloseDate { instant: instant.trunc_subsecs(6), text: text.clone() }));
            }
            None => Refusal::invalid(CLOSE_DATE, "is not a date-time of RFC 3339"),
        },
        _ => Refusal::wrong_type(CLOSE_DATE, "a string"),
    };
    hook::unreadable(d, json, refusal)
}

/// Reads the close date of an update, which need not lie in the future.
pub(super) fn any(d: &Deviations, json: &Value) -> Result<CloseDate, Failure> {
    let Value::String(text) = json else { return Err(Refusal::wrong_type(CLOSE_DATE, "a string").into()) };
    match spelled(d, text) {
        Some(instant) => Ok(CloseDate { instant: instant.trunc_subsecs(6), text: text.clone() }),
        None => Err(Refusal::invalid(CLOSE_DATE, "is not a date-time of RFC 3339").into()),
    }
}

fn in_future(server: &ServerState, instant: DateTime<FixedOffset>) -> Result<(), Refusal> {
    let d = &server.deviations;
    let margin = if d.variation(Variation::CloseDateMinutesAheadNeeded) {
        TimeDelta::minutes(9)
    } else if d.variation(Variation::CloseDateMinuteOfGrace) {
        TimeDelta::minutes(-1)
    } else {
        TimeDelta::zero()
    };
    let earliest = hook::earliest(d, server.clock.now() + margin);
    if hook::compared(d, instant) <= earliest {
        return Err(Refusal::invalid(CLOSE_DATE, "is not in the future"));
    }
    if d.variation(Variation::CloseDateBefore2500) && instant.year() >= 2500 {
        return Err(Refusal::invalid(CLOSE_DATE, "is too far away"));
    }
    Ok(())
}

/// The instant, if it is spelled as this server reads them.
fn spelled(d: &Deviations, text: &str) -> Option<DateTime<FixedOffset>> {
    let text = if d.variation(Variation::CloseDateSpellingsLoose) { loosely(text) } else { Cow::Borrowed(text) };
    if d.variation(Variation::CloseDateSpellingsStrict) {
        let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if text.contains(['t', 'z']) || text.get(17..19) == Some("60") || digits > 6 {
            return None;
        }
    }
    instant(&text)
}

/// Reads RFC 3339 to the letter of its grammar, where the parser beneath is more generous.
pub(in crate::reference) fn instant(text: &str) -> Option<DateTime<FixedOffset>> {
    if !text.is_ascii() || !matches!(text.as_bytes().get(10), Some(b'T' | b't')) {
        return None;
    }
    let read = DateTime::parse_from_rfc3339(text).ok()?;
    let utc = read.with_timezone(&Utc);
    let read = if read.nanosecond() < 1_000_000_000 {
        read
    } else if (utc.hour(), utc.minute()) == (23, 59) {
        // A leap second is told as the second after it, which every reader of the answer knows.
        let next = DateTime::from_timestamp(read.timestamp() + 1, read.nanosecond() - 1_000_000_000)?;
        next.with_timezone(read.offset())
    } else {
        return None;
    };
    // An offset may lead out of the years that have four digits.
    (0..=9999).contains(&read.with_timezone(&Utc).year()).then_some(read)
}

/// Brings looser spellings into the form of RFC 3339: a space, no zone, an offset without its colon.
fn loosely(text: &str) -> Cow<'_, str> {
    let Some((date, time)) = text.split_once([' ', 'T', 't']).filter(|_| text.is_ascii()) else {
        return Cow::Borrowed(text);
    };
    let zone = time.find(['+', '-', 'Z', 'z']).and_then(|at| time.split_at_checked(at));
    Cow::Owned(match zone {
        None => format!("{date}T{time}Z"),
        Some((time, zone)) if zone.len() == 5 => {
            let (hours, minutes) = zone.split_at(3);
            format!("{date}T{time}{hours}:{minutes}")
        }
        Some((time, zone)) => format!("{date}T{time}{zone}"),
    })
}

#[cfg(test)]
mod tests {
    use super::{instant, loosely};

    #[test]
    fn the_grammar_is_kept_to() {
        for text in [
            "2030-06-01T00:00:00Z",
            "2030-06-01t00:00:00z",
            "2030-06-01T00:00:00.123456789012Z",
            "2032-02-29T12:00:00+05:30",
            "2030-12-31T23:59:60Z",
            "9000-01-01T00:00:00-12:00",
        ] {
            assert!(instant(text).is_some(), "{text}");
        }
        for text in [
            "",
            "2030-06-01",
            "2030-06-01 00:00:00Z",
            "2030-06-01T00:00:00",
            "2030-06-01T00:00Z",
            "2030-06-01T00:00:00+0000",
            "2030-06-01T00:00:00.Z",
            "2030-06-01T00:00:00Z ",
            " 2030-06-01T00:00:00Z",
            "2030-06-01T24:00:00Z",
            "2030-06-01T12:00:60Z",
            "2030-13-01T00:00:00Z",
            "2031-02-29T00:00:00Z",
            "9999-12-31T23:59:59-01:00",
            "+2030-06-01T00:00:00Z",
            "2030-06-01T00:00:00\u{2212}01:00",
        ] {
            assert!(instant(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_leap_second_is_the_start_of_the_next_minute() {
        assert_eq!(instant("2030-12-31T23:59:60Z"), instant("2031-01-01T00:00:00Z"));
        assert_eq!(instant("2031-01-01T00:59:60.5+01:00"), instant("2031-01-01T00:00:00.5Z"));
    }

    #[test]
    fn loose_spellings_are_mended() {
        for text in ["2030-06-01 00:00:00Z", "2030-06-01T00:00:00", "2030-06-01T00:00:00+0000"] {
            assert_eq!(instant(&loosely(text)), instant("2030-06-01T00:00:00Z"), "{text}");
        }
        assert!(instant(&loosely("not a date")).is_none());
    }
}
