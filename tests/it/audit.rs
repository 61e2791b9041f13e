//! `audit`: what it prints and writes, and how it ends. Whether all is as the tables say is the business of `matrix.rs`.

use regex::Regex;
use serde_json::Value;

use crate::support::contract::Copy;
use crate::support::{normalised, probity};

/// A table without what depends on how requests meet.
fn comparable(text: &str) -> String {
    let counts = Regex::new(r" *after \d+|within \d+ requests?").expect("a pattern");
    let gaps = Regex::new(r" {2,}TIME").expect("a pattern");
    gaps.replace_all(&normalised(&counts.replace_all(text, "  after N")), "  TIME").into_owned()
}

#[test]
fn shows_which_requirements_find_which_fault() {
    let ran = probity(
        "audit --fault value-in-cents --fault value-lost --fault error-empty --only 'response/*-dollars' --only errors/json-object --out out",
    )
    .exits(0);
    insta::assert_snapshot!("audit", comparable(&ran.stdout));
    let audit: Value = serde_json::from_str(&ran.read("out/audit.json")).expect("JSON");
    let row = &audit["rows"][0];
    ran.holds(row["name"] == "value-in-cents", "rows have the order of the table");
    ran.holds(row["musts"] == serde_json::json!(["response/broken-dollars", "response/value-in-dollars"]), "musts");
    let number = |key: &str| row[key].as_u64().expect("a number");
    ran.holds(number("until_broken") >= 1 && number("until_broken") <= number("requests"), "a place in the run");
    ran.holds(audit["whole"] == false && audit["score"]["subjects"] == 3, "what was tried");
    ran.holds(audit["requirements"][0]["by"] == serde_json::json!(["error-empty"]), "what each requirement finds");
    let page = ran.read("out/audit.md");
    ran.holds(page.contains("| ✓ `value-in-cents` | The answer gives the value in cents. |"), "the page has the row");
}

#[test]
fn fails_when_a_fault_is_not_caught() {
    let copy = Copy::new().change(
        "response.yaml",
        "expect: response.body.value == request.body.value / 100",
        "expect: response.body.value >= request.body.value / 100",
    );
    let ran = probity("audit --fault value-in-cents --only response/value-in-dollars --contract").arg(copy.path());
    ran.exits(1)
        .says("✗ value-in-cents")
        .says("should have failed, and did not: response/value-in-dollars")
        .says("see it with: probity check --fault value-in-cents --seed 1")
        .says("1 fault: 0 caught by a must, 0 by a should only, 1 not caught.")
        .says("1 not as expected in tests/matrix/faults.toml.");
}

#[test]
fn fails_when_variations_are_taken_for_faults() {
    let copy = Copy::new().change(
        "request.yaml",
        "- sent: { from: minimal }\n  expect: sent.accepted",
        "- sent: { from: minimal }\n  expect: sent.rejected",
    );
    let ran = probity("audit --pairs --sample 2 --only request/name-alone --contract").arg(copy.path());
    ran.exits(1)
        .says("should not have failed, and did: request/name-alone")
        .says("2 servers that keep the contract: 2 failed by a must, 0 by a should only, 0 pass.")
        .says("2 not as expected.");
}

#[test]
fn tries_pairs() {
    let ran = probity("audit --pairs --sample 3 --seed 7 --only request/name-alone").exits(0);
    ran.says("3 servers that keep the contract: 0 failed by a must, 0 by a should only, 3 pass.");
    let audit: Value = serde_json::from_str(&ran.read("reports/audit.json")).expect("JSON");
    ran.holds(audit["rows"][2]["name"].as_str().is_some_and(|n| n.contains(" + ")), "two names");
    let again = probity("audit --pairs --sample 3 --seed 7 --only request/name-alone").exits(0);
    let names = |text: &str| -> Vec<Value> {
        let audit: Value = serde_json::from_str(text).expect("JSON");
        audit["rows"].as_array().expect("rows").iter().map(|row| row["name"].clone()).collect()
    };
    ran.holds(
        names(&ran.read("reports/audit.json")) == names(&again.read("reports/audit.json")),
        "the seed chooses the pairs",
    );
}

#[test]
fn tells_what_is_wrong_with_its_options() {
    probity("audit --fault value-in-sents")
        .exits(2)
        .complains("no fault matches `value-in-sents`")
        .complains("value-in-cents");
    probity("audit --fault gzip").exits(2).complains("it is a variation: `probity audit --variations`");
    probity("audit --fault 'a['").exits(2).complains("`a[` is no pattern");
    probity("audit --only 'nothing/*' --fault id-null").exits(2).complains("no requirement matches `nothing/*`");
    probity("audit --pairs --sample 0").exits(2).complains("--sample 0 would try nothing");
    probity("audit --sample 3").exits(2).complains("--pairs");
    probity("audit --variations --fault id-null").exits(2).complains("cannot be used with");
}
