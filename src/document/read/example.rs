//! Examples, in all places where they may be in a document.

use serde_json::Value as Json;

use crate::schema::registry::{Located, Registry};
use crate::source::Place;

/// The values of `example` and `examples` of a parameter or a media type.
pub(super) fn values(registry: &Registry, at: &Located<'_>) -> Vec<(Json, Place)> {
    let mut all: Vec<(Json, Place)> = Vec::new();
    all.extend(at.node.get("example").map(|node| (node.to_json(), node.place.clone())));
    for (_, example) in at.get("examples").map(|e| e.entries()).unwrap_or_default() {
        let Ok(example) = registry.follow(example) else { continue };
        let value = example.node.get("value").or_else(|| example.node.get("dataValue"));
        all.extend(value.map(|node| (node.to_json(), node.place.clone())));
    }
    all
}

/// The values of `example` and `examples` of a schema.
pub(super) fn of_schema(at: &Located<'_>) -> Vec<(Json, Place)> {
    let own = at.node.get("example").map(|node| (node.to_json(), node.place.clone()));
    let listed = at.get("examples").map(|e| e.items()).unwrap_or_default();
    own.into_iter().chain(listed.into_iter().map(|e| (e.node.to_json(), e.node.place.clone()))).collect()
}
