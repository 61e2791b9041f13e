//! Laws of classes and verdicts.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, TimeDelta, Utc};
use probity::contract::requirement::Form;
use probity::exchange::Request;
use probity::exchange::{Failure, FailureKind, Outcome};
use probity::judge::bind::Control;
use probity::judge::classify::Class;
use probity::judge::finding::{Counterexample, Finding, Found};
use probity::judge::tally::{Tally, Verdict};
use probity::plan::Entry;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;

use super::bench::{Bench, OPPORTUNITIES, ORDERS, answer, cases, some_day};

static PLANS: LazyLock<[(&Bench, Vec<Entry>); 2]> =
    LazyLock::new(|| [&*OPPORTUNITIES, &*ORDERS].map(|bench| (bench, bench.plan(5, some_day()).entries)));

fn class(bench: &Bench, request: &Request, earliest: DateTime<Utc>, latest: DateTime<Utc>) -> Class {
    let body = request.json();
    let scope = bench.judge().request_scope(request, body.as_ref(), earliest);
    bench.judge().class_of(request, body.as_ref(), &scope, earliest, latest)
}

/// Lengths of time from a second to some centuries, in seconds.
fn spans() -> impl Strategy<Value = i64> {
    (0.0_f64..10.2).prop_map(|n| 10_f64.powf(n) as i64)
}

#[test]
fn what_is_planned_is_of_the_class_that_it_is_planned_for() {
    for (bench, entries) in &*PLANS {
        for entry in entries {
            let request = bench.request(&entry.draft, some_day());
            let class = class(bench, &request, some_day(), some_day());
            match entry.control {
                None if entry.name.starts_with("pool/open") => {
                    assert!(matches!(class, Class::Open(_) | Class::Doubtful(_)), "{}: {class:?}", entry.name);
                }
                None => assert_eq!(class, Class::Valid, "{}", entry.name),
                Some(_) => {
                    let about = entry.about.expect("a requirement");
                    assert!(
                        matches!(&class, Class::Broken(parts) if parts.contains(&about)),
                        "{}: {class:?}",
                        entry.name
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(150))]

    /// Knowing the time less well never settles anything: it leaves a class as it is or opens it.
    #[test]
    fn a_wider_clock_only_opens(
        which in 0_usize..2, entry in any::<Index>(), shift in spans(), back in any::<bool>(),
        inner in (spans(), spans()), outer in (spans(), spans()),
    ) {
        let (bench, entries) = &PLANS[which];
        let entry = &entries[entry.index(entries.len())];
        let request = bench.request(&entry.draft, some_day());
        let now = some_day() + TimeDelta::seconds(if back { -shift } else { shift } / 10);
        let at = |from: i64, to: i64| (now - TimeDelta::seconds(from), now + TimeDelta::seconds(to));
        let (a, b) = at(inner.0, inner.1);
        let (c, d) = at(inner.0 + outer.0, inner.1 + outer.1);
        let narrow = class(bench, &request, a, b);
        let wide = class(bench, &request, c, d);
        let opens = matches!(wide, Class::Open(_));
        prop_assert!(opens || narrow == wide, "{}: {narrow:?} became {wide:?}", entry.name);
    }

    /// A class of one instant says the same whoever asks, and however often.
    #[test]
    fn classes_are_functions(which in 0_usize..2, entry in any::<Index>(), shift in spans()) {
        let (bench, entries) = &PLANS[which];
        let entry = &entries[entry.index(entries.len())];
        let now = some_day() + TimeDelta::seconds(shift);
        let request = bench.request(&entry.draft, now);
        prop_assert_eq!(class(bench, &request, now, now), class(bench, &request, now, now));
    }

    #[test]
    fn verdicts_do_not_depend_on_the_order(findings in findings(), order in any::<u64>()) {
        let all = findings.len();
        let mut other: Vec<_> = findings.clone();
        for i in (1..all).rev() {
            let j = (order.wrapping_mul(i as u64 + 7) >> 5) as usize % (i + 1);
            other.swap(i, j);
        }
        let (a, b) = (added(&findings), added(&other));
        for form in forms() {
            prop_assert_eq!(a.verdict(form), b.verdict(form));
        }
        prop_assert_eq!(summary(&a), summary(&b));
    }

    #[test]
    fn one_breach_is_a_failure(findings in findings(), at in any::<Index>()) {
        let mut findings = findings;
        findings.insert(at.index(findings.len() + 1), Finding { requirement: 0, trial: "x".into(), exchange: None, found: broken() });
        for form in forms() {
            prop_assert_eq!(added(&findings).verdict(form), Verdict::Fail);
        }
    }

    /// What cannot be decided never makes a pass out of nothing, nor a failure.
    #[test]
    fn doubt_settles_nothing(findings in findings()) {
        let unsettled: Vec<Finding> =
            findings.into_iter().filter(|f| matches!(f.found, Found::Unknown(..) | Found::Skipped(_))).collect();
        for form in forms() {
            let verdict = added(&unsettled).verdict(form);
            prop_assert!(![Verdict::Pass, Verdict::Fail].contains(&verdict), "{verdict:?}");
        }
    }

    /// The findings on a set of exchanges add up to the same in whatever order they were judged.
    #[test]
    fn judging_does_not_depend_on_the_order(
        picks in proptest::collection::vec((any::<Index>(), 0_usize..6), 1..12), turn in any::<Index>(),
    ) {
        let (bench, entries) = &PLANS[1];
        let mut judged: Vec<Vec<Finding>> = picks.iter().enumerate().map(|(n, (entry, outcome))| {
            let entry = &entries[entry.index(entries.len())];
            let outcome = outcomes()[*outcome].clone();
            let exchange = bench.exchange(&format!("{}/{n}", entry.name), &entry.draft, some_day(), outcome);
            bench.judge().exchange(&bench.judge().see(exchange, Control::Accepted, entry.about, true))
        }).collect();
        let count = bench.contract.requirements.len();
        let before = tallies(count, &judged);
        let places = judged.len();
        judged.rotate_left(turn.index(places));
        judged.reverse();
        prop_assert_eq!(before, tallies(count, &judged));
    }
}

fn tallies(count: usize, judged: &[Vec<Finding>]) -> Vec<String> {
    let mut tallies: Vec<Tally> = (0..count).map(|_| Tally::default()).collect();
    for finding in judged.iter().flatten() {
        tallies[finding.requirement].add(finding.clone());
    }
    tallies.iter().map(summary).collect()
}

fn outcomes() -> Vec<Outcome> {
    let failed = |kind| Outcome::Failed(Failure { kind, message: String::new() });
    vec![
        answer(200, "application/json", "{}"),
        answer(422, "application/problem+json", r#"{"title": "t", "status": 422, "problems": [{"at": "x"}]}"#),
        answer(500, "text/plain", "oh"),
        answer(429, "text/plain", ""),
        failed(FailureKind::Timeout),
        failed(FailureKind::Connect),
    ]
}

fn broken() -> Found {
    Found::Broken(Arc::new(Counterexample {
        label: String::new(),
        expected: "a".to_owned(),
        actual: "b".to_owned(),
        clause: None,
        operands: Vec::new(),
        wrong: None,
        differences: Vec::new(),
        exchanges: Vec::new(),
    }))
}

/// Findings of one requirement, of all kinds; each trial is named once.
fn findings() -> impl Strategy<Value = Vec<Finding>> {
    let exchange = || {
        let entry = &PLANS[1].1[0];
        Arc::new(PLANS[1].0.exchange("t", &entry.draft, some_day(), answer(200, "application/json", "{}")))
    };
    let found = prop_oneof![
        Just(Found::Holds),
        Just(broken()),
        select(&["a", "b"][..]).prop_map(|r| Found::Unknown(r.to_owned(), Vec::new())),
        select(&["a", "b"][..]).prop_map(|r| Found::Skipped(r.to_owned())),
        (0_u8..9).prop_map(move |n| Found::Unique(n.to_string(), exchange())),
        (0_u8..5).prop_map(|n| Found::Observed(json!(n))),
    ];
    proptest::collection::vec(found, 0..12).prop_map(|all| {
        let named = all.into_iter().enumerate();
        named.map(|(n, found)| Finding { requirement: 0, trial: format!("t{n}"), exchange: None, found }).collect()
    })
}

fn added(findings: &[Finding]) -> Tally {
    let mut tally = Tally::default();
    findings.iter().for_each(|f| tally.add(f.clone()));
    tally
}

/// What a report says of a tally.
fn summary(tally: &Tally) -> String {
    // Of a value that came twice, which of the two is told as the second is a matter of order.
    let told = tally.counterexamples.iter().filter(|(_, b)| b.expected != "a value that occurs only once");
    let counterexamples: BTreeMap<&String, (&String, &String)> =
        told.map(|(t, b)| (t, (&b.expected, &b.actual))).collect();
    let doubt = tally.doubt.as_ref().map(|(trial, reason, _)| (trial, reason));
    format!(
        "{} {} {} {} {:?} {:?} {:?} {:?}",
        tally.holds, tally.broken, tally.unknown, tally.skipped, counterexamples, doubt, tally.obstacle, tally.observed
    )
}

/// One form of each kind.
fn forms() -> Vec<&'static Form> {
    let mut all: BTreeMap<&str, &Form> = BTreeMap::new();
    for bench in [&*OPPORTUNITIES, &*ORDERS] {
        all.extend(bench.contract.requirements.iter().map(|r| (r.form.name(), &r.form)));
    }
    all.into_values().collect()
}
