//! What is lost between writing and reading: by an update that names one field, by one that answers nothing, by a read that
//! leaves something out, or because of what a text contains.

use serde_json::{Value, json};

use super::store::{Records, check, found, is_text, store, whole};
use crate::support::each;
use crate::support::server::{Answer, Server};

const DOCUMENT: &str = r##"
openapi: 3.0.3
info: { title: Parcels, version: "1" }
paths:
  /parcels:
    post:
      operationId: createParcel
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/New" } } } }
      responses: { "201": { description: made, content: { application/json: { schema: { $ref: "#/components/schemas/Parcel" } } } }, "422": { description: refused } }
  /parcels/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    get:
      operationId: getParcel
      responses: { "200": { description: it, content: { application/json: { schema: { $ref: "#/components/schemas/Parcel" } } } }, "404": { description: none } }
    patch:
      operationId: patchParcel
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/Patch" } } } }
      responses: { UPDATED, "404": { description: none }, "422": { description: refused } }
components:
  schemas:
    New:
      type: object
      required: [label]
      properties:
        label: { type: string, minLength: 1, maxLength: 80 }
        note: { type: string, maxLength: 200 }
        weight: { type: integer, minimum: 1, maximum: 900 }
        fragile: { type: boolean, default: false }
    Patch:
      type: object
      properties:
        label: { type: string, minLength: 1, maxLength: 80 }
        note: { type: string, maxLength: 200 }
        weight: { type: integer, minimum: 1, maximum: 900 }
        fragile: { type: boolean }
    Parcel:
      type: object
      required: [id, label]
      properties: { id: { type: integer }, label: { type: string }, note: { type: string, nullable: true }, weight: { type: integer, nullable: true }, fragile: { type: boolean } }
"##;

/// How a server of parcels behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Right,
    /// It refuses what looks like a tag.
    RefusesTags,
    /// It refuses what a table of three bytes a letter does not hold.
    RefusesEmoji,
    /// A read leaves out what is nothing.
    LeavesOutNothing,
    /// It writes the texts in its own way, and says so.
    Cleans,
    /// An update that does not name the weight resets it.
    Resets,
    /// An update that does not name the note empties it.
    Empties,
    /// An update without an answer loses the weight.
    LosesWeight,
    /// A read does not show the note.
    HidesNote,
    /// What is kept is written for HTML.
    Escapes,
    /// What is beyond the basic plane is lost.
    LosesEmoji,
    /// What is kept is what is assumed by default.
    AssumesDefault,
}

fn parcels(way: Way, answers: bool) -> Server {
    store(Records::new(), move |kept, request, path, body| {
        let number = |name: &str| body.get(name).is_none_or(|n| n.as_i64().is_some_and(|n| (1..=900).contains(&n)));
        let text = |name: &str, least, most| body.get(name).is_none_or(|text| is_text(text, least, most));
        let has = |what: fn(char) -> bool| {
            ["label", "note"].iter().any(|name| body[*name].as_str().is_some_and(|t| t.contains(what)))
        };
        let is_refused =
            (way == Way::RefusesTags && has(|c| c == '<')) || (way == Way::RefusesEmoji && has(|c| c > '\u{ffff}'));
        let is_right = text("label", 1, 80)
            && text("note", 0, 200)
            && number("weight")
            && body.get("fragile").is_none_or(Value::is_boolean)
            && body.is_object()
            && !is_refused;
        let stored = |value: &Value| match (way, value.as_str()) {
            (Way::Escapes, Some(text)) => json!(text.replace('<', "&lt;")),
            (Way::LosesEmoji, Some(text)) => json!(text.replace(|c| c > '\u{ffff}', "?")),
            _ => value.clone(),
        };
        match request.method.as_str() {
            "POST" if !is_right || body.get("label").is_none() => Answer::empty(422),
            "POST" => {
                let id = kept.len() + 100;
                let mut record =
                    json!({ "id": id, "label": body["label"], "note": body["note"], "weight": body["weight"] });
                record["fragile"] = body.get("fragile").cloned().unwrap_or(json!(false));
                if way == Way::Cleans {
                    record["label"] = json!(record["label"].as_str().unwrap_or_default().replace(['<', '&'], ""));
                }
                let mut kept_as = record.clone();
                kept_as.as_object_mut().expect("an object").values_mut().for_each(|value| *value = stored(value));
                if way == Way::AssumesDefault {
                    kept_as["fragile"] = json!(false);
                }
                kept.insert(format!("/parcels/{id}"), kept_as);
                whole(201, &record)
            }
            "GET" => match kept.get(path) {
                Some(record) => {
                    let mut shown = record.clone();
                    let members = shown.as_object_mut().expect("an object");
                    if way == Way::HidesNote {
                        members.remove("note");
                    }
                    if way == Way::LeavesOutNothing {
                        members.retain(|_, value| !value.is_null() && value != "" && value != false);
                    }
                    whole(200, &shown)
                }
                None => found(kept, path),
            },
            "PATCH" if !kept.contains_key(path) => Answer::empty(404),
            "PATCH" if !is_right => Answer::empty(422),
            "PATCH" => {
                let record = kept.get_mut(path).expect("it is there");
                for (name, value) in body.as_object().into_iter().flatten() {
                    let is_known = ["label", "note", "weight", "fragile"].contains(&name.as_str());
                    if is_known && !(way == Way::LosesWeight && name == "weight") {
                        record[name.as_str()] = stored(value);
                    }
                }
                match way {
                    Way::Resets if body.get("weight").is_none() => record["weight"] = json!(1),
                    Way::Empties if body.get("note").is_none() => record["note"] = json!(""),
                    Way::LosesWeight if body.get("weight").is_some() => record["weight"] = Value::Null,
                    _ => {}
                }
                if answers { whole(200, record) } else { Answer::empty(204) }
            }
            _ => Answer::empty(405),
        }
    })
}

fn failed(way: Way, answers: bool) -> Vec<String> {
    let shape = "{ application/json: { schema: { $ref: \"#/components/schemas/Parcel\" } } }";
    let updated = match answers {
        true => format!("\"200\": {{ description: it, content: {shape} }}"),
        false => "\"204\": { description: done }".to_owned(),
    };
    let ran = check(&parcels(way, answers), &DOCUMENT.replace("UPDATED", &updated), "");
    ran.verdict("getParcel/operation/valid-accepted", "pass");
    ran.ids("fail")
}

#[test]
fn an_honest_server_loses_nothing() {
    let all = [Way::Right, Way::RefusesTags, Way::RefusesEmoji, Way::LeavesOutNothing, Way::Cleans];
    let all: Vec<(Way, bool)> = all.into_iter().flat_map(|way| [(way, true), (way, false)]).collect();
    each(&all, |(way, answers)| assert_eq!(failed(*way, *answers), Vec::<String>::new(), "{way:?} {answers}"));
}

#[test]
fn what_is_lost_is_seen() {
    let (read, update) = ("getParcel/law/read-back", "patchParcel/law/read-back");
    let all = [
        (Way::Resets, true, update),
        (Way::Resets, false, update),
        (Way::Empties, true, update),
        (Way::Empties, false, update),
        (Way::LosesWeight, false, update),
        (Way::HidesNote, true, read),
        (Way::Escapes, true, read),
        (Way::LosesEmoji, true, read),
        (Way::AssumesDefault, true, read),
    ];
    each(&all, |(way, answers, id)| {
        let failed = failed(*way, *answers);
        assert!(failed.contains(&(*id).to_owned()), "{way:?} {answers}: {failed:?}");
    });
}
