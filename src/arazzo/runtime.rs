//! Runtime expressions, as they are written: `$steps.pay.outputs.id`, and texts that have some in braces.

/// A part of a request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Header(&'a str),
    Query(&'a str),
    Path(&'a str),
    /// The body, and what follows: a JSON Pointer behind `#`, or names behind dots.
    Body(&'a str),
}

/// What a runtime expression names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Runtime<'a> {
    StatusCode,
    Method,
    Url,
    Request(Part<'a>),
    Response(Part<'a>),
    /// An input, by what follows `$inputs.`.
    Input(&'a str),
    /// An output of a step, by the step's id and what follows `outputs.`.
    Output(&'a str, &'a str),
    /// A part of a source description: its name, and what follows.
    Source(&'a str, &'a str),
    /// What is part of the language, and needs what a scenario does not have.
    Other(&'a str),
}

/// The words that a runtime expression begins with.
const ROOTS: &[&str] = &[
    "url",
    "method",
    "statusCode",
    "request",
    "response",
    "inputs",
    "outputs",
    "steps",
    "workflows",
    "sourceDescriptions",
    "components",
];

impl<'a> Runtime<'a> {
    /// Reads a text that is a runtime expression; None for any other.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let inner = text.strip_prefix('$')?;
        let end = inner.find(['.', '#', '[']).unwrap_or(inner.len());
        let (root, rest) = inner.split_at(end);
        if !ROOTS.contains(&root) {
            return None;
        }
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        let part = || {
            let named = |prefix: &str| rest.strip_prefix(prefix).filter(|name| !name.is_empty());
            named("header.")
                .map(Part::Header)
                .or_else(|| named("query.").map(Part::Query))
                .or_else(|| named("path.").map(Part::Path))
                .or_else(|| {
                    let after = rest.strip_prefix("body")?;
                    (after.is_empty() || after.starts_with(['#', '.', '['])).then_some(Part::Body(after))
                })
        };
        Some(match root {
            "statusCode" if rest.is_empty() => Self::StatusCode,
            "method" if rest.is_empty() => Self::Method,
            "url" if rest.is_empty() => Self::Url,
            "request" => part().map_or(Self::Other(text), Self::Request),
            "response" => part().map_or(Self::Other(text), Self::Response),
            "inputs" if !rest.is_empty() => Self::Input(rest),
            "steps" => match rest.split_once(".outputs.") {
                Some((step, output)) if !step.is_empty() && !output.is_empty() => Self::Output(step, output),
                _ => Self::Other(text),
            },
            "sourceDescriptions" => match rest.split_once('.') {
                Some((name, rest)) => Self::Source(name, rest),
                None => Self::Other(text),
            },
            _ => Self::Other(text),
        })
    }
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Expression(&'a str),
}

/// How long an expression in a text may be, in bytes: what is not closed until then is none.
const MAX_EXPRESSION: usize = 2000;

/// A text in its pieces: what stands in `{$…}` is an expression.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut all = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(at) = rest[from..].find("{$").map(|at| at + from) {
        let end = rest[at..].bytes().take(MAX_EXPRESSION).position(|byte| byte == b'}');
        let found = end.map(|end| (&rest[at + 1..at + end], at + end + 1));
        match found.filter(|(inner, _)| Runtime::read(inner).is_some()) {
            Some((inner, end)) => {
                if at > 0 {
                    all.push(Piece::Text(&rest[..at]));
                }
                all.push(Piece::Expression(inner));
                (rest, from) = (&rest[end..], 0);
            }
            None => from = at + 2,
        }
    }
    if !rest.is_empty() || all.is_empty() {
        all.push(Piece::Text(rest));
    }
    all
}

/// A name or an index behind another: `.name`, `[0]`, `['name']`, or the tokens of a JSON Pointer behind `#`. None where
/// the text is none of these.
pub(super) fn steps(text: &str) -> Option<Vec<String>> {
    if let Some(pointer) = text.strip_prefix('#') {
        let tokens = pointer.strip_prefix('/');
        let unescaped = |token: &str| token.replace("~1", "/").replace("~0", "~");
        return match tokens {
            Some(tokens) => Some(tokens.split('/').map(unescaped).collect()),
            None => pointer.is_empty().then(Vec::new),
        };
    }
    let mut all = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if rest.starts_with("#/") {
            all.extend(steps(rest)?);
            return Some(all);
        }
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[', '#']).unwrap_or(after.len());
            let (name, behind) = after.split_at(end);
            all.push(Some(name).filter(|name| !name.is_empty())?.to_owned());
            rest = behind;
        } else {
            let (inner, behind) = rest.strip_prefix('[')?.split_once(']')?;
            all.push(inner.trim_matches(['\'', '"']).to_owned());
            rest = behind;
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_told_from_texts() {
        assert_eq!(Runtime::read("$statusCode"), Some(Runtime::StatusCode));
        assert_eq!(Runtime::read("$response.body#/a/b"), Some(Runtime::Response(Part::Body("#/a/b"))));
        assert_eq!(Runtime::read("$response.header.X-A"), Some(Runtime::Response(Part::Header("X-A"))));
        assert_eq!(Runtime::read("$steps.a-b.outputs.c.d"), Some(Runtime::Output("a-b", "c.d")));
        assert_eq!(Runtime::read("$inputs.a"), Some(Runtime::Input("a")));
        assert_eq!(Runtime::read("$workflows.a.outputs.b"), Some(Runtime::Other("$workflows.a.outputs.b")));
        for text in ["$5", "$", "", "statusCode", "$input.a", "$500.00"] {
            assert_eq!(Runtime::read(text), None, "{text}");
        }
    }

    #[test]
    fn texts_fall_into_pieces() {
        assert_eq!(
            pieces("a {$inputs.b}c {$5} {$"),
            [Piece::Text("a "), Piece::Expression("$inputs.b"), Piece::Text("c {$5} {$")]
        );
        assert_eq!(pieces(""), [Piece::Text("")]);
    }

    #[test]
    fn names_and_pointers_lead_on() {
        assert_eq!(steps("#/a~1b/0"), Some(vec!["a/b".to_owned(), "0".to_owned()]));
        assert_eq!(steps(".a[0]['b-c']#/d"), Some(["a", "0", "b-c", "d"].map(str::to_owned).to_vec()));
        assert_eq!(steps(""), Some(Vec::new()));
        for bad in ["#a", ".", "[0", "x"] {
            assert_eq!(steps(bad), None, "{bad}");
        }
    }
}
