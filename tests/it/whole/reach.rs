//! Operations that are reached only by whoever reads paths, bodies and headers as they are meant.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::store::{Records, check, found, is_text, store, whole};
use crate::support::each;
use crate::support::server::{Answer, Request, Server};

const EVENTS: &str = r##"
openapi: 3.0.3
info: { title: Events, version: "1" }
paths:
  /events:
    post:
      operationId: createEvent
      requestBody: { required: true, content: { application/vnd.api+json: { schema: { $ref: "#/components/schemas/NewEvent" } } } }
      responses:
        "201": { description: made, content: { application/vnd.api+json: { schema: { $ref: "#/components/schemas/Event" } } } }
        "422": { description: refused }
  /events/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get:
      operationId: getEvent
      responses: { "200": { description: it }, "404": { description: none } }
    patch:
      operationId: patchEvent
      requestBody: { required: true, content: { application/vnd.api+json: { schema: { $ref: "#/components/schemas/Patch" } } } }
      responses: { "200": { description: it }, "404": { description: none }, "409": { description: another }, "422": { description: refused } }
  /venues:
    post:
      operationId: createVenue
      requestBody: { required: true, content: { application/vnd.api+json: { schema: { $ref: "#/components/schemas/NewVenue" } } } }
      responses: { "201": { description: made }, "422": { description: refused } }
  /venues/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get:
      operationId: getVenue
      responses: { "200": { description: it }, "404": { description: none } }
components:
  schemas:
    Title: { type: object, required: [title], properties: { title: { type: string, minLength: 1, maxLength: 60 } } }
    NewVenue:
      type: object
      required: [data]
      properties:
        data:
          type: object
          required: [type, attributes]
          properties: { type: { type: string, enum: [venues] }, attributes: { $ref: "#/components/schemas/Title" } }
    Reference:
      type: object
      required: [data]
      properties:
        data:
          type: object
          required: [type, id]
          properties: { type: { type: string, enum: [venues] }, id: { type: string } }
    NewEvent:
      type: object
      required: [data]
      properties:
        data:
          type: object
          required: [type, attributes, relationships]
          properties:
            type: { type: string, enum: [events] }
            attributes: { $ref: "#/components/schemas/Title" }
            relationships: { type: object, required: [venue], properties: { venue: { $ref: "#/components/schemas/Reference" } } }
    Patch:
      type: object
      required: [data]
      properties:
        data:
          type: object
          required: [type, id]
          properties:
            type: { type: string, enum: [events] }
            id: { type: string }
            attributes: { $ref: "#/components/schemas/Title" }
    Event: { type: object, required: [data], properties: { data: { type: object, required: [type, id] } } }
"##;

fn events() -> Server {
    let typed = |answer: Answer| match answer {
        Answer::Whole(status, _, body) if !body.is_empty() => {
            Answer::Whole(status, vec![("Content-Type".to_owned(), "application/vnd.api+json".to_owned())], body)
        }
        other => other,
    };
    store(Records::new(), move |kept, request, path, body| typed(event(kept, request, path, body)))
}

fn event(kept: &mut Records, request: &Request, path: &str, body: &Value) -> Answer {
    {
        let data = &body["data"];
        let made = |kept: &mut Records, kind: &str| {
            let id = format!("{kind}-{:08}", kept.len() + 1);
            let mut record = data.clone();
            record["id"] = json!(id);
            let record = json!({ "data": record });
            kept.insert(format!("/{kind}/{id}"), record.clone());
            whole(201, &record)
        };
        let is_right = |kind: &str| data["type"] == kind && is_text(&data["attributes"]["title"], 1, 60);
        match (request.method.as_str(), path) {
            ("POST", "/venues") if is_right("venues") => made(kept, "venues"),
            ("POST", "/events") if is_right("events") => {
                let venue = &data["relationships"]["venue"]["data"];
                if venue["type"] != "venues" || !venue["id"].is_string() {
                    return Answer::empty(422);
                }
                let venue = format!("/venues/{}", venue["id"].as_str().unwrap_or_default());
                if kept.contains_key(&venue) { made(kept, "events") } else { Answer::empty(404) }
            }
            ("GET", _) => found(kept, path),
            ("PATCH", _) if !kept.contains_key(path) => Answer::empty(404),
            ("PATCH", _) if data["type"] != "events" || !data["id"].is_string() => Answer::empty(422),
            ("PATCH", _) if !path.ends_with(data["id"].as_str().unwrap_or_default()) => Answer::empty(409),
            ("PATCH", _) => {
                let title = data.get("attributes").map(|all| &all["title"]);
                if title.is_some_and(|title| !is_text(title, 1, 60)) {
                    return Answer::empty(422);
                }
                let record = kept.get_mut(path).expect("it is there");
                if let Some(title) = title {
                    record["data"]["attributes"]["title"] = title.clone();
                }
                whole(200, record)
            }
            _ => Answer::empty(422),
        }
    }
}

#[test]
fn a_body_names_records_wherever_it_does() {
    let ran = check(&events(), EVENTS, "");
    ran.holds(ran.code == Some(0) && ran.ids("fail").is_empty(), "an honest server passes");
    for id in ["createEvent/operation/valid-accepted", "patchEvent/law/read-back", "getEvent/law/read-back"] {
        ran.verdict(id, "pass");
    }
    // What the path names, the body repeats.
    assert!(!ran.exchanges().iter().any(|e| e["response"]["status"] == 409));
}

#[test]
fn an_unknown_record_in_a_body_is_no_missing_operation() {
    // Somebody else creates venues.
    let others = "paths:\n  /events/count:\n    get:\n      operationId: count\n      responses: { \"200\": { description: it } }";
    let counting = store(Records::new(), move |_, request, path, _| match path {
        "/events/count" if request.method == "GET" => Answer::json(200, "3"),
        _ => Answer::empty(404),
    });
    let ran = check(&counting, &EVENTS.replace("paths:", others), "--operation count --operation createEvent");
    ran.holds(ran.code == Some(0), "the rest is not spoilt by it");
    ran.verdict("createEvent/operation/valid-accepted", "skipped");
    ran.says("the server does not know a record that the body names").never_says("fixture").never_says("must include");
}

/// An operation on one record in a document, with answers as JSON.
fn paths(create: &str, one: &str, parameter: &str, schema: &str) -> String {
    format!(
        r#"
openapi: 3.0.3
info: {{ title: Things, version: "1" }}
paths:
  {create}:
    get:
      operationId: listThings
      responses: {{ "200": {{ description: all, content: {{ application/json: {{ schema: {{ type: array, items: {{ type: object }} }} }} }} }} }}
    post:
      operationId: createThing
      requestBody: {{ required: true, content: {{ application/json: {{ schema: {schema} }} }} }}
      responses: {{ "201": {{ description: made, content: {{ application/json: {{ schema: {{ type: object }} }} }} }}, "422": {{ description: refused }} }}
  {one}:
    parameters: [{parameter}]
    get:
      operationId: getThing
      responses: {{ "200": {{ description: it, content: {{ application/json: {{ schema: {{ type: object }} }} }} }}, "404": {{ description: none }} }}
    delete:
      operationId: deleteThing
      responses: {{ "204": {{ description: gone }}, "404": {{ description: none }} }}
"#
    )
}

/// Makes a record of a body and a number, and the path at which it is.
type Make = fn(&Value, usize) -> (String, Value);

#[test]
fn what_a_path_calls_a_record_is_found_in_it() {
    let name = "{ type: object, required: [name], properties: { name: { type: string, pattern: '^[a-z]{3,20}$' } } }";
    let title =
        "{ type: object, required: [title], properties: { title: { type: string, minLength: 1, maxLength: 60 } } }";
    let text = |name: &str| format!("{{ name: {name}, in: path, required: true, schema: {{ type: string }} }}");
    let number = "{ name: ID, in: path, required: true, schema: { type: integer } }".to_owned();
    let all: [(&str, &str, String, &str, Make); 4] = [
        ("/layers", "/layers/{layerName}", text("layerName"), name, |body, _| {
            let name = body["name"].as_str().unwrap_or_default();
            (format!("/layers/{name}"), json!({ "name": name, "owner": "somebody" }))
        }),
        ("/articles", "/articles/{article_slug}", text("article_slug"), title, |body, n| {
            (format!("/articles/a-{n}"), json!({ "slug": format!("a-{n}"), "number": 7, "title": body["title"] }))
        }),
        ("/Products", "/Products({ID})", number, title, |body, n| {
            (format!("/Products({n})"), json!({ "ID": n, "title": body["title"] }))
        }),
        ("/People", "/People('{UserName}')", text("UserName"), title, |body, n| {
            (format!("/People('u-{n}')"), json!({ "UserName": format!("u-{n}"), "title": body["title"] }))
        }),
    ];
    each(&all, |(create, one, parameter, schema, make)| {
        let made = AtomicUsize::new(101);
        let (create_path, make, is_name) = ((*create).to_owned(), *make, schema.contains("pattern"));
        let server = store(Records::new(), move |kept, request, path, body| match (request.method.as_str(), path) {
            ("GET", path) if path == create_path => whole(200, &kept.values().cloned().collect()),
            ("POST", path) if path == create_path => {
                let is_small = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase());
                let is_right = match is_name {
                    true => is_text(&body["name"], 3, 20) && body["name"].as_str().is_some_and(is_small),
                    false => is_text(&body["title"], 1, 60),
                };
                if !is_right {
                    return Answer::empty(422);
                }
                let (path, record) = make(body, made.fetch_add(1, Ordering::SeqCst));
                kept.insert(path, record.clone());
                whole(201, &record)
            }
            ("GET", path) => found(kept, path),
            ("DELETE", path) if kept.remove(path).is_some() => Answer::empty(204),
            _ => Answer::empty(404),
        });
        let ran = check(&server, &paths(create, one, parameter, schema), "");
        ran.holds(ran.code == Some(0) && ran.ids("fail").is_empty(), one);
        ran.verdict("getThing/law/read-back", "pass").verdict("deleteThing/operation/valid-accepted", "pass");
        ran.holds(ran.report()["cleanup"]["left"] == json!([]), "nothing is left");
    });
}

const KEYS: &str = r##"
openapi: 3.1.0
info: { title: Keys, version: "1" }
paths:
  /spaces/{space}/keys/{key}:
    parameters:
      - { name: space, in: path, required: true, schema: { type: string, pattern: '^[a-z0-9-]{1,40}$' } }
      - { name: key, in: path, required: true, schema: { type: string, maxLength: 64 } }
    put:
      operationId: putKey
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/Entry" } } } }
      responses:
        "200": { description: replaced, content: { application/json: { schema: { $ref: "#/components/schemas/Entry" } } } }
        "201": { description: created, content: { application/json: { schema: { $ref: "#/components/schemas/Entry" } } } }
        "400": { description: refused }
    get:
      operationId: getKey
      responses:
        "200": { description: it, content: { application/json: { schema: { $ref: "#/components/schemas/Entry" } } } }
        "404": { description: none }
    delete:
      operationId: deleteKey
      responses: { "204": { description: gone }, "404": { description: none } }
components:
  schemas:
    Entry:
      type: object
      required: [text]
      properties: { text: { type: string, minLength: 1, maxLength: 80 }, count: { type: integer, minimum: 0, maximum: 99 } }
"##;

fn keys(forgets: bool) -> Server {
    let theirs = json!({ "text": "somebody's" });
    let kept =
        Records::from_iter(["/spaces/a/keys/a", "/spaces/a/keys/1"].map(|path| (path.to_owned(), theirs.clone())));
    let is_right = |path: &str| {
        let (space, key) = path.strip_prefix("/spaces/")?.split_once("/keys/")?;
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_space = (1..=40).contains(&space.len()) && space.chars().all(is_plain);
        (is_space && key.chars().count() <= 64).then_some(())
    };
    store(kept, move |kept, request, path, body| match request.method.as_str() {
        _ if is_right(path).is_none() => Answer::empty(400),
        "PUT" => {
            let is_count = body.get("count").is_none_or(|n| n.as_i64().is_some_and(|n| (0..=99).contains(&n)));
            if !is_text(&body["text"], 1, 80) || !is_count {
                return Answer::empty(400);
            }
            let mut record = body.clone();
            if forgets && record.get("count").is_some() {
                record["count"] = json!(0);
            }
            let status = if kept.insert(path.to_owned(), record).is_some() { 200 } else { 201 };
            whole(status, body)
        }
        "DELETE" if kept.remove(path).is_some() => Answer::empty(204),
        "GET" => found(kept, path),
        _ => Answer::empty(404),
    })
}

#[test]
fn what_a_put_creates_has_a_name_that_nobody_gave() {
    let server = keys(false);
    let ran = check(&server, KEYS, "");
    ran.holds(ran.code == Some(0) && ran.ids("fail").is_empty(), "an honest server passes");
    for id in ["getKey/law/read-back", "putKey/law/read-back", "deleteKey/law/gone", "putKey/schema/count-maximum"] {
        ran.verdict(id, "pass");
    }
    let tag = ran.report()["header"]["run_tag"].as_str().expect("a tag").to_owned();
    let strays: Vec<Request> = server
        .requests()
        .into_iter()
        .filter(|r| r.method != "GET" && !r.target.rsplit('/').next().is_some_and(|key| key.contains(&tag)))
        .collect();
    // What breaks a part of the path is refused, or the server's matter; nobody's record is called so.
    assert!(
        !strays.iter().any(|r| ["/spaces/a/keys/a", "/spaces/a/keys/1"].contains(&r.target.as_str())),
        "{strays:#?}"
    );
    ran.holds(ran.report()["cleanup"]["left"] == json!([]), "nothing is left");
    check(&keys(true), KEYS, "").verdict("getKey/law/read-back", "fail");
}

const VERSIONS: &str = r##"
openapi: 3.0.3
info: { title: Pages, version: "1" }
paths:
  /pages:
    post:
      operationId: createPage
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/Page" } } } }
      responses: { "201": { description: made, content: { application/json: { schema: { type: object } } } }, "422": { description: refused } }
  /pages/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    get:
      operationId: getPage
      responses: { "200": { description: it, content: { application/json: { schema: { type: object } } } }, "404": { description: none } }
    put:
      operationId: putPage
      parameters: [{ name: If-Match, in: header, required: true, schema: { type: string } }]
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/Page" } } } }
      responses:
        "200": { description: it, content: { application/json: { schema: { type: object } } } }
        "404": { description: none }
        "412": { description: changed meanwhile }
        "422": { description: refused }
        "428": { description: which one }
components:
  schemas:
    Page:
      type: object
      required: [title]
      properties: { title: { type: string, minLength: 1, maxLength: 80 }, rank: { type: integer, minimum: 1, maximum: 900 } }
"##;

fn pages(knows_any: bool, forgets: bool) -> Server {
    store(Records::new(), move |kept, request, path, body| {
        let is_rank = body.get("rank").is_none_or(|n| n.as_i64().is_some_and(|n| (1..=900).contains(&n)));
        let is_right = is_text(&body["title"], 1, 80) && is_rank;
        let tag = |record: &Value| format!("\"v{}\"", record["version"]);
        let shown = |status: u16, record: &Value| whole(status, record).with("ETag", &tag(record));
        match (request.method.as_str(), path) {
            ("POST", "/pages") if is_right => {
                let id = kept.len() + 1;
                let record = json!({ "id": id, "title": body["title"], "rank": body["rank"], "version": 1 });
                kept.insert(format!("/pages/{id}"), record.clone());
                shown(201, &record)
            }
            ("GET", _) => kept.get(path).map_or(Answer::empty(404), |record| shown(200, record)),
            ("PUT", _) if !kept.contains_key(path) => Answer::empty(404),
            ("PUT", _) => {
                let record = kept.get_mut(path).expect("it is there");
                match request.header("if-match") {
                    None => return Answer::empty(428),
                    Some("*") if knows_any => {}
                    Some(text) if text == tag(record) => {}
                    Some(_) => return Answer::empty(412),
                }
                if !is_right {
                    return Answer::empty(422);
                }
                let (id, version) = (&record["id"], record["version"].as_i64().unwrap_or_default() + 1);
                let next = json!({ "id": id, "title": body["title"], "rank": body["rank"], "version": version });
                if forgets {
                    record["version"] = json!(version);
                } else {
                    *record = next.clone();
                }
                shown(200, &next)
            }
            _ => Answer::empty(422),
        }
    })
}

#[test]
fn who_must_say_which_version_says_it() {
    for knows_any in [true, false] {
        let ran = check(&pages(knows_any, false), VERSIONS, "");
        ran.holds(ran.code == Some(0) && ran.ids("fail").is_empty(), "an honest server passes");
        ran.verdict("putPage/law/read-back", "pass").verdict("putPage/operation/valid-accepted", "pass");
        check(&pages(knows_any, true), VERSIONS, "").verdict("putPage/law/read-back", "fail");
    }
}

const FILTERED: &str = r##"
openapi: 3.1.0
info: { title: Jobs, version: "1" }
paths:
  /jobs:
    get:
      operationId: listJobs
      parameters:
        - { name: state, in: query, schema: { anyOf: [{ $ref: "#/components/schemas/State" }, { type: "null" }] } }
      responses: { "200": { description: some, content: { application/hal+json: { schema: { $ref: "#/components/schemas/Jobs" } } } } }
    post:
      operationId: createJob
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/Job" } } } }
      responses: { "201": { description: made, content: { application/json: { schema: { $ref: "#/components/schemas/Job" } } } }, "422": { description: refused } }
  /jobs/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    get:
      operationId: getJob
      responses: { "200": { description: it, content: { application/json: { schema: { $ref: "#/components/schemas/Job" } } } }, "404": { description: none } }
components:
  schemas:
    State: { type: string, enum: [waiting, running, done] }
    Job:
      type: object
      required: [name, state]
      properties: { id: { type: integer }, name: { type: string, maxLength: 60 }, state: { $ref: "#/components/schemas/State" } }
    Jobs:
      type: object
      properties:
        _links: { type: object }
        _embedded: { type: object, properties: { jobs: { type: array, items: { $ref: "#/components/schemas/Job" } } } }
"##;

fn jobs(ignores: bool, stale: bool) -> Server {
    store(Records::new(), move |kept, request, path, body| match (request.method.as_str(), path) {
        ("GET", "/jobs") => {
            let wanted = request.target.split_once("state=").map(|(_, state)| state.to_owned());
            if wanted.as_ref().is_some_and(|state| !["waiting", "running", "done"].contains(&state.as_str())) {
                return Answer::empty(422);
            }
            let fits = |job: &&Value| ignores || wanted.as_ref().is_none_or(|state| job["state"] == **state);
            let count = if stale { 3 } else { usize::MAX };
            let all: Vec<&Value> = kept.values().filter(fits).take(count).collect();
            let list = json!({ "_links": { "self": { "href": "/jobs" } }, "_embedded": { "jobs": all } });
            Answer::Whole(
                200,
                vec![("Content-Type".to_owned(), "application/hal+json".to_owned())],
                list.to_string().into(),
            )
        }
        ("POST", "/jobs") => {
            let is_state = ["waiting", "running", "done"].iter().any(|state| body["state"] == *state);
            if !is_text(&body["name"], 0, 60) || !is_state || body.get("id").is_some_and(|id| !id.is_i64()) {
                return Answer::empty(422);
            }
            let id = kept.len() + 1000;
            let job = json!({ "id": id, "name": body["name"], "state": body["state"] });
            kept.insert(format!("/jobs/{id}"), job.clone());
            whole(201, &job)
        }
        ("GET", _) => found(kept, path),
        _ => Answer::empty(405),
    })
}

#[test]
fn lists_are_read_in_hal_and_filtered_by_what_may_be_left_out() {
    let (listed, filtered) = ("listJobs/law/listed", "listJobs/law/filtered-by-state");
    let ran = check(&jobs(false, false), FILTERED, "");
    ran.holds(ran.ids("fail").is_empty(), "an honest server passes").verdict(listed, "pass").verdict(filtered, "pass");
    check(&jobs(true, false), FILTERED, "").verdict(filtered, "fail");
    check(&jobs(false, true), FILTERED, "").verdict(listed, "fail");
}

const ARCHIVE: &str = r##"
openapi: 3.0.3
info: { title: Projects, version: "1" }
paths:
  /projects:
    post:
      operationId: createProject
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/Name" } } } }
      responses: { "201": { description: made, content: { application/json: { schema: { type: object } } } }, "422": { description: refused } }
  /projects/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    get:
      operationId: getProject
      responses: { "200": { description: it, content: { application/json: { schema: { type: object } } } }, "404": { description: none } }
  /projects/{id}/archive:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    post:
      operationId: archiveProject
      responses: { "200": { description: it, content: { application/json: { schema: { type: object } } } }, "404": { description: none } }
  /projects/{id}/tasks:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    post:
      operationId: createTask
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/Name" } } } }
      responses: { "201": { description: made, content: { application/json: { schema: { type: object } } } }, "409": { description: archived }, "422": { description: refused } }
  /projects/{id}/tasks/{task_id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: integer } }
      - { name: task_id, in: path, required: true, schema: { type: integer } }
    get:
      operationId: getTask
      responses: { "200": { description: it, content: { application/json: { schema: { type: object } } } }, "404": { description: none } }
components:
  schemas:
    Name: { type: object, required: [name], properties: { name: { type: string, minLength: 1, maxLength: 60 } } }
"##;

#[test]
fn a_law_looks_for_a_parent_that_takes_something() {
    let server = store(Records::new(), move |kept, request, path, body| {
        let made = |kept: &mut Records| {
            let id = kept.len() + 100;
            let record = json!({ "id": id, "name": body["name"] });
            kept.insert(format!("{path}/{id}"), record.clone());
            whole(201, &record)
        };
        let parent = path.rsplit_once('/').unwrap_or_default().0.to_owned();
        match request.method.as_str() {
            "GET" => found(kept, path),
            "POST" if path == "/projects" && is_text(&body["name"], 1, 60) => made(kept),
            "POST" if path.ends_with("/archive") && kept.contains_key(&parent) => {
                let project = kept.get_mut(&parent).expect("it is there");
                project["archived"] = json!(true);
                whole(200, project)
            }
            "POST" if path.ends_with("/tasks") => match kept.get(&parent) {
                None => Answer::empty(404),
                Some(project) if project["archived"] == true => Answer::empty(409),
                Some(_) if is_text(&body["name"], 1, 60) => made(kept),
                Some(_) => Answer::empty(422),
            },
            _ => Answer::empty(422),
        }
    });
    let ran = check(&server, ARCHIVE, "");
    ran.holds(ran.code == Some(0) && ran.ids("fail").is_empty(), "an honest server passes");
    ran.verdict("getTask/law/read-back", "pass");
}
