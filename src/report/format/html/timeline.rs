//! The run over time: what was under way, waits, failures.

use crate::report::format::html::charts::Point;
use crate::report::format::html::view::milliseconds;
use crate::report::text::counted;

/// How many columns the timeline has.
const COLUMNS: usize = 240;
/// From how many microseconds on it is a wait that nothing is under way.
const SHORTEST: i64 = 250_000;
/// What begins within so many microseconds after a wait has waited for the same.
const TOGETHER: i64 = 50_000;
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
    /// When nothing was under way.
    pub waits: Vec<Wait>,
    /// Columns in which a request began that had to be sent again.
    pub again: Vec<usize>,
    /// Columns in which an exchange began that shows a failure.
    pub failed: Vec<usize>,
    /// Columns in which one began that got no answer, or a 5xx.
    pub unanswered: Vec<usize>,
    pub rows: Vec<Slice>,
}

impl Timeline {
    /// How many waits there were, in words.
    pub(super) fn counted_waits(&self) -> String {
        counted(self.waits.len() as u64, "wait")
    }
}

/// A time in which nothing was under way.
pub(super) struct Wait {
    /// First column, and how many.
    pub column: usize,
    pub columns: usize,
    pub from: String,
    pub length: String,
    /// What was waited for, as far as what came then tells.
    pub reason: String,
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

/// The timeline; none where nothing was sent. `asked` tells whether the server asked to wait, `pace` the time from one
/// request to the next that was wanted, in milliseconds.
pub(super) fn timeline(points: &[Point], asked: bool, pace: Option<f64>) -> Option<Timeline> {
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
    let wait = |(from, to, reason): (i64, i64, String)| Wait {
        column: column(from),
        columns: (column(to) - column(from)).max(1),
        from: milliseconds(micros(from - start)),
        length: milliseconds(micros(to - from)),
        reason,
    };
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds")]
    let shortest = SHORTEST.max((pace.unwrap_or_default() * 1100.0) as i64);
    let once = |mut all: Vec<usize>| {
        all.dedup();
        all
    };
    Some(Timeline {
        length: milliseconds(micros(length)),
        half: milliseconds(micros(length / 2)),
        most: highest,
        under_way: path,
        waits: waits(points, shortest, asked).into_iter().map(wait).collect(),
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

/// When nothing was under way for so many microseconds or longer: from when to when, and why.
fn waits(points: &[Point], shortest: i64, asked: bool) -> Vec<(i64, i64, String)> {
    let mut points: Vec<&Point> = points.iter().collect();
    points.sort_by_key(|p| p.sent);
    let mut all = Vec::new();
    let mut free = i64::MAX;
    for (i, next) in points.iter().enumerate() {
        if next.sent.saturating_sub(free) >= shortest {
            let begun = || points[i..].iter().take_while(|p| p.sent < next.sent + TOGETHER);
            let again = begun().filter(|p| p.again).count();
            let reason = match (again, &next.id) {
                (0, None) => "nothing was due".to_owned(),
                (0, Some(id)) => format!("what {id} waits for"),
                (n, _) if asked => format!("the server asked to wait: {} sent again", counted(n as u64, "request")),
                (n, _) => format!("a connection broke or was not made: {} sent again", counted(n as u64, "request")),
            };
            all.push((free, next.sent, reason));
        }
        free = if i == 0 { next.sent + next.took } else { free.max(next.sent + next.took) };
    }
    all
}

fn micros(micros: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a picture")]
    let millis = micros as f64 / 1000.0;
    millis
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(sent: i64, took: i64) -> Point {
        Point { sent, took, answered: true, server_error: false, again: false, failed: false, id: None }
    }

    #[test]
    fn requests_under_way_are_counted() {
        let points = [point(0, 100), point(50, 50), point(100, 20), point(200, 40)];
        let timeline = timeline(&points, false, None).unwrap();
        assert_eq!((timeline.most, &timeline.length[..]), (2, "0.2 ms"));
        let begun: usize = timeline.rows.iter().map(|r| r.begun).sum();
        assert_eq!(begun, 4);
        assert!(super::timeline(&[], false, None).is_none());
    }

    #[test]
    fn waits_say_what_was_waited_for() {
        let ms = |ms: i64| ms * 1000;
        let points = [
            point(0, ms(40)),
            Point { id: Some("a/later".into()), ..point(ms(2000), ms(10)) },
            Point { again: true, ..point(ms(3010), ms(10)) },
            Point { again: true, ..point(ms(3020), ms(20)) },
            point(ms(3900), ms(100)),
        ];
        let waits = |asked, pace| {
            let timeline = timeline(&points, asked, pace).unwrap();
            let text = |w: Wait| format!("{} {} {} {} {}", w.column, w.columns, w.from, w.length, w.reason);
            timeline.waits.into_iter().map(text).collect::<Vec<_>>()
        };
        let due = [
            "2 118 40 ms 2.0 s what a/later waits for",
            "120 60 2.0 s 1.0 s the server asked to wait: 2 requests sent again",
            "182 52 3.0 s 860 ms nothing was due",
        ];
        assert_eq!(waits(true, None), due);
        // What the pace makes of it is no wait.
        assert_eq!(waits(true, Some(900.0)), due[..2]);
        assert!(waits(false, None)[1].ends_with("a connection broke or was not made: 2 requests sent again"));
    }
}
