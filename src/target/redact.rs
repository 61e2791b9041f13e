//! Keeping tokens out of everything that is written.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use regex::{NoExpand, Regex};

/// A token so short would turn reports into riddles, and protects nothing.
const SHORTEST: usize = 4;

/// Replaces tokens, however they are spelt, by the names of their variables.
#[derive(Clone, Default)]
pub struct Redactor {
    /// What is looked for and what takes its place; whole tokens before parts of them, long ones before short ones.
    patterns: Vec<(Regex, String)>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// A redactor for tokens and the names of the variables that hold them.
    pub fn new<'a>(tokens: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut wanted: Vec<(&str, String)> = Vec::new();
        for (token, variable) in tokens {
            // Without their ends they are sent too; spelt so that a shell cuts the same character off.
            let mut chars = token.chars();
            chars.next_back();
            wanted.push((token, format!("${{{variable}}}")));
            wanted.push((chars.as_str(), format!("${{{variable}%?}}")));
            let mut chars = token.chars();
            chars.next();
            wanted.push((chars.as_str(), format!("${{{variable}#?}}")));
        }
        wanted.retain(|(token, _)| token.len() >= SHORTEST);
        wanted.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        let patterns = wanted
            .into_iter()
            .filter_map(|(token, replacement)| Some((Regex::new(&pattern(token)).ok()?, replacement)))
            .collect();
        Self { patterns }
    }

    /// The text without tokens.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut out = Cow::Borrowed(text);
        for (pattern, replacement) in &self.patterns {
            if pattern.is_match(&out) {
                out = Cow::Owned(pattern.replace_all(&out, NoExpand(replacement)).into_owned());
            }
        }
        out
    }
}

/// A regular expression for a token as it is, or with any of its characters escaped as in URLs, JSON or strings; and for
/// its Base64 at each of the three places that it may have in a longer text.
fn pattern(token: &str) -> String {
    let spelt: String = token.chars().map(spellings).collect();
    let mut all = vec![spelt];
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(token.as_bytes());
        // Characters that depend on what stands before or behind are left out.
        let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        for engine in [&STANDARD, &URL_SAFE] {
            let encoded = engine.encode(&bytes);
            if let Some(middle) = encoded.get(from..to).filter(|m| m.len() >= SHORTEST) {
                all.push(regex::escape(middle));
            }
        }
    }
    all.join("|")
}

/// Every spelling of a character that servers use.
fn spellings(c: char) -> String {
    let mut buffer = [0; 4];
    let percent: String = c.encode_utf8(&mut buffer).bytes().map(|b| format!("%(?i:{b:02x})")).collect();
    let mut units = [0; 2];
    let unicode: String = c.encode_utf16(&mut units).iter().map(|u| format!(r"\\u(?i:{u:04x})")).collect();
    format!(r"(?:\\?{}|{percent}|{unicode})", regex::escape(&c.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "s3cr3t+/to-ken?=";

    fn redacted(text: &str) -> String {
        Redactor::new([(TOKEN, "T")]).text(text).into_owned()
    }

    #[test]
    fn replaces_every_spelling() {
        for text in [
            TOKEN,
            "s3cr3t%2B%2Fto-ken%3F%3D",
            "s3cr3t%2b%2fto%2dken%3f%3d",
            r"s3cr3t+\/to-ken?=",
            r"s3cr3t\u002b/to-ken?\u003D",
        ] {
            assert_eq!(redacted(&format!("a {text} b")), "a ${T} b", "{text}");
        }
        assert!(matches!(Redactor::new([(TOKEN, "T")]).text("nothing"), Cow::Borrowed(_)));
    }

    #[test]
    fn replaces_base64_wherever_it_begins() {
        for before in ["", "x", "xy", "Bearer ", "user:"] {
            let text = STANDARD.encode(format!("{before}{TOKEN}"));
            let clean = redacted(&text);
            assert!(clean.contains("${T}"), "{before}: {clean}");
        }
    }

    #[test]
    fn replaces_tokens_without_an_end() {
        assert_eq!(redacted(&TOKEN[1..]), "${T#?}");
        assert_eq!(redacted(&TOKEN[..TOKEN.len() - 1]), "${T%?}");
        assert_eq!(redacted(&format!("{TOKEN}x")), "${T}x");
    }

    #[test]
    fn longer_tokens_first() {
        let redactor = Redactor::new([("token-a", "A"), ("token-a-long", "B")]);
        assert_eq!(redactor.text("token-a-long"), "${B}");
    }
}
