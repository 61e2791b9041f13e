//! What is written is read again.

use serde_json::json;

use super::{decode, encode};
use crate::document;
use crate::document::operation::Operation;
use crate::source::{Place, Source};

fn operation(media_type: &str) -> Operation {
    encoded(media_type, &json!({}))
}

fn encoded(media_type: &str, encoding: &serde_json::Value) -> Operation {
    let text = json!({
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {"post": {
            "operationId": "x",
            "requestBody": {"content": {(media_type): {"schema": {"type": "object", "properties": {
                "name": {"type": "string"}, "size": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}},
                "inner": {"type": "object", "properties": {"a": {"type": "boolean"}}},
                "file": {"type": "string", "format": "binary"},
            }}, "encoding": encoding}}},
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

#[test]
fn properties_of_forms_are_written_in_their_style() {
    let value = json!({"name": "a/b", "size": 3, "tags": ["x", "y z"], "inner": {"a": true}});
    for (encoding, written) in [
        (
            json!({"inner": {"style": "deepObject", "explode": true}}),
            "name=a%2Fb&size=3&tags=x&tags=y%20z&inner%5Ba%5D=true",
        ),
        (json!({"tags": {"style": "pipeDelimited", "explode": false}}), "tags=x%7Cy%20z"),
        (json!({"tags": {"explode": false}}), "tags=x,y%20z"),
        (json!({"inner": {"style": "form"}}), "&a=true"),
        (json!({"inner": {"explode": false}}), "inner=a,true"),
        (json!({"name": {"allowReserved": true}}), "name=a/b"),
    ] {
        let operation = encoded("application/x-www-form-urlencoded", &encoding);
        let body = operation.body().expect("a body");
        let (content_type, bytes) = encode(body, &value, "");
        let text = String::from_utf8(bytes.clone()).expect("text");
        assert!(text.contains(written), "{encoding} {text}");
        assert_eq!(decode(body, &content_type, &bytes), Some(value.clone()), "{encoding} {text}");
    }
}
