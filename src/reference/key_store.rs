//! Where keys are kept: a slot for each, and bounds on how many there are.

use crate::reference::answer::Answer;
use crate::reference::faults::memory::lock;
use crate::reference::refusal::Break;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The oldest keys are forgotten beyond these bounds.
const MOST_KEYS: usize = 20_000;
const MOST_BYTES: usize = 16 << 20;

/// The bytes of a key; a request may come without one.
pub(super) type Key = Vec<u8>;

/// Within what a key counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    pub(super) user: String,
    pub(super) household: String,
    pub(super) key: Key,
}

/// What is kept of the first request with a key.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// A break only on a faulty server.
    pub(super) outcome: Result<Answer, Break>,
    pub(super) body: Bytes,
    pub(super) since: Instant,
}

impl Kept {
    pub(super) fn size(&self) -> usize {
        self.body.len() + self.outcome.as_ref().map_or(0, |answer| answer.body.len())
    }
}

/// The place of a key. Who holds the lock serves the first request.
pub(super) type Slot = Arc<tokio::sync::Mutex<Option<Kept>>>;

/// All keys that are known.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<KeyStore>);

#[derive(Debug, Default)]
struct KeyStore {
    slots: HashMap<Scope, (Slot, usize)>,
    /// From the oldest on, each scope once.
    order: VecDeque<Scope>,
    bytes: usize,
}

impl Keys {
    /// The place of a key, which is made if need be.
    pub(super) fn slot(&self, scope: &Scope) -> Slot {
        let mut store = lock(&self.0);
        if let Some((slot, _)) = store.slots.get(scope) {
            return Arc::clone(slot);
        }
        let slot = Slot::default();
        store.slots.insert(scope.clone(), (Arc::clone(&slot), 0));
        store.order.push_back(scope.clone());
        store.shrink();
        slot
    }

    /// Says how many bytes are kept for a key.
    pub(super) fn charge(&self, scope: &Scope, size: usize) {
        let mut store = lock(&self.0);
        let size = size + scope.key.len();
        if let Some((_, charged)) = store.slots.get_mut(scope) {
            let before = std::mem::replace(charged, size);
            store.bytes = store.bytes + size - before;
            store.shrink();
        }
    }

    /// The places whose scope fits, for faulty servers.
    pub(super) fn find(&self, fits: impl Fn(&Scope) -> bool) -> Option<Slot> {
        let store = lock(&self.0);
        store.slots.iter().find(|(scope, _)| fits(scope)).map(|(_, (slot, _))| Arc::clone(slot))
    }

    /// Forgets the keys whose scope does not fit, for faulty servers.
    pub(super) fn retain(&self, fits: impl Fn(&Scope) -> bool) {
        let mut store = lock(&self.0);
        store.order.retain(&fits);
        store.slots.retain(|scope, _| fits(scope));
    }
}

impl KeyStore {
    /// Forgets the oldest keys; those in use go to the end, so that a key cannot be served twice at once.
    fn shrink(&mut self) {
        for _ in 0..self.order.len() {
            if self.order.len() <= MOST_KEYS && self.bytes <= MOST_BYTES {
                return;
            }
            let Some(scope) = self.order.pop_front() else { return };
            match self.slots.get(&scope) {
                Some((slot, _)) if Arc::strong_count(slot) > 1 => self.order.push_back(scope),
                _ => {
                    let size = self.slots.remove(&scope).map_or(0, |(_, size)| size);
                    self.bytes = self.bytes.saturating_sub(size);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Keys, MOST_BYTES, MOST_KEYS, Scope};
    use std::sync::Arc;

    fn scope(n: usize) -> Scope {
        Scope { user: String::new(), household: String::new(), key: n.to_string().into_bytes() }
    }

    #[test]
    fn the_oldest_keys_are_forgotten_but_not_those_in_use() {
        let keys = Keys::default();
        let in_use = keys.slot(&scope(0));
        for n in 1..=MOST_KEYS + 5 {
            keys.slot(&scope(n));
        }
        assert!(Arc::ptr_eq(&in_use, &keys.slot(&scope(0))));
        assert!(keys.find(|known| *known == scope(1)).is_none());
        assert!(keys.find(|known| *known == scope(MOST_KEYS)).is_some());
    }

    #[test]
    fn large_answers_make_room() {
        let keys = Keys::default();
        for n in 0..10 {
            keys.slot(&scope(n));
            keys.charge(&scope(n), MOST_BYTES / 4);
        }
        let left = (0..10).filter(|n| keys.find(|known| *known == scope(*n)).is_some()).count();
        assert_eq!(left, 3);
    }
}
