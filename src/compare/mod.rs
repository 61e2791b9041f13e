//! Reports beside each other: implementations, or versions of one, × requirements.
//!
//! A pure function of the reports. Two runs differ in a requirement where its verdict differs, or what a probe saw: a
//! changed rounding or status is a finding about what the contract leaves open. How often something was seen is chance.
//!
//! - [`text`]: as a table for a terminal
//! - [`page`]: as Markdown and HTML

pub mod page;
pub mod text;

use serde::Serialize;
use serde_json::Value as Json;

use crate::contract::requirement::Level;
use crate::judge::tally::Verdict;
use crate::report::model::summary::Summary;
use crate::report::model::{Report, Requirement};
use crate::report::text::words::{LOOKS, Look};

/// Reports beside each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The contract's name, of the first report.
    pub contract: String,
    /// What is compared, in the order in which it was given.
    pub sides: Vec<Side>,
    /// Every requirement that a run was about: first those in which they differ, by id.
    pub rows: Vec<Row>,
}

/// One of the reports.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// What it is called.
    pub name: String,
    /// The target.
    pub target: String,
    /// When the run began.
    pub started: String,
    /// The run's seed.
    pub seed: u64,
    /// SHA-256 of its contract.
    pub hash: String,
    /// How many requirements have which verdict.
    pub summary: Summary,
    /// The page of its report, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

impl Side {
    /// How many of its requirements, probes among them, have each verdict.
    pub(crate) fn total(&self, verdict: Verdict) -> u64 {
        self.summary.total(verdict) + self.summary.probe.get(verdict)
    }

    /// Where its report tells of a requirement.
    pub(crate) fn link(&self, id: &str) -> Option<String> {
        // What a browser takes for something else in an address.
        let escaped = |text: &str| text.replace('%', "%25").replace(' ', "%20").replace('#', "%23").replace('?', "%3F");
        self.page.as_ref().map(|page| format!("{}#{}", escaped(page), escaped(id)))
    }
}

/// A requirement in all of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its level; null for probes.
    pub level: Option<Level>,
    /// One sentence.
    pub text: String,
    /// Whether the reports differ in it.
    pub differs: bool,
    /// What each report says, in the order of the sides; null where a run was not about it.
    pub cells: Vec<Option<Cell>>,
}

/// What a report says of a requirement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// The verdict.
    pub verdict: Verdict,
    /// What is wrong, in a line; empty where it held.
    pub trouble: String,
    /// What a probe saw, each value once.
    pub observed: Vec<Json>,
}

impl Comparison {
    /// The same with the pages of the reports, in the order of the sides.
    #[must_use]
    pub fn linked(mut self, pages: Vec<Option<String>>) -> Self {
        self.sides.iter_mut().zip(pages).for_each(|(side, page)| side.page = page);
        self
    }

    /// The verdicts that any of the reports has, with how many requirements of each have them.
    pub(crate) fn totals(&self) -> Vec<(Look, Vec<u64>)> {
        let total = |look: &Look| (*look, self.sides.iter().map(|side| side.total(look.verdict)).collect::<Vec<_>>());
        LOOKS.iter().map(total).filter(|(_, counts)| counts.iter().any(|n| *n > 0)).collect()
    }

    /// Puts named reports beside each other.
    pub fn new(reports: &[(String, Report)]) -> Self {
        let mut ids: Vec<&str> =
            reports.iter().flat_map(|(_, report)| report.selected().map(|r| r.id.as_str())).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut rows: Vec<Row> = ids.into_iter().filter_map(|id| row(id, reports)).collect();
        rows.sort_by_key(|row| !row.differs);
        Self {
            contract: reports.first().map_or_else(String::new, |(_, r)| r.header.contract.name.clone()),
            sides: reports.iter().map(|(name, report)| side(name, report)).collect(),
            rows,
        }
    }

    /// The requirements in which they differ.
    pub fn differing(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|r| r.differs)
    }
}

fn side(name: &str, report: &Report) -> Side {
    let header = &report.header;
    Side {
        name: name.to_owned(),
        target: header.target.clone(),
        started: header.started.clone(),
        seed: header.seed,
        hash: header.contract.hash.clone(),
        summary: report.summary,
        page: None,
    }
}

fn row(id: &str, reports: &[(String, Report)]) -> Option<Row> {
    let found = || reports.iter().map(|(_, report)| report.requirement(id).filter(|r| r.selected));
    let any: &Requirement = found().flatten().next()?;
    let cells: Vec<Option<Cell>> = found().map(|r| r.map(cell)).collect();
    // What a run was not about says nothing.
    let mut known = cells.iter().flatten().map(|c| (c.verdict, &c.observed));
    let first = known.next();
    Some(Row {
        id: any.id.clone(),
        level: any.level,
        text: any.text.clone(),
        differs: known.any(|c| Some(c) != first),
        cells,
    })
}

fn cell(requirement: &Requirement) -> Cell {
    let mut observed: Vec<Json> = requirement.observations.iter().map(|o| o.value.clone()).collect();
    observed.sort_by_key(ToString::to_string);
    Cell { verdict: requirement.verdict, trouble: requirement.trouble(), observed }
}

/// What a probe saw, in a line.
pub(crate) fn observed(cell: &Cell) -> String {
    cell.observed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What a cell has to say beside its verdict, in a line.
pub(crate) fn detail(cell: Option<&Cell>) -> String {
    match cell {
        None => "the run did not include it".to_owned(),
        Some(cell) if !cell.observed.is_empty() => observed(cell),
        Some(cell) if cell.trouble.is_empty() => cell.verdict.name().to_owned(),
        Some(cell) => format!("{}: {}", cell.verdict.name(), cell.trouble),
    }
}

/// The letter that stands for a side in tables.
pub(crate) fn letter(place: usize) -> String {
    let letter = u8::try_from(place % 26).map_or('?', |n| char::from(b'A' + n));
    letter.to_string().repeat(place / 26 + 1)
}

#[cfg(test)]
mod tests;
