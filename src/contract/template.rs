//! Values in cases: literals, and values that are made when a request is sent.

use std::time::Duration;

use chrono::{FixedOffset, TimeDelta};
use serde_json::Value as Json;

use super::keys::{BOUNDS, FORMS};
use crate::expression::{Expression, Names};
use crate::source::Result;
use crate::yaml::{Node, Value};

/// A value to be made when a request is sent.
#[derive(Clone, Debug)]
pub enum Template {
    /// Literal JSON.
    Literal(Json),
    /// The value of an expression.
    Cel(std::sync::Arc<Expression>),
    /// A value that no earlier run has used: an idempotency key or an id.
    Fresh {
        /// What kind of value it is.
        kind: FreshKind,
        /// Its length in characters.
        length: Option<usize>,
        /// A known id, whose form it takes.
        like: Option<std::sync::Arc<Expression>>,
    },
    /// An instant's RFC 3339 text.
    Instant {
        /// The instant.
        when: When,
        /// How it is written.
        spelling: Spelling,
    },
    /// An integer drawn from a range, both ends included.
    Integer {
        /// The smallest.
        from: i64,
        /// The largest.
        to: i64,
    },
    /// Literal JSON text, whether or not a parser accepts it.
    Text(String),
    /// A string made of repetitions.
    Filler {
        /// What is repeated.
        text: String,
        /// How often.
        times: usize,
    },
    /// Bytes, where they are allowed.
    Bytes(Vec<u8>),
    /// A part of the row of the requirement's table.
    Row(Vec<String>),
    /// A string that contains the run tag, so that people find what a run created.
    Marked(String),
    /// A string that matches a schema, and that differs from those of other requests if the schema allows that.
    Unique {
        /// A text that matches the schema.
        text: String,
        /// The schema.
        schema: std::sync::Arc<Json>,
    },
    /// A list of values.
    List(Vec<Template>),
    /// An object of values.
    Object(Vec<(String, Template)>),
}

impl Template {
    /// How many values it holds that say something: an empty text or null does not.
    pub fn leaves(&self) -> usize {
        match self {
            Self::Literal(value) => leaves(value),
            Self::Object(members) => members.iter().map(|(_, value)| value.leaves()).sum(),
            Self::List(items) => items.iter().map(Self::leaves).sum(),
            _ => 1,
        }
    }
}

fn leaves(value: &Json) -> usize {
    match value {
        Json::Null => 0,
        Json::String(text) => usize::from(!text.is_empty()),
        Json::Array(items) => items.iter().map(leaves).sum(),
        Json::Object(members) => members.values().map(leaves).sum(),
        Json::Bool(_) | Json::Number(_) => 1,
    }
}

/// The kind of a value that no earlier run has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreshKind {
    /// An idempotency key.
    Key,
    /// An idempotency key in the form of a UUID.
    KeyUuid,
    /// An idempotency key of digits alone, of which the first is not zero.
    Number,
    /// An id that does not exist on the server.
    UnknownId,
}

/// Which instant is meant.
#[derive(Clone, Debug)]
pub enum When {
    /// The value of an expression.
    Cel(std::sync::Arc<Expression>),
    /// This distance from the server's present time.
    FromNow(TimeDelta),
}

/// How an instant is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spelling {
    /// The offset; None for `Z`.
    pub offset: Option<FixedOffset>,
    /// The number of digits of the fraction of a second.
    pub digits: u8,
    /// Whether only the day is written: RFC 3339's full-date.
    pub day: bool,
}

impl Template {
    /// Reads a value.
    ///
    /// # Errors
    /// A form whose parts are wrong, and expressions that do not compile.
    pub fn read(node: &Node, names: &Names) -> Result<Self> {
        match &node.value {
            Value::Scalar(json) => Ok(Self::Literal(json.clone())),
            Value::Sequence(nodes) => nodes.iter().map(|n| Self::read(n, names)).collect::<Result<_>>().map(Self::List),
            Value::Mapping(entries) => {
                let form = FORMS.iter().find_map(|form| {
                    Some((form.keys.first()?.name, form)).filter(|(word, _)| node.get(word).is_some())
                });
                if let (Some(old), Some(_)) = (node.get("repeat"), node.get("times")) {
                    return Err(old
                        .error("the value form `repeat` is now called `filler`")
                        .help("write `{ filler: a, times: 10000 }`; an object with these keys is `{ literal: … }`"));
                }
                if let Some((word, form)) = form {
                    node.only(&format!("`{{{word}: …}}`"), form)?;
                    return Self::form(word, node, names);
                }
                entries
                    .iter()
                    .map(|(k, n)| Ok((k.name.clone(), Self::read(n, names)?)))
                    .collect::<Result<_>>()
                    .map(Self::Object)
            }
        }
    }

    fn form(word: &str, node: &Node, names: &Names) -> Result<Self> {
        let Some(main) = node.get(word) else {
            return Err(node.error(format!("`{word}` is missing")));
        };
        let expression =
            |n: &Node| Expression::compile(n.string("an expression")?, &n.place, names).map(std::sync::Arc::new);
        Ok(match word {
            "cel" => Self::Cel(expression(main)?),
            "fresh" => Self::Fresh {
                kind: match main.string("`fresh`")? {
                    "id" => FreshKind::UnknownId,
                    "key" => FreshKind::Key,
                    "number" => FreshKind::Number,
                    _ => return Err(main.error("`fresh` must be `key`, `number` or `id`")),
                },
                length: node.get("length").map(|n| integer(n, "`length`")).transpose()?,
                like: node.get("like").map(expression).transpose()?,
            },
            "instant" => Self::Instant {
                when: When::Cel(expression(main)?),
                spelling: Spelling {
                    offset: node.get("offset").map(offset).transpose()?,
                    digits: match node.get("digits") {
                        Some(n) => integer(n, "`digits`")?,
                        None => 0,
                    },
                    day: false,
                },
            },
            "integer" => {
                main.only("`integer`", &BOUNDS)?;
                let bound = |key: &str| main.get(key).map(|n| integer::<i64>(n, &format!("`{key}`"))).transpose();
                let from = bound("from")?.or(bound("above")?.map(|n| n.saturating_add(1)));
                let to = bound("to")?.or(bound("below")?.map(|n| n.saturating_sub(1)));
                let (from, to) = match (from, to) {
                    (Some(from), Some(to)) => (from, to),
                    // The range is wide enough for variety, and narrow enough for the intended fault.
                    (Some(from), None) => (from, from.saturating_add(1_000_000)),
                    (None, Some(to)) => (to.saturating_sub(1_000_000), to),
                    (None, None) => return Err(main.error("`integer` needs a bound")),
                };
                if from > to {
                    return Err(main.error("there is no integer between these bounds"));
                }
                Self::Integer { from, to }
            }
            "json" => Self::Text(main.string("`json`")?.to_owned()),
            "filler" => Self::Filler {
                text: main.string("`filler`")?.to_owned(),
                times: match node.get("times") {
                    Some(n) => integer(n, "`times`")?,
                    None => return Err(node.error("`filler` needs `times`")),
                },
            },
            "base64" => {
                use base64::Engine as _;
                let text = main.string("`base64`")?;
                let bytes = base64::engine::general_purpose::STANDARD
                    .decode(text)
                    .map_err(|e| main.error(format!("not base64: {e}")))?;
                Self::Bytes(bytes)
            }
            "it" => {
                let path = main.string("`it`")?;
                let path = path.split('.').filter(|s| !s.is_empty());
                Self::Row(path.map(str::to_owned).collect())
            }
            _ => Self::Literal(main.to_json()),
        })
    }

    /// The part of a value at a path of names.
    pub fn part(&self, path: &[String]) -> Option<&Template> {
        path.iter().try_fold(self, |template, name| match template {
            Self::Object(entries) => entries.iter().find(|(k, _)| k == name).map(|(_, t)| t),
            Self::List(items) => name.parse::<usize>().ok().and_then(|i| items.get(i)),
            _ => None,
        })
    }

    /// The value at a JSON Pointer, to be changed.
    pub fn pointer_mut(&mut self, pointer: &str) -> Option<&mut Template> {
        segments(pointer).iter().try_fold(self, |template, name| match template {
            Self::Object(entries) => entries.iter_mut().find(|(k, _)| k == name).map(|(_, t)| t),
            Self::List(items) => name.parse::<usize>().ok().and_then(|i| items.get_mut(i)),
            _ => None,
        })
    }

    /// The value at a JSON Pointer.
    pub fn pointer(&self, pointer: &str) -> Option<&Template> {
        self.part(&segments(pointer))
    }

    /// Puts a value at a JSON Pointer; does nothing if its parent is missing.
    pub fn set(&mut self, pointer: &str, value: Template) {
        let Some((parent, name)) = pointer.rsplit_once('/') else {
            *self = value;
            return;
        };
        let name = unescape(name);
        match self.pointer_mut(parent) {
            Some(Self::Object(entries)) => match entries.iter_mut().find(|(k, _)| *k == name) {
                Some((_, old)) => *old = value,
                None => entries.push((name, value)),
            },
            Some(Self::List(items)) => match name.parse::<usize>() {
                Ok(i) if i < items.len() => items[i] = value,
                _ => items.push(value),
            },
            _ => {}
        }
    }

    /// Removes the value at a JSON Pointer.
    pub fn remove(&mut self, pointer: &str) {
        let Some((parent, name)) = pointer.rsplit_once('/') else {
            return;
        };
        let name = unescape(name);
        match self.pointer_mut(parent) {
            Some(Self::Object(entries)) => entries.retain(|(k, _)| *k != name),
            Some(Self::List(items)) => {
                if let Ok(i) = name.parse::<usize>()
                    && i < items.len()
                {
                    items.remove(i);
                }
            }
            _ => {}
        }
    }
}

impl From<Json> for Template {
    /// Objects and lists become templates, so that their parts can be changed.
    fn from(json: Json) -> Self {
        match json {
            Json::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Json::Object(map) => Self::Object(map.into_iter().map(|(k, v)| (k, Self::from(v))).collect()),
            other => Self::Literal(other),
        }
    }
}

fn unescape(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

/// The names of a JSON Pointer.
pub fn segments(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(unescape).collect()
}

/// An integer of any type.
pub(super) fn integer<T: TryFrom<i64>>(node: &Node, what: &str) -> Result<T> {
    match &node.value {
        Value::Scalar(Json::Number(n)) => n.as_i64(),
        _ => None,
    }
    .and_then(|n| T::try_from(n).ok())
    .ok_or_else(|| node.error(format!("{what} must be an integer in range")))
}

fn offset(node: &Node) -> Result<FixedOffset> {
    let text = node.string("`offset`")?;
    text.parse().map_err(|_| node.error("an offset must look like \"+05:30\""))
}

/// A duration such as `3s`, `500ms` or `2m`.
pub(super) fn duration(node: &Node, what: &str) -> Result<Duration> {
    let text = node.string(what)?;
    parse_duration(text).ok_or_else(|| node.error(format!("{what} must look like `3s` or `500ms`")))
}

/// A duration such as `3s`, `500ms`, `2m` or `1h`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(split);
    let number: f64 = number.trim().parse().ok()?;
    let unit = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * unit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use crate::yaml;
    use serde_json::json;

    fn read(text: &str) -> Result<Template> {
        let node = yaml::parse(&Source::new("t", text))?;
        Template::read(&node, &Names::new(["now"]))
    }

    #[test]
    fn tells_forms_from_literals() {
        assert!(matches!(
            read("{fresh: id, length: 40}").unwrap(),
            Template::Fresh { kind: FreshKind::UnknownId, length: Some(40), like: None }
        ));
        assert!(matches!(read("{integer: {above: 100}}").unwrap(), Template::Integer { from: 101, to: 1_000_101 }));
        assert!(matches!(read("{a: 1}").unwrap(), Template::Object(_)));
        assert!(matches!(read("{literal: {cel: 1}}").unwrap(), Template::Literal(Json::Object(_))));
        assert!(read("{fresh: thing}").is_err());
        assert!(read("{filler: a}").is_err());
        assert!(read("{repeat: a, times: 2}").unwrap_err().to_string().contains("{ filler: a"));
        assert!(matches!(read("{repeat: a}").unwrap(), Template::Object(_)));
        assert!(read("{instant: now, offst: Z}").unwrap_err().to_string().contains("did you mean `offset`?"));
    }

    #[test]
    fn sets_and_removes_by_pointer() {
        let mut t = Template::from(json!({"a": {"b": [1, 2]}}));
        t.set("/a/b/1", Template::Literal(json!(3)));
        t.set("/c", Template::Literal(json!(null)));
        t.remove("/a/b/0");
        assert_eq!(format!("{t:?}"), format!("{:?}", Template::from(json!({"a": {"b": [3]}, "c": null}))));
    }

    #[test]
    fn reads_durations() {
        assert_eq!(parse_duration("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(parse_duration("50ms"), Some(Duration::from_millis(50)));
        assert_eq!(parse_duration("5"), None);
        assert_eq!(parse_duration("-5s"), None);
    }
}
