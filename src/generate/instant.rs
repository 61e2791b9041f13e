//! Instants near to and far from now, on both sides, in every spelling that every reader must accept.

use chrono::{DateTime, FixedOffset, SecondsFormat, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::select;

use crate::contract::template::{Spelling, Template, When};

/// Offsets in use, and the widest; `None` is `Z`.
const OFFSETS: &[Option<i32>] = &[
    None,
    Some(0),
    Some(3600),
    Some(-5 * 3600),
    Some(5 * 3600 + 45 * 60),
    Some(-9 * 3600 - 30 * 60),
    Some(14 * 3600),
    Some(-12 * 3600),
];

/// Instants as distances from now, log scaled from a minute to some centuries; mostly ahead.
pub fn instants() -> impl Strategy<Value = Template> {
    let distance = (18_u32..=100).prop_map(|tenths| 10_f64.powf(f64::from(tenths) / 10.0));
    (
        distance,
        prop::bool::weighted(0.25),
        select(OFFSETS),
        prop::sample::select(&[0_u8, 3, 6, 1, 2, 4, 5][..]),
        0_i64..1_000_000,
    )
        .prop_map(|(seconds, past, offset, digits, micros)| {
            // The distance is no finer than the text, so that different distances have different texts.
            let micros = micros - micros % 10_i64.pow(6 - u32::from(digits));
            #[expect(clippy::cast_possible_truncation, reason = "at most 10^10 seconds")]
            let seconds = TimeDelta::seconds(seconds as i64) + TimeDelta::microseconds(micros);
            Template::Instant {
                when: When::FromNow(if past { -seconds } else { seconds }),
                spelling: Spelling { offset: offset.and_then(FixedOffset::east_opt), digits, day: false },
            }
        })
}

/// Whole days as distances from now, log scaled from three days to some centuries; mostly ahead. The
/// days around the present one are left out: which day that is depends on the time zone.
pub fn days() -> impl Strategy<Value = Template> {
    let distance = (55_u32..=100).prop_map(|tenths| 10_f64.powf(f64::from(tenths) / 10.0));
    (distance, prop::bool::weighted(0.25)).prop_map(|(seconds, past)| {
        #[expect(clippy::cast_possible_truncation, reason = "at most 10^10 seconds")]
        let distance = TimeDelta::days(seconds as i64 / 86_400);
        Template::Instant {
            when: When::FromNow(if past { -distance } else { distance }),
            spelling: Spelling { offset: None, digits: 0, day: true },
        }
    })
}

/// Writes an instant in RFC 3339 format.
pub fn spell(instant: DateTime<Utc>, spelling: Spelling) -> String {
    let zone = spelling
        .offset
        .unwrap_or_else(|| FixedOffset::east_opt(0).unwrap_or_else(|| instant.fixed_offset().offset().to_owned()));
    let local = instant.with_timezone(&zone);
    if spelling.day {
        return local.format("%Y-%m-%d").to_string();
    }
    let nanos = instant.timestamp_subsec_nanos();
    let mut text = local.to_rfc3339_opts(SecondsFormat::Secs, spelling.offset.is_none());
    if spelling.digits > 0 {
        let fraction = format!("{nanos:09}");
        let digits: String =
            fraction.chars().chain(std::iter::repeat('0')).take(usize::from(spelling.digits)).collect();
        // The fraction follows the seconds, which are at the same place in every year of four digits.
        text.insert_str(19, &format!(".{digits}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest! {
        #[test]
        fn what_is_spelt_is_read_back(seconds in 0_i64..200_000_000_000, nanos in 0_u32..1_000_000, offset in select(OFFSETS), digits in 0_u8..=9) {
            let instant = DateTime::from_timestamp(seconds, nanos * 1000).unwrap();
            let text = spell(instant, Spelling { offset: offset.and_then(FixedOffset::east_opt), digits, day: false });
            let read = DateTime::parse_from_rfc3339(&text).unwrap();
            prop_assert!((read.to_utc() - instant).abs() < TimeDelta::seconds(1), "{text}");
            if digits >= 6 {
                prop_assert_eq!(read.to_utc(), instant);
            }
        }
    }
}
