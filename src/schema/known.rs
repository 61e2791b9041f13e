//! What is known of single schemas: many operations refer to the same ones, and each is read once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::Direction;
use super::context::Context;
use super::notes::Problems;

/// A schema without those that it refers to.
#[derive(Debug)]
pub(super) struct Component {
    /// What is odd or not supported in it.
    pub problems: Problems,
    /// How many parts it has.
    pub count: usize,
    /// What it refers to, by file and pointer, and in which context.
    pub refers: Vec<(usize, String, Context)>,
}

/// The keywords of a schema and of all its parts, without those that it refers to.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub own: HashSet<String>,
    /// What it refers to, by file and pointer.
    pub refers: Vec<(usize, String)>,
}

/// A schema in a context, by file and pointer.
type Key = (Direction, usize, String, String);

/// What was read before.
#[derive(Debug, Default)]
pub(super) struct Known {
    components: Mutex<HashMap<Key, Arc<Component>>>,
    words: Mutex<HashMap<(usize, String), Arc<Words>>>,
}

impl Known {
    /// The key of a schema in a context.
    pub fn key(direction: Direction, file: usize, inner: &str, context: &Context) -> Key {
        (direction, file, inner.to_owned(), context.key())
    }

    /// A schema by itself.
    pub fn component(&self, key: Key, read: impl FnOnce() -> Component) -> Arc<Component> {
        once(&self.components, key, read)
    }

    /// The keywords of a schema by itself.
    pub fn words(&self, key: (usize, String), read: impl FnOnce() -> Words) -> Arc<Words> {
        once(&self.words, key, read)
    }
}

fn once<K: std::hash::Hash + Eq, V>(known: &Mutex<HashMap<K, Arc<V>>>, key: K, read: impl FnOnce() -> V) -> Arc<V> {
    let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(value) = lock().get(&key) {
        return Arc::clone(value);
    }
    // It is not locked meanwhile; whoever was first counts.
    let value = Arc::new(read());
    Arc::clone(lock().entry(key).or_insert(value))
}
