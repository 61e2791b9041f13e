//! Which requirements a run is about.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::contract::Contract;
use crate::contract::patterns::{glob, set};
use crate::contract::requirement::Form;
use crate::source::{Diagnostic, Result, did_you_mean};

/// A part of a run that is split over machines: `2/5`.
///
/// A requirement with requests of its own is in one part, which depends on its id alone. What is judged on whatever is
/// sent is in every part, and the shared pool is sent by the first: all parts together show what one run shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// Which part, from 1.
    pub part: u32,
    /// How many there are.
    pub of: u32,
}

impl Shard {
    /// Whether a requirement with requests of its own is in this part.
    pub fn holds(self, id: &str) -> bool {
        let hash = Sha256::digest(id.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hash[..8]);
        u64::from_be_bytes(first) % u64::from(self.of.max(1)) == u64::from(self.part.saturating_sub(1))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

/// A text that names no part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write 2/5 for the second of five parts")]
pub struct ShardError;

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let parsed = text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        match parsed {
            Some((part, of)) if 1 <= part && part <= of => Ok(Self { part, of }),
            _ => Err(ShardError),
        }
    }
}

/// Patterns of ids: `idempotency/*`, `*/name-*`.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
    exactly: Option<Vec<String>>,
    shard: Option<Shard>,
}

impl Selection {
    /// Requirements that match one of `only`, or all if there is none, and none of `skip`.
    pub fn new(only: Vec<String>, skip: Vec<String>) -> Self {
        Self { only, skip, exactly: None, shard: None }
    }

    /// Of those, only these.
    #[must_use]
    pub fn exactly(mut self, ids: Vec<String>) -> Self {
        self.exactly = Some(ids);
        self
    }

    /// Of those, only what is in a part of the run.
    #[must_use]
    pub fn sharded(mut self, shard: Option<Shard>) -> Self {
        self.shard = shard;
        self
    }

    /// Whether this part of the run sends the shared pool.
    pub fn sends_pool(&self) -> bool {
        self.shard.is_none_or(|s| s.part == 1)
    }

    /// Whether its patterns fit an id, whatever the contract and the part.
    ///
    /// # Errors
    /// A pattern that is none.
    pub fn fits(&self, id: &str) -> Result<bool> {
        Ok((self.only.is_empty() || set(&self.only)?.is_match(id)) && !set(&self.skip)?.is_match(id))
    }

    /// Which of these ids its patterns and its list of ids mean.
    ///
    /// # Errors
    /// A pattern that is none or matches nothing.
    pub fn choose(&self, ids: &[&str]) -> Result<Vec<bool>> {
        let only = set(&self.only)?;
        let skip = set(&self.skip)?;
        for pattern in self.only.iter().chain(&self.skip) {
            let matcher = glob(pattern)?.compile_matcher();
            if !ids.iter().any(|id| matcher.is_match(id)) {
                let near = did_you_mean(pattern, ids.iter().copied());
                return Err(Diagnostic::new(format!("no requirement matches `{pattern}`"))
                    .help(near.unwrap_or_else(|| "`probity list` shows all ids".to_owned())));
            }
        }
        let is_chosen = |id: &&str| {
            (self.only.is_empty() || only.is_match(id))
                && !skip.is_match(id)
                && self.exactly.as_ref().is_none_or(|e| e.iter().any(|x| x == id))
        };
        Ok(ids.iter().map(is_chosen).collect())
    }

    /// Which requirements of a contract are meant, by their places.
    ///
    /// # Errors
    /// A pattern that is none or matches nothing; nothing left.
    pub fn apply(&self, contract: &Contract) -> Result<Vec<bool>> {
        let ids: Vec<&str> = contract.requirements.iter().map(|r| r.id.as_str()).collect();
        let of_part = |form: &Form, id: &str| self.shard.is_none_or(|s| form.is_fed() || s.holds(id));
        let chosen: Vec<bool> = self
            .choose(&ids)?
            .into_iter()
            .zip(&contract.requirements)
            .map(|(chosen, requirement)| chosen && of_part(&requirement.form, &requirement.id))
            .collect();
        if !chosen.contains(&true) {
            let help = match self.shard {
                Some(shard) => format!("--only, --skip and --shard {shard} together leave none: make fewer parts"),
                None => "--only, --skip and --rerun-failed together leave none".to_owned(),
            };
            return Err(Diagnostic::new("no requirement is left to try").help(help));
        }
        Ok(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_are_read_as_they_are_written() {
        for (text, shard) in [("1/1", Some((1, 1))), ("2/5", Some((2, 5))), ("0/5", None), ("6/5", None), ("x", None)] {
            let read: Option<Shard> = text.parse().ok();
            assert_eq!(read.map(|s| (s.part, s.of)), shard, "{text}");
            assert!(read.is_none_or(|s| s.to_string() == text));
        }
    }

    proptest! {
        #[test]
        fn every_id_is_in_one_part(id in "[a-z-]{1,12}/[a-z-]{1,20}", of in 1_u32..20) {
            let holding = (1..=of).filter(|part| Shard { part: *part, of }.holds(&id)).count();
            prop_assert_eq!(holding, 1);
        }
    }
}
