//! What shows only after the operations were tried one by one: errors met while laws are tried, and a server that is gone
//! before the end.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::store::{Records, check, found, is_text, store, whole};
use crate::support::server::{Answer, Request, Server};

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

#[test]
fn lists_that_answer_no_more_are_not_the_server() {
    let mut document = r#"
openapi: 3.0.3
info: { title: Cards, version: "1" }
paths:
  /me:
    get: { operationId: me, responses: { "200": { description: me, content: { application/json: { schema: { type: object } } } } } }
"#
    .to_owned();
    for list in ["cards", "decks", "games"] {
        document += &format!(
            r#"
  /{list}:
    get:
      operationId: {list}
      parameters: [{{ name: limit, in: query, schema: {{ type: integer, minimum: 1 }} }}]
      responses: {{ "200": {{ description: all, content: {{ application/json: {{ schema: {{ type: array, items: {{ type: object }} }} }} }} }} }}
"#
        );
    }
    // Without a limit a list has three items, with one as many as are asked for.
    let items = |target: &str| match target.split_once("limit=").map(|(_, limit)| limit.parse::<usize>()) {
        None => Answer::json(200, "[{},{},{}]"),
        Some(Ok(limit)) if limit > 0 => Answer::json(200, &json!(vec![json!({}); limit.min(3)]).to_string()),
        Some(_) => Answer::empty(400),
    };
    let server = |last: usize, all: bool| {
        let number = AtomicUsize::new(0);
        Server::http(move |request| {
            let is_late = number.fetch_add(1, Ordering::SeqCst) >= last;
            match request.target == "/me" {
                is_me if is_late && (all || !is_me) => Answer::Close,
                true => Answer::json(200, "{}"),
                false => items(&request.target),
            }
        })
    };
    let honest = server(usize::MAX, false);
    assert_eq!(check(&honest, &document, "").ids("fail"), [""; 0]);
    let is_law = |r: &Request| r.header("user-agent").is_some_and(|agent| agent.contains("law/"));
    let first = honest.requests().iter().position(is_law).expect("a law is tried");
    let ran = check(&server(first, true), &document, "");
    assert_eq!(ran.code, Some(4), "{}", ran.stdout);
    let ran = check(&server(first, false), &document, "");
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    ran.never_says("no request was answered any more");
}
