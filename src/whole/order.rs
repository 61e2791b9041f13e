//! In which order the operations of a document are tried, and which of them are not.

use super::references::{To, references};
use crate::contract::Contract;
use crate::document::operation::Operation;
use crate::document::parameter::{ParameterLocation, plain};

/// Words that say that an operation ends or resets something that the run did not begin.
const ENDS: [&str; 12] = [
    "logout",
    "signout",
    "logoff",
    "revoke",
    "reset",
    "shutdown",
    "restart",
    "purge",
    "clear",
    "truncate",
    "terminate",
    "deactivate",
];

/// When an operation is tried: what others need first, what destroys last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It creates records that other operations speak of.
    Create,
    /// It changes nothing.
    Read,
    /// It changes records.
    Update,
    /// It removes records.
    Destroy,
}

impl Phase {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Destroy => "destroy",
        }
    }

    /// The phase of an operation, given the paths of all.
    pub fn of(operation: &Operation, paths: &Paths) -> Self {
        match operation.method.as_str() {
            "GET" | "HEAD" | "OPTIONS" | "TRACE" | "QUERY" => Self::Read,
            "DELETE" => Self::Destroy,
            "POST" if paths.all.iter().any(|path| collection(path) == Some(&shape(&operation.path))) => Self::Create,
            "POST" if ends(operation) => Self::Destroy,
            // A document that says which operation takes what it answers says that it creates.
            "POST" if operation.responses.iter().any(|r| r.status == "201" && !r.links.is_empty()) => Self::Create,
            // A collection that has no path for its records is created to as well.
            "POST" if operation.parameters_in(ParameterLocation::Path).next().is_none() => Self::Create,
            "PUT" if paths.is_made_by(operation) => Self::Create,
            _ => Self::Update,
        }
    }
}

/// The paths of a document, as [`shape`] writes them.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    all: Vec<String>,
    /// Those at which records are created.
    posted: Vec<String>,
}

impl Paths {
    /// The paths of these contracts.
    pub fn of(contracts: &[Contract]) -> Self {
        let all = || contracts.iter().map(|c| &c.operation);
        Self {
            all: all().map(|o| shape(&o.path)).collect(),
            posted: all().filter(|o| o.method == "POST").map(|o| shape(&o.path)).collect(),
        }
    }

    /// Whether records of a kind are created by an operation that also replaces them, and by no other.
    pub fn is_made_by(&self, operation: &Operation) -> bool {
        let path = shape(&operation.path);
        makes(operation) && collection(&path).is_some_and(|of| !self.posted.iter().any(|p| same_path(p, of)))
    }
}

/// Whether a PUT also creates what its path names, as the document says.
pub fn makes(operation: &Operation) -> bool {
    operation.method == "PUT"
        && collection(&shape(&operation.path)).is_some()
        && operation.responses.iter().any(|r| r.status == "201")
}

/// Whether two paths are the same, whatever their parameters are called.
pub(super) fn same_path(a: &str, b: &str) -> bool {
    let (a, b): (Vec<_>, Vec<_>) = (a.split('/').collect(), b.split('/').collect());
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a == b || (is_parameter(a) && is_parameter(b)))
}

/// Whether the last word of a path says that the operation ends or resets something.
pub fn ends(operation: &Operation) -> bool {
    let last = plain(shape(&operation.path).rsplit('/').next().unwrap_or_default());
    operation.method == "POST" && ENDS.contains(&last.as_str())
}

/// A path as if each of its parameters were a segment of its own: `/Products({ID})` is written so for `/Products/{ID}`.
pub fn shape(path: &str) -> String {
    let mut shape = path.trim_end_matches('/').to_owned();
    for (open, close) in [("({", "})"), ("('{", "}')")] {
        shape = shape.replace(open, "/{").replace(close, "}");
    }
    shape
}

/// The path of the collection that a record is in: the path without the parameter at its end.
pub fn collection(path: &str) -> Option<&str> {
    let (collection, last) = path.trim_end_matches('/').rsplit_once('/')?;
    is_parameter(last).then_some(collection)
}

/// Whether a segment of a path is a parameter.
pub fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}')
}

/// Puts contracts in the order in which they are tried. Within a phase, those with fewer parameters in the path go first,
/// then those whose bodies name fewer other records.
pub fn in_order(contracts: &mut [Contract]) {
    let paths = Paths::of(contracts);
    contracts.sort_by_cached_key(|contract| {
        let operation = &contract.operation;
        let parameters = operation.parameters_in(ParameterLocation::Path).count();
        (
            Phase::of(operation, &paths),
            parameters,
            named_in_body(operation),
            operation.path.clone(),
            operation.method.clone(),
        )
    });
}

/// How many parts of the body that are required name other records.
fn named_in_body(operation: &Operation) -> usize {
    let all = operation.body().map(|body| references(body.schema.json())).unwrap_or_default();
    all.iter().filter(|r| r.is_required && !matches!(r.to, To::Thing(_))).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_in_its_collection() {
        assert_eq!(collection("/orders/{id}"), Some("/orders"));
        assert_eq!(collection("/orders/{id}/"), Some("/orders"));
        assert_eq!(collection("/orders"), None);
        assert_eq!(collection("/orders/{id}/lines"), None);
        for (path, due) in [
            ("/Products({ID})", "/Products/{ID}"),
            ("/Products('{ID}')/Reviews({No})", "/Products/{ID}/Reviews/{No}"),
            ("/orders/{id}/", "/orders/{id}"),
            ("/orders/Top(3)", "/orders/Top(3)"),
        ] {
            assert_eq!(shape(path), due);
        }
    }
}
