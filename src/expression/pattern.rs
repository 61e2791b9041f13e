//! `matches`, with each pattern compiled once: cases use large character classes on every exchange.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use cel::common::types::{CelBool, CelString};
use cel::{DeclarationError, Env, ExecutionError};
use regex::Regex;

/// The name that calls of `matches` get, which cannot be written in CEL.
pub(super) const MATCHES: &str = "@matches";

/// How many patterns are kept; there are more only if expressions compute patterns.
const KEPT: usize = 1000;

static PATTERNS: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);

/// Adds the function to an environment.
pub(super) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    cel::add_member_overload!(env, fn matches: (CelString, CelString) -> Result<CelBool>, name = MATCHES)?;
    cel::add_overload!(env, fn matches: (CelString, CelString) -> Result<CelBool>, name = MATCHES)
}

fn matches(text: &CelString<'_>, pattern: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    let mut patterns = PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = patterns.get(pattern.inner()) {
        return Ok(CelBool::from(regex.is_match(text.inner())));
    }
    let regex = Regex::new(pattern.inner()).map_err(|e| ExecutionError::function_error("matches", e))?;
    let matched = regex.is_match(text.inner());
    if patterns.len() >= KEPT {
        patterns.clear();
    }
    patterns.insert(pattern.inner().to_owned(), regex);
    Ok(CelBool::from(matched))
}
