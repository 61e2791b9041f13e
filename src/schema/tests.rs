//! Schemas of small documents, judged with and written out.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::notes::Problems;
use super::registry::{Dialect, Registry};
use super::{Direction, Schema};
use crate::source::Source;

fn read(dialect: Dialect, schemas: &Json, direction: Direction) -> (Schema, Problems) {
    let text = json!({ "components": { "schemas": schemas } }).to_string();
    let source = Source::new("document.json", text);
    let registry =
        Registry::read(&source, |_| Ok(dialect), &|_| Err(std::io::ErrorKind::NotFound.into())).expect("a document");
    let registry = Arc::new(registry);
    let at = registry.root().get("components").and_then(|c| c.get("schemas")).and_then(|s| s.get("X")).expect("X");
    Schema::read(&registry, &at, direction)
}

fn new(schemas: &Json, direction: Direction) -> Schema {
    let (schema, problems) = read(Dialect::Draft202012, schemas, direction);
    assert!(problems.unsupported.is_empty() && problems.parts.is_empty(), "{problems:?}");
    schema
}

fn old(schemas: &Json, direction: Direction) -> Schema {
    read(Dialect::OpenApi30, schemas, direction).0
}

/// What stands in a schema that was written out, without the notes on places.
fn bare(json: &Json) -> Json {
    match json {
        Json::Object(map) => map
            .iter()
            .filter(|(key, _)| *key != "x-pointer" && *key != "x-pointers")
            .map(|(key, value)| (key.clone(), bare(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Json::Array(all) => all.iter().map(bare).collect(),
        other => other.clone(),
    }
}

#[test]
fn all_of_is_merged_and_judged_as_written() {
    let schema = new(
        &json!({
            "X": { "allOf": [{ "$ref": "#/components/schemas/Base" }, {
                "required": ["b"],
                "properties": { "a": { "maxLength": 5 }, "b": { "type": "integer", "minimum": 1 } },
            }] },
            "Base": { "type": "object", "required": ["a"], "properties": { "a": { "type": "string", "maxLength": 9 } } },
        }),
        Direction::Request,
    );
    assert_eq!(
        bare(schema.json()),
        json!({
            "type": "object", "required": ["a", "b"],
            "properties": { "a": { "type": "string", "maxLength": 5 }, "b": { "type": "integer", "minimum": 1 } },
        })
    );
    assert_eq!(
        schema.json()["properties"]["a"]["x-pointers"]["maxLength"],
        "/components/schemas/X/allOf/1/properties/a/maxLength"
    );
    let violations = schema.violations(&json!({ "a": "abcdefg", "b": 0 }));
    let found: Vec<_> = violations.iter().map(|v| (v.at.as_str(), v.part.as_str(), v.pointer.as_str())).collect();
    assert_eq!(
        found,
        [
            ("/a", "/properties/a/maxLength", "/components/schemas/X/allOf/1/properties/a/maxLength"),
            ("/b", "/properties/b/minimum", "/components/schemas/X/allOf/1/properties/b/minimum"),
        ]
    );
    let missing = &schema.violations(&json!({ "b": 1 }))[0];
    assert_eq!(
        (missing.part.as_str(), missing.pointer.as_str()),
        ("/required#a", "/components/schemas/Base/required#a")
    );
}

#[test]
fn alternatives_are_merged_with_what_stands_beside_them() {
    let schema = new(
        &json!({
            "X": {
                "type": "object", "required": ["kind"], "properties": { "kind": { "type": "string" } },
                "oneOf": [{ "$ref": "#/components/schemas/Cat" }, { "properties": { "dog": { "type": "boolean" } } }],
            },
            "Cat": { "required": ["lives"], "properties": { "lives": { "type": "integer" } } },
        }),
        Direction::Request,
    );
    let json = bare(schema.json());
    assert_eq!(json["x-one-of"], true);
    assert_eq!(json["anyOf"][0]["required"], json!(["kind", "lives"]));
    assert_eq!(json["anyOf"][1]["properties"], json!({ "kind": { "type": "string" }, "dog": { "type": "boolean" } }));
    assert_eq!(json["properties"], json!({ "kind": { "type": "string" } }));
    assert_eq!(schema.json()["anyOf"][0]["x-pointer"], "/components/schemas/Cat");
    let several = &schema.violations(&json!({ "kind": "a", "lives": 9 }))[0];
    assert!(several.several && several.part == "/anyOf", "{several:?}");
}

#[test]
fn discriminators_choose_one_branch() {
    let schemas = json!({
        "X": {
            "oneOf": [{ "$ref": "#/components/schemas/Cat" }, { "$ref": "#/components/schemas/Dog" }],
            "discriminator": { "propertyName": "kind", "mapping": { "feline": "#/components/schemas/Cat" } },
        },
        "Cat": { "type": "object", "required": ["kind"], "properties": { "kind": { "type": "string" }, "a": { "type": "integer" } } },
        "Dog": { "type": "object", "required": ["kind"], "properties": { "kind": { "type": "string" }, "b": { "type": "integer" } } },
    });
    let sent = new(&schemas, Direction::Request);
    let kinds: Vec<&Json> = (0..2).map(|i| &sent.json()["anyOf"][i]["properties"]["kind"]["const"]).collect();
    assert_eq!(kinds, [&json!("feline"), &json!("Dog")]);
    assert!(sent.is_valid(&json!({ "kind": "Dog", "b": 1 })), "both fit, but one is chosen");
    assert!(!sent.is_valid(&json!({ "kind": "Cow" })), "each branch has a value, and this is none");
    let came = new(&schemas, Direction::Response);
    assert_eq!(came.violations(&json!({ "kind": "feline", "a": "x" }))[0].at, "/a");
    assert!(came.is_valid(&json!({ "kind": "feline", "b": "x" })));
}

#[test]
fn a_parent_with_a_discriminator_stands_for_its_children() {
    let schemas = json!({
        "X": { "type": "object", "required": ["kind"], "properties": { "kind": { "type": "string" } },
               "discriminator": { "propertyName": "kind" } },
        "Cat": { "allOf": [{ "$ref": "#/components/schemas/X" }, { "required": ["a"], "properties": { "a": { "type": "integer" } } }] },
    });
    let schema = old(&schemas, Direction::Response);
    assert_eq!(schema.json()["anyOf"][0]["required"], json!(["kind", "a"]));
    assert!(schema.is_valid(&json!({ "kind": "Cat", "a": 1 })) && schema.is_valid(&json!({ "kind": "Other" })));
    assert!(!schema.is_valid(&json!({ "kind": "Cat" })));
}

#[test]
fn what_contains_itself_is_judged_to_any_depth_and_written_out_to_some() {
    let schema = new(
        &json!({ "X": { "type": "object", "required": ["name"], "properties": {
            "name": { "type": "string" },
            "parent": { "$ref": "#/components/schemas/X" },
            "children": { "type": "array", "items": { "$ref": "#/components/schemas/X" } },
        } } }),
        Direction::Response,
    );
    let mut value = json!({ "name": 7 });
    for _ in 0..20 {
        value = json!({ "name": "a", "parent": value });
    }
    assert_eq!(schema.violations(&value).len(), 1);
    let deepest = &schema.json()["properties"]["parent"]["properties"]["parent"];
    assert_eq!(deepest["properties"]["children"]["x-cut"], json!(["maxItems"]));
    assert!(deepest["properties"].get("parent").is_none());
}

#[test]
fn what_can_never_end_is_impossible() {
    let endless = json!({ "X": { "type": "object", "required": ["x"], "properties": { "x": { "$ref": "#/components/schemas/X" } } } });
    assert!(new(&endless, Direction::Request).is_impossible());
    for circle in [
        json!({ "X": { "$ref": "#/components/schemas/X" } }),
        json!({ "X": { "allOf": [{ "$ref": "#/components/schemas/Y" }] }, "Y": { "anyOf": [{ "$ref": "#/components/schemas/X" }] } }),
        json!({ "X": { "not": { "$ref": "#/components/schemas/X" } } }),
    ] {
        // It says nothing, but it is looked at without end by nobody.
        let (schema, problems) = read(Dialect::Draft202012, &circle, Direction::Request);
        let named: Vec<&str> = problems.unsupported.iter().map(|problem| problem.title()).collect();
        assert!(named.iter().all(|title| *title == "this `$ref` leads back to itself"), "{named:?}");
        schema.violations(&json!({ "a": 1 }));
        schema.json();
    }
}

#[test]
fn nullable_is_a_type_or_a_doubt() {
    let schemas = json!({ "X": { "properties": {
        "plain": { "type": "string", "nullable": true },
        "listed": { "type": "string", "nullable": true, "enum": ["a"] },
        "combined": { "nullable": true, "allOf": [{ "$ref": "#/components/schemas/Y" }] },
        "referred": { "nullable": true, "$ref": "#/components/schemas/Y" },
    } }, "Y": { "type": "object" } });
    let schema = old(&schemas, Direction::Request);
    let properties = &schema.json()["properties"];
    assert_eq!(properties["plain"]["type"], json!(["string", "null"]));
    for name in ["listed", "combined", "referred"] {
        assert_eq!(properties[name]["x-nullable"], true, "{name}");
        assert!(schema.is_valid(&json!({ name: null })), "{name}");
        let wrong = &schema.violations(&json!({ name: 7 }))[0];
        assert!(wrong.part.starts_with(&format!("/properties/{name}/")), "{wrong:?}");
    }
}

#[test]
fn old_keywords_are_read_in_new_terms() {
    let schema = old(
        &json!({ "X": { "type": "integer", "minimum": 1, "exclusiveMinimum": true, "format": "int32", "example": 5 } }),
        Direction::Request,
    );
    assert_eq!(
        bare(schema.json()),
        json!({ "type": "integer", "format": "int32", "examples": [5], "exclusiveMinimum": 1, "maximum": 2_147_483_647, "x-format-bounds": ["maximum"] })
    );
    let (_, problems) = read(
        Dialect::OpenApi30,
        &json!({ "X": { "const": 1, "maxLenght": 3, "required": true, "pattern": "(" } }),
        Direction::Request,
    );
    assert_eq!((problems.notes.len(), problems.parts.len()), (3, 1), "{problems:?}");
}

#[test]
fn each_side_sends_its_own() {
    let schemas = json!({ "X": { "type": "object", "required": ["id", "secret"], "properties": {
        "id": { "type": "string", "readOnly": true }, "secret": { "type": "string", "writeOnly": true },
    } } });
    let sent = new(&schemas, Direction::Request);
    assert_eq!(bare(sent.json())["required"], json!(["secret"]));
    assert_eq!(sent.json()["x-read-only"], json!(["id"]));
    assert!(sent.json()["properties"].get("id").is_none());
    assert!(sent.is_valid(&json!({ "secret": "a" })) && sent.is_valid(&json!({ "secret": "a", "id": "b" })));
    let came = new(&schemas, Direction::Response);
    assert!(came.is_valid(&json!({ "id": "a" })) && came.is_valid(&json!({ "id": "a", "secret": "b" })));
    assert_eq!(came.excesses(&json!({ "id": "a", "secret": "b" }))[0].keyword, "writeOnly");
    assert!(came.excesses(&json!({ "id": "a", "secret": null })).is_empty());
}

#[test]
fn several_of_one_of_is_an_excess_of_a_response() {
    let schema = new(&json!({ "X": { "oneOf": [{ "type": "integer" }, { "type": "number" }] } }), Direction::Response);
    assert!(schema.is_valid(&json!(1)) && schema.excesses(&json!(1))[0].several);
    assert!(!schema.is_valid(&json!("a")) && schema.excesses(&json!(1.5)).is_empty());
}

#[test]
fn anchors_and_dynamic_references_lead_where_they_say() {
    let schema = new(
        &json!({
            "X": { "$id": "https://a.example/strings", "$ref": "list",
                   "$defs": { "item": { "$dynamicAnchor": "item", "type": "string" } } },
            "List": { "$id": "https://a.example/list", "type": "array", "items": { "$dynamicRef": "#item" },
                      "$defs": { "item": { "$dynamicAnchor": "item" }, "named": { "$anchor": "named", "type": "null" } } },
            "Y": { "$ref": "https://a.example/list#named" },
        }),
        Direction::Request,
    );
    assert!(schema.is_valid(&json!(["a"])));
    assert_eq!(schema.violations(&json!([1]))[0].pointer, "/components/schemas/X/$defs/item/type");
    assert_eq!(schema.json()["items"]["type"], "string");
}
