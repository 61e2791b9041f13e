//! Discriminators: which alternative a property's value stands for.

use serde_json::Value as Json;

use super::notes::Problems;
use super::registry::{Located, Registry};
use crate::yaml::Node;

/// A property that says which schema a value must match.
pub(super) struct Discriminator<'a> {
    /// The property's name.
    pub(super) property: &'a str,
    /// Its values, with the schemas that they stand for.
    pub(super) branches: Vec<(String, Located<'a>)>,
    /// Whether each alternative beside it has a value.
    pub(super) complete: bool,
}

impl<'a> Discriminator<'a> {
    /// Reads a discriminator beside some alternatives.
    pub(super) fn read(
        registry: &'a Registry,
        at: &Located<'a>,
        alternatives: &[Located<'a>],
        problems: &mut Problems,
    ) -> Option<Self> {
        let Some(property) = at.text("propertyName") else {
            problems.note(at.node.error("this discriminator has no `propertyName`").help("it is ignored"));
            return None;
        };
        let mut branches: Vec<(String, Located<'a>)> = Vec::new();
        for (key, value) in at.get("mapping").map(|m| m.entries()).unwrap_or_default() {
            match value.node.string("a mapping").and_then(|text| target(registry, at, text, value.node)) {
                Ok(target) => branches.push((key.name.clone(), target)),
                Err(error) => problems.note(error.help("this value of the discriminator is ignored")),
            }
        }
        let mut complete = !alternatives.is_empty();
        for alternative in alternatives {
            let Some(reference) = alternative.text("$ref") else {
                complete = false;
                continue;
            };
            let Ok(target) = registry.resolve(alternative, reference, &alternative.node.place) else {
                complete = false;
                continue;
            };
            if !branches.iter().any(|(_, branch)| branch.key() == target.key()) {
                // Without a mapping, the schema's own name is the value.
                let name = reference.rsplit('/').next().unwrap_or_default();
                branches.push((name.replace("~1", "/").replace("~0", "~"), target));
            }
        }
        (!branches.is_empty()).then_some(Self { property, branches, complete })
    }

    /// Reads a discriminator without alternatives beside it: its schemas are those of the mapping, or else those
    /// that refer to it under `allOf`.
    pub(super) fn of_parent(
        registry: &'a Registry,
        at: &Located<'a>,
        parent: &Located<'a>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let mut own = Self::read(registry, at, &[], problems);
        if own.is_none() && at.text("propertyName").is_some() {
            let schemas = registry.root().get("components").and_then(|c| c.get("schemas"));
            let mut branches = Vec::new();
            for (key, schema) in schemas.map(|s| s.entries()).unwrap_or_default() {
                let parts = schema.get("allOf").map(|p| p.items()).unwrap_or_default();
                let holds = parts.iter().any(|part| {
                    part.text("$ref")
                        .and_then(|text| registry.resolve(part, text, &part.node.place).ok())
                        .is_some_and(|target| target.key() == parent.key())
                });
                if holds {
                    branches.push((key.name.clone(), schema));
                }
            }
            let property = at.text("propertyName").unwrap_or_default();
            own = (!branches.is_empty()).then_some(Self { property, branches, complete: false });
        }
        own
    }

    /// All values of the property that are known.
    pub(super) fn values(&self) -> Json {
        self.branches.iter().map(|(value, _)| Json::from(value.as_str())).collect()
    }
}

/// The target of a mapping's value: a schema of the document by its name, or a reference.
fn target<'a>(registry: &'a Registry, at: &Located<'_>, text: &str, node: &Node) -> crate::source::Result<Located<'a>> {
    if !text.contains(['/', '#']) {
        let named = registry.root().get("components").and_then(|c| c.get("schemas")).and_then(|s| s.get(text));
        if let Some(schema) = named {
            return Ok(schema);
        }
    }
    registry.resolve(at, text, &node.place)
}
