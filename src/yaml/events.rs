//! YAML text as a tree of nodes, from the events of the parser.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, Tag};
use serde_json::Value as Json;

use super::limits::{Budget, MAX_DEPTH};
use super::{Key, Mapping, Node, Value, scalar};
use crate::source::{Diagnostic, Place, Result, Source};

/// Reads one YAML document.
pub(super) fn parse(source: &Arc<Source>) -> Result<Node> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.flow_nesting_limit = MAX_DEPTH + 1;
    options.block_nesting_limit = MAX_DEPTH + 1;
    // Paths and URLs as keys may be longer than YAML allows for keys.
    options.simple_key_max_lookahead = 16 * 1024;
    let parser = Parser::new_from_str_with_options(&source.text, options);
    Reader { source, parser, budget: Budget::default(), anchors: HashMap::new() }.document()
}

struct Reader<'a, P> {
    source: &'a Arc<Source>,
    parser: P,
    budget: Budget,
    anchors: HashMap<usize, (Node, usize)>,
}

impl<'a, P: Iterator<Item = std::result::Result<(Event<'a>, Span), ScanError>>> Reader<'a, P> {
    fn next(&mut self) -> Result<(Event<'a>, Place)> {
        loop {
            match self.parser.next() {
                Some(Ok((Event::StreamStart | Event::DocumentStart(..), _))) => {}
                Some(Ok((event, span))) => return Ok((event, self.place(&span))),
                Some(Err(error)) => return Err(self.syntax_error(&error)),
                None => return Ok((Event::StreamEnd, self.end())),
            }
        }
    }

    fn place(&self, span: &Span) -> Place {
        let range = span.byte_range().unwrap_or_default();
        Place { source: Arc::clone(self.source), span: range.start..range.end.max(range.start + 1) }
    }

    fn end(&self) -> Place {
        let end = self.source.text.len();
        Place { source: Arc::clone(self.source), span: end..end }
    }

    fn document(mut self) -> Result<Node> {
        let (event, place) = self.next()?;
        let root = match event {
            Event::StreamEnd | Event::DocumentEnd => return Ok(Node { value: Value::Scalar(Json::Null), place }),
            event => self.node(event, place, 0)?,
        };
        loop {
            match self.next()? {
                (Event::DocumentEnd, _) => {}
                (Event::StreamEnd, _) => return Ok(root),
                (_, place) => {
                    return Err(place
                        .error("not valid YAML: a second document begins here")
                        .help("a file must have one document: remove what follows `---`"));
                }
            }
        }
    }

    fn node(&mut self, event: Event<'a>, mut place: Place, depth: usize) -> Result<Node> {
        self.budget.node(&place)?;
        if depth > MAX_DEPTH {
            return Err(Budget::too_deep(&place));
        }
        let (value, anchor) = match event {
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id) else {
                    return Err(place
                        .error("not valid YAML: this alias is inside the value that it refers to")
                        .help("use `$ref` for a value that contains itself"));
                };
                self.budget.repeat(*size, &place)?;
                return Ok(node.clone());
            }
            Event::Scalar(text, style, anchor, tag) => {
                (Value::Scalar(resolve(&text, style, tag.as_deref(), &place)?), anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, end) => {
                            place.span.end = end.span.end.max(place.span.end);
                            break (Value::Sequence(items), anchor);
                        }
                        (event, place) => items.push(self.node(event, place, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(_, anchor, _) => {
                let mut entries: Vec<(Key, Node)> = Vec::new();
                let mut merged: Vec<Node> = Vec::new();
                loop {
                    let key = match self.next()? {
                        (Event::MappingEnd, end) => {
                            place.span.end = end.span.end.max(place.span.end);
                            break;
                        }
                        (event, place) => self.key(event, place)?,
                    };
                    let (event, at) = self.next()?;
                    let is_merge = key.name == "<<";
                    let is_alias = matches!(event, Event::Alias(_));
                    let node = self.node(event, at, depth + 1)?;
                    match node.value {
                        // Of several maps an earlier one takes precedence.
                        Value::Sequence(maps)
                            if is_merge
                                && !maps.is_empty()
                                && maps.iter().all(|m| matches!(m.value, Value::Mapping(_))) =>
                        {
                            merged.extend(maps);
                        }
                        _ if is_merge && is_alias => merged.push(node),
                        _ => entries.push((key, node)),
                    }
                }
                // The map's own entries take precedence over merged ones.
                for node in merged {
                    if let Value::Mapping(others) = node.value {
                        for (key, node) in others.into_entries() {
                            if !entries.iter().any(|(k, _)| k.name == key.name) {
                                entries.push((key, node));
                            }
                        }
                    }
                }
                (Value::Mapping(Mapping::new(entries)), anchor)
            }
            _ => return Err(place.error("not valid YAML: a value is expected here")),
        };
        let node = Node { value, place };
        if anchor != 0 {
            let size = node.size();
            self.budget.repeat(size, &node.place)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn key(&mut self, event: Event<'a>, place: Place) -> Result<Key> {
        match event {
            Event::Scalar(text, _, anchor, _) => {
                let name = text.into_owned();
                if anchor != 0 {
                    let value = Value::Scalar(Json::String(name.clone()));
                    self.anchors.insert(anchor, (Node { value, place: place.clone() }, 1));
                }
                Ok(Key { name, place })
            }
            Event::Alias(id) => match self.anchors.get(&id) {
                Some((Node { value: Value::Scalar(json), .. }, _)) => {
                    let name = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
                    Ok(Key { name, place })
                }
                _ => Err(place.error("a key must be a scalar, not a list or a map")),
            },
            _ => Err(place.error("a key must be a scalar, not a list or a map")),
        }
    }

    fn syntax_error(&self, error: &ScanError) -> Box<Diagnostic> {
        let marker = error.marker();
        let at = marker.byte_offset().unwrap_or_else(|| {
            self.source.text.split_inclusive('\n').take(marker.line().saturating_sub(1)).map(str::len).sum()
        });
        let message = error.info();
        let place = Place { source: Arc::clone(self.source), span: at..at + 1 };
        if message.contains("nest") || message.contains("depth") {
            return Budget::too_deep(&place);
        }
        place
            .error(format!("not valid YAML: {message}"))
            .help("check the indentation, quotes and brackets, here and in the lines before")
    }
}

/// The value of a scalar by its tag, or else by the core schema.
fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>, place: &Place) -> Result<Json> {
    let Some(tag) = tag else {
        return Ok(if style == ScalarStyle::Plain { scalar::plain(text) } else { Json::String(text.to_owned()) });
    };
    let value = scalar::plain(text);
    let (fits, what) = match tag.core_suffix() {
        Some("int") => (value.is_i64() || value.is_u64(), "an integer"),
        Some("float") => (value.is_number(), "a number"),
        Some("bool") => (value.is_boolean(), "a boolean"),
        Some("null") => (value.is_null(), "null"),
        // `!!str`, `!` and all other tags: the text as it is.
        _ => return Ok(Json::String(text.to_owned())),
    };
    if fits { Ok(value) } else { Err(place.error(format!("the tag says that this is {what}, but it is not"))) }
}
