//! The requirement that a request without its required body is refused, as a generated case.

use std::sync::Arc;

use serde_json::json;

use super::cases::{self, Vocabulary};
use super::requirement::{Origin, Requirement};
use crate::document::media::may_be_json;
use crate::document::operation::{Body, Operation};
use crate::source::{Result, Source};

/// The requirement on requests without a body, if the document asks for one that cannot be empty.
///
/// # Errors
/// None, unless the case written here cannot be read.
pub(super) fn requirements(operation: &Operation, vocabulary: &Vocabulary) -> Result<Vec<Requirement>> {
    let body = operation.body().filter(|_| operation.body_required && operation.method != "DELETE");
    // A server may take nothing for an empty object, or for an empty text or file.
    let is_empty = |body: &&Body| body.schema.is_valid(&json!({})) || !may_be_json(&body.media_type);
    let Some(body) = body.filter(|body| !is_empty(body)) else { return Ok(Vec::new()) };
    let text = json!([{
        "id": "body-required", "level": "must", "source": "the document",
        "text": "The body is required: a request without it is rejected.",
        "steps": [{ "sent": { "from": "minimal", "raw": "" } }],
        "given": "!(sent.response.status in [409, 412])",
        "expect": "sent.refused",
    }]);
    let source = Source::new("operation.json", text.to_string());
    let mut all = cases::read(&[Arc::clone(&source)], vocabulary, operation, &[])?.requirements;
    for requirement in &mut all {
        let pointer = format!("{}/required", body.pointer);
        requirement.source = format!("OpenAPI document, {pointer}");
        requirement.origin = Origin::Derived(pointer);
    }
    Ok(all)
}
