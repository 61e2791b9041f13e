//! Every request that left is told and judged, and what the network or a gateway does now and then is no verdict.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{SOME, before, check};
use crate::support::Ran;
use crate::support::server::{Answer, Request, Server, answer_once, forward};

/// How many attempts are told that were answered so.
fn answered(ran: &Ran, status: u64) -> usize {
    ran.exchanges().iter().filter(|e| e["response"]["status"] == status).count()
}

#[test]
fn every_attempt_is_told_and_numbered() {
    let server = before(|n, _| (n % 9 == 8).then(|| Answer::empty(429).with("Retry-After", "0")));
    let ran = check(&format!("{SOME} --report har"), &server.url()).exits(0);
    let exchanges = ran.exchanges();
    assert_eq!(exchanges.len(), server.requests().len(), "one line for each request that left");
    ran.holds(answered(&ran, 429) > 3, "refusals are told");
    let places: BTreeSet<(u64, u64)> = exchanges
        .iter()
        .map(|e| (e["number"].as_u64().expect("a number"), e["attempt"].as_u64().expect("an attempt")))
        .collect();
    assert_eq!(places.len(), exchanges.len(), "each attempt has its number");
    let refused = exchanges.iter().filter(|e| e["response"]["status"] == 429);
    ran.holds(refused.clone().all(|e| e["attempt"].as_u64() < e["attempts"].as_u64()), "none of them is an answer");
    let har: Value = serde_json::from_str(&ran.read("reports/exchanges.har")).expect("JSON");
    assert_eq!(har["log"]["entries"].as_array().map(Vec::len), Some(exchanges.len()));
    let figures = ran.report()["figures"].clone();
    assert_eq!(figures["requests"].as_u64(), Some(exchanges.len() as u64));
    assert_eq!(figures["refused"].as_u64(), Some(refused.count() as u64));
}

#[test]
fn every_fifth_request_answered_503_is_a_failure() {
    let server = before(|n, _| (n % 5 == 4).then(|| Answer::empty(503).with("Retry-After", "0")));
    let ran = check("check --seed 2", &server.url()).exits(1);
    ran.verdict("operation/no-server-error", "fail");
    assert_eq!(ran.ids("fail"), ["operation/no-server-error"], "nothing else is held against it");
    let told = ran.report()["figures"]["troubles"]["gateway"].as_u64();
    assert_eq!(told, Some(answered(&ran, 503) as u64));
    ran.says("answered 502 to 504");
}

#[test]
fn few_503_and_resets_are_fair_and_told() {
    // Here and there, in no step with what is sent again.
    let server = before(|n, _| match (n.wrapping_mul(0x9e37_79b1) >> 16) % 40 {
        13 => Some(Answer::empty(503)),
        29 => Some(Answer::Close),
        _ => None,
    });
    let ran = check("check --seed 2", &server.url()).exits(0);
    assert_eq!(ran.ids("fail"), Vec::<String>::new());
    assert_eq!(ran.ids("inconclusive"), Vec::<String>::new());
    let troubles = ran.report()["figures"]["troubles"].clone();
    ran.holds(troubles["gateway"].as_u64() > Some(3) && troubles["broken"].as_u64() > Some(3), "both are counted");
    ran.says("not steady:");
}

#[test]
fn a_burst_of_503_is_waited_out() {
    let begun: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let server = before(move |n, _| {
        let down = n > 60 && begun.get_or_init(Instant::now).elapsed() < Duration::from_secs(1);
        down.then(|| Answer::empty(503))
    });
    let ran = check("check --seed 2", &server.url()).exits(0);
    ran.holds(answered(&ran, 503) > 0, "there was one");
    assert_eq!(ran.ids("inconclusive"), Vec::<String>::new());
}

#[test]
fn a_500_that_comes_once_is_a_failure_and_no_other() {
    let count = AtomicUsize::new(0);
    let server = before(move |_, request| {
        let named = request.text().contains("2096-02-29");
        (named && count.fetch_add(1, Ordering::SeqCst) == 0).then(|| Answer::json(500, "{}"))
    });
    let ran = check("check --seed 2 --only close-date/leap-day --only 'operation/*'", &server.url()).exits(1);
    assert_eq!(ran.ids("fail"), ["operation/no-server-error"]);
    let again = ran.requirement("operation/no-server-error")["again"].clone();
    ran.holds(again["broken"] == 0 && again["sent"].as_u64() > Some(0), "it is told to be intermittent");
}

#[test]
fn what_always_breaks_is_a_failure() {
    let server = before(|_, request| request.text().contains("2096-02-29").then_some(Answer::Close));
    let ran = check("check --seed 2 --only close-date/leap-day", &server.url()).exits(1);
    ran.verdict("close-date/leap-day", "fail");
    let tries = server.requests().iter().filter(|r| r.text().contains("2096-02-29")).count();
    ran.holds(tries >= 4, "it was tried four times");
    let server = before(|_, request| request.text().contains("2096-02-29").then(|| Answer::empty(503)));
    let ran = check("check --seed 2 --only close-date/leap-day --only 'operation/*'", &server.url()).exits(1);
    ran.verdict("operation/no-server-error", "fail");
}

#[test]
fn a_reset_at_first_is_no_end() {
    let server = before(|n, _| (n == 1 || n == 2).then_some(Answer::Close));
    check(SOME, &server.url()).exits(0);
}

#[test]
fn a_server_that_answers_only_503_is_told_at_once() {
    let server = Server::http(|_: &Request| Answer::json(503, "{\"error\":\"maintenance\"}"));
    let ran = check("check", &server.url()).exits(3);
    assert!(server.requests().len() < 10, "{} requests", server.requests().len());
    ran.says("status 503").never_says("cannot be reached");
    assert_eq!(ran.report()["end"]["cause"], "unwell");
}

#[test]
fn a_server_that_falls_ill_ends_the_run_with_what_is_known() {
    let server = before(|n, _| (n > 100).then(|| Answer::empty(502)));
    let begun = Instant::now();
    let ran = check("check --seed 2", &server.url()).exits(4);
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    assert_eq!(ran.report()["end"]["cause"], "unwell");
    assert_eq!(ran.ids("fail"), Vec::<String>::new());
}

#[test]
fn what_is_never_answered_is_waited_for_beside_the_rest() {
    let server = before(|_, request| {
        let kind = request.text().contains("\\u") || request.text().contains("2096-02-29");
        (kind || !request.text().is_ascii()).then_some(Answer::Hang)
    });
    let begun = Instant::now();
    let ran = check("check --seed 2 --timeout 4s", &server.url()).exits(1);
    // Some sixty requests, and each of them twice: one after the other they would take minutes.
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    ran.verdict("operation/answered", "fail").verdict("close-date/leap-day", "fail");
}

#[test]
fn what_waits_for_the_full_request_goes_on_without_it() {
    // One request at a time, and the one with every field is never answered.
    let server = before(|_, request| {
        let all = ["probability", "target_close_date", "owner_id"];
        all.iter().all(|name| request.text().contains(name)).then_some(Answer::Hang)
    });
    for most in ["--concurrency 1", "--max-created 30"] {
        let words =
            format!("check --seed 2 --timeout 1s --only close-date/leap-day --only response/name-as-sent {most}");
        let ran = check(&words, &server.url()).exits(0);
        ran.verdict("close-date/leap-day", "pass").verdict("response/name-as-sent", "pass");
    }
}

#[test]
fn an_answer_that_is_not_http_is_asked_for_again() {
    let server = before(|n, _| (n % 40 == 20).then(|| Answer::Bytes(b"<html>gateway</html>\r\n\r\n".to_vec())));
    let ran = check("check --seed 2", &server.url()).exits(1);
    assert_eq!(ran.ids("fail"), ["operation/answered"], "nothing else rests on it");
    assert_eq!(ran.ids("inconclusive"), Vec::<String>::new());
    ran.says("intermittent");
}

#[test]
fn a_restart_costs_no_verdict() {
    let upstream = probity::reference::start(probity::reference::Options::default()).expect("a server");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = std::sync::Arc::clone(&stop);
    let upstream = std::sync::Arc::new(upstream);
    let serving = std::thread::spawn(move || {
        let mut listener = Some(listener);
        let mut served = 0;
        while let Some(Ok((stream, _))) = listener.as_ref().map(std::net::TcpListener::accept) {
            if stopped.load(Ordering::SeqCst) {
                return;
            }
            served += 1;
            let upstream = std::sync::Arc::clone(&upstream);
            std::thread::spawn(move || answer_once(stream, |request| forward(&upstream, request)));
            if served == 100 {
                // Nobody listens meanwhile.
                drop(listener.take());
                std::thread::sleep(Duration::from_secs(2));
                listener = std::net::TcpListener::bind(address).ok();
            }
        }
    });
    let ran = check("check --seed 2", &format!("http://{address}")).exits(0);
    assert_eq!(ran.ids("inconclusive"), Vec::<String>::new());
    let refused = ran.exchanges().iter().filter(|e| e["failure"]["kind"] == "connect").count();
    ran.holds(refused > 0, "connections were refused meanwhile");
    stop.store(true, Ordering::SeqCst);
    let _ = std::net::TcpStream::connect(address);
    serving.join().expect("it ended");
}
