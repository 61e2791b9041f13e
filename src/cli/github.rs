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
        let annotations = github::annotations(report, &in_repository);
        return github::fenced(report, &summary) + &annotations;
    }
    summary
}

/// What the repository calls a file, from its root on; None if it has none of that name.
fn in_repository(file: &str) -> Option<String> {
    let path = Path::new(file).canonicalize().ok().filter(|path| path.is_file())?;
    let root = std::env::var_os("GITHUB_WORKSPACE").filter(|root| !root.is_empty());
    let root = root.map_or_else(|| std::env::current_dir().ok(), |root| Path::new(&root).canonicalize().ok())?;
    let within = path.strip_prefix(root).ok()?;
    Some(within.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"))
}

/// The line of the repository that says what is required, where it has one.
fn place(requirement: &Requirement) -> Option<String> {
    let place = requirement.place.as_ref()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let file = in_repository(&place.file).filter(|file| file.chars().all(is_plain))?;
    let [server, repository, commit] =
        ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_SHA"].map(|name| std::env::var(name).ok());
    Some(format!("{}/{}/blob/{}/{file}#L{}", server?, repository?, commit?, place.line))
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
