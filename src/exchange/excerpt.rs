//! Parts of long texts, chosen so that what matters is inside.

use std::ops::Range;

/// Up to how many bytes a text is taken as one: what differs of a number or a word is all of it.
const WORD: usize = 40;

/// Where two texts differ: what is left of each without their common beginning and end; of short ones, all.
pub fn apart(one: &str, other: &str) -> (Range<usize>, Range<usize>) {
    if one == other {
        return (one.len()..one.len(), other.len()..other.len());
    }
    if one.len().max(other.len()) <= WORD {
        return (0..one.len(), 0..other.len());
    }
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    let start: usize = same.map(|(c, _)| c.len_utf8()).sum();
    let same = one[start..].chars().rev().zip(other[start..].chars().rev()).take_while(|(a, b)| a == b);
    let end: usize = same.map(|(c, _)| c.len_utf8()).sum();
    (start..one.len() - end, start..other.len() - end)
}

/// The part of a text, of at most so many bytes, that holds the beginning of a place and some of what stands before it.
pub fn window(text: &str, place: &Range<usize>, most: usize) -> Range<usize> {
    if text.len() <= most {
        return 0..text.len();
    }
    let start = place.start.saturating_sub(most / 4).min(text.len() - most);
    // All of it is seen where it ends within the beginning.
    let start = if place.end <= most { 0 } else { text.ceil_char_boundary(start) };
    start..text.floor_char_boundary(start + most)
}

/// Two texts of at most so many bytes each, cut around the place where they differ.
pub fn cut_apart(one: &str, other: &str, most: usize) -> (String, String) {
    let (a, b) = apart(one, other);
    (around(one, &a, most), around(other, &b, most))
}

/// A text of at most so many bytes, cut around a place.
pub fn around(text: &str, place: &Range<usize>, most: usize) -> String {
    let seen = window(text, place, most);
    let before = if seen.start > 0 { "…" } else { "" };
    let after = match seen.end < text.len() {
        true => format!("… ({} characters)", text.chars().count()),
        false => String::new(),
    };
    format!("{before}{}{after}", &text[seen])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_differs_is_found() {
        let (one, other) = (format!("\"{}b{}\"", "a".repeat(50), "z"), format!("\"{}cc{}\"", "a".repeat(50), "z"));
        let (a, b) = apart(&one, &other);
        assert_eq!((&one[a], &other[b]), ("b", "cc"));
        // Of a number, all of it is wrong.
        assert_eq!(apart("12345", "1234500"), (0..5, 0..7));
        assert_eq!(apart("same", "same"), (4..4, 4..4));
    }

    #[test]
    fn what_differs_is_seen_however_far_behind_it_stands() {
        let (one, other) = ("x".repeat(5000) + "é1" + &"y".repeat(900), "x".repeat(5000) + "é2" + &"y".repeat(900));
        let (a, b) = cut_apart(&one, &other, 200);
        assert!(a.contains("é1") && b.contains("é2"), "{a}\n{b}");
        assert!(a.starts_with('…') && a.ends_with("… (5902 characters)") && a.len() < 240, "{a}");
        assert_eq!(cut_apart("1", "2", 200), ("1".to_owned(), "2".to_owned()));
    }

    proptest! {
        #[test]
        fn the_place_is_in_its_window(text in "[aé日]{0,80}", at in 0_usize..80, most in 8_usize..40) {
            let at = text.floor_char_boundary(at.min(text.len()));
            let place = at..text.ceil_char_boundary((at + 1).min(text.len()));
            let seen = window(&text, &place, most);
            prop_assert!(seen.len() <= most.max(text.len().min(most)) && text.get(seen.clone()).is_some());
            prop_assert!(seen.contains(&place.start) || place.is_empty(), "{seen:?} {place:?}");
        }
    }
}
