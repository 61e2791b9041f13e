//! `junit.xml`: a suite for each area, a case for each requirement that the run was about.
//!
//! What a test tool shows red is what the gate would hold against the server. A requirement whose
//! level counts is a failure where it was broken, and an error where it is inconclusive or
//! untested. One whose level does not count passes where it was broken, with a note in its output,
//! and is skipped where nothing is known. Skipped requirements are skipped. Probes pass, with what
//! they saw in their output.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use chrono::DateTime;
use quick_junit::{NonSuccessKind, Property, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::model::{Failure, Report, Requirement};
use super::text::visible;
use super::words::{self, Look};
use crate::contract::requirement::Level;
use crate::judge::finding::cut;
use crate::judge::tally::Verdict;

/// How long the line of a failure is: tools show it in lists.
const MESSAGE: usize = 200;
/// How much of a body the output shows.
const BODY: usize = 2000;

/// The report as JUnit XML. Requirements of the levels in `counting` can fail.
pub fn render(report: &Report, counting: &BTreeSet<Level>) -> String {
    let mut junit = Junit::new(format!("probity: {}", report.header.contract.name));
    junit.set_time(Duration::from_millis(report.figures.elapsed_ms));
    let started = DateTime::parse_from_rfc3339(&report.header.started).ok();
    if let Some(started) = started {
        junit.set_timestamp(started);
    }
    let mut areas: BTreeMap<&str, Vec<&Requirement>> = BTreeMap::new();
    for requirement in report.selected() {
        areas.entry(&requirement.area).or_default().push(requirement);
    }
    for (area, requirements) in areas {
        let mut suite = TestSuite::new(area);
        if let Some(started) = started {
            suite.set_timestamp(started);
        }
        suite.add_property(("target", report.header.target.as_str()));
        suite.add_property(("seed", report.header.seed.to_string().as_str()));
        for requirement in requirements {
            let counts = requirement.level.is_some_and(|l| counting.contains(&l));
            suite.add_test_case(case(requirement, counts));
        }
        junit.add_test_suite(suite);
    }
    // Writing to memory: this cannot fail.
    junit.to_string().unwrap_or_default()
}

fn case(requirement: &Requirement, counts: bool) -> TestCase {
    let mut case = TestCase::new(requirement.id.as_str(), status(requirement, counts));
    case.set_classname(requirement.area.as_str());
    for (name, value) in [
        ("level", words::level(requirement.level)),
        ("verdict", requirement.verdict.name()),
        ("source", requirement.source.as_str()),
        ("origin", requirement.origin.as_str()),
    ] {
        case.add_property(Property::new(name, value));
    }
    let out = output(requirement, counts);
    if !out.is_empty() {
        case.set_system_out(out);
    }
    if let Some(failure) = requirement.failures.first() {
        let millis: f64 = failure.exchanges.iter().map(|e| e.elapsed_ms).sum();
        if let Ok(time) = Duration::try_from_secs_f64(millis / 1000.0) {
            case.set_time(time);
        }
    }
    case
}

fn status(requirement: &Requirement, counts: bool) -> TestCaseStatus {
    let kind = match (requirement.verdict, counts) {
        (Verdict::Pass, _) | (Verdict::Fail, false) => return TestCaseStatus::success(),
        (Verdict::Fail, true) => Some(NonSuccessKind::Failure),
        (Verdict::Inconclusive | Verdict::Untested, true) => Some(NonSuccessKind::Error),
        (Verdict::Inconclusive | Verdict::Untested, false) | (Verdict::Skipped, _) => None,
    };
    let reason = requirement.reason.as_deref().unwrap_or_default();
    let Some(kind) = kind else {
        let mut status = TestCaseStatus::skipped();
        status.set_message(format!("{}: {}", requirement.verdict.name(), visible(reason)));
        return status;
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(format!("{}.{}", words::level(requirement.level), requirement.verdict.name()));
    let message = match requirement.failures.first() {
        Some(failure) => format!("expected {}, got {}", failure.expected, failure.actual),
        None => reason.to_owned(),
    };
    status.set_message(cut(&visible(&message), MESSAGE));
    status.set_description(visible(&requirement.text));
    status
}

/// All that the message has no room for.
fn output(requirement: &Requirement, counts: bool) -> String {
    let mut out = String::new();
    if requirement.verdict == Verdict::Fail {
        let look = Look::of(requirement.verdict);
        let _ = writeln!(out, "{} {}: {}", look.symbol, look.word, requirement.text);
        if !counts {
            let level = words::level(requirement.level);
            let _ = writeln!(out, "(a {level} does not count unless --deny {level} says so)");
        }
        let _ = writeln!(out, "source: {} ({})", requirement.source, requirement.origin);
    }
    for failure in &requirement.failures {
        breach(&mut out, failure);
    }
    if requirement.more_failures > 0 {
        let _ = writeln!(out, "\nand {} more", requirement.more_failures);
    }
    for observation in &requirement.observations {
        let value = visible(&observation.value.to_string());
        let _ = writeln!(out, "observed {} ×: {value}", observation.count);
    }
    out
}

fn breach(out: &mut String, failure: &Failure) {
    let _ = writeln!(out, "\ntrial: {}", failure.trial);
    let mut line = |label: &str, text: &str| {
        if !text.is_empty() {
            let _ = writeln!(out, "{label}: {}", visible(&cut(text, BODY)));
        }
    };
    line("tried", &failure.label);
    line("expected", &failure.expected);
    line("actual", &failure.actual);
    for operand in &failure.operands {
        let value = operand.value.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
        line("read", &format!("{} = {value}", operand.path));
    }
    for exchange in &failure.exchanges {
        let request = &exchange.request;
        line("request", &format!("{} {}", request.method, request.url));
        line("body", request.body.as_deref().unwrap_or_default());
        if let Some(response) = &exchange.response {
            line("answer", &response.status.to_string());
            line("body", response.body.as_deref().unwrap_or_default());
        } else if let Some(failure) = &exchange.failure {
            line("answer", &format!("none: {}", failure.message));
        }
    }
    // A command that is cut would send something else.
    for command in failure.curl.iter().filter(|c| c.len() <= BODY) {
        line("curl", command);
    }
    line("rerun", &failure.rerun);
}
