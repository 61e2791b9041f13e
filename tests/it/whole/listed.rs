//! Whether what was created stands in a list, however its pages are asked for.

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::support::server::{Answer, Server};
use crate::support::{each, probity};

const DOCUMENT: &str = include_str!("../../documents/notes.yaml");
/// How many notes there are before a run.
const BEFORE: i64 = 5;

/// How a list is read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pages {
    /// It comes whole.
    None,
    /// By number, from 0 or 1; the last parameter says how a page behind the last is answered.
    Number { first: usize, is_found: bool },
    /// By how many items are left out.
    Offset,
    /// By what the answer calls the next page.
    Cursor,
    /// By an address in the header `Link`.
    Header,
    /// By an address in the body.
    Address,
    /// By the id of the last item.
    After,
    /// There is a limit, and no way on.
    LimitOnly,
}

/// What is wrong with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    /// It has what was there at the beginning.
    Stale,
    /// It leaves out the newest.
    ButTheNewest,
    /// It leaves out what is not pinned, as a server may.
    PinnedOnly,
}

impl Pages {
    const ALL: [Self; 11] = [
        Self::None,
        Self::Number { first: 0, is_found: true },
        Self::Number { first: 1, is_found: true },
        Self::Number { first: 0, is_found: false },
        Self::Number { first: 1, is_found: false },
        Self::Offset,
        Self::Cursor,
        Self::Header,
        Self::Address,
        Self::After,
        Self::LimitOnly,
    ];

    fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Number { .. } => &["page"],
            Self::Offset => &["offset", "limit"],
            Self::Cursor => &["cursor", "limit"],
            Self::Header | Self::Address => &["page", "per_page"],
            Self::After => &["starting_after", "limit"],
            Self::LimitOnly => &["limit"],
        }
    }

    fn document(self) -> String {
        let parameter = |name: &&str| {
            let schema = match *name {
                "cursor" | "starting_after" => "{ type: string }",
                "limit" | "per_page" => "{ type: integer, minimum: 1, maximum: 40 }",
                _ => "{ type: integer }",
            };
            format!("{{ name: {name}, in: query, schema: {schema} }}")
        };
        let all: Vec<String> = self.parameters().iter().map(parameter).collect();
        DOCUMENT.replace("parameters: []", &format!("parameters: [{}]", all.join(", ")))
    }

    fn answer(self, notes: &[Value], query: &HashMap<String, String>) -> Answer {
        let number = |name: &str| query.get(name).map(|text| text.parse::<usize>());
        let given = |name: &str, default| number(name).map_or(Some(default), Result::ok);
        let (Some(limit), Some(offset), Some(size)) = (given("limit", 10), given("offset", 0), given("per_page", 10))
        else {
            return Answer::empty(422);
        };
        let first = if let Self::Number { first, .. } = self { first } else { 1 };
        let Some(page) = given("page", first) else { return Answer::empty(422) };
        let size = if self == Self::None { 1000 } else { size.min(limit).max(1) };
        let is_called = |id: &String, note: &Value| id.parse() == Ok(note["id"].as_i64().unwrap_or_default());
        let after = |id: &String| notes.iter().position(|note| is_called(id, note)).map_or(0, |at| at + 1);
        let start = match self {
            Self::Cursor => query.get("cursor").and_then(|text| text.strip_prefix("at-")?.parse().ok()).unwrap_or(0),
            Self::After => query.get("starting_after").map_or(0, after),
            Self::Offset => offset,
            _ => page.saturating_sub(first).saturating_mul(size),
        };
        let items: Vec<&Value> = notes.iter().skip(start).take(size).collect();
        let has_more = start + size < notes.len();
        let next = format!("/notes?page={}&per_page={size}", page + 1);
        match self {
            Self::Number { is_found: false, .. } if items.is_empty() && start > 0 => Answer::empty(404),
            Self::Cursor => {
                let next = has_more.then(|| format!("at-{}", start + size));
                Answer::json(200, &json!({ "items": items, "meta": { "next_cursor": next } }).to_string())
            }
            Self::Address => {
                let next = has_more.then_some(next);
                Answer::json(200, &json!({ "results": items, "next": next }).to_string())
            }
            Self::After => Answer::json(200, &json!({ "data": items, "has_more": has_more }).to_string()),
            Self::Header if has_more => {
                Answer::json(200, &json!(items).to_string()).with("link", &format!("<{next}>; rel=\"next\""))
            }
            _ => Answer::json(200, &json!(items).to_string()),
        }
    }
}

fn notes(pages: Pages, bug: Bug) -> Server {
    let note = |id: i64, text: &str| json!({ "id": id, "text": text, "pinned": id <= 1 });
    let all: Mutex<Vec<Value>> = Mutex::new((1..=BEFORE).map(|id| note(id, "old")).collect());
    Server::http(move |request| {
        let mut all = all.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let url = url::Url::parse(&format!("http://notes{}", request.target)).expect("a URL");
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        match (request.method.as_str(), url.path()) {
            ("GET", "/notes") => {
                let count = match bug {
                    Bug::Stale => usize::try_from(BEFORE).unwrap_or_default(),
                    Bug::ButTheNewest => all.len() - 1,
                    Bug::None | Bug::PinnedOnly => all.len(),
                };
                let is_shown = |note: &&Value| bug != Bug::PinnedOnly || note["pinned"] == true;
                let shown: Vec<Value> = all.iter().take(count).filter(is_shown).cloned().collect();
                pages.answer(&shown, &query)
            }
            ("POST", "/notes") => {
                let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                let Some(text) = body["text"].as_str().filter(|text| text.chars().count() <= 80) else {
                    return Answer::empty(422);
                };
                let made = note(all.len() as i64 + 1, text);
                all.push(made.clone());
                Answer::json(201, &made.to_string())
            }
            ("GET", path) => {
                let id = path.rsplit('/').next().unwrap_or_default();
                let found = all.iter().find(|note| id.parse() == Ok(note["id"].as_i64().unwrap_or_default()));
                found.map_or(Answer::empty(404), |note| Answer::json(200, &note.to_string()))
            }
            _ => Answer::empty(405),
        }
    })
}

fn check(pages: Pages, bug: Bug) -> crate::support::Ran {
    let server = notes(pages, bug);
    let words = format!("check --seed 1 --document notes.yaml --target {}", server.url());
    probity(&words).file("notes.yaml", pages.document()).run()
}

#[test]
fn what_was_created_is_found_on_any_page() {
    each(&Pages::ALL, |pages| {
        let ran = check(*pages, Bug::None);
        assert_eq!(ran.ids("fail"), Vec::<String>::new(), "{pages:?}");
        // Where nothing leads on, the list that is full may have more.
        let due = if *pages == Pages::LimitOnly { "skipped" } else { "pass" };
        ran.verdict("listNotes/law/listed", due);
    });
}

#[test]
fn what_a_list_leaves_out_is_told() {
    each(&Pages::ALL, |pages| {
        // A full list may leave out what comes later.
        let all = [Bug::Stale, Bug::ButTheNewest];
        for bug in &all[..if *pages == Pages::LimitOnly { 1 } else { 2 }] {
            let ran = check(*pages, *bug);
            assert_eq!(ran.ids("fail"), ["listNotes/law/listed"], "{pages:?}, {bug:?}: {}", ran.stdout);
        }
    });
}

#[test]
fn a_list_that_may_leave_some_out_shows_nothing() {
    let ran = check(Pages::None, Bug::PinnedOnly);
    assert_eq!(ran.ids("fail"), Vec::<String>::new());
    let reason = ran.requirement("listNotes/law/listed")["reason"].to_string();
    assert!(reason.contains("the list shows no item whose pinned is false, and may leave them out"), "{reason}");
}
