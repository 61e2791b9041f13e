//! What is not known and why, and what was observed.

use std::collections::BTreeMap;

use super::Page;
use crate::judge::tally::Verdict;
use crate::report::model::{Report, Requirement, UnsupportedPart};
use crate::report::text::words::{self, Look};
use crate::report::text::{counted, visible};

/// How many requirements of one reason are named.
const NAMED: usize = 6;
/// How many values of one probe are shown.
const VALUES: usize = 4;
/// On how many lines a value is shown.
const LINES: usize = 4;

pub(crate) fn write(page: &mut Page, report: &Report) {
    if page.full {
        passed(page, report);
    }
    observations(page, report);
    for verdict in [Verdict::Skipped, Verdict::Untested, Verdict::Inconclusive] {
        unknown(page, report, verdict);
    }
    unsupported(page, report);
}

/// What of the document was left out.
fn unsupported(page: &mut Page, report: &Report) {
    let parts = &report.header.contract.unsupported;
    if parts.is_empty() {
        return;
    }
    page.gap();
    let head = page.bold("not supported");
    page.line(&format!("{head}: parts of the document that were left out"));
    let shown = if page.full { parts.len() } else { NAMED };
    for UnsupportedPart { operation, part } in parts.iter().take(shown) {
        page.indented(2, &format!("{operation}: {part}"), LINES);
    }
    if parts.len() > shown {
        page.line(&format!("    and {} more", parts.len() - shown));
    }
}

/// What held, a line each.
fn passed(page: &mut Page, report: &Report) {
    let look = Look::of(Verdict::Pass);
    page.gap();
    let head = page.styled(look.style().bold(), &format!("{} {}", look.symbol, look.word));
    page.line(&format!("{head}: {}", look.meaning));
    for requirement in report.selected().filter(|r| r.verdict == Verdict::Pass && r.level.is_some()) {
        let counts = format!("held {}", counted(requirement.counts.holds, "time"));
        let at_once = match requirement.at_once {
            Some(n) if n > 1 => format!(", up to {n} at once"),
            _ => String::new(),
        };
        page.line(&format!(
            "    {:<6}  {}  ({counts}{at_once})",
            words::level(requirement.level),
            visible(&requirement.id)
        ));
    }
}

/// What differs from the baseline.
pub(crate) fn compared(page: &mut Page, report: &Report) {
    let Some(ruling) = &report.ruling else { return };
    for (title, lines) in [("worse", &ruling.worse), ("better", &ruling.better)] {
        if lines.is_empty() {
            continue;
        }
        page.gap();
        let head = page.bold(title);
        page.line(&format!("{head} than in the baseline"));
        lines.iter().for_each(|line| page.indented(2, line, 2));
    }
}

/// Requirements of one verdict, those with the same reason together.
fn unknown(page: &mut Page, report: &Report, verdict: Verdict) {
    let mut reasons: BTreeMap<&str, Vec<&Requirement>> = BTreeMap::new();
    for requirement in report.selected().filter(|r| r.verdict == verdict) {
        let reason = requirement.reason.as_deref().unwrap_or("no reason was given");
        reasons.entry(reason).or_default().push(requirement);
    }
    if reasons.is_empty() {
        return;
    }
    let look = Look::of(verdict);
    page.gap();
    let head = page.styled(look.style().bold(), &format!("{} {}", look.symbol, look.word));
    page.line(&format!("{head}: {}", look.meaning));
    // Musts first; probes, which have no level, last.
    let weight = |r: &&Requirement| (r.level.is_none(), r.level);
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, requirements)| requirements.iter().map(weight).min());
    for (reason, mut requirements) in reasons {
        page.indented(2, reason, usize::MAX);
        requirements.sort_by_key(weight);
        let named = if page.full { requirements.len() } else { NAMED };
        for requirement in requirements.iter().take(named) {
            let level = words::level(requirement.level);
            page.line(&format!("    {level:<6}  {}", visible(&requirement.id)));
        }
        if requirements.len() > named {
            page.line(&format!("    and {} more", requirements.len() - named));
        }
    }
}

fn observations(page: &mut Page, report: &Report) {
    let mut first = true;
    for probe in report.selected().filter(|r| !r.observations.is_empty()) {
        if first {
            page.gap();
            let head = page.bold("observed");
            let more = if page.full { "" } else { " (-v shows more)" };
            page.line(&format!("{head}: what the contract leaves open, never a failure{more}"));
            first = false;
        }
        if !page.full {
            let values: Vec<String> = probe.observations.iter().map(|o| o.value.to_string()).collect();
            page.indented(2, &format!("{}: {}", probe.id, values.join(", ")), 1);
            continue;
        }
        page.indented(2, &format!("{}: {}", probe.id, probe.text), usize::MAX);
        let shown = if page.full { probe.observations.len() } else { VALUES };
        for observation in probe.observations.iter().take(shown) {
            let times = match observation.count {
                1 => String::new(),
                n => format!("{n} × "),
            };
            page.indented(4, &format!("{times}{}", observation.value), LINES);
        }
        if probe.observations.len() > shown {
            page.line(&format!("    and {} more", probe.observations.len() - shown));
        }
    }
}
