//! JSON as it is written: what a parsed value no longer tells.

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

/// U+FEFF in UTF-8, which JSON does not allow at its start.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether the object has a property twice at its top level.
pub(super) fn has_duplicates(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok() && serde_json::from_slice::<Distinct>(text).is_err()
}

struct Distinct;

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Distinct;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Distinct, A::Error> {
                let mut seen = HashSet::new();
                while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
                    if !seen.insert(key) {
                        return Err(A::Error::custom("a property stands twice"));
                    }
                }
                Ok(Distinct)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

/// The text with each escape of half a surrogate pair replaced by that of U+FFFD; none if there is no such escape.
pub(super) fn without_lone_surrogates(text: &[u8]) -> Option<Vec<u8>> {
    let mut replaced = text.to_vec();
    let mut found = false;
    let mut at = 0;
    while at < text.len() {
        let unit = |at: usize| escaped_unit(text.get(at..)?);
        match unit(at) {
            Some(0xD800..=0xDBFF) if matches!(unit(at + 6), Some(0xDC00..=0xDFFF)) => at += 12,
            Some(0xD800..=0xDFFF) => {
                replaced.splice(at + 2..at + 6, *b"fffd");
                found = true;
                at += 6;
            }
            Some(_) => at += 6,
            None if text.get(at) == Some(&b'\\') => at += 2,
            None => at += 1,
        }
    }
    found.then_some(replaced)
}

/// The code unit of the `\uXXXX` that the text starts with.
fn escaped_unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}

/// How deep brackets nest, at most; brackets in strings count too.
pub(super) fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The same JSON in ASCII: everything beyond it is in a string, where it may be escaped.
pub(super) fn escaped_beyond_ascii(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            escaped.push(c);
        } else {
            let mut units = [0; 2];
            escaped.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{depth, escaped_beyond_ascii, has_duplicates, without_lone_surrogates};

    #[test]
    fn duplicates_are_found_at_the_top_only() {
        assert!(has_duplicates(br#"{"a":1,"b":2,"a":3}"#));
        assert!(!has_duplicates(br#"{"a":{"b":1},"b":{"b":1}}"#));
    }

    #[test]
    fn only_lone_surrogates_are_replaced() {
        assert_eq!(without_lone_surrogates(br#""\ud83d\ude00 \\ud800 \u0041""#), None);
        assert_eq!(without_lone_surrogates(br#""a\ud83db\uDE00""#).unwrap(), br#""a\ufffdb\ufffd""#);
    }

    #[test]
    fn depth_is_the_deepest() {
        assert_eq!(depth(b"[[],[[1]]]"), 3);
        assert_eq!(depth(b"]]1"), 0);
    }

    #[test]
    fn escapes_are_read_back() {
        let text = "\"a \u{e9} \u{1f600}\"";
        let escaped = escaped_beyond_ascii(text);
        assert!(escaped.is_ascii());
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), "a \u{e9} \u{1f600}");
    }
}
