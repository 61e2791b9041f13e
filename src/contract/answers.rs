//! The requirements that follow from the document's responses.

use super::requirement::{Always, Form, Level, Origin, Requirement, ResponseOf};
use crate::document::media::{essence, is_json};
use crate::document::operation::Operation;
use crate::document::response::{MediaType, Response, is_of_any_server};
use crate::schema::Schema;

/// The requirements on responses.
pub(super) fn requirements(operation: &Operation) -> Vec<Requirement> {
    let mut all = Vec::new();
    let mut one = |slug: &str, level, text: String, pointer: &str, form| {
        all.push(Requirement {
            id: format!("operation/{slug}"),
            level: Some(level),
            text,
            source: format!("OpenAPI document, {pointer}"),
            origin: Origin::Derived(pointer.to_owned()),
            form: Form::Always(form),
        });
    };
    let responses = format!("{}/responses", operation.pointer);
    let successes = operation.responses.iter().filter(|r| r.is_success()).count();
    let has = |fits: fn(&Response) -> bool| operation.responses.iter().any(fits);
    if successes > 0 {
        one(
            "documented-status",
            Level::Should,
            "An accepted request is answered with a status that the document names.".into(),
            &responses,
            Always::DocumentedStatus,
        );
    }
    // A document that names no refusal, or describes all as `default`, does not say which ones there are.
    // Nor does one that names only those which any server may give.
    if has(|r| r.status.starts_with('4') && !r.status.parse().is_ok_and(is_of_any_server))
        && !has(|r| r.status == "default")
    {
        one(
            "documented-refusal",
            Level::Should,
            "A refused request is answered with a status that the document names.".into(),
            &responses,
            Always::RefusalStatus,
        );
    }
    if has(|r| r.is_success() && !r.content.is_empty()) {
        one(
            "media-type",
            Level::Must,
            "The response to an accepted request has a media type that the document names.".into(),
            &responses,
            Always::MediaType,
        );
    }
    for (index, response) in operation.responses.iter().enumerate() {
        let of = ResponseOf { index, optional: successes > 1 || !response.is_success() };
        let (status, slug) = (&response.status, response.status.to_lowercase());
        if response.content.iter().any(can_be_judged) {
            one(
                &format!("response-{slug}-shape"),
                Level::Must,
                format!("A response documented as {status} has a body of the documented shape."),
                &response.pointer,
                Always::Shape(of),
            );
        }
        let json = || response.content.iter().filter(|m| is_json(&m.name) || m.name.contains('*'));
        let mentions = |keyword: &str| json().filter_map(|m| m.schema.as_ref()).any(|s| s.mentions(keyword));
        if mentions("writeOnly") {
            one(
                &format!("response-{slug}-write-only"),
                Level::Should,
                format!("A response documented as {status} has no property that is `writeOnly`."),
                &response.pointer,
                Always::WriteOnly(of),
            );
        }
        if mentions("oneOf") {
            one(
                &format!("response-{slug}-one-of"),
                Level::Should,
                format!(
                    "A response documented as {status} matches exactly one alternative where the document asks for one."
                ),
                &response.pointer,
                Always::OneAlternative(of),
            );
        }
        if response.is_success() && response.headers.iter().any(|h| h.required) {
            one(
                &format!("response-{slug}-headers"),
                Level::Must,
                format!("A response documented as {status} has the required headers, each of its type."),
                &response.pointer,
                Always::Headers(of),
            );
        }
        if response.is_success() && response.headers.iter().any(|h| h.schema.is_some()) {
            one(
                &format!("response-{slug}-header-values"),
                Level::Should,
                format!("The headers of a response documented as {status} keep their schemas."),
                &response.pointer,
                // An optional header may be missing.
                Always::HeaderValues(ResponseOf { optional: true, ..of }),
            );
        }
    }
    all
}

/// Whether a body of this media type can be checked against its schema.
fn can_be_judged(media: &MediaType) -> bool {
    let name = essence(&media.name);
    let is_string = |schema: &Schema| schema.json()["type"] == "string";
    match &media.schema {
        None => false,
        Some(schema) => {
            is_json(&name) || name.contains('*') || name.starts_with("text/") && name != "text/xml" || is_string(schema)
        }
    }
}
