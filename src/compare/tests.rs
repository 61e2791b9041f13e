use super::*;
use crate::report::sample::{passing, sample};
use crate::report::terminal::Options;

fn comparison() -> Comparison {
    let mut other = sample();
    other.header.target = "https://other.example.com".into();
    for requirement in &mut other.requirements {
        match requirement.id.as_str() {
            "body/name-required" => requirement.verdict = Verdict::Skipped,
            "probes/rounding" => drop(requirement.observations.pop()),
            "response/name-as-sent" => requirement.counts.broken += 1,
            _ => {}
        }
    }
    Comparison::new(&[("old".into(), sample()), ("new".into(), other), ("good <b>".into(), passing())]).linked(vec![
        Some("a b/report.html".into()),
        None,
        Some("c(\"<>/report.html".into()),
    ])
}

#[test]
fn what_differs_is_what_was_decided_or_seen() {
    let ids: Vec<&str> = Comparison::new(&[("a".into(), sample()), ("b".into(), sample())])
        .differing()
        .map(|_| "nothing differs from itself")
        .collect();
    assert_eq!(ids, [""; 0]);
    let comparison = comparison();
    let ids: Vec<&str> = comparison.differing().map(|r| r.id.as_str()).collect();
    assert_eq!(
        ids,
        ["body/name-required", "probes/rounding"],
        "how often is chance, and what is not there says nothing"
    );
}

#[test]
fn comparisons_are_shown() {
    let comparison = comparison();
    insta::assert_snapshot!("terminal", text::render(&comparison, &Options::default()));
    insta::assert_snapshot!("full", text::render(&comparison, &Options { full: true, ..Options::default() }));
    insta::assert_snapshot!("markdown", page::markdown(&comparison));
    insta::assert_snapshot!("html", page::html(&comparison));
}

#[test]
fn what_differs_comes_first_and_the_same_everywhere() {
    let comparison = comparison();
    let differing = comparison.differing().count();
    assert!(comparison.rows.iter().take(differing).all(|row| row.differs), "in JSON, too");
    let json = serde_json::to_value(&comparison).unwrap();
    assert_eq!((&json["sides"][0]["page"], json["sides"][1].get("page")), (&"a b/report.html".into(), None));
    let (full, html, markdown) = (
        text::render(&comparison, &Options { full: true, ..Options::default() }),
        page::html(&comparison),
        page::markdown(&comparison),
    );
    for shape in [&full, &html, &markdown] {
        let at = |text: &str| shape.find(text).unwrap_or_else(|| panic!("{text} in {shape}"));
        assert!(at("probes/rounding") < at("body/due-date-future"), "{shape}");
        assert!(at("untested") < at("probes/rounding"), "totals are at the top: {shape}");
    }
    assert!(html.contains("href=\"a%20b/report.html#probes/rounding\""), "{html}");
    assert!(markdown.contains("](a%20b/report.html#probes/rounding) `null, {"), "{markdown}");
    assert!(markdown.contains("](c%28\"%3C%3E/report.html#probes/rounding)"), "{markdown}");
}

#[test]
fn letters_do_not_end() {
    assert_eq!([0, 25, 26, 52].map(letter), ["A", "Z", "AA", "AAA"]);
}
