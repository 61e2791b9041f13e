//! Runs that are split over machines and joined, and runs beside each other.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Ran, probity};

fn verdicts(ran: &Ran) -> BTreeMap<String, String> {
    let report = ran.report();
    let all = report["requirements"].as_array().expect("a list").iter().filter(|r| r["selected"] == true);
    let text = |r: &Value, key: &str| r[key].as_str().expect("text").to_owned();
    all.map(|r| (text(r, "id"), text(r, "verdict"))).collect()
}

/// The parts of a run, and the words that merge them.
fn parts(words: &str, of: usize) -> Vec<Ran> {
    (1..=of).map(|part| probity(&format!("{words} --shard {part}/{of}")).run()).collect()
}

fn merge(parts: &[&Ran]) -> crate::support::Probity {
    let command = probity("merge");
    parts.iter().fold(command, |command, part| command.arg(part.folder().join("reports")))
}

#[test]
fn parts_show_what_the_whole_shows() {
    // The second breaks what is judged on every exchange, in a request of one requirement's own.
    for (words, code) in
        [("check --seed 1", 0), ("check --seed 1 --fault very-long-name-breaks --fault value-in-cents", 1)]
    {
        let whole = probity(words).exits(code);
        let parts = parts(words, 3);
        for (i, part) in parts.iter().enumerate() {
            let due = if part.ids("fail").is_empty() { 0 } else { 1 };
            part.holds(part.code == Some(due), &format!("part {} of 3 is red for its own failures only", i + 1));
            part.says(&format!("part {}/3", i + 1));
        }
        let merged = merge(&parts.iter().collect::<Vec<_>>()).exits(code);
        assert_eq!(verdicts(&merged), verdicts(&whole));
        let requests = |ran: &Ran| ran.report()["figures"]["requests"].as_u64().expect("a number");
        assert_eq!(requests(&merged), parts.iter().map(requests).sum::<u64>());
        if code == 0 {
            merged.holds(requests(&merged) < requests(&whole) * 3 / 2, "parts repeat little");
        }
        let numbers: Vec<u64> = merged.exchanges().iter().filter_map(|e| e["number"].as_u64()).collect();
        let distinct: std::collections::BTreeSet<&u64> = numbers.iter().collect();
        assert_eq!(distinct.len(), numbers.len(), "each exchange has a number of its own");
        assert_eq!(
            numbers.len() as u64,
            requests(&merged) - merged.report()["figures"]["retries"].as_u64().expect("a number")
        );
        merged.holds(!merged.read("reports/report.html").contains("Nothing was answered"), "the parts were answered");
        probity("report --format har").arg(merged.folder().join("reports")).exits(0);
    }
}

#[test]
fn a_part_that_is_missing_is_never_green() {
    let parts = parts("check --seed 1 --only 'close-date/*' --only 'operation/*'", 3);
    let merged = merge(&[&parts[0], &parts[2]]).exits(4);
    merged.says("1 part of the run missing (2/3)");
    let untested = merged.ids("untested");
    merged.holds(!untested.is_empty(), "what it would have tried is untested");
    for id in untested {
        assert_eq!(merged.requirement(&id)["reason"], "part 2/3 of the run is missing", "{id}");
        parts[1].holds(parts[1].requirement(&id)["selected"] == true, "the missing part has it");
    }
    merge(&parts.iter().collect::<Vec<_>>()).exits(0);
}

#[test]
fn a_budget_of_one_part_excuses_nothing_of_the_others() {
    let part = |part: usize| {
        let words = "check --seed 1 --only 'close-date/*' --only 'operation/*' --allow-untested";
        probity(&format!("{words} --max-requests 8 --shard {part}/2")).exits(0)
    };
    let (first, second) = (part(1), part(2));
    let merge = |parts: &[&Ran]| merge(parts).arg("--allow-untested");
    merge(&[&first, &second]).exits(0);
    merge(&[&first]).exits(4).says("1 part of the run missing (2/2)");
    // Whichever comes first.
    let report = second.folder().join("reports/report.json");
    let interrupted =
        second.read("reports/report.json").replace("\"cause\": \"max_requests\"", "\"cause\": \"interrupted\"");
    std::fs::write(report, interrupted).expect("a report");
    merge(&[&first, &second]).exits(4);
    merge(&[&second, &first]).exits(4);
}

#[test]
fn what_does_not_fit_is_not_merged() {
    let words = "check --only 'close-date/*' --shard";
    let first = probity(&format!("{words} 1/2 --seed 1")).run();
    let second = probity(&format!("{words} 2/2 --seed 2")).run();
    let whole = probity("check --only close-date/leap-day").run();
    merge(&[&first, &second]).exits(2).complains("its seed is 2, that of the first part is 1");
    merge(&[&first, &first]).exits(2).complains("part 1/2 is given twice");
    merge(&[&first, &whole]).exits(2).complains("it is not a part of a run");
    probity("merge").exits(2);
    probity("merge nowhere").exits(2).complains("cannot read nowhere/report.json");
    probity("check --shard 3/2 --seed 1").exits(2).complains("write 2/5");
    probity("check --shard 1/2").exits(2).complains("--seed");
}

#[test]
fn runs_stand_beside_each_other() {
    let words =
        "check --seed 1 --only response/value-in-dollars --only close-date/leap-day --only probes/cents-rounding";
    let good = probity(words).exits(0);
    let bad = probity(&format!("{words} --fault value-in-cents")).exits(1);
    let compare = |more: &str| {
        let name = |name: &str, ran: &Ran| format!("{name}={}", ran.folder().join("reports").display());
        probity(&format!("compare {more}")).arg(name("old", &good)).arg(name("new", &bad))
    };
    let ran = compare("").exits(0);
    ran.says("must response/value-in-dollars ✓ ✗").says("B: fail: expected").never_says("close-date/leap-day");
    compare("-v").exits(0).says("close-date/leap-day");
    let json: Value = serde_json::from_str(&compare("--format json").exits(0).stdout).expect("JSON");
    assert_eq!(json["sides"][0]["name"], "old");
    let row = json["rows"].as_array().expect("a list").iter().find(|r| r["id"] == "response/value-in-dollars");
    assert_eq!(row.expect("a row")["cells"][1]["verdict"], "fail");
    compare("--format markdown").exits(0).says("| must | `response/value-in-dollars` | [✓ pass](");
    let html = compare("--format html").exits(0);
    html.holds(html.stdout.starts_with("<!doctype html>") && !html.stdout.contains("src="), "a page that stands alone");
    let same = probity("compare").arg(good.folder().join("reports")).arg(good.folder().join("reports")).exits(0);
    same.says("0 of ");
}

#[test]
fn different_contracts_are_not_compared_unasked() {
    let words = "check --seed 1 --only close-date/leap-day";
    let first = probity(words).exits(0);
    let copy =
        crate::support::contract::Copy::new().change("close-date.yaml", "- id: near-future", "- id: nearer-future");
    let second = probity(words).arg("--contract").arg(copy.path()).exits(0);
    let compare = |more: &str| {
        let folder = |ran: &Ran| ran.folder().join("reports");
        probity(&format!("compare {more}")).arg(folder(&first)).arg(folder(&second))
    };
    compare("").exits(2).complains("the runs are of different contracts").complains("--any-contract");
    compare("--any-contract").exits(0).says("0 of 1 differ");
}
