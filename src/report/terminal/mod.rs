//! The summary on a terminal: what was run, a table, figures, what was observed, what is not known, the failures, a line of
//! verdict, a line of reports. What matters most comes last, where it is read first.
//!
//! - [`table`]: verdicts by area and by level
//! - [`failures`]: what was broken, with all that it takes to see it again
//! - [`notes`]: what is not known, and what was observed
//! - [`replayed`]: what came of sending requests of a report again

pub(crate) mod failures;
pub(crate) mod notes;
pub mod progress;
pub(crate) mod table;

use std::path::PathBuf;

use anstyle::{AnsiColor, Color, Style};

use super::model::{Cleanup, ClockDifference, EMBEDDED_TARGET, Figures, Report};
use super::text::{counted, fit, seconds, visible, wrap};
use super::{EXCHANGES, PAGE, REPORT};
use crate::judge::tally::Verdict;
use crate::report::text::curl::plain_or_quoted;
use crate::report::text::words::{LOOKS, Look};

/// How the summary is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether in colour.
    pub color: bool,
    /// How many columns there are; less than 80 are taken for 80, more than 200 for 200.
    pub width: usize,
    /// Whether every failure and every list is shown to its end.
    pub full: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { color: false, width: 80, full: false }
    }
}

/// The whole summary, with a line feed at the end. `files` are the files of the report; none where none were written.
pub fn render(report: &Report, files: &[PathBuf], options: &Options) -> String {
    let mut page = Page::new(options);
    header(&mut page, report);
    if !report.end.preflight_failed {
        table::write(&mut page, report);
    }
    figures(&mut page, report);
    if !report.end.preflight_failed {
        notes::write(&mut page, report);
        notes::compared(&mut page, report);
        failures::write(&mut page, report);
    }
    footer(&mut page, report, files);
    page.out
}

/// How many records that could not be removed are named.
const LEFT_SHOWN: usize = 10;

/// The last lines of the summary alone: the verdict, and where the reports are.
pub fn ending(report: &Report, files: &[PathBuf], options: &Options) -> String {
    let mut page = Page::new(options);
    footer(&mut page, report, files);
    if report.header.target == EMBEDDED_TARGET {
        page.text("tested: the embedded reference server");
    }
    page.out.trim_start().to_owned()
}

/// All that there is to say of one requirement that was broken or is not known, without colour.
pub fn one(requirement: &super::model::Requirement) -> String {
    let mut page = Page::new(&Options::default());
    failures::one(&mut page, requirement);
    if let Some(reason) = &requirement.reason {
        page.indented(2, reason, usize::MAX);
    }
    page.out
}

fn header(page: &mut Page, report: &Report) {
    let header = &report.header;
    let (tool, contract) = (&header.tool, &header.contract);
    page.text(&format!("{} {}: {}", tool.name, tool.version, contract.name));
    page.text(&contract.subject());
    let part = header.options.shard.map_or_else(String::new, |shard| format!(", part {shard} of a run"));
    page.text(&match header.options.recorded {
        true => format!("recorded in {}", header.target),
        false => format!("target {}, seed {}, run tag {}{part}", header.target, header.seed, header.run_tag),
    });
}

/// How many there were of everything.
fn figures(page: &mut Page, report: &Report) {
    let (summary, figures) = (&report.summary, &report.figures);
    page.gap();
    let counts: Vec<String> = LOOKS
        .iter()
        .map(|look| (look, summary.total(look.verdict)))
        .filter(|(_, count)| *count > 0)
        .map(|(look, count)| format!("{count} {}", look.word))
        .collect();
    let total = LOOKS.iter().map(|look| summary.total(look.verdict)).sum();
    let mut line = counted(total, "requirement");
    if !counts.is_empty() {
        line += &format!(": {}", counts.join(", "));
    }
    if summary.probe.total() > 0 {
        line += &format!("; {}", counted(summary.probe.total(), "probe"));
    }
    if summary.not_selected > 0 {
        let why = if report.header.options.quick { "left out of this quick check" } else { "not asked for" };
        line += &format!("; {} {why}", summary.not_selected);
    }
    page.text(&line);
    cost(page, figures);
    if !report.end.preflight_failed {
        waited(page, figures);
        answered(page, figures);
        page.text(&clock(figures.clock.as_ref()));
    }
    report.cleanup.iter().for_each(|cleaned| cleanup(page, cleaned));
}

/// How long answers took.
fn answered(page: &mut Page, figures: &Figures) {
    let Some(latency) = &figures.latency else { return };
    let of = |what: &str, millis: f64| format!("{what} {} ms", round(millis));
    let quantiles =
        [("p50", latency.p50_ms), ("p90", latency.p90_ms), ("p99", latency.p99_ms), ("max", latency.max_ms)];
    page.text(&format!("answered in {}", quantiles.map(|(what, millis)| of(what, millis)).join(", ")));
    if page.full && !figures.slowest.is_empty() {
        let slowest: Vec<String> =
            figures.slowest.iter().map(|s| format!("{} {} ms", s.requirement, round(s.max_ms))).collect();
        page.text(&format!("slowest: {}", slowest.join(", ")));
    }
}

/// The verdict in a line, and the reports in a line: whole, so that each says all by itself in a log.
fn footer(page: &mut Page, report: &Report, files: &[PathBuf]) {
    page.gap();
    if let Some(ruling) = &report.ruling {
        ruling.stale.iter().for_each(|line| page.indented(2, line, usize::MAX));
        let (color, look) = match ruling.is_good() {
            true => (AnsiColor::Green, Look::of(Verdict::Pass)),
            false => (AnsiColor::Red, Look::of(Verdict::Fail)),
        };
        let style = Style::new().bold().fg_color(Some(Color::Ansi(color)));
        let line = page.styled(style, &format!("{} {}", look.symbol, visible(&ruling.sentence)));
        page.line(&line);
    }
    if let Some(line) = reports(files) {
        page.line(&line);
    }
    let exchanges = files.iter().find(|f| f.ends_with(EXCHANGES)).and_then(|f| f.parent());
    let header = &report.header;
    let is_open = !report.failed().is_empty() && !report.end.preflight_failed && !header.options.recorded;
    if let Some(folder) = exchanges.filter(|_| is_open && header.contract.operations.len() > 1) {
        let file = folder.join(REPORT).display().to_string();
        page.line(&format!("to try the failures again: {} --rerun-failed {}", header.command, plain_or_quoted(&file)));
    }
    if let Some(folder) = exchanges.filter(|_| is_open && header.contract.operations.len() < 2) {
        // In the folder that is its default, the command needs none. What the embedded server was, it knows.
        let folder = folder.display().to_string();
        let folder = if folder == "reports" { String::new() } else { format!(" {}", plain_or_quoted(&folder)) };
        let words = match header.target == EMBEDDED_TARGET {
            true => contract_of(&header.command),
            false => header.command.strip_prefix("probity check").unwrap_or_default().to_owned(),
        };
        page.line(&format!("to replay the failures: probity replay{folder}{words}"));
    }
}

/// The option of a command that names its contract.
fn contract_of(command: &str) -> String {
    let words = shlex::split(command).unwrap_or_default();
    let folder = words.iter().skip_while(|word| *word != "--contract").nth(1);
    folder.map_or_else(String::new, |folder| format!(" --contract {}", plain_or_quoted(folder)))
}

/// The files of the report: that for people first, whole, the others by their names.
fn reports(files: &[PathBuf]) -> Option<String> {
    let first = files.iter().find(|f| f.ends_with(PAGE)).or(files.first())?;
    // What is written while a run goes on is for programs: it is named by its kind.
    let is_log = |f: &&PathBuf| f.extension().is_some_and(|e| e == "ndjson");
    let others = files.iter().filter(|f| *f != first);
    let names =
        others.clone().filter(|f| !is_log(f)).filter_map(|f| Some(f.file_name()?.to_string_lossy().into_owned()));
    let logs = others.clone().find(is_log).map(|_| "*.ndjson".to_owned());
    let names: Vec<String> = names.chain(logs).collect();
    let beside = if names.is_empty() { String::new() } else { format!(" (beside it: {})", names.join(", ")) };
    Some(visible(&format!("reports: {}{beside}", first.display())))
}

/// What was sent, and what that created.
pub(crate) fn cost(page: &mut Page, figures: &Figures) {
    let mut line = format!("{} in {}", counted(figures.requests, "request"), seconds(figures.elapsed_ms));
    if figures.retries > 0 {
        line += &format!(", {} of them sent again", figures.retries);
    }
    if figures.accepted > 0 {
        line += &format!("; {} created", counted(figures.created, "record"));
    }
    if figures.uncertain > 0 {
        line += &format!(", and perhaps {} more", figures.uncertain);
    }
    page.text(&line);
}

pub(crate) fn waited(page: &mut Page, figures: &Figures) {
    if figures.waited_ms > 0 {
        let waited = seconds(figures.waited_ms);
        page.text(&format!("the server asked us to wait: {waited} in all"));
    }
    figures.limit().into_iter().chain(figures.unsteady()).for_each(|line| page.text(&line));
}

/// What came of removing what was created.
pub(crate) fn cleanup(page: &mut Page, cleanup: &Cleanup) {
    page.text(&format!("clean-up: {} removed, {} left", counted(cleanup.removed, "record"), cleanup.left.len()));
    for left in cleanup.left.iter().take(LEFT_SHOWN) {
        let id = left.id.as_deref().unwrap_or("a record without a known id");
        page.indented(2, &format!("{id} (run tag {}, {}): {}", left.run_tag, left.trial, left.reason), usize::MAX);
    }
    if cleanup.left.len() > LEFT_SHOWN {
        page.indented(2, "and more: see created.ndjson", usize::MAX);
    }
}

/// How well the server's time is known: what lies nearer to the present instant is left open.
fn clock(difference: Option<&ClockDifference>) -> String {
    let Some(ClockDifference { low_ms, high_ms }) = difference else {
        return "the server's clock is not known; ours is used, give or take 10 minutes".to_owned();
    };
    let side = |ms: i64| {
        let distance = match ms.unsigned_abs() {
            ms @ 0..1000 => format!("{ms} ms"),
            ms => seconds(ms),
        };
        format!("{distance} {}", if ms < 0 { "behind" } else { "ahead" })
    };
    format!("the server's clock: {} to {} of ours", side(*low_ms), side(*high_ms))
}

/// Milliseconds with as many digits as matter.
fn round(millis: f64) -> String {
    if millis < 10.0 { format!("{millis:.1}") } else { format!("{millis:.0}") }
}

/// What is written, line by line.
pub(crate) struct Page {
    pub(crate) out: String,
    pub(crate) color: bool,
    pub(crate) width: usize,
    pub(crate) full: bool,
}

/// The column at which what stands beside a label begins.
const INDENT: usize = 12;

impl Page {
    pub(crate) fn new(options: &Options) -> Self {
        Self { out: String::new(), color: options.color, width: options.width.clamp(80, 200), full: options.full }
    }

    /// A text in a style, if there is colour.
    pub(crate) fn styled(&self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    pub(crate) fn bold(&self, text: &str) -> String {
        self.styled(Style::new().bold(), text)
    }

    /// A line as it stands.
    pub(crate) fn line(&mut self, line: &str) {
        self.out += line.trim_end();
        self.out.push('\n');
    }

    pub(crate) fn gap(&mut self) {
        self.out.push('\n');
    }

    /// A text from the left edge, on as many lines as it takes.
    pub(crate) fn text(&mut self, text: &str) {
        self.indented(0, text, usize::MAX);
    }

    /// A text at a column, on at most so many lines.
    pub(crate) fn indented(&mut self, column: usize, text: &str, most: usize) {
        let room = self.width - column;
        let lines = wrap(&visible(text), room);
        let cut = lines.len() > most;
        let shown = lines.len().min(most);
        for (i, line) in lines.into_iter().take(most).enumerate() {
            let last = cut && i + 1 == shown;
            let line = if last { fit(&format!("{line} …"), room) } else { line };
            self.line(&format!("{}{line}", " ".repeat(column)));
        }
    }

    /// A label, and beside it a command: never broken, as it is there to be copied.
    pub(crate) fn command(&mut self, label: &str, command: &str) {
        let label = self.label(label);
        self.line(&format!("  {label} {command}"));
    }

    pub(crate) fn label(&self, label: &str) -> String {
        self.styled(Style::new().dimmed(), &format!("{label:<9}"))
    }

    /// A label, and beside it a text on as many lines as it takes.
    pub(crate) fn field(&mut self, label: &str, text: &str) {
        self.field_of(label, text, usize::MAX);
    }

    /// A label, and beside it a text on at most so many lines.
    pub(crate) fn field_of(&mut self, label: &str, text: &str, most: usize) {
        let start = self.out.len();
        self.indented(INDENT, text, most);
        let label = self.label(label);
        self.out.replace_range(start..start + INDENT.min(self.out.len() - start), &format!("  {label} "));
    }
}
