//! Patterns of names, as people type them: `idempotency/*`, `*/name-*`.

use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::source::{Diagnostic, Result};

/// One pattern.
///
/// # Errors
/// It is none.
pub fn glob(pattern: &str) -> Result<Glob> {
    Glob::new(pattern).map_err(|e| Diagnostic::new(format!("`{pattern}` is not a valid pattern: {}", e.kind())))
}

/// A pattern for operations: the braces of a path's parameters are no alternatives.
pub fn of_operation(text: &str) -> String {
    text.replace('{', "[{]").replace('}', "[}]")
}

/// Several of them.
///
/// # Errors
/// The first that is none.
pub fn set(patterns: &[String]) -> Result<GlobSet> {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(glob(pattern)?);
    }
    builder.build().map_err(|e| Diagnostic::new(format!("the patterns cannot be used: {e}")))
}
