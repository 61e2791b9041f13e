//! Verdicts by area and by level.

use super::Page;
use crate::contract::requirement::Level;
use crate::report::model::summary::Verdicts;
use crate::report::model::{Report, Requirement};
use crate::report::text::words::{self, LOOKS, Look};
use crate::report::text::{fit, pad, visible, width};

/// What stands where there is nothing to count.
const NONE: &str = "·";

pub(crate) fn write(page: &mut Page, report: &Report) {
    let mut areas: Vec<&str> = report.selected().map(Requirement::group).collect();
    areas.sort_unstable();
    areas.dedup();
    let columns: usize = LOOKS.iter().map(|look| width(&head(look)) + 2).sum();
    let names = areas.iter().map(|a| width(&visible(a))).max().unwrap_or(0);
    let first = names.max(report.header.contract.grouping().len()).max("should".len()).min(page.width - columns);
    page.gap();
    let heads: String = LOOKS.iter().map(|look| format!("  {}", head(look))).collect();
    let heads = page.bold(&format!("{}{heads}", pad(report.header.contract.grouping(), first)));
    page.line(&heads);
    for area in areas {
        let of_area = |r: &&Requirement| r.group() == area;
        row(page, &visible(area), first, &Verdicts::of(report.selected().filter(of_area)));
    }
    page.line(&"─".repeat(first + columns));
    for level in [Some(Level::Must), Some(Level::Should), Some(Level::May), None] {
        let verdicts = report.summary.level(level);
        if verdicts.total() > 0 {
            row(page, words::level(level), first, verdicts);
        }
    }
}

fn head(look: &Look) -> String {
    format!("{} {}", look.symbol, look.word)
}

fn row(page: &mut Page, name: &str, first: usize, verdicts: &Verdicts) {
    let mut line = pad(&fit(name, first), first);
    for look in &LOOKS {
        let room = width(&head(look)) + 2;
        let (cell, count) = match verdicts.get(look.verdict) {
            0 => (NONE.to_owned(), 0),
            n => (n.to_string(), n),
        };
        line += &" ".repeat(room.saturating_sub(width(&cell)));
        line += &if count > 0 { page.styled(look.style(), &cell) } else { cell };
    }
    page.line(&line);
}
