//! The faults and variations that a server was started with, as the hooks ask for them.

use super::{Fault, Options, Variation};

/// Two sets, looked up by a comparison or two: nearly always they are empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Deviations {
    faults: Vec<Fault>,
    variations: Vec<Variation>,
}

impl Deviations {
    pub(super) fn new(options: &Options) -> Self {
        Self { faults: options.faults.clone(), variations: options.variations.clone() }
    }

    pub(super) fn fault(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    pub(super) fn is_faulty(&self) -> bool {
        !self.faults.is_empty()
    }

    pub(super) fn variation(&self, variation: Variation) -> bool {
        self.variations.contains(&variation)
    }
}
