//! YAML (and so JSON) as a tree that knows where each part of it stands.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use serde_saphyr::Spanned;

use crate::source::{Diagnostic, Place, Result, Source, did_you_mean};

/// One part of a document, with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// What stands there.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub enum Value {
    /// Null, true, false, a number or a string.
    Scalar(Json),
    /// A list.
    Sequence(Vec<Node>),
    /// A map, in the order of the text.
    Mapping(Vec<(Key, Node)>),
}

/// The name of a map's entry, with its place.
#[derive(Clone, Debug)]
pub struct Key {
    /// The name; numbers and booleans as they were written.
    pub name: String,
    /// Where it stands.
    pub place: Place,
}

/// Reads one YAML document.
///
/// # Errors
/// Text that is not YAML, repeated keys, and documents past the parser's limits.
pub fn parse(source: &Arc<Source>) -> Result<Node> {
    let options = serde_saphyr::options! { with_snippet: false };
    let raw: Spanned<Raw> =
        serde_saphyr::from_str_with_options(&source.text, options).map_err(|e| syntax_error(source, &e))?;
    Ok(build(raw, source))
}

fn syntax_error(source: &Arc<Source>, error: &serde_saphyr::Error) -> Box<Diagnostic> {
    let message = error.without_snippet().to_string();
    let message = message.lines().next().unwrap_or_default();
    // The place is shown, and the library's own options are nothing that a person could set.
    let message = message.split(" at line ").next().unwrap_or_default();
    let message = message.split(&[',', ';'][..]).next().unwrap_or_default().trim().to_owned();
    let help = if message.contains("duplicate") {
        "a map has each key once: take one of them out"
    } else {
        "look at indentation, quotes and brackets, here and in the lines before"
    };
    match error.location() {
        Some(location) => Place { source: Arc::clone(source), span: range(source, &location) }
            .error(format!("not valid YAML: {message}")),
        None => Diagnostic::new(format!("{}: not valid YAML: {message}", source.path)),
    }
    .help(help)
}

impl Node {
    /// An error at this node.
    pub fn error(&self, title: impl Into<String>) -> Box<Diagnostic> {
        self.place.error(title)
    }

    /// What kind of thing stands here, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(Json::Null) => "null",
            Value::Scalar(Json::Bool(_)) => "a boolean",
            Value::Scalar(Json::Number(_)) => "a number",
            Value::Scalar(_) => "a string",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a map",
        }
    }

    /// The entries of a map.
    ///
    /// # Errors
    /// The node is something else; `what` says what a map was due for.
    pub fn mapping(&self, what: &str) -> Result<&[(Key, Node)]> {
        match &self.value {
            Value::Mapping(entries) => Ok(entries),
            _ => Err(self.error(format!("{what} must be a map, not {}", self.kind()))),
        }
    }

    /// The parts of a list.
    ///
    /// # Errors
    /// The node is something else.
    pub fn sequence(&self, what: &str) -> Result<&[Node]> {
        match &self.value {
            Value::Sequence(nodes) => Ok(nodes),
            _ => Err(self.error(format!("{what} must be a list, not {}", self.kind()))),
        }
    }

    /// A string.
    ///
    /// # Errors
    /// The node is something else.
    pub fn string(&self, what: &str) -> Result<&str> {
        match &self.value {
            Value::Scalar(Json::String(text)) => Ok(text),
            _ => Err(self.error(format!("{what} must be a string, not {}", self.kind()))),
        }
    }

    /// The value of a map's entry, if this is a map that has it.
    pub fn get(&self, name: &str) -> Option<&Node> {
        match &self.value {
            Value::Mapping(entries) => entries.iter().find(|(k, _)| k.name == name).map(|(_, n)| n),
            _ => None,
        }
    }

    /// The node at a JSON Pointer (without the leading `#`).
    pub fn pointer(&self, pointer: &str) -> Option<&Node> {
        pointer.split('/').skip(1).try_fold(self, |node, token| match &node.value {
            Value::Sequence(nodes) => token.parse::<usize>().ok().and_then(|i| nodes.get(i)),
            _ => node.get(&token.replace("~1", "/").replace("~0", "~")),
        })
    }

    /// Refuses entries of a map that nobody reads.
    ///
    /// # Errors
    /// The first key that is not among `known`, with the nearest one that is.
    pub fn only(&self, what: &str, known: &[&str]) -> Result<&[(Key, Node)]> {
        let entries = self.mapping(what)?;
        for (key, _) in entries {
            if !known.contains(&key.name.as_str()) {
                return Err(key.place.error(format!("unknown key `{}` in {what}", key.name)).help(
                    did_you_mean(&key.name, known.iter().copied())
                        .unwrap_or_else(|| format!("known keys: {}", known.join(", "))),
                ));
            }
        }
        Ok(entries)
    }

    /// The plain JSON value, without places.
    pub fn to_json(&self) -> Json {
        match &self.value {
            Value::Scalar(json) => json.clone(),
            Value::Sequence(nodes) => nodes.iter().map(Node::to_json).collect(),
            Value::Mapping(entries) => {
                entries.iter().map(|(k, n)| (k.name.clone(), n.to_json())).collect::<serde_json::Map<_, _>>().into()
            }
        }
    }
}

#[derive(Debug)]
enum Raw {
    Scalar(Json),
    Sequence(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct RawVisitor;
        impl<'de> Visitor<'de> for RawVisitor {
            type Value = Raw;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a YAML value")
            }
            fn visit_bool<E>(self, v: bool) -> std::result::Result<Raw, E> {
                Ok(Raw::Scalar(v.into()))
            }
            fn visit_i64<E>(self, v: i64) -> std::result::Result<Raw, E> {
                Ok(Raw::Scalar(v.into()))
            }
            fn visit_u64<E>(self, v: u64) -> std::result::Result<Raw, E> {
                Ok(Raw::Scalar(v.into()))
            }
            fn visit_f64<E>(self, v: f64) -> std::result::Result<Raw, E> {
                Ok(Raw::Scalar(v.into()))
            }
            fn visit_str<E>(self, v: &str) -> std::result::Result<Raw, E> {
                Ok(Raw::Scalar(v.into()))
            }
            fn visit_unit<E>(self) -> std::result::Result<Raw, E> {
                Ok(Raw::Scalar(Json::Null))
            }
            fn visit_none<E>(self) -> std::result::Result<Raw, E> {
                Ok(Raw::Scalar(Json::Null))
            }
            fn visit_some<D: Deserializer<'de>>(self, d: D) -> std::result::Result<Raw, D::Error> {
                Raw::deserialize(d)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Raw, A::Error> {
                let mut nodes = Vec::new();
                while let Some(node) = seq.next_element()? {
                    nodes.push(node);
                }
                Ok(Raw::Sequence(nodes))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Raw, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Raw::Mapping(entries))
            }
        }
        deserializer.deserialize_any(RawVisitor)
    }
}

fn build(raw: Spanned<Raw>, source: &Arc<Source>) -> Node {
    let place = |location: &serde_saphyr::Location| Place { source: Arc::clone(source), span: range(source, location) };
    Node {
        place: place(&raw.referenced),
        value: match raw.value {
            Raw::Scalar(json) => Value::Scalar(json),
            Raw::Sequence(nodes) => Value::Sequence(nodes.into_iter().map(|n| build(n, source)).collect()),
            Raw::Mapping(entries) => Value::Mapping(
                entries
                    .into_iter()
                    .map(|(key, node)| {
                        let key = Key { place: place(&key.referenced), name: key.value };
                        (key, build(node, source))
                    })
                    .collect(),
            ),
        },
    }
}

fn range(source: &Source, location: &serde_saphyr::Location) -> std::ops::Range<usize> {
    let span = location.span();
    let start = span
        .byte_offset()
        .map_or_else(|| line_start(&source.text, location.line()), |start| usize::try_from(start).unwrap_or_default());
    let length = span.byte_len().map_or(1, |len| usize::try_from(len).unwrap_or(1).max(1));
    start..start + length
}

fn line_start(text: &str, line: u64) -> usize {
    text.split_inclusive('\n').take(usize::try_from(line.saturating_sub(1)).unwrap_or_default()).map(str::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Node> {
        parse(&Source::new("t.yaml", text))
    }

    #[test]
    fn keeps_places_and_order() {
        let node = read("b: 1\na:\n  - x\n  - {c: 2.5, d: null}\n201: ok\n").unwrap();
        let names: Vec<_> = node.mapping("t").unwrap().iter().map(|(k, _)| k.name.as_str()).collect();
        assert_eq!(names, ["b", "a", "201"]);
        let d = node.pointer("/a/1/d").unwrap();
        assert_eq!(d.place.line(), 4);
        assert_eq!(node.to_json().to_string(), r#"{"b":1,"a":["x",{"c":2.5,"d":null}],"201":"ok"}"#);
    }

    #[test]
    fn names_the_unknown_key() {
        let error = read("id: x\nexpct: y\n").unwrap().only("a case", &["id", "expect"]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("t.yaml:2:1") && text.contains("did you mean `expect`?"), "{text}");
    }

    #[test]
    fn refuses_repeated_keys_and_bad_syntax_with_the_line() {
        for (text, at) in [("a: 1\na: 2\n", ":2:"), ("a: [1\nb: 2\n", "t.yaml:"), ("\"x\n", "t.yaml:")] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(at), "{error}");
        }
    }

    #[test]
    fn big_integers_survive() {
        assert_eq!(read("18446744073709551615").unwrap().to_json().to_string(), "18446744073709551615");
    }
}
