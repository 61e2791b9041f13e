//! Where settings come from.

use super::support::probity;
use super::{before, check, settings};

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
