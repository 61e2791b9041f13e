//! JSON as a tree that knows the place of each of its parts.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::limits::{Budget, MAX_DEPTH};
use super::{Key, Mapping, Node, Value};
use crate::source::{Place, Result, Source};

/// Whether a text is intended to be JSON: it begins with an object or a list.
pub(super) fn looks_like_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '['])
}

/// Reads a JSON text; None where it is not JSON, with the library's error.
pub(super) fn parse(source: &Arc<Source>) -> std::result::Result<Result<Node>, serde_json::Error> {
    let text = source.text.trim_start_matches('\u{feff}');
    let raw: &RawValue = serde_json::from_str(text)?;
    Ok(Reader { source, budget: Budget::default() }.node(raw, 0))
}

/// The error for a text that is intended to be JSON and is not.
pub(super) fn syntax_error(source: &Arc<Source>, error: &serde_json::Error) -> Box<crate::source::Diagnostic> {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let line = source.text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let at = line + error.column().saturating_sub(1);
    Place { source: Arc::clone(source), span: at..at + 1 }
        .error(format!("not valid JSON: {message}"))
        .help("check the commas, quotes and brackets, here and in the lines before")
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    budget: Budget,
}

impl Reader<'_> {
    fn place(&self, span: Range<usize>) -> Place {
        Place { source: Arc::clone(self.source), span }
    }

    /// The position of a part in the text that it is borrowed from.
    fn span(&self, part: &str) -> Range<usize> {
        let start = (part.as_ptr() as usize).saturating_sub(self.source.text.as_ptr() as usize);
        start..start + part.len()
    }

    fn node(&mut self, raw: &RawValue, depth: usize) -> Result<Node> {
        let text = raw.get();
        let place = self.place(self.span(text));
        self.budget.node(&place)?;
        if depth > MAX_DEPTH {
            return Err(Budget::too_deep(&place));
        }
        let unread = |e: serde_json::Error| place.error(format!("not valid JSON: {e}"));
        let value = match text.as_bytes().first() {
            Some(b'{') => {
                let Entries(entries) = serde_json::from_str(text).map_err(unread)?;
                let mut all = Vec::with_capacity(entries.len());
                for (Name(name), value) in entries {
                    let span = match &name {
                        Cow::Borrowed(name) => self.span(name),
                        Cow::Owned(_) => self.key_before(self.span(value.get()).start),
                    };
                    let key = Key { name: name.into_owned(), place: self.place(span) };
                    all.push((key, self.node(value, depth + 1)?));
                }
                Value::Mapping(Mapping::new(all))
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(unread)?;
                Value::Sequence(items.into_iter().map(|item| self.node(item, depth + 1)).collect::<Result<_>>()?)
            }
            _ => Value::Scalar(serde_json::from_str::<Json>(text).map_err(unread)?),
        };
        Ok(Node { value, place })
    }

    /// The key that ends before a value, as written, without its quotes.
    fn key_before(&self, value: usize) -> Range<usize> {
        let bytes = self.source.text.as_bytes();
        let end = bytes[..value].iter().rposition(|b| *b == b'"').unwrap_or_default();
        let mut start = end;
        while let Some(quote) = bytes[..start].iter().rposition(|b| *b == b'"') {
            start = quote;
            let slashes = bytes[..quote].iter().rev().take_while(|b| **b == b'\\').count();
            if slashes % 2 == 0 {
                return quote + 1..end;
            }
        }
        start..end
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The entries of an object in the order of the text, repeated ones too.
struct Entries<'a>(Vec<(Name<'a>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct EntriesVisitor;
        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor)
    }
}
