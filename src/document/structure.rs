//! Whether an operation conforms to the published structure of OpenAPI 3.0, by the library that knows it.

use std::collections::HashSet;

use serde_json::{Map, Value as Json, json};

use crate::schema::registry::{Located, Registry};
use crate::source::Diagnostic;
use crate::yaml::Value;
use crate::yaml::escape;

/// What is wrong with an operation and with what it refers to, if anything is. All else is left out, since the library
/// accepts a document as a whole or not at all.
pub(super) fn check(
    registry: &Registry,
    path: &str,
    method: &str,
    item: &Located<'_>,
    operation: &Located<'_>,
) -> Option<Box<Diagnostic>> {
    let method = method.to_lowercase();
    let mut reached = Reached { registry, seen: HashSet::new(), components: Map::new() };
    let mut own = Map::new();
    own.insert(method.clone(), operation.node.to_json());
    reached.walk(operation);
    if let Some(parameters) = item.get("parameters") {
        own.insert("parameters".to_owned(), parameters.node.to_json());
        reached.walk(&parameters);
    }
    let mut document = json!({
        "openapi": "3.0.3",
        "info": { "title": "", "version": "" },
        "paths": { path: own },
        "components": reached.components,
    });
    bring_in_reach(&mut document);
    let read: std::result::Result<openapiv3::OpenAPI, _> = serde_path_to_error::deserialize(&document);
    let error = read.err()?;
    let mut pointer = String::new();
    for segment in error.path() {
        use serde_path_to_error::Segment;
        match segment {
            Segment::Map { key } => pointer.push_str(&format!("/{}", escape(key))),
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Enum { .. } | Segment::Unknown => break,
        }
    }
    // The path item may be somewhere else than where it is used.
    let used = format!("/paths/{}/{method}", escape(path));
    let pointer = match pointer.strip_prefix(&used) {
        Some(rest) => format!("{}{rest}", registry.pointer(operation)),
        None => pointer,
    };
    let node = registry.nearest(&pointer);
    Some(
        node.error("this does not conform to OpenAPI 3.0")
            .label(error.inner().to_string())
            .help("correct the document"),
    )
}

/// The library panics on a limit that no `f64` holds, such as 1e400. Only the structure is looked at here, and there a number
/// is as good as another of its kind.
fn bring_in_reach(json: &mut Json) {
    match json {
        Json::Number(n) if n.as_f64().is_none() => *json = json!(f64::MAX),
        Json::Array(items) => items.iter_mut().for_each(bring_in_reach),
        Json::Object(members) => members.values_mut().for_each(bring_in_reach),
        _ => {}
    }
}

struct Reached<'a> {
    registry: &'a Registry,
    seen: HashSet<String>,
    /// By section and name, as in the document.
    components: Map<String, Json>,
}

impl Reached<'_> {
    fn walk(&mut self, at: &Located<'_>) {
        match &at.node.value {
            Value::Scalar(_) => {}
            Value::Sequence(_) => at.items().iter().for_each(|item| self.walk(item)),
            Value::Mapping(_) => {
                for (key, below) in at.entries() {
                    match below.node.string("") {
                        Ok(text) if key.name == "$ref" => self.reach(at, text),
                        _ => self.walk(&below),
                    }
                }
            }
        }
    }

    fn reach(&mut self, from: &Located<'_>, reference: &str) {
        let Some(rest) = reference.strip_prefix("#/components/") else { return };
        if !self.seen.insert(reference.to_owned()) {
            return;
        }
        let (Some((section, name)), Ok(target)) =
            (rest.split_once('/'), self.registry.resolve(from, reference, &from.node.place))
        else {
            return;
        };
        let name = name.replace("~1", "/").replace("~0", "~");
        let section = self.components.entry(section).or_insert_with(|| json!({}));
        if let Json::Object(all) = section {
            all.insert(name, target.node.to_json());
        }
        self.walk(&target);
    }
}
