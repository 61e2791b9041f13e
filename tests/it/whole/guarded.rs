//! Deletions without credentials: tried on a record of the run's own, and on no other.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::store::{Records, TOKEN, check, found, is_text, store, whole};
use crate::support::each;
use crate::support::server::{Answer, Server};

const DOCUMENT: &str = r##"
openapi: 3.0.3
info: { title: Cards, version: "1" }
security: [{ token: [] }]
paths:
  /cards:
    get:
      operationId: listCards
      responses: { "200": { description: all, content: { application/json: { schema: { type: array, items: { type: object } } } } } }
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
components:
  securitySchemes: { token: { type: http, scheme: bearer } }
"##;

/// What a server does with a deletion by nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Refuses(u16),
    /// It leads to a login.
    Redirects,
    /// It says that all is well, and does nothing.
    Pretends,
    Deletes,
}

fn cards(way: Way) -> Server {
    let theirs = |id: u64| (format!("/cards/{id}"), json!({ "id": id, "text": "somebody's" }));
    let made = AtomicUsize::new(100);
    store(Records::from_iter((1..=3).map(theirs)), move |kept, request, path, body| {
        let is_known = request.header("authorization") == Some(&format!("Bearer {TOKEN}"));
        match (request.method.as_str(), path) {
            ("DELETE", _) if !is_known && way != Way::Deletes => match way {
                Way::Refuses(status) => Answer::empty(status),
                Way::Redirects => Answer::empty(302).with("Location", "/login"),
                _ => Answer::empty(204),
            },
            ("DELETE", _) => Answer::empty(if kept.remove(path).is_some() { 204 } else { 404 }),
            _ if !is_known => Answer::empty(401),
            ("GET", "/cards") => whole(200, &kept.values().cloned().collect()),
            ("GET", _) => found(kept, path),
            ("POST", "/cards") if is_text(&body["text"], 1, 80) => {
                // No id comes twice, whatever was deleted.
                let id = made.fetch_add(1, Ordering::SeqCst);
                let card = json!({ "id": id, "text": body["text"] });
                kept.insert(format!("/cards/{id}"), card.clone());
                whole(201, &card)
            }
            _ => Answer::empty(422),
        }
    })
}

const ID: &str = "deleteCard/security/credentials-required";
const BROKEN: &str = "deleteCard/security/broken-credentials";

#[test]
fn what_nobody_deletes_is_no_failure() {
    let all = [
        (Way::Refuses(401), "pass"),
        (Way::Refuses(403), "pass"),
        (Way::Refuses(404), "pass"),
        (Way::Redirects, "pass"),
        (Way::Pretends, "skipped"),
    ];
    each(&all, |(way, verdict)| {
        let ran = check(&cards(*way), DOCUMENT, "");
        ran.holds(ran.ids("fail").is_empty() && ran.code == Some(0), "an honest server passes");
        ran.verdict(ID, verdict).verdict(BROKEN, verdict);
    });
}

#[test]
fn who_deletes_for_nobody_fails_and_loses_no_record_of_others() {
    let server = cards(Way::Deletes);
    let ran = check(&server, DOCUMENT, "--deny should");
    assert_eq!(ran.ids("fail"), [BROKEN, ID]);
    ran.holds(ran.code == Some(1), "it counts where that is asked for");
    let theirs = ["/cards/1", "/cards/2", "/cards/3"];
    assert!(!server.requests().iter().any(|r| r.method == "DELETE" && theirs.contains(&r.target.as_str())));
}
