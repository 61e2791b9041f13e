//! Markdown for the summary of a job or a comment on a merge request: short, the details folded, under a limit.
//!
//! Texts of the server stand in code only: nothing in them links, mentions or hides.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::contract::requirement::Level;
use crate::exchange::excerpt::cut_apart;
use crate::judge::finding::cut;
use crate::judge::tally::Verdict;
use crate::report::model::summary::Verdicts;
use crate::report::model::{Exchange, Report, Requirement, Turn};
use crate::report::text::marked::marked;
use crate::report::text::words::{self, LOOKS, Look};
use crate::report::text::{counted, escaped, evidence, listed, uncounted, visible};

/// How many bytes a comment may have: GitHub takes 65,536 characters, and something may be put around it.
pub const COMMENT: usize = 64_000;
/// How many bytes a summary may have: GitHub takes 1 MiB a step, GitLab 1,000,000 characters a comment.
pub const SUMMARY: usize = 1_000_000;

/// Room for the last lines.
const FOOTER: usize = 1_000;
/// How long a line of server's text is.
const LINE: usize = 300;
/// How much of a body is shown.
const BODY: usize = 1_000;
/// Up to how many characters a command is shown.
const COMMAND: usize = 3_000;
/// How many values of one probe are shown.
const VALUES: usize = 4;
/// How many rows the table of what changed since the baseline has below its two lines of heading.
const CHANGES: usize = 18;

/// The report as Markdown of at most so many bytes; not less than 4,000.
pub fn render(report: &Report, limit: usize) -> String {
    linked(report, limit, &|_| None)
}

/// The same, with where each requirement can be read about.
pub fn linked(report: &Report, limit: usize, link: &dyn Fn(&Requirement) -> Option<String>) -> String {
    let mut page = Page { out: head(report), limit: limit - FOOTER };
    if !report.end.preflight_failed {
        page.add(&table(report));
        rulings(&mut page, report);
        changes(&mut page, report, link);
        failures(&mut page, report);
        unknown(&mut page, report);
        unsupported(&mut page, report);
        observations(&mut page, report);
    }
    page.out + &foot(report)
}

struct Page {
    out: String,
    limit: usize,
}

impl Page {
    /// Adds a part if there is room for all of it.
    fn add(&mut self, part: &str) -> bool {
        let fits = self.out.len() + part.len() <= self.limit;
        if fits {
            self.out += part;
        }
        fits
    }

    /// Adds lines as long as there is room, folded under a title.
    fn fold(&mut self, title: &str, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        let mut part = format!("\n<details><summary>{title}</summary>\n\n");
        let room = self.limit.saturating_sub(self.out.len() + part.len() + 200);
        let mut shown = 0;
        for line in lines {
            if part.len() + line.len() > room {
                break;
            }
            let _ = writeln!(part, "- {line}");
            shown += 1;
        }
        if shown < lines.len() {
            let _ = writeln!(part, "- and {} more in `report.json`", lines.len() - shown);
        }
        part += "\n</details>\n";
        self.add(&part);
    }
}

fn head(report: &Report) -> String {
    let header = &report.header;
    let (symbol, sentence) = match &report.ruling {
        Some(ruling) if ruling.is_good() => ("✅", ruling.sentence.as_str()),
        Some(ruling) => ("❌", ruling.sentence.as_str()),
        None => ("", "Nothing was decided."),
    };
    format!(
        "## {symbol} {}: {}\n\n**{}**\n\n{} of {}, seed {}, run tag {}\n",
        header.tool.name,
        prose(&header.contract.name),
        prose(sentence),
        code(&header.contract.subject()),
        code(&header.target),
        header.seed,
        code(&header.run_tag),
    )
}

fn table(report: &Report) -> String {
    let mut out = "\n|  |".to_owned();
    for look in &LOOKS {
        let _ = write!(out, " {} {} |", look.symbol, look.word);
    }
    out += "\n|---|";
    out += &"--:|".repeat(LOOKS.len());
    out.push('\n');
    for level in [Some(Level::Must), Some(Level::Should), Some(Level::May), None] {
        let verdicts = report.summary.level(level);
        if verdicts.total() > 0 {
            row(&mut out, words::level(level), verdicts);
        }
    }
    out
}

fn row(out: &mut String, name: &str, verdicts: &Verdicts) {
    let _ = write!(out, "| {name} |");
    for look in &LOOKS {
        let cell = match verdicts.get(look.verdict) {
            0 => "·".to_owned(),
            n => n.to_string(),
        };
        let _ = write!(out, " {cell} |");
    }
    out.push('\n');
}

/// Waivers that are out of date, and what differs from the baseline.
fn rulings(page: &mut Page, report: &Report) {
    let Some(ruling) = &report.ruling else { return };
    // A report of before has no table of changes.
    let known = [("worse than in the baseline", &ruling.worse), ("better than in the baseline", &ruling.better)];
    let known = known.into_iter().filter(|_| ruling.changes.is_empty());
    for (title, lines) in [("out of date", &ruling.stale)].into_iter().chain(known) {
        let lines: Vec<String> = lines.iter().map(|line| prose(line)).collect();
        page.fold(&format!("{} {title}", lines.len()), &lines);
    }
}

/// What became of requirements since the baseline, in a table.
fn changes(page: &mut Page, report: &Report, link: &dyn Fn(&Requirement) -> Option<String>) {
    let all = report.ruling.iter().flat_map(|ruling| &ruling.changes).collect::<Vec<_>>();
    if all.is_empty() {
        return;
    }
    let count = |turn: Turn| (all.iter().filter(|change| change.turn == turn).count(), turn.word());
    let counts = [Turn::Broke, Turn::Fixed, Turn::New, Turn::Gone].map(count);
    let counts: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let mut part = format!(
        "\n### Since the baseline: {}\n\n|  | requirement | before | now |\n|---|---|---|---|\n",
        listed(&counts)
    );
    let verdict = |verdict: Option<Verdict>| {
        let look = verdict.map(Look::of);
        look.map_or_else(|| "·".to_owned(), |look| format!("{} {}", look.symbol, look.word))
    };
    // The last line says how many there are beside those that are shown.
    let shown = if all.len() > CHANGES { CHANGES - 1 } else { all.len() };
    for change in &all[..shown] {
        let id = code(&change.id).replace('|', "\\|");
        let id = match report.requirement(&change.id).and_then(link) {
            Some(link) => format!("[{id}]({link})"),
            None => id,
        };
        let (before, now) = (verdict(change.before), verdict(change.now));
        let _ = writeln!(part, "| {} | {id} | {before} | {now} |", change.turn.word());
    }
    if shown < all.len() {
        let _ = writeln!(part, "| | and {} more in `report.json` | | |", all.len() - shown);
    }
    page.add(&part);
}

fn failures(page: &mut Page, report: &Report) {
    let failed = report.failed();
    let (red, excused): (Vec<_>, Vec<_>) = failed.iter().partition(|r| report.is_red(r));
    if !red.is_empty() {
        page.add(&format!("\n### {} failed\n", red.len()));
    }
    let mut rest = red.len();
    for requirement in red {
        if !page.add(&failure(requirement)) && !page.add(&brief(requirement)) {
            page.out += &format!("\nand {rest} more in `report.json`\n");
            break;
        }
        rest -= 1;
    }
    let line = |r: &&Requirement| {
        let excuse = report.excuse(r).unwrap_or_default();
        format!("{} {}: {}", words::level(r.level), code(&r.id), prose(&excuse))
    };
    let lines: Vec<String> = excused.iter().map(line).collect();
    page.fold(&uncounted(lines.len()), &lines);
}

/// A failure in one line, where there is no room for more.
fn brief(requirement: &Requirement) -> String {
    format!("\n- {} {}: {}", words::level(requirement.level), code(&requirement.id), prose(&requirement.text))
}

fn failure(requirement: &Requirement) -> String {
    let look = Look::of(requirement.verdict);
    let mut out = format!(
        "\n<details><summary>{} {} <code>{}</code>: {}</summary>\n\n",
        look.symbol,
        words::level(requirement.level),
        escaped(&requirement.id),
        escaped(&requirement.text)
    );
    let _ = writeln!(out, "- source: {} ({})", prose(&requirement.source), code(&requirement.origin));
    let _ = writeln!(out, "- evidence: {}", prose(&evidence::words(requirement)));
    if let Some(cause) = &requirement.cause {
        let _ = writeln!(out, "- cause: probably the same as that of {}", code(cause));
    }
    if let Some(failure) = requirement.failures.first() {
        if !failure.label.is_empty() {
            let _ = writeln!(out, "- tried: {}", code(&cut(&failure.label, LINE)));
        }
        let _ = writeln!(out, "- expected: {}", code(&cut(&failure.expected, LINE)));
        let _ = writeln!(out, "- actual: {}", code(&cut(&failure.actual, LINE)));
        for difference in &failure.differences {
            let side = |v: &Option<Json>| v.as_ref().map_or_else(|| "nothing".to_owned(), Json::to_string);
            let (due, came) = cut_apart(&side(&difference.expected), &side(&difference.actual), LINE / 2);
            let _ = writeln!(out, "- differs at {}: {} came as {}", code(&difference.at), code(&due), code(&came));
        }
        if let Some(exchange) = failure.exchanges.last() {
            let _ = writeln!(out, "- exchange {}, sent {}", exchange.number, code(&exchange.sent));
            out += &block("http", &shown(exchange, failure.wrong.as_deref()));
        }
        let commands: Vec<&str> =
            failure.curl.iter().filter(|c| c.len() <= COMMAND).chain([&failure.rerun]).map(String::as_str).collect();
        out += &block("sh", &commands.join("\n"));
    }
    out + "\n</details>\n"
}

/// A request and its answer, with its wrong value marked.
fn shown(exchange: &Exchange, wrong: Option<&str>) -> String {
    let request = &exchange.request;
    let mut out = format!("{} {}\n", request.method, visible(&request.url));
    for (name, value) in request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("user-agent")) {
        let _ = writeln!(out, "{}: {}", visible(name), visible(value));
    }
    body(&mut out, request.body.as_deref(), request.body_base64.as_deref(), None);
    out.push('\n');
    if let Some(response) = &exchange.response {
        let _ = writeln!(out, "{}", response.status);
        body(&mut out, response.body.as_deref(), response.body_base64.as_deref(), wrong);
    } else if let Some(failure) = &exchange.failure {
        let _ = writeln!(out, "no answer: {}", visible(&failure.message));
    }
    out
}

fn body(out: &mut String, text: Option<&str>, base64: Option<&str>, wrong: Option<&str>) {
    match (text, base64) {
        (Some(text), _) => {
            let _ = writeln!(out, "\n{}", visible(&marked(text, wrong, BODY)));
        }
        (None, Some(base64)) => {
            let _ = writeln!(out, "\n(Base64) {}", cut(base64, BODY));
        }
        (None, None) => {}
    }
}

fn unknown(page: &mut Page, report: &Report) {
    for verdict in [Verdict::Inconclusive, Verdict::Untested, Verdict::Skipped] {
        let line = |r: &Requirement| {
            let excuse = report.excuse(r).map_or_else(String::new, |excuse| format!(" ({})", prose(&excuse)));
            let reason = r.reason.as_deref().unwrap_or_default();
            format!("{} {}: {}{excuse}", words::level(r.level), code(&r.id), prose(&cut(reason, LINE)))
        };
        let lines: Vec<String> = report.selected().filter(|r| r.verdict == verdict).map(line).collect();
        let look = Look::of(verdict);
        page.fold(&format!("{} {} {}: {}", look.symbol, lines.len(), look.word, look.meaning), &lines);
    }
}

fn unsupported(page: &mut Page, report: &Report) {
    let parts = &report.header.contract.unsupported;
    if parts.is_empty() {
        return;
    }
    let lines: Vec<_> =
        parts.iter().map(|u| format!("{}: {}", code(&u.operation), prose(&cut(&u.part, LINE)))).collect();
    page.fold(&format!("{} of the document not supported, and left out", counted(lines.len() as u64, "part")), &lines);
}

fn observations(page: &mut Page, report: &Report) {
    let seen = report.selected().filter(|r| !r.observations.is_empty());
    let line = |r: &Requirement| {
        let values = r.observations.iter().take(VALUES).map(|o| code(&cut(&o.value.to_string(), LINE)));
        let values: Vec<String> = values.collect();
        let more = r.observations.len().saturating_sub(VALUES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}: {}{more}", code(&r.id), values.join(", "))
    };
    let lines: Vec<String> = seen.map(line).collect();
    page.fold(&format!("{} observed: what the contract leaves open, never a failure", lines.len()), &lines);
}

fn foot(report: &Report) -> String {
    let figures = &report.figures;
    let tool = &report.header.tool;
    let seconds = figures.elapsed_ms / 1000;
    format!("\n<sub>{} in {seconds} s, {} {}</sub>\n", counted(figures.requests, "request"), tool.name, tool.version)
}

/// A text as code within a line.
pub fn code(text: &str) -> String {
    let text = visible(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Lines of code.
fn block(language: &str, text: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    format!("\n{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A text that is read, with nothing in it that acts; what stands in backticks is code.
pub fn prose(text: &str) -> String {
    let text = visible(text);
    let paired = text.matches('`').count().is_multiple_of(2) && longest_run(&text) < 2;
    let mut out = String::with_capacity(text.len());
    let mut in_code = false;
    for c in text.chars() {
        match c {
            '`' if paired => {
                in_code = !in_code;
                out.push(c);
            }
            c if in_code => out.push(c),
            // A comment keeps names and numbers from becoming links.
            '@' | '#' => {
                out.push(c);
                out += "<!-- -->";
            }
            '/' if out.ends_with(':') => out += "\\/",
            '<' => out += "&lt;",
            '&' => out += "&amp;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
