//! What must come of each fault and each variation: two tables, and how a run differs from them.
//!
//! The tables are written by hand, entry by entry from the entry's own sentence; a run does not
//! mend them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::run::Run;
use crate::contract::Contract;
use crate::source::{Diagnostic, Result};

/// Where the table of the faults is kept.
pub const FAULTS: &str = "tests/matrix/faults.toml";
/// Where the table of the faults that show in other operations is kept.
pub const LATER: &str = "tests/matrix/later.toml";
/// Where the table of the variations is kept.
pub const VARIATIONS: &str = "tests/matrix/variations.toml";

/// What must come of each subject, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Where it is kept.
    pub path: &'static str,
    /// The entries.
    pub entries: BTreeMap<String, Entry>,
}

/// What must come of one subject.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The requirements that fail, all of them.
    pub fails: Vec<String>,
    /// Those that may fail beside them, because of chance; `area/*` for a whole area.
    #[serde(default)]
    pub may: Vec<String>,
    /// For a variation: the requirements of which nothing comes to be known, all of them.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// Whether only a part was tried, so that it says nothing of what comes to be known.
    #[serde(skip)]
    partial: bool,
}

/// How a run differs from what must come of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Requirements that should have failed, and did not.
    pub missing: Vec<String>,
    /// Requirements that failed, and should not have.
    pub extra: Vec<String>,
    /// Requirements that should have been judged, and were not.
    pub unknown: Vec<String>,
    /// Requirements that were judged, though they cannot be.
    pub known: Vec<String>,
}

impl Difference {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        [&self.missing, &self.extra, &self.unknown, &self.known].iter().all(|ids| ids.is_empty())
    }
}

impl Entry {
    /// Whether a requirement fails, or may.
    pub fn covers(&self, id: &str) -> bool {
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => id.starts_with(beginning),
            None => id == pattern,
        };
        self.fails.iter().any(|own| own == id) || self.may.iter().any(fits)
    }
}

impl Table {
    /// The table of a contract's faults: those of its one operation, or those that show where it calls others.
    ///
    /// # Errors
    /// It cannot be read: a defect of ours.
    pub fn faults(contract: &Contract) -> Result<Self> {
        if contract.called.is_empty() {
            Self::parse(FAULTS, include_str!("../../tests/matrix/faults.toml"))
        } else {
            Self::parse(LATER, include_str!("../../tests/matrix/later.toml"))
        }
    }

    /// The table of the variations.
    ///
    /// # Errors
    /// It cannot be read: a defect of ours.
    pub fn variations() -> Result<Self> {
        Self::parse(VARIATIONS, include_str!("../../tests/matrix/variations.toml"))
    }

    fn parse(path: &'static str, text: &str) -> Result<Self> {
        let entries = toml::from_str(text)
            .map_err(|e| Diagnostic::new(format!("{path} is not a valid table of outcomes: {e}")))?;
        Ok(Self { path, entries })
    }

    /// The same for checks that try only a part: what should fail may, and nothing else.
    #[must_use]
    pub fn of_what_fails(mut self) -> Self {
        for entry in self.entries.values_mut() {
            entry.may.append(&mut entry.fails);
            entry.partial = true;
        }
        self
    }

    /// How a run with a fault differs from its entry: only what fails counts. A subject without an
    /// entry must fail nothing.
    pub fn of_fault(&self, run: &Run) -> Difference {
        let nothing = Entry::default();
        let entry = self.entries.get(&run.name).unwrap_or(&nothing);
        Difference {
            missing: entry
                .fails
                .iter()
                .filter(|id| run.tried.contains(id) && !run.fails.contains(id))
                .cloned()
                .collect(),
            extra: run.fails.iter().filter(|id| !entry.covers(id)).cloned().collect(),
            ..Difference::default()
        }
    }

    /// How a run with a variation differs from its entry: what fails, and of what nothing is known.
    pub fn of_variation(&self, run: &Run) -> Difference {
        let nothing = Entry::default();
        let entry = self.entries.get(&run.name).unwrap_or(&nothing);
        if entry.partial {
            return self.of_fault(run);
        }
        let known = |id: &&String| run.tried.contains(id) && !run.unknown.contains(id);
        Difference {
            unknown: run.unknown.iter().filter(|id| !entry.unknown.contains(id)).cloned().collect(),
            known: entry.unknown.iter().filter(known).cloned().collect(),
            ..self.of_fault(run)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn tells_what_is_missing_and_what_is_extra() {
        let table = Table::parse(
            "t",
            "[late]\nfails = [\"a/one\", \"a/two\", \"b/other\"]\nmay = [\"a/m*\"]\nunknown = [\"a/five\", \"a/six\"]",
        )
        .unwrap();
        let run = Run {
            name: "late".to_owned(),
            tried: ids(&["a/one", "a/two", "a/three", "a/may", "a/four", "a/five", "a/six"]),
            fails: ids(&["a/may", "a/one", "a/three"]),
            unknown: ids(&["a/four", "a/five"]),
            ..Run::default()
        };
        let of_fault = Difference { missing: ids(&["a/two"]), extra: ids(&["a/three"]), ..Difference::default() };
        assert_eq!(table.of_fault(&run), of_fault, "b/other was not tried");
        let of_variation = Difference { unknown: ids(&["a/four"]), known: ids(&["a/six"]), ..of_fault };
        assert_eq!(table.of_variation(&run), of_variation);
        assert!(!of_variation.is_empty() && Difference::default().is_empty());
    }

    #[test]
    fn nothing_is_due_of_what_has_no_entry() {
        let run = Run { name: "new".to_owned(), tried: ids(&["a/b"]), fails: ids(&["a/b"]), ..Run::default() };
        assert_eq!(Table::default().of_fault(&run).extra, ids(&["a/b"]));
    }

    #[test]
    fn refuses_words_that_it_does_not_know() {
        let error = Table::parse("t.toml", "[late]\nfails = []\nmust = []").unwrap_err().to_string();
        assert!(error.contains("t.toml is not a valid table of outcomes") && error.contains("must"), "{error}");
    }
}
