//! Conditions of the kind `simple`: comparisons of runtime expressions and literals.

use serde_json::Value as Json;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    /// How CEL writes it.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The same comparison with its sides exchanged.
    pub(super) fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    /// Whether it asks which of two values is greater.
    pub(super) fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// The operators as conditions and JSONPath write them, the longer ones first.
pub(super) const OPERATORS: &[(&str, Operator)] = &[
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// A condition, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Any(Vec<Condition>),
    All(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Box<Condition>, Operator, Box<Condition>),
    Literal(Json),
    /// A runtime expression, as it is written.
    Runtime(String),
}

/// How deep conditions may be nested.
const MAX_DEPTH: usize = 50;

/// Reads a condition.
///
/// # Errors
/// It is none; the message says why.
pub(super) fn parse(text: &str) -> Result<Condition, String> {
    let mut parser = Parser { rest: text.trim() };
    let condition = parser.any(0)?;
    if parser.rest.is_empty() {
        Ok(condition)
    } else {
        Err(format!("`{}` is not expected there", shortened(parser.rest)))
    }
}

/// The status codes that a condition names as the only ones.
pub(super) fn statuses(condition: &Condition) -> Vec<u16> {
    match condition {
        Condition::Any(all) | Condition::All(all) => all.iter().flat_map(statuses).collect(),
        Condition::Compare(left, Operator::Equal, right) => {
            let is_status = |side: &Condition| *side == Condition::Runtime("$statusCode".to_owned());
            let number = |side: &Condition| match side {
                Condition::Literal(Json::Number(number)) => number.as_u64().and_then(|n| u16::try_from(n).ok()),
                Condition::Literal(Json::String(text)) => text.parse().ok(),
                _ => None,
            };
            let status = if is_status(left) { number(right) } else { number(left).filter(|_| is_status(right)) };
            status.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// Takes a text from the beginning of what is left to read, behind white space; whether it stood there.
pub(super) fn take(rest: &mut &str, text: &str) -> bool {
    *rest = rest.trim_start();
    let left = rest.strip_prefix(text);
    *rest = left.unwrap_or(rest);
    left.is_some()
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, text: &str) -> bool {
        take(&mut self.rest, text)
    }

    fn any(&mut self, depth: usize) -> Result<Condition, String> {
        if depth > MAX_DEPTH {
            return Err("it is nested too deeply".to_owned());
        }
        let mut all = vec![self.all(depth)?];
        while self.take("||") {
            all.push(self.all(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::Any(all) })
    }

    fn all(&mut self, depth: usize) -> Result<Condition, String> {
        let mut all = vec![self.comparison(depth)?];
        while self.take("&&") {
            all.push(self.comparison(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::All(all) })
    }

    fn comparison(&mut self, depth: usize) -> Result<Condition, String> {
        let left = self.unary(depth)?;
        for (text, operator) in OPERATORS {
            if self.take(text) {
                let right = self.unary(depth)?;
                return Ok(Condition::Compare(Box::new(left), *operator, Box::new(right)));
            }
        }
        Ok(left)
    }

    fn unary(&mut self, depth: usize) -> Result<Condition, String> {
        self.skip();
        if !self.rest.starts_with("!=") && self.take("!") {
            if depth > MAX_DEPTH {
                return Err("it is nested too deeply".to_owned());
            }
            return Ok(Condition::Not(Box::new(self.unary(depth + 1)?)));
        }
        if self.take("(") {
            let inner = self.any(depth + 1)?;
            return if self.take(")") { Ok(inner) } else { Err("a parenthesis is not closed".to_owned()) };
        }
        if let Some(rest) = self.rest.strip_prefix('\'') {
            return self.text(rest);
        }
        let ends = |c: char| c.is_whitespace() || "()=!<>&|".contains(c);
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        if word.starts_with('$') {
            return Ok(Condition::Runtime(word.to_owned()));
        }
        match serde_json::from_str::<Json>(word) {
            Ok(json) if !json.is_string() && !json.is_array() && !json.is_object() => Ok(Condition::Literal(json)),
            _ if word.is_empty() => Err("a value is missing".to_owned()),
            _ => Err(format!("`{}` is neither a runtime expression nor a literal", shortened(word))),
        }
    }

    /// The rest of a text in single quotes, of which two stand for one.
    fn text(&mut self, mut rest: &str) -> Result<Condition, String> {
        let mut text = String::new();
        loop {
            let Some((before, after)) = rest.split_once('\'') else {
                return Err("a quotation mark is not closed".to_owned());
            };
            text += before;
            match after.strip_prefix('\'') {
                Some(after) => {
                    text.push('\'');
                    rest = after;
                }
                None => {
                    // The parser's own text, since `rest` may have been cut out of it.
                    self.rest = &self.rest[self.rest.len() - after.len()..];
                    return Ok(Condition::Literal(Json::String(text)));
                }
            }
        }
    }
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(30).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn conditions_are_read() {
        let condition = parse("$statusCode == 200 && !($response.body#/a == 'it''s' || $inputs.b<3)").unwrap();
        let Condition::All(all) = condition else { panic!("{condition:?}") };
        assert_eq!(statuses(&all[0]), [200]);
        let Condition::Not(inner) = &all[1] else { panic!("{all:?}") };
        let Condition::Any(any) = &**inner else { panic!("{inner:?}") };
        let literal = |json| Box::new(Condition::Literal(json));
        let runtime = |text: &str| Box::new(Condition::Runtime(text.to_owned()));
        assert_eq!(any[0], Condition::Compare(runtime("$response.body#/a"), Operator::Equal, literal(json!("it's"))));
        assert_eq!(any[1], Condition::Compare(runtime("$inputs.b"), Operator::Less, literal(json!(3))));
        assert_eq!(parse("true"), Ok(Condition::Literal(json!(true))));
    }

    #[test]
    fn what_is_none_is_told() {
        for (text, why) in [
            ("", "missing"),
            ("$statusCode ==", "missing"),
            ("$statusCode = 200", "not expected"),
            ("($statusCode == 200", "not closed"),
            ("$response.body#/a == 'x", "not closed"),
            ("status == 200", "neither"),
            ("'ä", "not closed"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(why), "{text}: {message}");
        }
        assert!(parse(&"(".repeat(100_000)).is_err() && parse(&"!".repeat(100_000)).is_err());
    }
}
