//! Which requirements a run is about.

use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::contract::Contract;
use crate::source::{Diagnostic, Result, did_you_mean};

/// Patterns of ids: `idempotency/*`, `*/name-*`.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
    exactly: Option<Vec<String>>,
}

impl Selection {
    /// Requirements that match one of `only`, or all if there is none, and none of `skip`.
    pub fn new(only: Vec<String>, skip: Vec<String>) -> Self {
        Self { only, skip, exactly: None }
    }

    /// Of those, only these.
    #[must_use]
    pub fn exactly(mut self, ids: Vec<String>) -> Self {
        self.exactly = Some(ids);
        self
    }

    /// Which requirements of a contract are meant, by their places.
    ///
    /// # Errors
    /// A pattern that is none or matches nothing; nothing left.
    pub fn apply(&self, contract: &Contract) -> Result<Vec<bool>> {
        let only = set(&self.only)?;
        let skip = set(&self.skip)?;
        let ids = || contract.requirements.iter().map(|r| r.id.as_str());
        for pattern in self.only.iter().chain(&self.skip) {
            let matcher = glob(pattern)?.compile_matcher();
            if !ids().any(|id| matcher.is_match(id)) {
                return Err(Diagnostic::new(format!("no requirement matches `{pattern}`"))
                    .help(did_you_mean(pattern, ids()).unwrap_or_else(|| "`probity list` shows all ids".to_owned())));
            }
        }
        let chosen: Vec<bool> = ids()
            .map(|id| {
                (self.only.is_empty() || only.is_match(id))
                    && !skip.is_match(id)
                    && self.exactly.as_ref().is_none_or(|e| e.iter().any(|x| x == id))
            })
            .collect();
        if !chosen.contains(&true) {
            return Err(Diagnostic::new("no requirement is left to try")
                .help("--only, --skip and --rerun-failed together leave none"));
        }
        Ok(chosen)
    }
}

fn glob(pattern: &str) -> Result<Glob> {
    Glob::new(pattern).map_err(|e| Diagnostic::new(format!("`{pattern}` is no pattern: {}", e.kind())))
}

fn set(patterns: &[String]) -> Result<GlobSet> {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(glob(pattern)?);
    }
    builder.build().map_err(|e| Diagnostic::new(format!("the patterns cannot be used: {e}")))
}
