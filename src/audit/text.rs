//! An audit for people: on a terminal, and as Markdown.

use std::fmt::Write as _;

use super::matrix::{Audit, Kind, Row};
use crate::contract::requirement::Level;
use crate::report::text::{counted, fit, pad, width};

/// From how many faults on the Markdown page counts them instead of naming them.
const NAMED: usize = 12;

/// An audit in lines of at most so many columns, the score last.
pub fn terminal(audit: &Audit, columns: usize) -> String {
    let mut text = String::new();
    rows(&mut text, audit, columns);
    requirements(&mut text, audit, columns);
    text += &problems(audit);
    text += &score(audit);
    text
}

/// An audit in Markdown, with nothing cut.
pub fn markdown(audit: &Audit) -> String {
    let mut text = format!(
        "# {}\n\nprobity {}, contract {} (`{}`), seed {}.\n\n{}\n",
        title(audit.kind),
        audit.tool,
        audit.contract,
        audit.contract_hash.get(..12).unwrap_or_default(),
        audit.seed,
        score(audit),
    );
    let problems = problems(audit);
    if !problems.is_empty() {
        let _ = write!(text, "## Not as expected\n\n```\n{problems}```\n\n");
    }
    let _ = writeln!(text, "## {}\n", if audit.kind == Kind::Faults { "Faults" } else { "Servers" });
    text += "| | what it does | musts | shoulds | requests until caught | s |\n|---|---|---|---|---:|---:|\n";
    for row in &audit.rows {
        let _ = writeln!(
            text,
            "| {} `{}` | {} | {} | {} | {} | {} |",
            symbol(row),
            row.name,
            row.text.unwrap_or("").replace('|', "\\|"),
            row.musts.join("<br>"),
            row.shoulds.join("<br>"),
            row.until_broken.map_or_else(String::new, |n| n.to_string()),
            seconds(row.elapsed_ms),
        );
    }
    if !audit.requirements.is_empty() {
        text += "\n## Requirements\n\n| | level | found by | |\n|---|---|---:|---|\n";
        for killed in &audit.requirements {
            let names = if killed.by.len() < NAMED { killed.by.join(", ") } else { String::new() };
            let _ = writeln!(text, "| `{}` | {} | {} | {names} |", killed.id, killed.level.name(), killed.by.len());
        }
    }
    text
}

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Faults => "What the checks find",
        Kind::Variations => "What the checks leave alone",
        Kind::Pairs => "What the checks leave alone, in pairs",
    }
}

fn symbol(row: &Row) -> &'static str {
    if row.expected { "✓" } else { "✗" }
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{}", milliseconds / 1000, milliseconds % 1000 / 100)
}

/// A line for each server; of pairs only those that failed something.
fn rows(text: &mut String, audit: &Audit, columns: usize) {
    let shown: Vec<&Row> =
        audit.rows.iter().filter(|r| audit.kind != Kind::Pairs || !r.expected || !r.shoulds.is_empty()).collect();
    let names = shown.iter().map(|r| width(&r.name)).max().unwrap_or(0);
    let mut area = None;
    for row in shown {
        if row.area != area {
            area = row.area;
            let _ = writeln!(text, "\n{}", area.unwrap_or_default());
        }
        let until = row.until_broken.map_or_else(|| "–".to_owned(), |n| format!("after {n}"));
        let shoulds = row.shoulds.iter().map(|id| format!("({id})"));
        let failed: Vec<String> = row.musts.iter().cloned().chain(shoulds).collect();
        let failed = if failed.is_empty() { "nothing failed".to_owned() } else { failed.join(" ") };
        let line = format!(
            "  {} {}  {until:>9}  {:>5} s  {failed}",
            symbol(row),
            pad(&row.name, names),
            seconds(row.elapsed_ms)
        );
        let _ = writeln!(text, "{}", fit(&line, columns));
    }
}

/// A line for each requirement.
fn requirements(text: &mut String, audit: &Audit, columns: usize) {
    let widest = audit.requirements.iter().map(|r| width(&r.id)).max().unwrap_or(0);
    if widest > 0 {
        let _ = writeln!(text, "\nfaults that each requirement finds");
    }
    for killed in &audit.requirements {
        let line = format!(
            "  {}  {:<6}  {:>3}  {}",
            pad(&killed.id, widest),
            killed.level.name(),
            killed.by.len(),
            killed.by.join(" ")
        );
        let _ = writeln!(text, "{}", fit(line.trim_end(), columns));
    }
}

/// What is not as it must be, each with the command that shows it.
pub fn problems(audit: &Audit) -> String {
    let mut text = String::new();
    for row in audit.rows.iter().filter(|r| !r.expected) {
        let _ = writeln!(text, "\n{}: {}", row.name, row.text.unwrap_or("two variations"));
        let mut say = |what: &str, ids: &[String]| {
            if !ids.is_empty() {
                let _ = writeln!(text, "  {what}: {}", ids.join(" "));
            }
        };
        say("should have failed, and did not", &row.missing);
        say("should not have failed, and did", &row.extra);
        say("is inconclusive and should not be, or the other way round", &row.misjudged);
        if !row.complete {
            text += "  the run did not finish\n";
        }
        let _ = writeln!(text, "  see it with: {}", row.command);
    }
    if audit.kind == Kind::Faults && audit.whole {
        for killed in audit.survivors() {
            let _ = writeln!(text, "\n{}: no fault breaks this must: is it tried at all?", killed.id);
        }
    }
    text
}

fn score(audit: &Audit) -> String {
    let s = &audit.score;
    let mut text = String::from("\n");
    let count = |n: usize, noun: &str| counted(n as u64, noun);
    if audit.kind == Kind::Faults {
        let _ = writeln!(
            text,
            "{}: {} caught by a must, {} by a should only, {} not caught.",
            count(s.subjects, "fault"),
            s.by_must,
            s.by_should,
            s.not_caught
        );
        let _ = writeln!(
            text,
            "{} of {} musts and {} of {} shoulds find at least one of them.",
            s.musts_killed, s.musts, s.shoulds_killed, s.shoulds
        );
        if let Some(median) = s.median_until_broken {
            let _ = writeln!(text, "Half of those caught are caught within {}.", counted(median, "request"));
        }
    } else {
        let _ = writeln!(
            text,
            "{} that keep the contract: {} failed by a must, {} by a should only, {} pass.",
            count(s.subjects, "server"),
            s.by_must,
            s.by_should,
            s.not_caught
        );
    }
    let table = match audit.kind {
        Kind::Faults | Kind::Variations => format!(" in {}", audit.table),
        Kind::Pairs => String::new(),
    };
    let others = s.subjects - s.expected;
    let _ = match others {
        0 => writeln!(text, "All as expected{table}."),
        _ => writeln!(text, "{others} not as expected{table}."),
    };
    if audit.requirements.iter().any(|r| r.level == Level::Must && r.by.is_empty()) && !audit.whole {
        text += "Only a part was tried: what finds nothing here may find other faults.\n";
    }
    text
}
