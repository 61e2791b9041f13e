//! The reports of several operations of a document as one.

use std::cmp::Reverse;

use super::merge::{added, figures, gateway_errors, health};
use crate::judge::tally::Verdict;
use crate::report::model::summary::Summary;
use crate::report::model::{Cause, End, Report, Requirement};
use crate::report::text::counted;

/// How many reasons are told why nothing was accepted.
const REASONS: usize = 3;
/// Why something was not tried that had no room.
const USED_UP: &str = "the default budget of this operation was used up: --max-requests N gives each operation more";

/// What was found of one operation.
#[derive(Clone, Debug)]
pub struct Part {
    /// The operation.
    pub operation: String,
    /// What was found.
    pub report: Report,
    /// Why nothing was sent to it, if so.
    pub not_reached: Option<String>,
    /// What came of the credentials that it asks for.
    pub access: Access,
}

/// What came of the credentials that an operation asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// It asks for none, or nothing is known of it.
    #[default]
    Unknown,
    /// They were taken.
    Granted,
    /// They were refused, whatever was sent.
    Denied,
    /// There are none.
    Missing,
}

/// Joins the reports of operations. An operation whose first request was refused was not reached: what was to be tried
/// of it could not be. So is what had no room in a budget that is only the `default`.
///
/// # Panics
/// Without any part.
pub fn joined(mut parts: Vec<Part>, only: Vec<String>, skip: Vec<String>, default: bool) -> Report {
    for part in &mut parts {
        let end = &mut part.report.end;
        // What was met there is known to show nothing.
        let is_explained = part.not_reached.is_some();
        if part.not_reached.is_none() && end.cause == Some(Cause::Refused) {
            part.not_reached = Some(end.reason.clone().unwrap_or_default());
        }
        if !default && end.cause == Some(Cause::MaxRequests) {
            // What a part had of it says nothing to who gave it.
            end.reason = Some("the budget (--max-requests) was not enough for all".to_owned());
        }
        let used_up = default && end.cause == Some(Cause::MaxRequests);
        if used_up {
            *end = End { complete: true, cause: None, reason: None, preflight_failed: false };
        }
        let not_reached = part.not_reached.as_ref().map(|reason| format!("not reached: {reason}"));
        let why = not_reached.or_else(|| used_up.then(|| USED_UP.to_owned()));
        let is_open = |r: &&mut Requirement| {
            r.selected && (r.verdict == Verdict::Untested || is_explained && r.verdict == Verdict::Inconclusive)
        };
        for requirement in part.report.requirements.iter_mut().filter(is_open) {
            let is_idle = requirement.counts.left_out == 0;
            let why = match &why {
                Some(why) => why.clone(),
                // The document may speak of more than these requests could bring about.
                None if is_idle => "no answer of this run shows anything about it".to_owned(),
                None => continue,
            };
            requirement.counts.left_out = 0;
            requirement.verdict = match &requirement.counts {
                counts if counts.unknown > 0 && !is_explained => Verdict::Inconclusive,
                counts if counts.holds > 0 => Verdict::Pass,
                _ => Verdict::Skipped,
            };
            requirement.reason = (requirement.verdict != Verdict::Pass).then_some(why);
        }
    }
    let reports: Vec<(Report, u64)> = parts.iter().map(|part| (part.report.clone(), 0)).collect();
    let mut requirements: Vec<_> = parts.iter().flat_map(|part| part.report.requirements.clone()).collect();
    requirements.sort_by(|a, b| a.id.cmp(&b.id));
    let figures = figures(&reports);
    // Few of each operation may be too many of all.
    requirements.iter_mut().for_each(|requirement| gateway_errors(requirement, &figures));
    let end = end(&parts);
    let first = &parts[0].report;
    let mut header = first.header.clone();
    header.options.only = only;
    header.options.skip = skip;
    header.options.max_requests = parts.iter().map(|part| part.report.header.options.max_requests).sum();
    header.contract.operations = parts.iter().map(|part| part.operation.clone()).collect();
    let missing = parts.iter().filter(|part| part.not_reached.is_some() && part.report.selected().next().is_some());
    header.contract.not_reached = missing.map(|part| part.operation.clone()).collect();
    let unsupported = parts.iter().flat_map(|part| part.report.header.contract.unsupported.clone());
    header.contract.unsupported = unsupported.collect();
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
        figures,
        health: health(&reports),
        end,
        ruling: None,
        cleanup: None,
    }
}

impl Part {
    /// Adds what was found of requirements of the operation after its own run.
    pub fn add(&mut self, later: Report) {
        for found in later.requirements.into_iter().filter(|r| r.selected) {
            let Some(own) = self.report.requirements.iter_mut().find(|r| r.id == found.id) else { continue };
            *own = match own.selected && own.verdict != Verdict::Untested {
                true => added(vec![own.clone(), found]),
                false => found,
            };
        }
    }
}

fn end(parts: &[Part]) -> End {
    let accepted: u64 = parts.iter().map(|part| part.report.figures.accepted).sum();
    let ended = parts.iter().filter(|part| part.not_reached.is_none()).find(|part| !part.report.end.complete);
    let has_failed = parts.iter().flat_map(|part| part.report.selected()).any(|r| r.verdict == Verdict::Fail);
    if accepted == 0 {
        return End {
            complete: false,
            cause: Some(ended.and_then(|part| part.report.end.cause).unwrap_or(Cause::Refused)),
            reason: Some(format!("no operation accepted a request: {}", reasons(parts))),
            preflight_failed: !has_failed || ended.is_some_and(is_away),
        };
    }
    let asked = || parts.iter().filter(|part| part.report.selected().next().is_some());
    let without: Vec<Part> =
        asked().filter(|part| [Access::Denied, Access::Missing].contains(&part.access)).cloned().collect();
    match ended {
        // What is open to everybody says nothing of the rest.
        _ if !without.is_empty() && !asked().any(|part| part.access == Access::Granted) => End {
            complete: false,
            cause: Some(Cause::Token),
            reason: Some(format!("no operation that asks for credentials was reached: {}", reasons(&without))),
            preflight_failed: false,
        },
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

/// Whether a part ended because nobody serves there.
fn is_away(part: &Part) -> bool {
    [Cause::Unreachable, Cause::Unwell].map(Some).contains(&part.report.end.cause)
}

/// Why nothing was accepted: what servers answered first, then what was not sent, each with the number of operations.
fn reasons(parts: &[Part]) -> String {
    let mut all: Vec<(bool, String, u64)> = Vec::new();
    for part in parts {
        let Some(why) = part.not_reached.clone().or_else(|| part.report.end.reason.clone()) else { continue };
        let is_unsent = part.report.figures.requests == 0;
        match all.iter_mut().find(|(_, known, _)| *known == why) {
            Some((.., count)) => *count += 1,
            None => all.push((is_unsent, why, 1)),
        }
    }
    all.sort_by_key(|(is_unsent, _, count)| (*is_unsent, Reverse(*count)));
    let more = all.len().saturating_sub(REASONS);
    let shown = all.into_iter().take(REASONS);
    let mut lines: Vec<String> =
        shown.map(|(_, why, count)| format!("{}: {why}", counted(count, "operation"))).collect();
    if more > 0 {
        lines.push(format!("and {}", counted(more as u64, "other reason")));
    }
    lines.join("; ")
}
