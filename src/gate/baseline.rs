//! A report of before: what is worse now, what is better.

use super::badness;
use crate::judge::tally::Verdict;
use crate::report::model::{Change, Report, Requirement, Turn};

/// What came of a requirement before, if that run was about it.
fn before<'a>(baseline: &'a Report, id: &str) -> Option<&'a Requirement> {
    baseline.requirement(id).filter(|r| r.selected)
}

/// Whether a requirement is worse than it was: newly failing, or newly not known. What is new has to hold.
pub(super) fn is_worse(baseline: &Report, now: &Requirement) -> bool {
    let was = before(baseline, &now.id).map_or(Verdict::Pass, |r| r.verdict);
    badness(now.verdict) > badness(Verdict::Skipped).max(badness(was))
}

/// What is worse, a line each, of the requirements that `counts` speaks of; and which are gone altogether.
pub(super) fn worse(baseline: &Report, now: &Report, counts: &dyn Fn(&Requirement) -> bool) -> (Vec<String>, u64) {
    let worse = now.selected().filter(|r| counts(r) && is_worse(baseline, r));
    let mut lines: Vec<String> = worse.map(|r| line(before(baseline, &r.id), r)).collect();
    let gone = baseline.selected().filter(|r| counts(r) && now.requirement(&r.id).is_none());
    let gone: Vec<String> =
        gone.map(|r| format!("{}: {} before, and no longer in the contract", r.id, r.verdict.name())).collect();
    let count = gone.len() as u64;
    lines.extend(gone);
    lines.sort();
    (lines, count)
}

/// What counts and held or was broken before, and cannot be tried now, a line each: nothing is held against a server for
/// that, but less is known of it.
pub(super) fn lost(baseline: &Report, now: &Report, counts: &dyn Fn(&Requirement) -> bool) -> Vec<String> {
    let skipped = now.selected().filter(|r| counts(r) && r.verdict == Verdict::Skipped);
    let lost = skipped.filter_map(|r| {
        let was = before(baseline, &r.id)?;
        matches!(was.verdict, Verdict::Pass | Verdict::Fail).then(|| line(Some(was), r))
    });
    lost.collect()
}

/// What is better, a line each.
pub(super) fn better(baseline: &Report, now: &Report) -> Vec<String> {
    let better = now.selected().filter_map(|r| {
        let was = before(baseline, &r.id)?;
        let mended = r.verdict == Verdict::Pass && badness(was.verdict) > badness(Verdict::Skipped);
        mended.then(|| line(Some(was), r))
    });
    better.collect()
}

/// What became of each requirement that is not as it was, of those that `counts` speaks of: first what broke, then what was
/// fixed, what is new, and what is gone.
pub(super) fn changes(baseline: &Report, now: &Report, counts: &dyn Fn(&Requirement) -> bool) -> Vec<Change> {
    let mended = |was: Verdict, r: &Requirement| r.verdict == Verdict::Pass && badness(was) > badness(Verdict::Skipped);
    let change = |r: &Requirement| {
        let before = before(baseline, &r.id).map(|was| was.verdict);
        let turn = match before {
            _ if counts(r) && is_worse(baseline, r) => Turn::Broke,
            None => Turn::New,
            Some(was) if mended(was, r) => Turn::Fixed,
            Some(_) => return None,
        };
        Some(Change { id: r.id.clone(), turn, before, now: Some(r.verdict) })
    };
    let gone = baseline.selected().filter(|r| now.requirement(&r.id).is_none());
    let gone = gone.map(|r| Change { id: r.id.clone(), turn: Turn::Gone, before: Some(r.verdict), now: None });
    let mut all: Vec<Change> = now.selected().filter_map(change).chain(gone).collect();
    all.sort_by(|a, b| (a.turn, &a.id).cmp(&(b.turn, &b.id)));
    all
}

fn line(was: Option<&Requirement>, now: &Requirement) -> String {
    match was {
        Some(was) => format!("{}: {} before, now {}", now.id, was.verdict.name(), now.verdict.name()),
        None => format!("{}: not tried before, now {}", now.id, now.verdict.name()),
    }
}
