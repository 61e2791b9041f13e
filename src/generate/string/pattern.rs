//! Texts that match a pattern.
//!
//! Patterns are those of ECMA 262, and may match anywhere in a text. Texts are drawn without regard to assertions, and
//! only with uncontroversial characters; the validator then checks whether they match.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition};
use serde_json::Value as Json;

use crate::generate::memo::Memo;

/// A part that may be repeated without limit is repeated at most this many times more than it must be.
const REPEATED: u32 = 12;

/// Preferred characters: visible, and the same in every encoding and normal form.
const PLAIN: &[(char, char)] = &[('!', '~'), ('à', 'ö'), ('а', 'я'), ('α', 'ρ'), ('あ', 'ん'), ('一', '七')];

/// Characters that are avoided if there are others: unassigned, invisible, spaces, combining.
static ODD: LazyLock<Option<ClassUnicode>> = LazyLock::new(|| class(r"[\p{C}\p{Z}\p{M}]"));

/// Texts for a pattern, most of which match it; None if the pattern cannot be read.
pub(super) fn strategy(pattern: &str) -> Option<BoxedStrategy<String>> {
    let Parts { plain, ahead } = parts(pattern);
    let main = drawn(&plain)?;
    let ahead: Vec<BoxedStrategy<String>> = ahead.iter().filter_map(|body| drawn(wanted(body))).collect();
    if ahead.is_empty() {
        return Some(main);
    }
    // The text of a look-ahead is inserted at some position.
    let whole = super::Pattern::new(pattern);
    let places = proptest::collection::vec(any::<prop::sample::Index>(), ahead.len());
    let mixed = (main, ahead, places).prop_map(move |(text, ahead, places)| {
        if whole.is_in(&text) {
            return text;
        }
        let mut chars: Vec<char> = text.chars().collect();
        for (piece, place) in ahead.iter().zip(places) {
            let at = place.index(chars.len() + 1);
            chars.splice(at..at, piece.chars());
        }
        let put_in: String = chars.into_iter().collect();
        let alone = ahead.concat();
        let candidates = [put_in, format!("{alone}{text}"), format!("{text}{alone}"), alone];
        candidates.iter().find(|c| whole.is_in(c)).unwrap_or(&text).clone()
    });
    Some(mixed.boxed())
}

/// A pattern without its look-arounds, and the contents of its positive look-aheads.
struct Parts {
    plain: String,
    ahead: Vec<String>,
}

fn parts(pattern: &str) -> Parts {
    let chars: Vec<char> = pattern.chars().collect();
    let (mut plain, mut ahead) = (String::new(), Vec::new());
    let mut at = 0;
    while at < chars.len() {
        let opens = ["(?=", "(?!", "(?<=", "(?<!"]
            .into_iter()
            .find(|o| chars[at..].iter().copied().take(o.len()).eq(o.chars()));
        match opens {
            Some(opens) => {
                let end = closing(&chars, at);
                if opens == "(?=" {
                    ahead.push(chars[at + opens.len()..end.saturating_sub(1).max(at + opens.len())].iter().collect());
                }
                at = end;
                // The quantifier of a removed group.
                if chars.get(at).is_some_and(|c| "*+?".contains(*c)) {
                    at += 1;
                }
            }
            None => {
                let length = next(&chars, at);
                plain.extend(&chars[at..at + length]);
                at += length;
            }
        }
    }
    Parts { plain, ahead }
}

/// The position after the group that opens at a position.
fn closing(chars: &[char], open: usize) -> usize {
    let (mut at, mut depth) = (open, 0_usize);
    while at < chars.len() {
        match chars[at] {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        at += next(chars, at);
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of the item at a position: an escape or a class is one item.
fn next(chars: &[char], at: usize) -> usize {
    match chars[at] {
        '\\' => 2.min(chars.len() - at),
        '[' => {
            let mut end = at + 1;
            while end < chars.len() && chars[end] != ']' {
                end += if chars[end] == '\\' { 2 } else { 1 };
            }
            (end + 1).min(chars.len()) - at
        }
        _ => 1,
    }
}

/// The content of a look-ahead without a leading wildcard.
fn wanted(body: &str) -> &str {
    let body = body.strip_prefix('^').unwrap_or(body);
    let starts = [".*?", ".*", ".+?", ".+", r"[\s\S]*", "[^]*"];
    starts.into_iter().find_map(|start| body.strip_prefix(start)).unwrap_or(body)
}

/// Texts of a pattern without assertions.
fn drawn(pattern: &str) -> Option<BoxedStrategy<String>> {
    let translated = jsonschema_regex::to_rust_regex(pattern).ok()?;
    let hir = ParserBuilder::new().build().parse(&translated).ok()?;
    Some(proptest::string::string_regex_parsed(&plain(&hir)).ok()?.boxed())
}

/// An expression whose texts are the plain ones among those of the given one.
fn plain(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Look(_) | HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0.clone()),
        HirKind::Class(Class::Unicode(class)) => Hir::class(Class::Unicode(plainest(class))),
        HirKind::Class(Class::Bytes(class)) => match class.to_unicode_class() {
            Some(class) => Hir::class(Class::Unicode(plainest(&class))),
            None => hir.clone(),
        },
        HirKind::Repetition(repetition) => {
            let most = repetition.min.saturating_add(REPEATED);
            Hir::repetition(Repetition {
                min: repetition.min,
                max: Some(repetition.max.map_or(most, |max| max.min(most))),
                greedy: repetition.greedy,
                sub: Box::new(plain(&repetition.sub)),
            })
        }
        HirKind::Capture(capture) => plain(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(plain).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(plain).collect()),
    }
}

thread_local! {
    static LIKENESS: Memo<f64> = Memo::default();
}

/// How often two texts drawn for a pattern are equal, from 0 to 1; 1 if it cannot be read.
pub(super) fn likeness(pattern: &str) -> f64 {
    LIKENESS.with(|all| all.of(&Json::from(pattern), || likeness_of(pattern)))
}

fn likeness_of(pattern: &str) -> f64 {
    let hir = jsonschema_regex::to_rust_regex(&parts(pattern).plain)
        .ok()
        .and_then(|translated| ParserBuilder::new().build().parse(&translated).ok());
    hir.map_or(1.0, |hir| same(&plain(&hir)))
}

fn same(hir: &Hir) -> f64 {
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => 1.0 / class.ranges().iter().map(|r| r.len() as f64).sum::<f64>(),
        HirKind::Repetition(repetition) => {
            let (once, least) = (same(&repetition.sub), repetition.min);
            let lengths = repetition.max.unwrap_or(least).saturating_sub(least) + 1;
            let each = (0..lengths).map(|more| once.powf(f64::from(least.saturating_add(more))));
            each.sum::<f64>() / f64::from(lengths).powi(2)
        }
        HirKind::Capture(capture) => same(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(same).product(),
        HirKind::Alternation(parts) => parts.iter().map(same).sum::<f64>() / (parts.len() as f64).powi(2),
        HirKind::Class(Class::Bytes(_)) | HirKind::Look(_) | HirKind::Empty | HirKind::Literal(_) => 1.0,
    }
}

/// The preferred characters of a class; if there are none, those that are not odd; if there are none, all.
fn plainest(class: &ClassUnicode) -> ClassUnicode {
    let mut plain = ClassUnicode::new(PLAIN.iter().map(|(from, to)| ClassUnicodeRange::new(*from, *to)));
    plain.intersect(class);
    if !plain.ranges().is_empty() {
        return plain;
    }
    let mut known = class.clone();
    if let Some(odd) = ODD.as_ref() {
        known.difference(odd);
    }
    if known.ranges().is_empty() { class.clone() } else { known }
}

fn class(pattern: &str) -> Option<ClassUnicode> {
    match ParserBuilder::new().build().parse(pattern).ok()?.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::seed::Seed;
    use crate::generate::string::strings;
    use proptest::strategy::ValueTree;
    use serde_json::json;

    #[test]
    fn some_patterns_leave_little_to_chance() {
        let about = |pattern, due: f64| assert!((likeness(pattern) / due - 1.0).abs() < 0.01, "{pattern}");
        about("^SKU-[0-9]{2}$", 0.01);
        about("^(a|b)$", 0.5);
        about("^x?$", 0.5);
        about("^[A-Z]{8}$", 26_f64.powi(-8));
        about("^fixed$", 1.0);
        about("(", 1.0);
    }

    #[test]
    fn what_is_drawn_keeps_the_pattern() {
        for pattern in [
            "^[A-Z]{2,8}$",
            "^$|^[0-9]{5}$",
            "^(?=.*[A-Z])(?=.*\\d)[A-Za-z\\d]{8,20}$",
            "^(?=.*[!@#$%])(?=.*[a-z])(?=.*\\d).{8,}$",
            "^(?!admin)[a-z]{3,12}$",
            "(?<!x)y",
            "^\\p{L}[\\p{L} .'-]*$",
            "^[\\u4e00-\\u9fa5]+$",
            "^[\\u0900-\\u097f]{2,4}$",
            "\\d{3}",
            "a|^b$|c$",
            "^https?:\\/\\/[^\\s/$.?#].[^\\s]*$",
            "^(?:(?:[0-9]{1,3}\\.){3}[0-9]{1,3})$",
            "^[^/]+$",
            ".*",
            "\\S",
            "^[\\w.+-]+@[\\w-]+\\.[\\w.-]+$",
            "^[a-z&&b]+$",
            "^\\+?[1-9]\\d{1,14}$",
            "^(\\([0-9]{3}\\))?[0-9]{3}-[0-9]{4}$",
            "^\\cA$",
        ] {
            let schema = json!({"type": "string", "pattern": pattern});
            for n in 0..20 {
                let mut runner = Seed(7).runner("test", n);
                let tree = strings(&schema).new_tree(&mut runner).unwrap_or_else(|e| panic!("{pattern}: {e}"));
                let text = tree.current();
                assert!(super::super::Pattern::new(pattern).is_in(&text), "{pattern} {text:?}");
                let odd = |c: char| c.is_control() || c.is_whitespace();
                assert!(pattern.contains("\\c") || !text.chars().any(odd), "{pattern} {text:?}");
            }
        }
    }
}
