//! - here: verdicts and how a run ended
//! - [`policy`], [`waivers`], [`baseline`]: what is denied, accepted and no worse
//! - [`properties`]: what holds whatever the report is

mod baseline;
mod policy;
mod properties;
mod waivers;

use super::*;
use crate::report::model::summary::Summary;
use crate::report::model::{Counts, End, Form, Health, Requirement};
use crate::report::sample::{blank, passing, sample, unreachable};

fn deny(levels: &[Level]) -> Policy {
    Policy::denying(levels.iter().copied())
}

/// A day before any waiver of these tests expires.
fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2031, 2, 3).unwrap()
}

fn gate(report: &Report, policy: &Policy) -> Exit {
    super::gate(report, policy, today())
}

fn ruling(report: &Report, policy: &Policy) -> Ruling {
    decide(report, policy, today()).ruling
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
    assert_eq!(codes, [70, 2, 3, 1, 5, 4, 0]);
    for (i, exit) in Exit::WORST_FIRST.into_iter().enumerate() {
        for other in Exit::WORST_FIRST.into_iter().skip(i) {
            assert_eq!((exit.worse(other), other.worse(exit)), (exit, exit));
        }
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
            preflight_failed: matches!(cause, Cause::Unreachable | Cause::Refused),
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
    fallen.health = Health { state: HealthState::No, answer: Some("status 500".into()) };
    assert_eq!(gate(&fallen, &Policy::default()), Exit::Untested);
}

#[test]
fn says_why() {
    let sentence = |report: &Report, policy: &Policy| ruling(report, policy).sentence;
    let none = Policy::default();
    assert_eq!(sentence(&passing(), &none), "Conformant: 1 of 2 musts hold, 1 could not be tried on this target.");
    assert_eq!(
        sentence(&sample(), &none),
        "Not conformant: 1 of 5 musts failed; 1 should failed, which does not count without --deny should. \
         Not everything was tested, either: 1 of 5 musts is inconclusive; 1 of 5 musts is untested."
    );
    assert!(
        sentence(&sample(), &deny(&[Level::Should]))
            .starts_with("Not conformant: 2 of 6 requirements (5 musts, 1 should) failed. ")
    );
    let mut asked = report(vec![(SHOULD, Verdict::Pass), (None, Verdict::Pass)]);
    assert_eq!(sentence(&asked, &none), "No must failed, because none was selected.");
    asked.requirements[0].verdict = Verdict::Fail;
    assert_eq!(
        sentence(&asked, &none),
        "No must failed, because none was selected; 1 should failed, which does not count without --deny should."
    );
    assert!(sentence(&unreachable(), &none).starts_with("Not tested: the target cannot be reached"));
}
