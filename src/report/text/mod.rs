//! Text for people: nothing in it acts on a terminal, and it fits the width.

pub mod curl;
pub mod evidence;
pub mod marked;
pub mod ranges;
pub mod script;
pub mod words;

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether a character is a control, none at all, or changes how those around it are shown without being seen.
pub fn is_treacherous(c: char) -> bool {
    c.is_control()
        || u32::from(c) & 0xfffe == 0xfffe
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// A text whose invisible characters are spelt out, on one line.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            // A joiner inside an emoji is meant to be there.
            '\u{200d}' => out.push(c),
            c if is_treacherous(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// A text of several lines, whose invisible characters are spelt out.
pub fn visible_lines(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| line.strip_suffix('\n').map_or_else(|| visible(line), |line| visible(line) + "\n"))
        .collect()
}

/// A text within HTML or SVG, and their attributes in double quotes.
pub fn escaped(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// How many columns a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// A text cut to so many columns.
pub fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > columns {
            break;
        }
        out.push(c);
    }
    out + "…"
}

/// Filled up with spaces to so many columns.
pub fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// Lines of at most so many columns, broken between words and after commas, and inside of what is
/// still longer.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(10);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_inclusive([' ', ',']) {
        let wide = width(word.trim_end());
        if used > 0 && used + wide > columns {
            lines.push(String::new());
            used = 0;
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if used + wide > columns && c != ' ' {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(c);
            }
            used += wide;
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Words joined as in a sentence: `a, b and c`.
pub fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A text in pieces, each with whether it stood between backticks; nothing in them is invisible.
pub fn pieces(text: &str) -> Vec<(bool, String)> {
    // A backtick without its second is one.
    if text.matches('`').count() % 2 == 1 {
        return vec![(false, visible(text))];
    }
    let all = text.split('`').enumerate().map(|(i, piece)| (i % 2 == 1, visible(piece)));
    all.filter(|(_, piece)| !piece.is_empty()).collect()
}

/// A number and its noun: `1 request`, `2 requests`.
pub fn counted(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// Failures that make no run red: `1 failure that does not count`.
pub fn uncounted(count: usize) -> String {
    let do_not = if count == 1 { "does not" } else { "do not" };
    format!("{} that {do_not} count", counted(count as u64, "failure"))
}

/// How often: `once`, `2 times`.
pub fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// Milliseconds in words: `4.2 s`.
pub fn seconds(millis: u64) -> String {
    format!("{}.{} s", millis / 1000, millis % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn breaks_between_words_first() {
        assert_eq!(wrap("one two three four", 10), ["one two", "three four"]);
        assert_eq!(wrap("{\"aaaa\":1,\"bbbb\":2}", 12), ["{\"aaaa\":1,", "\"bbbb\":2}"]);
        assert_eq!(wrap("日本語日本語日本語", 10), ["日本語日本", "語日本語"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn spells_out_what_is_not_seen() {
        assert_eq!(visible("a\u{1b}[0m\u{202e}\n\u{7f}é👩‍👧"), "a\\u{1b}[0m\\u{202e}\\n\\u{7f}é👩‍👧");
        assert_eq!(
            visible("\u{fffe}\u{ffff}\u{1fffe}\u{fdd0}\u{fffd}"),
            "\\u{fffe}\\u{ffff}\\u{1fffe}\\u{fdd0}\u{fffd}"
        );
        assert_eq!(fit("日本語日本", 6), "日本…");
        assert_eq!(listed(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        assert_eq!((counted(1, "request"), counted(0, "request")), ("1 request".into(), "0 requests".into()));
    }

    #[test]
    fn code_stands_between_backticks() {
        let piece = |code, text: &str| (code, text.to_owned());
        assert_eq!(pieces("`a` is <b>"), [piece(true, "a"), piece(false, " is <b>")]);
        assert_eq!(pieces("one ` alone"), [piece(false, "one ` alone")]);
    }

    proptest! {
        #[test]
        fn lines_fit_and_nothing_is_lost(text in "([a-z,]{0,15} ?|日|é){0,30}", columns in 10_usize..60) {
            let lines = wrap(&text, columns);
            prop_assert!(lines.iter().all(|l| width(l) <= columns), "{lines:?}");
            let squeezed = |t: &str| t.replace(' ', "");
            prop_assert_eq!(squeezed(&lines.concat()), squeezed(&text));
        }
    }
}
