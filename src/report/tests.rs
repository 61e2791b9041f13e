use std::process::Command;

use serde_json::{Value as Json, json};

use super::model::{Cause, Form, Requirement, StandingState};
use super::sample::{blank, passing, sample, unreachable};
use super::*;
use crate::judge::tally::Verdict;

/// The schema, with nothing allowed that it does not name: a key that is missing from it shows.
fn strict() -> Json {
    fn close(schema: &mut Json) {
        if let Json::Object(object) = schema {
            if object.contains_key("properties") {
                object.insert("additionalProperties".into(), json!(false));
            }
            object.values_mut().for_each(close);
        } else if let Json::Array(items) = schema {
            items.iter_mut().for_each(close);
        }
    }
    let mut schema: Json = serde_json::from_str(SCHEMA).unwrap();
    close(&mut schema);
    schema
}

fn violations(schema: &Json, value: &Json) -> Vec<String> {
    let validator = jsonschema::options().should_validate_formats(true).build(schema).unwrap();
    validator.iter_errors(value).map(|e| format!("{} {e}", e.instance_path())).collect()
}

#[test]
fn reports_keep_the_published_schema() {
    jsonschema::meta::validate(&strict()).unwrap();
    for report in [sample(), passing(), unreachable()] {
        let value = serde_json::to_value(&report).unwrap();
        assert_eq!(violations(&strict(), &value), Vec::<String>::new());
        assert_eq!(violations(&serde_json::from_str(SCHEMA).unwrap(), &value), Vec::<String>::new());
    }
    let mut states = serde_json::to_value(sample()).unwrap();
    for cause in Cause::ALL {
        states["end"]["cause"] = json!(cause);
        assert_eq!(violations(&strict(), &states), Vec::<String>::new(), "{cause:?}");
    }
    for state in [StandingState::Yes, StandingState::No, StandingState::NotAsked] {
        states["standing"]["state"] = json!(state);
        assert_eq!(violations(&strict(), &states), Vec::<String>::new(), "{state:?}");
    }
    states["requirements"][0]["verdict"] = json!("good");
    assert_eq!(violations(&strict(), &states).len(), 1);
}

#[test]
fn the_sample_holds_everything() {
    let report = sample();
    let has = |what: &dyn Fn(&Requirement) -> bool| report.requirements.iter().any(what);
    for verdict in Verdict::ALL {
        assert!(has(&|r| r.verdict == verdict && r.selected), "{verdict:?}");
    }
    for level in [Some(Level::Must), Some(Level::Should), Some(Level::May), None] {
        assert!(has(&|r| r.level == level), "{level:?}");
    }
    use Form::{Always, Constraint, Probe, Rule, Scenario, Schema};
    for form in [Constraint, Rule, Scenario, Probe, Schema, Always] {
        assert!(has(&|r| r.form == form), "{form:?}");
    }
    assert!(has(&|r| !r.selected) && has(&|r| r.doubt.is_some()) && has(&|r| r.more_failures > 0));
}

#[test]
fn a_read_value_may_be_null() {
    let text = json::render(&sample());
    let read: Report = serde_json::from_str(&text).unwrap();
    let failure = &read.requirement("response/name-as-sent").unwrap().failures[0];
    let values: Vec<_> = failure.operands.iter().map(|o| o.value.clone()).collect();
    assert_eq!(values[1..], [Some(Json::Null), None]);
}

/// How a run ended, to those who write of it.
const ENDING: terminal::Ending<'_> = terminal::Ending { sentence: "Conformant.", good: true, files: &[] };

fn summary(report: &Report, options: &terminal::Options) -> String {
    let decision = crate::gate::decide(report, &crate::gate::Policy::default());
    let files = [Path::new("reports/report.json"), Path::new("reports/junit.xml")];
    let ending = terminal::Ending {
        sentence: &decision.sentence,
        good: decision.exit == crate::gate::Exit::Conformant,
        files: &files,
    };
    terminal::render(report, &ending, options)
}

#[test]
fn terminal_without_colour() {
    for width in [80, 200] {
        let options = terminal::Options { width, ..terminal::Options::default() };
        insta::assert_snapshot!(format!("sample-{width}"), summary(&sample(), &options));
        insta::assert_snapshot!(format!("passing-{width}"), summary(&passing(), &options));
        insta::assert_snapshot!(format!("unreachable-{width}"), summary(&unreachable(), &options));
    }
}

#[test]
fn terminal_with_sixty_failures() {
    let mut report = sample();
    let failed = report.requirements.iter().find(|r| r.verdict == Verdict::Fail).unwrap().clone();
    report.requirements = (0..60).map(|i| Requirement { id: format!("area/{i:02}"), ..failed.clone() }).collect();
    let text = summary(&report, &terminal::Options::default());
    assert_eq!(text.matches("\n✗ fail").count(), 60);
    assert_eq!(text.matches("  rerun ").count(), 20);
    assert!(text.lines().count() < 700, "{}", text.lines().count());
    let full = summary(&report, &terminal::Options { full: true, ..terminal::Options::default() });
    assert_eq!(full.matches("  rerun ").count(), 60);
}

#[test]
fn colour_adds_nothing_but_colour() {
    let plain = terminal::Options::default();
    let colored = summary(&sample(), &terminal::Options { color: true, ..plain });
    assert!(colored.contains("\u{1b}[31m"));
    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), summary(&sample(), &plain));
}

#[test]
fn terminal_keeps_its_width_and_its_manners() {
    for width in [80, 120, 200] {
        let text = summary(&sample(), &terminal::Options { width, ..terminal::Options::default() });
        for line in text.lines().filter(|l| !l.contains("curl -sS") && !l.contains("probity check")) {
            assert!(text::width(line) <= width, "{} columns: {line}", text::width(line));
        }
        let treacherous = |c: char| text::is_treacherous(c) && c != '\n';
        assert!(!text.contains(treacherous), "{text:?}");
    }
}

#[test]
fn junit_of_the_sample() {
    let musts = BTreeSet::from([Level::Must]);
    insta::assert_snapshot!(junit::render(&sample(), &musts));
    let all = BTreeSet::from([Level::Must, Level::Should, Level::May]);
    let strict = junit::render(&sample(), &all);
    assert!(strict.contains(r#"tests="9" skipped="2" failures="2" errors="2""#), "{strict}");
}

#[test]
fn json_of_the_sample() {
    insta::assert_snapshot!(json::render(&sample()));
}

#[test]
fn writes_all_files_whole() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("a/b");
    let error = write_all(&dir, &sample(), &BTreeSet::new(), &ENDING).unwrap_err();
    assert!(error.to_string().contains("exchanges.ndjson"), "what the page shows must be there: {error}");
    std::fs::write(dir.join(EXCHANGES), "").unwrap();
    write_all(&dir, &sample(), &BTreeSet::new(), &ENDING).unwrap();
    write_all(&dir, &passing(), &BTreeSet::new(), &ENDING).unwrap();
    let mut names: Vec<_> =
        std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, [EXCHANGES, JUNIT, HTML, REPORT]);
    assert_eq!(json::read(&dir.join(REPORT)).unwrap(), passing());
    std::fs::write(folder.path().join("file"), "").unwrap();
    let error = write_all(&folder.path().join("file/b"), &sample(), &BTreeSet::new(), &ENDING).unwrap_err();
    assert!(error.to_string().starts_with("cannot write /"), "{error}");
}

#[test]
fn levels_and_reasons_are_listed_briefly() {
    let mut report = passing();
    report.requirements.extend((0..20).map(|i| Requirement {
        reason: Some("nobody tried".into()),
        ..blank(&format!("z/{i:02}"), Form::Rule, Verdict::Untested)
    }));
    let text = summary(&report, &terminal::Options::default());
    assert_eq!(text.matches("nobody tried").count(), 1);
    assert!(text.contains("    and 14 more\n"), "{text}");
}

/// Whether a program of the tests is there.
fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success())
}

#[test]
fn junit_is_well_formed() {
    // A parser that is not ours; the text has been through quick-xml on its way out.
    if has("python3") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(JUNIT);
        std::fs::write(&path, junit::render(&sample(), &BTreeSet::from([Level::Must]))).unwrap();
        let script = "import sys, xml.etree.ElementTree as t; print(len(t.parse(sys.argv[1]).findall('.//testcase')))";
        let output = Command::new("python3").args(["-c", script]).arg(&path).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "9\n", "{output:?}");
    }
}
