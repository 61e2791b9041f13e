use proptest::prelude::*;

use super::policy::{Effect, Rule};
use super::waivers::Waivers;
use super::*;
use crate::report::model::{Counts, End, Failure, Form, Requirement, Standing};
use crate::report::sample::{blank, passing, sample, unreachable};
use crate::report::summary::Summary;
use crate::source::Source;

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
    let sentence = |report: &Report, policy: &Policy| ruling(report, policy).sentence;
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

/// Waivers as a file has them.
fn waivers(text: &str) -> Waivers {
    Waivers::read(&Source::new("waivers.toml", text)).unwrap()
}

fn waiving(text: &str) -> Policy {
    Policy { waivers: waivers(text), ..Policy::default() }
}

fn baseline(before: Report) -> Policy {
    Policy { baseline: Some(Box::new(before)), ..Policy::default() }
}

fn rules(deny: &[&str], allow: &[&str]) -> Policy {
    let rule = |effect| move |text: &&str| Rule::typed(effect, text).unwrap();
    let rules = deny.iter().map(rule(Effect::Deny)).chain(allow.iter().map(rule(Effect::Allow)));
    Policy { rules: rules.collect(), ..Policy::default() }
}

#[test]
fn the_narrower_name_wins() {
    let of = |id: &str, level| Requirement { level, ..blank(id, Form::Rule, Verdict::Fail) };
    let (must, should) = (of("area/one", MUST), of("area/two", SHOULD));
    let cases = [
        (rules(&[], &[]), [true, false]),
        (rules(&["should"], &[]), [true, true]),
        (rules(&["area"], &[]), [true, true]),
        (rules(&["area/*"], &["should"]), [true, true]),
        (rules(&["should"], &["area"]), [false, false]),
        (rules(&["area/one"], &["area"]), [true, false]),
        (rules(&["area/two"], &["area/*"]), [false, true]),
        (rules(&["area/*"], &["area/two"]), [true, false]),
        (rules(&[], &["must"]), [false, false]),
        (rules(&["area"], &["area"]), [true, true]),
        (rules(&["elsewhere"], &["else/where"]), [true, false]),
    ];
    for (policy, expected) in cases {
        assert_eq!([policy.counts(&must), policy.counts(&should)], expected, "{policy:?}");
    }
    let probe = Requirement { level: None, ..blank("area/three", Form::Probe, Verdict::Pass) };
    assert!(!rules(&["area", "area/three"], &[]).counts(&probe), "probes never count");
}

#[test]
fn what_was_typed_beats_the_file() {
    let file = "[gate]\ndeny = ['should']\nallow = ['area']\n[target]\nurl = 'x'";
    let settings = policy::Settings::read(&Source::new("probity.toml", file)).unwrap();
    let should = Requirement { level: SHOULD, ..blank("area/one", Form::Rule, Verdict::Fail) };
    let other = Requirement { level: SHOULD, ..blank("other/one", Form::Rule, Verdict::Fail) };
    let mut policy = Policy { rules: settings.rules, ..Policy::default() };
    assert_eq!([policy.counts(&should), policy.counts(&other)], [false, true]);
    policy.rules.extend(rules(&["area"], &["should"]).rules);
    assert_eq!([policy.counts(&should), policy.counts(&other)], [true, false]);
}

#[test]
fn rules_that_speak_of_nothing_are_errors() {
    let all = [("area/one", MUST), ("area/two", SHOULD), ("probes/x", None)];
    let error = |policy: Policy| policy.check(all.into_iter()).map_err(|e| e.to_string()).err().unwrap_or_default();
    assert_eq!(error(rules(&["may", "area", "*/two"], &["area/one"])), "");
    assert!(error(rules(&["aera"], &[])).contains("did you mean `area`?"));
    assert!(error(rules(&[], &["area/tow"])).contains("did you mean `area/two`?"));
    assert!(error(rules(&["probes"], &[])).contains("no requirement has the area or id `probes`"));
    assert!(Rule::typed(Effect::Deny, "a[").unwrap_err().to_string().contains("is no pattern"));
}

const WAIVED: &str = "[[waiver]]\nid = 'a/001'\nreason = 'known'\n";

#[test]
fn a_waived_failure_is_not_red() {
    let run = |verdict| report(vec![(MUST, Verdict::Pass), (MUST, verdict)]);
    for bad in [Verdict::Fail, Verdict::Inconclusive, Verdict::Untested] {
        let ruling = ruling(&run(bad), &waiving(WAIVED));
        assert_eq!(ruling.exit, 0, "{bad:?}");
        assert_eq!(ruling.sentence, "Conformant but for waivers: 1 of 2 musts hold; 1 is waived.");
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
            "waivers.toml:2: the waiver of a/001 is out of date, it expired after 2031-02-02: mend the server, or agree on another day; else delete lines 1 to 4",
        ),
        (
            "waiver = [{ id = 'a/001', reason = 'r', contains = 'cents' }]",
            &fails_with("dollars"),
            "waivers.toml:1: the waiver of a/001 is out of date, what fails now says nothing of `cents`: delete line 1",
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
}

#[test]
fn waivers_are_read_with_care() {
    let error = |text: &str| Waivers::read(&Source::new("waivers.toml", text)).unwrap_err().to_string();
    let cases = [
        ("[[waiver]]\nid = 'a/1'\n", "waivers.toml:1", "missing field `reason`"),
        ("[[waiver]]\nid = 'a/1'\nreason = ' '\n", "waivers.toml:3:10", "has no reason"),
        ("[[waiver]]\nid = 'a/1'\nreason = 'r'\nexpired = 1", "waivers.toml:4:1", "unknown field `expired`"),
        ("[[waiver]]\nid = 'a/1'\nreason = 'r'\nexpires = 10:00:00", "waivers.toml:4:11", "this is no day"),
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
        "Not conformant: 1 of 3 musts failed. Nor was all tested: 1 requirement of the baseline is no longer in the contract."
    );
    let narrower = baseline(run(&[Pass, Pass, Pass]));
    assert_eq!(gate(&run(&[Pass, Pass]), &narrower), Exit::Untested, "what is gone is not known");
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
        let junit = quick_junit::Report::deserialize_from_str(&crate::report::junit::render(&report)).unwrap();
        let shown: usize = junit.test_suites.iter().map(|s| s.failures + s.errors).sum();
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
