//! Where settings come from.

use super::{before, check, settings};
use crate::support::probity;

#[test]
fn the_strongest_says_it() {
    let server = before(|_, _| None);
    let toml = settings(&server.url(), |toml| {
        toml.replacen("\n\n", "\nrate = \"300/s\"\ntimeout = \"7s\"\nconcurrency = 3\n\n", 1)
    });
    let ran = probity("check --print-settings --rate 100/s")
        .tokens()
        .file("probity.toml", toml)
        .env("PROBITY_TIMEOUT", "8s")
        .env("PROBITY_RATE", "200/s")
        .exits(0);
    for line in [
        "target.rate 100/s --rate",
        "target.timeout 8s PROBITY_TIMEOUT",
        "target.concurrency 3 probity.toml:5",
        "budget.max_created no limit default",
        "identities.caller.token (hidden, from the variable PROBITY_TOKEN)",
    ] {
        ran.says(line);
    }
    ran.holds(!ran.stdout.contains(probity::reference::TOKENS[0].1), "tokens are hidden");
    assert!(server.requests().is_empty(), "nothing is sent");
}

#[test]
fn a_file_above_is_found() {
    let server = before(|_, _| None);
    let command = check("check --only close-date/leap-day --out out", &server.url()).file("a/b/c.txt", "");
    let folder = command.folder().join("a/b");
    let ran = command.within(&folder).exits(0);
    assert!(!server.requests().is_empty());
    ran.holds(ran.folder().join("a/b/out/report.json").is_file(), "reports go where it was called");
}

#[test]
fn targets_have_names() {
    let (one, two) = (before(|_, _| None), before(|_, _| None));
    let toml = settings(&one.url(), |toml| {
        let shared = toml.replacen(&format!("[target]\nurl = \"{}\"\n", one.url()), "", 1);
        format!("{shared}\n[targets.one]\nurl = \"{}\"\n[targets.two]\nurl = \"{}\"\n", one.url(), two.url())
    });
    let words = "check --only close-date/leap-day";
    let with = |words: &str| probity(words).tokens().file("probity.toml", &toml);
    with(&format!("{words} --on two")).exits(0).says(&two.url());
    assert!(one.requests().is_empty() && !two.requests().is_empty());
    with(words).env("PROBITY_ON", "one").exits(0);
    assert!(!one.requests().is_empty());
    with(words).exits(2).complains("--on one or --on two");
    with(&format!("{words} --on three")).exits(2).complains("no target `three`");
}

#[test]
fn a_target_that_is_typed_goes_before_that_of_the_file() {
    let (file, typed) = (before(|_, _| None), before(|_, _| None));
    let words = format!("check --only close-date/leap-day --target {}", typed.url());
    check(&words, &file.url()).exits(0);
    assert!(file.requests().is_empty() && !typed.requests().is_empty());
}

#[test]
fn the_embedded_server_is_treated_as_the_variables_say() {
    let shown = probity("check --print-settings").env("PROBITY_RATE", "200/s").exits(0);
    shown.says("target.rate 200/s PROBITY_RATE").says("target.url http://127.0.0.1");
    // One that is told to deviate is meant, whatever else is named.
    let ran = probity("check --only close-date/past --fault close-date-past-accepted")
        .env("PROBITY_TARGET", "http://127.0.0.1:1")
        .env("PROBITY_ON", "staging")
        .env("PROBITY_MAX_REQUESTS", "3")
        .exits(4);
    ran.says("--max-requests");
    assert_eq!(ran.report()["figures"]["requests"], 3);
}

#[test]
fn a_run_is_named_with_all_that_was_typed() {
    let fault = probity::reference::Fault::named("close-date-leap-day-refused").expect("a fault");
    let options = probity::reference::Options { faults: vec![fault], ..Default::default() };
    let server = probity::reference::start(options).expect("a server");
    let words = format!(
        "--config probity.toml --concurrency 3 --rate 500/s --target {} --timeout 7s --fixture household_id=hh_p2Kd71 --insecure",
        server.url
    );
    let ran = probity(&format!("check --only close-date/leap-day --max-requests 90 {words}"));
    let ran = ran.tokens().settings("http://127.0.0.1:1").exits(1);
    let report = ran.report();
    let failed = report["requirements"].as_array().into_iter().flatten().find(|r| r["verdict"] == "fail");
    let rerun = failed.and_then(|r| r["failures"][0]["rerun"].as_str()).unwrap_or_default();
    ran.holds(rerun.replace('\'', "").starts_with(&format!("probity check {words}")), rerun);
}
