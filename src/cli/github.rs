//! What a run does by itself within a job of GitHub Actions: annotations, and the summary of the step.

use std::io::Write as _;
use std::path::Path;

use crate::report::Report;
use crate::report::format::{github, markdown};
use crate::report::model::Requirement;

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

/// The line of the repository that says what is required, where it has one.
fn place(requirement: &Requirement) -> Option<String> {
    let place = requirement.place.as_ref()?;
    let file = place.file.strip_prefix("./").unwrap_or(&place.file);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let there = Path::new(file).is_relative() && file.chars().all(is_plain) && Path::new(file).is_file();
    let [server, repository, commit] =
        ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_SHA"].map(|name| std::env::var(name).ok());
    there.then(|| Some(format!("{}/{}/blob/{}/{file}#L{}", server?, repository?, commit?, place.line)))?
}

/// Adds to what other steps have said.
fn summarise(report: &Report, file: &Path) {
    let text = markdown::linked(report, markdown::SUMMARY, &place);
    let written = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    if let Err(error) = written {
        complain!("warning: cannot write the summary of the step to {}: {error}", file.display());
    }
}
