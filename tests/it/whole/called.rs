//! Contracts whose steps call other operations.

use super::app::{self, Bug, TOKEN, Way, shop, shop_in_ways};
use crate::support::schema::{self, Schema};
use crate::support::server::Server;
use crate::support::{Probity, each, probity};

const CONTRACT: &str = include_str!("../../contracts/shop/contract.yaml");
const ORDERS: &str = include_str!("../../contracts/shop/orders.yaml");

fn with(words: &str, orders: &str) -> Probity {
    probity(&format!("{words} --contract shop"))
        .file("shop/shop.yaml", app::DOCUMENT)
        .file("shop/contract.yaml", CONTRACT)
        .file("shop/orders.yaml", orders)
        .env("PROBITY_TOKEN", TOKEN)
}

fn check(server: &Server, words: &str) -> Probity {
    with(&format!("check --seed 1 --target {} {words}", server.url()), ORDERS)
}

#[test]
fn a_right_shop_keeps_what_is_said_of_several_operations() {
    let server = shop(&[]);
    let ran = check(&server, "--report har").exits(0);
    for id in [
        "orders/status-as-sent",
        "orders/own-orders",
        "createOrder/operation/answered",
        "createOrder/operation/response-201-shape",
        "listOrdersOfCustomer/operation/no-server-error",
        "listOrdersOfCustomer/operation/response-200-shape",
    ] {
        ran.verdict(id, "pass");
    }
    assert_eq!(ran.ids("fail"), Vec::<String>::new());
    // Each record of each operation is listed.
    let created = |path: &str| {
        let posts = server.requests().into_iter().filter(|r| r.method == "POST" && r.target == path);
        posts.count()
    };
    let orders = created("/orders");
    assert!(orders >= 2, "{orders} orders");
    let created = ran.read("reports/created.ndjson");
    let listed = created.lines().filter(|line| line.contains("orders/") && line.contains("\"order")).count();
    assert!(listed >= orders, "{listed} of {orders} orders are listed: {created}");
    // A recording of the run shows the same of them.
    probity(&format!("judge reports/exchanges.har --out judged --contract shop --target {}", server.url()))
        .within(ran.folder())
        .env("PROBITY_TOKEN", TOKEN)
        .exits(0);
    let report: serde_json::Value = serde_json::from_str(&ran.read("judged/report.json")).expect("a report");
    let of_list = |r: &&serde_json::Value| r["id"] == "listOrdersOfCustomer/operation/response-200-shape";
    let requirement = report["requirements"].as_array().expect("requirements").iter().find(of_list);
    assert_eq!(requirement.expect("the requirement")["verdict"], "pass");
}

#[test]
fn honest_ways_break_nothing() {
    each(&Way::ALL, |way| {
        let ran = check(&shop_in_ways(&[], &[*way]), "").run();
        let failed = ran.ids("fail");
        assert!(!failed.iter().any(|id| id.to_lowercase().contains("orders")), "{way:?}: {failed:?}");
    });
}

#[test]
fn what_only_several_operations_show_is_found() {
    for (bug, id) in [(Bug::DefaultWins, "orders/status-as-sent"), (Bug::OrdersOfOthers, "orders/own-orders")] {
        let ran = check(&shop(&[bug]), "").exits(1);
        assert_eq!(ran.ids("fail"), [id], "{bug:?}");
        let failure = ran.requirement(id).to_string();
        assert!(failure.contains("/orders"), "the requests are shown: {failure}");
        // What is sent again fails again, and holds where it was mended.
        for (server, code) in [(shop(&[bug]), 1), (shop(&[]), 0)] {
            let again = probity(&format!("replay --contract shop --target {}", server.url()));
            again.within(ran.folder()).env("PROBITY_TOKEN", TOKEN).exits(code);
        }
    }
}

#[test]
fn what_is_wrong_with_a_call_is_told_where_it_stands() {
    let list = "call: listOrdersOfCustomer, path: { customer_id: { cel: customer.response.body.id } }";
    for (from, to, why) in [
        ("call: createOrder, set", "call: createOrders, set", "`createOrders` is not among the contract's operations"),
        ("call: createOrder, set", "call: getOrder, set", "`getOrder` is not among the contract's operations"),
        ("call: createOrder, set", "call: createCustomer, set", "`createCustomer` is the contract's own operation"),
        (list, "call: listOrdersOfCustomer", "the step gives no value for `customer_id` in the path of"),
        (list, "call: listOrdersOfCustomer, path: { customer_id: x }, set: { /name: x }", "no body for the request of"),
        (list, "repeat: order, call: createOrder", "a step that repeats another calls the same operation"),
        ("/status: paid", "/state: paid", "the document's request body has no field `/state`"),
        ("call: createOrder, set", "call: createOrder, from: varied, set", "made from its smallest valid one"),
    ] {
        let orders = ORDERS.replacen(from, to, 1);
        assert_ne!(orders, ORDERS, "{from}");
        with("list", &orders).exits(2).complains(why).complains("shop/orders.yaml:");
    }
    let contract = CONTRACT.replace("listOrdersOfCustomer", "listOrdersOfCostumer");
    with("list", ORDERS)
        .file("shop/contract.yaml", contract)
        .exits(2)
        .complains("no operation of the document matches");
}

#[test]
fn what_a_called_operation_created_is_not_removed_as_if_the_own_had() {
    let server = shop(&[]);
    let settings = format!("[target]\nurl = \"{}\"\n[cleanup]\npath = \"/customers/{{id}}\"\n", server.url());
    let ran = with("check --seed 1", ORDERS).file("probity.toml", settings).exits(0);
    let removed: Vec<String> =
        server.requests().into_iter().filter(|r| r.method == "DELETE").map(|r| r.target).collect();
    assert!(!removed.is_empty() && removed.iter().all(|path| path.starts_with("/customers/c_")), "{removed:?}");
    let left = ran.report()["cleanup"]["left"].to_string();
    assert!(left.contains("`createOrder` created it"), "{left}");
    assert!(ran.read("reports/created.ndjson").contains(r#""operation":"createOrder""#));
}

#[test]
fn what_a_called_operation_answers_is_judged_by_itself() {
    let server = shop(&[Bug::WrongStatus]);
    let ran = check(&server, "--deny should").exits(1);
    ran.verdict("createOrder/operation/documented-status", "fail");
    for (server, word) in [(shop(&[Bug::WrongStatus]), "still fails"), (shop(&[]), "no longer fails")] {
        let words = "replay --only createOrder/operation/documented-status --contract shop --target";
        let again = probity(&format!("{words} {}", server.url())).within(ran.folder()).env("PROBITY_TOKEN", TOKEN);
        again.run().says(word);
    }
    // Asked for by itself, it is tried by a scenario that calls it.
    let ran = check(&shop(&[]), "--only createOrder/operation/response-201-shape").exits(0);
    ran.verdict("createOrder/operation/response-201-shape", "pass");
}

#[test]
fn what_no_step_calls_is_asked_of_nobody() {
    let contract = "spec: shop.yaml\noperation: createCustomer\noperations: ['*']\n";
    let server = shop(&[]);
    let words = format!("check --seed 1 --target {}", server.url());
    let ran = with(&words, ORDERS).file("shop/contract.yaml", contract).exits(0);
    let report = ran.report().to_string();
    assert!(report.contains("createOrder/operation/answered") && !report.contains("getOrder/operation"));
    // A call without credentials says nothing of the contract's own operation.
    let health = "- id: up\n  level: must\n  text: It is up.\n  source: handbook\n  steps:\n    \
                  - sent: { call: health, authorization: ~ }\n  expect: sent.accepted\n";
    let ran = with(&words, health).file("shop/contract.yaml", contract).exits(0);
    ran.verdict("security/credentials-required", "pass").verdict("orders/up", "pass");
}

#[test]
fn init_begins_settings_and_a_contract() {
    let server = shop(&[]);
    let url = server.url();
    let ran = probity(&format!("init --document shop.yaml --target {url}")).file("shop.yaml", app::DOCUMENT);
    let ran = ran.env("PROBITY_TOKEN", TOKEN).exits(0);
    ran.says("probity check --contract shop").says("13 of 14 operations would be called");
    assert!(server.requests().is_empty(), "nothing is sent");
    for words in ["check --seed 1 --contract shop", "check --seed 1 --document shop.yaml", "lint --contract shop"] {
        probity(words).within(ran.folder()).env("PROBITY_TOKEN", TOKEN).exits(0);
        if words.contains("check --seed 1 --contract") {
            ran.verdict("records/read-back", "pass");
        }
    }
    let stored = shop(&[Bug::NotStored]);
    let words = format!("check --seed 1 --contract shop --target {} --deny should", stored.url());
    probity(&words).within(ran.folder()).env("PROBITY_TOKEN", TOKEN).exits(1);
    assert_eq!(ran.ids("fail"), ["records/read-back"]);
    // Nothing is overwritten.
    let again = probity(&format!("init --document shop.yaml --target {url}")).within(ran.folder());
    again.exits(2).complains("probity.toml already exists");
    let text = ran.read("shop/records.yaml");
    assert!(text.contains("call: \"getCustomer\"") && text.contains("read.response.body.name"), "{text}");
    Schema::of("settings").fits("probity.toml", &schema::toml(&ran.read("probity.toml")));
    Schema::of("contract").fits("contract.yaml", &schema::yaml(&ran.read("shop/contract.yaml")));
    Schema::of("cases").fits("records.yaml", &schema::yaml(&text));
    // From a server, the document is kept beside the contract.
    let ran =
        probity(&format!("init --document {url}/openapi.yaml --target {url}")).env("PROBITY_TOKEN", TOKEN).exits(0);
    assert!(ran.read("openapi/openapi.yaml").contains("createOrder"));
    probity("check --seed 1 --contract openapi").within(ran.folder()).env("PROBITY_TOKEN", TOKEN).exits(0);
}

#[test]
fn the_tutorial_is_this_contract() {
    let tutorial = include_str!("../../../docs/documents.md");
    for text in [CONTRACT, ORDERS] {
        assert!(tutorial.contains(text.trim()), "docs/documents.md shows: {text}");
    }
    let lines = CONTRACT.lines().chain(ORDERS.lines()).filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= 25, "{lines} lines");
}
