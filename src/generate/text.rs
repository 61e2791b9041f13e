//! What strings are made of.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::BoxedStrategy;
use serde_json::Value as Json;

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

/// A string that keeps the schema's lengths, pattern, format and values.
pub fn strings(schema: &Json) -> BoxedStrategy<String> {
    if let Some(pattern) = schema["pattern"].as_str()
        && let Ok(strategy) = proptest::string::string_regex(&inner(pattern))
    {
        return strategy.boxed();
    }
    match schema["format"].as_str() {
        Some("date") => {
            (2030_u32..2090, 1_u32..=12, 1_u32..=28).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}")).boxed()
        }
        Some("time") => {
            (0_u32..24, 0_u32..60, 0_u32..60).prop_map(|(h, m, s)| format!("{h:02}:{m:02}:{s:02}Z")).boxed()
        }
        Some("email") => "[a-z]{1,8}(\\.[a-z]{1,6})?@example\\.(com|org)".boxed(),
        Some("hostname") => "[a-z]{1,10}\\.example\\.com".boxed(),
        Some("ipv4") => "192\\.0\\.2\\.[1-9][0-9]?".boxed(),
        Some("ipv6") => "2001:db8::[1-9a-f]{1,4}".boxed(),
        Some("uri") => "https://example\\.com/[a-z0-9]{0,12}".boxed(),
        Some("uuid") => "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}".boxed(),
        Some("byte") => "([A-Za-z0-9+/]{4}){0,6}".boxed(),
        _ => free(schema),
    }
}

fn free(schema: &Json) -> BoxedStrategy<String> {
    let bound = |key: &str| schema[key].as_u64().and_then(|n| usize::try_from(n).ok());
    let least = bound("minLength").unwrap_or(0).max(1);
    let most = bound("maxLength").unwrap_or(200).max(least);
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
