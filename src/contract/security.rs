//! The requirements that follow from the document's security, as generated cases.

use std::sync::Arc;

use serde_json::json;

use super::cases::{self, Vocabulary};
use super::requirement::{Level, Origin, Requirement};
use crate::document::operation::Operation;
use crate::exchange::TOKEN_WITHOUT_LAST;
use crate::source::{Result, Source};

/// The requirements on requests without credentials and with broken ones, which bind as `level` says. There are none if the operation is public, if
/// a request would use up what the target provides, or if the contract's own cases are about credentials.
///
/// # Errors
/// None, unless the cases written here cannot be read.
pub(super) fn requirements(
    operation: &Operation,
    declared: &[Requirement],
    vocabulary: &Vocabulary,
    level: Level,
) -> Result<Vec<Requirement>> {
    let anyone = operation.alternatives.iter().any(|alternative| alternative.schemes.is_empty());
    let speaks = |r: &Requirement| {
        r.form.steps().iter().flat_map(|s| &s.sends).any(|send| send.call.is_none() && send.authorization.is_some())
    };
    let Some(security) = operation.security.as_ref().filter(|_| !anyone) else {
        return Ok(Vec::new());
    };
    if operation.method == "DELETE" || declared.iter().any(speaks) {
        return Ok(Vec::new());
    }
    let broken = security.broken(TOKEN_WITHOUT_LAST);
    // A redirection, for example to a login page, is a refusal.
    let refused = "sent.refused || (sent.response.status >= 300 && sent.response.status < 400)";
    let case = |id: &str, level: &str, text: &str, authorization: Option<&str>, expect: &str| {
        json!({
            "id": id, "level": level, "text": text, "source": "the document",
            "steps": [{ "sent": { "from": "minimal", "authorization": authorization } }],
            // What conflicts with the state of a record is refused whoever asks.
            "given": "!(sent.response.status in [409, 412])",
            "expect": expect,
        })
    };
    // Some servers hide what they have from those who may not see it.
    let status = "sent.refused && sent.response.status in [401, 403, 404]";
    let text = json!([
        case("credentials-required", level.name(), "A request without credentials is refused.", None, refused),
        case(
            "broken-credentials",
            level.name(),
            "A request with broken credentials is refused.",
            Some(&broken),
            refused
        ),
        case(
            "unauthorized-status",
            "should",
            "A request without credentials is refused with status 401 or 403, or 404 where that is hidden.",
            None,
            status,
        ),
    ]);
    let source = Source::new("security.json", text.to_string());
    let mut all = cases::read(&[Arc::clone(&source)], vocabulary, operation, &[])?.requirements;
    for requirement in &mut all {
        requirement.source = format!("OpenAPI document, {}", security.pointer);
        requirement.origin = Origin::Derived(security.pointer.clone());
    }
    Ok(all)
}
