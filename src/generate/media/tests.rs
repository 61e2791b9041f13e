//! What is written is read again.

use serde_json::json;

use super::{decode, encode};
use crate::document;
use crate::document::operation::Operation;
use crate::source::{Place, Source};

fn operation(media_type: &str) -> Operation {
    let text = json!({
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {"post": {
            "operationId": "x",
            "requestBody": {"content": {(media_type): {"schema": {"type": "object", "properties": {
                "name": {"type": "string"}, "size": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}},
                "inner": {"type": "object", "properties": {"a": {"type": "boolean"}}},
                "file": {"type": "string", "format": "binary"},
            }}}}},
            "responses": {"200": {"description": "d"}},
        }}},
    })
    .to_string();
    let source = Source::new("made-up.json", text);
    let place = Place { source: source.clone(), span: 0..1 };
    document::load(&source, "x", &place).expect("an operation")
}

#[test]
fn forms_are_read_as_they_were_written() {
    for media_type in ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let operation = operation(media_type);
        let body = operation.body().expect("a body");
        for value in [
            json!({"name": "a b&c=d+e%20\"ü\"", "size": 3, "tags": ["x", "y,z"], "inner": {"a": true}, "file": "bytes\n"}),
            json!({}),
            json!({"size": "no number", "name": ""}),
        ] {
            let (content_type, bytes) = encode(body, &value, "b0undary");
            assert_eq!(
                decode(body, &content_type, &bytes),
                Some(value),
                "{media_type} {}",
                String::from_utf8_lossy(&bytes)
            );
        }
        let (content_type, bytes) = encode(body, &json!({"size": "1"}), "b0undary");
        let read = decode(body, &content_type, &bytes);
        assert_eq!(read, Some(json!({"size": if media_type.contains("json") { json!("1") } else { json!(1) }})));
    }
}
