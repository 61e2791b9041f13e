//! Contracts whose steps call other operations.

use super::app::{self, Bug, TOKEN, Way, shop, shop_in_ways};
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
fn the_tutorial_is_this_contract() {
    let tutorial = include_str!("../../../docs/documents.md");
    for text in [CONTRACT, ORDERS] {
        assert!(tutorial.contains(text.trim()), "docs/documents.md shows: {text}");
    }
    let lines = CONTRACT.lines().chain(ORDERS.lines()).filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= 25, "{lines} lines");
}
