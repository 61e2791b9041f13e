//! Bodies for people: JSON on many lines, nothing invisible, the telling lines marked.

use std::collections::BTreeSet;

use serde::de::IgnoredAny;

use crate::report::text::visible;
use crate::yaml::escape;

/// From how many bytes on a body that ends within its JSON may have been cut.
const CUT: usize = 1000;

/// How deep lines are indented: what is nested ten thousand times would be mostly spaces otherwise.
const DEEPEST: usize = 16;

/// A line of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The text, indented; nothing in it is invisible.
    pub text: String,
    /// Whether it is what a difference is about.
    pub marked: bool,
}

/// A body on its lines: as JSON if it is that, or its beginning, token for token as it came, as text otherwise. Marked are
/// the values at the JSON Pointers in `telling`.
pub(crate) fn lines(body: &str, telling: &BTreeSet<String>) -> Vec<Line> {
    let json = || serde_json::from_str::<IgnoredAny>(body);
    if body.trim_start().starts_with(['{', '[']) && json().map_or_else(|e| e.is_eof() && body.len() >= CUT, |_| true) {
        return Indented::of(body, telling).lines;
    }
    body.split('\n').map(|line| Line { text: visible(line), marked: false }).collect()
}

/// The same as one text.
pub(crate) fn text(body: &str) -> String {
    let lines: Vec<String> = lines(body, &BTreeSet::new()).into_iter().map(|l| l.text).collect();
    lines.join("\n")
}

/// What is open around a value.
enum Open {
    Object { key: String },
    List { index: usize },
}

/// JSON on its way to lines. It is not read and written again: that would lose what is odd about it (a name that comes
/// twice, how a number or a character was spelt).
struct Indented<'a> {
    telling: &'a BTreeSet<String>,
    /// How many values are open around the innermost one that tells: further in, nothing needs to know where it stands.
    deepest: usize,
    lines: Vec<Line>,
    line: String,
    /// Where the value of this line stands; nowhere, if the line ends one.
    pointer: Option<String>,
    open: Vec<Open>,
    /// Whether an object or a list with nothing in it was begun.
    empty: bool,
}

impl<'a> Indented<'a> {
    fn of(json: &str, telling: &'a BTreeSet<String>) -> Self {
        let (lines, line, pointer, open) = (Vec::new(), String::new(), Some(String::new()), Vec::new());
        let deepest = telling.iter().map(|pointer| pointer.matches('/').count()).max().unwrap_or_default();
        let mut out = Self { telling, deepest, lines, line, pointer, open, empty: false };
        let mut rest = json.trim_ascii();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '"' => string_end(rest),
                '{' | '}' | '[' | ']' | ',' | ':' => 1,
                _ => rest.find([',', ']', '}', ' ', '\n', '\r', '\t']).unwrap_or(rest.len()),
            };
            let (token, after) = rest.split_at(length);
            rest = after.trim_ascii_start();
            out.token(token, rest.chars().next());
        }
        out.end_line();
        out
    }

    fn token(&mut self, token: &str, next: Option<char>) {
        match token {
            "{" | "[" => {
                self.line += token;
                self.empty = matches!(next, Some('}' | ']'));
                if !self.empty {
                    self.end_line();
                    self.open.push(if token == "{" {
                        Open::Object { key: String::new() }
                    } else {
                        Open::List { index: 0 }
                    });
                    self.point();
                }
            }
            "}" | "]" => {
                if !self.empty {
                    self.end_line();
                    self.open.pop();
                    self.pointer = None;
                }
                self.empty = false;
                self.line += token;
            }
            "," => {
                self.line.push(',');
                self.end_line();
                if let Some(Open::List { index }) = self.open.last_mut() {
                    *index += 1;
                }
                self.point();
            }
            ":" => self.line += ": ",
            text => {
                if next == Some(':')
                    && let Some(Open::Object { key }) = self.open.last_mut()
                {
                    *key = serde_json::from_str(text).unwrap_or_default();
                    self.point();
                }
                self.line += &visible(text);
            }
        }
    }

    /// Where the value of this line stands; nobody asks where nothing tells, nor behind all that does.
    fn point(&mut self) {
        self.pointer = None;
        if self.telling.is_empty() || self.open.len() > self.deepest {
            return;
        }
        let name = |open: &Open| match open {
            Open::Object { key } => format!("/{}", escape(key)),
            Open::List { index } => format!("/{index}"),
        };
        self.pointer = Some(self.open.iter().map(name).collect());
    }

    fn end_line(&mut self) {
        let text = std::mem::take(&mut self.line);
        if !text.is_empty() {
            let marked = self.pointer.as_ref().is_some_and(|p| self.telling.contains(p));
            let text = format!("{}{text}", "  ".repeat(self.open.len().min(DEEPEST)));
            self.lines.push(Line { text, marked });
        }
    }
}

/// How long the string at the beginning is, quotes included.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' if !escaped => escaped = true,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn marked(body: &str, at: &str) -> Vec<String> {
        let lines = lines(body, &BTreeSet::from([at.to_owned()]));
        lines.into_iter().filter(|l| l.marked).map(|l| l.text.trim().to_owned()).collect()
    }

    #[test]
    fn json_stands_on_many_lines_as_it_came() {
        let body = r#" {"a":{},"a":[1.0,[ ],"x{","\\\"}"],"b":{"c":1e400,"d":"\u0041"}} "#;
        let due = r#"{
  "a": {},
  "a": [
    1.0,
    [],
    "x{",
    "\\\"}"
  ],
  "b": {
    "c": 1e400,
    "d": "\u0041"
  }
}"#;
        assert_eq!(text(body), due);
        assert_eq!(text("[]"), "[]");
    }

    #[test]
    fn nothing_is_invisible() {
        assert_eq!(text("{\"a\":\"\u{202e}\"}"), "{\n  \"a\": \"\\u{202e}\"\n}");
        assert_eq!(text("<b>\r\n\u{1b}"), "<b>\\r\n\\u{1b}");
        assert_eq!(text("{\"a\": "), "{\"a\": ");
    }

    /// Where each of many nested values stands takes as long to tell as all of them together.
    #[test]
    fn what_is_nested_very_deep_is_written_at_once() {
        let body = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(lines(&body, &BTreeSet::from(["/a/b".to_owned()])).len(), 400_000 - 1);
    }

    #[test]
    fn what_tells_is_marked() {
        let body = r#"{"a/b":[{"c":1},{"c":2}],"d":{}}"#;
        assert_eq!(marked(body, "/a~1b/1/c"), [r#""c": 2"#]);
        assert_eq!(marked(body, "/a~1b/0"), ["{"]);
        assert_eq!(marked(body, "/d"), [r#""d": {}"#]);
        assert_eq!(marked(body, "/e"), [""; 0]);
    }

    #[test]
    fn what_is_nested_deep_stays_small() {
        for body in ["[".repeat(8000), "[".repeat(8000) + &"]".repeat(8000)] {
            assert!(text(&body).len() < 100 * body.len(), "{}", text(&body).len());
        }
    }

    #[test]
    fn the_beginning_of_json_is_json() {
        let body = format!("{{\"a\":\"{}\",\"b\":[1,", "x".repeat(1000));
        assert_eq!(marked(&body, "/b/0"), ["1,"]);
        // Too short to have been cut: it is what the server sent.
        assert_eq!(text("{\"b\":[1,"), "{\"b\":[1,");
    }

    proptest! {
        #[test]
        fn only_whitespace_is_added(text in r#"(\{"a,\[":|\[|1|,|"\\\\"|\]|\}| ){0,12}"#) {
            let squeezed = |t: &str| t.replace([' ', '\n'], "");
            prop_assert_eq!(squeezed(&super::text(&text)), squeezed(&text));
        }
    }
}
