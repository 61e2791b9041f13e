//! Pictures, each with its numbers: verdicts, latencies, and the coverage of the document.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::judge::tally::Verdict;
use crate::report::build::trial_of;
use crate::report::model::{self, Exchange, Report};
use crate::report::text::visible;
use crate::report::text::words::{self, LOOKS, Look};

/// How many requirements of an area, or of a level, have which verdict.
pub(super) struct Verdicts {
    pub name: String,
    /// In the order of [`LOOKS`].
    pub counts: Vec<Share>,
}

/// A part of a bar.
pub(super) struct Share {
    pub look: Look,
    pub count: usize,
    /// Where it begins and how wide it is, in percent.
    pub from: String,
    pub width: String,
}

/// Verdicts by area, or by level.
pub(super) fn verdicts(report: &Report, by: impl Fn(&model::Requirement) -> String) -> Vec<Verdicts> {
    let mut groups: Vec<(String, Vec<Verdict>)> = Vec::new();
    for requirement in report.selected() {
        let name = by(requirement);
        match groups.iter_mut().find(|(n, _)| *n == name) {
            Some((_, all)) => all.push(requirement.verdict),
            None => groups.push((name, vec![requirement.verdict])),
        }
    }
    let bar = |(name, all): (String, Vec<Verdict>)| {
        let mut before = 0;
        let share = |look: &Look| {
            let count = all.iter().filter(|v| **v == look.verdict).count();
            let from = percent(before as u64, all.len() as u64);
            before += count;
            Share { look: *look, count, from, width: percent(count as u64, all.len() as u64) }
        };
        Verdicts { name, counts: LOOKS.iter().map(share).collect() }
    };
    groups.into_iter().map(bar).collect()
}

/// Verdicts by level, the most binding first.
pub(super) fn levels(report: &Report) -> Vec<Verdicts> {
    let mut all = verdicts(report, |r| words::level(r.level).to_owned());
    all.sort_by_key(|v| ["must", "should", "may"].iter().position(|l| *l == v.name).unwrap_or(usize::MAX));
    all
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
            again: exchange.retries > 0,
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
