//! Notes on a document, and the parts of it that are not supported.

use crate::source::Diagnostic;

/// What was found while a part of a document was read, each once.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    /// Notes that cannot change what is sent or judged.
    pub notes: Vec<Diagnostic>,
    /// Unsupported parts that would change it: the part that contains one cannot be used.
    pub unsupported: Vec<Diagnostic>,
    /// Unsupported parts that would change it: they are left out of what is checked.
    pub parts: Vec<Diagnostic>,
}

/// How many are kept of each kind.
const MOST: usize = 200;

impl Problems {
    /// Adds a note that cannot matter.
    #[expect(clippy::boxed_local, reason = "diagnostics are made boxed")]
    pub fn note(&mut self, diagnostic: Box<Diagnostic>) {
        add(&mut self.notes, *diagnostic);
    }

    /// Adds a reason why a part cannot be used.
    #[expect(clippy::boxed_local, reason = "diagnostics are made boxed")]
    pub fn unsupported(&mut self, diagnostic: Box<Diagnostic>) {
        add(&mut self.unsupported, *diagnostic);
    }

    /// Adds a part that is not checked.
    #[expect(clippy::boxed_local, reason = "diagnostics are made boxed")]
    pub fn part(&mut self, diagnostic: Box<Diagnostic>) {
        add(&mut self.parts, *diagnostic);
    }

    /// Adds all of others.
    pub fn extend(&mut self, others: Self) {
        others.notes.into_iter().for_each(|d| add(&mut self.notes, d));
        others.unsupported.into_iter().for_each(|d| add(&mut self.unsupported, d));
        others.parts.into_iter().for_each(|d| add(&mut self.parts, d));
    }
}

fn add(all: &mut Vec<Diagnostic>, diagnostic: Diagnostic) {
    let same = |other: &Diagnostic| other.title() == diagnostic.title() && other.is_at_place_of(&diagnostic);
    if all.len() < MOST && !all.iter().any(same) {
        all.push(diagnostic);
    }
}
