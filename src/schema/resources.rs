//! Schemas that name themselves: `$id`, `$anchor` and `$dynamicAnchor`.

use std::collections::{BTreeMap, HashMap};

use url::Url;

use crate::yaml::{Node, Value, escape};

/// The ids and anchors of the schemas of all files.
#[derive(Debug, Default)]
pub(super) struct Resources {
    /// Schemas with an `$id`: where they stand, by the file's number and the pointer.
    bases: BTreeMap<(usize, String), Url>,
    by_url: HashMap<String, (usize, String)>,
    /// Anchors: file, pointer of the resource, name; whether it is dynamic, and where it leads.
    anchors: BTreeMap<(usize, String, String), (bool, String)>,
}

/// The values of these keywords are data, not schemas.
const DATA: &[&str] = &["example", "examples", "default", "enum", "const"];

impl Resources {
    pub(super) fn add(&mut self, file: usize, url: &Url, root: &Node) {
        let text = &root.place.source.text;
        if ["$id", "$anchor", "$dynamicAnchor"].iter().any(|word| text.contains(word)) {
            self.scan(file, root, String::new(), url, "");
        }
    }

    fn scan(&mut self, file: usize, node: &Node, pointer: String, base: &Url, resource: &str) {
        match &node.value {
            Value::Scalar(_) => {}
            Value::Sequence(nodes) => {
                for (i, node) in nodes.iter().enumerate() {
                    self.scan(file, node, format!("{pointer}/{i}"), base, resource);
                }
            }
            Value::Mapping(entries) => {
                let text = |name: &str| node.get(name).and_then(|n| n.string("").ok());
                let own = text("$id").and_then(|id| base.join(id).ok());
                let (base, resource) = match &own {
                    Some(url) => {
                        let mut url = url.clone();
                        url.set_fragment(None);
                        self.bases.insert((file, pointer.clone()), url.clone());
                        self.by_url.entry(url.to_string()).or_insert((file, pointer.clone()));
                        (url, pointer.clone())
                    }
                    None => (base.clone(), resource.to_owned()),
                };
                for (keyword, dynamic) in [("$anchor", false), ("$dynamicAnchor", true)] {
                    if let Some(name) = text(keyword) {
                        self.anchors.insert((file, resource.clone(), name.to_owned()), (dynamic, pointer.clone()));
                    }
                }
                for (key, node) in entries.iter().filter(|(key, _)| !DATA.contains(&key.name.as_str())) {
                    self.scan(file, node, format!("{pointer}/{}", escape(&key.name)), &base, &resource);
                }
            }
        }
    }

    /// The place of the resource that contains a node.
    fn holder(&self, (file, inner): (usize, &str)) -> &str {
        let holds =
            |pointer: &str| inner.strip_prefix(pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let of_file = self.bases.keys().filter(|(f, pointer)| *f == file && holds(pointer));
        of_file.max_by_key(|(_, pointer)| pointer.len()).map_or("", |(_, pointer)| pointer)
    }

    /// The base of references at a node, if it is not the file.
    pub(super) fn base(&self, at: (usize, &str)) -> Option<&Url> {
        if self.bases.is_empty() {
            return None;
        }
        self.bases.get(&(at.0, self.holder(at).to_owned()))
    }

    /// The schema with an `$id`.
    pub(super) fn find(&self, url: &str) -> Option<(usize, &str)> {
        self.by_url.get(url).map(|(file, pointer)| (*file, pointer.as_str()))
    }

    /// Where an anchor of a resource leads.
    pub(super) fn anchor(&self, file: usize, resource: &str, name: &str) -> Option<&str> {
        let key = (file, resource.to_owned(), name.to_owned());
        self.anchors.get(&key).map(|(_, pointer)| pointer.as_str())
    }

    /// The dynamic anchors of the resource that holds a node.
    pub(super) fn dynamic(&self, at: (usize, &str)) -> Vec<(String, (usize, String))> {
        if self.anchors.is_empty() {
            return Vec::new();
        }
        let resource = self.holder(at);
        let own = self
            .anchors
            .iter()
            .filter(|((file, holder, _), (dynamic, _))| *dynamic && *file == at.0 && holder == resource);
        own.map(|((file, _, name), (_, pointer))| (name.clone(), (*file, pointer.clone()))).collect()
    }
}
