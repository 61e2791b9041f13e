//! A comparison as Markdown and as an HTML page that stands alone.

use std::fmt::Write as _;

use askama::Template;

use super::{Cell, Comparison, Row, Side, detail, letter, observed};
use crate::judge::finding::cut;
use crate::report::format::markdown::{code, prose};
use crate::report::text::words::{self, Look};
use crate::report::text::{self, visible};

/// How long a detail is.
const DETAIL: usize = 500;
/// How long the values of a probe are within a table.
const VALUE: usize = 150;

/// As Markdown: what differs, folded what is the same.
pub fn markdown(comparison: &Comparison) -> String {
    let differing = comparison.differing().count();
    let all = comparison.rows.len();
    let mut out = format!("## {}: {differing} of {all} differ\n\n", prose(&comparison.contract));
    for (i, side) in comparison.sides.iter().enumerate() {
        let name = match &side.link("") {
            Some(link) => format!("[{}]({})", prose(&side.name), address(link.trim_end_matches('#'))),
            None => prose(&side.name),
        };
        let _ = writeln!(out, "- **{}**: {name}, {}", letter(i), code(&side.target));
    }
    table(&mut out, comparison, &mut comparison.differing(), true);
    // Values stand in the table.
    for row in comparison.differing().filter(|row| row.cells.iter().flatten().all(|cell| cell.observed.is_empty())) {
        let _ = writeln!(out, "\n{}: {}\n", code(&row.id), prose(&row.text));
        for (i, cell) in row.cells.iter().enumerate() {
            let _ = writeln!(out, "- **{}**: {}", letter(i), code(&cut(&detail(cell.as_ref()), DETAIL)));
        }
    }
    if differing < all {
        let _ = write!(out, "\n<details><summary>{} are the same</summary>\n", all - differing);
        table(&mut out, comparison, &mut comparison.rows.iter().filter(|r| !r.differs), false);
        out += "\n</details>\n";
    }
    out
}

fn table(out: &mut String, comparison: &Comparison, rows: &mut dyn Iterator<Item = &Row>, with_totals: bool) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() && !with_totals {
        return;
    }
    let letters: Vec<String> = (0..comparison.sides.len()).map(letter).collect();
    let _ = writeln!(out, "\n| | | {} |", letters.join(" | "));
    let _ = writeln!(out, "|---|---|{}", "---|".repeat(letters.len()));
    for (look, counts) in comparison.totals().iter().filter(|_| with_totals) {
        let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
        let _ = writeln!(out, "| | {} {} | {} |", look.symbol, look.word, counts.join(" | "));
    }
    for row in rows {
        let cells = row.cells.iter().zip(&comparison.sides).map(|(cell, side)| shown(cell.as_ref(), side, &row.id));
        let cells: Vec<String> = cells.collect();
        let _ = writeln!(out, "| {} | {} | {} |", words::level(row.level), code(&row.id), cells.join(" | "));
    }
}

/// A cell: its verdict, which leads to the report, and what a probe saw.
fn shown(cell: Option<&Cell>, side: &Side, id: &str) -> String {
    let Some(cell) = cell else { return "·".to_owned() };
    let look = Look::of(cell.verdict);
    let verdict = match side.link(id) {
        Some(link) => format!("[{} {}]({})", look.symbol, look.word, address(&link)),
        None => format!("{} {}", look.symbol, look.word),
    };
    match cell.observed.is_empty() {
        true => verdict,
        // A bar ends a cell, even within code.
        false => format!("{verdict} {}", code(&cut(&observed(cell), VALUE)).replace('|', "\\|")),
    }
}

/// An address within the parentheses of a link.
fn address(link: &str) -> String {
    let odd = |c: char| c.is_control() || matches!(c, '(' | ')' | '<' | '>' | '\\' | '|' | '`');
    link.chars().map(|c| if odd(c) { format!("%{:02X}", u32::from(c)) } else { c.to_string() }).collect()
}

/// The page.
#[derive(Template)]
#[template(path = "comparison.html", config = "src/report/format/html/askama.toml")]
struct Page<'a> {
    comparison: &'a Comparison,
}

impl<'a> Page<'a> {
    fn title(&self) -> String {
        let (differing, all) = (self.comparison.differing().count(), self.comparison.rows.len());
        visible(&format!("{}: {differing} of {all} differ", self.comparison.contract))
    }

    fn parts(&self) -> [(&'static str, Vec<&'a Row>); 2] {
        let (differing, same) = self.comparison.rows.iter().partition(|row| row.differs);
        [("What differs", differing), ("What is the same", same)]
    }

    /// The cells of a row, each with where its report tells of it.
    fn cells(&self, row: &'a Row) -> Vec<(&'a Option<Cell>, Option<String>)> {
        row.cells.iter().zip(&self.comparison.sides).map(|(cell, side)| (cell, side.link(&row.id))).collect()
    }

    fn look(&self, cell: &Cell) -> Look {
        Look::of(cell.verdict)
    }

    /// What there is to say beside the verdict.
    fn more(&self, cell: &Cell) -> Option<String> {
        let all = detail(Some(cell));
        let more = match all.strip_prefix(cell.verdict.name()) {
            Some("") => return None,
            Some(more) => more.trim_start_matches(": "),
            None => &all,
        };
        Some(visible(&cut(more, DETAIL)))
    }
}

/// As a page of HTML that needs nothing else.
pub fn html(comparison: &Comparison) -> String {
    // Writing to memory: this cannot fail.
    Page { comparison }.render().unwrap_or_default()
}
