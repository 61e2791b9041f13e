//! Bodies with their wrong value marked, cut around it.

use std::borrow::Cow;

use crate::exchange::excerpt::window;
use crate::exchange::json_text;
use crate::judge::finding::cut;

/// What stands around the wrong value of a body where there is no other way to mark it.
const FROM: &str = "⟪";
const TO: &str = "⟫";

/// A body of at most so many bytes with the value at a JSON Pointer marked: it is seen, however far behind it stands.
pub fn marked<'a>(text: &'a str, wrong: Option<&str>, most: usize) -> Cow<'a, str> {
    within(text, wrong, most, false)
}

/// The same to the end of the body, for who cuts it there.
pub fn marked_to_the_end<'a>(text: &'a str, wrong: Option<&str>, most: usize) -> Cow<'a, str> {
    within(text, wrong, most, true)
}

fn within<'a>(text: &'a str, wrong: Option<&str>, most: usize, to_the_end: bool) -> Cow<'a, str> {
    let place = wrong.and_then(|pointer| json_text::locate(text, pointer));
    let Some(place) = place.filter(|place| place.len() < text.len()) else {
        return if text.len() > most && !to_the_end { Cow::Owned(cut(text, most)) } else { Cow::Borrowed(text) };
    };
    let mut seen = window(text, &place, most);
    if to_the_end {
        seen.end = text.len();
    }
    let before = if seen.start > 0 { "… " } else { "" };
    let after = match seen.end < text.len() {
        true => format!("… ({} characters)", text.chars().count()),
        false => String::new(),
    };
    // A value that is longer than what is seen of it ends where that ends.
    let end = place.end.min(seen.end);
    let (value, rest) = (&text[place.start..end], &text[end..seen.end]);
    Cow::Owned(format!("{before}{}{FROM}{value}{TO}{rest}{after}", &text[seen.start..place.start]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrong_value_is_seen_however_far_behind() {
        assert_eq!(marked("{\"a\":1,\"b\":[2]}", Some("/b/0"), 100), "{\"a\":1,\"b\":[⟪2⟫]}");
        let long = format!("{{\"a\":\"{}\",\"b\":\"wrong\"}}", "é".repeat(3000));
        let text = marked(&long, Some("/b"), 200);
        assert!(text.contains("⟪\"wrong\"⟫}") && text.len() < 260 && text.starts_with("… "), "{text}");
        let text = marked(&long, Some("/a"), 200);
        assert!(text.starts_with("{\"a\":⟪\"éé") && text.contains("⟫… (3020 characters)"), "{text}");
        assert_eq!(marked("{\"a\":1}", Some("/c"), 100), "{\"a\":1}");
        assert_eq!(marked("no JSON", Some("/c"), 100), "no JSON");
        assert_eq!(marked("no JSON", None, 2), "no… (7 characters)");
        assert_eq!(marked_to_the_end("no JSON", None, 2), "no JSON");
        let text = marked_to_the_end(&long, Some("/b"), 20);
        assert!(text.starts_with("… ") && text.ends_with("⟪\"wrong\"⟫}"), "{text}");
    }
}
