//! A quick check: few requests, no waits, and what it leaves out is said.

use std::sync::Arc;

use probity::audit::{self, Options, Subject};
use probity::contract::{Contract, Location};

use crate::support::{Ran, probity};

/// What every quick check keeps.
fn is_quick(ran: &Ran) {
    let report = ran.report();
    ran.holds(report["header"]["options"]["quick"] == true, "the report says that it was a quick one");
    let sent = report["figures"]["requests"].as_u64().expect("a number");
    ran.holds((1..=120).contains(&sent), &format!("{sent} requests are few"));
    let left_out = report["summary"]["not_selected"].as_u64().expect("a number");
    ran.holds(left_out > 0, "something is left out");
    ran.says(&format!("{left_out} left out of this quick check"));
}

#[test]
fn it_is_quick_and_says_what_it_leaves_out() {
    let ran = probity("check --quick --seed 1").exits(0);
    is_quick(&ran);
    let waits = ran.requirement("idempotency/seconds-later");
    ran.holds(waits["selected"] == false && waits["verdict"] == "untested", "what waits is not tried");
    ran.holds(waits["reason"].as_str().is_some_and(|reason| reason.contains("--quick")), "it says why");
    ran.holds(ran.ids("untested").is_empty() && ran.ids("inconclusive").is_empty(), "what is tried is known");
    let probes = ran.report()["summary"]["probe"].clone();
    ran.holds(probes.as_object().expect("counts").values().all(|count| count == 0), "probes never fail");
}

#[test]
fn it_finds_faults_and_shows_how_to_try_them_again() {
    let ran = probity("check --quick --seed 1 --fault value-in-cents").exits(1);
    ran.verdict("response/value-in-dollars", "fail").says("--only response/value-in-dollars");
    is_quick(&ran);
}

#[test]
fn a_smaller_budget_is_kept() {
    let ran = probity("check --quick --seed 1 --max-requests 30").exits(0);
    let sent = ran.report()["figures"]["requests"].as_u64().expect("a number");
    ran.holds(sent <= 30, &format!("{sent} requests"));
    let plan = probity("plan --quick --seed 1 --max-requests 30").exits(0);
    plan.says(&format!("{sent} requests on a server that passes"));
}

#[test]
fn a_waiver_of_what_was_tried_only_in_part_is_left_alone() {
    let waiver = "[[waiver]]\nid = \"schema/name-type\"\nreason = \"known\"\n";
    probity("check --seed 1 --waivers w.toml --only schema/name-type").file("w.toml", waiver).exits(1);
    probity("check --quick --seed 1 --waivers w.toml").file("w.toml", waiver).exits(0);
}

#[test]
fn it_goes_with_nothing_that_asks_for_more() {
    for other in ["--examples 9", "--shard 1/2"] {
        probity(&format!("check --quick --seed 1 {other}")).exits(2).complains("cannot be used with");
    }
}

/// How many of a hundred faults a quick check must find.
const SHARE: usize = 80;

#[test]
fn it_finds_most_faults_and_fails_nothing_else() {
    let contract = Arc::new(Contract::load(&Location::Embedded).expect("the contract"));
    let mut subjects = Subject::faults(&contract);
    if cfg!(debug_assertions) {
        subjects = subjects.into_iter().step_by(3).collect();
    }
    let options = Options { quick: true, ..Options::default() };
    let runs = audit::run::run(&contract, &subjects, &options, &|_| {}).expect("the checks run");
    let table = audit::Table::faults(&contract).expect("the table").of_what_fails();
    let missed: Vec<&str> = runs.iter().filter(|run| run.fails.is_empty()).map(|run| run.name.as_str()).collect();
    for run in &runs {
        assert!(run.requests <= 120, "{}: {} requests", run.name, run.requests);
        assert!(table.of_fault(run).extra.is_empty(), "{run:?}");
    }
    let found = runs.len() - missed.len();
    assert!(found * 100 >= runs.len() * SHARE, "{found} of {}: {missed:?}", runs.len());
}
