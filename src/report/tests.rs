use std::process::Command;

use serde_json::{Value as Json, json};

use super::model::{Cause, Form, HealthState, Requirement};
use super::sample::{blank, passing, sample, unreachable};
use super::*;
use crate::contract::requirement::Level;
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
    for state in [HealthState::Yes, HealthState::No, HealthState::NotAsked] {
        states["health"]["state"] = json!(state);
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
    let text = format::json::render(&sample());
    let read: Report = serde_json::from_str(&text).unwrap();
    let failure = &read.requirement("response/name-as-sent").unwrap().failures[0];
    let values: Vec<_> = failure.operands.iter().map(|o| o.value.clone()).collect();
    assert_eq!(values[1..], [Some(Json::Null), None]);
}

fn summary(report: &Report, options: &terminal::Options) -> String {
    let files = ["reports/report.json", "reports/junit.xml"].map(PathBuf::from);
    terminal::render(&ruled(report, &[]), &files, options)
}

/// The report with what a gate makes of it that denies these levels.
fn ruled(report: &Report, deny: &[Level]) -> Report {
    let policy = crate::gate::Policy::denying(deny.iter().copied());
    let ruling = crate::gate::decide(report, &policy, chrono::NaiveDate::MIN).ruling;
    Report { ruling: Some(ruling), ..report.clone() }
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
    assert_eq!(text.matches("  rerun ").count(), 5);
    assert!(text.lines().count() < 240, "{}", text.lines().count());
    // What matters most is what is seen without scrolling: the first failure, above a line of verdict and one of reports.
    let last: Vec<&str> = text.lines().rev().take(2).collect();
    assert!(last[0].starts_with("reports: ") && last[1].starts_with("✗ Not conformant: 60 of"), "{last:?}");
    let (_, end) = text.rsplit_once("\n✗ fail").unwrap();
    assert!(end.contains("area/00") && end.lines().count() < 40, "{end}");
    // Those of one cause are all named.
    let mut folded = report.clone();
    folded.requirements.iter_mut().skip(1).for_each(|r| r.cause = Some("area/00".into()));
    let text = summary(&folded, &terminal::Options::default());
    assert_eq!(text.matches("\n✗ fail").count(), 1);
    assert!((1..60).all(|i| text.contains(&format!("{i:02}"))) && text.lines().count() < 100, "{text}");
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
        // Commands are there to be copied; the last two lines stand by themselves in a log.
        let whole = ["curl -sS", "probity check", "✗ Not conformant: ", "reports: "];
        for line in text.lines().filter(|l| whole.iter().all(|part| !l.contains(part))) {
            assert!(text::width(line) <= width, "{} columns: {line}", text::width(line));
        }
        let treacherous = |c: char| text::is_treacherous(c) && c != '\n';
        assert!(!text.contains(treacherous), "{text:?}");
    }
}

#[test]
fn junit_of_the_sample() {
    insta::assert_snapshot!(format::junit::render(&ruled(&sample(), &[])));
    let strict = format::junit::render(&ruled(&sample(), &[Level::Should, Level::May]));
    assert!(strict.contains(r#"tests="9" skipped="2" failures="2" errors="2""#), "{strict}");
}

#[test]
fn markdown_of_the_sample() {
    insta::assert_snapshot!(format::markdown::render(&ruled(&sample(), &[]), format::markdown::COMMENT));
}

/// A report whose requirements are worse, better, new and gone since a baseline, so many of each.
fn since_a_baseline(each: usize) -> Report {
    let named = |prefix: &str, verdict| {
        (0..each).map(move |i| blank(&format!("{prefix}/{i:02}"), Form::Rule, verdict)).collect::<Vec<_>>()
    };
    let report = |parts: [Vec<Requirement>; 3]| Report { requirements: parts.concat(), ..sample() };
    let (pass, fail) = (Verdict::Pass, Verdict::Fail);
    let before = report([named("broke", pass), named("fixed", fail), named("gone", pass)]);
    let now = report([named("broke", fail), named("fixed", pass), named("new", pass)]);
    let policy = crate::gate::Policy { baseline: Some(Box::new(before)), ..crate::gate::Policy::default() };
    let ruling = crate::gate::decide(&now, &policy, chrono::NaiveDate::MIN).ruling;
    Report { ruling: Some(ruling), ..now }
}

#[test]
fn markdown_says_what_changed_since_the_baseline() {
    let link = |r: &Requirement| Some(format!("https://example.com/{}", r.id));
    let table = |each: usize| {
        let text = format::markdown::linked(&since_a_baseline(each), format::markdown::COMMENT, &link);
        let (_, table) = text.split_once("### Since the baseline: ").unwrap();
        table
            .lines()
            .take_while(|line| !line.starts_with('<') && !line.starts_with("###"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let due = [
        "1 broke, 1 fixed, 1 new and 1 gone",
        "",
        "|  | requirement | before | now |",
        "|---|---|---|---|",
        "| broke | [`broke/00`](https://example.com/broke/00) | ✓ pass | ✗ fail |",
        "| fixed | [`fixed/00`](https://example.com/fixed/00) | ✗ fail | ✓ pass |",
        "| new | [`new/00`](https://example.com/new/00) | · | ✓ pass |",
        "| gone | `gone/00` | ✓ pass | · |",
    ];
    assert_eq!(table(1)[..due.len()], due);
    let long = table(10);
    assert!(long.iter().any(|line| line == "| | and 23 more in `report.json` | | |"), "{long:?}");
    assert_eq!(long.iter().filter(|line| line.starts_with('|')).count(), 20);
    // And it is a part of the published shape.
    let value = serde_json::to_value(since_a_baseline(2)).unwrap();
    assert_eq!(violations(&strict(), &value), Vec::<String>::new());
}

#[test]
fn markdown_keeps_its_limit() {
    let mut report = sample();
    let failed = report.requirement("repeat/one-record").unwrap().clone();
    let many = |i| Requirement { id: format!("area/{i:03}"), level: Some(Level::Must), ..failed.clone() };
    report.requirements = (0..300).map(many).collect();
    let report = ruled(&report, &[]);
    for limit in [4_000, 20_000, format::markdown::COMMENT, format::markdown::SUMMARY] {
        let text = format::markdown::render(&report, limit);
        assert!(text.len() <= limit, "{} of {limit}", text.len());
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
        assert!(text.contains("<sub>371 requests in 4 s"), "{text}");
        let told = report.requirements.iter().filter(|r| text.contains(&r.id)).count();
        let more = format!("and {} more in `report.json`", 300 - told);
        assert!(told == 300 || text.contains(&more), "{told} are told: {more}");
    }
}

#[test]
fn nothing_of_the_server_acts_in_markdown() {
    let mut report = ruled(&sample(), &[]);
    let hostile = "</details> @everyone #1 <img src=x> [a](http://x) ``` `` ` |";
    for requirement in &mut report.requirements {
        requirement.reason = requirement.reason.as_ref().map(|_| hostile.to_owned());
        for failure in &mut requirement.failures {
            (failure.expected, failure.actual) = (hostile.to_owned(), hostile.to_owned());
            for response in failure.exchanges.iter_mut().filter_map(|e| e.response.as_mut()) {
                response.body = Some(format!("{hostile}\n```\n@everyone"));
            }
        }
    }
    if let Some(ruling) = &mut report.ruling {
        ruling.sentence = hostile.to_owned();
    }
    // What is left when code is taken out.
    let fences = regex::Regex::new(r"(?s)\n(```+)[a-z]*\n.*?\n(```+)\n").unwrap();
    let text = format::markdown::render(&report, format::markdown::COMMENT);
    let prose = fences.replace_all(&text, "\n");
    for line in prose.lines().filter(|l| !l.contains("expected: ") && !l.contains("actual: ")) {
        for bad in ["@everyone", "#1", "<img", "a](http", "http://"] {
            assert!(!line.contains(bad), "{bad} in {line}");
        }
        assert!(!line.contains("</details>") || line == "</details>", "{line}");
    }
}

#[test]
fn places_are_uris() {
    let mut report = ruled(&sample(), &[Level::Should]);
    report.requirements.iter_mut().filter_map(|r| r.place.as_mut()).for_each(|p| p.file = "./a b/ü%.yaml".into());
    let sarif = format::sarif::render(&report);
    assert!(
        sarif.contains("\"uri\": \"a%20b/%C3%BC%.yaml\"") || sarif.contains("\"uri\": \"a%20b/%C3%BC%25.yaml\""),
        "{sarif}"
    );
    report.requirements.iter_mut().filter_map(|r| r.place.as_mut()).for_each(|p| p.file = "/a b.yaml".into());
    assert!(format::sarif::render(&report).contains("\"uri\": \"file:///a%20b.yaml\""));
}

#[test]
fn the_annotations_that_a_step_shows_say_most() {
    let mut report = sample();
    let failure = |id: String, cause: Option<&str>| Requirement {
        cause: cause.map(str::to_owned),
        ..blank(&id, Form::Rule, Verdict::Fail)
    };
    report.requirements = (0..14).map(|n| failure(format!("a/{n:02}"), (n < 6).then_some("a/13"))).collect();
    let policy = crate::gate::Policy::default();
    report.ruling = Some(crate::gate::decide(&report, &policy, chrono::NaiveDate::MIN).ruling);
    let text = format::github::annotations(&report, &|_| None);
    let titles: Vec<&str> = text.lines().filter_map(|l| l.split(['=', ':']).nth(3)).collect();
    let mut due = vec!["create-book".to_owned()];
    due.extend((6..14).map(|n| format!("must a/{n:02}")));
    due.push("must a/00".to_owned());
    assert_eq!(titles, due, "{text}");
}

#[test]
fn annotations_hold_no_commands() {
    let mut report = ruled(&sample(), &[]);
    for failure in report.requirements.iter_mut().flat_map(|r| &mut r.failures) {
        failure.actual = "\n::error::mine\r\n%0A".into();
    }
    let text = format::github::annotations(&report, &|file| Some(file.to_owned()));
    assert_eq!(text.lines().filter(|l| l.starts_with("::error file=")).count(), 1, "{text}");
    assert!(text.lines().all(|l| l.starts_with("::error ") || l.starts_with("::warning ")), "{text}");
    assert!(text.contains("%250A"), "{text}");
    let elsewhere = format::github::annotations(&report, &|_| None);
    assert!(!elsewhere.contains("file="), "{elsewhere}");
}

#[test]
fn what_is_waived_hides_nothing() {
    // One fails wherever the other does: whichever is waived, the other is shown whole.
    for (waived, red) in
        [("response/name-as-sent", "repeat/one-record"), ("repeat/one-record", "response/name-as-sent")]
    {
        let mut report = ruled(&sample(), &[Level::Should]);
        let weights = &mut report.ruling.as_mut().unwrap().weights;
        weights.insert(waived.to_owned(), model::Weight::Waived { reason: "mended soon".into(), issue: None });
        let text = terminal::render(&report, &[], &terminal::Options::default());
        assert!(text.contains(&format!("--only {red}")), "{text}");
        assert!(!text.contains(&format!("--only {waived}")), "{text}");
        assert!(text.contains("1 failure that does not count; -v shows more:"), "{text}");
        assert!(text.contains(&format!("{waived}\n  waived: mended soon\n")), "{text}");
        let full = terminal::render(&report, &[], &terminal::Options { full: true, ..terminal::Options::default() });
        assert!(full.contains("  excused   waived: mended soon\n"), "{full}");
    }
}

#[test]
fn json_of_the_sample() {
    insta::assert_snapshot!(format::json::render(&sample()));
}

#[test]
fn writes_all_files_whole() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("a/b");
    assert!(write_all(&dir, &sample(), &[]).1.is_empty());
    let files = write_all(&dir, &passing(), &[]).0;
    assert_eq!(files, [dir.join(REPORT), dir.join("report.html"), dir.join("junit.xml")]);
    let mut names: Vec<_> =
        std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["junit.xml", "report.html", REPORT]);
    assert_eq!(format::json::read(&dir.join(REPORT)).unwrap(), passing());
    std::fs::write(folder.path().join("file"), "").unwrap();
    let error = write_all(&folder.path().join("file/b"), &sample(), &[]).1.remove(0);
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
        let path = folder.path().join("junit.xml");
        let mut report = sample();
        let odd: String = (0..=0xffff).filter_map(char::from_u32).collect();
        for requirement in &mut report.requirements {
            requirement.text += "\u{fffe}]]>";
            requirement.source += &odd;
            for failure in &mut requirement.failures {
                failure.rerun += "\u{ffff}";
                failure.actual += &odd;
            }
        }
        std::fs::write(&path, format::junit::render(&report)).unwrap();
        let script = "import sys, xml.etree.ElementTree as t; print(len(t.parse(sys.argv[1]).findall('.//testcase')))";
        let output = Command::new("python3").args(["-c", script]).arg(&path).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "9\n", "{output:?}");
    }
}
