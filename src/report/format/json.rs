//! `report.json`: the report itself, written whole and read back.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::report::model::{OLDEST_READ, Report, VERSION};

/// Why a report cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is no report.
    #[error("{} is no report of probity: {message} (at `{at}`)", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The place in it, with dots between names.
        at: String,
        /// What is wrong there.
        message: String,
    },
    /// The file is a report of another version.
    #[error("{} is a report of version {version}; this probity reads versions {OLDEST_READ} to {VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
}

/// The report as JSON, indented, with a line feed at the end.
pub fn render(report: &Report) -> String {
    // Keys are strings and numbers are finite: this cannot fail.
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}

/// Writes the report to a file, all of it or nothing.
///
/// # Errors
/// What the system says.
pub fn write(path: &Path, report: &Report) -> io::Result<()> {
    replace(path, render(report).as_bytes())
}

/// Reads a report.
///
/// # Errors
/// A file that is missing, no report, or one of another version.
pub fn read(path: &Path) -> Result<Report, ReadError> {
    let text = fs::read_to_string(path).map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Report, ReadError> {
    /// What reports of every version have.
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u64,
    }
    let shape = |at: String, message: String| ReadError::Shape { path: path.to_owned(), at, message };
    let versioned: Versioned = serde_json::from_str(text).map_err(|e| shape(".".to_owned(), e.to_string()))?;
    if !(u64::from(OLDEST_READ)..=u64::from(VERSION)).contains(&versioned.version) {
        return Err(ReadError::Version { path: path.to_owned(), version: versioned.version });
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|e| shape(e.path().to_string(), e.inner().to_string()))
}

/// Puts a file in the place of another, all of it or nothing.
pub(in crate::report) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = fs::File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error counts; what is left over is tidied up if it can be.
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::sample;

    #[test]
    fn reads_what_it_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        fs::write(&path, "older and very much longer than nothing").unwrap();
        write(&path, &sample()).unwrap();
        assert_eq!(read(&path).unwrap(), sample());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no leftovers");
    }

    #[test]
    fn ignores_keys_that_it_does_not_know() {
        let text = render(&sample()).replacen('{', "{\"later\": 1,", 1);
        assert_eq!(parse(Path::new("r"), &text).unwrap(), sample());
    }

    #[test]
    fn says_what_is_wrong() {
        let error = |text: &str| parse(Path::new("r.json"), text).unwrap_err().to_string();
        assert_eq!(error("{\"version\": 9}"), "r.json is a report of version 9; this probity reads versions 1 to 2");
        assert!(error("{").starts_with("r.json is no report of probity: EOF"));
        let text = render(&sample()).replacen("\"verdict\": \"pass\"", "\"verdict\": \"good\"", 1);
        assert!(error(&text).contains("unknown variant `good`"), "{}", error(&text));
        assert!(error(&text).contains("(at `requirements["), "{}", error(&text));
        let missing = read(Path::new("/nowhere/report.json")).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read /nowhere/report.json: "), "{missing}");
    }
}
