//! What was made of a schema, kept for the next time: a plan meets the parts of a schema again and again.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::Value as Json;

use crate::exchange::digest::Digest;

/// For how many schemas something is kept.
const KEPT: usize = 200;

/// What was made of some schemas, each the same whenever it is made.
pub(super) struct Memo<T>(RefCell<HashMap<Digest, T>>);

impl<T: Clone> Memo<T> {
    /// What is made of a schema. Making it may ask for that of other schemas.
    pub fn of(&self, schema: &Json, make: impl FnOnce() -> T) -> T {
        let digest = Digest::of(&schema.to_string());
        let known = self.0.borrow().get(&digest).cloned();
        known.unwrap_or_else(|| {
            let made = make();
            let mut all = self.0.borrow_mut();
            if all.len() >= KEPT {
                all.clear();
            }
            all.insert(digest, made.clone());
            made
        })
    }
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_once_what_one_schema_asks_for() {
        let (memo, made) = (Memo::default(), RefCell::new(0));
        let of = |text: &str| memo.of(&serde_json::from_str(text).unwrap(), || made.replace_with(|n| *n + 1));
        assert_eq!([of("{\"a\": 1}"), of("{\"a\": 2}"), of("{\"a\":1}")], [0, 1, 0]);
        assert_eq!(*made.borrow(), 2);
        (0..KEPT).for_each(|n| _ = of(&n.to_string()));
        assert!(memo.0.borrow().len() <= KEPT);
    }
}
