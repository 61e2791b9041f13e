//! What a run does by itself within a job of GitHub Actions: annotations, and the summary of the step.

use std::io::Write as _;
use std::path::Path;

use crate::report::Report;
use crate::report::format::{github, markdown};

/// The summary for the log: as it is, or within a job fenced and with annotations. Within a job, the step's summary is
/// written too.
pub(crate) fn adapt(report: &Report, summary: String) -> String {
    if std::env::var("GITHUB_ACTIONS").is_ok_and(|v| v == "true") {
        if let Some(file) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|f| !f.is_empty()) {
            summarise(report, Path::new(&file));
        }
        let annotations = github::annotations(report, &|file| Path::new(file).is_file());
        return github::fenced(report, &summary) + &annotations;
    }
    summary
}

/// Adds to what other steps have said.
fn summarise(report: &Report, file: &Path) {
    let text = markdown::render(report, markdown::SUMMARY);
    let written = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    if let Err(error) = written {
        complain!("warning: cannot write the summary of the step to {}: {error}", file.display());
    }
}
