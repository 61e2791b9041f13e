//! The contents of strings.
//!
//! - [`pattern`]: texts that match a pattern, and some that do not
//! - [`format`]: texts of a format, and which formats are known
//! - [`fresh`]: texts that no other request has

pub mod format;
pub mod fresh;
pub mod pattern;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, ValueTree};
use serde_json::{Value as Json, json};

use super::seed::Seed;
use crate::contract::template::Template;

/// Pieces that every server must accept and return unchanged, the plainest first: shrinking goes
/// towards it. All are in NFC, without control characters and outer white space.
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

/// Numbers as texts that whoever takes a decimal number takes.
const DECIMALS: &[&str] = &["1.5", "12.25", "7.00", "3", "20.50"];

/// No generated text is longer than this, in characters, whatever a schema requires.
pub const LONGEST: usize = 1_000_000;

/// Values of a string's schema: texts of the document if nothing else is known to be valid, or else generated texts,
/// which differ from request to request.
pub fn templates(schema: &Json) -> BoxedStrategy<Template> {
    let unknown = schema["format"].as_str().is_some_and(|f| !format::is_known(f));
    let own = shaped(schema);
    if schema["format"] == "decimal" && schema["examples"].is_null() {
        let shape = Shape::new(&json!({ "pattern": schema.get("pattern") }));
        let fitting: Vec<Json> = DECIMALS.iter().filter(|text| shape.fits(text)).map(|text| json!(text)).collect();
        if !fitting.is_empty() {
            return select(fitting).prop_map(Template::Literal).boxed();
        }
    }
    if unknown || (own.is_none() && schema.get("pattern").is_some()) {
        let written = written(schema);
        if !written.is_empty() {
            return select(written).prop_map(Template::Literal).boxed();
        }
    }
    strings(schema).prop_map(unique(schema.clone())).boxed()
}

/// Makes templates of texts that match a schema: each request gets its own, if the schema has enough of them.
pub fn unique(schema: Json) -> impl Fn(String) -> Template {
    let schema = fresh::has_room(&schema).then(|| Arc::new(schema));
    move |text| match &schema {
        Some(schema) => Template::Unique { text, schema: Arc::clone(schema) },
        None => Template::Literal(Json::from(text)),
    }
}

/// The document's own texts for a schema, as far as they match it.
pub fn written(schema: &Json) -> Vec<Json> {
    let shown = schema["examples"].as_array().into_iter().flatten().chain(schema.get("default"));
    let shown: Vec<&Json> = shown.filter(|v| v.is_string()).collect();
    if shown.is_empty() {
        return Vec::new();
    }
    let Some(check) = super::values::check::Check::new(schema) else { return Vec::new() };
    shown.into_iter().filter(|v| check.allows(v)).cloned().collect()
}

/// A string that matches the schema's lengths, pattern and format.
pub fn strings(schema: &Json) -> BoxedStrategy<String> {
    let Some(strategy) = shaped(schema) else {
        return match schema.get("pattern").or(schema.get("allOf")) {
            Some(_) => guessed(schema),
            None => free(schema),
        };
    };
    let (least, most) = lengths(schema);
    if least.is_none() && most.is_none() && schema.get("pattern").is_none() {
        return strategy;
    }
    let shape = Shape::new(schema);
    let (least, most) = (least.unwrap_or(0), most.unwrap_or(LONGEST));
    strategy
        .prop_filter_map("no text of such a length has the form", move |text| {
            let length = text.chars().count();
            let due = length.min(most).max(least);
            if due == length { shape.fits(&text).then_some(text) } else { shape.resized(&text, due) }
        })
        .boxed()
}

/// A string of exactly this number of characters that matches the schema's pattern and format, if one is found.
pub fn of_length(schema: &Json, length: usize) -> Option<String> {
    let Some(strategy) = shaped(schema) else {
        return schema.get("pattern").is_none().then(|| fit("x", length, length));
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

/// A pattern, compiled.
pub struct Pattern(Option<jsonschema::Validator>);

impl Pattern {
    /// Compiles a pattern; an invalid one is found nowhere.
    pub fn new(pattern: &str) -> Self {
        Self(jsonschema::options().build(&json!({ "pattern": pattern })).ok())
    }

    /// Whether it is found in a text.
    pub fn is_in(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|v| v.is_valid(&json!(text)))
    }
}

/// What a schema says of a string except for its length.
#[derive(Clone)]
pub struct Shape(Option<Rc<jsonschema::Validator>>);

thread_local! {
    /// The compiled shapes: one pattern may be in many schemas, and a schema is drawn from many times.
    static SHAPES: RefCell<HashMap<String, Shape>> = RefCell::default();
    static STRATEGIES: RefCell<HashMap<String, Option<BoxedStrategy<String>>>> = RefCell::default();
}

impl Shape {
    /// The shape that a schema requires.
    pub fn new(schema: &Json) -> Self {
        let part = json!({ "pattern": schema.get("pattern"), "format": schema.get("format") });
        let part: Json = part
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, v)| v.is_string())
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let key = part.to_string();
        let compile = || Self(jsonschema::options().should_validate_formats(true).build(&part).ok().map(Rc::new));
        SHAPES.with_borrow_mut(|shapes| shapes.entry(key).or_insert_with(compile).clone())
    }

    /// Whether a text has it.
    pub fn fits(&self, text: &str) -> bool {
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
        // The end comes first: a part of any length is mostly there.
        (0..if length <= n { length + 1 } else { n }).rev().map(candidate).find(|t| self.fits(t))
    }
}

/// Strings of a pattern or of a format; None if the schema has neither, or they cannot be generated.
pub(super) fn shaped(schema: &Json) -> Option<BoxedStrategy<String>> {
    match schema["pattern"].as_str() {
        Some(pattern) => STRATEGIES.with_borrow_mut(|known| {
            known.entry(pattern.to_owned()).or_insert_with(|| pattern::strategy(pattern)).clone()
        }),
        None => format::strategy(schema["format"].as_str()?),
    }
}

/// Texts for a pattern that no strategy can be built for: those of many plain texts that match it.
fn guessed(schema: &Json) -> BoxedStrategy<String> {
    let (least, most) = lengths(schema);
    let (least, most) = (least.unwrap_or(0), most.unwrap_or(LONGEST));
    let shape = Shape::new(schema);
    let alphabet =
        "[a-z]{1,12}|[A-Z][a-z]{1,8}|[0-9]{1,10}|[A-Za-z0-9]{1,16}|[A-Z]{1,5}[0-9]{1,5}|[a-z]+-[a-z]+|[ -~]{1,20}";
    let texts = proptest::string::string_regex(alphabet).map_or_else(|_| Just("a".to_owned()).boxed(), Strategy::boxed);
    texts
        .prop_filter("no text of the pattern was found", move |text| {
            (least..=most).contains(&text.chars().count()) && shape.fits(text)
        })
        .boxed()
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
