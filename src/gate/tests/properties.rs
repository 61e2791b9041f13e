//! What holds whatever the report is.

use proptest::prelude::*;

use super::policy::rules;
use super::waivers::waiving;
use super::*;

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

fn any_waivers() -> impl Strategy<Value = Vec<usize>> {
    proptest::sample::subsequence((0..6).collect::<Vec<_>>(), 0..=6)
}

fn waivers_of(ids: &[usize]) -> Policy {
    waiving(&ids.iter().map(|i| format!("[[waiver]]\nid = 'a/{i:03}'\nreason = 'r'\n")).collect::<String>())
}

proptest! {
    #[test]
    fn waivers_excuse_what_is_bad_and_are_red_for_what_is_good(
        requirements in proptest::collection::vec(any_requirement(), 1..6),
        ids in any_waivers(),
    ) {
        let report = report(requirements.clone());
        let ruling = ruling(&report, &waivers_of(&ids));
        let due = |i: &&usize| requirements.get(**i).is_none_or(|(_, verdict)| *verdict == Verdict::Pass);
        prop_assert_eq!(ruling.stale.len(), ids.iter().filter(due).count());
        prop_assert!(ruling.stale.is_empty() || ruling.exit != 0);
        // But for what is out of date, waiving is allowing.
        let excused: Vec<usize> = ids.iter().copied().filter(|i| !due(&i)).collect();
        let names: Vec<String> = excused.iter().filter(|i| requirements[**i].0.is_some()).map(|i| format!("a/{i:03}")).collect();
        let allowed = rules(&[], &names.iter().map(String::as_str).collect::<Vec<_>>());
        // What is skipped is not excused, for it is not red.
        prop_assert_eq!(gate(&report, &waivers_of(&excused)), gate(&report, &allowed));
    }

    #[test]
    fn nothing_is_worse_than_itself(
        requirements in proptest::collection::vec(any_requirement(), 1..6),
        policy in any_policy(),
    ) {
        let report = report(requirements);
        let policy = Policy { baseline: Some(Box::new(report.clone())), ..policy };
        let ruling = ruling(&report, &policy);
        prop_assert_eq!((ruling.worse.len(), ruling.better.len()), (0, 0));
        let musts = |r: &&Requirement| r.level == MUST;
        let tested = |r: &Requirement| matches!(r.verdict, Verdict::Pass | Verdict::Fail);
        let known = report.summary.tested() > 0
            && (report.selected().filter(musts).count() == 0 || report.selected().filter(musts).any(tested));
        prop_assert_eq!(ruling.exit == 0, known);
    }

    #[test]
    fn a_baseline_never_gives_a_worse_exit_for_the_same_requirements(
        requirements in proptest::collection::vec((any_requirement(), any_verdict()), 1..6),
        policy in any_policy(),
    ) {
        let now = report(requirements.iter().map(|(r, _)| *r).collect());
        let before = report(requirements.iter().map(|((level, _), verdict)| (*level, *verdict)).collect());
        let with = Policy { baseline: Some(Box::new(before)), ..policy.clone() };
        let without = gate(&now, &policy);
        prop_assert_eq!(gate(&now, &with).worse(without), without);
    }

    #[test]
    fn a_red_run_has_something_red_to_show(
        requirements in proptest::collection::vec(any_requirement(), 1..6),
        ids in any_waivers(),
    ) {
        let mut report = report(requirements);
        report.ruling = Some(ruling(&report, &waivers_of(&ids)));
        let red = report.requirements.iter().any(|r| report.is_red(r));
        let exit = report.ruling.as_ref().map(|r| r.exit);
        prop_assert!(!red || exit != Some(0));
        // And the tools that show test results agree.
        let junit = quick_junit::Report::deserialize_from_str(&crate::report::format::junit::render(&report)).unwrap();
        let shown: usize = junit.test_suites.iter().map(|s| s.failures + s.errors).sum();
        prop_assert_eq!(shown > 0, exit != Some(0));
        let ctrf: serde_json::Value = serde_json::from_str(&crate::report::format::ctrf::render(&report)).unwrap();
        let summary = &ctrf["results"]["summary"];
        let shown = summary["failed"].as_u64().unwrap() + summary["other"].as_u64().unwrap();
        prop_assert_eq!(shown > 0, exit != Some(0));
    }

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
        let counts = policy.counts(&Requirement { level: worse[at].0, ..blank("a/0", Form::Rule, Verdict::Pass) });
        prop_assume!(counts || worse[at].0.is_none());
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
        let both = Policy { rules: policy.rules.iter().chain(&more.rules).cloned().collect(), ..Policy::default() };
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
