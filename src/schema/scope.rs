//! How a context comes about: by what a document's schemas say, and where their references lead.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Direction;
use super::context::{Context, Scope};
use super::registry::{Located, Registry};

impl Context {
    pub(super) fn of(registry: &Registry, root: &Located<'_>) -> Self {
        Self { scope: Arc::new(registry.dynamic_anchors(root)), ..Self::default() }
    }

    /// Behind a reference.
    pub(super) fn entering(&self, registry: &Registry, target: &Located<'_>) -> Self {
        let new: Scope = registry.dynamic_anchors(target);
        let new: Scope = new.into_iter().filter(|(name, _)| !self.scope.iter().any(|(own, _)| own == name)).collect();
        if new.is_empty() {
            return self.clone();
        }
        Self { scope: Arc::new(self.scope.iter().cloned().chain(new).collect()), ..self.clone() }
    }

    /// Where a `$dynamicRef` leads whose anchor, read as a plain reference, is `target`.
    pub(super) fn dynamic<'a>(&self, registry: &'a Registry, name: &str, target: Located<'a>) -> Located<'a> {
        let is_dynamic = registry
            .dynamic_anchors(&target)
            .iter()
            .any(|(own, (file, inner))| own == name && target.key() == (*file, inner));
        let outer = self.scope.iter().find(|(own, _)| is_dynamic && own == name);
        outer.and_then(|(_, (file, inner))| registry.at(*file, inner)).unwrap_or(target)
    }
}

/// The names of properties that only the other side sends, of a schema and of those beside it.
pub(super) fn elsewhere(registry: &Registry, at: &Located<'_>, direction: Direction) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    gather(registry, at.clone(), direction, &mut names, &mut Vec::new());
    names
}

fn gather<'a>(
    registry: &'a Registry,
    at: Located<'a>,
    direction: Direction,
    names: &mut BTreeSet<String>,
    seen: &mut Vec<(usize, String)>,
) {
    let key = (at.key().0, at.key().1.to_owned());
    if seen.len() > 100 || seen.contains(&key) {
        return;
    }
    seen.push(key);
    for (key, property) in at.get("properties").map(|p| p.entries()).unwrap_or_default() {
        if is_elsewhere(registry, &property, direction) {
            names.insert(key.name.clone());
        }
    }
    for part in at.get("allOf").map(|p| p.items()).unwrap_or_default() {
        gather(registry, part, direction, names, seen);
    }
    if let Some(reference) = at.node.get("$ref")
        && let Ok(text) = reference.string("")
        && let Ok(target) = registry.resolve(&at, text, &reference.place)
    {
        gather(registry, target, direction, names, seen);
    }
}

/// Whether a property belongs to the other direction only.
pub(super) fn is_elsewhere(registry: &Registry, property: &Located<'_>, direction: Direction) -> bool {
    let word = match direction {
        Direction::Request => "readOnly",
        Direction::Response | Direction::Strict => "writeOnly",
    };
    property.flag(word) || registry.follow(property.clone()).is_ok_and(|target| target.flag(word))
}
