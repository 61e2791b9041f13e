//! `junit.xml`: a suite for each area, a case for each requirement that the run was about.
//!
//! What a test tool shows red is what the gate holds against the server: a requirement that counts is a failure where
//! it was broken, and an error where it is inconclusive or untested. What did not hold and is put up with (its level
//! does not count, it is waived, it was so in the baseline) is skipped, saying so; so is what cannot be tried. Probes
//! pass, with what they saw in their output. Where the gate is red for something that no requirement shows, a suite
//! `run` says it.
//!
//! A failure's text is short, as tools show it in lists and comments: what was due, what came, how to see it again. All
//! else is in the case's output.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use chrono::DateTime;
use quick_junit::{NonSuccessKind, Property, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use crate::exchange::excerpt::cut_apart;
use crate::judge::finding::cut;
use crate::judge::tally::Verdict;
use crate::report::model::ruling::RUN;
use crate::report::model::{Failure, Report, Requirement, Ruling};
use crate::report::text::marked::marked;
use crate::report::text::words::{self, Look};
use crate::report::text::{evidence, visible};

/// How long a line of a failure is: tools show it in lists.
const LINE: usize = 200;
/// How much of a body the output shows.
const BODY: usize = 2000;

/// The report as JUnit XML.
pub fn render(report: &Report) -> String {
    let mut junit = Junit::new(format!("probity: {}", report.header.contract.name));
    junit.set_time(Duration::from_millis(report.figures.elapsed_ms));
    let started = DateTime::parse_from_rfc3339(&report.header.started).ok();
    if let Some(started) = started {
        junit.set_timestamp(started);
    }
    let mut areas: BTreeMap<&str, Vec<TestCase>> = BTreeMap::new();
    for requirement in report.selected() {
        areas.entry(requirement.group()).or_default().push(case(report, requirement));
    }
    if let Some(ruling) = report.red_beside_requirements() {
        areas.entry(RUN).or_default().push(run(report, ruling));
    }
    for (area, cases) in areas {
        let mut suite = TestSuite::new(area);
        if let Some(started) = started {
            suite.set_timestamp(started);
        }
        suite.add_property(("target", report.header.target.as_str()));
        suite.add_property(("seed", report.header.seed.to_string().as_str()));
        suite.add_test_cases(cases);
        junit.add_test_suite(suite);
    }
    // Writing to memory: this cannot fail.
    let xml = junit.to_string().unwrap_or_default();
    // Of what the writer lets through, these two are no characters of XML.
    xml.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

/// What tools group by: package, dot, class.
fn class(report: &Report, area: &str) -> String {
    format!("{}.{area}", report.header.contract.name)
}

fn case(report: &Report, requirement: &Requirement) -> TestCase {
    let mut case = TestCase::new(requirement.id.as_str(), status(report, requirement));
    case.set_classname(class(report, requirement.group()));
    if let Some(place) = &requirement.place {
        case.extra.insert("file".into(), place.file.as_str().into());
        case.extra.insert("line".into(), place.line.to_string().into());
    }
    for (name, value) in [
        ("level", words::level(requirement.level)),
        ("verdict", requirement.verdict.name()),
        ("source", requirement.source.as_str()),
        ("origin", requirement.origin.as_str()),
    ] {
        case.add_property(Property::new(name, value));
    }
    let out = output(report, requirement);
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

fn status(report: &Report, requirement: &Requirement) -> TestCaseStatus {
    let kind = match requirement.verdict {
        Verdict::Pass => return TestCaseStatus::success(),
        Verdict::Skipped => None,
        Verdict::Fail => Some(NonSuccessKind::Failure),
        Verdict::Inconclusive | Verdict::Untested => Some(NonSuccessKind::Error),
    };
    let word = requirement.verdict.name();
    let message = requirement.trouble_within(LINE);
    let Some(kind) = kind.filter(|_| report.is_red(requirement)) else {
        let mut status = TestCaseStatus::skipped();
        let excuse = report.excuse(requirement).map_or_else(String::new, |excuse| format!(", {excuse}"));
        status.set_message(visible(&format!("{word}{excuse}: {message}")));
        return status;
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(format!("{}.{word}", words::level(requirement.level)));
    status.set_message(visible(&message));
    let mut text = visible(&requirement.text);
    if let Some(failure) = requirement.failures.first() {
        let (expected, actual) = cut_apart(&failure.expected, &failure.actual, LINE);
        for (label, value) in [("expected", expected), ("actual", actual)] {
            let _ = write!(text, "\n{label}: {}", visible(&value));
        }
        let _ = write!(text, "\nrerun: {}", failure.rerun);
    }
    status.set_description(text);
    status
}

/// What makes the gate red beside the requirements.
fn run(report: &Report, ruling: &Ruling) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(RUN);
    status.set_message(cut(&visible(&ruling.sentence), LINE));
    let lines = [&ruling.sentence].into_iter().chain(&ruling.stale).map(|line| visible(line));
    status.set_description(lines.collect::<Vec<_>>().join("\n"));
    let mut case = TestCase::new(RUN, status);
    case.set_classname(class(report, RUN));
    case
}

/// All that the message has no room for.
fn output(report: &Report, requirement: &Requirement) -> String {
    let mut out = String::new();
    if requirement.verdict == Verdict::Fail {
        let look = Look::of(requirement.verdict);
        let _ = writeln!(out, "{} {}: {}", look.symbol, look.word, requirement.text);
        if let Some(excuse) = report.excuse(requirement) {
            let _ = writeln!(out, "({})", visible(&excuse));
        }
        let _ = writeln!(out, "source: {} ({})", requirement.source, requirement.origin);
        let _ = writeln!(out, "evidence: {}", evidence::words(requirement));
    }
    for failure in &requirement.failures {
        counterexample(&mut out, failure);
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

fn counterexample(out: &mut String, failure: &Failure) {
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
    for (i, exchange) in failure.exchanges.iter().enumerate() {
        let request = &exchange.request;
        line("exchange", &exchange.number.to_string());
        line("request", &format!("{} {}", request.method, request.url));
        line("body", request.body.as_deref().unwrap_or_default());
        if let Some(response) = &exchange.response {
            line("answer", &response.status.to_string());
            // The last one failed.
            let wrong = failure.wrong.as_deref().filter(|_| i + 1 == failure.exchanges.len());
            line("body", &marked(response.body.as_deref().unwrap_or_default(), wrong, BODY - 100));
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
