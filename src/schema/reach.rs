//! What a schema describes, as the document writes it.

use std::collections::HashSet;

use super::registry::{Located, Registry};

/// Whether a value may have something at a path of names; what the schema does not describe may be anything.
pub(super) fn reaches(registry: &Registry, at: &Located<'_>, path: &[String]) -> bool {
    below(registry, at, path, &mut HashSet::new())
}

/// `seen` has the places on the way here, and how many names were left: to return to one shows nothing new.
fn below(registry: &Registry, at: &Located<'_>, path: &[String], seen: &mut HashSet<(usize, String, usize)>) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return true;
    };
    let Ok(at) = registry.follow(at.clone()) else {
        return true;
    };
    if !seen.insert((at.key().0, at.key().1.to_owned(), path.len())) {
        return false;
    }
    let properties = at.get("properties");
    let own = properties.as_ref().and_then(|p| p.get(first)).is_some_and(|p| below(registry, &p, rest, seen));
    let parts: Vec<Located<'_>> = ["allOf", "oneOf", "anyOf"]
        .iter()
        .filter_map(|key| at.get(key))
        .flat_map(|list| list.items())
        .chain(["then", "else"].iter().filter_map(|key| at.get(key)))
        .collect();
    if !parts.is_empty() {
        return own || parts.iter().any(|part| below(registry, part, path, seen));
    }
    match (properties, at.get("items")) {
        (Some(_), _) => {
            let others = at.get("additionalProperties").filter(|o| o.node.mapping("").is_ok_and(|m| !m.is_empty()));
            own || others.is_some_and(|others| below(registry, &others, rest, seen))
        }
        (None, Some(items)) => below(registry, &items, rest, seen),
        (None, None) => true,
    }
}

/// Whether a schema, or one that it refers to, has a keyword.
pub(super) fn mentions(registry: &Registry, at: &Located<'_>, keyword: &str) -> bool {
    let mut seen: HashSet<(usize, String)> = HashSet::new();
    let mut waiting = vec![at.clone()];
    while let Some(at) = waiting.pop() {
        if !seen.insert((at.key().0, at.key().1.to_owned())) {
            continue;
        }
        for (key, node) in at.entries() {
            if key.name == keyword {
                return true;
            }
            match (key.name.as_str(), node.node.string("")) {
                ("$ref" | "$dynamicRef", Ok(text)) => waiting.extend(registry.resolve(&at, text, &node.node.place)),
                ("example" | "examples" | "default" | "enum" | "const", _) => {}
                _ => waiting.push(node),
            }
        }
        waiting.extend(at.items());
    }
    false
}
