//! Pictures, each with its numbers: tiles for requirements, latencies, and the coverage of the document.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::contract::requirement::Level as Binding;
use crate::report::build::trial_of;
use crate::report::model::{self, Exchange, Report};
use crate::report::text::visible;
use crate::report::text::words::{self, LOOKS, Look};

/// How many requirements of a level have which verdict, in the order of [`LOOKS`].
pub(super) struct Level {
    pub name: &'static str,
    pub counts: Vec<u64>,
}

/// Verdicts by level, the most binding first.
pub(super) fn levels(report: &Report) -> Vec<Level> {
    let all = [Some(Binding::Must), Some(Binding::Should), Some(Binding::May), None];
    let level = |level| {
        let verdicts = report.summary.level(level);
        let counts = LOOKS.iter().map(|look| verdicts.get(look.verdict)).collect();
        (verdicts.total() > 0).then(|| Level { name: words::level(level), counts })
    };
    all.into_iter().filter_map(level).collect()
}

/// The whole contract at a glance: a tile for each requirement.
pub(super) struct Glance {
    /// The columns; none where there is one for all.
    pub areas: Vec<String>,
    pub rows: Vec<Group>,
}

/// A row of tiles: an area of one operation, or an operation with a cell for each area.
pub(super) struct Group {
    pub name: String,
    /// The area of a cell, and its tiles.
    pub cells: Vec<(String, Vec<Tile>)>,
    /// How many have which verdict, in words.
    pub counts: String,
}

/// A requirement.
pub(super) struct Tile {
    pub id: String,
    pub look: Look,
    pub text: String,
}

impl Group {
    fn of(name: &str, areas: &[String], all: &[&model::Requirement]) -> Self {
        let tile = |r: &&&model::Requirement| Tile {
            id: r.id.clone(),
            look: Look::of(r.verdict),
            text: visible(&format!("{}: {}", r.id, r.text)),
        };
        let cell = |area: &String| (area.clone(), all.iter().filter(|r| r.area == *area).map(|r| tile(&r)).collect());
        let cells = match areas {
            [] => vec![(String::new(), all.iter().map(|r| tile(&r)).collect())],
            areas => areas.iter().map(cell).collect(),
        };
        let count = |look: &Look| (all.iter().filter(|r| r.verdict == look.verdict).count(), look.word);
        let counts = LOOKS.iter().map(count).filter(|(n, _)| *n > 0);
        let counts: Vec<String> = counts.map(|(n, word)| format!("{n} {word}")).collect();
        Self { name: visible(name), cells, counts: counts.join(", ") }
    }
}

/// The tiles, by area; of several operations, by operation and area.
pub(super) fn glance(report: &Report) -> Glance {
    let mut groups: BTreeMap<&str, Vec<&model::Requirement>> = BTreeMap::new();
    report.selected().for_each(|r| groups.entry(r.group()).or_default().push(r));
    let areas: BTreeSet<String> = match report.header.contract.operations.is_empty() {
        true => BTreeSet::new(),
        false => report.selected().map(|r| r.area.clone()).collect(),
    };
    let areas: Vec<String> = areas.into_iter().collect();
    let rows = groups.iter().map(|(name, all)| Group::of(name, &areas, all)).collect();
    Glance { areas, rows }
}

fn percent(part: u64, whole: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a picture")]
    let percent = part as f64 * 100.0 / whole.max(1) as f64;
    format!("{percent:.2}%")
}

/// What the pictures need of an exchange.
pub(super) struct Point {
    /// When it was sent, the last time, in microseconds of the epoch.
    pub sent: i64,
    /// How long it took, in microseconds.
    pub took: i64,
    pub answered: bool,
    pub server_error: bool,
    pub again: bool,
    pub failed: bool,
    /// The requirement whose trial it belongs to.
    pub id: Option<String>,
}

impl Point {
    /// Of an exchange; `failed` tells whether it is the last one of a failure.
    pub(super) fn of(exchange: &Exchange, failed: bool) -> Self {
        let sent = exchange.sent.parse::<DateTime<Utc>>().map_or(0, |t| t.timestamp_micros());
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a time limit")]
        let took = (exchange.elapsed_ms.max(0.0) * 1000.0) as i64;
        let status = exchange.response.as_ref().map(|r| r.status);
        Self {
            sent,
            took,
            answered: status.is_some(),
            server_error: status.is_some_and(|s| s >= 500),
            again: exchange.attempt > 1,
            failed,
            id: trial_of(&exchange.trial).map(str::to_owned),
        }
    }
}

/// A bucket of the latencies.
pub(super) struct Bucket {
    pub label: String,
    pub answered: u64,
    pub unanswered: u64,
    /// In percent of the fullest.
    pub answered_width: String,
    pub unanswered_width: String,
}

/// How long exchanges took: buckets of 1, 2, 5, 10, … milliseconds, from the first to the last that has any.
pub(super) fn latencies(points: &[Point]) -> Vec<Bucket> {
    let bounds: Vec<i64> =
        [1_i64, 10, 100, 1000, 10_000, 100_000].iter().flat_map(|ten| [ten * 1000, ten * 2000, ten * 5000]).collect();
    let mut counts: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
    for point in points {
        let (answered, unanswered) = counts.entry(bounds.partition_point(|b| *b <= point.took)).or_default();
        *(if point.answered { answered } else { unanswered }) += 1;
    }
    let (Some((first, _)), Some((last, _))) = (counts.first_key_value(), counts.last_key_value()) else {
        return Vec::new();
    };
    let (first, last) = (*first, *last);
    let most = counts.values().map(|(a, u)| a + u).max().unwrap_or(1);
    let name = |micros: i64| match micros / 1000 {
        ms if ms < 1000 => format!("{ms} ms"),
        ms => format!("{} s", ms / 1000),
    };
    let bucket = |at: usize| {
        let (answered, unanswered) = counts.get(&at).copied().unwrap_or_default();
        let label = match (at.checked_sub(1).and_then(|i| bounds.get(i)), bounds.get(at)) {
            (None, Some(to)) => format!("under {}", name(*to)),
            (Some(from), Some(to)) => format!("{} to {}", name(*from), name(*to)),
            (from, None) => format!("{} and more", name(from.copied().unwrap_or_default())),
        };
        Bucket {
            label,
            answered,
            unanswered,
            answered_width: percent(answered, most),
            unanswered_width: percent(unanswered, most),
        }
    };
    (first..=last).map(bucket).collect()
}

/// A field of the request's body and what is said of it.
pub(super) struct Field {
    pub name: String,
    pub rules: Vec<Rule>,
}

/// What is said of a field, and what of it was tried.
pub(super) struct Rule {
    pub id: String,
    pub says: String,
    pub look: Look,
    pub selected: bool,
    pub accepted: model::Sent,
    pub rejected: model::Sent,
}

impl Rule {
    /// What must be accepted, and what must be rejected.
    pub(super) fn sides(&self) -> [model::Sent; 2] {
        [self.accepted, self.rejected]
    }
}

/// Each field with each of its constraints.
pub(super) fn coverage(report: &Report) -> Vec<Field> {
    let mut fields: BTreeMap<&str, Vec<Rule>> = BTreeMap::new();
    for requirement in &report.requirements {
        let Some(coverage) = &requirement.coverage else { continue };
        for field in &coverage.fields {
            fields.entry(field).or_default().push(Rule {
                id: requirement.id.clone(),
                says: visible(&coverage.says),
                look: Look::of(requirement.verdict),
                selected: requirement.selected,
                accepted: coverage.accepted,
                rejected: coverage.rejected,
            });
        }
    }
    let name = |field: &str| match field {
        "" => "the body itself".to_owned(),
        // A report may come from elsewhere: what it calls a pointer need not be one.
        field => visible(field.strip_prefix('/').unwrap_or(field)),
    };
    fields.into_iter().map(|(field, rules)| Field { name: name(field), rules }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(sent: i64, took: i64) -> Point {
        Point { sent, took, answered: true, server_error: false, again: false, failed: false, id: None }
    }

    #[test]
    fn a_field_that_is_no_pointer_is_shown_as_it_is() {
        let mut report = crate::report::sample::sample();
        let covered = report.requirements.iter_mut().find_map(|r| r.coverage.as_mut()).unwrap();
        covered.fields = vec!["ຮ/x".to_owned(), "/ຮ".to_owned(), String::new()];
        let names: Vec<String> = coverage(&report).into_iter().map(|field| field.name).collect();
        assert!(["ຮ/x", "ຮ", "the body itself"].iter().all(|name| names.iter().any(|n| n == name)), "{names:?}");
    }

    #[test]
    fn every_latency_is_in_a_bucket() {
        let points = [point(0, 0), point(0, 999), point(0, 1000), point(0, 7000), point(0, i64::MAX / 2)];
        let buckets = latencies(&points);
        assert_eq!(buckets.iter().map(|b| b.answered).sum::<u64>(), 5);
        let label = |i: usize| (&buckets[i].label[..], buckets[i].answered);
        assert_eq!((label(0), label(1)), (("under 1 ms", 2), ("1 ms to 2 ms", 1)));
        assert_eq!(buckets.last().unwrap().label, "500 s and more");
    }
}
