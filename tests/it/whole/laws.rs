//! Laws between operations where values are hard to tell apart: numbers, masks, records inside of records.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::support::probity;
use crate::support::server::{Answer, Request, Server};

const DOCUMENT: &str = r##"
openapi: 3.1.0
info: { title: Bookings, version: "1" }
paths:
  /bookings:
    get:
      operationId: listBookings
      parameters: [{ name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 50 } }]
      responses:
        "200": { description: some, content: { application/json: { schema: { type: object, required: [words, links] } } } }
        "422": { description: refused }
    post:
      operationId: createBooking
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/New" } } } }
      responses:
        "201": { description: made, content: { application/json: { schema: { $ref: "#/components/schemas/Booking" } } } }
        "422": { description: refused }
  /bookings/{booking}:
    parameters: [{ name: booking, in: path, required: true, schema: { type: string } }]
    get:
      operationId: getBooking
      responses:
        "200": { description: it, content: { application/json: { schema: { $ref: "#/components/schemas/Booking" } } } }
        "404": { description: none }
    patch:
      operationId: moveBooking
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/Move" } } } }
      responses:
        "200": { description: it, content: { application/json: { schema: { $ref: "#/components/schemas/Booking" } } } }
        "404": { description: none }
        "422": { description: refused }
  /go:
    get:
      operationId: go
      responses: { "302": { description: elsewhere, headers: { Location: { required: true, schema: { type: string } } } } }
components:
  schemas:
    Start: { type: integer, minimum: 0, maximum: 1000 }
    Move: { type: object, required: [start], properties: { start: { $ref: "#/components/schemas/Start" } } }
    New:
      type: object
      required: [start, secret, topic]
      properties:
        start: { $ref: "#/components/schemas/Start" }
        secret: { type: string, minLength: 8, maxLength: 40 }
        topic: { type: string, minLength: 1, maxLength: 60 }
    Booking:
      type: object
      required: [id, start, topic, data]
      properties: { id: { type: string }, start: { type: integer }, end: { type: integer }, topic: { type: string } }
"##;

#[derive(Clone, Copy, PartialEq)]
enum Bug {
    None,
    Forgets,
    OtherTopic,
    Number,
}

fn bookings(bug: Bug) -> Server {
    let store: Mutex<BTreeMap<String, Value>> = Mutex::default();
    Server::http(move |request: &Request| {
        let mut store = store.lock().expect("a lock");
        let path = request.target.split('?').next().unwrap_or_default();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let start = body["start"].as_i64().filter(|start| (0..=1000).contains(start));
        let text = |name: &str, least: usize, most: usize| {
            body[name].as_str().filter(|text| (least..=most).contains(&text.chars().count()))
        };
        let id = path.rsplit('/').next().unwrap_or_default().to_owned();
        match (request.method.as_str(), path) {
            ("GET", "/go") => Answer::empty(302).with("Location", "https://example.com/"),
            ("GET", "/bookings") => {
                let limit = request.target.split_once("limit=").map_or("1", |(_, limit)| limit);
                if !limit.parse::<u32>().is_ok_and(|limit| (1..=50).contains(&limit)) {
                    return Answer::empty(422);
                }
                let links = json!([{ "rel": "self" }, { "rel": "next" }, { "rel": "first" }]);
                Answer::json(200, &json!({ "words": ["a"], "links": links }).to_string())
            }
            ("POST", "/bookings") => {
                let (Some(start), Some(secret), Some(topic)) = (start, text("secret", 8, 40), text("topic", 1, 60))
                else {
                    return Answer::empty(422);
                };
                let id = format!("b_{}", store.len());
                let record = json!({
                    "id": id, "start": start, "end": start + 60, "secret": secret, "topic": topic, "data": { "topic": topic },
                });
                store.insert(id, record.clone());
                Answer::json(201, &record.to_string())
            }
            ("GET" | "PATCH", _) if !store.contains_key(&id) => Answer::empty(404),
            ("GET", _) => {
                let mut shown = store[&id].clone();
                let secret = shown["secret"].as_str().unwrap_or_default();
                let end: String = secret.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
                shown["secret"] = json!(format!("••••••••{end}"));
                match bug {
                    Bug::OtherTopic => shown["topic"] = json!("another"),
                    Bug::Number => shown["topic"] = json!(5),
                    Bug::None | Bug::Forgets => {}
                }
                Answer::json(200, &shown.to_string())
            }
            ("PATCH", _) => {
                let Some(start) = start else { return Answer::empty(422) };
                let mut moved = store[&id].clone();
                moved["start"] = json!(start);
                moved["end"] = json!(start + 60);
                if bug != Bug::Forgets {
                    store.insert(id, moved.clone());
                }
                Answer::json(200, &moved.to_string())
            }
            _ => Answer::empty(405),
        }
    })
}

fn failed(bug: Bug, seed: u64) -> Vec<String> {
    let server = bookings(bug);
    let words = format!("check --seed {seed} --document bookings.yaml --target {}", server.url());
    let ran = probity(&words).file("bookings.yaml", DOCUMENT).run();
    ran.holds(ran.report()["end"]["complete"] == true, "it is a whole run");
    let reached = ran.requirement("go/operation/valid-accepted");
    ran.holds(reached["verdict"] == "pass", "a documented redirection is an answer");
    ran.ids("fail")
}

#[test]
fn an_honest_server_breaks_none() {
    for seed in [1, 2, 3] {
        assert_eq!(failed(Bug::None, seed), Vec::<String>::new());
    }
}

#[test]
fn a_number_that_is_not_kept_is_seen() {
    for seed in [1, 2, 3] {
        assert_eq!(failed(Bug::Forgets, seed), ["moveBooking/law/read-back"]);
    }
}

#[test]
fn a_record_with_data_of_its_own_is_compared_itself() {
    assert_eq!(failed(Bug::OtherTopic, 1), ["getBooking/law/read-back", "moveBooking/law/read-back"]);
}

#[test]
fn what_a_law_reads_is_held_against_the_document() {
    assert_eq!(failed(Bug::Number, 1), ["getBooking/operation/response-200-shape"]);
}
