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
    use super::{depth, escaped_beyond_ascii, has_duplicates};

    #[test]
    fn duplicates_are_found_at_the_top_only() {
        assert!(has_duplicates(br#"{"a":1,"b":2,"a":3}"#));
        assert!(!has_duplicates(br#"{"a":{"b":1},"b":{"b":1}}"#));
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
