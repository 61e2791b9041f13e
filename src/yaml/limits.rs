//! Limits on the size of a text, so that no text can exhaust the machine.

use crate::source::{Diagnostic, Place, Result};

/// How large a text may be, in bytes.
pub const MAX_BYTES: usize = 64 << 20;
/// How deep lists and maps may be nested.
pub const MAX_DEPTH: usize = 200;
/// How many values a text may have, including those that aliases repeat.
const MAX_NODES: usize = 3_000_000;
/// How many values aliases may repeat.
const MAX_REPEATED: usize = 300_000;

/// What has been read so far.
#[derive(Debug, Default)]
pub(super) struct Budget {
    nodes: usize,
    repeated: usize,
}

impl Budget {
    /// Counts a value.
    pub(super) fn node(&mut self, place: &Place) -> Result<()> {
        self.nodes += 1;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        Err(place.error(format!("this file has more than {MAX_NODES} values")).help("split it into several files"))
    }

    /// Counts the values that an alias repeats.
    pub(super) fn repeat(&mut self, count: usize, place: &Place) -> Result<()> {
        self.nodes += count;
        self.repeated += count;
        if self.repeated <= MAX_REPEATED {
            return Ok(());
        }
        Err(place
            .error(format!("the aliases of this file repeat more than {MAX_REPEATED} values"))
            .help("write the values out, or use `$ref`"))
    }

    /// The error for a text that is nested too deep.
    pub(super) fn too_deep(place: &Place) -> Box<Diagnostic> {
        place
            .error(format!("lists and maps are nested more than {MAX_DEPTH} deep"))
            .help("this is the limit; use `$ref` for a value that contains itself")
    }
}
