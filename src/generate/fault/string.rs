//! Texts too short or too long, and texts that break a pattern or a format.

use serde_json::{Value as Json, json};

use super::{Collector, simplest};
use crate::contract::derive::{is_checked_format, unmatched};
use crate::contract::template::Template;
use crate::generate::string::{LONGEST, fit, lengths, of_length, shaped};
use crate::generate::values::check::sample;

pub(super) fn beyond(schema: &Json, c: &mut Collector<'_>) {
    let (least, most) = lengths(schema);
    let sized = |n: usize| of_length(schema, n).unwrap_or_else(|| "x".repeat(n));
    if let Some(least) = least.filter(|n| *n > 0) {
        c.set("minLength", "one character too short", json!(sized(least - 1)));
    }
    if let Some(most) = most.filter(|n| *n < LONGEST) {
        c.set("maxLength", "one character too long", json!(sized(most + 1)));
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        against(schema, pattern, c);
    }
    if let Some(format) = schema["format"].as_str().filter(|f| is_checked_format(f)) {
        c.set("format", "a word", json!("tomorrow!"));
        match format {
            "date-time" => {
                c.set("format", "a day that no month has", json!("2096-02-30T12:00:00Z"));
                c.set("format", "a date without a time", json!("2096-02-28"));
            }
            "date" => {
                c.set("format", "a day that no month has", json!("2096-02-30"));
                c.set("format", "a date with a time", json!("2096-02-28T12:00:00Z"));
            }
            _ => {}
        }
    }
}

/// Texts that do not match a pattern.
fn against(schema: &Json, pattern: &str, c: &mut Collector<'_>) {
    let (least, most) = lengths(schema);
    let (least, most) = (least.unwrap_or(1), most.unwrap_or(LONGEST));
    let validator = jsonschema::options().build(&json!({ "pattern": pattern })).ok();
    let breaks = |text: &String| validator.as_ref().is_some_and(|v| !v.is_valid(&json!(text)));
    let fitted = |text: String| fit(&text, least, most.min(40).max(least));
    let texts: Vec<Template> =
        unmatched().map(fitted).filter(breaks).take(4).map(|t| Template::Literal(json!(t))).collect();
    c.put("pattern", "a text that does not match", texts);
    // A server that searches for the pattern, instead of matching the whole text, finds it in these.
    if shaped(schema).is_some()
        && let Json::String(plain) = sample(&simplest(schema))
    {
        let more = [format!("!{plain}!"), format!("{plain}!"), format!("!{plain}")];
        let more = more.into_iter().filter(|t| (least..=most).contains(&t.chars().count()));
        if let Some(text) = more.into_iter().find(breaks) {
            c.set("pattern", "a text that matches in part", json!(text));
        }
    }
}
