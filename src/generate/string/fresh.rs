//! Texts that no other request has: a server may refuse what it has seen before.

use proptest::strategy::{Strategy, ValueTree};
use serde_json::{Value as Json, json};

use super::{Shape, lengths, pattern, strings};
use crate::generate::seed::Seed;

/// How many digits distinguish the requests of one run.
const DIGITS: usize = 6;
/// Below this number of characters there are too few texts for each request to have its own.
const ROOM: usize = 5;
/// The same for a pattern: how often two of its texts may be equal, from 0 to 1.
const ALIKE: f64 = 1e-3;

/// A unique mark of a request: the run's tag, and a number that depends on the request alone.
#[derive(Clone, Copy, Debug)]
pub struct Tag<'a> {
    /// The run's tag.
    pub run: &'a str,
    /// The request's number in the run.
    pub number: u64,
}

impl Tag<'_> {
    /// The number in lower-case letters and digits, the first of them a letter.
    fn digits(self, count: usize) -> String {
        const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        let mut rest = self.number;
        let mut digit = |base: u64| {
            let digit = usize::try_from(rest % base).unwrap_or_default();
            rest /= base;
            char::from(ALPHABET[digit])
        };
        (0..count).map(|i| digit(if i == 0 { 26 } else { 36 })).collect()
    }

    fn whole(self) -> String {
        format!("{}{}", self.run, self.digits(DIGITS))
    }
}

/// Whether a schema has so many texts that each request can have its own.
pub fn has_room(schema: &Json) -> bool {
    let (_, most) = lengths(schema);
    let Some(pattern) = schema["pattern"].as_str() else { return true };
    let tag = Tag { run: "0badcafe", number: 0 };
    most.is_none_or(|most| most >= ROOM) && (pattern::likeness(pattern) < ALIKE || tagged(schema, tag).is_some())
}

/// A text that matches the schema like the given one and that no other request has; the given text if there is no room.
pub fn fresh(schema: &Json, text: &str, tag: Tag<'_>) -> String {
    let (least, most) = lengths(schema);
    let most = most.unwrap_or(usize::MAX);
    let candidate = match (schema["pattern"].as_str(), schema["format"].as_str()) {
        // A text of the pattern, unless its texts are too much alike.
        (Some(pattern), _) if pattern::likeness(pattern) < ALIKE => again(schema, tag),
        (Some(_), _) => tagged(schema, tag),
        (None, Some("email" | "idn-email")) => Some(format!("a{}@example.com", tag.whole())),
        (None, Some("hostname" | "idn-hostname")) => Some(format!("a{}.example.com", tag.whole())),
        (None, Some("uuid")) => Some(uuid(tag)),
        (None, Some("uri" | "url" | "iri" | "uri-reference" | "iri-reference")) => {
            Some(format!("https://example.com/{}", tag.whole()))
        }
        (None, Some("password" | "string") | None) => Some(appended(text, tag, most)),
        _ => None,
    };
    let fits = |t: &String| {
        let length = t.chars().count();
        least.unwrap_or(0) <= length && length <= most && (schema.get("format").is_none() || Shape::new(schema).fits(t))
    };
    candidate.filter(fits).unwrap_or_else(|| text.to_owned())
}

/// A text of small letters and digits that matches the pattern.
fn tagged(schema: &Json, tag: Tag<'_>) -> Option<String> {
    let (least, most) = lengths(schema);
    let fits = |text: &String| {
        let length = text.len();
        least.unwrap_or(0) <= length && length <= most.unwrap_or(usize::MAX) && Shape::new(schema).fits(text)
    };
    [format!("a{}", tag.whole()), tag.digits(DIGITS)].into_iter().find(fits)
}

/// Another text of the pattern.
fn again(schema: &Json, tag: Tag<'_>) -> Option<String> {
    let mut runner = Seed(tag.number).runner(tag.run, 0);
    Some(strings(schema).new_tree(&mut runner).ok()?.current())
}

fn appended(text: &str, tag: Tag<'_>, most: usize) -> String {
    let length = text.chars().count();
    let end = format!("-{}", tag.whole());
    if most > end.len() {
        // As much of the text as there is room for.
        let kept: String = text.chars().take(most - end.len()).collect();
        let kept = if length + end.len() > most { super::fit(&kept, most - end.len(), most - end.len()) } else { kept };
        return format!("{kept}{end}");
    }
    if most < ROOM {
        return text.to_owned();
    }
    tag.digits(most.min(length.max(DIGITS)))
}

/// A UUID of a request's own.
pub fn uuid(tag: Tag<'_>) -> String {
    let digits = Seed(tag.number).digits(tag.run, 0, 32);
    format!("{}-{}-4{}-8{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..])
}

/// A schema for texts of exactly this number of characters.
pub fn sized(schema: &Json, length: usize) -> Json {
    let mut sized = schema.clone();
    sized["minLength"] = json!(length);
    sized["maxLength"] = json!(length);
    sized
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_has_its_own_where_there_is_room() {
        let tag = |number| Tag { run: "0badcafe", number };
        for (schema, text) in [
            (json!({"type": "string"}), "plain words"),
            (json!({"type": "string", "maxLength": 5}), "a"),
            (json!({"type": "string", "maxLength": 16, "minLength": 16}), "abcdefghijklmnop"),
            (json!({"type": "string", "maxLength": 10, "minLength": 10}), "abcdefghij"),
            (json!({"type": "string", "maxLength": 20, "minLength": 20}), "abcdefghijklmnopqrst"),
            (json!({"type": "string", "format": "uuid"}), "9f1d0e9c-0000-4000-8000-000000000000"),
            (json!({"type": "string", "format": "email"}), "a@example.com"),
            (json!({"type": "string", "pattern": "^[A-Z]{8}$"}), "AAAAAAAA"),
        ] {
            let check = crate::generate::values::check::Check::new(&schema).unwrap();
            let texts: std::collections::BTreeSet<String> =
                (0..200).map(|n| fresh(&schema, text, tag(n * 7919))).collect();
            assert_eq!(texts.len(), 200, "{schema}");
            assert!(texts.iter().all(|t| check.allows(&json!(t))), "{schema} {texts:?}");
        }
        assert_eq!(fresh(&json!({"type": "string", "maxLength": 2}), "ab", tag(1)), "ab");
        for (pattern, most, room) in [("^SKU-[0-9]{2}$", 6, false), ("^[A-Z]{8}$", 8, true), ("^[a-z]+$", 1, false)] {
            let schema = json!({"type": "string", "pattern": pattern, "maxLength": most});
            assert_eq!(has_room(&schema), room, "{pattern}");
        }
    }
}
