//! The contract of several operations, from outside: creating, reading and updating.

use std::path::Path;

use crate::support::{Probity, flat, probity};

#[test]
fn the_reference_server_keeps_it_within_its_budget() {
    let ran = probity("check --seed 1 --contract opportunities").exits(0);
    for verdict in ["fail", "inconclusive", "skipped", "untested"] {
        assert_eq!(ran.ids(verdict), Vec::<String>::new(), "{verdict}");
    }
    let report = ran.report();
    let requests = report["figures"]["requests"].as_u64().expect("a number");
    assert!(requests <= 900, "{requests} requests");
    for id in ["read/value", "update/value-in-dollars", "access/foreign-update", "idempotency/replay-returns-original"]
    {
        ran.verdict(id, "pass");
    }
}

#[test]
fn what_is_stored_is_not_what_was_answered() {
    for (fault, id) in [
        ("stored-name-escaped", "read/names"),
        ("stored-value-divided-twice", "read/value"),
        ("stored-overwritten-by-replay", "read/after-a-changed-body"),
        ("update-value-in-cents", "update/value-in-dollars"),
        ("update-lost", "update/two-at-once"),
        ("update-foreign-taken-by-id", "access/foreign-update"),
    ] {
        let words = format!("check --seed 1 --contract opportunities --only {id} --fault {fault}");
        let ran = probity(&words).exits(1);
        assert_eq!(ran.ids("fail"), [id], "{fault}");
        // What is sent again, with the ids of today, fails again.
        ran.says("to replay the failures: probity replay --contract opportunities");
        let again = probity("replay --contract opportunities").within(ran.folder()).exits(1);
        again.says("still fails");
    }
}

/// A token that reads may be refused with a 401 where it writes: it has not expired for that.
#[test]
fn a_token_that_reads_and_may_not_write_has_not_expired() {
    let ran = probity("check --seed 1 --contract opportunities --only access/* --variation read-only-401").exits(0);
    ran.verdict("access/read-only-reads", "pass").verdict("access/read-only-does-not-update", "pass");
    ran.never_says("expired");
}

/// What a server may refuse is no ground for a scenario, and leaves nothing unknown.
#[test]
fn a_set_up_that_a_server_may_refuse_leaves_nothing_unknown() {
    let words = "check --seed 1 --contract opportunities --only read/* --variation long-names-refused";
    probity(words).exits(0).verdict("read/long-names", "skipped").verdict("read/names", "pass");
}

/// A command on a contract that extends the shipped one.
fn extending(words: &str) -> Probity {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/create-opportunity");
    probity(words).file("more/contract.yaml", format!("extends: {}\n", base.display()))
}

#[test]
fn a_contract_has_what_the_one_has_that_it_extends() {
    let own = "- { id: own, level: must, text: The name is a name., source: Here, expect: response.body.name != '' }\n";
    let ran = extending("list --json --contract more").file("more/response.yaml", own).exits(0);
    let listed: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let all = listed.as_array().expect("requirements");
    let ids: Vec<&str> = all.iter().filter_map(|r| r["id"].as_str()).collect();
    assert!(ids.contains(&"idempotency/replay-returns-original"), "{ids:?}");
    // Its own file of an area stands for the other's.
    assert!(ids.contains(&"response/own") && !ids.contains(&"response/name-as-sent"), "{ids:?}");
}

#[test]
fn what_cannot_be_extended_is_told_with_its_place() {
    for (text, told) in [
        ("extends: ../gone\n", "cannot read"),
        ("extends: [a]\n", "`extends`"),
        ("extends: ../more\n", "a contract that another one extends cannot extend one itself"),
    ] {
        let ran = extending("lint --contract most").file("most/contract.yaml", text).exits(2);
        assert!(flat(&ran.stderr).contains(told) && ran.stderr.contains("contract.yaml:1:"), "{}", ran.stderr);
    }
}
