//! No record is unaccounted for, whatever happens.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use probity::reference;
use serde_json::Value;

use super::cleanup::{cleaning, keeping};
use super::{SOME, before, check};
use crate::support::probity;
use crate::support::server::{Answer, Request, Server, forward};

/// Ends a process as nobody can prevent.
fn kill(process: u32) {
    let status = std::process::Command::new("kill").args(["-9", &process.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()));
}

#[test]
fn nothing_is_unaccounted_for_after_a_kill() {
    for round in 0..20_u64 {
        let (server, kept) = keeping(|_| false);
        let command = probity("check --seed 3").tokens().file("probity.toml", cleaning(&server.url()));
        let ran = command.run_with(|process| {
            std::thread::sleep(Duration::from_millis(60 + 37 * round));
            kill(process);
        });
        // What was under way when it was killed arrives.
        std::thread::sleep(Duration::from_millis(150));
        let Ok(list) = std::fs::read_to_string(ran.folder().join("reports/created.ndjson")) else {
            assert!(kept.lock().expect("a lock").is_empty(), "round {round}: records and no list");
            continue;
        };
        let cleaned = probity("cleanup")
            .tokens()
            .file("probity.toml", cleaning(&server.url()))
            .file("reports/created.ndjson", &list)
            .run();
        let kept = kept.lock().expect("a lock").len();
        let listed = cleaned.stdout.matches("a record without a known id").count();
        cleaned.holds(kept <= listed, &format!("round {round}: {kept} records are there, and {listed} told"));
        cleaned.holds(cleaned.code == Some(if listed == 0 { 0 } else { 1 }), "the status says whether some are left");
    }
}

#[test]
fn what_is_created_behind_a_503_is_uncertain_and_found_by_its_key() {
    let upstream = reference::start(reference::Options::default()).expect("a server");
    let (count, keyed, ids) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::<String>::new()));
    let kept = std::sync::Arc::new(ids);
    let ids = std::sync::Arc::clone(&kept);
    let server = Server::http(move |request: &Request| {
        if request.method == "DELETE" {
            let id = request.target.rsplit('/').next().unwrap_or_default();
            let mut ids = ids.lock().expect("a lock");
            // A gateway that is down now and then.
            if count.fetch_add(1, Ordering::SeqCst) % 4 == 1 {
                return Answer::empty(503);
            }
            let before = ids.len();
            ids.retain(|known| known != id);
            return Answer::empty(if ids.len() < before { 204 } else { 404 });
        }
        let answer = forward(&upstream, request);
        if let Answer::Whole(201, _, body) = &answer {
            let body: Value = serde_json::from_slice(body).expect("JSON");
            let id = body["id"].as_str().expect("an id").to_owned();
            let mut ids = ids.lock().expect("a lock");
            if !ids.contains(&id) {
                ids.push(id);
                let is_keyed = request.header("idempotency-key").is_some();
                if is_keyed && keyed.fetch_add(1, Ordering::SeqCst) % 3 == 1 {
                    return Answer::empty(503);
                }
            }
        }
        answer
    });
    let settings = cleaning(&server.url());
    let ran = probity(&format!("{SOME} --no-cleanup --max-created 40")).tokens().file("probity.toml", &settings).run();
    let figures = ran.report()["figures"].clone();
    let made = kept.lock().expect("a lock").len() as u64;
    let told = figures["created"].as_u64().unwrap_or(0) + figures["uncertain"].as_u64().unwrap_or(0);
    ran.holds(figures["uncertain"].as_u64() > Some(0), "some are uncertain");
    ran.holds(made <= told && made <= 40, &format!("{made} were made, {told} told"));
    let list = ran.read("reports/created.ndjson");
    let cleaned =
        probity("cleanup").tokens().file("probity.toml", &settings).file("reports/created.ndjson", &list).exits(0);
    cleaned.says("0 left");
    assert!(kept.lock().expect("a lock").is_empty(), "all of them are gone");
}

#[test]
fn a_folder_belongs_to_one_run_at_a_time() {
    let server = before(|_, _| {
        std::thread::sleep(Duration::from_millis(150));
        None
    });
    let first = check(SOME, &server.url());
    let folder = first.folder().to_owned();
    let ran = first.run_with(|_| {
        while !folder.join("reports/exchanges.ndjson").exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let second = check(SOME, &server.url()).within(&folder).exits(2);
        second.complains("another command writes to reports").complains("--out");
    });
    ran.holds(ran.code == Some(0), "the first is not disturbed");
}

#[test]
fn a_report_that_cannot_be_written_loses_nothing() {
    let server = before(|_, _| None);
    let ran = check(SOME, &server.url()).file("reports/report.html/in-the-way", "").exits(5);
    ran.complains("report.html").says("Conformant");
    assert_eq!(ran.report()["end"]["complete"], true);
    ran.read("reports/junit.xml");
}

#[test]
fn reports_of_a_run_are_not_replaced_by_those_of_others() {
    let server = before(|_, _| None);
    let ran = check(&format!("{SOME} --report har"), &server.url()).exits(0);
    let har = ran.read("reports/exchanges.har");
    let report = ran.read("reports/report.json");
    let judge =
        |words: &str| check(words, &server.url()).file("session.har", &har).file("reports/report.json", &report);
    judge("judge session.har").exits(2).complains("reports holds the reports of a run").complains("--out");
    judge("judge session.har --out reports").exits(0);
}
