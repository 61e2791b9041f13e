//! The parts of a run that was split over machines, joined to one report.
//!
//! A requirement with requests of its own was tried in one part. What is judged on whatever is sent was judged in every
//! part: its evidence is added up, and the worse wins, as within one run. A part that is missing leaves what it would
//! have tried untested.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, FixedOffset, SecondsFormat, TimeDelta, Utc};

use crate::judge::tally::Verdict;
use crate::plan::Selection;
use crate::report::build::FAILURES_SHOWN;
use crate::report::model::record::Exchange;
use crate::report::model::summary::Summary;
use crate::report::model::{
    Again, Cause, Cleanup, ClockDifference, Counts, End, Failure, Figures, Header, Health, HealthState, Observation,
    Report, Requirement, Shard, Slow, Troubles,
};
use crate::report::text::ranges;
use crate::report::text::{counted, listed};
use crate::run::SLOWEST;

/// Why parts cannot be joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A report of a whole run.
    #[error("it is not a part of a run: `check --shard 1/2` makes one")]
    Whole,
    /// Two reports of one part.
    #[error("part {0} is given twice")]
    Twice(Shard),
    /// Parts of different runs.
    #[error("its {what} is {this}, that of the first part is {first}")]
    Other {
        /// What differs.
        what: &'static str,
        /// What it is here.
        this: String,
        /// What it is in the first part.
        first: String,
    },
}

/// Joins parts. How much is to be added to the numbers of each part's exchanges comes with them.
///
/// # Errors
/// The place of the part that does not fit, and why.
pub fn merge(parts: &[(Report, u64)]) -> Result<Report, (usize, Misfit)> {
    let Some((first, _)) = parts.first() else { return Err((0, Misfit::Whole)) };
    let mut seen = BTreeSet::new();
    for (i, (part, _)) in parts.iter().enumerate() {
        let shard = part.header.options.shard.ok_or((i, Misfit::Whole))?;
        if let Some(misfit) = misfit(&first.header, &part.header) {
            return Err((i, misfit));
        }
        if !seen.insert(shard) {
            return Err((i, Misfit::Twice(shard)));
        }
    }
    let of = first.header.options.shard.map_or(0, |s| s.of);
    let missing: Vec<Shard> = (1..=of).map(|part| Shard { part, of }).filter(|s| !seen.contains(s)).collect();
    let mut by_id: BTreeMap<&str, Vec<Requirement>> = BTreeMap::new();
    for (part, shift) in parts {
        for requirement in &part.requirements {
            by_id.entry(&requirement.id).or_default().push(shifted(requirement.clone(), *shift));
        }
    }
    let options = &first.header.options;
    let selection = Selection::new(options.only.clone(), options.skip.clone());
    // The patterns were good when the parts were made.
    let missed =
        |id: &str| missing.iter().copied().find(|s| s.holds(id)).filter(|_| selection.fits(id).unwrap_or(true));
    let mut requirements: Vec<Requirement> = by_id.into_values().filter_map(|same| join(same, &missed)).collect();
    let figures = figures(parts);
    requirements.iter_mut().for_each(|requirement| gateway_errors(requirement, &figures));
    Ok(Report {
        version: first.version,
        header: header(parts),
        summary: Summary::of(&requirements),
        requirements,
        figures,
        health: health(parts),
        end: end(parts, &missing),
        cleanup: cleanup(parts),
        ruling: None,
    })
}

fn misfit(first: &Header, this: &Header) -> Option<Misfit> {
    let options = |h: &Header| {
        let o = &h.options;
        format!("--only {:?} --skip {:?} --examples {}", o.only, o.skip, o.examples)
    };
    let parts = |h: &Header| h.options.shard.map_or(0, |s| s.of).to_string();
    let all: [(&'static str, String, String); 6] = [
        ("contract", this.contract.hash.clone(), first.contract.hash.clone()),
        ("target", this.target.clone(), first.target.clone()),
        ("seed", this.seed.to_string(), first.seed.to_string()),
        ("number of parts", parts(this), parts(first)),
        ("selection", options(this), options(first)),
        ("version of probity", this.tool.version.clone(), first.tool.version.clone()),
    ];
    all.into_iter().find(|(_, a, b)| a != b).map(|(what, this, first)| Misfit::Other { what, this, first })
}

/// A requirement whose exchanges have other numbers.
fn shifted(mut requirement: Requirement, shift: u64) -> Requirement {
    let failures = requirement.failures.iter_mut().flat_map(|f| &mut f.exchanges);
    let doubt = requirement.doubt.iter_mut().flat_map(|d| &mut d.exchanges);
    let gateway = requirement.gateway.iter_mut().flat_map(|f| &mut f.exchanges);
    failures.chain(doubt).chain(gateway).for_each(|e| e.number += shift);
    requirement.evidence = ranges::shifted(&requirement.evidence, shift);
    requirement
}

/// One requirement of all parts; `missed` tells which part that is missing would have tried it.
fn join(same: Vec<Requirement>, missed: &dyn Fn(&str) -> Option<Shard>) -> Option<Requirement> {
    let (mut tried, others): (Vec<_>, Vec<_>) = same.into_iter().partition(|r| r.selected);
    match tried.len() {
        0 => {
            let mut requirement = others.into_iter().next()?;
            if let Some(shard) = missed(&requirement.id) {
                requirement.selected = true;
                requirement.counts.left_out = 1;
                requirement.reason = Some(format!("part {shard} of the run is missing"));
            }
            Some(requirement)
        }
        1 => tried.pop(),
        _ => Some(added(tried)),
    }
}

/// A requirement that several parts judged.
pub(super) fn added(mut same: Vec<Requirement>) -> Requirement {
    let sum = |count: fn(&Counts) -> u64| same.iter().map(|r| count(&r.counts)).sum::<u64>();
    let counts = Counts {
        holds: sum(|c| c.holds),
        broken: sum(|c| c.broken),
        until_broken: same.iter().filter_map(|r| r.counts.until_broken).min(),
        unknown: sum(|c| c.unknown),
        skipped: sum(|c| c.skipped),
        left_out: sum(|c| c.left_out),
    };
    let all: u64 = same.iter().map(|r| r.failures.len() as u64 + r.more_failures).sum();
    let again = same.iter().filter_map(|r| r.again);
    let again = again.reduce(|a, b| Again { sent: a.sent + b.sent, broken: a.broken + b.broken });
    let at_once = same.iter().filter_map(|r| r.at_once).max();
    let mut observations: Vec<Observation> = Vec::new();
    for observation in same.iter().flat_map(|r| &r.observations) {
        match observations.iter_mut().find(|o| o.value == observation.value) {
            Some(known) => known.count += observation.count,
            None => observations.push(observation.clone()),
        }
    }
    observations.sort_by_key(|o| o.value.to_string());
    let verdict = verdict(&counts);
    // What explains the verdict comes from the first part that has it.
    let at = same.iter().position(|r| r.verdict == verdict).unwrap_or(0);
    same.rotate_left(at);
    let mut failures: Vec<_> = same.iter_mut().flat_map(|r| std::mem::take(&mut r.failures)).collect();
    failures.sort_by_key(|f| !f.smallest);
    failures.truncate(FAILURES_SHOWN);
    let evidence = ranges::joined(same.iter().map(|r| r.evidence.as_str()));
    let coverage = same.iter().filter_map(|r| r.coverage.clone()).reduce(|mut sum, part| {
        for (sum, part) in [(&mut sum.accepted, part.accepted), (&mut sum.rejected, part.rejected)] {
            sum.sent += part.sent;
            sum.as_due += part.as_due;
        }
        sum
    });
    let gateway = same.iter_mut().find_map(|r| r.gateway.take());
    let first = same.swap_remove(0);
    Requirement {
        verdict,
        counts,
        evidence,
        coverage,
        more_failures: all - failures.len() as u64,
        failures,
        again,
        at_once,
        observations,
        gateway,
        ..first
    }
}

/// Fails what allows a few gateway errors where those of all parts are more than that, though no part's were.
pub(super) fn gateway_errors(requirement: &mut Requirement, figures: &Figures) {
    let fair = Troubles::fair(figures.requests);
    let is_broken = figures.troubles.gateway_counted > fair;
    if let Some(failure) = requirement.gateway.take().filter(|_| is_broken && requirement.counts.broken == 0) {
        requirement.verdict = Verdict::Fail;
        requirement.counts.broken = 1;
        requirement.reason = None;
        let (expected, actual) = Troubles::text(figures.troubles.gateway_counted, figures.requests);
        requirement.failures = vec![Failure { expected, actual, ..*failure }];
    }
}

/// The verdict on what is judged on whatever is sent, as [`crate::judge::tally::Tally::verdict`] has it.
fn verdict(counts: &Counts) -> Verdict {
    match counts {
        Counts { broken: 1.., .. } => Verdict::Fail,
        Counts { left_out: 1.., .. } => Verdict::Untested,
        Counts { holds: 1.., .. } => Verdict::Pass,
        Counts { unknown: 1.., .. } => Verdict::Inconclusive,
        Counts { skipped: 1.., .. } => Verdict::Skipped,
        _ => Verdict::Untested,
    }
}

/// When a part began and ended.
fn span(report: &Report) -> Option<(DateTime<FixedOffset>, DateTime<FixedOffset>)> {
    let started = DateTime::parse_from_rfc3339(&report.header.started).ok()?;
    let elapsed = TimeDelta::milliseconds(i64::try_from(report.figures.elapsed_ms).ok()?);
    Some((started, started.checked_add_signed(elapsed)?))
}

fn header(parts: &[(Report, u64)]) -> Header {
    let headers = || parts.iter().map(|(part, _)| &part.header);
    let mut header = parts[0].0.header.clone();
    header.options.shard = None;
    header.run_tag = headers().map(|h| h.run_tag.clone()).collect::<Vec<_>>().join(", ");
    header.variables = headers().flat_map(|h| h.variables.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    header.options.max_requests = headers().map(|h| h.options.max_requests).sum();
    if let Some(started) = parts.iter().filter_map(|(part, _)| Some(span(part)?.0)).min() {
        header.started = started.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Millis, true);
    }
    header
}

pub(super) fn figures(parts: &[(Report, u64)]) -> Figures {
    let all = || parts.iter().map(|(part, _)| &part.figures);
    let spans = || parts.iter().filter_map(|(part, _)| span(part));
    let elapsed = spans().map(|s| s.1).max().zip(spans().map(|s| s.0).min()).map(|(end, start)| end - start);
    Figures {
        requests: all().map(|f| f.requests).sum(),
        retries: all().map(|f| f.retries).sum(),
        accepted: all().map(|f| f.accepted).sum(),
        created: all().map(|f| f.created).sum(),
        uncertain: all().map(|f| f.uncertain).sum(),
        refused: all().map(|f| f.refused).sum(),
        troubles: all().map(|f| f.troubles).fold(Troubles::default(), Troubles::and),
        pace_per_second: all().filter_map(|f| f.pace_per_second).reduce(f64::min),
        slowest: slowest(all().flat_map(|f| f.slowest.clone()).collect()),
        waited_ms: all().map(|f| f.waited_ms).max().unwrap_or(0),
        elapsed_ms: elapsed.and_then(|e| u64::try_from(e.num_milliseconds()).ok()).unwrap_or(0),
        // They cannot be decided from those of the parts.
        latency: None,
        most_at_once: all().map(|f| f.most_at_once).max().unwrap_or(0),
        clock: all()
            .filter_map(|f| f.clock)
            .reduce(|a, b| ClockDifference { low_ms: a.low_ms.min(b.low_ms), high_ms: a.high_ms.max(b.high_ms) }),
    }
}

/// The slowest of all parts.
fn slowest(mut all: Vec<Slow>) -> Vec<Slow> {
    all.sort_by(|a, b| b.max_ms.total_cmp(&a.max_ms));
    let mut seen = BTreeSet::new();
    all.retain(|slow| seen.insert(slow.requirement.clone()));
    all.truncate(SLOWEST);
    all
}

/// What came of removing what was created, where that was tried.
fn cleanup(parts: &[(Report, u64)]) -> Option<Cleanup> {
    let all = parts.iter().filter_map(|(part, _)| part.cleanup.clone());
    all.reduce(|mut sum, part| {
        sum.removed += part.removed;
        sum.left.extend(part.left);
        sum
    })
}

pub(super) fn health(parts: &[(Report, u64)]) -> Health {
    let of = |state| parts.iter().map(|(part, _)| &part.health).find(|s| s.state == state);
    let worst = of(HealthState::No).or_else(|| of(HealthState::NotAsked)).or_else(|| of(HealthState::Yes));
    worst.cloned().unwrap_or(Health { state: HealthState::NotAsked, answer: None })
}

/// Which cause tells of the whole: a budget, which may be allowed to leave things out, hides none of the others.
fn weight(cause: Cause) -> u8 {
    match cause {
        Cause::MaxRequests | Cause::MaxCreated | Cause::MaxDuration => 0,
        Cause::Defect => 2,
        _ => 1,
    }
}

fn end(parts: &[(Report, u64)], missing: &[Shard]) -> End {
    let ends = || parts.iter().map(|(part, _)| &part.end);
    let mut reasons: Vec<String> = Vec::new();
    for (part, _) in parts {
        if let (Some(reason), Some(shard)) = (&part.end.reason, part.header.options.shard) {
            reasons.push(format!("in part {shard}: {reason}"));
        }
    }
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
        let parts = counted(missing.len() as u64, "part");
        reasons.push(format!("{parts} of the run missing ({})", listed(&names)));
    }
    End {
        complete: missing.is_empty() && ends().all(|e| e.complete),
        cause: ends()
            .filter_map(|e| e.cause)
            .max_by_key(|c| weight(*c))
            .filter(|c| missing.is_empty() || *c == Cause::Defect),
        reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
        preflight_failed: ends().all(|e| e.preflight_failed),
    }
}

/// An exchange whose number is another.
pub fn renumbered(mut exchange: Exchange, shift: u64) -> Exchange {
    exchange.number += shift;
    exchange
}
