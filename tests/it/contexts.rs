//! What must be refused is tried with a key and without, by each caller, in small bodies and full ones, at each household:
//! in the default run, each pair of these in each area.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::contract::Copy;
use crate::support::probity;

type Context = [String; 4];

fn context(exchange: &Value) -> Context {
    let request = &exchange["request"];
    let headers = request["headers"].as_array().expect("headers");
    let has_key = headers.iter().any(|h| h[0].as_str().is_some_and(|n| n.eq_ignore_ascii_case("idempotency-key")));
    let body = request["body"].as_str().unwrap_or_default();
    let is_full = body.contains("probability") && body.contains("owner_id");
    let household = request["url"].as_str().and_then(|url| url.split('/').nth(5)).unwrap_or_default();
    [
        has_key.to_string(),
        exchange["identity"].as_str().unwrap_or_default().to_owned(),
        is_full.to_string(),
        household.to_owned(),
    ]
}

#[test]
fn refusals_are_tried_in_each_pair_of_a_context() {
    let ran = probity("check --seed 7").exits(0);
    let mut areas: BTreeMap<String, Vec<Context>> = BTreeMap::new();
    for exchange in ran.exchanges() {
        let status = exchange["response"]["status"].as_u64().unwrap_or_default();
        if (400..500).contains(&status) {
            let id = exchange["trial"].as_str().expect("a trial").split('#').next().unwrap_or_default().to_owned();
            let group = match id.split_once('/') {
                Some(("pool", _)) => continue,
                // These must be tried in all of them by themselves.
                _ if ["authentication/read-only", "household/foreign", "household/unknown"].contains(&id.as_str()) => {
                    id
                }
                Some((area @ ("authentication" | "close-date" | "pipeline" | "robustness" | "schema"), _)) => {
                    area.to_owned()
                }
                _ => continue,
            };
            areas.entry(group).or_default().push(context(&exchange));
        }
    }
    assert_eq!(areas.len(), 8, "{:?}", areas.keys());
    for (area, contexts) in &areas {
        for a in 0..4 {
            for b in 0..a {
                let values = |at: usize| contexts.iter().map(|c| &c[at]).collect::<BTreeSet<_>>();
                let pairs: BTreeSet<_> = contexts.iter().map(|c| (&c[a], &c[b])).collect();
                assert!(values(0).len() == 2 && values(2).len() == 2, "{area}: with a key and without, small and full");
                assert!(values(1).len() == 2 || area == "authentication/read-only", "{area}: both callers");
                assert!(values(3).len() >= 2 || area == "household/foreign", "{area}: several households");
                // An unknown id is another each time.
                let is_fresh = area == "household/unknown" && a == 3;
                let due = if is_fresh { pairs.len() } else { values(a).len() * values(b).len() };
                assert_eq!(pairs.len(), due, "{area}: {a} and {b} of {contexts:?}");
            }
        }
    }
}

#[test]
fn a_table_of_contexts_needs_a_step_that_varies() {
    let copy = Copy::new().change("authentication.yaml", "from: varied, as: read_only", "from: minimal, as: read_only");
    let ran = probity("lint --contract").arg(copy.path()).exits(2);
    ran.complains("no step uses a request in these contexts").complains("from: varied");
    let copy = Copy::new().change("idempotency.yaml", "steps_of: changed-body", "steps_of: changed-bodies");
    let ran = probity("lint --contract").arg(copy.path()).exits(2);
    ran.complains("no earlier case `idempotency/changed-bodies` has steps");
}

#[test]
fn requirements_that_share_requests_are_each_judged_by_them() {
    let ran = probity("check --seed 1 --only household/unknown-status --fault household-unknown-400").exits(0);
    ran.verdict("household/unknown-status", "fail");
    let ran = probity("plan --only 'household/unknown*' --json").exits(0);
    let plan: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let requests: Vec<u64> = plan["requirements"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|r| r["requests"].as_u64().expect("a number"))
        .collect();
    assert_eq!(
        requests.iter().filter(|n| **n == 0).count(),
        1,
        "one is judged by the requests of the other: {requests:?}"
    );
    let replayed = probity("check --seed 1 --fault household-unknown-400").exits(0);
    replayed.verdict("household/unknown", "pass").verdict("household/unknown-status", "fail");
}

#[test]
fn what_is_planned_is_what_is_tried() {
    let mut server = probity("serve").start();
    let url = server
        .until("listens at")
        .split_whitespace()
        .find(|w| w.starts_with("http://"))
        .expect("an address")
        .to_owned();
    let settings = format!(
        "[target]\nurl = \"{url}\"\n[identities.caller]\ntoken = {{ env = \"PROBITY_TOKEN\" }}\n[fixtures]\nhousehold_id = \"hh_p2Kd71\"\n"
    );
    let skipped = |all: &Value| {
        let all = all["requirements"].as_array().expect("a list").iter();
        let reason = |r: &Value| r["skipped"].as_str().or(r["reason"].as_str()).unwrap_or_default().to_owned();
        let all = all.map(|r| (r["id"].as_str().expect("an id").to_owned(), reason(r)));
        all.filter(|(_, why)| why.starts_with("missing ")).collect::<BTreeMap<_, _>>()
    };
    let planned = probity("plan --json").tokens().file("probity.toml", &settings).exits(0);
    let planned: Value = serde_json::from_str(&planned.stdout).expect("JSON");
    let ran = probity("check --seed 1").tokens().file("probity.toml", &settings).exits(0);
    let (planned, ran) = (skipped(&planned), skipped(&ran.report()));
    assert_eq!(planned, ran);
    assert!(planned.len() > 20);
}
