//! The contract as tests of a project: how `probity::cli::conformance` behaves under `cargo test` and its like.
//!
//! This file is both the tests and the command that they test: with a variable set, it is what a user's
//! `tests/conformance.rs` is. So no test has to guess where Cargo has put another one's program.

#[expect(dead_code, reason = "the other tests need more of it")]
mod support;

#[expect(dead_code, reason = "the other tests need more of it")]
#[path = "it/whole/app.rs"]
mod app;

use std::collections::BTreeSet;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use support::contract::Copy;
use support::{Probity, Ran, probity};

/// Set in the environment of the command under test.
const AS_COMMAND: &str = "PROBITY_TEST_AS_COMMAND";

fn main() -> ExitCode {
    if std::env::var_os(AS_COMMAND).is_some() {
        return probity::cli::conformance::main();
    }
    let tests: [(&str, fn()); 13] = [
        ("every_requirement_is_listed_once", every_requirement_is_listed_once),
        ("filters_choose_what_is_sent", filters_choose_what_is_sent),
        ("names_run_as_they_are_listed", names_run_as_they_are_listed),
        ("a_filter_that_fits_nothing_sends_nothing", a_filter_that_fits_nothing_sends_nothing),
        ("a_target_of_ones_own", a_target_of_ones_own),
        ("a_report_is_judged_without_sending", a_report_is_judged_without_sending),
        ("what_counts_is_said_by_settings_and_environment", what_counts_is_said_by_settings_and_environment),
        ("a_run_that_was_cut_short_is_not_green", a_run_that_was_cut_short_is_not_green),
        ("nothing_tested_is_not_green", nothing_tested_is_not_green),
        ("a_server_that_fell_is_not_green", a_server_that_fell_is_not_green),
        ("bad_input_is_an_error_and_no_test", bad_input_is_an_error_and_no_test),
        ("bad_seeds_are_an_error", bad_seeds_are_an_error),
        ("a_whole_document_has_tests_of_each_operation", a_whole_document_has_tests_of_each_operation),
    ];
    let trial = |(name, test): (&str, fn())| {
        let run = move || {
            test();
            Ok::<(), Failed>(())
        };
        Trial::test(name, run)
    };
    libtest_mimic::run(&Arguments::from_args(), tests.into_iter().map(trial).collect()).exit_code()
}

fn command(words: &str) -> Probity {
    Probity::of(&std::env::current_exe().expect("a program"), words).env(AS_COMMAND, "1")
}

/// The ids that a run of tests has as passed, and as failed.
fn outcome(ran: &Ran) -> (Vec<&str>, Vec<&str>) {
    let of = |word: &str| {
        let lines = ran.stdout.lines().filter(|l| l.starts_with("test ") && l.ends_with(word));
        lines.filter_map(|l| l.split_whitespace().find(|w| w.contains('/'))).collect()
    };
    (of("... ok"), of("... FAILED"))
}

fn every_requirement_is_listed_once() {
    let catalogue = probity("list --json").exits(0);
    let catalogue: Value = serde_json::from_str(&catalogue.stdout).expect("JSON");
    let owed = catalogue.as_array().expect("a list").iter().filter(|r| !r["level"].is_null());
    let owed: BTreeSet<&str> = owed.filter_map(|r| r["id"].as_str()).collect();
    // As `cargo test -- --list` asks, and as nextest does.
    for words in ["--list", "--list --format terse"] {
        let ran = command(words).exits(0);
        let names: Vec<&str> = ran.stdout.lines().filter_map(|l| l.strip_suffix(": test")).collect();
        let names: Vec<&str> = names.iter().map(|n| n.rsplit(' ').next().unwrap_or(n)).collect();
        ran.holds(names.len() == owed.len(), "no name comes twice");
        assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), owed);
        ran.holds(ran.stdout.contains("must") && ran.stdout.contains("should"), "the kind is the level");
    }
    let ignored = command("--list --format terse --ignored").exits(0);
    ignored.holds(ignored.stdout.trim().is_empty(), "no test is ignored");
}

fn filters_choose_what_is_sent() {
    let ran = command("--exact close-date/leap-day --nocapture").exits(0);
    assert_eq!(outcome(&ran), (vec!["close-date/leap-day"], vec![]));
    let ran = command("close-date/past --skip offset --skip 2038").env("PROBITY_SEED", "5").exits(0);
    assert_eq!(outcome(&ran).0, ["close-date/past"]);
}

fn a_whole_document_has_tests_of_each_operation() {
    let of_shop = |words: &str| command(words).file("shop.yaml", app::DOCUMENT).env("PROBITY_DOCUMENT", "shop.yaml");
    let at = |words: &str, server: &support::server::Server| {
        let settings = format!("[target]\nurl = \"{}\"\n", server.url());
        of_shop(words)
            .file("probity.toml", settings)
            .env("PROBITY_CONFIG", "probity.toml")
            .env("PROBITY_TOKEN", app::TOKEN)
            .env("PROBITY_SEED", "1")
            .env("PROBITY_DENY", "should")
    };
    let listed = of_shop("--list --format terse").exits(0);
    for id in ["createOrder/schema/price-maximum: test", "getOrder/law/read-back: test"] {
        listed.holds(listed.stdout.lines().any(|line| line.ends_with(id)), id);
    }
    let right = app::shop(&[]);
    let ran = at("", &right).exits(0);
    ran.holds(outcome(&ran).0.contains(&"createOrder/schema/price-maximum"), "each operation is checked");
    ran.holds(outcome(&ran).0.contains(&"getOrder/law/read-back"), "and what holds between them");
    ran.holds(right.requests().iter().any(|r| r.method == "DELETE"), "what was created is removed");
    let wrong = app::shop(&[app::Bug::PriceInCents]);
    let ran = at("getOrder/law", &wrong).exits(101);
    assert_eq!(outcome(&ran).1, ["getOrder/law/read-back"]);
    of_shop("").exits(2).complains("no target is set");
    of_shop("")
        .env("PROBITY_CONTRACT", "shop")
        .exits(2)
        .complains("both PROBITY_CONTRACT and PROBITY_DOCUMENT are set");
}

/// nextest runs every trial by the whole line of the list, the kind included.
fn names_run_as_they_are_listed() {
    let listed = command("--list --format terse").exits(0);
    let line = listed
        .stdout
        .lines()
        .find_map(|l| l.strip_suffix("close-date/past: test"))
        .unwrap_or_else(|| listed.wrong("it is listed"));
    let name = format!("{line}close-date/past");
    command("--exact --nocapture").arg(&name).exits(0).says("1 passed; 0 failed");
    let fault = probity::reference::Fault::named("close-date-past-accepted").expect("a fault");
    let options = probity::reference::Options { faults: vec![fault], ..Default::default() };
    let server = probity::reference::start(options).expect("a server");
    let target = command("--exact --nocapture").arg(&name).settings(&server.url).env("PROBITY_CONFIG", "probity.toml");
    target.exits(101).says("0 passed; 1 failed");
    command("[must]").settings("http://127.0.0.1:1").env("PROBITY_CONFIG", "probity.toml").exits(101);
}

fn a_filter_that_fits_nothing_sends_nothing() {
    // As `cargo test some_other_test` does to every test program.
    let server = support::server::Server::http(|_| support::server::Answer::empty(500));
    let ran = command("some_other_test").settings(&server.url()).env("PROBITY_CONFIG", "probity.toml").exits(0);
    ran.says("0 passed; 0 failed");
    assert_eq!(server.connections(), 0);
}

fn a_target_of_ones_own() {
    let fault = probity::reference::Fault::named("close-date-past-accepted").expect("a fault");
    let options = probity::reference::Options { faults: vec![fault], ..Default::default() };
    let server = probity::reference::start(options).expect("a server");
    let words =
        "close-date/ --skip near --skip garbage --skip numbers --skip fractions --skip offset --skip in-the-future";
    let ran = command(words).settings(&server.url).env("PROBITY_CONFIG", "probity.toml").exits(101);
    ran.holds(outcome(&ran).1 == ["close-date/past"], "this alone failed");
    ran.holds(outcome(&ran).0.contains(&"close-date/leap-day"), "others passed");
    for text in ["A close date in the past is refused", "expected", "actual", "curl ", "rerun"] {
        ran.says(text);
    }
}

fn report_of(words: &str, code: i32) -> Value {
    probity(words).exits(code).report()
}

fn judged(report: &Value, words: &str) -> Ran {
    command(words).file("report.json", report.to_string()).env("PROBITY_REPORT", "report.json").run()
}

fn a_report_is_judged_without_sending() {
    let report = report_of("check --only 'close-date/*' --fault close-date-leap-day-refused -q", 1);
    let ran = judged(&report, "close-date/");
    ran.holds(ran.code == Some(101), "it fails").holds(outcome(&ran).1 == ["close-date/leap-day"], "this alone");
    assert_eq!(outcome(&ran).0.len(), 15);
    let ran = judged(&report, "--exact close-date/past");
    ran.holds(ran.code == Some(0), "what passed there passes here");
    // What that run was not about is no test.
    let ran = judged(&report, "--exact idempotency/third-time");
    ran.says("0 passed; 0 failed");
    let listed = judged(&report, "--list");
    let names: Vec<&str> = listed.stdout.lines().filter_map(|l| l.strip_suffix(": test")).collect();
    listed.holds(names.len() == 16 && names.iter().all(|n| n.contains("close-date/")), "the run's are listed");
}

fn what_counts_is_said_by_settings_and_environment() {
    let report = report_of("check --only 'close-date/*' --fault close-date-leap-day-refused -q", 1).to_string();
    let server = probity::reference::start(probity::reference::Options {
        faults: vec![probity::reference::Fault::named("close-date-leap-day-refused").expect("a fault")],
        ..Default::default()
    })
    .expect("a server");
    let toml = probity::reference::settings_toml(&server.url) + "\n[gate]\nallow = [\"close-date\"]\n";
    let command = |denied: &str| {
        let command = command("close-date/leap-day").tokens().env("PROBITY_CONFIG", "a.toml").file("a.toml", &toml);
        command.env("PROBITY_DENY", denied)
    };
    for told in [false, true] {
        let with = |command: Probity| match told {
            true => command.file("report.json", &report).env("PROBITY_REPORT", "report.json"),
            false => command,
        };
        with(command("")).exits(0).says("1 ignored");
        with(command("should, close-date/leap-day")).exits(101).says("1 failed");
        with(command("close-dates")).exits(2).complains("no requirement has the area or id `close-dates`");
    }
}

fn a_run_that_was_cut_short_is_not_green() {
    let report = report_of("check --only 'close-date/*' --max-requests 12 -q", 4);
    let ran = judged(&report, "close-date/");
    ran.holds(ran.code == Some(101), "it fails").says("untested");
}

fn nothing_tested_is_not_green() {
    let server = probity::reference::start(probity::reference::Options::default()).expect("a server");
    let words = format!("check -q --only household/foreign --fixture household_id=hh_p2Kd71 --target {}", server.url);
    let report = probity(&words).tokens().exits(4).report();
    let ran = judged(&report, "");
    ran.holds(ran.code == Some(101), "the gate says 4 of this report").says("nothing was tested");
}

fn a_server_that_fell_is_not_green() {
    let mut report = report_of("check --only close-date/leap-day -q", 0);
    report["health"] = json!({"state": "no", "answer": "status 500"});
    let ran = judged(&report, "");
    ran.holds(ran.code == Some(101), "the gate says 4 of this report").says("no longer accepted a valid request");
    // What a filter leaves may be good, and still no sign that all is.
    let ran = judged(&report, "--exact close-date/leap-day");
    ran.holds(ran.code == Some(4), "it is not green").complains("no longer accepted a valid request");
}

fn bad_input_is_an_error_and_no_test() {
    let cases = [
        (command("").env("PROBITY_REPORT", "gone.json"), "gone.json"),
        (command("").env("PROBITY_REPORT", "report.json").file("report.json", "{"), "report.json"),
        (command("").env("PROBITY_CONFIG", "gone.toml"), "gone.toml"),
        (command("").env("PROBITY_CONFIG", "a.toml").file("a.toml", "[target]\nurll = \"x\"\n"), "a.toml:2:1"),
        (command("").env("PROBITY_CONTRACT", "gone"), "gone"),
    ];
    for (command, place) in cases {
        command.exits(2).complains(place).never_says("test result");
    }
    let copy = Copy::new().append("errors.yaml", "- id: json-object\n  text: Twice.\n  observe: identity\n");
    let ran = command("--list").env("PROBITY_CONTRACT", copy.path()).exits(2);
    ran.complains("duplicate id `errors/json-object`");
}

fn bad_seeds_are_an_error() {
    command("").env("PROBITY_SEED", "many").exits(2).complains("PROBITY_SEED");
}
