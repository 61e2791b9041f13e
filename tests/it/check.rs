//! `check`, from the command line to the files that it leaves.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use crate::support::contract::Copy;
use crate::support::{Ran, flat, normalised, probity};

/// One narrow run that passes, in half a second.
const NARROW: &str = "check --seed 1 --only close-date/leap-day --only probes/omitted-probability";

#[test]
fn the_reference_server_conforms_in_every_point() {
    let ran = probity("check --seed 1").exits(0);
    let report = ran.report();
    for verdict in ["fail", "inconclusive", "skipped", "untested"] {
        assert_eq!(ran.ids(verdict), [""; 0], "{verdict}");
    }
    assert_eq!(report["health"]["state"], "yes");
    assert_eq!(report["end"]["complete"], true);
    assert_eq!(report["summary"]["not_selected"], 0);

    let plan = probity("plan --json --seed 1").exits(0);
    let plan: Value = serde_json::from_str(&plan.stdout).expect("JSON");
    let planned = plan["requests"].as_u64().expect("a number");
    ran.holds(planned <= 400, &format!("{planned} planned requests are at most 400"));
    assert_eq!(report["figures"]["requests"], json!(planned), "what is planned is what is sent");
    assert_eq!(ran.exchanges().len() as u64, planned);

    let list = probity("list --json").exits(0);
    let list: Value = serde_json::from_str(&list.stdout).expect("JSON");
    let ids = |list: &Value| -> Vec<String> {
        let mut ids: Vec<_> = list.as_array().expect("a list").iter().map(|r| r["id"].to_string()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&list), ids(&report["requirements"]), "the report has the whole catalogue");
    validates(&report);
    junit_has(&ran, &ids(&list));
    assert_eq!(ran.requirement("operation/answered")["evidence"], format!("0-{}", planned - 1));
    for requirement in report["requirements"].as_array().expect("a list") {
        let coverage = &requirement["coverage"];
        let tells = ["schema", "constraint"].iter().any(|form| requirement["form"] == *form);
        assert_eq!(coverage.is_object(), tells, "{requirement:#}");
        for side in ["accepted", "rejected"].map(|side| &coverage[side]).into_iter().filter(|_| tells) {
            assert!(side["sent"].as_u64() > Some(0) && side["sent"] == side["as_due"], "{requirement:#}");
        }
    }
    ran.says("Conformant: ").holds(ran.stderr.is_empty(), "no progress and no warnings where there is no terminal");
}

/// Holds a report against the published schema.
fn validates(report: &Value) {
    let schema: Value = serde_json::from_str(probity::report::SCHEMA).expect("JSON");
    let schema = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).expect("a schema");
    let errors: Vec<String> = schema.iter_errors(report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert_eq!(errors, [""; 0]);
}

fn junit_has(ran: &Ran, ids: &[String]) {
    let junit = quick_junit::Report::deserialize_from_str(&ran.read("reports/junit.xml")).expect("JUnit");
    let mut names: Vec<String> =
        junit.test_suites.iter().flat_map(|s| &s.test_cases).map(|c| format!("{:?}", c.name.as_str())).collect();
    names.sort();
    assert_eq!(names, ids);
}

#[test]
fn a_run_that_passes_is_summed_up() {
    let ran = probity(NARROW).exits(0);
    insta::assert_snapshot!("passes", normalised(&ran.stdout));
    ran.holds(ran.stderr.is_empty(), "stderr is empty");
    let names: Vec<String> =
        ran.files().keys().map(|p| p.strip_prefix(ran.folder()).expect("a prefix").display().to_string()).collect();
    assert_eq!(
        names,
        ["created.ndjson", "exchanges.ndjson", "junit.xml", "report.html", "report.json"]
            .map(|name| format!("reports/{name}"))
    );
    validates(&ran.report());
    junit_has(&ran, &["\"close-date/leap-day\"".into(), "\"probes/omitted-probability\"".into()]);
}

#[test]
fn a_run_that_fails_says_all_that_it_takes_to_see_it_again() {
    let ran = probity("check --seed 1 --only close-date/past --only close-date/leap-day")
        .arg("--fault=close-date-past-accepted")
        .exits(1);
    insta::assert_snapshot!("fails", normalised(&ran.stdout));
    assert_eq!(ran.ids("fail"), ["close-date/past"]);
    validates(&ran.report());

    let failure = &ran.requirement("close-date/past")["failures"][0];
    for line in ["id", "level", "source"] {
        ran.says(
            ran.requirement("close-date/past")[if line == "source" { "text" } else { line }].as_str().expect("text"),
        );
    }
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    for side in ["expected", "actual"] {
        let text = squeezed(failure[side].as_str().expect("text"));
        ran.holds(squeezed(&ran.stdout).contains(&text), &format!("it says what is {side}"));
    }
    let script = failure["script"].as_str().expect("a script: its times must be made anew");
    for line in script.lines() {
        ran.holds(ran.stdout.contains(line), "each command stands in one line, to be pasted");
    }

    let junit = quick_junit::Report::deserialize_from_str(&ran.read("reports/junit.xml")).expect("JUnit");
    let failed: usize = junit.test_suites.iter().map(|s| s.failures).sum();
    assert_eq!((junit.test_suites.len(), failed), (1, 1));

    // The command that is printed runs only this again.
    let again = failure["rerun"].as_str().expect("a command").strip_prefix("probity ").expect("the program");
    let again = probity(again).exits(1);
    assert_eq!(again.ids("fail"), ["close-date/past"]);
    assert_eq!(
        again.report()["summary"]["not_selected"].as_u64(),
        ran.report()["requirements"].as_array().map(|r| r.len() as u64 - 1)
    );
}

#[test]
fn what_is_printed_to_run_again_fails_again() {
    let first =
        probity("check --seed 1 --only 'robustness/*' --only 'operation/*' --fault lone-surrogate-breaks").exits(1);
    for id in first.ids("fail") {
        let rerun = &first.requirement(&id)["failures"][0]["rerun"];
        let rerun = rerun.as_str().and_then(|r| r.strip_prefix("probity ")).expect("a command");
        probity(rerun).exits(1).verdict(&id, "fail");
    }
}

#[test]
fn what_fails_only_in_company_is_run_again_whole() {
    let words = "check --seed 1 --fault default-pipeline-remembered";
    let ran = probity(words).exits(1);
    for id in ran.ids("fail") {
        let requirement = ran.requirement(&id);
        if requirement["again"]["broken"] == 0 {
            assert_eq!(
                requirement["failures"][0]["rerun"],
                format!("probity {}", words.replace("--seed 1 ", "") + " --seed 1")
            );
        }
    }
    ran.holds(ran.ids("fail").contains(&"defaults/first-stage".to_owned()), "there is one");
}

#[test]
fn bursts_tell_how_many_were_at_once() {
    let ran = probity("check --seed 1 --only idempotency/same-key-at-once --fault key-race").exits(1);
    let at_once = ran.requirement("idempotency/same-key-at-once")["at_once"].as_u64().expect("a number");
    ran.holds(at_once > 1, "requests overlapped").says(&format!("up to {at_once} at once"));
    ran.says("(`burst.filter(").never_says("burst = nothing");
}

#[test]
fn one_cause_is_told_once() {
    // Replays that break in the same way, and an element of a list that failed.
    let ran =
        probity("check --seed 1 --only 'idempotency/*' --skip idempotency/after-the-close-date --skip 'idempotency/equal-*' --skip 'idempotency/keys-*' --skip 'idempotency/header-*' --fault replay-cut")
            .exits(1);
    assert_eq!(flat(&ran.stdout).matches("✗ fail must").count(), 7, "what does most harm is never put behind another");
    ran.never_says("probably of the same cause");
    let ran = probity("check --seed 1 --only 'operation/*' --only 'pipeline/*' --fault owner-null").exits(1);
    assert_eq!(flat(&ran.stdout).matches("✗ fail must").count(), 1);
    ran.says("probably of the same cause (-v shows each): pipeline: ");
    let ran =
        probity("check --seed 1 --only request/optional-fields-left-out --fault stage-required-with-pipeline").exits(1);
    ran.says("partial[1]: status 422").says("answer 4 422");
}

#[test]
fn quiet_says_the_verdict_only_and_verbose_says_more() {
    let quiet = probity(&format!("{NARROW} -q")).exits(0);
    insta::assert_snapshot!("quiet", normalised(&quiet.stdout));
    probity(&format!("{NARROW} -v")).exits(0).says("must close-date/leap-day (held 1 time)");
    probity("check -q -v").exits(2).complains("cannot be used with");
}

#[test]
fn colour_comes_when_it_is_asked_for() {
    let narrow = "check --only close-date/leap-day --seed 1";
    let colourful = |ran: &Ran| ran.stdout.contains('\u{1b}');
    let ran = probity(&format!("{narrow} --color always")).env("NO_COLOR", "1").exits(0);
    ran.holds(colourful(&ran), "there is colour");
    let ran = probity(&format!("{narrow} --color auto")).exits(0);
    ran.holds(!colourful(&ran), "there is no colour where there is no terminal");
}

#[test]
fn lines_fit_the_terminal() {
    let fault = "check --seed 1 --only close-date/past --fault close-date-past-accepted";
    // What is to be pasted is not broken.
    let is_command = |line: &str| ["curl ", "rerun "].iter().any(|word| line.trim_start().starts_with(word));
    for columns in [80, 120] {
        let ran = probity(fault).env("COLUMNS", columns.to_string()).exits(1);
        let long = ran.stdout.lines().find(|l| l.chars().count() > columns && !is_command(l));
        ran.holds(long.is_none(), &format!("{long:?} fits {columns} columns"));
    }
}

#[test]
fn only_and_skip_choose() {
    let ran = probity("check --only 'errors/*' --only close-date/leap-day --skip '*/same-*' --skip errors/json-object")
        .exits(0);
    assert_eq!(ran.ids("pass"), ["close-date/leap-day", "errors/no-stack-trace"]);
    probity("check --only 'close-date/*' --skip 'close-date/*'").exits(2).complains("no requirement is left to try");
    probity("check --only close-date/leap-dya").exits(2).complains("did you mean `close-date/leap-day`?");
    probity("check --skip 'nothing/*'").exits(2).complains("no requirement matches `nothing/*`");
    probity("check --only 'a[' ").exits(2).complains("`a[` is not a valid pattern");
}

/// What was sent, by trial, without what differs from run to run.
fn sent(ran: &Ran) -> BTreeMap<String, Vec<String>> {
    static MARK: LazyLock<Regex> = LazyLock::new(|| Regex::new("[0-9a-f]{8}").expect("a pattern"));
    let mark = ran.report()["header"]["run_tag"].as_str().expect("a mark").to_owned();
    assert!(MARK.is_match(&mark));
    let mut all = ran.exchanges();
    all.sort_by_key(|e| e["number"].as_u64());
    let mut sent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for exchange in all {
        let request = &exchange["request"];
        let headers = request["headers"].as_array().expect("a list").iter();
        let headers: Vec<&Value> = headers
            .filter(|h| !h[0].as_str().is_some_and(|name| name.eq_ignore_ascii_case("idempotency-key")))
            .collect();
        let keyed = request["headers"].as_array().is_some_and(|h| h.len() > headers.len());
        let text = json!([request["method"], request["url"], headers, keyed, request["body"], request["body_base64"]]);
        let text = normalised(&text.to_string().replace(&mark, "MARK"));
        sent.entry(exchange["trial"].as_str().expect("a trial").to_owned()).or_default().push(text);
    }
    // What goes out at once is numbered in any order.
    sent.values_mut().for_each(|s| s.sort());
    sent
}

#[test]
fn a_seed_sends_the_same_whatever_other_cases_there_are() {
    let words = "check --only response/name-as-sent --only schema/value-type --only close-date/past";
    let first = probity(&format!("{words} --seed 7")).exits(0);
    let copy = Copy::new().write(
        "added.yaml",
        "- id: another\n  level: must\n  text: A name of one letter is taken.\n  source: nowhere\n  steps:\n    \
         - sent: { from: valid, set: { /name: A } }\n  expect: sent.accepted\n",
    );
    let copy = copy.change("close-date.yaml", "- id: near-future", "- id: nearer-future");
    let second = probity(&format!("{words} --only 'added/*' --seed 7")).arg("--contract").arg(copy.path()).exits(0);
    let (first, mut second) = (sent(&first), sent(&second));
    assert_eq!(second.remove("added/another#0/sent").map(|s| s.len()), Some(1));
    assert_eq!(first, second);

    let other = sent(&probity(&format!("{words} --seed 8")).exits(0));
    assert_ne!(first, other, "another seed sends something else");
}

#[test]
fn the_seed_that_is_printed_is_the_one_that_was_used() {
    let first = probity("check --only response/name-as-sent").exits(0);
    let seed = first.report()["header"]["seed"].to_string();
    first.says(&format!("seed {seed}"));
    let second = probity(&format!("check --only response/name-as-sent --seed {seed}")).exits(0);
    assert_eq!(sent(&first), sent(&second));
    assert_ne!(first.report()["header"]["run_tag"], second.report()["header"]["run_tag"], "marks never repeat");
}

#[test]
fn what_failed_runs_again() {
    let words = "check --only 'close-date/past*' --only close-date/leap-day --fault close-date-past-accepted";
    let first = probity(words).exits(1);
    let report = first.read("reports/report.json");
    assert_eq!(first.ids("fail"), ["close-date/past", "close-date/past-in-an-eastern-offset"]);
    // From the place where it is about to be replaced.
    let again = "check --rerun-failed reports/report.json";
    let second =
        probity(&format!("{again} --fault close-date-past-accepted")).file("reports/report.json", &report).exits(1);
    assert_eq!(second.ids("fail"), first.ids("fail"));
    assert_eq!(second.ids("pass"), [""; 0]);
    let mended = probity(again).file("reports/report.json", &report).exits(0);
    assert_eq!(mended.ids("pass"), first.ids("fail"));
    let narrowed = probity(&format!("{again} --only '*-offset'")).file("reports/report.json", &report).exits(0);
    assert_eq!(narrowed.ids("pass"), ["close-date/past-in-an-eastern-offset"]);

    let good = probity(again).file("reports/report.json", mended.read("reports/report.json")).exits(2);
    good.complains("nothing failed in reports/report.json").complains("there is nothing to run again");
    probity(again).exits(2).complains("cannot read");
    for text in ["{}", "{\"version\": 99}", "[", "{\"version\": 1}"] {
        probity(again).file("reports/report.json", text).exits(2).complains("reports/report.json");
    }
}

#[test]
fn too_few_requests_are_never_green() {
    let ran = probity("check --max-requests 50").exits(4);
    ran.says("--max-requests").says("untested").complains("the budget leaves out");
    let report = ran.report();
    assert_eq!(report["end"]["cause"], "max_requests");
    assert_eq!(report["end"]["complete"], false);
    ran.holds(report["figures"]["requests"].as_u64().is_some_and(|n| n <= 50), "no more were sent");
    ran.holds(!ran.ids("untested").is_empty(), "some are untested");
    validates(&report);
}

#[test]
fn enough_failures_end_it() {
    let ran =
        probity("check --max-failures 1 --concurrency 1 --fault close-date-fraction-refused --only 'close-date/*'")
            .exits(1);
    assert_eq!(ran.report()["end"]["cause"], "max_failures");
    ran.holds(ran.ids("fail").len() == 1, "one failed").holds(!ran.ids("untested").is_empty(), "some were left out");
    ran.says("as --max-failures demands");
}

#[test]
fn reports_go_where_they_should_and_replace_what_was_there() {
    let ran = probity(&format!("{NARROW} --out out/of/here"))
        .file("out/of/here/report.json", "x".repeat(1 << 20))
        .file("out/of/here/junit.xml", "x".repeat(1 << 20))
        .file("out/of/here/report.html", "x".repeat(1 << 20))
        .file("out/of/here/exchanges.ndjson", "x".repeat(1 << 20))
        .file("out/of/here/notes.txt", "mine")
        .exits(0);
    assert_eq!(ran.read("out/of/here/notes.txt"), "mine");
    assert_eq!(ran.files().len(), 6);
    validates(&serde_json::from_str(&ran.read("out/of/here/report.json")).expect("JSON"));
    quick_junit::Report::deserialize_from_str(&ran.read("out/of/here/junit.xml")).expect("JUnit");
    for line in ran.read("out/of/here/exchanges.ndjson").lines() {
        serde_json::from_str::<Value>(line).expect("JSON");
    }
    ran.holds(ran.read("out/of/here/report.html").starts_with("<!doctype html>"), "the page is whole");
    ran.says("reports: out/of/here/report.html (beside it: report.json, junit.xml, *.ndjson)");
}

#[test]
fn reports_that_cannot_be_written_are_an_error_not_a_verdict() {
    let ran = probity(&format!("{NARROW} --out taken")).file("taken", "a file").run();
    ran.holds(ran.code == Some(70) || ran.code == Some(2), "it is neither conformant nor not").complains("taken");
}

#[test]
fn shoulds_count_when_they_are_denied() {
    let words = "check --only operation/documented-status --only response/success-status --variation created-200";
    let ran = probity(words).exits(0);
    assert_eq!(ran.ids("fail"), ["operation/documented-status"]);
    ran.says("✗ fail should operation/documented-status");
    let denied = probity(&format!("{words} --deny should")).exits(1);
    assert_eq!(denied.ids("fail"), ["operation/documented-status"]);
    let junit = |ran: &Ran| -> usize {
        let junit = quick_junit::Report::deserialize_from_str(&ran.read("reports/junit.xml")).expect("JUnit");
        junit.test_suites.iter().map(|s| s.failures).sum()
    };
    assert_eq!((junit(&ran), junit(&denied)), (0, 1));
    probity("check --deny maybe").exits(2);
}

#[test]
fn curl_lines_show_what_was_seen() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("there is no curl here: not tested");
        return;
    }
    // Bodies that shells and terminals find hard.
    let pairs = [
        ("close-date-past-accepted", "close-date/past"),
        ("trailing-text-accepted", "robustness/malformed-json"),
        ("name-quote-breaks", "response/names-in-any-script"),
        ("nul-character-breaks", "robustness/null-character"),
        ("invalid-utf-8-breaks", "robustness/broken-text"),
        ("very-long-name-breaks", "robustness/long-names"),
        ("deep-nesting-breaks", "robustness/deep-nesting"),
        ("household-traversal-breaks", "household/path-like-ids"),
        ("scheme-ignored", "authentication/refused"),
    ];
    let mut words = "serve".to_owned();
    let mut only = "check --seed 1".to_owned();
    for (fault, id) in pairs {
        words += &format!(" --fault {fault}");
        only += &format!(" --only {id}");
    }
    let mut server = probity(&words).start();
    let welcome = server.until("probity.toml");
    let url = welcome.split_whitespace().find(|w| w.starts_with("http://")).expect("an address");
    let ran = probity(&only).settings(url).exits(1);
    for (_, id) in pairs {
        let requirement = ran.requirement(id);
        for failure in requirement["failures"].as_array().expect("a list") {
            let seen = failure["exchanges"].as_array().and_then(|e| e.last()).expect("an exchange");
            let curl = failure["curl"].as_array().and_then(|c| c.last()).and_then(Value::as_str).expect("a command");
            let output = Command::new("bash")
                .args(["-c", curl])
                .envs(probity::reference::TOKENS.iter().copied())
                .output()
                .expect("bash");
            let answer = String::from_utf8_lossy(&output.stdout);
            let status = format!("HTTP/1.1 {} ", seen["response"]["status"]);
            assert!(
                answer.starts_with(&status),
                "{id}: {status}should have come of\n{curl}\nwhich brought\n{answer}\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        assert_eq!(requirement["verdict"], "fail", "{id}");
    }
}

#[test]
fn the_embedded_contract_is_the_one_in_the_folder() {
    let ran = probity(NARROW).arg("--contract").arg(Copy::new().path()).exits(0);
    let embedded = probity(NARROW).exits(0);
    assert_eq!(ran.report()["header"]["contract"]["hash"], embedded.report()["header"]["contract"]["hash"]);
}

#[test]
fn a_file_of_settings_is_found() {
    let server = probity::reference::start(probity::reference::Options::default()).expect("a server");
    let ran = probity(NARROW).settings(&server.url).exits(0);
    assert_eq!(ran.report()["header"]["target"], format!("{}/", server.url));
    assert_eq!(
        ran.report()["header"]["variables"],
        json!(["PROBITY_TOKEN", "PROBITY_TOKEN_COLLEAGUE", "PROBITY_TOKEN_READ_ONLY", "PROBITY_TOKEN_STRANGER"])
    );
}

#[test]
fn what_a_target_does_not_lend_is_skipped_and_says_what_to_add() {
    let server = probity::reference::start(probity::reference::Options::default()).expect("a server");
    let words = "check --only 'household/foreign' --only authentication/read-only --only defaults/pipeline-of-every-household \
                 --only close-date/leap-day";
    let ran = probity(words)
        .tokens()
        .arg("--target")
        .arg(&server.url)
        .arg("--fixture")
        .arg("household_id=hh_p2Kd71")
        .exits(0);
    assert_eq!(ran.ids("pass"), ["close-date/leap-day"]);
    assert_eq!(ran.ids("skipped").len(), 3);
    ran.says("foreign_household_id")
        .says("identities.read_only")
        .says("households")
        .says("3 could not be tried on this target");
    // Nothing but what was skipped: that is no success.
    let words = "check --only household/foreign --target";
    probity(words)
        .tokens()
        .arg(&server.url)
        .arg("--fixture=household_id=hh_p2Kd71")
        .exits(4)
        .says("nothing was tested");
}

#[test]
fn every_failure_is_named_on_the_terminal() {
    let faults = [
        "name-missing-accepted",
        "name-null-accepted",
        "name-number-coerced",
        "value-required",
        "probability-101-accepted",
        "close-date-past-accepted",
        "refusal-answers-200",
        "value-fraction-cut",
    ];
    let words: Vec<String> = faults.iter().map(|fault| format!("--fault {fault}")).collect();
    let ran = probity(&format!("check --seed 7 {}", words.join(" "))).exits(1);
    let failed = ran.ids("fail");
    ran.holds(failed.len() > 40, "there are many");
    let unnamed: Vec<&String> = failed.iter().filter(|id| !ran.stdout.contains(id.as_str())).collect();
    assert_eq!(unnamed, [""; 0]);
}
