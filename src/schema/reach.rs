//! What a schema describes, as the document writes it.

use std::collections::HashSet;

use super::known::Words;
use super::registry::{Located, Registry};
use super::vocabulary;

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
    let mut waiting = vec![(at.key().0, at.key().1.to_owned())];
    while let Some(key) = waiting.pop() {
        if !seen.insert(key.clone()) {
            continue;
        }
        let (file, inner) = key.clone();
        let words = registry
            .known
            .words(key, || registry.at(file, &inner).map_or_else(Words::default, |at| words(registry, at)));
        if words.own.contains(keyword) {
            return true;
        }
        waiting.extend(words.refers.iter().cloned());
    }
    false
}

fn words<'a>(registry: &'a Registry, at: Located<'a>) -> Words {
    let mut all = Words::default();
    let mut waiting = vec![at];
    while let Some(at) = waiting.pop() {
        for (key, node) in at.entries() {
            if vocabulary::kind_of(&key.name).is_some() {
                all.own.insert(key.name.clone());
            }
            match (key.name.as_str(), node.node.string("")) {
                ("$ref" | "$dynamicRef", Ok(text)) => {
                    let target = registry.resolve(&at, text, &node.node.place);
                    all.refers.extend(target.ok().map(|target| (target.key().0, target.key().1.to_owned())));
                }
                ("example" | "examples" | "default" | "enum" | "const", _) => {}
                _ => waiting.push(node),
            }
        }
        waiting.extend(at.items());
    }
    all
}
