//! A `Location` that leads out of the collection: only where the run surely made what it names is that changed or removed.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::probity;
use crate::support::server::{Answer, Server};

const DOCUMENT: &str = include_str!("../../documents/elsewhere.yaml");

/// What is sent to change or remove users, where a sign-in is answered with this status and a user's address.
fn changes(status: u16, is_new: bool) -> Vec<String> {
    let count = AtomicU32::new(0);
    let server = Server::http(move |request| match (request.method.as_str(), request.target.as_str()) {
        ("POST", "/sessions") => {
            let user = if is_new { count.fetch_add(1, Ordering::SeqCst) } else { 7 };
            Answer::json(status, r#"{"state":"in"}"#).with("location", &format!("/users/u_{user}"))
        }
        ("GET", _) => Answer::json(200, r#"{"note":"of old"}"#),
        ("PATCH", _) => Answer::json(200, r#"{"note":"other"}"#),
        ("DELETE", _) => Answer::empty(204),
        _ => Answer::empty(404),
    });
    let words = format!("check --seed 1 --document elsewhere.yaml --target {}", server.url());
    probity(&words).file("elsewhere.yaml", DOCUMENT).run();
    let is_change = |method: &str| ["PATCH", "DELETE"].contains(&method);
    server
        .requests()
        .into_iter()
        .filter(|r| is_change(&r.method))
        .map(|r| format!("{} {}", r.method, r.target))
        .collect()
}

#[test]
fn what_was_not_created_is_left_alone() {
    assert_eq!(changes(200, true), Vec::<String>::new(), "200 does not say that it was made");
    assert_eq!(changes(201, false), Vec::<String>::new(), "several requests were answered with it");
}

#[test]
fn what_a_link_leads_to_may_be_another_record() {
    let server = Server::http(|request| match (request.method.as_str(), request.target.as_str()) {
        ("POST", "/orders") => Answer::json(201, r#"{"id":"o_1","customer":"c_9","note":"mine"}"#),
        ("GET", "/customers/c_9") => Answer::json(200, r#"{"id":"c_9","note":"theirs"}"#),
        ("DELETE", _) => Answer::empty(204),
        _ => Answer::empty(404),
    });
    let words = format!(
        "check --seed 1 --document elsewhere.yaml --operation *ustomer --operation order --target {}",
        server.url()
    );
    let ran = probity(&words).file("elsewhere.yaml", DOCUMENT).run();
    ran.verdict("getCustomer/operation/valid-accepted", "pass");
    assert_eq!(ran.ids("fail"), Vec::<String>::new());
    assert!(server.requests().iter().all(|r| r.method != "DELETE"), "nobody said that the run had made it");
}

#[test]
fn what_was_created_is_changed_and_removed() {
    let all = changes(201, true);
    assert!(
        all.iter().any(|c| c.starts_with("PATCH /users/u_")) && all.iter().any(|c| c.starts_with("DELETE ")),
        "{all:?}"
    );
}
