//! The context in which a schema is read: for which direction, and through which references it was reached.

use std::collections::BTreeSet;
use std::sync::Arc;

/// Where `$dynamicRef` leads: the outermost schema of each name.
pub(super) type Scope = Vec<(String, (usize, String))>;

/// The context.
#[derive(Clone, Debug, Default)]
pub(super) struct Context {
    /// Names that are not required, since the other side sends them.
    pub(super) elsewhere: Arc<BTreeSet<String>>,
    pub(super) scope: Arc<Scope>,
    /// The schema whose discriminator has already chosen.
    pub(super) chosen: Option<Arc<(usize, String)>>,
}

impl Context {
    /// Behind a discriminator of this schema.
    pub(super) fn choosing(&self, schema: Arc<(usize, String)>) -> Self {
        Self { chosen: Some(schema), ..self.clone() }
    }

    /// In a part of the value.
    pub(super) fn below(&self) -> Self {
        Self { elsewhere: Arc::default(), chosen: None, ..self.clone() }
    }

    /// Beside other schemas of the same value.
    pub(super) fn beside(&self, elsewhere: &BTreeSet<String>) -> Self {
        if elsewhere.is_subset(&self.elsewhere) {
            return self.clone();
        }
        Self { elsewhere: Arc::new(self.elsewhere.union(elsewhere).cloned().collect()), ..self.clone() }
    }

    /// A key that distinguishes this context from others.
    pub(super) fn key(&self) -> String {
        if self.elsewhere.is_empty() && self.scope.is_empty() && self.chosen.is_none() {
            return String::new();
        }
        format!("{:?}{:?}{:?}", self.elsewhere, self.scope, self.chosen)
    }
}
