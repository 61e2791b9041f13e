//! Parts of a document that are not supported: the rest is checked, and they are named.

use crate::support::probity;
use crate::support::server::{Answer, Server};

const DOCUMENT: &str = r#"
openapi: 3.0.3
info: { title: Notes, version: "1" }
paths:
  /notes:
    post:
      operationId: createNote
      requestBody:
        required: true
        content:
          application/json: { schema: { type: object, required: [text], properties: { text: { type: string } } } }
          application/xml: { schema: { type: object } }
      responses:
        "201": { description: made }
        "400": { description: refused }
"#;

#[test]
fn what_is_not_supported_is_named_in_every_report() {
    let server = Server::http(|request| {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
        Answer::empty(if body["text"].is_string() { 201 } else { 400 })
    });
    let words =
        format!("check --seed 1 --report html --report markdown --document notes.yaml --target {}", server.url());
    let ran = probity(&words).file("notes.yaml", DOCUMENT).exits(0);
    ran.says("not supported: parts of the document that were left out").says("application/xml");
    let parts = &ran.report()["header"]["contract"]["unsupported"];
    assert_eq!(parts.as_array().map(Vec::len), Some(1), "{parts}");
    assert_eq!(parts[0]["operation"], "createNote");
    let part = parts[0]["part"].as_str().expect("a text");
    assert!(part.contains("application/xml") && part.contains("notes.yaml:"), "{part}");
    for (path, text) in ran.files() {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.ends_with(".html") || name.ends_with(".md") {
            assert!(String::from_utf8_lossy(&text).contains("application/xml"), "{name}");
        }
    }
}
