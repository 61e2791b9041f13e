//! JSON as it is written: what a parsed value no longer tells.

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
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

/// Extended JSON as JSON: without comments and needless commas, in double quotes, without leading zeros, null for NaN.
pub(super) fn without_extensions(text: &str) -> String {
    let mut strict = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || "_$.+-".contains(c);
        let length = match c {
            '"' | '\'' => quoted(rest, c),
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            _ if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        match c {
            '\'' => {
                let inner = token.trim_matches('\'').replace("\\'", "'").replace('"', "\\\"");
                strict.push_str(&format!("\"{inner}\""));
            }
            '/' if length > 1 => {}
            '}' | ']' => {
                let kept = strict.trim_end().trim_end_matches(',').len();
                strict.truncate(kept);
                strict.push(c);
            }
            _ => strict.push_str(&match token {
                "NaN" | "Infinity" | "-Infinity" => "null".to_owned(),
                "true" | "false" | "null" => token.to_owned(),
                _ if c.is_ascii_alphabetic() || c == '_' || c == '$' => format!("\"{token}\""),
                _ if c.is_ascii_digit() && token.len() > 1 && !token.contains('.') => {
                    let digits = token.trim_start_matches('0');
                    if digits.is_empty() { "0" } else { digits }.to_owned()
                }
                _ => token.to_owned(),
            }),
        }
        rest = after;
    }
    strict
}

/// The length of a string with its quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

pub(super) fn is_same_json(left: &[u8], right: &[u8]) -> bool {
    match (serde_json::from_slice::<Value>(left), serde_json::from_slice::<Value>(right)) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{depth, escaped_beyond_ascii, has_duplicates, without_extensions};

    #[test]
    fn extensions_are_taken_out_of_json_and_nothing_else() {
        for (extended, strict) in [
            (r#"{"a": "it's // no, /* comment */", "b": 0.5}"#, r#"{"a": "it's // no, /* comment */", "b": 0.5}"#),
            (r#"{'a': 'say "x"', b: [1, 2,], }"#, r#"{"a": "say \"x\"", "b": [1, 2]}"#),
            ("{\"a\": NaN, // why not\n\"b\": 0100, \"c\": 0 /* or so */}", "{\"a\": null, \n\"b\": 100, \"c\": 0}"),
            (r#"{"a": "cut"#, r#"{"a": "cut"#),
        ] {
            assert_eq!(without_extensions(extended), strict);
        }
    }

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
