//! A comparison as a table for a terminal.

use std::fmt::Write as _;

use super::{Comparison, Row, detail, letter};
use crate::judge::tally::Verdict;
use crate::report::terminal::Options;
use crate::report::text::words::{self, LOOKS, Look};
use crate::report::text::{counted, fit, pad, visible, width, wrap};

/// What stands where a run was not about a requirement.
const NOTHING: &str = "·";
/// On how many lines a side's detail is shown.
const LINES: usize = 4;

/// The table: what differs; with `full`, everything.
pub fn render(comparison: &Comparison, options: &Options) -> String {
    let columns = options.width.clamp(80, 200);
    let mut out = format!("{}: {}\n\n", comparison.contract, counted(comparison.sides.len() as u64, "run"));
    for (i, side) in comparison.sides.iter().enumerate() {
        let page = side.page.as_ref().map_or_else(String::new, |page| format!(": {page}"));
        let line = format!("{}  {} ({}){page}", letter(i), side.name, side.target);
        let _ = writeln!(out, "{}", visible(&line));
    }
    let rows: Vec<&Row> = comparison.rows.iter().filter(|r| r.differs || options.full).collect();
    let letters: Vec<String> = (0..comparison.sides.len()).map(letter).collect();
    let totals = comparison.totals();
    let counts = totals.iter().flat_map(|(_, counts)| counts).map(|n| n.to_string().len());
    let cell = letters.iter().map(|l| width(l)).chain(counts).max().unwrap_or(1);
    let room = columns.saturating_sub(8 + letters.len() * (cell + 2)).max(20);
    let heads = totals.iter().map(|(look, _)| width(look.word) + 2);
    let names = rows.iter().map(|r| width(&visible(&r.id))).chain(heads).max().unwrap_or(0).min(room);
    let heads: String = letters.iter().map(|l| format!("  {}", right(l, cell))).collect();
    let _ = writeln!(out, "\n{}{heads}", " ".repeat(8 + names));
    for (look, counts) in &totals {
        let counts: String = counts.iter().map(|n| format!("  {}", right(&n.to_string(), cell))).collect();
        let name = pad(&format!("{} {}", look.symbol, look.word), names);
        let name = if options.color { format!("{style}{name}{style:#}", style = look.style()) } else { name };
        let _ = writeln!(out, "        {name}{counts}");
    }
    if !rows.is_empty() {
        out.push('\n');
    }
    for row in &rows {
        let mut line = format!("{:<6}  {}", words::level(row.level), pad(&fit(&visible(&row.id), names), names));
        for one in &row.cells {
            let (symbol, look) = match one {
                Some(one) => (Look::of(one.verdict).symbol, Some(Look::of(one.verdict))),
                None => (NOTHING, None),
            };
            let symbol = right(symbol, cell);
            let symbol = match look.filter(|_| options.color) {
                Some(look) => format!("{style}{symbol}{style:#}", style = look.style()),
                None => symbol,
            };
            let _ = write!(line, "  {symbol}");
        }
        let _ = writeln!(out, "{}", line.trim_end());
        if row.differs {
            details(&mut out, row, columns);
        }
    }
    let differing = comparison.differing().count();
    let all = comparison.rows.len();
    let legend: Vec<String> = LOOKS.iter().map(|l| format!("{} {}", l.symbol, l.word)).collect();
    if !rows.is_empty() {
        let _ = writeln!(out, "\n{}, {NOTHING} not in that run", legend.join(", "));
    }
    let same = format!("{} of {all} differ, {} are the same", differing, all - differing);
    let _ = writeln!(out, "\n{same}");
    out
}

/// A text at the right of so many columns.
fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// What each side has to say; what several say is said once.
fn details(out: &mut String, row: &Row, columns: usize) {
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    for (i, cell) in row.cells.iter().enumerate() {
        if cell.as_ref().is_none_or(|c| c.verdict == Verdict::Pass && c.observed.is_empty()) {
            continue;
        }
        let text = detail(cell.as_ref());
        match said.iter_mut().find(|(known, _)| *known == text) {
            Some((_, sides)) => sides.push(letter(i)),
            None => said.push((text, vec![letter(i)])),
        }
    }
    for (text, sides) in said {
        let text = format!("{}: {}", sides.join(", "), visible(&text));
        let lines = wrap(&text, columns - 10);
        let cut = lines.len() > LINES;
        for (i, line) in lines.iter().take(LINES).enumerate() {
            let more = if cut && i + 1 == LINES { " …" } else { "" };
            let _ = writeln!(out, "        {line}{more}");
        }
    }
}
