//! `report.html`: one file for people, which works without a network and without script.
//!
//! - [`view`]: requirements, failures and exchanges as they are shown
//! - [`body`]: bodies on lines
//! - [`charts`], [`timeline`]: pictures and their numbers
//! - [`embed`]: exchanges as JSON, shown on demand
//!
//! The templates escape whatever they are given. What a server sent is text wherever it stands, and a
//! Content-Security-Policy lets nothing run but the script of the page itself.

pub(crate) mod body;
mod charts;
mod embed;
mod timeline;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use askama::Template;
use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use crate::judge::tally::Verdict;
use crate::report::EXCHANGES;
use crate::report::log::exchanges;
use crate::report::model::{self, EMBEDDED_TARGET, Exchange, Failure, Report, Ruling, Weight};
use crate::report::text::words::LOOKS;
use crate::report::text::{self, counted, listed, seconds, visible};
use charts::Point;
use view::{Own, Requirement};

/// The style of every page.
pub(crate) const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// How many failures are open when the page is; the others are a line each, until they are asked for.
const OPEN: usize = 5;

/// The page of a run.
#[derive(Template)]
#[template(path = "page.html", config = "src/report/format/html/askama.toml")]
struct Page<'a> {
    report: &'a Report,
    good: bool,
    sentence: String,
    /// What was tested against what, in a line.
    about: String,
    facts: Vec<(&'static str, String)>,
    unproven: Vec<String>,
    /// Verdict, and reasons with the requirements that have them.
    unknown: Vec<(crate::report::text::words::Look, BTreeMap<String, Vec<String>>)>,
    /// What failed, the most harmful first; those of one cause under one of them.
    failed: Vec<Requirement>,
    /// What probably failed for one of these causes.
    also_failed: Vec<Requirement>,
    /// What waivers and a baseline make of the run: a title, and a line each.
    compared: Vec<(&'static str, Vec<String>)>,
    areas: Vec<(String, Vec<Requirement>)>,
    levels: Vec<charts::Level>,
    glance: charts::Glance,
    latencies: Vec<charts::Bucket>,
    timeline: Option<timeline::Timeline>,
    fields: Vec<charts::Field>,
    embedded: embed::Embedded,
}

impl Page<'_> {
    /// How many answers there were.
    fn answered(&self) -> u64 {
        self.latencies.iter().map(|bucket| bucket.answered).sum()
    }

    /// What failed and is a line each until it is asked for, under titles.
    fn folded(&self) -> Vec<(&'static str, &[Requirement])> {
        let others = self.failed.get(OPEN..).unwrap_or_default();
        let all = [("The others", others), ("Also failed, probably for one of these causes", &self.also_failed)];
        all.into_iter().filter(|(_, all)| !all.is_empty()).collect()
    }

    /// Whether the run met something that pictures of times show: lost answers, limits, requests that were sent again.
    fn is_eventful(&self) -> bool {
        let figures = &self.report.figures;
        let lost = self.timeline.as_ref().is_some_and(|t| !t.unanswered.is_empty());
        lost || figures.waited_ms > 0 || figures.retries > 0 || figures.unsteady().is_some()
    }
}

/// The report as a page, a pure function of report and exchanges. The exchanges come in the order of the file; the
/// first of them are embedded.
pub fn render(report: &Report, all: impl Iterator<Item = Exchange>) -> String {
    let last = |f: &Failure| f.exchanges.last().map(|e| e.number);
    let failing: BTreeSet<u64> = report.requirements.iter().flat_map(|r| &r.failures).filter_map(last).collect();
    let (mut own, mut points) = (Own::new(), Vec::new());
    let mut embedded = embed::Embedded::new(report.figures.requests);
    for exchange in all {
        view::note_own(&mut own, &exchange);
        points.push(Point::of(&exchange, failing.contains(&exchange.number)));
        embedded.add(&exchange, &report.header.variables);
    }
    embedded.finish();
    let mut areas: Vec<(String, Vec<Requirement>)> = Vec::new();
    for requirement in report.selected().map(|r| Requirement::of(r, report, &own)) {
        match areas.last_mut().filter(|(area, _)| *area == requirement.area) {
            Some((_, all)) => all.push(requirement),
            None => areas.push((requirement.area.clone(), vec![requirement])),
        }
    }
    let of = |all: Vec<&model::Requirement>| all.into_iter().map(|r| Requirement::of(r, report, &own)).collect();
    let (heads, below) = failed(report);
    let page = Page {
        report,
        good: report.ruling.as_ref().is_some_and(Ruling::is_good),
        sentence: visible(report.ruling.as_ref().map_or("No gate has judged this run.", |r| &r.sentence)),
        about: about(report),
        facts: facts(report),
        unproven: unproven(report),
        unknown: unknown(report),
        failed: of(heads),
        also_failed: of(below),
        compared: compared(report),
        areas,
        levels: charts::levels(report),
        glance: charts::glance(report),
        latencies: charts::latencies(&points),
        timeline: timeline::timeline(&points, report.figures.waited_ms > 0, report.header.options.rate_ms),
        fields: charts::coverage(report),
        embedded,
    };
    // Writing to memory: this cannot fail.
    page.render().unwrap_or_default()
}

/// The page of a report in a folder, with the exchanges that lie beside it, if there are any.
///
/// # Errors
/// The exchanges cannot be read.
pub fn of_folder(report: &Report, folder: &Path) -> io::Result<String> {
    let all: Vec<Exchange> = match exchanges::read(&folder.join(EXCHANGES)) {
        Ok(all) => all.collect::<io::Result<_>>()?,
        // A report that was joined, or made from elsewhere's traffic, has none.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok(render(report, all.into_iter()))
}

/// The policy that lets the style and the script of pages be, and nothing else.
pub(crate) fn policy() -> String {
    let hash = |text: &str| base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// What was tested against what, in a line.
fn about(report: &Report) -> String {
    let (header, figures) = (&report.header, &report.figures);
    let began = header.started.get(..16).unwrap_or(&header.started).replace('T', " ");
    let (requests, took) = (counted(figures.requests, "request"), seconds(figures.elapsed_ms));
    visible(&format!(
        "{} of {}; {began} UTC, {requests} in {took}, seed {}",
        header.contract.subject(),
        header.target,
        header.seed
    ))
}

/// What was run against what.
fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let (header, figures) = (&report.header, &report.figures);
    let contract = &header.contract;
    let total: u64 = LOOKS.iter().map(|look| report.summary.total(look.verdict)).sum();
    let mut tested = format!("{} of {}", report.summary.tested(), counted(total, "requirement"));
    let probes = &report.summary.probe;
    if probes.total() > 0 {
        tested += &format!(", {} of {}", probes.tested(), counted(probes.total(), "probe"));
    }
    let mut requests = format!("{}, {} of them accepted", counted(figures.requests, "request"), figures.accepted);
    if figures.retries > 0 {
        requests += &format!(", {} sent again", figures.retries);
    }
    if let Some(unsteady) = figures.unsteady() {
        requests += &format!("; {unsteady}");
    }
    let mut took = seconds(figures.elapsed_ms);
    if figures.waited_ms > 0 {
        took += &format!(", {} of it waiting as the server asked", seconds(figures.waited_ms));
    }
    if let Some(limit) = figures.limit() {
        took += &format!("; {limit}");
    }
    let mut created = counted(figures.created, "record");
    if figures.uncertain > 0 {
        created += &format!(", and perhaps {} more", figures.uncertain);
    }
    if let Some(cleanup) = &report.cleanup {
        created += &format!("; {} removed, {} left", cleanup.removed, cleanup.left.len());
    }
    let mut facts = vec![
        ("operation", contract.subject()),
        ("target", header.target.clone()),
        ("contract", format!("{} ({}), hash {}", contract.name, contract.document, prefix(&contract.hash))),
        ("tested", tested),
        ("requests", requests),
        ("created", created),
        ("began", header.started.clone()),
        ("took", took),
        ("seed", header.seed.to_string()),
        ("run tag", header.run_tag.clone()),
        ("program", format!("{} {}", header.tool.name, header.tool.version)),
    ];
    for (name, patterns) in [("only", &header.options.only), ("skipped", &header.options.skip)] {
        if !patterns.is_empty() {
            facts.push((name, patterns.join(", ")));
        }
    }
    if header.options.insecure {
        facts.push(("insecure", "any certificate was accepted".to_owned()));
    }
    if let Some(clock) = &figures.clock {
        facts.push(("clock", format!("the server's minus ours: {} to {} ms", clock.low_ms, clock.high_ms)));
    }
    facts.iter_mut().for_each(|(_, text)| *text = visible(text));
    facts
}

fn prefix(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// What even a green run does not prove.
fn unproven(report: &Report) -> Vec<String> {
    let figures = &report.figures;
    let mut all = vec![format!(
        "Requests that were not sent. {} are a sample, chosen with care and with chance.",
        counted(figures.requests, "request")
    )];
    if report.header.target == EMBEDDED_TARGET {
        all.push("Any server of yours: the target was the embedded reference server of probity.".to_owned());
    }
    let of = |verdict| report.selected().filter(|r| r.verdict == verdict).count() as u64;
    let gaps = [Verdict::Inconclusive, Verdict::Skipped, Verdict::Untested].map(|v| (of(v), v.name()));
    let gaps = gaps.into_iter().chain([(report.summary.not_selected, "not asked for")]);
    let gaps: Vec<String> = gaps.filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if !gaps.is_empty() {
        all.push(format!("The requirements that were not tested: {}.", listed(&gaps)));
    }
    let operations = &report.header.contract.operations;
    let stored = match operations.is_empty() {
        true => "That anything was stored, except where a requirement reads it back.",
        // What is read back is a requirement by itself.
        false => "What the document does not state: rules between fields, values that are echoed, repeated requests.",
    };
    all.extend(
        [
            "Other callers, tenants and records than those that the settings provide.",
            stored,
            "Anything after the run: it says what this server did then.",
            "What the contract leaves open. Probes record what the server does there; that is never judged.",
            "That the contract is what its author meant. It is one reading; each requirement names its source.",
            "That the server is secure or fast. Both are seen from outside only, and times are not judged.",
        ]
        .map(str::to_owned),
    );
    all
}

/// What failed, and what probably failed for the cause of one of these.
fn failed(report: &Report) -> (Vec<&model::Requirement>, Vec<&model::Requirement>) {
    let all = report.failed();
    // What is put up with excuses nothing else, and is told last.
    let excused = |r: &model::Requirement| report.weight(r).is_put_up_with();
    let has_head = |r: &model::Requirement| all.iter().any(|h| r.cause.as_ref() == Some(&h.id) && !excused(h));
    let (below, mut heads): (Vec<_>, Vec<_>) = all.iter().copied().partition(|r| has_head(r));
    heads.sort_by_key(|r| excused(r));
    (heads, below)
}

/// What waivers and a baseline make of the run.
fn compared(report: &Report) -> Vec<(&'static str, Vec<String>)> {
    let Some(ruling) = &report.ruling else { return Vec::new() };
    let waived = report.selected().filter(|r| matches!(report.weight(r), Weight::Waived { .. }));
    let waived = waived.filter_map(|r| Some(format!("{}: {}, {}", r.id, r.verdict.name(), report.excuse(r)?)));
    let all = [
        ("Waivers that are out of date", ruling.stale.clone()),
        ("Worse than in the baseline", ruling.worse.clone()),
        ("Better than in the baseline", ruling.better.clone()),
        ("Waived", waived.collect()),
    ];
    all.into_iter().filter(|(_, lines)| !lines.is_empty()).collect()
}

/// What is not known, by verdict and reason.
fn unknown(report: &Report) -> Vec<(crate::report::text::words::Look, BTreeMap<String, Vec<String>>)> {
    let looks = LOOKS.iter().filter(|l| !matches!(l.verdict, Verdict::Pass | Verdict::Fail));
    let group = |look: &crate::report::text::words::Look| {
        let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for requirement in report.selected().filter(|r| r.verdict == look.verdict) {
            let reason = requirement.reason.as_deref().unwrap_or("no reason was given");
            reasons.entry(visible(reason)).or_default().push(requirement.id.clone());
        }
        (*look, reasons)
    };
    looks.map(group).filter(|(_, reasons)| !reasons.is_empty()).collect()
}

#[cfg(test)]
mod tests;
