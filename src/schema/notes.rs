//! What is odd in a document, and what cannot be honoured.

use crate::source::Diagnostic;

/// What was found while a part of a document was read; each once.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    /// What is odd, but cannot change what is sent or judged.
    pub notes: Vec<Diagnostic>,
    /// What would change it and is not supported: the part that holds it cannot be used.
    pub unsupported: Vec<Diagnostic>,
    /// What would change it and is not supported: it is left out of what is checked.
    pub parts: Vec<Diagnostic>,
}

/// How many are kept of each kind.
const MOST: usize = 200;

impl Problems {
    /// Notes what cannot matter.
    #[expect(clippy::boxed_local, reason = "diagnostics are made boxed")]
    pub fn note(&mut self, diagnostic: Box<Diagnostic>) {
        add(&mut self.notes, *diagnostic);
    }

    /// Notes what keeps a part from being used.
    #[expect(clippy::boxed_local, reason = "diagnostics are made boxed")]
    pub fn unsupported(&mut self, diagnostic: Box<Diagnostic>) {
        add(&mut self.unsupported, *diagnostic);
    }

    /// Notes what is left out of what is checked.
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
