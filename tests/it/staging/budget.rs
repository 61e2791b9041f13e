//! Runs that may not cost more than so much.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::{before, check};
use crate::support::server::Answer;
use crate::support::{Ran, probity};

fn requests(ran: &Ran) -> u64 {
    ran.report()["figures"]["requests"].as_u64().expect("a number")
}

#[test]
fn requests_are_counted_before_they_are_sent() {
    let server = before(|_, _| None);
    let ran = check("check --max-requests 150", &server.url()).exits(4);
    ran.complains("the budget leaves out").says("--max-requests");
    assert_eq!(requests(&ran), server.requests().len() as u64);
    ran.holds(requests(&ran) <= 150 && requests(&ran) > 130, "what is allowed is used");
    ran.holds(ran.ids("fail").is_empty(), "nothing failed for it");
}

#[test]
fn a_policy_may_allow_what_the_budget_leaves_out() {
    let ran = probity("check --max-requests 150 --allow-untested").exits(0);
    ran.says("untested because of the budget, which is allowed");
    ran.holds(!ran.ids("untested").is_empty(), "they are untested all the same");
    let failing = probity("check --max-requests 150 --allow-untested --fault name-missing-accepted").exits(1);
    failing.verdict("schema/name-required", "fail");
    // What the target leaves untested is another matter.
    let server = before(|n, _| (n >= 10).then(|| Answer::empty(429).with("Retry-After", "86400")));
    check("check --allow-untested", &server.url()).exits(4);
}

#[test]
fn what_is_worth_most_goes_first() {
    // Each must has a trial before any has two.
    let plan = probity("plan --max-requests 330 --json --seed 1").exits(0);
    let plan: Value = serde_json::from_str(&plan.stdout).expect("JSON");
    let all: Value = serde_json::from_str(&probity("plan --json --seed 1").exits(0).stdout).expect("JSON");
    let rows = |plan: &Value| plan["requirements"].as_array().cloned().expect("a list");
    let mut cut = 0;
    for (left, whole) in rows(&plan).iter().zip(rows(&all)) {
        assert_eq!(left["id"], whole["id"]);
        let trials = |row: &Value| row["trials"].as_u64().expect("a number");
        assert_eq!(trials(left) + left["left_out"].as_u64().expect("a number"), trials(&whole), "{left}");
        if left["level"] == "must" && trials(&whole) > 0 {
            assert!(trials(left) > 0, "{left}");
        }
        cut += left["left_out"].as_u64().expect("a number");
    }
    assert!(cut > 0 && plan["left_out"]["trials"] == cut);
    assert!(plan["requests"].as_u64().is_some_and(|n| n <= 330));
    probity("plan --max-requests 330").exits(0).says("the budget leaves out").says("would not be green");
}

#[test]
fn no_more_is_created_than_is_allowed() {
    // A server that takes everything creates more than was planned for.
    let server = before(|_, request| {
        let name: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let id = format!("op_{:x}", {
            use std::hash::{DefaultHasher, Hash, Hasher};
            let mut hasher = DefaultHasher::new();
            (request.body.clone(), request.headers.clone()).hash(&mut hasher);
            hasher.finish()
        });
        Some(Answer::json(201, &serde_json::json!({"id": id, "name": name["name"]}).to_string()))
    });
    let ran = check("check --max-created 40", &server.url()).exits(1);
    let lines = ran.read("reports/created.ndjson");
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let ids: HashSet<String> =
        lines.filter(|line| line["event"] == "created").map(|line| line["id"].to_string()).collect();
    ran.holds(ids.len() <= 40, &format!("{} were created", ids.len()));
    assert_eq!(ran.report()["figures"]["created"].as_u64(), Some(ids.len() as u64));
    assert_eq!(ran.report()["end"]["cause"], "max_created");
    ran.says("--max-created");
}

#[test]
fn a_small_budget_of_records_is_used_well() {
    let ran = probity("check --max-created 60 --seed 3").exits(4);
    let created = ran.report()["figures"]["created"].as_u64().expect("a number");
    ran.holds(created <= 60 && created > 20, &format!("{created} were created"));
    ran.holds(ran.ids("fail").is_empty(), "nothing failed for it");
    // Refusals cost nothing, so that most musts are tested all the same.
    ran.holds(ran.ids("pass").len() > 50, &format!("{} are tested", ran.ids("pass").len()));
}

#[test]
fn preflight_is_within_the_budget() {
    let server = before(|_, _| None);
    let ran = check("check --max-requests 1", &server.url()).exits(4);
    assert_eq!((server.requests().len(), &ran.report()["end"]["cause"]), (1, &"max_requests".into()));
    let ran = check("check --max-created 1", &server.url()).exits(4);
    assert_eq!((server.requests().len(), &ran.report()["end"]["cause"]), (2, &"max_created".into()));
}

#[test]
fn what_is_sent_again_is_within_the_budget() {
    // Every other request has to come again.
    let count = std::sync::Arc::new(AtomicUsize::new(0));
    let refusals = std::sync::Arc::clone(&count);
    let server = before(move |n, _| {
        (n % 2 == 1).then(|| {
            refusals.fetch_add(1, Ordering::SeqCst);
            Answer::empty(429).with("Retry-After", "0")
        })
    });
    let ran = check("check --max-requests 120", &server.url()).run();
    // What was refused for the pace cost the server nothing, and does not count.
    let refused = count.load(Ordering::SeqCst);
    assert_eq!(ran.report()["figures"]["refused"].as_u64(), Some(refused as u64));
    ran.holds(server.requests().len() - refused <= 120, &format!("{} were sent", server.requests().len()));
    ran.holds(ran.ids("fail").is_empty() && ran.code == Some(4), "nothing failed for it");
}

#[test]
fn time_ends_a_run() {
    let server = before(|_, _| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        None
    });
    let ran = check("check --concurrency 1 --max-duration 2s", &server.url()).exits(4);
    assert_eq!(ran.report()["end"]["cause"], "max_duration");
    ran.says("--max-duration");
    ran.holds(requests(&ran) < 60, "it stopped");
}
