//! What strings are made of.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, ValueTree};
use serde_json::Value as Json;

use super::seed::Seed;

/// Pieces that every server must take and give back to the letter, the plainest first: shrinking
/// goes towards it. All are in NFC, without control characters and outer white space.
const PIECES: &[&str] = &[
    "a",
    "B7",
    "plain words",
    "Zoë",
    "naïve façade",
    "Ōsaka",
    "Łódź",
    "Привет",
    "Ελλάδα",
    "עברית",
    "عربي",
    "漢字",
    "ひらがな",
    "한국어",
    "ไทย",
    "🚀",
    "👩‍👩‍👧",
    "🇨🇭",
    "<b>bold</b>",
    "<script>x</script>",
    "&amp;",
    "&",
    "\"quoted\"",
    "it's",
    "`tick`",
    "back\\slash",
    "a/b",
    "100%",
    "%20",
    "{x}",
    "${x}",
    "$1",
    "#1",
    "a;b",
    "a,b",
    "a=b",
    "(c)",
    "[d]",
    "e\u{a0}f",
    "null",
    "true",
    "0",
    "1e3",
    "--",
    "'; --",
    "\\n",
    "€ 5",
    "½",
    "a  b",
];

/// No text that is sent is longer than this, in characters, whatever a schema asks for.
pub const LONGEST: usize = 1_000_000;

/// A string that keeps the schema's lengths, pattern, format and values.
pub fn strings(schema: &Json) -> BoxedStrategy<String> {
    let Some(strategy) = shaped(schema) else {
        return free(schema);
    };
    let (least, most) = lengths(schema);
    if least.is_none() && most.is_none() {
        return strategy;
    }
    let shape = Shape::new(schema);
    let (least, most) = (least.unwrap_or(0), most.unwrap_or(LONGEST));
    strategy
        .prop_filter_map("no text of such a length has the form", move |text| {
            let length = text.chars().count();
            let due = length.min(most).max(least);
            if due == length { Some(text) } else { shape.resized(&text, due) }
        })
        .boxed()
}

/// A string of just so many characters that keeps the schema's pattern and format, if one is found.
pub fn of_length(schema: &Json, length: usize) -> Option<String> {
    let Some(strategy) = shaped(schema) else {
        return Some(fit("x", length, length));
    };
    let shape = Shape::new(schema);
    let mut runner = Seed(0).runner("of-length", 0);
    (0..50).find_map(|_| shape.resized(&strategy.new_tree(&mut runner).ok()?.current(), length))
}

/// A schema's bounds of length, as far as texts of such lengths can be sent.
pub fn lengths(schema: &Json) -> (Option<usize>, Option<usize>) {
    let bound = |key: &str| schema[key].as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n <= LONGEST);
    (bound("minLength"), bound("maxLength"))
}

/// What a schema says of a string but for its length.
struct Shape(Option<jsonschema::Validator>);

impl Shape {
    fn new(schema: &Json) -> Self {
        let mut part = schema.clone();
        if let Some(map) = part.as_object_mut() {
            map.retain(|key, _| ["pattern", "format"].contains(&key.as_str()));
        }
        Self(jsonschema::options().should_validate_formats(true).build(&part).ok())
    }

    fn fits(&self, text: &str) -> bool {
        self.0.as_ref().is_none_or(|v| v.is_valid(&Json::from(text)))
    }

    /// The text with characters left out, or one repeated, in one place.
    fn resized(&self, text: &str, length: usize) -> Option<String> {
        let chars: Vec<char> = text.chars().collect();
        let n = chars.len();
        let candidate = |at: usize| -> String {
            if length <= n {
                chars[..at].iter().chain(&chars[at + (n - length)..]).collect()
            } else {
                let more = std::iter::repeat_n(&chars[at], length - n);
                chars[..at].iter().chain(more).chain(&chars[at..]).collect()
            }
        };
        // From the end: what may be of any length mostly stands there.
        (0..if length <= n { length + 1 } else { n }).rev().map(candidate).find(|t| self.fits(t))
    }
}

/// Strings of a pattern or of a format; None where the schema has neither that we can make.
pub(super) fn shaped(schema: &Json) -> Option<BoxedStrategy<String>> {
    if let Some(pattern) = schema["pattern"].as_str()
        && let Ok(strategy) = proptest::string::string_regex(&inner(pattern))
    {
        return Some(strategy.boxed());
    }
    Some(match schema["format"].as_str()? {
        "time" => (0_u32..24, 0_u32..60, 0_u32..60).prop_map(|(h, m, s)| format!("{h:02}:{m:02}:{s:02}Z")).boxed(),
        "email" => "[a-z]{1,8}(\\.[a-z]{1,6})?@example\\.(com|org)".boxed(),
        "hostname" => "[a-z]{1,10}\\.example\\.com".boxed(),
        "ipv4" => "192\\.0\\.2\\.[1-9][0-9]?".boxed(),
        "ipv6" => "2001:db8::[1-9a-f]{1,4}".boxed(),
        "uri" => "https://example\\.com/[a-z0-9]{0,12}".boxed(),
        "uuid" => "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}".boxed(),
        "byte" => "([A-Za-z0-9+/]{4}){0,6}".boxed(),
        _ => return None,
    })
}

fn free(schema: &Json) -> BoxedStrategy<String> {
    let (least, most) = lengths(schema);
    let most = most.unwrap_or(200).max(least.unwrap_or(0));
    let least = least.unwrap_or(0).max(1).min(most);
    proptest::collection::vec(select(PIECES), 1..6).prop_map(move |pieces| fit(&pieces.join(" "), least, most)).boxed()
}

/// Makes a text as long as it must be, in characters, without white space at its end.
pub fn fit(text: &str, least: usize, most: usize) -> String {
    let mut out: String = text.chars().take(most).collect();
    while out.ends_with(char::is_whitespace) || out.ends_with('\u{200d}') {
        out.pop();
    }
    let length = out.chars().count();
    out.extend(std::iter::repeat_n('x', least.saturating_sub(length)));
    out
}

/// A pattern without its anchors, which the generator does not know.
fn inner(pattern: &str) -> String {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let pattern = match pattern.strip_suffix('$') {
        Some(rest) if !rest.ends_with('\\') => rest,
        _ => pattern,
    };
    pattern.replace("\\d", "[0-9]").replace("\\w", "[0-9A-Za-z_]")
}
