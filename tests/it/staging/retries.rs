//! What is sent again after a connection broke, and what is not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{before, check};
use crate::support::server::{Answer, Request};

/// Breaks each connection at its third request, once it was processed: nobody can know whether it was.
fn breaks(request: &Request) -> Option<Answer> {
    (request.before == 2).then_some(Answer::Close)
}

#[test]
fn another_request_takes_the_place_of_one_whose_connection_broke() {
    let server = before(|_, request| breaks(request));
    let ran = check("check --only response/name-as-sent --seed 4", &server.url()).exits(0);
    let requests = server.requests();
    let broken: Vec<_> = requests.iter().filter(|r| r.before == 2).collect();
    ran.holds(!broken.is_empty(), "some broke");
    for request in &broken {
        let key = request.header("idempotency-key");
        let same = requests.iter().filter(|r| key.is_some() && r.header("idempotency-key") == key).count();
        assert!(same <= 1, "{request:?}: what is judged is no replay");
    }
    // Nobody knows whether they were processed.
    let told = ran.read("reports/created.ndjson").lines().filter(|l| l.contains("\"uncertain\"")).count();
    assert_eq!(told, broken.len());
}

#[test]
fn one_without_a_key_is_unknown_and_another_takes_its_place() {
    let server = before(|_, request| breaks(request));
    let ran = check("check --only 'defaults/*' --seed 4", &server.url()).exits(0);
    let lost = ran.exchanges().into_iter().filter(|e| e["failure"]["kind"] == "broken").collect::<Vec<_>>();
    ran.holds(!lost.is_empty(), "some were lost");
    // Each is told as one that may have been created.
    let list = ran.read("reports/created.ndjson");
    let uncertain = list.lines().filter(|l| l.contains("\"uncertain\"")).count();
    assert_eq!(uncertain, lost.len());
    // And its place is taken on a connection of its own.
    let mut trials: BTreeMap<String, usize> = BTreeMap::new();
    for exchange in ran.exchanges() {
        *trials.entry(exchange["trial"].as_str().expect("a trial").to_owned()).or_default() += 1;
    }
    let once: Vec<_> = lost.iter().filter(|l| trials[l["trial"].as_str().expect("a trial")] != 2).collect();
    ran.holds(once.is_empty(), &format!("it was tried anew: {once:?}"));
}

#[test]
fn what_is_itself_about_keys_is_not_sent_again() {
    // A scenario's first request is processed and its answer lost: a repetition would be its second.
    let count = AtomicUsize::new(0);
    let server = before(move |_, request| {
        let is_scenario = request.header("user-agent").is_some_and(|a| a.contains("idempotency/third-time"));
        (is_scenario && request.before > 0 && count.fetch_add(1, Ordering::SeqCst) == 0).then_some(Answer::Close)
    });
    let ran = check("check --only idempotency/third-time --seed 4", &server.url()).exits(0);
    let keys = |r: &Request| r.header("idempotency-key").map(str::to_owned);
    let scenario: Vec<Request> = server
        .requests()
        .into_iter()
        .filter(|r| r.header("user-agent").is_some_and(|a| a.contains("idempotency/third-time")))
        .collect();
    let mut uses: BTreeMap<Option<String>, usize> = BTreeMap::new();
    scenario.iter().for_each(|r| *uses.entry(keys(r)).or_default() += 1);
    let lost = ran.exchanges().into_iter().any(|e| e["failure"]["kind"] == "broken");
    ran.holds(lost == (uses.len() > 1), &format!("it began anew with another key: {uses:?}"));
    ran.holds(uses.values().all(|n| *n <= 3), &format!("no key was sent more often than the trial says: {uses:?}"));
}
