//! JSONPath (RFC 9535), as far as it can be said in CEL. A parser of our own, since what is asked of one is small: crates
//! that read all of the language keep what they read to themselves, or bring a dozen others.

use serde_json::Value as Json;

use super::condition::{OPERATORS, Operator, take};

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Query {
    /// Whether it begins at the root, `$`, and not at the item, `@`.
    pub(super) root: bool,
    pub(super) segments: Vec<Vec<Selector>>,
}

/// What leads from a value to some of those in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Selector {
    Name(String),
    Index(u64),
    Wildcard,
    Filter(Filter),
}

/// What a filter asks of each value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    Exists(Query),
    Compare(Comparable, Operator, Comparable),
    /// `match` and `search`: the query, the pattern, and whether all of the text must fit.
    Matches(Query, String, bool),
}

/// A side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Comparable {
    Literal(Json),
    Query(Query),
    Length(Query),
    Count(Query),
}

/// How deep filters may be nested.
const MAX_DEPTH: usize = 30;

/// Reads a query.
///
/// # Errors
/// It is none, or has what cannot be said in CEL; the message says what.
pub(super) fn parse(text: &str) -> Result<Query, String> {
    let mut parser = Parser { rest: text.trim(), depth: 0 };
    let query = parser.query()?.ok_or("a JSONPath begins with `$`")?;
    match parser.rest {
        "" if query.root => Ok(query),
        "" => Err("a JSONPath begins with `$`".to_owned()),
        rest => Err(format!("`{}` is not expected there", rest.chars().take(30).collect::<String>())),
    }
}

impl Query {
    /// Whether it leads to one value at most.
    pub(super) fn is_singular(&self) -> bool {
        let is_one = |segment: &Vec<Selector>| matches!(segment[..], [Selector::Name(_) | Selector::Index(_)]);
        self.segments.iter().all(is_one)
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl Parser<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, text: &str) -> bool {
        take(&mut self.rest, text)
    }

    fn expect(&mut self, text: &str) -> Result<(), String> {
        if self.take(text) { Ok(()) } else { Err(format!("`{text}` is missing")) }
    }

    /// A name without quotes.
    fn name(&mut self) -> Option<String> {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || !c.is_ascii();
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        self.rest = rest;
        Some(name.to_owned())
    }

    fn query(&mut self) -> Result<Option<Query>, String> {
        let root = if self.take("$") {
            true
        } else if self.take("@") {
            false
        } else {
            return Ok(None);
        };
        let mut segments = Vec::new();
        loop {
            if self.rest.starts_with("..") {
                return Err("`..` has no counterpart in the case language".to_owned());
            }
            if let Some(rest) = self.rest.strip_prefix('.') {
                self.rest = rest;
                let selector = match self.rest.strip_prefix('*') {
                    Some(rest) => {
                        self.rest = rest;
                        Selector::Wildcard
                    }
                    None => Selector::Name(self.name().ok_or("a name is missing behind a dot")?),
                };
                segments.push(vec![selector]);
            } else if let Some(rest) = self.rest.strip_prefix('[') {
                self.rest = rest;
                let mut all = vec![self.selector()?];
                while self.take(",") {
                    all.push(self.selector()?);
                }
                self.expect("]")?;
                segments.push(all);
            } else {
                return Ok(Some(Query { root, segments }));
            }
        }
    }

    fn selector(&mut self) -> Result<Selector, String> {
        self.skip();
        if self.take("*") {
            return Ok(Selector::Wildcard);
        }
        if self.take("?") {
            return Ok(Selector::Filter(self.any()?));
        }
        if let Some(text) = self.string()? {
            return Ok(Selector::Name(text));
        }
        let end = self.rest.find(|c: char| !(c.is_ascii_digit() || "-:".contains(c))).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        if number.contains([':', '-']) {
            return Err("slices and indices from the end have no counterpart in the case language".to_owned());
        }
        self.rest = rest;
        number.parse().map(Selector::Index).map_err(|_| "a selector is missing between brackets".to_owned())
    }

    /// A text in quotes, if one stands here.
    fn string(&mut self) -> Result<Option<String>, String> {
        self.skip();
        let Some(quote) = self.rest.chars().next().filter(|c| ['\'', '"'].contains(c)) else { return Ok(None) };
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, c @ ('\\' | '/' | '\'' | '"'))) => text.push(c),
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'r')) => text.push('\r'),
                    _ => return Err("an escape in a text is not understood".to_owned()),
                },
                c if c == quote => {
                    self.rest = &self.rest[at + c.len_utf8()..];
                    return Ok(Some(text));
                }
                c => text.push(c),
            }
        }
        Err("a quotation mark is not closed".to_owned())
    }

    fn any(&mut self) -> Result<Filter, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("it is nested too deeply".to_owned());
        }
        let mut all = vec![self.all()?];
        while self.take("||") {
            all.push(self.all()?);
        }
        self.depth -= 1;
        Ok(if all.len() == 1 { all.remove(0) } else { Filter::Any(all) })
    }

    fn all(&mut self) -> Result<Filter, String> {
        let mut all = vec![self.basic()?];
        while self.take("&&") {
            all.push(self.basic()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Filter::All(all) })
    }

    fn basic(&mut self) -> Result<Filter, String> {
        self.skip();
        if self.take("!") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err("it is nested too deeply".to_owned());
            }
            let inner = self.basic()?;
            self.depth -= 1;
            return Ok(Filter::Not(Box::new(inner)));
        }
        if self.take("(") {
            let inner = self.any()?;
            self.expect(")")?;
            return Ok(inner);
        }
        for (word, whole) in [("match", true), ("search", false)] {
            if let Some(rest) = self.rest.strip_prefix(word).filter(|rest| rest.starts_with('(')) {
                self.rest = &rest[1..];
                let query = self.query()?.ok_or("`match` and `search` take a query")?;
                self.expect(",")?;
                let pattern = self.string()?.ok_or("`match` and `search` take a pattern in quotes")?;
                self.expect(")")?;
                return Ok(Filter::Matches(query, pattern, whole));
            }
        }
        let left = self.comparable()?;
        for (text, operator) in OPERATORS {
            if self.take(text) {
                let right = self.comparable()?;
                for side in [&left, &right] {
                    if matches!(side, Comparable::Query(query) if !query.is_singular()) {
                        return Err("only what is a single value can be compared".to_owned());
                    }
                }
                return Ok(Filter::Compare(left, *operator, right));
            }
        }
        match left {
            Comparable::Query(query) => Ok(Filter::Exists(query)),
            _ => Err("a comparison is missing".to_owned()),
        }
    }

    fn comparable(&mut self) -> Result<Comparable, String> {
        self.skip();
        if let Some(query) = self.query()? {
            return Ok(Comparable::Query(query));
        }
        if let Some(text) = self.string()? {
            return Ok(Comparable::Literal(Json::String(text)));
        }
        for (word, of) in [("length", Comparable::Length as fn(_) -> _), ("count", Comparable::Count)] {
            if let Some(rest) = self.rest.strip_prefix(word).filter(|rest| rest.starts_with('(')) {
                self.rest = &rest[1..];
                let query = self.query()?.ok_or_else(|| format!("`{word}` takes a query"))?;
                self.expect(")")?;
                return Ok(of(query));
            }
        }
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-._".contains(c)));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        match serde_json::from_str::<Json>(word) {
            Ok(json) => {
                self.rest = rest;
                Ok(Comparable::Literal(json))
            }
            Err(_) if rest.starts_with('(') => Err(format!("the function `{word}` is not known")),
            Err(_) => Err("a value is missing in a comparison".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read() {
        let query = parse("$.items[?(@.id == 'a' && @['n'] >= 2) || !@.x][0]['b c'].*").unwrap();
        assert_eq!(query.segments.len(), 5);
        let [Selector::Filter(Filter::Any(any))] = &query.segments[1][..] else { panic!("{query:?}") };
        assert!(matches!(&any[0], Filter::All(all) if all.len() == 2), "{any:?}");
        assert!(matches!(&any[1], Filter::Not(_)), "{any:?}");
        assert_eq!(query.segments[3], [Selector::Name("b c".to_owned())]);
        assert!(parse("$[?count(@.a[*]) > 1 && match(@.b, \"x.*\")]").is_ok());
        assert!(parse("$").unwrap().is_singular());
    }

    #[test]
    fn what_cannot_be_said_is_told() {
        for (text, why) in [
            ("items", "begins with"),
            ("@.a", "begins with"),
            ("$..a", "`..`"),
            ("$[1:2]", "slices"),
            ("$[-1]", "from the end"),
            ("$[", "missing"),
            ("$['a", "not closed"),
            ("$[?@.a[*] == 1]", "single value"),
            ("$[?foo(@.a)]", "`foo`"),
            ("$.a b", "not expected"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(why), "{text}: {message}");
        }
        assert!(parse(&format!("$[?{}", "(".repeat(100_000))).is_err());
        assert!(parse(&format!("$[?{}", "!".repeat(100_000))).is_err());
        assert!(parse(&"$[?@".repeat(10_000)).is_err());
    }
}
