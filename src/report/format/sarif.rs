//! SARIF 2.1.0: what failed, at the line of the document or the case that asks for it.
//!
//! A rule for each requirement of the run, a result for each that was broken. What is put up with is there too,
//! suppressed with the reason. Places are relative to the folder of the run, as `%SRCROOT%`.

use std::path::Path;

use serde_json::{Value as Json, json};

use crate::contract::requirement::Level;
use crate::report::model::{Place, Report, Requirement};
use crate::report::text::visible;
use crate::report::text::words;

/// How long a message is.
const MESSAGE: usize = 1_000;

/// The failures of a report as SARIF.
pub fn render(report: &Report) -> String {
    let header = &report.header;
    let asked: Vec<&Requirement> = report.selected().filter(|r| r.level.is_some()).collect();
    let rules: Vec<Json> = asked.iter().map(|r| rule(r)).collect();
    let index = |r: &Requirement| asked.iter().position(|a| a.id == r.id);
    let results: Vec<Json> = report.failed().into_iter().map(|r| result(report, r, index(r))).collect();
    let sarif = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": header.tool.name,
                "version": header.tool.version,
                "rules": rules,
            }},
            // What is uploaded under one name takes the place of what was there before.
            "automationDetails": {"id": format!("{}/{}/", header.tool.name, header.contract.name)},
            "invocations": [{"executionSuccessful": report.end.complete, "startTimeUtc": header.started}],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&sarif).unwrap_or_default();
    text.push('\n');
    text
}

fn rule(requirement: &Requirement) -> Json {
    json!({
        "id": requirement.id,
        "shortDescription": {"text": visible(&requirement.text)},
        "help": {"text": format!("{}\nSource: {}", visible(&requirement.text), visible(&requirement.source))},
        "defaultConfiguration": {"level": level(requirement.level)},
        "properties": {"level": words::level(requirement.level), "tags": [requirement.area]},
    })
}

fn result(report: &Report, requirement: &Requirement, index: Option<usize>) -> Json {
    let mut message = format!("{} {}", visible(&requirement.text), visible(&requirement.trouble_within(MESSAGE)));
    if let Some(failure) = requirement.failures.first() {
        message += &format!("\nrerun: {}", failure.rerun);
    }
    let mut result = json!({
        "ruleId": requirement.id,
        "level": level(requirement.level),
        "message": {"text": message},
        "locations": requirement.place.iter().map(location).collect::<Vec<_>>(),
        "partialFingerprints": {"requirement/v1": requirement.id},
    });
    if let Some(index) = index {
        result["ruleIndex"] = json!(index);
    }
    if let Some(excuse) = report.excuse(requirement) {
        result["suppressions"] = json!([{"kind": "external", "justification": visible(&excuse)}]);
    }
    result
}

fn level(level: Option<Level>) -> &'static str {
    match level {
        Some(Level::Must) => "error",
        Some(Level::Should) => "warning",
        Some(Level::May) | None => "note",
    }
}

fn location(place: &Place) -> Json {
    let artifact = match url::Url::from_file_path(&place.file) {
        Ok(absolute) => json!({"uri": absolute.as_str()}),
        Err(()) => json!({"uri": relative(&place.file), "uriBaseId": "%SRCROOT%"}),
    };
    json!({"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": place.line}}})
}

/// A path as a URI reference.
fn relative(path: &str) -> String {
    let path = path.replace('\\', "/");
    let base = url::Url::from_directory_path(Path::new("/")).ok();
    let joined = base.and_then(|mut base| {
        base.set_path(path.trim_start_matches("./"));
        Some(base.path().strip_prefix('/')?.to_owned())
    });
    joined.unwrap_or(path)
}
