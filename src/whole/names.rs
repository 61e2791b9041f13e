//! Names that nobody has given yet, for records that an operation creates under the name in its path.

use serde_json::Value as Json;

use crate::document::parameter::Parameter;
use crate::generate::string::fresh::{self, Tag};

/// A name that nobody can have given: it has the run's tag in it, or is a UUID made of that. None if the document allows
/// no such name.
pub(super) fn fresh(parameter: &Parameter, tag: &str, number: u64) -> Option<Json> {
    let schema = parameter.schema.json();
    let uuid = fresh::uuid(Tag { run: &format!("{tag} {}", parameter.name), number });
    let names = match schema["format"].as_str() {
        Some("uuid") => vec![uuid],
        Some(_) => Vec::new(),
        None => vec![format!("probity-{tag}-{number}"), format!("p{tag}{number}"), uuid],
    };
    let is_listed = ["enum", "const"].iter().any(|keyword| schema.get(*keyword).is_some());
    let takes_texts = schema["type"] == "string" && !is_listed;
    names.into_iter().map(Json::from).find(|name| takes_texts && parameter.schema.is_valid(name))
}
