//! What a run showed, for programs and for people: one report, one file for each writer.
//!
//! - [`model`]: the report, in the shape of `report.json`
//! - [`build`]: from what a run brought to its report
//! - [`record`]: exchanges as reports show them, without tokens
//! - [`figures`], [`summary`]: numbers
//! - [`curl`]: a request as a command that sends it again
//! - [`ranges`]: many numbers in a short text
//! - [`json`]: writing and reading `report.json`
//! - [`exchanges`]: `exchanges.ndjson`, written as exchanges happen
//! - [`html`]: writing `report.html`
//! - [`created`]: `created.ndjson`, written as records are created
//! - [`narrator`]: exchanges on stderr, as they happen
//! - [`junit`]: writing `junit.xml`
//! - [`terminal`]: the summary on stdout
//! - [`progress`]: the bar on stderr
//! - [`words`], [`text`]: how verdicts are called and shown, and text that fits a terminal
//!
//! Everything but `exchanges`, `created`, `narrator` and `progress` is a pure function of the report. What a report means
//! for the exit code is not its business, see [`crate::gate`].

pub mod build;
pub mod created;
pub mod curl;
pub mod exchanges;
mod figures;
pub mod html;
pub mod json;
pub mod junit;
pub mod model;
pub mod narrator;
pub mod progress;
pub mod ranges;
pub mod record;
#[cfg(test)]
pub(crate) mod sample;
pub mod summary;
pub mod terminal;
#[cfg(test)]
mod tests;
pub mod text;
pub mod words;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::contract::requirement::Level;
pub use build::Facts;
pub use model::Report;
pub use record::Recorder;

/// The JSON Schema (2020-12) of `report.json`.
pub const SCHEMA: &str = include_str!("report.schema.json");

/// The file of the report itself.
pub const REPORT: &str = "report.json";
/// The file of the exchanges, see [`exchanges::ExchangeLog`].
pub const EXCHANGES: &str = "exchanges.ndjson";
/// The file for people, see [`html`].
pub const HTML: &str = "report.html";
/// The file of the records that were created, see [`created::CreatedLog`].
pub const CREATED: &str = "created.ndjson";
/// The file for tools that show test results.
pub const JUNIT: &str = "junit.xml";

/// What could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct WriteError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

/// Makes the folder for reports, and those above it.
///
/// # Errors
/// What the system says.
pub fn create_dir(dir: &Path) -> Result<(), WriteError> {
    std::fs::create_dir_all(dir).map_err(|source| WriteError { path: dir.to_owned(), source })
}

/// Writes every report file but the exchanges, each whole, in the place of an older one. Failures
/// of requirements of the levels in `counting` are failures to test tools too.
///
/// # Errors
/// The first file that cannot be written, or exchanges that cannot be read; the others keep what they held.
pub fn write_all(
    dir: &Path,
    report: &Report,
    counting: &BTreeSet<Level>,
    ending: &terminal::Ending<'_>,
) -> Result<(), WriteError> {
    create_dir(dir)?;
    let page = html::of_folder(report, dir, ending);
    let page = page.map_err(|source| WriteError { path: dir.join(EXCHANGES), source })?;
    write_file(dir, HTML, &page)?;
    write_file(dir, JUNIT, &junit::render(report, counting))?;
    // Last: who sees a new report sees new files beside it.
    write_file(dir, REPORT, &json::render(report))
}

/// Writes one file, whole, in the place of an older one.
///
/// # Errors
/// What the system says.
pub(crate) fn write_file(dir: &Path, name: &str, text: &str) -> Result<(), WriteError> {
    let path = dir.join(name);
    json::replace(&path, text.as_bytes()).map_err(|source| WriteError { path, source })
}
