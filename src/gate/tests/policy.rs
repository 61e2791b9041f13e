//! Levels, areas and ids that are denied or allowed.

use super::super::policy::{self, Effect, Rule};
use super::*;
use crate::source::Source;

pub(super) fn rules(deny: &[&str], allow: &[&str]) -> Policy {
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
        (rules(&["area"], &["*"]), [true, true]),
        (rules(&["must"], &["**"]), [true, false]),
        (rules(&["*"], &["should"]), [true, false]),
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
    assert!(Rule::typed(Effect::Deny, "a[").unwrap_err().to_string().contains("is not a valid pattern"));
}

#[test]
fn the_table_has_the_keys_that_editors_know() {
    let read = |text: &str| policy::Settings::read(&Source::new("probity.toml", text));
    let error = read("[gate]\nwrong = 1\n").unwrap_err().to_string();
    let known = error.split('`').skip(1).step_by(2).filter(|word| *word != "wrong" && !word.contains(' '));
    let known: std::collections::BTreeSet<&str> = known.collect();
    assert_eq!(known, crate::settings::GATE.names().into_iter().collect(), "{error}");
}
