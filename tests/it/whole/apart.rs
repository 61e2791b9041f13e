//! Operations of one server that fare apart: each is judged by itself, and none ends the others.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::json;

use super::{TOKEN, check};
use crate::support::server::{Answer, Request, Server};
use crate::support::{Ran, probity};

/// A document with these operations: method, path, and whether it asks for a token.
fn document(operations: &[(&str, &str, bool)]) -> String {
    let thing = json!({
        "type": "object", "required": ["id", "size"],
        "properties": { "id": { "type": "string" }, "size": { "type": "integer" }, "state": { "type": "string" } },
    });
    let content = |schema: &serde_json::Value| json!({ "application/json": { "schema": schema } });
    let mut paths = serde_json::Map::new();
    for (method, path, secured) in operations {
        let mut operation = json!({
            "responses": { "200": { "description": "fine", "content": content(&thing) }, "4XX": { "description": "no" } },
            "security": if *secured { json!([{ "bearer": [] }]) } else { json!([]) },
        });
        if ["post", "patch", "put"].contains(method) && !path.ends_with("logout") {
            let body = json!({
                "type": "object", "required": ["size"],
                "properties": {
                    "size": { "type": "integer", "minimum": 1, "maximum": 100 },
                    "state": { "type": "string", "enum": ["new", "paid", "done"] },
                },
            });
            operation["requestBody"] = json!({ "required": true, "content": content(&body) });
        }
        let item = paths.entry((*path).to_owned()).or_insert_with(|| json!({}));
        if path.contains("{id}") {
            item["parameters"] =
                json!([{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }]);
        }
        item[*method] = operation;
    }
    let document = json!({
        "openapi": "3.1.0", "info": { "title": "Things", "version": "1" }, "paths": paths,
        "components": { "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } } },
    });
    document.to_string()
}

const THING: &str = r#"{"id":"t-00001","size":1}"#;

/// A server of this document that answers as told.
fn server(operations: &[(&str, &str, bool)], answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Server {
    let document = document(operations);
    Server::http(move |request| match request.target.as_str() {
        "/openapi.yaml" => Answer::Whole(200, Vec::new(), document.clone().into()),
        _ => answer(request),
    })
}

fn is_known(request: &Request) -> bool {
    request.header("authorization") == Some(&format!("Bearer {TOKEN}"))
}

/// Whether the body keeps the schema of a thing.
fn is_valid(request: &Request) -> bool {
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
    body["size"].as_i64().is_some_and(|size| (1..=100).contains(&size))
        && (body["state"].is_null() || ["new", "paid", "done"].contains(&body["state"].as_str().unwrap_or("-")))
}

#[track_caller]
fn has_no_failure(ran: &Ran) {
    assert_eq!(ran.ids("fail"), Vec::<String>::new(), "{}", ran.stdout);
}

#[test]
fn an_operation_that_is_not_there_is_not_green() {
    let operations = [("get", "/a", false), ("get", "/b", false)];
    for status in [404, 405] {
        let server = server(&operations, move |request| match request.target.as_str() {
            "/a" => Answer::json(200, THING),
            _ => Answer::json(status, "{}"),
        });
        let ran = check(&server, "").exits(4);
        ran.verdict("GET-b/operation/valid-accepted", "inconclusive").verdict("GET-b/operation/answered", "pass");
        ran.verdict("GET-a/operation/valid-accepted", "pass");
    }
}

#[test]
fn one_operation_that_refuses_the_token_ends_no_other() {
    let operations = [("get", "/a", true), ("get", "/b", true), ("get", "/c", true)];
    let server = server(&operations, |request| match request.target.as_str() {
        "/b" => Answer::json(401, "{}"),
        _ if is_known(request) => Answer::json(200, THING),
        _ => Answer::json(401, "{}"),
    });
    let ran = check(&server, "").exits(0);
    ran.verdict("GET-c/operation/valid-accepted", "pass").verdict("GET-b/operation/valid-accepted", "skipped");
    ran.says("another operation takes the token");
}

#[test]
fn a_token_that_expires_ends_the_run() {
    let operations = [("get", "/a", true), ("get", "/b", true), ("get", "/c", true)];
    let expired = AtomicBool::new(false);
    let server = server(&operations, move |request| {
        expired.fetch_or(request.target.starts_with("/b"), Ordering::Relaxed);
        match is_known(request) && !expired.load(Ordering::Relaxed) {
            true => Answer::json(200, THING),
            false => Answer::json(401, "{}"),
        }
    });
    let ran = check(&server, "").exits(4);
    ran.verdict("GET-c/operation/valid-accepted", "untested");
    assert_eq!(ran.report()["end"]["cause"], "token");
}

#[test]
fn an_operation_without_an_answer_ends_no_other() {
    let operations = [("get", "/a", false), ("get", "/b", false), ("get", "/c", false)];
    let server = server(&operations, |request| match request.target.as_str() {
        "/b" => Answer::Hang,
        _ => Answer::json(200, THING),
    });
    let ran = check(&server, "--timeout 1s").run();
    ran.verdict("GET-c/operation/valid-accepted", "pass");
    ran.never_says("was interrupted");
    assert_ne!(ran.code, Some(0), "{}", ran.stdout);
}

#[test]
fn what_ends_a_session_is_not_called_unless_it_is_named() {
    let operations = [("get", "/a", true), ("post", "/logout", true), ("get", "/z", true)];
    let server = server(&operations, |request| match is_known(request) {
        true => Answer::json(200, THING),
        false => Answer::json(401, "{}"),
    });
    check(&server, "").exits(0).verdict("POST-logout/operation/answered", "skipped");
    assert!(!server.requests().iter().any(|r| r.target == "/logout"));
    check(&server, "--operation * --operation POST-logout").exits(2);
    check(&server, "--operation \"POST /logout\"").run();
    assert!(server.requests().iter().any(|r| r.target == "/logout"));
}

#[test]
fn errors_to_everything_are_shown() {
    let operations = [("get", "/a", false), ("post", "/things", false), ("get", "/things/{id}", false)];
    let server = server(&operations, |_| Answer::json(500, "{}"));
    let ran = check(&server, "").exits(1);
    ran.verdict("GET-a/operation/no-server-error", "fail").says("status 500").never_says("--max-requests)");
}

#[test]
fn rules_that_the_document_does_not_state_are_no_failures() {
    let operations = [("post", "/things", false), ("get", "/things/{id}", false), ("patch", "/things/{id}", false)];
    let made = AtomicU64::new(0);
    let server = server(&operations, move |request| {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match request.method.as_str() {
            "GET" => Answer::json(200, THING),
            _ if !is_valid(request) => Answer::json(422, "{}"),
            // No step back, at most so many, and none of this size.
            "PATCH" if body["state"] == "new" => Answer::json(422, r#"{"detail":"cannot go back to new"}"#),
            "POST" if made.fetch_add(1, Ordering::Relaxed) >= 4 => Answer::json(422, r#"{"detail":"quota exceeded"}"#),
            _ if body["size"] == 100 => Answer::json(400, r#"{"detail":"there is one of that size"}"#),
            _ => Answer::json(200, &json!({ "id": "t-00001", "size": 1 }).to_string()),
        }
    });
    for seed in 1..4 {
        let ran = check(&server, &format!("--seed {seed} --deny should"));
        has_no_failure(&ran.run());
    }
}

#[test]
fn a_recording_of_all_is_judged_by_the_requests_of_each() {
    let operations = [("get", "/a", false), ("get", "/b", false)];
    let server = server(&operations, |request| match request.target.as_str() {
        "/a" => Answer::json(200, THING),
        _ => Answer::json(200, "{}"),
    });
    let ran = check(&server, "--report har").exits(1);
    ran.verdict("GET-b/operation/response-200-shape", "fail");
    let har = ran.folder().join("reports/exchanges.har");
    let url = server.url();
    for (operation, code) in [("GET /a", 0), ("GET /b", 1)] {
        let judged =
            probity(&format!("judge --document {url}/openapi.yaml --target {url} --operation \"{operation}\""));
        judged.arg(&har).exits(code);
    }
}

#[test]
fn a_scheme_that_is_not_declared_is_named_and_left_out() {
    let document = document(&[("get", "/a", true)]).replace("\"bearer\":{\"type\"", "\"other\":{\"type\"");
    let ran = probity("plan --document things.json").file("things.json", document).exits(0);
    ran.says("the document does not declare the security scheme `bearer`");
}

#[test]
fn what_one_operation_answers_is_no_failure_of_others() {
    let operations =
        [("get", "/a", false), ("post", "/login", false), ("get", "/down", false), ("post", "/search", false)];
    let server = server(&operations, |request| match request.target.as_str() {
        "/login" => Answer::json(401, r#"{"detail":"wrong name or password"}"#),
        "/down" => Answer::json(503, "{}"),
        "/search" if is_valid(request) => Answer::empty(204),
        "/search" => Answer::json(422, "{}"),
        _ => Answer::json(200, THING),
    });
    let ran = check(&server, "").run();
    ran.verdict("POST-login/operation/valid-accepted", "skipped").verdict("GET-a/operation/valid-accepted", "pass");
    // It failed each time, and the document does not speak of it; nor does it speak of a 204.
    assert_eq!(ran.ids("fail"), ["GET-down/operation/no-server-error", "POST-search/operation/documented-status"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    // Neither a refused login nor a search creates anything.
    assert_eq!(ran.report()["figures"]["created"], 0);
}

#[test]
fn a_server_that_is_down_is_not_judged() {
    let operations = [("get", "/a", false), ("get", "/b", false)];
    let server = server(&operations, |_| Answer::json(503, "{}"));
    check(&server, "").exits(3).says("status 503");
}

#[test]
fn few_errors_of_each_operation_are_too_many_of_all() {
    let paths: Vec<String> = (0..8).map(|n| format!("/a{n}")).collect();
    let operations: Vec<(&str, &str, bool)> = paths.iter().map(|path| ("post", path.as_str(), false)).collect();
    let answer = |request: &Request| match is_valid(request) {
        true => Answer::json(200, THING),
        false => Answer::json(422, "{}"),
    };
    let count = AtomicU64::new(0);
    let often = server(&operations, move |request| match count.fetch_add(1, Ordering::Relaxed) % 5 {
        4 => Answer::json(503, "{}"),
        _ => answer(request),
    });
    let ran = check(&often, "").exits(1);
    assert!(ran.ids("fail").iter().all(|id| id.ends_with("/operation/no-server-error")), "{:?}", ran.ids("fail"));
    // One that comes once is none.
    let count = AtomicU64::new(0);
    let once = server(&operations, move |request| match count.fetch_add(1, Ordering::Relaxed) {
        0 | 40 => Answer::json(503, "{}"),
        _ => answer(request),
    });
    has_no_failure(&check(&once, "").exits(0));
}

#[test]
fn a_server_that_is_not_there_is_told_as_such() {
    let operations = [("get", "/a", false), ("get", "/b", false)];
    let nowhere = crate::support::server::nowhere();
    let ran = probity(&format!("check --document things.json --target {nowhere}"));
    let ran = ran.file("things.json", document(&operations)).exits(3);
    ran.says("cannot be reached").never_says("interrupted");
}

#[test]
fn failures_of_all_operations_count_for_the_end() {
    let operations = [("get", "/a", false), ("get", "/b", false), ("get", "/c", false)];
    let server = server(&operations, |_| Answer::json(200, "{}"));
    let ran = check(&server, "--max-failures 2").exits(1);
    assert_eq!(ran.report()["end"]["cause"], "max_failures");
    assert!(!server.requests().iter().any(|r| r.target == "/c"), "the third is not begun");
    ran.verdict("GET-c/operation/answered", "untested").never_says("interrupted");
}

#[test]
fn what_is_in_the_address_of_a_document_reaches_no_file() {
    let operations = [("get", "/a", false)];
    let text = document(&operations);
    let server = Server::http(move |request| match request.target.as_str() {
        "/openapi.yaml?token=hidden-in-the-query" => Answer::Whole(200, Vec::new(), text.clone().into()),
        "/a" => Answer::json(200, "{}"),
        _ => Answer::empty(404),
    });
    let url = server.url();
    let address =
        url.replace("http://", "http://somebody:hidden-password@") + "/openapi.yaml?token=hidden-in-the-query";
    let ran = probity(&format!("check --document {address} --target {url} --report har,sarif,markdown -vv")).exits(1);
    for (path, bytes) in ran.files() {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("hidden-password") && !text.contains("hidden-in-the-query"), "{}", path.display());
    }
    ran.never_says("hidden-password").never_says("hidden-in-the-query");
    assert!(!ran.stderr.contains("hidden-"), "{}", ran.stderr);
    let ran = probity("check --document http://somebody:hidden-password@:x/ --target http://127.0.0.1:1/").exits(2);
    assert!(!ran.stderr.contains("hidden-password"), "{}", ran.stderr);
}

#[test]
fn what_was_there_before_is_neither_changed_nor_removed() {
    let operations = [
        ("post", "/things", false),
        ("get", "/things/{id}", false),
        ("patch", "/things/{id}", false),
        ("delete", "/things/{id}", false),
    ];
    // Whoever creates gets the one that is there.
    let server = server(&operations, |request| match request.method.as_str() {
        "POST" | "PATCH" if !is_valid(request) => Answer::json(422, "{}"),
        _ => Answer::json(200, THING),
    });
    let ran = check(&server, "--deny should").exits(0);
    let unsafe_ones: Vec<Request> =
        server.requests().into_iter().filter(|r| ["PATCH", "DELETE"].contains(&r.method.as_str())).collect();
    assert_eq!(unsafe_ones.iter().map(|r| r.method.as_str()).collect::<Vec<_>>(), Vec::<&str>::new());
    ran.verdict("PATCH-things-id/operation/answered", "skipped");
}

#[test]
fn the_settings_remove_what_the_document_does_not() {
    let operations = [("post", "/things", false)];
    let made = AtomicU64::new(0);
    let server = server(&operations, move |request| match request.method.as_str() {
        "DELETE" => Answer::empty(204),
        _ if !is_valid(request) => Answer::json(422, "{}"),
        _ => {
            let id = format!("t-{:05}", made.fetch_add(1, Ordering::Relaxed));
            Answer::json(200, &json!({ "id": id, "size": 1 }).to_string())
        }
    });
    let url = server.url();
    let settings = format!("[target]\nurl = \"{url}\"\n[cleanup]\npath = \"/admin/things/{{id}}\"\n");
    let ran = probity(&format!("check --document {url}/openapi.yaml")).file("probity.toml", settings).exits(0);
    let cleanup = &ran.report()["cleanup"];
    assert!(cleanup["removed"].as_u64().is_some_and(|n| n > 2) && cleanup["left"] == json!([]), "{cleanup}");
    assert!(server.requests().iter().any(|r| r.method == "DELETE" && r.target.starts_with("/admin/things/t-")));
}
