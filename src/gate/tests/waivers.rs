//! Failures that are accepted.

use super::super::waivers::{self, Waivers};
use super::*;
use crate::report::model::Failure;
use crate::source::Source;

fn waivers(text: &str) -> Waivers {
    Waivers::read(&Source::new("waivers.toml", text)).unwrap()
}

pub(super) fn waiving(text: &str) -> Policy {
    Policy { waivers: waivers(text), ..Policy::default() }
}

const WAIVED: &str = "[[waiver]]\nid = 'a/001'\nreason = 'known'\n";

#[test]
fn a_waived_failure_is_not_red() {
    let run = |verdict| report(vec![(MUST, Verdict::Pass), (MUST, verdict)]);
    for bad in [Verdict::Fail, Verdict::Inconclusive, Verdict::Untested] {
        let ruling = ruling(&run(bad), &waiving(WAIVED));
        assert_eq!(ruling.exit, 0, "{bad:?}");
        assert_eq!(ruling.sentence, "Conformant, apart from waived failures: 1 of 2 musts hold; 1 is waived.");
        assert_eq!(ruling.weights["a/001"], Weight::Waived { reason: "known".into(), issue: None });
        assert_eq!(ruling.weights["a/000"], Weight::Counts);
    }
    assert_eq!(ruling(&run(Verdict::Skipped), &waiving(WAIVED)).stale, [""; 0]);
}

#[test]
fn waivers_that_are_out_of_date_are_red() {
    let fails = report(vec![(MUST, Verdict::Pass), (MUST, Verdict::Fail)]);
    let holds = report(vec![(MUST, Verdict::Pass), (MUST, Verdict::Pass)]);
    let two = format!("# first\n{WAIVED}expires = 2031-02-03\n\n# second\n[[waiver]]\nid = 'a/002'\nreason = 'r'\n");
    let cases = [
        (
            WAIVED,
            &holds,
            "waivers.toml:2: the waiver of a/001 is out of date, its failure no longer happens: delete lines 1 to 3",
        ),
        (
            &two,
            &holds,
            "waivers.toml:3: the waiver of a/001 is out of date, its failure no longer happens: delete lines 2 to 5",
        ),
        (
            &two,
            &fails,
            "waivers.toml:9: the waiver of a/002 is out of date, no requirement has this id (did you mean `a/000`?): delete lines 8 to 10",
        ),
        (
            "[[waiver]]\nid = 'a/001'\nreason = 'r'\nexpires = 2031-02-02",
            &fails,
            "waivers.toml:2: the waiver of a/001 is out of date, it expired after 2031-02-02: fix the server, or extend `expires`; otherwise delete lines 1 to 4",
        ),
        (
            "waiver = [{ id = 'a/001', reason = 'r', contains = 'cents' }]",
            &fails_with("dollars"),
            "waivers.toml:1: the waiver of a/001 is out of date, the failure no longer contains `cents`: delete line 1",
        ),
    ];
    for (text, report, line) in cases {
        let ruling = ruling(report, &waiving(text));
        assert_eq!(ruling.exit, 1, "{text}");
        assert!(ruling.stale.contains(&line.to_owned()), "{:#?}", ruling.stale);
        assert!(ruling.sentence.contains(" out of date."), "{}", ruling.sentence);
    }
    assert_eq!(
        gate(&fails_with("in cents"), &waiving("waiver = [{ id = 'a/001', reason = 'r', contains = 'cents' }]")),
        Exit::Conformant
    );
}

/// A report with a failure that says this.
fn fails_with(actual: &str) -> Report {
    let mut report = report(vec![(MUST, Verdict::Pass), (MUST, Verdict::Fail)]);
    let failure = sample().requirement("repeat/one-record").unwrap().failures[0].clone();
    report.requirements[1].failures = vec![Failure { actual: actual.into(), exchanges: Vec::new(), ..failure }];
    report
}

#[test]
fn what_a_waiver_cannot_know_is_left_alone() {
    let mut report = report(vec![(MUST, Verdict::Pass), (MUST, Verdict::Untested)]);
    report.requirements[1].selected = false;
    assert_eq!(gate(&report, &waiving(WAIVED)), Exit::Conformant);
    assert_eq!(gate(&report, &waiving(&format!("{WAIVED}expires = 2031-02-02"))), Exit::Conformant);
    let holds = || self::report(vec![(MUST, Verdict::Pass), (MUST, Verdict::Pass)]);
    let mut part = holds();
    part.header.options.shard = Some(crate::plan::Shard { part: 1, of: 2 });
    let mut recorded = holds();
    recorded.header.options.recorded = true;
    let mut interrupted = holds();
    interrupted.end.complete = false;
    for report in [part, recorded, interrupted] {
        assert_eq!(ruling(&report, &waiving(WAIVED)).stale, [""; 0]);
    }
    assert_eq!(ruling(&holds(), &waiving(WAIVED)).stale.len(), 1);
    // What fails now and then may hold this time.
    let intermittent = format!("{WAIVED}intermittent = true\n");
    assert_eq!(ruling(&holds(), &waiving(&intermittent)).stale, [""; 0]);
    assert_eq!(ruling(&holds(), &waiving(&format!("{intermittent}expires = 2031-02-02"))).stale.len(), 1);
}

#[test]
fn waivers_are_read_with_care() {
    let error = |text: &str| Waivers::read(&Source::new("waivers.toml", text)).unwrap_err().to_string();
    let cases = [
        ("[[waiver]]\nid = 'a/1'\n", "waivers.toml:1", "missing field `reason`"),
        ("[[waiver]]\nid = 'a/1'\nreason = ' '\n", "waivers.toml:3:10", "has no reason"),
        ("[[waiver]]\nid = 'a/1'\nreason = 'r'\nexpired = 1", "waivers.toml:4:1", "unknown field `expired`"),
        (
            "[[waiver]]\nid = 'a/1'\nreason = 'r'\nexpires = 10:00:00",
            "waivers.toml:4:11",
            "this is not a date (YYYY-MM-DD)",
        ),
        (&format!("{WAIVED}{WAIVED}"), "waivers.toml:5:6", "`a/001` is waived twice"),
        ("[[waivers]]\n", "waivers.toml:1", "unknown field `waivers`"),
    ];
    for (text, place, what) in cases {
        let error = error(text);
        assert!(error.contains(place) && error.contains(what), "{error}");
    }
}

#[test]
fn the_first_file_waives_all_that_failed() {
    let strict = deny(&[Level::Should]);
    let report = Report { ruling: Some(ruling(&sample(), &strict)), ..sample() };
    let text = waivers::first_file(&report);
    insta::assert_snapshot!(text);
    let ruling = ruling(&sample(), &Policy { waivers: waivers(&text), ..strict });
    assert_eq!(ruling.stale, [""; 0]);
    let failed = |r: &&Requirement| r.verdict == Verdict::Fail;
    assert!(sample().selected().filter(failed).all(|r| matches!(ruling.weights[&r.id], Weight::Waived { .. })));
}
