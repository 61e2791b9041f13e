//! What was broken, with all that it takes to see it again.

use std::collections::BTreeMap;

use super::{INDENT, Page, round};
use crate::contract::requirement::Level;
use crate::exchange::excerpt::cut_apart;
use crate::report::model::{Exchange, Failure, Report, Requirement};
use crate::report::text::marked::marked_to_the_end;
use crate::report::text::words::{self, Look};
use crate::report::text::{counted, evidence, fit, uncounted, visible};

/// How many failures are shown with everything.
const DETAILED: usize = 5;
/// How many bytes of a value that differs are shown.
const VALUE: usize = 150;
/// On how many lines a value is shown.
pub(crate) const LINES: usize = 6;
/// On how many lines a body is shown.
const BODY_LINES: usize = 4;
/// How many of an expression's operands are shown.
const OPERANDS: usize = 6;
/// Up to how many characters a command is shown.
const CURL: usize = 4000;

pub(crate) fn write(page: &mut Page, report: &Report) {
    let all = report.failed();
    // What fails where another fails is told under that one, unless everything is wanted.
    let excused = |r: &Requirement| report.weight(r).is_put_up_with();
    let heads = |r: &Requirement| all.iter().any(|h| r.cause.as_ref() == Some(&h.id) && !excused(h));
    let is_folded = |r: &Requirement| !excused(r) && heads(r);
    let failed = all.iter().copied().filter(|r| page.full || !is_folded(r));
    // What is waived is shown in short, unless everything is wanted.
    let (mut failed, short): (Vec<_>, Vec<_>) = failed.partition(|r| page.full || !excused(r));
    failed.sort_by_key(|r| excused(r));
    let detailed = if page.full { failed.len() } else { DETAILED };
    let (shown, others) = failed.split_at(detailed.min(failed.len()));
    // What is told under none of those that are shown in full is named by itself, so that nothing is left unnamed.
    let is_told = |r: &Requirement| shown.iter().any(|s| r.cause.as_ref() == Some(&s.id));
    let untold = all.iter().copied().filter(|r| !page.full && is_folded(r) && !is_told(r));
    let rest: Vec<&Requirement> = others.iter().copied().chain(untold).collect();
    if !short.is_empty() {
        page.gap();
        page.text(&format!("{}; -v shows more:", uncounted(short.len())));
    }
    for requirement in short {
        heading(page, requirement);
        page.indented(2, &report.excuse(requirement).unwrap_or_default(), 2);
    }
    if !rest.is_empty() {
        page.gap();
        page.text(&format!("{} more failed; -v and report.html show them in full:", rest.len()));
    }
    for requirement in rest {
        brief(page, requirement, &requirement.text);
    }
    // What is read first on a terminal stands last.
    for requirement in shown.iter().rev() {
        one(page, requirement);
        if let Some(excuse) = report.excuse(requirement).filter(|_| excused(requirement)) {
            page.field("excused", &excuse);
        }
        let same = all.iter().copied().filter(|r| r.cause.as_ref() == Some(&requirement.id) && is_folded(r));
        also(page, &same.collect::<Vec<_>>());
    }
}

/// A requirement in one line, which stands by itself.
fn brief(page: &mut Page, requirement: &Requirement, text: &str) {
    let look = Look::of(requirement.verdict);
    let verdict = page.styled(look.style().bold(), &format!("{} {}", look.symbol, look.word));
    let line = format!("{:<6}  {}: {}", words::level(requirement.level), requirement.id, text);
    let room = page.width - "✗ fail  ".len() + "✗".len() - 1;
    page.line(&format!("{verdict}  {}", fit(&visible(&line), room)));
}

/// What probably fails for the same cause: a line for each area.
fn also(page: &mut Page, same: &[&Requirement]) {
    if same.is_empty() {
        return;
    }
    let more = if same.len() > 1 { " (-v shows each)" } else { "" };
    let failures = counted(same.len() as u64, "other failure");
    page.field("also", &format!("{failures}, probably of the same cause{more}:"));
    let mut areas: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for requirement in same {
        let name = requirement.id.strip_prefix(&format!("{}/", requirement.group())).unwrap_or(&requirement.id);
        let level = match requirement.level {
            Some(Level::Must) => String::new(),
            level => format!(" ({})", words::level(level)),
        };
        areas.entry(requirement.group()).or_default().push(format!("{name}{level}"));
    }
    for (area, names) in areas {
        page.indented(INDENT, &format!("{area}: {}", names.join(", ")), usize::MAX);
    }
}

fn heading(page: &mut Page, requirement: &Requirement) {
    let look = Look::of(requirement.verdict);
    let verdict = page.styled(look.style().bold(), &format!("{} {}", look.symbol, look.word));
    let id = page.bold(&visible(&requirement.id));
    page.line(&format!("{verdict}  {:<6}  {id}", words::level(requirement.level)));
}

pub(crate) fn one(page: &mut Page, requirement: &Requirement) {
    page.gap();
    heading(page, requirement);
    page.indented(2, &requirement.text, usize::MAX);
    // What is derived from the document names its place there as its source.
    let source = match requirement.source.contains(&requirement.origin) {
        true => requirement.source.clone(),
        false => format!("{} ({})", requirement.source, requirement.origin),
    };
    page.field("source", &source);
    page.field("evidence", &evidence::words(requirement));
    if let Some(cause) = &requirement.cause {
        page.field("cause", &format!("probably the same as that of {cause}"));
    }
    let Some(failure) = requirement.failures.first() else { return };
    shown(page, failure);
    page.command("rerun", &failure.rerun);
}

/// What shows that it failed.
pub(crate) fn shown(page: &mut Page, failure: &Failure) {
    if !failure.label.is_empty() {
        page.field_of("tried", &failure.label, LINES);
    }
    page.field_of("expected", &failure.expected, LINES);
    page.field_of("actual", &failure.actual, LINES);
    for (i, difference) in failure.differences.iter().enumerate() {
        let side = |v: &Option<serde_json::Value>| v.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let label = if i == 0 { "differs" } else { "" };
        let (due, came) = cut_apart(&side(&difference.expected), &side(&difference.actual), VALUE);
        let text = format!("{}: {due} came as {came}", difference.at);
        page.field_of(label, &text, LINES);
    }
    operands(page, failure);
    exchanges(page, failure);
    curl(page, failure);
}

fn operands(page: &mut Page, failure: &Failure) {
    let read = failure.operands.iter().map(|operand| {
        let value = operand.value.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
        format!("{} = {value}", operand.path)
    });
    // Where nothing was compared, what came is what was read.
    let new = read.filter(|text| !failure.actual.contains(text));
    for (i, text) in new.take(OPERANDS).enumerate() {
        page.field_of(if i == 0 { "read" } else { "" }, &text, LINES);
    }
}

/// The first two exchanges and the one that failed.
fn exchanges(page: &mut Page, failure: &Failure) {
    let all = &failure.exchanges;
    let skipped = all.len().saturating_sub(3);
    for (i, exchange) in all.iter().enumerate() {
        if (2..2 + skipped).contains(&i) {
            if i == 2 {
                page.indented(INDENT, &format!("… {} …", counted(skipped as u64, "more exchange")), 1);
            }
            continue;
        }
        let number = if all.len() > 1 { format!(" {}", i + 1) } else { String::new() };
        let before = all.first().filter(|_| i > 0);
        request(page, &number, exchange, before, failure.smallest && i == 0);
        let wrong = failure.wrong.as_deref().filter(|_| i + 1 == all.len());
        answer(page, &number, exchange, wrong);
    }
}

/// A request; of a later one of several only what the first did not have.
fn request(page: &mut Page, number: &str, exchange: &Exchange, first: Option<&Exchange>, smallest: bool) {
    let request = &exchange.request;
    let note = if smallest { "   (the smallest that still fails)" } else { "" };
    page.field_of(&format!("request{number}"), &format!("{} {}{note}", request.method, request.url), 2);
    let first = first.map(|f| &f.request);
    let known = |header: &(String, String)| first.is_some_and(|f| f.headers.contains(header));
    for header in request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("user-agent")) {
        if !known(header) {
            page.indented(INDENT, &format!("{}: {}", header.0, header.1), 2);
        }
    }
    let left_out = first
        .iter()
        .flat_map(|f| &f.headers)
        .filter(|(name, _)| request.headers.iter().all(|(n, _)| !n.eq_ignore_ascii_case(name)));
    for (name, _) in left_out {
        page.indented(INDENT, &format!("(without {name})"), 1);
    }
    if first.is_some_and(|f| f.bytes() == request.bytes()) {
        page.indented(INDENT, "(the body of request 1)", 1);
    } else {
        body(page, request.body.as_deref(), request.body_base64.as_deref(), request.truncated);
    }
}

fn answer(page: &mut Page, number: &str, exchange: &Exchange, wrong: Option<&str>) {
    let label = format!("answer{number}");
    let elapsed = round(exchange.elapsed_ms);
    if let Some(response) = &exchange.response {
        let media_type = response.headers.iter().find(|(name, _)| name == "content-type");
        let media_type = media_type.map_or_else(|| "no content-type".to_owned(), |(_, v)| v.clone());
        let sent = &exchange.sent;
        let of = format!("{} after {elapsed} ms, {media_type}", response.status);
        page.field_of(&label, &format!("{of}; exchange {}, sent {sent}", exchange.number), 2);
        // What does not fit on the lines is cut: before the wrong value here, behind it where the lines end.
        let most = (page.width - INDENT) * (BODY_LINES - 1);
        let marked = response.body.as_deref().map(|text| marked_to_the_end(text, wrong, most));
        body(page, marked.as_deref(), response.body_base64.as_deref(), response.truncated);
    } else if let Some(failure) = &exchange.failure {
        let (number, sent) = (exchange.number, &exchange.sent);
        let text = format!("none after {elapsed} ms: {}; exchange {number}, sent {sent}", failure.message);
        page.field_of(&label, &text, LINES);
    }
}

fn body(page: &mut Page, text: Option<&str>, base64: Option<&str>, truncated: Option<u64>) {
    match (text, base64) {
        (Some(""), _) => page.indented(INDENT, "(empty body)", 1),
        (Some(text), _) => page.indented(INDENT, text, BODY_LINES),
        (None, Some(base64)) => page.indented(INDENT, &format!("(Base64) {base64}"), BODY_LINES),
        (None, None) => {}
    }
    if let Some(length) = truncated {
        page.indented(INDENT, &format!("({length} bytes in all)"), 1);
    }
}

fn curl(page: &mut Page, failure: &Failure) {
    if let Some(script) = failure.script.as_ref().filter(|script| script.len() <= CURL) {
        let why = match failure.exchanges.len() {
            1 => "as time passes, this needs instants of its own:".to_owned(),
            n => format!("one command does not show this: it takes {n} requests, as they were sent:"),
        };
        page.field("script", &why);
        script.lines().for_each(|line| page.command("", line));
        return;
    }
    for (i, command) in failure.curl.iter().enumerate() {
        if failure.curl[..i].contains(command) {
            continue;
        }
        if command.len() > CURL {
            page.field("curl", "too long to show here: see `curl` of this failure in report.json");
            continue;
        }
        page.command(if i == 0 { "curl" } else { "" }, command);
    }
}
