//! Records that a header, or the query, says where to find.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::check;
use crate::support::server::{Answer, Request, Server};

const DOCUMENT: &str = r##"{
  "openapi": "3.0.3", "info": { "title": "Items", "version": "1" },
  "paths": {
    "/items": {
      "parameters": [SCOPE],
      "post": {
        "operationId": "createItem",
        "requestBody": { "required": true, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/New" } } } },
        "responses": { "201": { "description": "made", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Item" } } } }, "400": { "description": "refused" } }
      },
      "get": {
        "operationId": "listItems",
        "responses": { "200": { "description": "all", "content": { "application/json": { "schema": { "type": "array", "items": { "$ref": "#/components/schemas/Item" } } } } }, "400": { "description": "refused" } }
      }
    },
    "/items/{id}": {
      "parameters": [SCOPE, { "name": "id", "in": "path", "required": true, "schema": { "type": "integer" } }],
      "get": {
        "operationId": "getItem",
        "responses": { "200": { "description": "one", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Item" } } } }, "400": { "description": "refused" }, "404": { "description": "nothing" } }
      },
      "delete": {
        "operationId": "deleteItem",
        "responses": { "204": { "description": "gone" }, "400": { "description": "refused" }, "404": { "description": "nothing" } }
      }
    }
  },
  "components": { "schemas": {
    "New": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string", "minLength": 1, "maxLength": 40 } } },
    "Item": { "type": "object", "required": ["id", "name"], "properties": { "id": { "type": "integer" }, "name": { "type": "string" } } }
  } }
}"##;

const HEADER: &str = r#"{ "name": "X-Workspace", "in": "header", "required": REQUIRED, "schema": { "type": "string", "pattern": "^[a-z]{3,10}$" } }"#;
const QUERY: &str =
    r#"{ "name": "region", "in": "query", "required": REQUIRED, "schema": { "enum": ["eu", "us", "ap"] } }"#;

/// Which scope a request names; None for one that is not allowed.
fn scope(request: &Request) -> Option<String> {
    let query = request.target.split_once("region=").map(|(_, value)| value);
    if query.is_some_and(|value| !["eu", "us", "ap"].contains(&value)) {
        return None;
    }
    let header = request.header("x-workspace");
    let is_good = |value: &str| (3..=10).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_lowercase());
    if header.is_some_and(|value| !is_good(value)) {
        return None;
    }
    Some(header.or(query).unwrap_or("none").to_owned())
}

/// Keeps items apart by their scope; `forgets` loses those that it made.
fn items(parameter: &str, required: bool, forgets: bool) -> Server {
    let parameter = parameter.replace("REQUIRED", if required { "true" } else { "false" });
    let document = DOCUMENT.replace("SCOPE", &parameter);
    let made: Mutex<BTreeMap<u64, (String, String)>> = Mutex::default();
    Server::http(move |request| {
        let path = request.target.split('?').next().unwrap_or_default().to_owned();
        if path == "/openapi.yaml" {
            return Answer::json(200, &document);
        }
        let scope = match scope(request) {
            Some(scope) if !required || scope != "none" => scope,
            _ => return Answer::empty(400),
        };
        let mut made = made.lock().expect("a lock");
        let shown = |(id, (_, item)): (&u64, &(String, String))| format!("{{\"id\": {id}, \"name\": {item}}}");
        if request.method == "POST" {
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let length = body["name"].as_str().map(|name| name.chars().count());
            if !length.is_some_and(|length| (1..=40).contains(&length)) {
                return Answer::empty(400);
            }
            let (id, item) = (made.len() as u64 + 1, (scope, body["name"].to_string()));
            let answer = Answer::json(201, &shown((&id, &item)));
            let item = if forgets { ("lost".to_owned(), item.1) } else { item };
            made.insert(id, item);
            return answer;
        }
        if request.method == "DELETE" {
            let id = path.rsplit('/').next().and_then(|id| id.parse::<u64>().ok()).unwrap_or_default();
            return match made.get(&id) {
                Some((of, _)) if of.trim_end_matches('-') != scope => Answer::empty(403),
                Some((of, _)) if of.ends_with('-') => Answer::empty(404),
                Some((_, item)) => {
                    let gone = (format!("{scope}-"), item.clone());
                    made.insert(id, gone);
                    Answer::empty(204)
                }
                None => Answer::empty(404),
            };
        }
        let mut own = made.iter().filter(|(_, (of, _))| *of == scope);
        match path.strip_prefix("/items/").map(|id| id.parse::<u64>()) {
            None => Answer::json(200, &format!("[{}]", own.map(shown).collect::<Vec<_>>().join(", "))),
            Some(Err(_)) => Answer::empty(400),
            Some(Ok(id)) => {
                own.find(|(own, _)| **own == id).map_or(Answer::empty(404), |found| Answer::json(200, &shown(found)))
            }
        }
    })
}

#[test]
fn a_record_is_looked_for_where_it_was_made() {
    for parameter in [HEADER, QUERY] {
        for required in [true, false] {
            for seed in 1..=3 {
                let server = items(parameter, required, false);
                let ran = check(&server, &format!("--seed {seed}")).run();
                assert!(ran.ids("fail").is_empty(), "{parameter} {required} {seed}: {:?}", ran.ids("fail"));
                ran.verdict("getItem/law/read-back", "pass");
                ran.verdict("deleteItem/law/gone", "pass");
                // In another one, the same id may be somebody else's record.
                let strays: Vec<_> = ran.exchanges().into_iter().filter(|e| e["response"]["status"] == 403).collect();
                if required {
                    assert!(strays.is_empty(), "{parameter} {seed}: {strays:?}");
                }
            }
            let ran = check(&items(parameter, required, true), "--seed 1").run();
            ran.verdict("getItem/law/read-back", "fail");
        }
    }
}
