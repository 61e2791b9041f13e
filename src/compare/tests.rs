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
    Comparison::new(&[("old".into(), sample()), ("new".into(), other), ("good <b>".into(), passing())])
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
fn letters_do_not_end() {
    assert_eq!([0, 25, 26, 52].map(letter), ["A", "Z", "AA", "AAA"]);
}
