//! Pictures, each with its numbers: verdicts, latencies, the timeline, and the coverage of the document.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::view::milliseconds;
use crate::judge::tally::Verdict;
use crate::report::model::{self, Exchange, Report};
use crate::report::text::visible;
use crate::report::words::{self, LOOKS, Look};

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
#[derive(Clone, Copy)]
pub(super) struct Point {
    /// When it was sent, in microseconds of the epoch.
    sent: i64,
    /// How long it took, in microseconds.
    took: i64,
    answered: bool,
    server_error: bool,
    again: bool,
    failed: bool,
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

/// How many columns the timeline has.
const COLUMNS: usize = 240;
/// How many rows its table has.
const ROWS: usize = 24;

/// The run over time. Places are columns of [`COLUMNS`], times come in words.
pub(super) struct Timeline {
    pub length: String,
    pub half: String,
    /// The most requests that were under way in a column.
    pub most: usize,
    /// The outline of how many were under way, for a box of `COLUMNS` by 100.
    pub under_way: String,
    /// Where nothing was under way: first column and width.
    pub idle: Vec<(usize, usize)>,
    /// Columns in which a request began that had to be sent again.
    pub again: Vec<usize>,
    /// Columns in which an exchange began that shows a failure.
    pub failed: Vec<usize>,
    /// Columns in which one began that got no answer, or a 5xx.
    pub unanswered: Vec<usize>,
    pub rows: Vec<Slice>,
}

/// A row of the timeline's table.
#[derive(Default)]
pub(super) struct Slice {
    pub from: String,
    pub begun: usize,
    pub most: usize,
    pub again: usize,
    pub failed: usize,
    pub unanswered: usize,
}

/// The timeline; none where nothing was sent.
pub(super) fn timeline(points: &[Point]) -> Option<Timeline> {
    let start = points.iter().map(|p| p.sent).min()?;
    let end = points.iter().map(|p| p.sent + p.took).max()?;
    let length = (end - start).max(1);
    let columns = i64::try_from(COLUMNS).unwrap_or(1);
    let column = |at: i64| usize::try_from((at - start) * columns / length).unwrap_or_default().min(COLUMNS - 1);
    let most = under_way(points, column);
    let of = |wanted: fn(&Point) -> bool| {
        let mut all: Vec<usize> = points.iter().filter(|p| wanted(p)).map(|p| column(p.sent)).collect();
        all.sort_unstable();
        all
    };
    let (begun, again) = (of(|_| true), of(|p| p.again));
    let (failed, unanswered) = (of(|p| p.failed), of(|p| !p.answered || p.server_error));
    let slice = |row: usize| {
        let (from, to) = (row * COLUMNS / ROWS, (row + 1) * COLUMNS / ROWS);
        let within = |all: &[usize]| all.iter().filter(|c| (from..to).contains(c)).count();
        Slice {
            from: milliseconds(micros(i64::try_from(from).unwrap_or_default() * length / columns)),
            begun: within(&begun),
            most: most[from..to].iter().copied().max().unwrap_or_default(),
            again: within(&again),
            failed: within(&failed),
            unanswered: within(&unanswered),
        }
    };
    let rows = (0..ROWS).map(slice).collect();
    let highest = most.iter().copied().max().unwrap_or(1).max(1);
    let mut path = String::from("M0 100");
    for (at, n) in most.iter().enumerate() {
        path += &format!("V{}H{}", 100 - n * 100 / highest, at + 1);
    }
    path += "V100Z";
    let mut idle: Vec<(usize, usize)> = Vec::new();
    for at in (0..COLUMNS).filter(|at| most[*at] == 0) {
        match idle.last_mut() {
            Some((from, width)) if *from + *width == at => *width += 1,
            _ => idle.push((at, 1)),
        }
    }
    let once = |mut all: Vec<usize>| {
        all.dedup();
        all
    };
    Some(Timeline {
        length: milliseconds(micros(length)),
        half: milliseconds(micros(length / 2)),
        most: highest,
        under_way: path,
        idle,
        again: once(again),
        failed: once(failed),
        unanswered: once(unanswered),
        rows,
    })
}

/// The most that were under way in each column.
fn under_way(points: &[Point], column: impl Fn(i64) -> usize) -> Vec<usize> {
    let mut events: Vec<(i64, i32)> = points.iter().flat_map(|p| [(p.sent, 1), (p.sent + p.took, -1)]).collect();
    // What ends when another begins ends first.
    events.sort_unstable();
    let mut most = vec![0; COLUMNS];
    let (mut now, mut last) = (0_i32, 0);
    for (at, change) in events {
        let here = column(at);
        let count = usize::try_from(now).unwrap_or_default();
        for column in &mut most[last..=here] {
            *column = count.max(*column);
        }
        now += change;
        last = here;
        most[here] = usize::try_from(now).unwrap_or_default().max(most[here]);
    }
    most
}

fn micros(micros: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a picture")]
    let millis = micros as f64 / 1000.0;
    millis
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
        Point { sent, took, answered: true, server_error: false, again: false, failed: false }
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
    fn requests_under_way_are_counted() {
        let points = [point(0, 100), point(50, 50), point(100, 20), point(200, 40)];
        let timeline = timeline(&points).unwrap();
        assert_eq!((timeline.most, &timeline.length[..]), (2, "0.2 ms"));
        let begun: usize = timeline.rows.iter().map(|r| r.begun).sum();
        assert_eq!(begun, 4);
        // From 120 to 200 of 240 nothing was.
        assert_eq!(timeline.idle, [(121, 79)]);
        assert!(super::timeline(&[]).is_none());
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
