use std::collections::BTreeMap;

use super::*;
use crate::report::sample::{exchange, passing, sample};

/// So many exchanges as a run of this size brings.
fn many(count: u64) -> impl Iterator<Item = Exchange> {
    let answer = format!("{{\"id\":\"bk_1\",\"text\":\"{}\"}}", "x".repeat(500));
    (0..count).map(move |n| exchange(n, &format!("pool/random-{n:06}"), "{\"name\":\"Ulysses\"}", Some((201, &answer))))
}

fn rendered(requests: u64, all: impl Iterator<Item = Exchange>) -> String {
    let mut report = passing();
    report.figures.requests = requests;
    render(&report, all)
}

fn lines(page: &str) -> usize {
    let (_, after) = page.split_once("id=\"lines\">").unwrap();
    after.split_once("</script>").unwrap().0.trim().lines().count()
}

#[test]
fn ten_thousand_exchanges_fit() {
    let page = rendered(10_000, many(10_000));
    assert!(page.len() < 16 << 20, "{} MiB", page.len() >> 20);
    assert_eq!(lines(&page), 10_000);
    assert!(page.contains("bodies are cut to 1000 bytes and there is no command"));
    // Few elements stand for them until they are asked for.
    let (before, _) = page.split_once("<noscript>\n<p>With JavaScript").unwrap();
    assert!(before.matches('<').count() < 2000, "{}", before.matches('<').count());
}

#[test]
fn what_is_too_much_is_left_out_and_said() {
    let page = rendered(40_000, many(40_000));
    assert!(page.len() < 20 << 20, "{} MiB", page.len() >> 20);
    let there = lines(&page);
    assert!(page.contains(&format!("the first {there} of 40000 exchanges")) && there < 40_000);
    let page = rendered(3, many(3));
    assert!(page.contains("all of the 3 exchanges, in the order of the answers. What"));
}

#[test]
fn the_page_follows_from_report_and_exchanges() {
    let mut report = sample();
    report.ruling = Some(Ruling {
        exit: 1,
        sentence: "Not <b>conformant</b>.".to_owned(),
        weights: BTreeMap::new(),
        stale: Vec::new(),
        worse: Vec::new(),
        better: Vec::new(),
        changes: Vec::new(),
    });
    let page = || render(&report, many(5));
    assert_eq!(page(), page());
    assert!(page().contains("Not &#60;b&#62;conformant"), "a sentence is text");
    // What is left out of the model would be missed here.
    for text in [
        "markup and quotes",
        "\\u{202e}",
        "add it under [fixtures]",
        "2 × ",
        "only its beginning: 20000 bytes in all",
        "Base64",
    ] {
        let escaped = text.replace('"', "&#34;");
        assert!(page().contains(&escaped), "{text}");
    }
}

/// The colours of a scheme in the style, by name.
fn colours(style: &str) -> BTreeMap<&str, [f64; 3]> {
    let hex = |text: &str| {
        let text = text.strip_prefix('#')?;
        let wide: String = if text.len() == 3 { text.chars().flat_map(|c| [c, c]).collect() } else { text.to_owned() };
        let part = |i: usize| u8::from_str_radix(wide.get(i..i + 2)?, 16).ok().map(f64::from);
        Some([part(0)?, part(2)?, part(4)?])
    };
    let pairs = style.split([';', '{', '}']).filter_map(|line| line.trim().strip_prefix("--")?.split_once(": "));
    pairs.map(|(name, value)| (name, hex(value).unwrap())).collect()
}

/// The contrast of two colours, see WCAG 2.2, section 1.4.3.
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let linear = |c: f64| {
        let c = c / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = |[r, g, b]: [f64; 3]| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn text_can_be_told_from_its_ground() {
    let schemes: Vec<&str> = STYLE.split(":root {").skip(1).map(|s| s.split_once('}').unwrap().0).collect();
    assert_eq!(schemes.len(), 3, "light, dark and paper");
    for scheme in schemes {
        let colours = colours(scheme);
        for text in ["text", "muted", "link", "pass", "fail", "inconclusive", "skipped", "untested"] {
            for ground in ["ground", "raised"] {
                let contrast = contrast(colours[text], colours[ground]);
                assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2} in {scheme}");
            }
        }
        assert!(contrast(colours["text"], colours["mark"]) >= 4.5);
        assert!(contrast(colours["bar"], colours["ground"]) >= 3.0);
    }
}
