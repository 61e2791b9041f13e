use proptest::prelude::*;

use super::*;
use crate::report::model::{Counts, End, Form, Requirement, Standing};
use crate::report::sample::{blank, passing, sample, unreachable};
use crate::report::summary::Summary;

fn deny(levels: &[Level]) -> Policy {
    Policy { deny: levels.iter().copied().collect() }
}

/// A report of a whole run with these requirements.
fn report(requirements: Vec<(Option<Level>, Verdict)>) -> Report {
    let mut report = passing();
    report.requirements = requirements
        .into_iter()
        .enumerate()
        .map(|(i, (level, verdict))| Requirement { level, ..blank(&format!("a/{i:03}"), Form::Rule, verdict) })
        .collect();
    report.summary = Summary::of(&report.requirements);
    report
}

const MUST: Option<Level> = Some(Level::Must);
const SHOULD: Option<Level> = Some(Level::Should);

#[test]
fn numbers_are_what_is_documented() {
    let codes = Exit::WORST_FIRST.map(Exit::code);
    assert_eq!(codes, [70, 2, 3, 1, 4, 0]);
    for (i, exit) in Exit::WORST_FIRST.into_iter().enumerate() {
        assert_eq!(exit.rank(), i);
    }
}

#[test]
fn decides_on_levels_and_verdicts() {
    let none = &deny(&[]);
    let shoulds = &deny(&[Level::Should]);
    let pass = (MUST, Verdict::Pass);
    let cases = [
        (vec![pass], none, Exit::Conformant),
        (vec![pass, (MUST, Verdict::Skipped)], none, Exit::Conformant),
        (vec![pass, (MUST, Verdict::Fail)], none, Exit::NotConformant),
        (vec![pass, (MUST, Verdict::Inconclusive)], none, Exit::Untested),
        (vec![pass, (MUST, Verdict::Untested)], none, Exit::Untested),
        (vec![pass, (SHOULD, Verdict::Fail)], none, Exit::Conformant),
        (vec![pass, (SHOULD, Verdict::Fail)], shoulds, Exit::NotConformant),
        (vec![pass, (SHOULD, Verdict::Inconclusive)], none, Exit::Conformant),
        (vec![pass, (SHOULD, Verdict::Inconclusive)], shoulds, Exit::Untested),
        (vec![pass, (SHOULD, Verdict::Untested)], shoulds, Exit::Untested),
        (vec![(MUST, Verdict::Fail), (MUST, Verdict::Untested)], none, Exit::NotConformant),
        (vec![(MUST, Verdict::Skipped)], none, Exit::Untested),
        (vec![(MUST, Verdict::Skipped), (SHOULD, Verdict::Pass)], shoulds, Exit::Untested),
        (vec![(SHOULD, Verdict::Pass)], none, Exit::Conformant),
        (vec![(None, Verdict::Pass)], none, Exit::Untested),
        (vec![], none, Exit::Untested),
    ];
    for (requirements, policy, expected) in cases {
        let text = format!("{requirements:?} {policy:?}");
        assert_eq!(gate(&report(requirements), policy), expected, "{text}");
    }
}

#[test]
fn what_was_not_asked_for_does_not_count() {
    let mut report = report(vec![(MUST, Verdict::Pass), (MUST, Verdict::Fail)]);
    report.requirements[1].selected = false;
    assert_eq!(gate(&report, &Policy::default()), Exit::Conformant);
}

#[test]
fn a_run_that_was_cut_short_is_not_green() {
    let whole = || report(vec![(MUST, Verdict::Pass)]);
    for cause in Cause::ALL {
        let mut report = whole();
        report.end = End {
            complete: false,
            cause: Some(cause),
            reason: Some("so".into()),
            first_contact_failed: matches!(cause, Cause::Unreachable | Cause::Refused),
        };
        let expected = match cause {
            Cause::Defect => Exit::Defect,
            Cause::Unreachable | Cause::Refused => Exit::Unreachable,
            _ => Exit::Untested,
        };
        assert_eq!(gate(&report, &Policy::default()), expected, "{cause:?}");
    }
    let mut left_out = whole();
    left_out.requirements[0].counts = Counts { left_out: 1, ..Counts::default() };
    assert_eq!(gate(&left_out, &Policy::default()), Exit::Untested);
    let mut fallen = whole();
    fallen.standing = Standing { state: StandingState::No, answer: Some("status 500".into()) };
    assert_eq!(gate(&fallen, &Policy::default()), Exit::Untested);
}

#[test]
fn says_why() {
    let sentence = |report: &Report, policy: &Policy| decide(report, policy).sentence;
    let none = Policy::default();
    assert_eq!(sentence(&passing(), &none), "Conformant: 1 of 2 musts hold, 1 could not be tried on this target.");
    assert_eq!(
        sentence(&sample(), &none),
        "Not conformant: 1 of 5 musts failed; 1 should failed, which does not count without --deny should. \
         Nor was all tested: 1 of 5 musts is inconclusive; 1 of 5 musts is untested."
    );
    assert!(
        sentence(&sample(), &deny(&[Level::Should])).starts_with("Not conformant: 2 of 5 musts and 1 should failed. ")
    );
    let mut asked = report(vec![(SHOULD, Verdict::Pass), (None, Verdict::Pass)]);
    assert_eq!(sentence(&asked, &none), "No must failed, for none was asked for.");
    asked.requirements[0].verdict = Verdict::Fail;
    assert_eq!(
        sentence(&asked, &none),
        "No must failed, for none was asked for; 1 should failed, which does not count without --deny should."
    );
    assert!(sentence(&unreachable(), &none).starts_with("Not tested: the target cannot be reached"));
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    proptest::sample::select(Verdict::ALL.to_vec())
}

fn any_requirement() -> impl Strategy<Value = (Option<Level>, Verdict)> {
    let levels = vec![MUST, SHOULD, Some(Level::May), None];
    (proptest::sample::select(levels), any_verdict())
}

fn any_policy() -> impl Strategy<Value = Policy> {
    proptest::sample::subsequence(vec![Level::Must, Level::Should, Level::May], 0..=3).prop_map(|levels| deny(&levels))
}

/// How bad verdicts are to a gate: skipped is the target's right.
fn badness(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => 0,
        Verdict::Skipped => 1,
        Verdict::Untested | Verdict::Inconclusive => 2,
        Verdict::Fail => 3,
    }
}

proptest! {
    #[test]
    fn a_worse_verdict_never_gives_a_better_exit(
        requirements in proptest::collection::vec(any_requirement(), 1..6),
        at in any::<proptest::sample::Index>(),
        other in any_verdict(),
        policy in any_policy(),
    ) {
        let mut changed = requirements.clone();
        let at = at.index(changed.len());
        let (worse, better) = if badness(changed[at].1) < badness(other) {
            changed[at].1 = other;
            (changed, requirements)
        } else {
            changed[at].1 = other;
            (requirements, changed)
        };
        // A level that does not count may be the only one that was tested: a failure tests.
        prop_assume!(policy.counts(worse[at].0) || worse[at].0.is_none());
        let (worse, better) = (gate(&report(worse), &policy), gate(&report(better), &policy));
        prop_assert_eq!(worse.worse(better), worse);
    }

    #[test]
    fn denying_more_never_gives_a_better_exit(
        requirements in proptest::collection::vec(any_requirement(), 0..6),
        policy in any_policy(),
        more in any_policy(),
    ) {
        let report = report(requirements);
        let both = Policy { deny: policy.deny.union(&more.deny).copied().collect() };
        let exit = gate(&report, &both);
        prop_assert_eq!(exit.worse(gate(&report, &policy)), exit);
    }

    #[test]
    fn nothing_tested_is_never_green(
        requirements in proptest::collection::vec(any_requirement(), 0..6),
        policy in any_policy(),
    ) {
        let report = report(requirements);
        let tested = report.summary.tested();
        prop_assert!(tested > 0 || gate(&report, &policy) != Exit::Conformant);
    }

    #[test]
    fn order_of_requirements_does_not_matter(
        requirements in proptest::collection::vec(any_requirement(), 0..6),
        policy in any_policy(),
    ) {
        let mut reversed = requirements.clone();
        reversed.reverse();
        prop_assert_eq!(gate(&report(requirements), &policy), gate(&report(reversed), &policy));
    }
}
