//! A recorded request made new: the same, but for what must not come twice and what has moved with the time.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, TimeDelta};
use regex::bytes::{Captures, Regex};

use crate::exchange::Request;
use crate::generate::draft::KEY_HEADER;
use crate::generate::seed::{RunTag, Seed};

/// An RFC 3339 date-time or full-date that is a whole string of JSON.
static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#""(\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d))?)""#).expect("a pattern")
});

/// What turns recorded requests into those that are sent today. All requests of one trial are renewed with one, so that
/// what was equal stays equal, and what differed still differs in the same characters.
#[derive(Debug)]
pub struct Renewal<'a> {
    /// The marks of the recorded run: of each of its parts.
    pub run_tags: &'a [String],
    /// Today's mark, as long as those.
    pub run_tag: &'a RunTag,
    /// How much later it is today, by the server's clock.
    pub later: TimeDelta,
    /// Which instants the contract speaks of: date-times, days.
    pub instants: Instants,
    /// What stands in the contract as it is, and was not made when it was sent.
    pub written: Written<'a>,
    /// Which renewal of today's this is: each gives other keys.
    pub number: u64,
}

/// What stands in a contract as it is.
#[derive(Clone, Copy)]
pub struct Written<'a> {
    /// Whether a text stands anywhere in it.
    pub anywhere: &'a (dyn Fn(&str) -> bool + Sync),
    /// Idempotency keys.
    pub keys: &'a HashSet<String>,
}

impl std::fmt::Debug for Written<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Written").field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// Which instants a document speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Instants {
    /// Date-times.
    pub times: bool,
    /// Days.
    pub days: bool,
}

impl Instants {
    /// Those that a schema speaks of, at any depth.
    pub fn of(schema: &serde_json::Value) -> Self {
        let parts: Vec<&serde_json::Value> = match schema {
            serde_json::Value::Object(map) => map.values().collect(),
            serde_json::Value::Array(items) => items.iter().collect(),
            _ => Vec::new(),
        };
        let own = Self { times: schema["format"] == "date-time", days: schema["format"] == "date" };
        parts.into_iter().map(Self::of).fold(own, |a, b| Self { times: a.times || b.times, days: a.days || b.days })
    }
}

impl Renewal<'_> {
    /// A recorded request as it is sent today.
    pub fn request(&self, recorded: &Request) -> Request {
        let marked = |text: &String| self.marked(text).into_owned();
        let header = |(name, value): &(String, String)| {
            let value = match name.eq_ignore_ascii_case(KEY_HEADER) {
                true => self.key(value),
                false => self.later(value).unwrap_or_else(|| marked(value)),
            };
            (name.clone(), value)
        };
        Request {
            path: marked(&recorded.path),
            parameters: recorded.parameters.iter().map(|(n, v)| (n.clone(), marked(v))).collect(),
            headers: recorded.headers.iter().map(header).collect(),
            body: recorded.body.as_ref().map(|body| self.body(body).into()),
            ..recorded.clone()
        }
    }

    /// A text with today's run tag.
    fn marked<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.run_tags.iter().find(|mark| text.contains(mark.as_str())) {
            Some(mark) => Cow::Owned(text.replace(mark, self.run_tag.text())),
            None => Cow::Borrowed(text),
        }
    }

    /// A body with today's run tag and instants. What is no UTF-8 is changed no further than that.
    fn body(&self, body: &[u8]) -> Vec<u8> {
        let marked = match std::str::from_utf8(body) {
            Ok(text) => self.marked(text).into_owned().into_bytes(),
            Err(_) => body.to_vec(),
        };
        let later = |found: &Captures<'_>| {
            let instant = std::str::from_utf8(&found[1]).ok().and_then(|text| self.later(text));
            instant.map_or_else(|| found[0].to_vec(), |text| format!("\"{text}\"").into_bytes())
        };
        QUOTED.replace_all(&marked, later).into_owned()
    }

    /// An instant that was made when it was sent, at the same distance from today, in the same spelling. None for what is
    /// no such instant.
    fn later(&self, text: &str) -> Option<String> {
        let is_day = text.len() == 10;
        let wanted = if is_day { self.instants.days } else { self.instants.times };
        if !wanted || (self.written.anywhere)(text) {
            return None;
        }
        if is_day {
            let day = text.parse::<NaiveDate>().ok()?;
            return written(&day.checked_add_signed(TimeDelta::days(nearest(self.later, 86_400)))?.to_string(), "");
        }
        // A leap second is there for its spelling.
        if text.get(17..19)? == "60" {
            return None;
        }
        let instant = DateTime::parse_from_rfc3339(text).ok()?;
        // By whole seconds: the digits of the fraction stay.
        let later = instant.checked_add_signed(TimeDelta::seconds(nearest(self.later, 1)))?.naive_local();
        let separator = text.get(10..11)?;
        let whole = format!("{}{separator}{}", later.format("%Y-%m-%d"), later.format("%H:%M:%S"));
        written(&whole, text.get(19..)?)
    }

    /// A key that no other renewal gives, of the same form: its letters and digits are replaced one by one, each by one of
    /// its kind, those of the mark by today's run tag.
    fn key(&self, key: &str) -> String {
        if self.written.keys.contains(key) {
            return key.to_owned();
        }
        let other = |part: &str| part.chars().map(|c| self.other(c)).collect::<String>();
        // A case may have changed the case of all of it.
        let lower = key.to_ascii_lowercase();
        let found = self.run_tags.iter().find_map(|mark| Some((lower.find(mark)?, mark.len())));
        let Some((at, length)) = found else { return other(key) };
        let (before, rest) = key.split_at(at);
        let (mark, after) = rest.split_at(length);
        let is_upper = mark == mark.to_ascii_uppercase() && mark != mark.to_ascii_lowercase();
        let mark = if is_upper { self.run_tag.text().to_ascii_uppercase() } else { self.run_tag.text().to_owned() };
        format!("{before}{mark}{}", other(after))
    }

    /// The character that stands for another in today's keys.
    fn other(&self, c: char) -> char {
        // What is hexadecimal stays so.
        const KINDS: [&str; 3] = ["0123456789", "abcdef", "ghijklmnopqrstuvwxyz"];
        let lower = c.to_ascii_lowercase();
        let Some(kind) = KINDS.iter().find(|kind| kind.contains(lower)) else { return c };
        // One round through all of its kind, so that none stays what it was.
        let mut round: Vec<char> = kind.chars().collect();
        let place = |c: &char| Seed(self.number).pick(&format!("{}/{c}", self.run_tag.text()), 0, usize::MAX);
        round.sort_by_key(place);
        let at = round.iter().position(|r| *r == lower).unwrap_or_default();
        let other = round[(at + 1) % round.len()];
        if c.is_ascii_uppercase() { other.to_ascii_uppercase() } else { other }
    }
}

/// Beginning and end of an instant, where its year still has four digits.
fn written(whole: &str, rest: &str) -> Option<String> {
    let four = whole.as_bytes().get(4) == Some(&b'-') && !whole.starts_with('-');
    four.then(|| format!("{whole}{rest}"))
}

/// How many times so many seconds fit into a distance, to the nearest.
fn nearest(distance: TimeDelta, seconds: i64) -> i64 {
    let millis = distance.num_milliseconds();
    let unit = seconds * 1000;
    (millis + unit / 2).div_euclid(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Shown;
    use proptest::prelude::*;

    fn with<T>(later: TimeDelta, number: u64, act: impl FnOnce(&Renewal<'_>) -> T) -> T {
        let written = |text: &str| text == "2096-02-29T12:00:00Z";
        let keys = HashSet::from(["literal".to_owned()]);
        act(&Renewal {
            run_tags: &["0badcafe".to_owned()],
            run_tag: &RunTag::fixed("12345678"),
            later,
            instants: Instants { times: true, days: false },
            written: Written { anywhere: &written, keys: &keys },
            number,
        })
    }

    fn body(later: TimeDelta, text: &str) -> String {
        with(later, 0, |r| String::from_utf8(r.body(text.as_bytes())).unwrap())
    }

    #[test]
    fn keeps_how_an_instant_is_spelt() {
        let month = TimeDelta::days(31) + TimeDelta::milliseconds(1400);
        for (recorded, today) in [
            (r#"{"a":"2026-01-01T00:00:00.120Z"}"#, r#"{"a":"2026-02-01T00:00:01.120Z"}"#),
            (r#"{"a" : "2026-01-01t00:00:00-09:30", "a":1e3}"#, r#"{"a" : "2026-02-01t00:00:01-09:30", "a":1e3}"#),
            (r#"{"a":"2026-01-01 00:00:00.1+05:45"}"#, r#"{"a":"2026-02-01 00:00:01.1+05:45"}"#),
            (r#"["2026-01-01T00:00:00Z" cut off"#, r#"["2026-02-01T00:00:01Z" cut off"#),
        ] {
            assert_eq!(body(month, recorded), today);
        }
    }

    #[test]
    fn leaves_what_was_not_made_when_it_was_sent() {
        for text in [
            r#"{"a":"2096-02-29T12:00:00Z"}"#,
            r#"{"a":"2026-02-30T12:00:00Z"}"#,
            r#"{"a":"2026-06-30T23:59:60Z"}"#,
            r#"{"a":"9999-12-31T23:59:59Z"}"#,
            r#"{"a":"2026-01-01"}"#,
            r#"{"a":"2026-01-01T00:00:00"}"#,
            r#"{"a":"on 2026-01-01T00:00:00Z"}"#,
        ] {
            assert_eq!(body(TimeDelta::days(3), text), text);
        }
    }

    #[test]
    fn the_mark_is_todays() {
        assert_eq!(body(TimeDelta::zero(), r#"{"name":"probity-0badcafe a"}"#), r#"{"name":"probity-12345678 a"}"#);
        let recorded = Request {
            operation: None,
            method: "POST".to_owned(),
            path: "/v1/none0badcafe11".to_owned(),
            parameters: vec![("id".to_owned(), "none0badcafe11".to_owned())],
            headers: vec![("idempotency-key".to_owned(), String::new())],
            identity: "caller".to_owned(),
            credentials: Shown::Own,
            body: None,
            raw: false,
        };
        let today = with(TimeDelta::zero(), 0, |r| r.request(&recorded));
        assert_eq!((today.path.as_str(), today.parameters[0].1.as_str()), ("/v1/none1234567811", "none1234567811"));
        assert_eq!(today.headers, recorded.headers, "an empty key stays empty");
    }

    proptest! {
        #[test]
        fn keys_keep_their_form_and_what_they_share(
            a in "(probity-0badcafe-)?[ -~]{0,40}", b in "[ -~]{0,4}", number in 0_u64..50
        ) {
            with(TimeDelta::zero(), number, |r| {
                let (one, more) = (r.key(&a), r.key(&format!("{a}{b}")));
                prop_assert_eq!(one.len(), a.len());
                prop_assert!(more.starts_with(&one), "{} {}", one, more);
                prop_assert_eq!(r.key(&a.to_uppercase()) == r.key(&a), a.to_uppercase() == a);
                prop_assert_eq!(one == a, !a.contains(|c: char| c.is_ascii_alphanumeric()));
                prop_assert_eq!(r.key("literal"), "literal");
                let kind = |c: char| (c.is_ascii_digit(), c.is_ascii_uppercase(), c.is_ascii_lowercase());
                let plain = a.strip_prefix("probity-0badcafe-").unwrap_or(&a);
                prop_assert!(plain.chars().map(kind).eq(r.key(plain).chars().map(kind)));
                Ok(())
            })?;
        }

        #[test]
        fn an_instant_stays_at_its_distance(seconds in 0_i64..4_000_000_000, later in -400_000_000_i64..400_000_000) {
            let instant = DateTime::from_timestamp(seconds, 0).unwrap();
            let text = body(TimeDelta::seconds(later), &format!("\"{}\"", instant.to_rfc3339()));
            let read = DateTime::parse_from_rfc3339(text.trim_matches('"')).unwrap();
            prop_assert_eq!(read.to_utc() - instant, TimeDelta::seconds(later));
        }
    }
}
