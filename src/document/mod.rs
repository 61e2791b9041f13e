//! OpenAPI documents, 3.0 to 3.2 in one model: operations, parameters, bodies, responses, security.
//!
//! Everything in a document is either honoured, or cannot matter and is a note of `lint`, or is not supported: then it
//! is named, the part that contains it is skipped, and everything else goes on. `docs/openapi.md` says which is which.

pub mod media;
pub mod operation;
pub mod parameter;
mod read;
pub mod response;
pub mod security;
mod structure;
mod version;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use crate::schema::registry::{Load, Located, Registry};
use crate::source::{Diagnostic, Place, Result, Source, did_you_mean};
use operation::Operation;
use version::Version;

/// A document with all files that it refers to.
#[derive(Debug)]
pub struct Document {
    registry: Arc<Registry>,
    version: Version,
    entries: Vec<Entry>,
}

/// An operation of a document, by its names.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its `operationId`; `METHOD /path` where it has none, or where several share it.
    pub id: String,
    /// In capitals, as it is sent.
    pub method: String,
    /// The path with its parameters in braces.
    pub path: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its own `operationId`, which others may share.
    operation_id: Option<String>,
    /// Its JSON Pointer, through the path item's own place.
    pointer: String,
    /// The file and the pointer inside it.
    at: (usize, String),
    item: (usize, String),
}

/// Methods that a path item names.
const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

/// Reads one operation of a document in a single file.
///
/// # Errors
/// A document that cannot be read, or does not have the operation.
pub fn load(source: &Arc<Source>, operation: &str, asked: &Place) -> Result<Operation> {
    let alone = |_: &str| Err(io::Error::other("it was read without other files"));
    Document::read(source, &alone)?.operation(operation, asked)
}

impl Document {
    /// Reads a document; `load` reads the files that it refers to.
    ///
    /// # Errors
    /// Text that is neither YAML nor JSON, and documents that are not OpenAPI 3.
    pub fn read(source: &Arc<Source>, load: Load<'_>) -> Result<Self> {
        let mut version = Version::V30;
        let registry = Registry::read(
            source,
            |root| {
                version = Version::read(root)?;
                Ok(version.dialect())
            },
            load,
        )?;
        let mut document = Self { registry: Arc::new(registry), version, entries: Vec::new() };
        document.entries = document.find_all();
        Ok(document)
    }

    /// Its title, if it has one.
    pub fn title(&self) -> Option<String> {
        let title = self.registry.root().get("info")?.get("title")?;
        title.node.string("the title").ok().filter(|title| !title.trim().is_empty()).map(str::to_owned)
    }

    /// The texts of all its files, the document's own first.
    pub fn sources(&self) -> Vec<&Arc<Source>> {
        self.registry.sources()
    }

    /// Its operations in the order of the text.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Reads the operation that is called `name`: an `operationId`, or a method and a path.
    ///
    /// # Errors
    /// There is none of that name, or several.
    pub fn operation(&self, name: &str, asked: &Place) -> Result<Operation> {
        let named = |entry: &&Entry| entry.id == name || entry.operation_id.as_deref() == Some(name);
        let by_place = |entry: &&Entry| {
            let (method, path) = name.split_once(' ').unwrap_or_default();
            entry.method.eq_ignore_ascii_case(method) && entry.path == path.trim()
        };
        let found: Vec<&Entry> = self.entries.iter().filter(named).collect();
        let found = if found.is_empty() { self.entries.iter().filter(by_place).collect() } else { found };
        match found.as_slice() {
            [one] => Ok(self.read_operation(one)),
            [] => {
                let ids: Vec<&str> = self.entries.iter().map(|entry| entry.id.as_str()).collect();
                let some = ids.iter().take(12).copied().collect::<Vec<_>>().join(", ");
                let more = if ids.len() > 12 { ", …" } else { "" };
                Err(asked.error(format!("the document has no operation `{name}`")).help(
                    did_you_mean(name, ids.iter().copied()).unwrap_or_else(|| match ids.len() {
                        0 => "it has no operations".to_owned(),
                        _ => format!("its operations: {some}{more}"),
                    }),
                ))
            }
            several => {
                let names: Vec<&str> = several.iter().map(|entry| entry.id.as_str()).collect();
                Err(asked
                    .error(format!("several operations of the document are called `{name}`"))
                    .help(format!("name one by its method and path: {}", names.join(", "))))
            }
        }
    }

    /// Reads an operation.
    pub fn read_operation(&self, entry: &Entry) -> Operation {
        read::operation(&self.registry, self.version, &self.entries, entry)
    }

    fn find_all(&self) -> Vec<Entry> {
        let mut all: Vec<Entry> = Vec::new();
        let registry = &*self.registry;
        let paths = registry.root().get("paths");
        for (path, own) in paths.map(|p| p.entries()).unwrap_or_default() {
            if path.name.starts_with("x-") {
                continue;
            }
            // Methods beside a reference count as well, and come first.
            let target = registry.follow(own.clone()).ok().filter(|target| target.key() != own.key());
            for item in [Some(own), target].into_iter().flatten() {
                for (method, operation) in operations(&item) {
                    if all.iter().any(|entry| entry.path == path.name && entry.method == method) {
                        continue;
                    }
                    let tags = operation.get("tags").map(|tags| tags.items()).unwrap_or_default();
                    let at = |located: &Located<'_>| (located.key().0, located.key().1.to_owned());
                    all.push(Entry {
                        id: String::new(),
                        tags: tags.iter().filter_map(|tag| tag.node.string("").ok().map(str::to_owned)).collect(),
                        operation_id: operation.text("operationId").filter(|id| !id.is_empty()).map(str::to_owned),
                        pointer: registry.pointer(&operation),
                        at: at(&operation),
                        item: at(&item),
                        path: path.name.clone(),
                        method,
                    });
                }
            }
        }
        let mut count: HashMap<String, usize> = HashMap::new();
        for id in all.iter().filter_map(|entry| entry.operation_id.clone()) {
            *count.entry(id).or_default() += 1;
        }
        for entry in &mut all {
            let unique = entry.operation_id.clone().filter(|id| count.get(id) == Some(&1));
            entry.id = unique.unwrap_or_else(|| format!("{} {}", entry.method, entry.path));
        }
        all
    }

    /// Notes on the document as a whole.
    pub fn notes(&self) -> Vec<Diagnostic> {
        let mut all = Vec::new();
        let mut seen: HashMap<&str, &Entry> = HashMap::new();
        for entry in &self.entries {
            let Some(id) = entry.operation_id.as_deref() else { continue };
            if let Some(first) = seen.insert(id, entry) {
                let node = self.registry.nearest(&format!("{}/operationId", entry.pointer));
                all.push(
                    *node
                        .error(format!("the `operationId` {id} is also that of {} {}", first.method, first.path))
                        .help("give each operation its own; until then, name them by method and path"),
                );
            }
        }
        let root = self.registry.root();
        if let Some(webhooks) = root.get("webhooks") {
            all.push(*webhooks.node.error("webhooks are not tested: the server sends them"));
        }
        all
    }
}

/// The operations of a path item by their methods, in capitals.
fn operations<'a>(item: &Located<'a>) -> Vec<(String, Located<'a>)> {
    let mut all = Vec::new();
    for (key, node) in item.entries() {
        if METHODS.contains(&key.name.as_str()) && node.node.mapping("").is_ok() {
            all.push((key.name.to_uppercase(), node));
        } else if key.name == "additionalOperations" {
            all.extend(node.entries().into_iter().map(|(key, node)| (key.name.clone(), node)));
        }
    }
    all
}
