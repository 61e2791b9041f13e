//! Records of a document's run are removed as what they are, and also after a run that was killed.

use std::collections::BTreeSet;

use super::app::{TOKEN, shop};
use super::check;
use crate::support::probity;
use crate::support::server::{Answer, Server};

fn deleted(server: &Server) -> BTreeSet<String> {
    server.requests().into_iter().filter(|r| r.method == "DELETE").map(|r| r.target).collect()
}

#[test]
fn a_path_of_the_settings_removes_only_records_of_its_kind() {
    let server = shop(&[]);
    let settings = format!("[target]\nurl = \"{}\"\n\n[cleanup]\npath = \"/orders/{{id}}\"\n", server.url());
    let ran = check(&server, "--skip-operation delete* --operation createCustomer --operation createOrder")
        .file("probity.toml", settings)
        .exits(0);
    let lines = ran.read("reports/created.ndjson");
    let created = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let created: Vec<_> = created.filter(|line| line["event"] == "created").collect();
    let of = |operation: &str| {
        let own = created.iter().filter(|line| line["operation"] == operation);
        own.map(|line| line["id"].as_str().expect("an id").to_owned()).collect::<BTreeSet<_>>()
    };
    let (orders, customers) = (of("createOrder"), of("createCustomer"));
    assert!(!orders.is_empty() && !customers.is_empty(), "{lines}");
    assert_eq!(deleted(&server), orders.iter().map(|id| format!("/orders/{id}")).collect());
    let report = ran.report();
    let left = report["cleanup"]["left"].as_array().expect("a list");
    let ids: BTreeSet<String> = left.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(ids, customers, "what it is not about is listed");
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_documents_own_operations() {
    let server = shop(&[]);
    let ran = check(&server, "--no-cleanup --operation createCustomer --operation createOrder").exits(0);
    assert!(deleted(&server).is_empty());
    let url = server.url();
    let url = url.trim_end_matches('/');
    let cleaned = probity(&format!("cleanup --document {url}/openapi.yaml --target {url}"))
        .within(ran.folder())
        .env("PROBITY_TOKEN", TOKEN)
        .exits(0);
    let created = ran.report()["figures"]["created"].as_u64().expect("a number");
    assert!(created > 2);
    cleaned.says(&format!("{created} records removed, 0 left"));
    let deleted = deleted(&server);
    assert_eq!(deleted.len() as u64, created);
    assert!(deleted.iter().any(|path| path.starts_with("/customers/c_")), "{deleted:?}");
    assert!(deleted.iter().any(|path| path.starts_with("/orders/")), "{deleted:?}");
}

const TAGS: &str = r##"
openapi: 3.0.3
info: { title: Tags, version: "1" }
paths:
  /tags:
    post:
      operationId: findOrCreateTag
      requestBody:
        required: true
        content:
          application/json:
            schema: { type: object, required: [name], properties: { name: { type: string, minLength: 1, maxLength: 40 } } }
      responses:
        "200": { description: it, content: { application/json: { schema: { type: object, required: [id] } } } }
        "400": { description: refused }
  /tags/{tag_id}:
    delete:
      operationId: deleteTag
      parameters: [{ name: tag_id, in: path, required: true, schema: { type: integer } }]
      responses: { "204": { description: gone } }
"##;

/// A record that was there before the run is nobody's to remove.
#[test]
fn what_several_requests_are_answered_with_is_left_alone() {
    let server = Server::http(|request| {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let length = body["name"].as_str().map_or(0, |name| name.chars().count());
        match (request.method.as_str(), (1..=40).contains(&length)) {
            ("DELETE", _) => Answer::empty(204),
            (_, true) => Answer::json(200, r#"{"id": 17}"#),
            _ => Answer::empty(400),
        }
    });
    let words = format!("check --seed 1 --skip-operation deleteTag --document tags.yaml --target {}", server.url());
    let ran = probity(&words).file("tags.yaml", TAGS).exits(0);
    assert_eq!(ran.report()["figures"]["created"], 1, "it is counted once");
    let cleaned =
        probity(&format!("cleanup --document tags.yaml --target {}", server.url())).within(ran.folder()).exits(1);
    cleaned.says("0 records removed, 1 left").says("it may have been there before the run");
    assert!(deleted(&server).is_empty());
}
