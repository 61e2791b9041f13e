//! JSON as servers write it: what RFC 8259 lets them write, though not every reader takes it.

use serde_json::Value as Json;

/// A body as JSON, if it is JSON. Half a surrogate pair stands for U+FFFD, and so do bytes that are no UTF-8: a server
/// that took them in a request may give them back.
pub fn read(body: &[u8]) -> Option<Json> {
    serde_json::from_slice(body).ok().or_else(|| {
        let text = String::from_utf8_lossy(body).into_owned().into_bytes();
        serde_json::from_slice(&without_lone_surrogates(&text).unwrap_or(text)).ok()
    })
}

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
    fn only_lone_surrogates_are_replaced() {
        assert_eq!(without_lone_surrogates(br#""\ud83d\ude00 \\ud800 \u0041""#), None);
        assert_eq!(without_lone_surrogates(br#""a\ud83db\uDE00""#).unwrap(), br#""a\ufffdb\ufffd""#);
    }

    #[test]
    fn what_no_text_can_hold_is_replaced() {
        assert_eq!(read(br#"{"a": "x\ud83d"}"#), Some(json!({ "a": "x\u{fffd}" })));
        assert_eq!(read(b"{\"a\": \"x\xff\"}"), Some(json!({ "a": "x\u{fffd}" })));
        assert_eq!(read(br#"{"a": "\ud83d\ude00"}"#), Some(json!({ "a": "\u{1f600}" })));
        assert_eq!(read(br#"{"a": "\ud83"}"#), None);
    }
}
