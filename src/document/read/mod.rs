//! Reading one operation, with every reference followed.

mod body;
mod example;
mod field;
mod parameter;
mod response;
mod security;

use std::sync::Arc;

use super::Entry;
use super::operation::{Operation, Unsupported};
use super::structure;
use super::version::Version;
use crate::schema::notes::Problems;
use crate::schema::registry::{Located, Registry};
use crate::schema::{Direction, Schema};
use crate::source::Diagnostic;
use field::known;

/// Reads operations of one document.
struct Reader<'a> {
    registry: &'a Arc<Registry>,
    version: Version,
    /// All operations of the document.
    entries: &'a [Entry],
    unsupported: Vec<Unsupported>,
    problems: Problems,
}

/// Reads an operation.
pub(super) fn operation(registry: &Arc<Registry>, version: Version, entries: &[Entry], entry: &Entry) -> Operation {
    let mut reader = Reader { registry, version, entries, unsupported: Vec::new(), problems: Problems::default() };
    let root = registry.root();
    let node = registry.at(entry.at.0, &entry.at.1).unwrap_or_else(|| root.clone());
    let item = registry.at(entry.item.0, &entry.item.1).unwrap_or_else(|| root.clone());
    known(&node, "an operation", field::OPERATION, version, &mut reader.problems);
    if let Some(callbacks) = node.get("callbacks") {
        reader.problems.note(callbacks.node.error("callbacks are not tested: the server sends them"));
    }
    let parameters = reader.parameters(&entry.path, &item, &node);
    let body = reader.body(&node);
    let responses = reader.responses(&node);
    let (security, alternatives) = reader.security(&node);
    if version == Version::V30
        && let Some(error) = structure::check(registry, &entry.path, &entry.method, &item, &node)
    {
        reader.problems.note(error);
    }
    Operation {
        id: entry.id.clone(),
        method: entry.method.clone(),
        path: entry.path.clone(),
        servers: reader.servers(&[&node, &item, &root]),
        parameters,
        bodies: body.bodies,
        body_required: body.required,
        responses,
        security,
        alternatives,
        examples: body.examples,
        unsupported: reader.unsupported,
        notes: reader.problems.notes,
        pointer: entry.pointer.clone(),
        place: node.node.place.clone(),
        registry: Arc::clone(registry),
    }
}

impl<'a> Reader<'a> {
    /// Records a part that cannot be honoured.
    #[expect(clippy::boxed_local, reason = "diagnostics are made boxed")]
    fn skip(&mut self, what: &str, message: Box<Diagnostic>, required_part: bool) {
        self.unsupported.push(Unsupported { what: what.to_owned(), message: *message, required_part });
    }

    /// Follows references; records those that lead nowhere.
    fn follow(&mut self, at: Located<'a>, what: &str, required_part: bool) -> Option<Located<'a>> {
        match self.registry.follow(at) {
            Ok(target) => Some(target),
            Err(error) => {
                self.skip(what, error, required_part);
                None
            }
        }
    }

    /// Reads a schema; records one that cannot be used, and returns None.
    fn schema(&mut self, at: &Located<'a>, direction: Direction, what: &str, required_part: bool) -> Option<Schema> {
        let (schema, mut problems) = Schema::read(self.registry, at, direction);
        let usable = problems.unsupported.is_empty();
        for message in problems.unsupported.drain(..) {
            self.skip(what, Box::new(message), required_part);
        }
        for message in problems.parts.drain(..) {
            self.skip(what, Box::new(message), false);
        }
        self.problems.extend(problems);
        usable.then_some(schema)
    }

    fn servers(&mut self, levels: &[&Located<'a>]) -> Vec<String> {
        let Some(servers) = levels.iter().find_map(|level| level.get("servers")) else {
            return Vec::new();
        };
        let servers = servers.items();
        servers.iter().filter_map(|server| Some(expanded(server, server.text("url")?))).flatten().collect()
    }
}

/// The highest number of URLs of a server with variables.
const EXPANDED: usize = 1000;

/// The URLs of a server with each value of its variables; `*` stands for a variable without listed values.
fn expanded(server: &Located<'_>, url: &str) -> Vec<String> {
    let variables = server.get("variables");
    let mut all = vec![url.to_owned()];
    for (name, variable) in variables.iter().flat_map(Located::entries) {
        let listed = variable.get("enum");
        let listed = listed.iter().flat_map(Located::items);
        let mut values: Vec<String> =
            listed.filter_map(|value| value.node.to_json().as_str().map(str::to_owned)).collect();
        if values.is_empty() {
            values.push("*".to_owned());
        }
        values.extend(variable.text("default").map(str::to_owned));
        values.sort();
        values.dedup();
        let hole = format!("{{{}}}", name.name);
        if all.len() * values.len() > EXPANDED {
            // Too many to list: any value will do.
            values = vec!["*".to_owned()];
        }
        if url.contains(&hole) {
            all = all.iter().flat_map(|url| values.iter().map(|v| url.replace(&hole, v))).collect();
        }
    }
    all
}
