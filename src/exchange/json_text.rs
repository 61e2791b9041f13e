//! JSON as servers write it: what RFC 8259 lets them write, though not every reader takes it.

use std::collections::HashMap;
use std::ops::Range;

use serde::Deserialize as _;
use serde_json::Value as Json;
use serde_json::value::RawValue;

/// A body as JSON, if it is JSON. Half a surrogate pair stands for U+FFFD, and so do bytes that are no UTF-8: a server
/// that took them in a request may give them back.
pub fn read(body: &[u8]) -> Option<Json> {
    serde_json::from_slice(body).ok().or_else(|| {
        let text = String::from_utf8_lossy(body).into_owned().into_bytes();
        serde_json::from_slice(&without_lone_surrogates(&text).unwrap_or(text)).ok()
    })
}

/// Why a text is no JSON, and where: the part around the place, with `⟪here⟫` before what cannot stand there.
pub fn why_not(text: &str) -> Option<String> {
    let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err()?;
    let line = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    // The column counts bytes, the one that cannot stand there included.
    let at = text.floor_char_boundary((line + error.column().saturating_sub(1)).min(text.len()));
    let at = if error.is_eof() { text.len() } else { at };
    let (from, to) = (text.floor_char_boundary(at.saturating_sub(AROUND)), text.ceil_char_boundary(at + AROUND));
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < text.len() { "…" } else { "" });
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    Some(format!(
        "{what}, line {} column {}: {before}{}⟪here⟫{}{after}",
        error.line(),
        error.column(),
        &text[from..at],
        &text[at..to]
    ))
}

/// How many bytes are shown on each side of what cannot stand where it does.
const AROUND: usize = 60;

/// Where the value at a JSON Pointer stands in a text.
pub fn locate(text: &str, pointer: &str) -> Option<Range<usize>> {
    let mut part: &RawValue = serde_json::from_str(text).ok()?;
    for name in pointer.split('/').skip(1) {
        let name = name.replace("~1", "/").replace("~0", "~");
        part = match part.get().as_bytes().first()? {
            b'{' => serde_json::from_str::<HashMap<String, &RawValue>>(part.get()).ok()?.remove(&name)?,
            b'[' => {
                serde_json::from_str::<Vec<&RawValue>>(part.get()).ok()?.get(name.parse::<usize>().ok()?).copied()?
            }
            _ => return None,
        };
    }
    // It is a part of the text, and not a copy.
    let start = part.get().as_ptr().addr() - text.as_ptr().addr();
    Some(start..start + part.get().len())
}

/// Whether a body is JSON that is only nested too deep to be read: it is skipped without being kept, which takes no
/// stack.
pub(crate) fn is_deep(body: &[u8]) -> bool {
    let mut depth = 0_u32;
    let mut deepest = 0;
    let mut in_text = false;
    let mut escaped = false;
    for byte in body {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (true, b'"') => in_text = false,
            (true, _) => {}
            (false, b'"') => in_text = true,
            (false, b'[' | b'{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            (false, _) => {}
        }
    }
    // It is right as long as everything that is opened is closed; `IgnoredAny` skips what is nested without a stack.
    let mut reader = serde_json::Deserializer::from_slice(body);
    let skipped = serde::de::IgnoredAny::deserialize(&mut reader);
    deepest > READ_DEPTH && depth == 0 && skipped.is_ok() && reader.end().is_ok()
}

/// How deep JSON may be nested that is read.
const READ_DEPTH: u32 = 127;

/// The text with each escape of half a surrogate pair replaced by that of U+FFFD; none if there is no such escape.
pub(crate) fn without_lone_surrogates(text: &[u8]) -> Option<Vec<u8>> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{read, without_lone_surrogates};

    #[test]
    fn tells_where_a_text_is_no_json() {
        let text = "{\"a\": 1,\n \"b\": tru}";
        let why = super::why_not(text).unwrap();
        assert!(why.contains(", line 2 column ") && why.contains("\"b\": tr"), "{why}");
        assert_eq!(super::why_not("{\"a\": 1").unwrap().split_once(": ").unwrap().1, "{\"a\": 1⟪here⟫");
        let long = format!("[{}{}", "1, ".repeat(100), "}");
        assert!(super::why_not(&long).unwrap().contains("…1, "), "cut around the place");
        assert_eq!(super::why_not("[1]"), None);
    }

    #[test]
    fn finds_values_in_their_text() {
        let text = r#"{ "a" : [ 1, {"b/c": "\u00e9"} ] }"#;
        assert_eq!(super::locate(text, "/a/1/b~1c").map(|at| &text[at]), Some(r#""\u00e9""#));
        assert_eq!(super::locate(text, "").map(|at| &text[at]), Some(text));
        assert_eq!(super::locate(text, "/a/2"), None);
    }

    #[test]
    fn only_lone_surrogates_are_replaced() {
        assert_eq!(without_lone_surrogates(br#""\ud83d\ude00 \\ud800 \u0041""#), None);
        assert_eq!(without_lone_surrogates(br#""a\ud83db\uDE00""#).unwrap(), br#""a\ufffdb\ufffd""#);
    }

    #[test]
    fn what_is_deep_is_told_from_what_is_broken() {
        let nested = |depth: usize| [b"[".repeat(depth), b"]".repeat(depth)].concat();
        assert_eq!((read(&nested(10_000)), super::is_deep(&nested(10_000))), (None, true));
        assert!(!super::is_deep(&nested(10)) && !super::is_deep(&b"[".repeat(10_000)));
        assert!(!super::is_deep(&[nested(10_000), b"x".to_vec()].concat()));
    }

    #[test]
    fn what_no_text_can_hold_is_replaced() {
        assert_eq!(read(br#"{"a": "x\ud83d"}"#), Some(json!({ "a": "x\u{fffd}" })));
        assert_eq!(read(b"{\"a\": \"x\xff\"}"), Some(json!({ "a": "x\u{fffd}" })));
        assert_eq!(read(br#"{"a": "\ud83d\ude00"}"#), Some(json!({ "a": "\u{1f600}" })));
        assert_eq!(read(br#"{"a": "\ud83"}"#), None);
    }
}
