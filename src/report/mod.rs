//! What a run showed, for programs and for people: one report, one file for each writer.
//!
//! - [`model`]: the report, in the shape of `report.json`: its header, each requirement, figures, its end, the gate's
//!   ruling; [`model::record`]: exchanges as reports show them; [`recorder`]: how they come to be, without tokens
//! - [`build`]: from what a run brought to its report; [`build::merge`]: the parts of a run, joined
//! - [`format`]: one file for each format: json, junit, ctrf, markdown, sarif, har, html, badge, GitHub annotations
//! - [`lock`]: a folder of reports belongs to one command at a time
//! - [`terminal`]: the summary on stdout, the bar on stderr
//! - [`log`]: what is written while a run goes on: `exchanges.ndjson`, `created.ndjson`, and `-v` on stderr
//! - [`text`]: text that fits a terminal, how verdicts are called and shown, requests as commands
//!
//!
//! Everything but [`log`] and `terminal::progress` is a pure function of the report. What a report means
//! for the exit code is not its business, see [`crate::gate`].

pub mod build;
pub mod format;
pub mod lock;
pub mod log;
pub mod model;
pub mod recorder;
#[cfg(test)]
pub(crate) mod sample;
pub mod terminal;
#[cfg(test)]
mod tests;
pub mod text;

use std::io;
use std::path::{Path, PathBuf};

pub use build::Facts;
pub use model::Report;
pub use recorder::Recorder;

/// The JSON Schema (2020-12) of `report.json`.
pub const SCHEMA: &str = include_str!("report.schema.json");

/// The file of the report itself.
pub const REPORT: &str = "report.json";
/// The file for people.
pub const PAGE: &str = "report.html";
/// The file of the exchanges, see [`log::exchanges::ExchangeLog`].
pub const EXCHANGES: &str = "exchanges.ndjson";
/// The file of the records that were created, see [`log::created::CreatedLog`].
pub const CREATED: &str = "created.ndjson";

/// Something that a report can be written as.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// What it is called on the command line.
    pub name: &'static str,
    /// Its file in the folder of reports.
    pub file: &'static str,
    /// What it is for, in a line.
    pub text: &'static str,
    /// Whether every check writes it; the others are asked for.
    pub always: bool,
    /// Writes it; the folder holds [`EXCHANGES`].
    render: fn(&Report, &Path) -> io::Result<String>,
}

impl Format {
    /// The format of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|f| f.name == name)
    }

    /// The report in this format. The folder is that of the report: some formats show every exchange.
    ///
    /// # Errors
    /// The exchanges cannot be read.
    pub fn render(&self, report: &Report, folder: &Path) -> io::Result<String> {
        (self.render)(report, folder)
    }
}

/// All formats. The report itself comes first: whatever happens to the others, it is there.
pub const FORMATS: &[Format] = &[
    Format {
        name: "json",
        file: REPORT,
        text: "the report itself; its shape is published as a JSON Schema",
        always: true,
        render: |report, _| Ok(format::json::render(report)),
    },
    Format {
        name: "html",
        file: PAGE,
        text: "one page for people that needs no network",
        always: true,
        render: format::html::of_folder,
    },
    Format {
        name: "junit",
        file: "junit.xml",
        text: "JUnit XML, for tools that show test results: GitLab, Jenkins, actions for GitHub",
        always: true,
        render: |report, _| Ok(format::junit::render(report)),
    },
    Format {
        name: "markdown",
        file: "report.md",
        text: "short Markdown, for a comment on a merge request",
        always: false,
        render: |report, _| Ok(format::markdown::render(report, format::markdown::COMMENT)),
    },
    Format {
        name: "har",
        file: "exchanges.har",
        text: "every exchange as HAR 1.2, for the developer tools of browsers and for proxies",
        always: false,
        render: |report, folder| format::har::render(report, log::exchanges::read(&folder.join(EXCHANGES))?),
    },
    Format {
        name: "sarif",
        file: "report.sarif",
        text: "failures at their lines in document and cases as SARIF 2.1.0, for code scanning",
        always: false,
        render: |report, _| Ok(format::sarif::render(report)),
    },
    Format {
        name: "ctrf",
        file: "ctrf-report.json",
        text: "Common Test Report Format, for the tools that read it",
        always: false,
        render: |report, _| Ok(format::ctrf::render(report)),
    },
    Format {
        name: "badge",
        file: "badge.svg",
        text: "a badge",
        always: false,
        render: |report, _| Ok(format::badge::svg(report)),
    },
    Format {
        name: "shields",
        file: "badge.json",
        text: "the same for an endpoint badge of shields.io",
        always: false,
        render: |report, _| Ok(format::badge::shields(report)),
    },
    Format {
        name: format::attestation::NAME,
        file: "attestation.json",
        text: "an in-toto statement on the commit or artefact that was tested, to be signed",
        always: false,
        render: |report, _| format::attestation::render(report),
    },
];

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

/// Writes the formats that every check writes and those asked for, each whole, in the place of an older one, the report
/// itself first, and removes what an earlier run wrote in others. Tells which files there are, and which cannot be
/// written: these keep what they held.
pub fn write_all(dir: &Path, report: &Report, asked: &[&Format]) -> (Vec<PathBuf>, Vec<WriteError>) {
    if let Err(error) = create_dir(dir) {
        return (Vec::new(), vec![error]);
    }
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    for format in written(asked) {
        match write(dir, report, format) {
            Ok(file) => files.push(file),
            Err(error) => errors.push(error),
        }
    }
    // What an earlier run wrote in other formats says nothing of this one.
    for path in FORMATS.iter().filter(|f| !written(asked).any(|w| w.name == f.name)).map(|f| dir.join(f.file)) {
        match std::fs::remove_file(&path) {
            Err(source) if path.is_file() => errors.push(WriteError { path, source }),
            _ => {}
        }
    }
    (files, errors)
}

/// The formats that are written where some are asked for, in their order.
pub fn written(asked: &[&Format]) -> impl Iterator<Item = &'static Format> {
    FORMATS.iter().filter(|format| format.always || asked.iter().any(|a| a.name == format.name))
}

fn write(dir: &Path, report: &Report, format: &Format) -> Result<PathBuf, WriteError> {
    let path = dir.join(format.file);
    let text = format.render(report, dir).map_err(|source| WriteError { path: path.clone(), source })?;
    write_file(dir, format.file, &text).map(|()| path)
}

/// Writes one file, whole, in the place of an older one.
///
/// # Errors
/// What the system says.
pub(crate) fn write_file(dir: &Path, name: &str, text: &str) -> Result<(), WriteError> {
    let path = dir.join(name);
    format::json::replace(&path, text.as_bytes()).map_err(|source| WriteError { path, source })
}
