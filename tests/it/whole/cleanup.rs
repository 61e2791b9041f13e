//! Records of a document's run are removed as what they are, and also after a run that was killed.

use std::collections::BTreeSet;

use super::app::{TOKEN, shop};
use super::check;
use crate::support::probity;
use crate::support::server::Server;

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
