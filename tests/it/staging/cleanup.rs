//! Every record that was created is told, and removed where the settings say how.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use probity::reference;
use serde_json::Value;

use super::{SOME, settings};
use crate::support::server::{Answer, Request, Server, forward};
use crate::support::{Ran, probity};

pub type Ids = Arc<Mutex<BTreeSet<String>>>;

/// A server that keeps what it creates, and removes it when it is asked to, but for what `refuses` says.
pub fn keeping(refuses: impl Fn(usize) -> bool + Send + Sync + 'static) -> (Server, Ids) {
    let upstream = reference::start(reference::Options::default()).expect("a server");
    let kept: Ids = Arc::default();
    let ids = Arc::clone(&kept);
    let removals = Mutex::new(0);
    let server = Server::http(move |request: &Request| {
        if request.method == "DELETE" {
            let mut count = removals.lock().expect("a lock");
            *count += 1;
            let id = request.target.rsplit('/').next().unwrap_or_default();
            if refuses(*count) || request.header("authorization").is_none() {
                return Answer::empty(403);
            }
            return Answer::empty(if ids.lock().expect("a lock").remove(id) { 204 } else { 404 });
        }
        let answer = forward(&upstream, request);
        if let Answer::Whole(201, _, body) = &answer {
            let body: Value = serde_json::from_slice(body).expect("JSON");
            ids.lock().expect("a lock").insert(body["id"].as_str().expect("an id").to_owned());
        }
        answer
    });
    (server, kept)
}

pub fn cleaning(url: &str) -> String {
    settings(url, |toml| {
        format!("{toml}\n[cleanup]\npath = \"/v1/households/{{household_id}}/opportunities/{{id}}\"\n")
    })
}

fn lines(ran: &Ran) -> Vec<Value> {
    let all = ran.read("reports/created.ndjson");
    let all = all.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    // What was intended, and what came to nothing, is told beside.
    all.filter(|line| line["event"] != "intended" && line["event"] != "settled").collect()
}

fn ids(lines: &[Value], event: &str) -> BTreeSet<String> {
    let chosen = lines.iter().filter(|l| l["event"] == event);
    chosen.map(|l| l["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn every_record_is_told() {
    let (server, kept) = keeping(|_| false);
    let ran = probity(SOME).settings(&server.url()).exits(0);
    let lines = lines(&ran);
    let kept = kept.lock().expect("a lock").clone();
    assert_eq!(ids(&lines, "created"), kept);
    assert_eq!(lines.len(), kept.len(), "each once");
    assert_eq!(ran.report()["figures"]["created"].as_u64(), Some(kept.len() as u64));
    for line in &lines {
        assert!(line["parameters"]["household_id"].as_str().is_some_and(|h| h.starts_with("hh_")), "{line}");
        assert_eq!(line["run_tag"], ran.report()["header"]["run_tag"]);
        for key in ["target", "requirement", "trial", "identity", "sent"] {
            assert!(line[key].is_string(), "{line}");
        }
    }
    assert!(lines.iter().any(|l| l["key"].is_string()), "keys are told");
    assert!(ran.report()["cleanup"].is_null(), "nobody asked for a clean-up");
}

#[test]
fn what_was_created_is_removed() {
    let (server, kept) = keeping(|_| false);
    let ran = probity(SOME).tokens().file("probity.toml", cleaning(&server.url())).exits(0);
    assert!(kept.lock().expect("a lock").is_empty());
    let lines = lines(&ran);
    assert_eq!(ids(&lines, "created"), ids(&lines, "removed"));
    ran.says("clean-up:").says("0 left");
    assert_eq!(ran.report()["cleanup"]["left"], serde_json::json!([]));
}

#[test]
fn what_cannot_be_removed_is_listed_and_can_be_removed_later() {
    let (server, kept) = keeping(|n| n <= 3);
    let command = probity(SOME).tokens().file("probity.toml", cleaning(&server.url()));
    let ran = command.exits(0);
    assert_eq!(kept.lock().expect("a lock").len(), 3);
    ran.says("3 left").says("the server answered 403");
    let left = ran.report()["cleanup"]["left"].as_array().cloned().expect("a list");
    assert_eq!(left.len(), 3);
    let list = ran.read("reports/created.ndjson");
    // A later run does not forget what is left.
    let again = probity("check --only close-date/leap-day --no-cleanup")
        .tokens()
        .file("probity.toml", cleaning(&server.url()))
        .file("reports/created.ndjson", &list)
        .exits(0);
    assert!(again.read("reports/created.ndjson").starts_with(&list));
    let list = again.read("reports/created.ndjson");
    let cleaned = probity("cleanup")
        .tokens()
        .file("probity.toml", cleaning(&server.url()))
        .file("reports/created.ndjson", &list)
        .exits(0);
    cleaned.says("0 left");
    assert!(kept.lock().expect("a lock").is_empty());
    let list = cleaned.read("reports/created.ndjson");
    let nothing = probity("cleanup reports").file("reports/created.ndjson", &list).exits(0);
    nothing.says("No records are left");
}

#[test]
fn what_may_have_been_created_is_told() {
    let upstream = reference::start(reference::Options::default()).expect("a server");
    // One request is processed, and its answer is lost.
    let server = Server::http(move |request: &Request| {
        let answer = forward(&upstream, request);
        if request.text().contains("2096-02-29") { Answer::Close } else { answer }
    });
    let ran = probity("check --only close-date/leap-day").settings(&server.url()).run();
    let lines = lines(&ran);
    let uncertain: Vec<&Value> = lines.iter().filter(|l| l["event"] == "uncertain").collect();
    ran.holds(!uncertain.is_empty(), "it is told");
    ran.says("and perhaps");
    ran.holds(uncertain.iter().all(|l| l["id"].is_null() && l["run_tag"].is_string()), "with its mark");
}

#[test]
fn what_is_told_elsewhere_may_have_been_created() {
    let upstream = reference::start(reference::Options::default()).expect("a server");
    let server = Server::http(move |request: &Request| match forward(&upstream, request) {
        Answer::Whole(201, ..) if request.text().contains("2096-02-29") => {
            Answer::empty(303).with("Location", "/v1/opportunities/1")
        }
        other => other,
    });
    let ran = probity("check --only close-date/leap-day").settings(&server.url()).run();
    ran.holds(lines(&ran).iter().any(|l| l["event"] == "uncertain"), "it is told");
}

#[test]
fn a_clean_up_needs_to_know_how() {
    let (server, _) = keeping(|_| false);
    let ran = probity("check --only close-date/leap-day").settings(&server.url()).exits(0);
    let list = ran.read("reports/created.ndjson");
    let ran = probity("cleanup").settings(&server.url()).file("reports/created.ndjson", &list).exits(2);
    ran.complains("[cleanup]");
    probity("cleanup gone").exits(2).complains("gone/created.ndjson");
}

#[test]
fn the_embedded_server_takes_its_own_records_with_it_and_no_others() {
    let (server, kept) = keeping(|_| false);
    let real = probity(SOME).settings(&server.url()).exits(0);
    let held: BTreeSet<String> = kept.lock().expect("a lock").clone();
    let list = real.folder().join("reports/created.ndjson");
    for _ in 0..2 {
        let own = probity("check --only close-date/leap-day").within(real.folder());
        // The settings that lie there are of another target: to be on the embedded server a variation is asked for.
        own.args("--variation created-200").exits(0);
    }
    let text = std::fs::read_to_string(&list).expect("a list");
    let all: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let (own, others): (Vec<Value>, Vec<Value>) =
        all.into_iter().partition(|line| line["target"] == "embedded reference server");
    assert_eq!(ids(&others, "created"), held, "what the real one holds is still told");
    let run_tags: BTreeSet<&str> = own.iter().filter_map(|line| line["run_tag"].as_str()).collect();
    assert_eq!(run_tags.len(), 1, "of the embedded one only what its last run made");
    let toml = cleaning(&server.url());
    std::fs::write(real.folder().join("probity.toml"), toml).expect("a file");
    probity("cleanup reports").tokens().within(real.folder()).run();
    assert!(kept.lock().expect("a lock").is_empty(), "it is removed later");
}

#[test]
fn a_path_that_leads_nowhere_is_no_removal() {
    let (server, kept) = keeping(|_| false);
    let settings = cleaning(&server.url()).replace("opportunities/{id}", "opportunitys/x{id}");
    let ran = probity(SOME).tokens().file("probity.toml", &settings).exits(0);
    let kept = kept.lock().expect("a lock").len();
    assert!(kept > 0);
    let left = ran.report()["cleanup"]["left"].as_array().cloned().expect("a list");
    assert_eq!(left.len(), kept);
    assert!(
        left.iter().all(|one| one["reason"].as_str().is_some_and(|why| why.contains("check the path"))),
        "{left:?}"
    );
    assert_eq!(ids(&lines(&ran), "removed").len(), 0);
}
