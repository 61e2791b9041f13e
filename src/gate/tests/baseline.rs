//! What is worse and better than before.

use super::*;

fn baseline(before: Report) -> Policy {
    Policy { baseline: Some(Box::new(before)), ..Policy::default() }
}

#[test]
fn a_baseline_leaves_only_what_is_worse() {
    let run = |verdicts: &[Verdict]| report(verdicts.iter().map(|v| (MUST, *v)).collect());
    use Verdict::{Fail, Inconclusive, Pass, Skipped, Untested};
    let cases = [
        ([Pass, Fail], [Pass, Fail], Exit::Conformant),
        ([Pass, Fail], [Pass, Pass], Exit::Conformant),
        ([Pass, Fail], [Pass, Inconclusive], Exit::Conformant),
        ([Pass, Inconclusive], [Pass, Untested], Exit::Conformant),
        ([Pass, Pass], [Pass, Fail], Exit::NotConformant),
        ([Pass, Skipped], [Pass, Fail], Exit::NotConformant),
        ([Pass, Inconclusive], [Pass, Fail], Exit::NotConformant),
        ([Pass, Pass], [Pass, Inconclusive], Exit::Untested),
        ([Pass, Pass], [Pass, Untested], Exit::Untested),
        ([Pass, Fail], [Fail, Pass], Exit::NotConformant),
    ];
    for (before, now, expected) in cases {
        assert_eq!(gate(&run(&now), &baseline(run(&before))), expected, "{before:?} → {now:?}");
    }
    let ruling = ruling(&run(&[Fail, Pass, Pass]), &baseline(run(&[Pass, Fail, Skipped, Pass])));
    assert_eq!(ruling.worse, ["a/000: pass before, now fail", "a/003: pass before, now no longer in the contract"]);
    assert_eq!(ruling.better, ["a/001: fail before, now pass"]);
    assert_eq!(
        ruling.sentence,
        "Not conformant: 1 of 3 musts failed. Nor was all tested: 1 requirement of the baseline is no longer in the contract. \
         Against the baseline: 2 worse and 1 better."
    );
    let narrower = baseline(run(&[Pass, Pass, Pass]));
    assert_eq!(gate(&run(&[Pass, Pass]), &narrower), Exit::Untested, "what is gone is not known");
}

#[test]
fn what_was_tested_before_and_is_skipped_now_is_told() {
    let run = |verdicts: &[Verdict]| report(verdicts.iter().map(|v| (MUST, *v)).collect());
    use Verdict::{Fail, Pass, Skipped, Untested};
    let ruling = ruling(&run(&[Pass, Skipped, Skipped, Skipped]), &baseline(run(&[Pass, Fail, Untested, Pass])));
    assert_eq!(ruling.exit, 0);
    assert_eq!(ruling.worse, ["a/001: fail before, now skipped", "a/003: pass before, now skipped"]);
    assert!(ruling.sentence.ends_with(" Against the baseline: 2 not tried any more."), "{}", ruling.sentence);
}

#[test]
fn a_run_that_was_cut_short_excuses_no_other_end() {
    let ended = |cause| {
        let mut report = report(vec![(MUST, Verdict::Pass)]);
        report.end = End { complete: false, cause: Some(cause), reason: Some("so".into()), preflight_failed: false };
        report
    };
    let budget = || baseline(ended(Cause::MaxRequests));
    assert_eq!(gate(&ended(Cause::MaxRequests), &budget()), Exit::Conformant);
    assert_eq!(gate(&ended(Cause::Interrupted), &budget()), Exit::Untested);
}

#[test]
fn what_is_left_to_other_runs_is_not_worse() {
    let run = |verdict| report(vec![(MUST, Verdict::Pass), (MUST, verdict)]);
    let mut recorded = run(Verdict::Untested);
    recorded.header.options.recorded = true;
    let ruling = ruling(&recorded, &baseline(run(Verdict::Pass)));
    assert_eq!((ruling.exit, ruling.worse), (0, Vec::new()));
}
