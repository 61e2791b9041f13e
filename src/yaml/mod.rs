//! YAML and JSON as a tree that knows the place of each of its parts.
//!
//! Unquoted scalars are read by the core schema of YAML 1.2: `NO`, `on`, `1_000` and `12:30` are strings. A text that
//! is JSON is read as JSON.

mod events;
mod json;
mod limits;
pub mod scalar;

use std::sync::Arc;

use serde_json::Value as Json;

use crate::fields;
use crate::source::{Diagnostic, Place, Result, Source, did_you_mean};

/// One part of a document, with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its value.
    pub value: Value,
    /// Its place.
    pub place: Place,
}

/// The value of a node.
#[derive(Clone, Debug)]
pub enum Value {
    /// Null, true, false, a number or a string.
    Scalar(Json),
    /// A list.
    Sequence(Vec<Node>),
    /// A map, in the order of the text.
    Mapping(Mapping),
}

/// The name of a map's entry, with its place.
#[derive(Clone, Debug)]
pub struct Key {
    /// The name; numbers and booleans as they were written.
    pub name: String,
    /// Its place.
    pub place: Place,
}

/// The entries of a map in the order of the text, found by name without looking at all of them.
#[derive(Clone, Debug)]
pub struct Mapping {
    entries: Vec<(Key, Node)>,
    /// The positions of the entries by name, where there are many.
    sorted: Box<[u32]>,
    /// Duplicate keys; the first of each is the one that is found.
    repeated: Vec<Key>,
}

/// A map with at least this number of entries is searched by bisection.
const MANY: usize = 12;

impl Mapping {
    fn new(mut entries: Vec<(Key, Node)>) -> Self {
        let name = |i: &u32, entries: &[(Key, Node)]| entries[*i as usize].0.name.clone();
        let mut sorted: Vec<u32> = (0..u32::try_from(entries.len()).unwrap_or(u32::MAX)).collect();
        sorted.sort_by(|a, b| entries[*a as usize].0.name.cmp(&entries[*b as usize].0.name).then(a.cmp(b)));
        let again: Vec<u32> =
            sorted.windows(2).filter(|w| name(&w[0], &entries) == name(&w[1], &entries)).map(|w| w[1]).collect();
        if again.is_empty() {
            let sorted = if entries.len() < MANY { Box::default() } else { sorted.into_boxed_slice() };
            return Self { entries, sorted, repeated: Vec::new() };
        }
        let mut at = 0;
        let mut repeated = Vec::new();
        entries.retain(|(key, _)| {
            let is_again = again.contains(&at);
            at += 1;
            if is_again {
                repeated.push(key.clone());
            }
            !is_again
        });
        Self { repeated, ..Self::new(entries) }
    }

    fn find(&self, name: &str) -> Option<&Node> {
        if self.sorted.is_empty() {
            return self.entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node);
        }
        let at = self.sorted.binary_search_by(|i| self.entries[*i as usize].0.name.as_str().cmp(name)).ok()?;
        Some(&self.entries[self.sorted[at] as usize].1)
    }

    fn into_entries(self) -> Vec<(Key, Node)> {
        self.entries
    }

    /// Duplicate keys.
    pub fn repeated(&self) -> &[Key] {
        &self.repeated
    }
}

impl std::ops::Deref for Mapping {
    type Target = [(Key, Node)];
    fn deref(&self) -> &Self::Target {
        &self.entries
    }
}

/// Reads one YAML or JSON document in which no map has a key twice.
///
/// # Errors
/// Text that is neither, repeated keys, and documents past the limits.
pub fn parse(source: &Arc<Source>) -> Result<Node> {
    let root = parse_with_repeated_keys(source)?;
    match root.first_repeated() {
        Some(key) => Err(repeated_key(key)),
        None => Ok(root),
    }
}

/// Reads one YAML or JSON document; of duplicate keys in a map, the first counts, and [`Mapping::repeated`] has the
/// others.
///
/// # Errors
/// Text that is neither, and documents past the limits.
pub fn parse_with_repeated_keys(source: &Arc<Source>) -> Result<Node> {
    if source.text.len() > limits::MAX_BYTES {
        let title = format!("{} has more than {} MB", source.path, limits::MAX_BYTES >> 20);
        return Err(Diagnostic::new(title).help("this is the limit for a file: split it into several"));
    }
    if json::looks_like_json(&source.text) {
        match json::parse(source) {
            Ok(read) => return read,
            Err(error) if source.path.ends_with(".json") => return Err(json::syntax_error(source, &error)),
            // A map in braces is YAML, too.
            Err(_) => {}
        }
    }
    events::parse(source)
}

/// A name as it is written in a JSON Pointer.
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The error for a duplicate key.
pub fn repeated_key(key: &Key) -> Box<Diagnostic> {
    key.place
        .error(format!("duplicate mapping key: {}", key.name))
        .help("a map can have each key only once: remove one of them")
}

impl Node {
    /// An error at this node.
    pub fn error(&self, title: impl Into<String>) -> Box<Diagnostic> {
        self.place.error(title)
    }

    /// The kind of value, for messages.
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
    /// The node is something else; `what` says what should have been a map.
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

    /// This map, and of another one the entries that it does not have itself.
    #[must_use]
    pub fn over(self, other: Self) -> Self {
        let (mut entries, others) = match (self.value, other.value) {
            (Value::Mapping(own), Value::Mapping(others)) => (own.into_entries(), others.into_entries()),
            (value, _) => return Self { value, place: self.place },
        };
        for (key, value) in others {
            if !entries.iter().any(|(own, _)| own.name == key.name) {
                entries.push((key, value));
            }
        }
        Self { value: Value::Mapping(Mapping::new(entries)), place: self.place }
    }

    /// The value of a map's entry, if this is a map that has it.
    pub fn get(&self, name: &str) -> Option<&Node> {
        match &self.value {
            Value::Mapping(entries) => entries.find(name),
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

    /// Refuses unknown entries of a map.
    ///
    /// # Errors
    /// The first key that is not among those of `map`, with the nearest one that is.
    pub fn only(&self, what: &str, map: &fields::Map) -> Result<&[(Key, Node)]> {
        let entries = self.mapping(what)?;
        let known = map.names();
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

    /// How many values there are, this one included.
    fn size(&self) -> usize {
        match &self.value {
            Value::Scalar(_) => 1,
            Value::Sequence(nodes) => 1 + nodes.iter().map(Self::size).sum::<usize>(),
            Value::Mapping(entries) => 1 + entries.iter().map(|(_, node)| node.size()).sum::<usize>(),
        }
    }

    /// The first duplicate key in the order of the text.
    pub fn first_repeated(&self) -> Option<&Key> {
        match &self.value {
            Value::Scalar(_) => None,
            Value::Sequence(nodes) => nodes.iter().find_map(Self::first_repeated),
            Value::Mapping(entries) => {
                entries.repeated().first().or_else(|| entries.iter().find_map(|(_, node)| node.first_repeated()))
            }
        }
    }
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
        use crate::fields::{Key, Map, Value};
        static CASE: Map = Map {
            name: "case",
            text: "",
            keys: &[Key::new("id", Value::Text, ""), Key::new("expect", Value::Text, "")],
        };
        let error = read("id: x\nexpct: y\n").unwrap().only("a case", &CASE).unwrap_err();
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
    fn maps_are_merged_one_or_several() {
        let text =
            "s: &s {a: 1, b: 2}\nm: &m {b: 3, c: 4}\none: {<<: *s, a: 0}\nall: {<<: [*s, *m], c: 5}\nkey: {<<: [1]}\n";
        let json = read(text).unwrap().to_json();
        let map = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(json["one"], map(r#"{"a": 0, "b": 2}"#));
        assert_eq!(json["all"], map(r#"{"a": 1, "b": 2, "c": 5}"#));
        // What is no list of maps is a value like any other.
        assert_eq!(json["key"], map(r#"{"<<": [1]}"#));
    }

    #[test]
    fn big_integers_survive() {
        assert_eq!(read("18446744073709551615").unwrap().to_json().to_string(), "18446744073709551615");
    }
}
