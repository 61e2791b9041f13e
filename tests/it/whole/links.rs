//! Operations that only the document's links connect.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::support::probity;
use crate::support::server::{Answer, Server};

const DOCUMENT: &str = include_str!("../../documents/desk.yaml");

/// A desk. What is `changed` is shown in capitals.
fn desk(changed: bool) -> Server {
    let tickets: Mutex<BTreeMap<String, Value>> = Mutex::default();
    Server::http(move |request| {
        let mut tickets = tickets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let number = request.target.rsplit('/').next().unwrap_or_default().to_owned();
        match (request.method.as_str(), request.target.as_str()) {
            ("GET", "/me") => Answer::json(200, r#"{"team":{"name":"blue"}}"#),
            ("GET", "/teams/blue?part=members") => Answer::json(200, "{}"),
            ("POST", "/open-ticket") => {
                let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                let Some(subject) = body["subject"].as_str() else { return Answer::empty(422) };
                let number = format!("T-{}", 1000 + tickets.len());
                tickets.insert(number.clone(), json!({ "id": number, "subject": subject }));
                Answer::json(201, &tickets[&number].to_string())
            }
            ("GET", _) if tickets.get(&number).is_some_and(|ticket| !ticket.is_null()) => {
                let mut shown = tickets[&number].clone();
                if changed {
                    shown["subject"] = shown["subject"].as_str().unwrap_or_default().to_uppercase().into();
                }
                Answer::json(200, &shown.to_string())
            }
            ("DELETE", _) if tickets.get(&number).is_some_and(|ticket| !ticket.is_null()) => {
                tickets.insert(number, Value::Null);
                Answer::empty(204)
            }
            _ => Answer::empty(404),
        }
    })
}

fn check(changed: bool) -> crate::support::Ran {
    let server = desk(changed);
    let words = format!("check --seed 1 --document desk.yaml --target {}", server.url());
    probity(&words).file("desk.yaml", DOCUMENT).exits(0)
}

#[test]
fn what_the_document_links_is_reached() {
    let ran = check(false);
    assert_eq!(ran.ids("fail"), Vec::<String>::new());
    for operation in ["team", "ticket", "closeTicket"] {
        ran.verdict(&format!("{operation}/operation/valid-accepted"), "pass");
    }
    ran.verdict("ticket/law/read-back", "pass").verdict("closeTicket/law/gone", "pass");
    let cleanup = &ran.report()["cleanup"];
    assert!(cleanup["removed"].as_u64().is_some_and(|n| n > 2) && cleanup["left"] == json!([]), "{cleanup}");
    let plan = probity("plan --document desk.yaml --seed 1").file("desk.yaml", DOCUMENT).exits(0);
    plan.says("number: from what openTicket answers").says("name: from what me answers");
}

#[test]
fn what_is_read_by_a_link_is_compared() {
    assert_eq!(check(true).ids("fail"), ["ticket/law/read-back"]);
}

#[test]
fn a_link_that_leads_to_nothing_is_told() {
    let broken = DOCUMENT.replace("operationId: team, parameters", "operationId: teem, parameters");
    let lint = probity("lint --document desk.yaml").file("desk.yaml", &broken).run();
    lint.complains("this link names no operation of the document");
}
