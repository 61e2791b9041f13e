//! Whether a check can be run, told beforehand.

use serde_json::{Value, json};

use super::{before, settings};
use crate::support::server::{Answer, Request, Server, nowhere};
use crate::support::{Ran, flat, normalised, probity};

fn doctor(url: &str) -> crate::support::Probity {
    probity("doctor").settings(url)
}

/// Checks that something is told with this symbol.
#[track_caller]
fn tells(ran: &Ran, line: &str) {
    ran.says(line);
}

fn only_reads(server: &Server) -> bool {
    server.requests().iter().all(|request| request.method == "GET")
}

#[test]
fn all_is_well() {
    let server = before(|_, _| None);
    let ran = doctor(&server.url()).exits(0);
    insta::assert_snapshot!("doctor", normalised(&ran.stdout));
    assert!(only_reads(&server));
    let ran = probity("doctor --json").settings(&server.url()).exits(0);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!((&report["exit"], &report["refusable"]), (&json!(0), &json!(0)));
    let states = report["checks"].as_array().expect("a list").iter().map(|c| c["state"].as_str().expect("a state"));
    assert!(states.into_iter().all(|state| state == "good" || state == "skipped"), "{report:#}");
    probity("doctor").exits(0).says("the embedded reference server");
}

#[test]
fn settings_that_cannot_be_read() {
    let server = before(|_, _| None);
    let toml = settings(&server.url(), |toml| toml.replacen("url", "urll", 1));
    let ran = probity("doctor").tokens().file("probity.toml", toml).exits(2);
    tells(&ran, "✗ settings probity.toml:2: unknown key `urll` in [target] → did you mean `url`?");
    let ran = probity(&format!("doctor --target {}", server.url())).exits(2);
    tells(&ran, "✗ settings the variable PROBITY_TOKEN is not set");
    assert!(server.requests().is_empty());
}

#[test]
fn production_is_left_alone() {
    let text = include_str!("../../../spec/create-opportunity.yaml");
    let url = text.split("servers:").nth(1).and_then(|t| t.split("url:").nth(1)).expect("a server");
    let ran = doctor(url.split_whitespace().next().expect("a URL")).exits(2);
    tells(&ran, "✗ production");
    tells(&ran, "– reach not examined");
}

#[test]
fn nobody_is_there() {
    let ran = doctor(&nowhere()).exits(3);
    tells(&ran, "✗ reach no connection");
    tells(&ran, "– token not examined");
    tells(&ran, "✓ fixtures");
    let ran = doctor("http://staging.invalid").exits(3);
    tells(&ran, "✗ reach staging.invalid cannot be resolved");
    tells(&ran, "! encryption http://staging.invalid/ is plain HTTP");
    let mute = Server::tcp(|_| ());
    tells(&doctor(&mute.url()).exits(3), "✗ http the connection was closed");
}

#[test]
fn a_token_that_is_refused() {
    let server = before(|_, _| None);
    let ran = doctor(&server.url()).env("PROBITY_TOKEN_COLLEAGUE", "old").exits(3);
    tells(
        &ran,
        "✗ token colleague: GET /v1/me answered 401 → it is wrong or has expired: check PROBITY_TOKEN_COLLEAGUE",
    );
    tells(&ran, "✓ token caller: GET /v1/me answered 200");
    let toml = settings(&server.url(), |toml| toml.replacen("{ env = \"PROBITY_TOKEN\" }", "{ file = \"gone\" }", 1));
    let ran = probity("doctor").tokens().file("probity.toml", toml).exits(2);
    tells(&ran, "✗ token the token of `caller`: cannot read");
}

#[test]
fn without_look_ups_a_token_is_shown_with_what_must_be_refused() {
    let server = before(|_, request| (request.method == "GET").then(|| Answer::json(404, "{}")));
    let ran = doctor(&server.url()).exits(0);
    tells(&ran, "✓ token caller: probably good; POST without its required fields answered 422, not 401");
    tells(&ran, "✓ token read_only: probably good; POST without its required fields answered 403, not 401");
    tells(
        &ran,
        "Nothing should have been created: apart from GET requests, 4 requests were sent that the server must refuse.",
    );
    tells(
        &ran,
        "– look-ups the target answers no look-up (GET /v1/me: 404; GET /v1/me as colleague: 404; GET /v1/households: 404; …)",
    );
    let posts: Vec<Request> = server.requests().into_iter().filter(|r| r.method == "POST").collect();
    assert!(posts.len() == 4 && posts.iter().all(|r| r.body == b"{}"));
    let refused = doctor(&server.url()).env("PROBITY_TOKEN", "old").exits(3);
    tells(&refused, "✗ token caller: POST without its required fields answered 401");
    // A server that takes everything may have created something: that is said.
    let server = Server::http(|r| if r.method == "GET" { Answer::empty(404) } else { Answer::json(201, "{}") });
    let ran = doctor(&server.url()).exits(0);
    tells(&ran, "! token caller: POST without its required fields answered 201");
    tells(&ran, "may have created a record");
}

#[test]
fn a_clock_that_is_off() {
    let server = Server::http(|_| Answer::json(200, "{}").with("Date", "Tue, 01 Jan 2097 00:00:00 GMT"));
    let ran = doctor(&server.url()).run();
    ran.holds(flat(&ran.stdout).contains("! clock the server's clock is"), "it is told");
    tells(&ran, "s ahead of ours → set the clocks");
    tells(&doctor(&Server::http(|_| Answer::json(200, "{}")).url()).run(), "– clock the server sends no Date");
}

#[test]
fn fixtures_that_are_wrong() {
    let server = before(|_, _| None);
    let toml = settings(&server.url(), |toml| toml.replacen("household_id", "house_id", 1));
    let ran = probity("doctor").tokens().file("probity.toml", toml).exits(2);
    tells(&ran, "✗ fixtures");
    tells(&ran, "– look-ups not examined");
    // As the contract asks, and not as the target says.
    let toml =
        settings(&server.url(), |toml| toml.replacen("caller_user_id = \"us_k5Qd93\"", "caller_user_id = \"us_x\"", 1));
    let ran = probity("doctor").tokens().file("probity.toml", toml).exits(2);
    tells(&ran, "✗ look-ups caller_user_id is \"us_x\", but the target says \"us_k5Qd93\"");
    assert!(only_reads(&server));
}

#[test]
fn a_redirect_is_told() {
    let server =
        before(|_, r| (r.method == "GET").then(|| Answer::empty(301).with("Location", "https://elsewhere.example/")));
    let ran = doctor(&server.url()).exits(0);
    tells(&ran, "! http GET /v1/me answered 301, which leads to https://elsewhere.example/");
}
