//! A comparison as Markdown and as an HTML page that stands alone.

use std::fmt::Write as _;

use askama::Template;

use super::{Cell, Comparison, Row, detail, letter};
use crate::judge::finding::cut;
use crate::report::format::markdown::{code, prose};
use crate::report::text::words::{self, Look};
use crate::report::text::{self, visible};

/// How long a detail is.
const DETAIL: usize = 500;

/// As Markdown: what differs, folded what is the same.
pub fn markdown(comparison: &Comparison) -> String {
    let differing = comparison.differing().count();
    let all = comparison.rows.len();
    let mut out = format!("## {}: {differing} of {all} differ\n\n", prose(&comparison.contract));
    for (i, side) in comparison.sides.iter().enumerate() {
        let _ = writeln!(out, "- **{}**: {}, {}", letter(i), prose(&side.name), code(&side.target));
    }
    table(&mut out, comparison, &mut comparison.differing());
    for row in comparison.differing() {
        let _ = writeln!(out, "\n{}: {}\n", code(&row.id), prose(&row.text));
        for (i, cell) in row.cells.iter().enumerate() {
            let _ = writeln!(out, "- **{}**: {}", letter(i), code(&cut(&detail(cell.as_ref()), DETAIL)));
        }
    }
    if differing < all {
        let _ = write!(out, "\n<details><summary>{} are the same</summary>\n", all - differing);
        table(&mut out, comparison, &mut comparison.rows.iter().filter(|r| !r.differs));
        out += "\n</details>\n";
    }
    out
}

fn table(out: &mut String, comparison: &Comparison, rows: &mut dyn Iterator<Item = &Row>) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    let letters: Vec<String> = (0..comparison.sides.len()).map(letter).collect();
    let _ = writeln!(out, "\n| | | {} |", letters.join(" | "));
    let _ = writeln!(out, "|---|---|{}", "---|".repeat(letters.len()));
    for row in rows {
        let cells: Vec<String> = row.cells.iter().map(|c| shown(c.as_ref().map(|c| Look::of(c.verdict)))).collect();
        let _ = writeln!(out, "| {} | {} | {} |", words::level(row.level), code(&row.id), cells.join(" | "));
    }
}

fn shown(look: Option<Look>) -> String {
    look.map_or_else(|| "·".to_owned(), |look| format!("{} {}", look.symbol, look.word))
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
