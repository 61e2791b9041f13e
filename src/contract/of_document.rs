//! The contracts of a document by itself: one for each operation, without cases.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use globset::GlobSet;
use sha2::{Digest, Sha256};

use super::cases::Vocabulary;
use super::lookup::Lookup;
use super::requirement::Level;
use super::{CALLER, Contract, bodyless, derive, files, fixture_schema, ids, lookup, patterns, security};
use crate::document::operation::Operation;
use crate::document::{Document, Entry};
use crate::expression::Defines;
use crate::source::{Diagnostic, Result, did_you_mean};

/// The contracts of the operations that match one of `only`, or of all if there is none, and none of `skip`. A pattern
/// is held against the `operationId`, against `METHOD /path`, and against each tag.
///
/// # Errors
/// A document without operations; a pattern that is none, or matches nothing; nothing left.
pub fn contracts(document: &Document, only: &[String], skip: &[String]) -> Result<Vec<Contract>> {
    let set = |all: &[String]| patterns::set(&all.iter().map(|one| patterns::of_operation(one)).collect::<Vec<_>>());
    let entries = document.entries();
    if entries.is_empty() {
        return Err(Diagnostic::new("the document has no operations").help("its `paths` must have some"));
    }
    for pattern in only.iter().chain(skip) {
        let one = set(std::slice::from_ref(pattern))?;
        if !entries.iter().any(|entry| matches(&one, entry)) {
            let ids = entries.iter().map(|entry| entry.id.as_str());
            return Err(Diagnostic::new(format!("no operation of the document matches `{pattern}`"))
                .help(did_you_mean(pattern, ids.clone()).unwrap_or_else(|| some_of(ids))));
        }
    }
    let (wanted, unwanted) = (set(only)?, set(skip)?);
    let is_chosen = |entry: &Entry| (only.is_empty() || matches(&wanted, entry)) && !matches(&unwanted, entry);
    // The name of an operation in ids does not depend on which ones are chosen.
    let prefixes = prefixes(entries);
    let hash = files::hash(document.sources());
    let chosen = entries.iter().zip(&prefixes).filter(|(entry, _)| is_chosen(entry));
    let all: Vec<Contract> =
        chosen.map(|(entry, prefix)| contract(document, entry, prefix, &hash)).collect::<Result<_>>()?;
    if all.is_empty() {
        return Err(
            Diagnostic::new("no operation is left").help("--operation and --skip-operation together leave none")
        );
    }
    Ok(all)
}

/// The operations with `DELETE` that [`contracts`] leaves out although nothing in `skip` says so: what a run created may be
/// removed by them.
///
/// # Errors
/// A pattern that is none.
pub fn deletions(document: &Document, only: &[String], skip: &[String]) -> Result<Vec<Contract>> {
    let set = |all: &[String]| patterns::set(&all.iter().map(|one| patterns::of_operation(one)).collect::<Vec<_>>());
    let (wanted, unwanted) = (set(only)?, set(skip)?);
    let is_left_out = |entry: &&Entry| {
        entry.method == "DELETE" && !only.is_empty() && !matches(&wanted, entry) && !matches(&unwanted, entry)
    };
    let hash = files::hash(document.sources());
    let left_out = document.entries().iter().filter(is_left_out);
    left_out.map(|entry| bare(document, document.read_operation(entry), &hash)).collect()
}

fn some_of<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut ids: Vec<&str> = ids.take(13).collect();
    let more = if ids.len() > 12 { ", …" } else { "" };
    ids.truncate(12);
    format!("its operations: {}{more}", ids.join(", "))
}

/// Which operations of a document match a pattern.
pub(super) fn choose(document: &Document, patterns: &GlobSet) -> Vec<bool> {
    document.entries().iter().map(|entry| matches(patterns, entry)).collect()
}

/// What an operation is called in ids.
pub(super) fn prefix(document: &Document, operation: &Operation) -> String {
    let is_it = |entry: &Entry| (&entry.method, &entry.path) == (&operation.method, &operation.path);
    let place = document.entries().iter().position(is_it);
    place.and_then(|place| prefixes(document.entries()).into_iter().nth(place)).unwrap_or_default()
}

fn matches(patterns: &GlobSet, entry: &Entry) -> bool {
    let place = format!("{} {}", entry.method, entry.path);
    [&entry.id, &place].into_iter().chain(&entry.tags).any(|name| patterns.is_match(name))
}

/// What each operation is called in ids: of those whose names would be the same, all get four digits of a hash.
fn prefixes(entries: &[Entry]) -> Vec<String> {
    let plain = |entry: &Entry| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let text: String = entry.id.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
        // Braces and slashes side by side leave rows of hyphens.
        text.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
    };
    let names: Vec<String> = entries.iter().map(plain).collect();
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    names.iter().for_each(|name| *count.entry(name).or_default() += 1);
    let unique = |(name, entry): (&String, &Entry)| match count[name.as_str()] {
        1 if !name.is_empty() => name.clone(),
        _ => {
            let digest = Sha256::digest(format!("{} {}", entry.method, entry.path));
            format!("{name}-{:02x}{:02x}", digest[0], digest[1])
        }
    };
    names.iter().zip(entries).map(unique).collect()
}

fn contract(document: &Document, entry: &Entry, prefix: &str, hash: &str) -> Result<Contract> {
    let operation = document.read_operation(entry);
    let vocabulary = Vocabulary::new(std::iter::empty());
    let mut requirements = derive::requirements(&operation);
    ids::tell_apart(&mut requirements);
    requirements.extend(bodyless::requirements(&operation, &vocabulary)?);
    requirements.extend(security::requirements(&operation, &[], &vocabulary, Level::Should)?);
    for requirement in &mut requirements {
        requirement.id = format!("{prefix}/{}", requirement.id);
    }
    requirements.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Contract { requirements, ..bare(document, operation, hash)? })
}

/// The contract of an operation without any requirement.
pub(super) fn bare(document: &Document, operation: Operation, hash: &str) -> Result<Contract> {
    let fixtures = fixture_schema(None)?;
    let lookup: Lookup = lookup::read(None, &fixtures.json)?;
    Ok(Contract {
        name: document.title().unwrap_or_else(|| files::stem_of(document)),
        hash: hash.to_owned(),
        operation,
        called: Vec::new(),
        requirements: Vec::new(),
        open: Vec::new(),
        defines: Arc::new(Defines::default()),
        fixtures,
        lookup,
        values: Vec::new(),
        callers: vec![CALLER.to_owned()],
        record: None,
        run_tag: None,
        clock: None,
        foremost: Vec::new(),
        document_only: true,
        spoken: OnceLock::new(),
    })
}
