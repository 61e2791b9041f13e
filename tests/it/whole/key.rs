//! The header of the idempotency key is a header like others: required, and as long as the document says.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::probity;
use crate::support::server::{Answer, Server};

const DOCUMENT: &str = r#"
openapi: 3.0.3
info: { title: Notes, version: "1" }
paths:
  /notes:
    post:
      operationId: createNote
      parameters:
        - { name: Idempotency-Key, in: header, required: true, schema: { type: string, minLength: 4, maxLength: 20 } }
      requestBody:
        required: true
        content:
          application/json:
            schema: { type: object, required: [text], properties: { text: { type: string, minLength: 1, maxLength: 50 } } }
      responses:
        "201": { description: made, content: { application/json: { schema: { type: object, required: [id] } } } }
        "400": { description: refused }
"#;

/// Makes notes; refuses a key of the wrong length, and none where one is required.
fn notes(required: bool) -> Server {
    notes_with(required, |key| (4..=20).contains(&key.chars().count()))
}

fn notes_with(required: bool, is_good: fn(&str) -> bool) -> Server {
    let made = AtomicU64::new(0);
    Server::http(move |request| {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let text = body["text"].as_str().map(|text| text.chars().count());
        let is_key = request.header("idempotency-key").map_or(!required, is_good);
        if !is_key || !text.is_some_and(|length| (1..=50).contains(&length)) {
            return Answer::empty(400);
        }
        Answer::json(201, &format!("{{\"id\": {}}}", made.fetch_add(1, Ordering::Relaxed)))
    })
}

#[test]
fn keys_are_as_long_as_the_document_says() {
    let server = notes(true);
    let words = format!("check --seed 1 --document notes.yaml --target {}", server.url());
    let ran = probity(&words).file("notes.yaml", DOCUMENT).exits(0);
    ran.verdict("createNote/schema/header-idempotency-key-required", "pass");
    ran.verdict("createNote/operation/valid-accepted", "pass");
}

#[test]
fn keys_have_the_form_that_the_document_says() {
    let is_uuid = |key: &str| {
        let parts: Vec<&str> = key.split('-').collect();
        parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
            && parts.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let server = notes_with(true, is_uuid);
    let document = DOCUMENT.replace("minLength: 4, maxLength: 20", "format: uuid");
    let words = format!("check --seed 1 --document notes.yaml --target {}", server.url());
    let ran = probity(&words).file("notes.yaml", document).exits(0);
    ran.verdict("createNote/schema/header-idempotency-key-required", "pass");
    ran.verdict("createNote/operation/valid-accepted", "pass");
    let keys: Vec<_> =
        server.requests().iter().filter_map(|r| r.header("idempotency-key").map(str::to_owned)).collect();
    let different: std::collections::BTreeSet<_> = keys.iter().collect();
    assert!(keys.len() > 3 && different.len() == keys.len(), "{keys:?}");
}

#[test]
fn a_key_that_is_required_is_left_out() {
    let server = notes(false);
    let words = format!("check --seed 1 --document notes.yaml --target {}", server.url());
    let ran = probity(&words).file("notes.yaml", DOCUMENT).exits(1);
    assert_eq!(ran.ids("fail"), ["createNote/schema/header-idempotency-key-required"]);
}

#[test]
fn a_case_about_the_key_holds_nothing_else_against_the_server() {
    let server = notes(true);
    let case = |id: &str, key: &str| {
        format!(
            "- id: {id}\n  level: must\n  text: Something.\n  source: nowhere\n  steps:\n    - sent: {{ headers: {{ Idempotency-Key: {key} }} }}\n  expect: sent.refused\n"
        )
    };
    let cases = case("left-out", "null") + &case("long", "{ fresh: key, length: 21 }");
    probity(&format!("check --seed 1 --contract notes --target {}", server.url()))
        .file("notes/notes.yaml", DOCUMENT)
        .file("notes/contract.yaml", "spec: notes.yaml\noperation: createNote\nrecord: response.body.id\n")
        .file("notes/keys.yaml", cases)
        .exits(0)
        .verdict("keys/left-out", "pass")
        .verdict("keys/long", "pass");
}
