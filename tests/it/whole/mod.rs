//! Whole documents: every operation, without a contract.

mod apart;
mod app;
mod arazzo;
mod called;
mod carriers;
mod changes;
mod cleanup;
mod depot;
mod elsewhere;
mod guarded;
mod key;
mod late;
mod laws;
mod limits;
mod links;
mod listed;
mod partition;
mod reach;
mod store;
mod tutorial;
mod unsupported;
mod written;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use app::{Bug, TOKEN, Way, shop, shop_in_ways};

use crate::support::server::Server;
use crate::support::{Probity, each, probity};

/// A check of a server by the document that it serves.
fn check(server: &Server, words: &str) -> Probity {
    let url = server.url();
    let url = url.trim_end_matches('/');
    let seed = if words.contains("--seed") { "" } else { "--seed 1" };
    let words = format!("check {seed} --document {url}/openapi.yaml --target {url} {words}");
    probity(&words).env("PROBITY_TOKEN", TOKEN)
}

/// The operations that were called, by method and path, numbers and ids apart.
fn called(server: &Server) -> BTreeSet<String> {
    let path = |target: &str| {
        let path = target.split('?').next().unwrap_or_default().to_owned();
        let is_id =
            |segment: &str| segment.starts_with("c_") || segment.chars().next().is_some_and(|c| c.is_ascii_digit());
        path.split('/').map(|segment| if is_id(segment) { "{}" } else { segment }).collect::<Vec<_>>().join("/")
    };
    server.requests().iter().map(|r| format!("{} {}", r.method, path(&r.target))).collect()
}

#[test]
fn a_right_shop_conforms_in_every_operation() {
    let server = shop(&[]);
    let ran = check(&server, "").exits(0);
    assert_eq!(ran.ids("fail"), Vec::<String>::new());
    assert_eq!(ran.ids("inconclusive"), Vec::<String>::new());
    let called = called(&server);
    for operation in [
        "GET /health",
        "GET /customers",
        "POST /customers",
        "GET /customers/{}",
        "PATCH /customers/{}",
        "DELETE /customers/{}",
        "GET /customers/{}/orders",
        "GET /orders",
        "POST /orders",
        "GET /orders/{}",
        "PUT /orders/{}",
        "DELETE /orders/{}",
        "POST /orders/{}/cancel",
    ] {
        assert!(called.contains(operation), "{operation} in {called:#?}");
    }
    assert!(!called.iter().any(|c| c.ends_with("/account")), "what there is only one of is left alone");
    ran.says("operation 'replaceAccount'");
    for id in
        ["createOrder/schema/price-maximum", "getOrder/operation/response-200-shape", "cancelOrder/operation/answered"]
    {
        ran.verdict(id, "pass");
    }
    assert!(server.requests().len() < 800, "{}", server.requests().len());
    let report = ran.report();
    assert_eq!(report["header"]["contract"]["operations"].as_array().map(Vec::len), Some(14));
    let requirement = ran.requirement("createOrder/schema/price-maximum");
    assert_eq!((&requirement["area"], &requirement["operation"]), (&"schema".into(), &"createOrder".into()));
    // Each exchange has a number of its own.
    let numbers: Vec<u64> = ran.exchanges().iter().filter_map(|e| e["number"].as_u64()).collect();
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
}

#[test]
fn operations_are_chosen_by_id_place_and_tag() {
    let server = shop(&[]);
    check(&server, "--operation replaceAccount").exits(0);
    assert_eq!(called(&server).into_iter().filter(|c| !c.contains("openapi")).collect::<Vec<_>>(), ["PUT /account"]);
    let server = shop(&[]);
    check(&server, "--operation customers --skip-operation DELETE*").exits(0);
    let called = called(&server);
    assert!(
        called.contains("PATCH /customers/{}")
            && !called.iter().any(|c| c.starts_with("DELETE") || c.contains("orders"))
    );
    check(&server, "--operation costumers").exits(2).complains("no operation of the document matches `costumers`");
    check(&server, "--operation health --skip-operation health").exits(2).complains("no operation is left");
}

#[test]
fn a_document_that_cannot_be_read_is_told() {
    let server = shop(&[]);
    let url = server.url();
    let none = crate::support::server::nowhere();
    for (document, why) in [
        (format!("{url}/nothing.yaml"), "cannot read the document: the server answered 401"),
        (format!("{none}/openapi.yaml"), "cannot read the document: "),
        ("http://".to_owned(), "--document is not a URL"),
        ("missing.yaml".to_owned(), "cannot read missing.yaml"),
        (format!("{url}/health"), "error"),
    ] {
        probity(&format!("check --document {document} --target {url}")).exits(2).complains(why);
    }
    probity("check --document missing.yaml --contract x").exits(2);
    probity("check --operation x").exits(2);
}

#[test]
fn a_server_that_refuses_everything_is_no_target() {
    let server = shop(&[]);
    let ran = check(&server, "--skip-operation health").env("PROBITY_TOKEN", "wrong-token-of-some-length").exits(3);
    ran.says("no operation accepted a request");
}

#[test]
fn data_elsewhere_is_changed_only_if_that_is_meant() {
    let ran = probity("plan --document shop.yaml --target https://staging.example.com --json")
        .file("shop.yaml", app::DOCUMENT);
    let plan: serde_json::Value = serde_json::from_str(&ran.exits(0).stdout).expect("JSON");
    for operation in plan["operations"].as_array().expect("operations") {
        let is_withheld = operation["skipped"].as_str().is_some_and(|why| why.contains("--allow-unsafe"));
        assert_eq!(is_withheld, operation["method"] != "GET", "{operation:#}");
    }
}

#[test]
fn the_plan_says_where_values_come_from() {
    let server = shop(&[]);
    let url = server.url();
    let ran = probity(&format!("plan --document {url}/openapi.yaml --target {url}")).exits(0);
    ran.says("order_id: from what createOrder answers")
        .says("operation 'replaceAccount'")
        .says("14 operations in this order");
    let list = probity(&format!("list --document {url}/openapi.yaml")).exits(0);
    // The table of the documentation is that of this shop, shortened.
    let plan = probity("plan --document shop.yaml --seed 1").file("shop.yaml", app::DOCUMENT).exits(0);
    let table =
        include_str!("../../../docs/documents.md").split("```").find(|t| t.contains("operation   ")).expect("a table");
    for line in table.lines().filter(|line| line.starts_with("  ")) {
        let whole = line.trim_end_matches(" …");
        assert!(plan.stdout.lines().any(|l| l.starts_with(whole)), "docs/documents.md shows: {line}");
    }
    probity("lint --document shop.yaml").file("shop.yaml", app::DOCUMENT).exits(0).says("no defect found");
    list.says("createOrder/schema/price-maximum").says("deleteCustomer/operation/answered");
    let explained = probity(&format!(
        "explain --document {url}/openapi.yaml --operation createOrder createOrder/schema/price-maximum"
    ));
    explained.exits(0).says("price-maximum");
}

#[test]
fn what_is_wrong_is_found_by_the_document_alone() {
    let all = [
        (Bug::NotStored, "getCustomer/law/read-back"),
        (Bug::DeletesNothing, "deleteOrder/law/gone"),
        (Bug::FilterIgnored, "listOrders/law/filtered-by-status"),
        (Bug::OneTooMany, "listCustomers/law/at-most-limit"),
        (Bug::PriceInCents, "getOrder/law/read-back"),
        (Bug::EmptyNote, "createCustomer/operation/no-server-error"),
        (Bug::NoBodyNeeded, "createCustomer/operation/body-required"),
        (Bug::UpdateForgets, "updateCustomer/law/read-back"),
        (Bug::UpdateIgnored, "updateCustomer/law/read-back"),
        (Bug::WrongStatus, "createOrder/operation/documented-status"),
        (Bug::TokenNotChecked, "getOrder/security/credentials-required"),
        (Bug::AnyIdWillDo, "getCustomer/law/unknown-id"),
        (Bug::DeletedTwice, "deleteCustomer/law/deleted-twice"),
    ];
    each(&all, |(bug, requirement)| {
        let server = shop(&[*bug]);
        let ran = check(&server, "--deny should").exits(1);
        ran.verdict(requirement, "fail");
        // What fails can be tried by itself.
        let server = shop(&[*bug]);
        let ran = check(&server, &format!("--deny should --only {requirement}")).exits(1);
        assert_eq!(ran.ids("fail"), [*requirement], "{bug:?}");
    });
}

#[test]
fn a_server_error_of_a_law_is_added_to_the_others() {
    let server = shop(&[Bug::DeletedTwice]);
    let ran = check(&server, "").exits(1);
    let counts = &ran.requirement("deleteCustomer/operation/no-server-error")["counts"];
    assert!(counts["broken"] == 1 && counts["holds"].as_u64().is_some_and(|n| n > 0), "{counts}");
}

#[test]
fn a_failed_law_shows_what_was_written_and_what_was_read() {
    let server = shop(&[Bug::PriceInCents]);
    let ran = check(&server, "").exits(0);
    let failure = &ran.requirement("getOrder/law/read-back")["failures"][0];
    let exchanges = failure["exchanges"].as_array().expect("exchanges");
    let methods: Vec<&str> = exchanges.iter().filter_map(|e| e["request"]["method"].as_str()).collect();
    assert_eq!(methods, ["POST", "GET"]);
    assert_eq!(failure["wrong"], "/price");
    assert!(failure["expected"].as_str().is_some_and(|due| due.ends_with(" at /price")), "{failure:#}");
}

#[test]
fn what_the_document_leaves_open_is_no_failure() {
    each(&Way::ALL, |way| {
        let server = shop_in_ways(&[], &[*way]);
        let ran = check(&server, "--deny should").run();
        assert_eq!(ran.ids("fail"), Vec::<String>::new(), "{way:?}");
        assert_eq!(ran.code, Some(0), "{way:?}: {}", ran.stdout);
    });
}

#[test]
fn no_record_is_unaccounted_for() {
    let server = shop(&[]);
    let ran = check(&server, "").exits(0);
    let made = server.requests().iter().filter(|r| r.method == "POST" && !r.target.ends_with("/cancel")).count();
    let lines = ran.read("reports/created.ndjson");
    let intended = lines
        .lines()
        .filter(|line| line.contains("\"intended\"") && line.contains("\"POST\"") && !line.contains("/cancel"))
        .count();
    assert_eq!(intended, made);
    // As many as the user allows, and no more.
    let server = shop(&[]);
    let ran = check(&server, "--max-created 20 --max-requests 200").exits(4);
    let figures = ran.report()["figures"].clone();
    let made = figures["created"].as_u64().unwrap_or_default() + figures["uncertain"].as_u64().unwrap_or_default();
    assert!((10..=20).contains(&made), "{figures}");
    // The document is fetched beside that, and what was created is removed.
    let sent = server.requests().iter().filter(|r| r.method != "DELETE").count();
    assert!((100..=201).contains(&sent), "{sent}");
}

#[test]
fn what_was_created_is_removed_again() {
    let ask = |server: &Server, path: &str| {
        let mut stream = TcpStream::connect(server.url().trim_start_matches("http://")).expect("a connection");
        let head = format!("GET {path} HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("a request");
        stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a limit");
        let mut answer = Vec::new();
        // The connection stays open: what came until then is all.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    for words in ["", "--only createOrder/*"] {
        let server = shop(&[]);
        let ran = check(&server, words).exits(0);
        let cleanup = &ran.report()["cleanup"];
        assert!(cleanup["removed"].as_u64().is_some_and(|n| n > 2), "{words}: {cleanup}");
        assert_eq!(cleanup["left"], serde_json::json!([]), "{words}");
        assert!(ask(&server, "/customers").contains("\"total\":0"), "{words}");
        assert!(ask(&server, "/orders").ends_with("[]"), "{words}");
    }
    let server = shop(&[]);
    check(&server, "--no-cleanup").exits(0);
    assert!(!ask(&server, "/customers").contains("\"total\":0"));
    // What cannot be removed is listed.
    let server = shop(&[]);
    let ran = check(&server, "--skip-operation deleteOrder").exits(0);
    let left = ran.report()["cleanup"]["left"].as_array().expect("a list").clone();
    assert!(
        !left.is_empty() && left.iter().all(|l| l["reason"] == "no operation of the document removes it"),
        "{left:#?}"
    );
}

#[test]
fn what_was_not_reached_counts_if_that_is_asked_for() {
    let server = shop(&[]);
    let ran = check(&server, "--skip-operation delete*").exits(0);
    ran.says("1 of 12 operations were not reached");
    check(&server, "--skip-operation delete* --deny unreached").exits(4).says("1 of 12 operations were not reached");
    check(&server, "--operation health --deny unreached").exits(0);
    // Areas are behind the operation.
    let server = shop(&[Bug::PriceInCents]);
    check(&server, "--deny law").exits(1);
}

#[test]
fn open_operations_do_not_hide_that_no_token_works() {
    let server = shop(&[]);
    let url = server.url();
    let url = url.trim_end_matches('/');
    let words = format!("check --seed 1 --document {url}/openapi.yaml --target {url} --report badge");
    for token in [None, Some("another-token-of-some-length")] {
        let ran = probity(&words);
        let ran = if let Some(token) = token { ran.env("PROBITY_TOKEN", token) } else { ran };
        let ran = ran.exits(4);
        ran.says("no operation that asks for credentials was reached").verdict("health/operation/answered", "pass");
    }
    // Whoever asks for what is open alone needs none.
    probity(&format!("{words} --operation health")).exits(0);
}

#[test]
fn what_is_not_tested_may_remove_what_was_created() {
    let server = shop(&[]);
    let ran = check(&server, "--operation createCustomer --operation getCustomer").exits(0);
    let cleanup = &ran.report()["cleanup"];
    assert!(
        cleanup["removed"].as_u64().is_some_and(|n| n > 2) && cleanup["left"] == serde_json::json!([]),
        "{cleanup}"
    );
    // What must not be called, is not; what is left is told.
    let server = shop(&[]);
    let ran = check(&server, "--operation createCustomer --skip-operation deleteCustomer").exits(0);
    ran.says("records removed").holds(!called(&server).contains("DELETE /customers/{}"), "it is left alone");
    let left = ran.report()["cleanup"]["left"].as_array().map_or(0, Vec::len);
    assert!(left > 2, "{left}");
}

#[test]
fn what_failed_in_a_document_is_tried_again_by_a_check() {
    let server = shop(&[Bug::PriceInCents, Bug::EmptyNote]);
    let ran = check(&server, "--deny should").exits(1);
    let again = "--rerun-failed reports/report.json";
    ran.says(again);
    probity("replay").within(ran.folder()).env("PROBITY_TOKEN", TOKEN).exits(2).complains(again);
    let command = ran.report()["header"]["command"].as_str().expect("a command").to_owned();
    let words = command.strip_prefix("probity ").expect("a command of ours").to_owned();
    let rerun = probity(&format!("{words} {again} --deny should --out again"));
    let rerun = rerun.within(ran.folder()).env("PROBITY_TOKEN", TOKEN).exits(1);
    rerun.says("getOrder/law/read-back");
}
