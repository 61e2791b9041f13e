//! Keeping secrets out of everything that is written.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use aho_corasick::{AhoCorasick, AhoCorasickKind, Match, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::secrets::decodings::{Decoding, SHORTEST};
use crate::secrets::parts::Parts;

/// The length in bytes from which the beginning of a secret reveals something.
const TELLING: usize = 6;
/// How long a truncated escape may be.
const ESCAPE: usize = 6;

/// How many texts are remembered as clean, and how long they are at most.
const REMEMBERED: usize = 500;
const SHORT: usize = 2000;

/// Replaces secrets, however they are encoded, by their names.
#[derive(Clone, Default)]
pub struct Redactor {
    searches: Vec<Arc<Search>>,
    parts: Arc<Parts>,
    clean: Clean,
}

/// Texts in which nothing was found: most names and values of headers come again with every exchange, and a request's body
/// is written twice.
#[derive(Default)]
struct Clean(Mutex<HashSet<Box<str>>>);

impl Clean {
    fn contains(&self, text: &str) -> bool {
        text.len() <= SHORT && self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(text)
    }

    fn remember(&self, text: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if text.len() <= SHORT {
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(text.into());
        }
    }
}

/// A copy may be given more secrets, so it remembers nothing.
impl Clone for Clean {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// The needles of one secret.
struct Search {
    needles: AhoCorasick,
    /// The replacement of each needle.
    replacements: Vec<String>,
    /// The whole secret, in each of its encodings, and its name.
    whole: (Vec<String>, String),
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// A redactor for secrets and their names, which are names of variables.
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut redactor = Self::default();
        secrets.into_iter().for_each(|(secret, name)| redactor.add(secret, name));
        redactor
    }

    /// Adds a secret and its name.
    pub fn add(&mut self, secret: &str, name: &str) {
        // The secret is also sent without its first or last character; the name is written so that a shell removes the
        // same character.
        let mut chars = secret.chars();
        chars.next_back();
        let without_last = chars.as_str();
        let mut chars = secret.chars();
        chars.next();
        let parts = [(secret, ""), (without_last, "%?"), (chars.as_str(), "#?")];
        let (needles, replacements): (Vec<_>, Vec<_>) = parts
            .into_iter()
            .filter(|(part, _)| part.len() >= SHORTEST)
            .flat_map(|(part, cut)| encodings(part).into_iter().map(move |text| (text, format!("${{{name}{cut}}}"))))
            .unzip();
        // A table for each state would take megabytes for a long token.
        let built = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(needles);
        // This fails only for more needles than memory could hold.
        if let Ok(needles) = built {
            let whole = (encodings(secret), format!("${{{name}}}"));
            self.searches.push(Arc::new(Search { needles, replacements, whole }));
        }
        Arc::make_mut(&mut self.parts).add(secret, name);
        self.clean = Clean::default();
    }

    /// Adds a text that is not secret, even where it has something in common with a secret.
    pub fn add_public(&mut self, text: Arc<str>) {
        Arc::make_mut(&mut self.parts).add_public(text);
    }

    /// The text without secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.searches.is_empty() || self.clean.contains(text) {
            return Cow::Borrowed(text);
        }
        let mut found: Vec<(Range<usize>, Cow<'_, str>)> = Vec::new();
        for reading in Decoding::all(text) {
            for search in &self.searches {
                let replacement = |m: Match| Cow::Borrowed(search.replacements[m.pattern().as_usize()].as_str());
                let matches = search.needles.find_iter(&reading.bytes);
                found.extend(matches.map(|m| (reading.range(m.range()), replacement(m))));
            }
            let mut parts = |of: &Decoding<'_>| {
                let part = |(range, name)| (of.range(range), Cow::Owned(format!("(part of {name})")));
                found.extend(self.parts.find(&of.bytes).into_iter().map(part));
            };
            parts(&reading);
            reading.decoded(&mut parts);
        }
        // A whole secret takes precedence over a part.
        let whole: Vec<Range<usize>> =
            found.iter().filter(|(_, with)| with.starts_with('$')).map(|(r, _)| r.clone()).collect();
        found.retain(|(range, with)| {
            with.starts_with('$') || !whole.iter().any(|w| w.start < range.end && range.start < w.end)
        });
        if found.is_empty() {
            self.clean.remember(text);
            return Cow::Borrowed(text);
        }
        // Of matches that begin at the same position the longest counts, and a whole secret before a part of another.
        found.sort_by_key(|(range, name)| (range.start, std::cmp::Reverse(range.end), name.contains(['%', '#'])));
        let mut clean = String::with_capacity(text.len());
        let mut from = 0;
        for (range, replacement) in found {
            if range.start >= from {
                clean.push_str(text.get(from..range.start).unwrap_or_default());
                clean.push_str(&replacement);
            }
            from = from.max(range.end);
        }
        clean.push_str(text.get(from..).unwrap_or_default());
        Cow::Owned(clean)
    }
}

impl Redactor {
    /// A truncated text, without the beginning of a secret that its end may contain.
    pub fn without_half(&self, text: &str) -> String {
        // The cut may have gone through an escape.
        let tail = text.char_indices().rev().take(ESCAPE).find(|(_, c)| matches!(c, '%' | '\\' | '&'));
        let ends = [Some(text.len()), tail.map(|(at, _)| at)];
        let halves = ends.into_iter().flatten().flat_map(|end| Decoding::all(&text[..end])).flat_map(|reading| {
            let half = |search: &Arc<Search>| {
                let longest = search.whole.0.iter().filter_map(|whole| half(&reading.bytes, whole.as_bytes())).max()?;
                let range = reading.range(reading.bytes.len() - longest..reading.bytes.len());
                Some((range.start, search.whole.1.clone()))
            };
            self.searches.iter().filter_map(half).collect::<Vec<_>>()
        });
        match halves.min() {
            Some((start, name)) => format!("{}{name}", text.get(..start).unwrap_or_default()),
            None => text.to_owned(),
        }
    }
}

/// How much of a secret's beginning is at the end of a text, if it reveals something.
fn half(text: &[u8], secret: &[u8]) -> Option<usize> {
    let ends =
        |length: &usize| text.len() >= *length && text[text.len() - length..].eq_ignore_ascii_case(&secret[..*length]);
    (TELLING..secret.len()).rev().find(ends)
}

/// A text as it is; its Base64 at each of the three offsets that it may have in a longer text; its bytes in
/// hexadecimal.
fn encodings(text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(text.as_bytes());
        // Characters that depend on what precedes or follows the text are left out.
        let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        for engine in [&STANDARD, &URL_SAFE] {
            let encoded = engine.encode(&bytes);
            all.extend(encoded.get(from..to).filter(|m| m.len() >= SHORTEST).map(str::to_owned));
        }
    }
    let hexadecimal: String = text.bytes().map(|b| format!("{b:02x}")).collect();
    all.push(hexadecimal.to_uppercase());
    all.push(hexadecimal);
    all
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
            r"s3cr3t\x2b/to-ken?\x3D",
            "s3cr3t&#43;/to-ken?&#x3D;",
            r"s3cr3t%5Cu002b\/to-ken?%253D",
            "7333637233742b2f746f2d6b656e3f3d",
            "7333637233742B2F746F2D6B656E3F3D",
            "S3CR3T+/TO-KEN?=",
            "73:33:63:72:33:74:2b:2f:74:6f:2d:6b:65:6e:3f:3d",
            "73 33 63 72 33 74 2B 2F 74 6F 2D 6B 65 6E 3F 3D",
            "73-33-63-72-33-74-2b-2f\n74-6f-2d-6b-65-6e-3f-3d",
        ] {
            assert_eq!(redacted(&format!("ä {text} \\b")), "ä ${T} \\b", "{text}");
        }
        assert!(matches!(Redactor::new([(TOKEN, "T")]).text("nothing % \\ &amp;"), Cow::Borrowed(_)));
    }

    #[test]
    fn replaces_bytes_that_stand_apart() {
        let hexadecimal: Vec<String> = TOKEN.bytes().map(|b| format!("0x{b:02x}")).collect();
        assert_eq!(redacted(&format!("[{}]", hexadecimal.join(", "))), "[0x${T}]");
        let wide: String = TOKEN.chars().flat_map(|c| [c, '\0']).collect();
        assert_eq!(redacted(&wide), "${T}\0");
        assert_eq!(redacted(&wide.replace('\0', "\\u0000")), "${T}\\u0000");
        assert_eq!(redacted("2031-02-03T04:05:06 and 12:34:56"), "2031-02-03T04:05:06 and 12:34:56");
    }

    #[test]
    fn leaves_no_half_where_a_text_was_cut() {
        let redactor = Redactor::new([(TOKEN, "T")]);
        let spelt = [
            TOKEN.to_owned(),
            "s3cr3t%2B%2Fto-ken%3F%3D".to_owned(),
            r"s3cr3t\u002b\/to-ken\u003f=".to_owned(),
            "s3cr3t&#43;&#x2f;to-ken?=".to_owned(),
            "73:33:63:72:33:74:2b:2f:74:6f:2d:6b:65:6e:3f:3d".to_owned(),
            STANDARD.encode(TOKEN),
            STANDARD.encode(format!("Bearer {TOKEN}")),
        ];
        for text in spelt {
            for end in 24..text.len() {
                let half = redactor.without_half(&redactor.text(&format!("of {}", &text[..end])));
                // However it is masked, as little is left as if the name stood there.
                let half = half.replace("(part of T)", "${T}");
                let told = half.starts_with("of ") && half.contains("${T") && half.len() < 24;
                assert!(told, "{text} {end}: {half}");
            }
        }
        for text in ["s3cr", "of 100%", "a & b", ""] {
            assert_eq!(redactor.without_half(text), text);
        }
    }

    #[test]
    fn replaces_base64_wherever_it_begins() {
        for before in ["", "x", "xy", "Bearer ", "user:"] {
            let text = STANDARD.encode(format!("{before}{TOKEN}"));
            for text in [text.replace('+', "%2B").replace('/', "\\/"), text] {
                let clean = redacted(&text);
                assert!(clean.contains("${T}"), "{before}: {clean}");
            }
        }
    }

    #[test]
    fn replaces_tokens_without_an_end() {
        assert_eq!(redacted(&TOKEN[1..]), "${T#?}");
        assert_eq!(redacted(&TOKEN[..TOKEN.len() - 1]), "${T%?}");
        assert_eq!(redacted(&format!("{TOKEN}x")), "${T}x");
        assert_eq!(redacted(&format!("{TOKEN}{TOKEN}")), "${T}${T}");
    }

    #[test]
    fn longer_tokens_first() {
        let redactor = Redactor::new([("token-a", "A"), ("token-a-long", "B")]);
        assert_eq!(redactor.text("token-a-long"), "${B}");
    }

    #[test]
    fn a_text_that_was_clean_is_looked_at_again_for_a_new_secret() {
        let mut redactor = Redactor::new([(TOKEN, "T")]);
        assert_eq!(redactor.text("another-one"), "another-one");
        let before = redactor.clone();
        redactor.add("another-one", "U");
        assert_eq!(redactor.text("another-one"), "${U}");
        assert_eq!(before.text("another-one"), "another-one");
    }

    #[test]
    fn leaves_broken_escapes_alone() {
        for text in ["%", "%4", "%zz", "\\", "\\u12", "\\ud800\\u0041", "&#;", "&#x110000;", "&", "\\x4"] {
            assert_eq!(redacted(text), text);
            assert_eq!(redacted(&format!("{text}{TOKEN}{text}")), format!("{text}${{T}}{text}"), "{text}");
        }
    }

    #[test]
    fn takes_hundreds_of_long_tokens() {
        let tokens: Vec<String> = (0..300).map(|n| format!("{n}.{}", "eyJhbGciOiJub25lIn0".repeat(60))).collect();
        let redactor = Redactor::new(tokens.iter().map(|t| (t.as_str(), "T")));
        assert_eq!(redactor.text(&format!("<{}>", tokens[299])), "<${T}>");
    }
}
