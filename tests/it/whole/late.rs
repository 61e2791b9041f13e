//! What shows only after the operations were tried one by one: errors met while laws are tried, and a server that is gone
//! before the end.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::store::{Records, check, found, is_text, store, whole};
use crate::support::server::{Answer, Server};

const DOCUMENT: &str = r#"
openapi: 3.0.3
info: { title: Cards, version: "1" }
paths:
  /cards:
    post:
      operationId: createCard
      requestBody:
        required: true
        content:
          application/json:
            schema: { type: object, required: [text], properties: { text: { type: string, minLength: 1, maxLength: 80 } } }
      responses: { "201": { description: made, content: { application/json: { schema: { type: object } } } }, "422": { description: refused } }
  /cards/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    get:
      operationId: getCard
      responses: { "200": { description: it, content: { application/json: { schema: { type: object } } } }, "404": { description: none } }
    delete:
      operationId: deleteCard
      responses: { "204": { description: gone }, "404": { description: none } }
"#;

/// A server with this answer to a read of a deleted record, and another to everything from the request of some number on.
fn cards(of_deleted: Answer, last: usize, then: Answer) -> Server {
    let (made, number) = (AtomicUsize::new(100), AtomicUsize::new(0));
    store(Records::new(), move |kept, request, path, body| {
        if number.fetch_add(1, Ordering::SeqCst) >= last {
            return then.clone();
        }
        match (request.method.as_str(), path) {
            ("DELETE", _) => match kept.get_mut(path).filter(|record| !record.is_null()) {
                Some(record) => {
                    *record = json!(null);
                    Answer::empty(204)
                }
                None => Answer::empty(404),
            },
            ("GET", _) if kept.get(path).is_some_and(serde_json::Value::is_null) => of_deleted.clone(),
            ("GET", _) => found(kept, path),
            _ if is_text(&body["text"], 1, 80) => {
                let id = made.fetch_add(1, Ordering::SeqCst);
                let card = json!({ "id": id, "text": body["text"] });
                kept.insert(format!("/cards/{id}"), card.clone());
                whole(201, &card)
            }
            _ => Answer::empty(422),
        }
    })
}

#[test]
fn a_server_error_that_a_law_meets_is_one_of_the_operation_that_gave_it() {
    let honest = check(&cards(Answer::empty(404), usize::MAX, Answer::Close), DOCUMENT, "");
    assert_eq!(honest.ids("fail"), [""; 0]);
    assert_eq!(honest.code, Some(0));
    // The law is that of the deletion, the error that of the read.
    let ran = check(&cards(Answer::empty(500), usize::MAX, Answer::Close), DOCUMENT, "");
    assert_eq!(ran.code, Some(1));
    ran.holds(ran.ids("fail").iter().any(|id| id == "getCard/operation/no-server-error"), "the error is told");
}

#[test]
fn a_server_that_is_gone_while_laws_are_tried_is_no_green() {
    let whole_run = cards(Answer::empty(404), usize::MAX, Answer::Close);
    check(&whole_run, DOCUMENT, "");
    // The laws come last.
    let all = whole_run.requests();
    let first = all.iter().position(|r| r.header("user-agent").is_some_and(|agent| agent.contains("law/")));
    let first = first.expect("a law is tried");
    for then in [Answer::Close, Answer::empty(503)] {
        let ran = check(&cards(Answer::empty(404), first, then), DOCUMENT, "");
        assert_eq!(ran.code, Some(4), "{}", ran.stdout);
        ran.says("at the end no request was answered any more");
    }
}
