//! Requests that are to arrive together, and the case of their headers' names, as a server sees them on the wire.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::support::probity;
use crate::support::server::Server;

/// What a server saw of one request.
#[derive(Clone, Debug, Default)]
struct Seen {
    names: Vec<String>,
    key: String,
    declares_length: bool,
    /// Whether its last byte was not there yet when all before it was read.
    held: bool,
}

/// A server that answers each key with a record of its own, and looks at how requests come.
fn watching() -> (Server, Arc<Mutex<Vec<Seen>>>) {
    let all: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let seen = Arc::clone(&all);
    let server = Server::tcp(move |stream| {
        let mut reader = BufReader::new(stream);
        while let Some(one) = request(&mut reader) {
            let id =
                if one.key.is_empty() { format!("{}", seen.lock().expect("a lock").len()) } else { one.key.clone() };
            let body = format!(
                r#"{{"id":"{id}","name":"a","book_id":"b","pipeline":{{"id":"p"}},"pipeline_stage":{{"id":"s"}},"assigned_to":{{"id":"u"}}}}"#
            );
            seen.lock().expect("a lock").push(one);
            let answer = format!(
                "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            if reader.get_mut().write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    (server, all)
}

fn request(reader: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut seen = Seen::default();
    let mut length = 0_usize;
    for number in 0.. {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':').filter(|_| number > 0) else { continue };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                seen.declares_length = true;
                length = value.trim().parse().ok()?;
            }
            "idempotency-key" => value.trim().clone_into(&mut seen.key),
            _ => {}
        }
        seen.names.push(name.to_owned());
    }
    let mut body = vec![0; length];
    let (last, before) = body.split_last_mut()?;
    reader.read_exact(before).ok()?;
    let is_there = !reader.buffer().is_empty() || {
        reader.get_ref().set_nonblocking(true).ok()?;
        let peeked = reader.get_ref().peek(&mut [0]).is_ok();
        reader.get_ref().set_nonblocking(false).ok()?;
        peeked
    };
    seen.held = !is_there;
    reader.read_exact(std::slice::from_mut(last)).ok()?;
    Some(seen)
}

#[test]
fn requests_that_go_out_at_once_are_held_by_their_last_byte() {
    // A machine that is busy may look at the requests only when all of them are whole: then it has seen nothing of it.
    let mut tries = (0..5).map(|_| held_of_a_burst());
    assert!(tries.any(|held| held >= 2), "in none of five runs two of eight were seen held");
}

/// How many requests of a burst a server saw held, that is whole but for the last byte.
fn held_of_a_burst() -> usize {
    let (server, seen) = watching();
    let ran = probity("check --seed 5 --only idempotency/same-key-at-once").settings(&server.url()).exits(0);
    ran.verdict("idempotency/same-key-at-once", "pass");
    let mut by_key: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
    for one in seen.lock().expect("a lock").iter() {
        by_key.entry(one.key.clone()).or_default().push(one.clone());
    }
    let (_, burst) = by_key.iter().find(|(key, all)| !key.is_empty() && all.len() > 2).expect("a burst");
    let (burst, again) = burst.split_at(8);
    assert!(burst.iter().all(|one| one.declares_length), "the length is declared");
    assert!(!again.is_empty() && again.iter().all(|one| !one.held), "what goes out alone is not held");
    burst.iter().filter(|one| one.held).count()
}

#[test]
fn names_of_headers_are_sent_in_either_case_and_reported_as_sent() {
    let (server, seen) = watching();
    let ran = probity("check --seed 5 --only operation/answered --only idempotency/header-names-in-either-case")
        .settings(&server.url())
        .run();
    let title = |name: &String| name.starts_with(|c: char| c.is_ascii_uppercase());
    let mut cases: BTreeSet<bool> = BTreeSet::new();
    for one in seen.lock().expect("a lock").iter() {
        let all: BTreeSet<bool> = one.names.iter().map(title).collect();
        assert_eq!(all.len(), 1, "one case in one request: {:?}", one.names);
        cases.extend(all);
    }
    assert_eq!(cases.len(), 2, "both cases in one run");
    let reported = |exchange: &Value| {
        let names = exchange["request"]["headers"].as_array().expect("headers").iter();
        let names: BTreeSet<bool> = names.map(|h| title(&h[0].as_str().expect("a name").to_owned())).collect();
        names.into_iter().collect::<Vec<_>>()
    };
    let reported: Vec<Vec<bool>> = ran.exchanges().iter().map(reported).collect();
    assert!(reported.iter().all(|cases| cases.len() == 1), "{reported:?}");
    assert_eq!(reported.iter().flatten().collect::<BTreeSet<_>>().len(), 2);
    ran.verdict("idempotency/header-names-in-either-case", "pass");
}

#[test]
fn what_one_command_does_not_show_is_shown_by_a_script() {
    let ran = probity("check --seed 5 --fault key-race --only idempotency/same-key-at-once").exits(1);
    ran.says("one command does not show this").says("wait");
    let failure = ran.requirement("idempotency/same-key-at-once")["failures"][0].clone();
    let script = failure["script"].as_str().expect("a script").to_owned();
    assert_eq!(script.lines().filter(|line| line.ends_with(" &")).count(), 8, "{script}");
    assert!(script.starts_with("tag=$("), "a run tag of its own: {script}");
    let ran = probity("check --seed 5 --fault probability-unchecked --only schema/probability-maximum").exits(1);
    ran.never_says("script");
    let failure = ran.requirement("schema/probability-maximum")["failures"][0].clone();
    assert_eq!(failure["smallest"], true);
    let request = &failure["exchanges"][0]["request"];
    assert_eq!(
        request["body"].as_str().map(|b| b.contains("owner_id")),
        Some(false),
        "the plainest context: {request}"
    );
}

#[test]
fn the_wrong_part_of_an_answer_is_marked() {
    let ran = probity("check --seed 5 --fault value-in-cents --only response/value-in-dollars").exits(1);
    ran.says("\"value\":⟪");
    let ran = probity("check --seed 5 --fault answer-not-json --only operation/response-201-shape").exits(1);
    ran.says("not JSON: key must be a string, line 1 column").says("⟪here⟫");
}
