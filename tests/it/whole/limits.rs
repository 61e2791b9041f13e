//! Whether a list has more items than are asked for, and when that shows nothing.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::server::{Answer, Server};
use crate::support::{each, probity};

const DOCUMENT: &str = include_str!("../../documents/notes.yaml");

/// How many items a server shows to whoever asks for so many.
type Page = fn(usize) -> usize;

/// A server of notes with pages of these sizes, and its document with the limit that this schema describes.
fn failed(schema: &str, page: Page) -> Vec<String> {
    let made = AtomicUsize::new(0);
    let note = |id: usize, text: &str| json!({ "id": id, "text": text, "pinned": false });
    let server = Server::http(move |request| {
        let url = url::Url::parse(&format!("http://notes{}", request.target)).expect("a URL");
        let count = made.load(Ordering::SeqCst);
        match (request.method.as_str(), url.path()) {
            ("GET", "/notes") => {
                let limit = url.query_pairs().find(|(name, _)| name == "limit").map(|(_, text)| text.parse::<usize>());
                let Some(Ok(size)) = limit.or(Some(Ok(50))).map(|size| size.map(page)) else {
                    return Answer::empty(422);
                };
                let all: Vec<Value> = (0..count).map(|id| note(id, "old")).take(size).collect();
                Answer::json(200, &json!(all).to_string())
            }
            ("POST", "/notes") => {
                let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                let Some(text) = body["text"].as_str().filter(|text| text.chars().count() <= 80) else {
                    return Answer::empty(422);
                };
                Answer::json(201, &note(made.fetch_add(1, Ordering::SeqCst), text).to_string())
            }
            _ => Answer::empty(404),
        }
    });
    let parameter = format!("parameters: [{{ name: limit, in: query, schema: {schema} }}]");
    let words = "check --seed 1 --only *at-most*";
    let ran = probity(&format!("{words} --document notes.yaml --target {}", server.url()))
        .file("notes.yaml", DOCUMENT.replace("parameters: []", &parameter))
        .run();
    ran.ids("fail")
}

const ALL: &str = "listNotes/law/at-most-limit";

#[test]
fn a_smallest_page_is_no_failure() {
    let pages: [(&str, Page); 5] = [
        ("{ type: integer }", |asked| asked.max(5)),
        ("{ type: integer }", |asked| asked.clamp(10, 20)),
        ("{ type: integer, maximum: 100 }", |asked| asked.max(25)),
        // The document says from where on the server follows.
        ("{ type: integer, minimum: 5 }", |asked| asked.max(5)),
        ("{ type: integer, default: 20 }", |asked| asked.max(20)),
    ];
    each(&pages, |(schema, page)| assert_eq!(failed(schema, *page), Vec::<String>::new(), "{schema}"));
}

#[test]
fn what_no_smallest_page_explains_is_a_failure() {
    let pages: [(&str, Page); 4] = [
        ("{ type: integer }", |asked| asked.saturating_add(1)),
        ("{ type: integer, minimum: 1 }", |asked| asked.saturating_add(1)),
        ("{ type: integer, minimum: 1 }", |_| usize::MAX),
        ("{ type: integer, default: 2 }", |_| usize::MAX),
    ];
    each(&pages, |(schema, page)| assert_eq!(failed(schema, *page), [ALL], "{schema}"));
}
