//! The reports of several operations of a document as one.

use super::merge::{figures, health};
use crate::contract::requirement::Level;
use crate::judge::tally::Verdict;
use crate::report::model::summary::Summary;
use crate::report::model::{Cause, End, Report, Requirement};
use crate::report::text::{counted, listed};

/// What was found of one operation.
#[derive(Clone, Debug)]
pub struct Part {
    /// The operation.
    pub operation: String,
    /// What was found.
    pub report: Report,
    /// Why nothing was sent to it, if so.
    pub not_reached: Option<String>,
}

/// Joins the reports of operations. An operation whose first request was refused was not reached: what was to be tried
/// of it could not be.
///
/// # Panics
/// Without any part.
pub fn joined(mut parts: Vec<Part>, only: Vec<String>, skip: Vec<String>) -> Report {
    for part in &mut parts {
        if part.not_reached.is_none() && part.report.end.cause == Some(Cause::Refused) {
            let reason = part.report.end.reason.clone().unwrap_or_default();
            for requirement in part.report.requirements.iter_mut().filter(|r| r.selected) {
                if requirement.verdict == Verdict::Untested {
                    requirement.verdict = Verdict::Skipped;
                    requirement.counts.left_out = 0;
                    requirement.reason = Some(format!("not reached: {reason}"));
                }
            }
            part.not_reached = Some(reason);
        }
        let is_idle = |r: &&mut Requirement| r.selected && r.verdict == Verdict::Untested && r.counts.left_out == 0;
        for requirement in part.report.requirements.iter_mut().filter(is_idle) {
            // The document may speak of more than these requests could bring about.
            requirement.verdict = Verdict::Skipped;
            requirement.reason = Some("no answer of this run shows anything about it".to_owned());
        }
    }
    let reports: Vec<(Report, u64)> = parts.iter().map(|part| (part.report.clone(), 0)).collect();
    let mut requirements: Vec<_> = parts.iter().flat_map(|part| part.report.requirements.clone()).collect();
    requirements.sort_by(|a, b| a.id.cmp(&b.id));
    let end = end(&parts);
    let first = &parts[0].report;
    let mut header = first.header.clone();
    header.options.only = only;
    header.options.skip = skip;
    header.options.max_requests = parts.iter().map(|part| part.report.header.options.max_requests).sum();
    header.contract.operations = parts.iter().map(|part| part.operation.clone()).collect();
    if parts.len() > 1 {
        for own in [&mut header.contract.operation_id, &mut header.contract.method, &mut header.contract.path] {
            own.clear();
        }
    }
    Report {
        version: first.version,
        header,
        summary: Summary::of(&requirements),
        requirements,
        figures: figures(&reports),
        health: health(&reports),
        end,
        ruling: None,
        cleanup: None,
    }
}

fn end(parts: &[Part]) -> End {
    let asked = || parts.iter().filter(|part| part.report.selected().any(|r| r.level == Some(Level::Must)));
    let accepted: u64 = parts.iter().map(|part| part.report.figures.accepted).sum();
    let ended = parts.iter().filter(|part| part.not_reached.is_none()).find(|part| !part.report.end.complete);
    if accepted == 0 {
        let mut reasons: Vec<String> = Vec::new();
        // What was called for the sake of others may tell, too.
        for part in asked().chain(parts) {
            let why = part.not_reached.clone().or_else(|| part.report.end.reason.clone());
            reasons.extend(why.filter(|why| !reasons.contains(why)));
        }
        reasons.truncate(3);
        return End {
            complete: false,
            cause: Some(ended.and_then(|part| part.report.end.cause).unwrap_or(Cause::Refused)),
            reason: Some(format!("no operation accepted a request: {}", listed(&reasons))),
            preflight_failed: true,
        };
    }
    match ended {
        None => End { complete: true, cause: None, reason: None, preflight_failed: false },
        Some(part) => {
            let others = parts.iter().filter(|p| p.not_reached.is_none() && !p.report.end.complete).count() as u64 - 1;
            let more = if others > 0 {
                format!(" (and so for {})", counted(others, "other operation"))
            } else {
                String::new()
            };
            End {
                complete: false,
                cause: part.report.end.cause,
                reason: part.report.end.reason.as_ref().map(|reason| format!("{}: {reason}{more}", part.operation)),
                preflight_failed: false,
            }
        }
    }
}
