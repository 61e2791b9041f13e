//! Credentials in each part of a request: what a report says of them can be repeated.

use std::process::Command;

use crate::support::probity;
use crate::support::server::{Answer, Request, Server};

const DOCUMENT: &str = r#"
openapi: 3.0.3
info: { title: Things, version: "1" }
security: [SECURITY]
paths:
  /things:
    get:
      operationId: listThings
      responses:
        "200": { description: all, content: { application/json: { schema: { type: array } } } }
        "401": { description: nobody }
components:
  securitySchemes:
    query: { type: apiKey, in: query, name: api_key }
    cookie: { type: apiKey, in: cookie, name: session }
    header: { type: apiKey, in: header, name: X-App }
    basic: { type: http, scheme: basic }
"#;

/// A key that means something else in a URL and in a shell, and what stands for it in the query.
const KEY: &str = "na$me:pass/w+rd&x=1";
const IN_QUERY: &str = "api_key=na%24me%3Apass%2Fw%2Brd%26x%3D1";

/// Whether a request has the key where it is due.
fn shows(request: &Request, scheme: &str) -> bool {
    let has = |name: &str, value: &str| request.header(name) == Some(value);
    match scheme {
        "query" => request.target.to_lowercase().ends_with(&IN_QUERY.to_lowercase()),
        "cookie" => has("cookie", &format!("session={KEY}")),
        "header" => has("x-app", KEY),
        _ => has("authorization", "Basic bmEkbWU6cGFzcy93K3JkJng9MQ=="),
    }
}

/// Answers with an object in the place of a list.
fn things(schemes: &'static [&'static str]) -> Server {
    Server::http(|request| match schemes.iter().all(|scheme| shows(request, scheme)) {
        true => Answer::json(200, "{}"),
        false => Answer::empty(401),
    })
}

#[test]
fn what_a_report_says_of_credentials_can_be_repeated() {
    let all: [&[&str]; 6] =
        [&["query"], &["cookie"], &["header"], &["basic"], &["query", "header"], &["basic", "cookie"]];
    for schemes in all {
        let server = things(schemes);
        let security = schemes.iter().map(|scheme| format!("{scheme}: []")).collect::<Vec<_>>().join(", ");
        let document = DOCUMENT.replace("SECURITY", &format!("{{{security}}}"));
        let words = format!("check --seed 1 --report har --document things.yaml --target {}", server.url());
        let ran = probity(&words).env("PROBITY_TOKEN", KEY).file("things.yaml", document).exits(1);
        assert_eq!(ran.ids("fail"), ["listThings/operation/response-200-shape"], "{schemes:?}");
        for (path, bytes) in ran.files() {
            assert!(!String::from_utf8_lossy(&bytes).contains(KEY), "{schemes:?}: {}", path.display());
        }

        let failure = ran.requirement("listThings/operation/response-200-shape");
        let curl = failure["failures"][0]["curl"][0].as_str().expect("a command");
        if Command::new("curl").arg("--version").output().is_err() {
            eprintln!("there is no curl here: not tested");
        } else {
            let output = Command::new("bash").args(["-c", curl]).env("PROBITY_TOKEN", KEY).output().expect("bash");
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(said.starts_with("HTTP/1.1 200"), "{schemes:?}: {curl}\n{said}");
        }

        let before = server.requests().len();
        let words = format!("replay reports --document things.yaml --target {}", server.url());
        let again = probity(&words).within(ran.folder()).env("PROBITY_TOKEN", KEY).exits(1);
        again.says("still fails");
        let sent = server.requests();
        assert!(sent.len() > before, "{schemes:?}");
        assert!(
            sent[before..].iter().any(|request| schemes.iter().all(|scheme| shows(request, scheme))),
            "{schemes:?}"
        );

        // The same from the recording alone.
        let judged = probity("judge reports/exchanges.har --document things.yaml --operation listThings --out judged")
            .within(ran.folder())
            .exits(1);
        judged.says("✗ fail  must    listThings/operation/response-200-shape");
    }
}
