//! CTRF, the Common Test Report Format: a test for each requirement, as `junit.xml` has it.

use chrono::DateTime;
use serde_json::{Value as Json, json};

use crate::judge::tally::Verdict;
use crate::report::model::ruling::RUN;
use crate::report::model::{Report, Requirement, Ruling};
use crate::report::text::visible;
use crate::report::text::words;

/// The version of the format.
const VERSION: &str = "0.0.0";
/// How long a message is.
const MESSAGE: usize = 1_000;

/// The statuses of CTRF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Passed,
    Failed,
    Skipped,
    Other,
}

impl Status {
    fn of(report: &Report, requirement: &Requirement) -> Self {
        match requirement.verdict {
            Verdict::Pass => Self::Passed,
            Verdict::Skipped => Self::Skipped,
            _ if !report.is_red(requirement) => Self::Skipped,
            Verdict::Fail => Self::Failed,
            Verdict::Inconclusive | Verdict::Untested => Self::Other,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Other => "other",
        }
    }
}

/// The report as CTRF.
pub fn render(report: &Report) -> String {
    let header = &report.header;
    let started = DateTime::parse_from_rfc3339(&header.started).map_or(0, |at| at.timestamp_millis());
    let elapsed = i64::try_from(report.figures.elapsed_ms).unwrap_or(i64::MAX);
    let count = |status| report.selected().filter(|r| Status::of(report, r) == status).count();
    let run = report.red_beside_requirements().map(|ruling| run(report, ruling));
    let red = usize::from(run.is_some());
    let tests: Vec<Json> = report.selected().map(|r| test(report, r)).chain(run).collect();
    let ctrf = json!({
        "reportFormat": "CTRF",
        "specVersion": VERSION,
        "generatedBy": header.tool.name,
        "timestamp": header.started,
        "results": {
            "tool": {"name": header.tool.name, "version": header.tool.version},
            "summary": {
                "tests": tests.len(),
                "passed": count(Status::Passed),
                "failed": count(Status::Failed) + red,
                "skipped": count(Status::Skipped),
                "pending": 0,
                "other": count(Status::Other),
                "start": started,
                "stop": started.saturating_add(elapsed),
                "extra": {"ruling": report.ruling.as_ref().map(|r| json!({"exit": r.exit, "sentence": r.sentence}))},
            },
            "tests": tests,
            "environment": {"extra": {
                "target": header.target,
                "contract": header.contract.name,
                "seed": header.seed,
            }},
        },
    });
    let mut text = serde_json::to_string_pretty(&ctrf).unwrap_or_default();
    text.push('\n');
    text
}

/// What makes the gate red beside the requirements.
fn run(report: &Report, ruling: &Ruling) -> Json {
    let lines = [&ruling.sentence].into_iter().chain(&ruling.stale).map(|line| visible(line));
    json!({
        "name": RUN,
        "status": Status::Failed.name(),
        "duration": 0,
        "suite": [report.header.contract.name, RUN],
        "message": lines.collect::<Vec<_>>().join("\n"),
    })
}

fn test(report: &Report, requirement: &Requirement) -> Json {
    // Requests are shared between requirements: only a failure's own time is known.
    let millis: f64 = requirement.failures.first().map_or(0.0, |f| f.exchanges.iter().map(|e| e.elapsed_ms).sum());
    let mut test = json!({
        "name": requirement.id,
        "status": Status::of(report, requirement).name(),
        "rawStatus": requirement.verdict.name(),
        "duration": chrono::TimeDelta::microseconds((millis * 1000.0).round() as i64).num_milliseconds(),
        "suite": [report.header.contract.name, requirement.group()],
        "tags": [words::level(requirement.level)],
    });
    let mut message = visible(&requirement.trouble_within(MESSAGE));
    if let Some(excuse) = report.excuse(requirement) {
        message = format!("{}: {message}", visible(&excuse));
    }
    if !message.is_empty() {
        test["message"] = json!(message);
    }
    if let Some(failure) = requirement.failures.first() {
        test["trace"] = json!(crate::report::terminal::one(requirement));
        test["extra"] = json!({"rerun": failure.rerun});
    }
    if let Some(place) = &requirement.place {
        test["filePath"] = json!(place.file);
        test["line"] = json!(place.line);
    }
    test
}
