//! From report and policy to the exit code: a pure function.
//!
//! - [`policy`]: what counts
//! - [`waivers`]: failures that are accepted
//! - [`baseline`]: what is worse and better than before

mod baseline;
pub mod policy;
pub mod waivers;

use std::collections::BTreeMap;
use std::process::ExitCode;

use chrono::NaiveDate;

use crate::contract::requirement::Level;
use crate::judge::tally::Verdict;
use crate::report::model::{Cause, HealthState, Report, Requirement, Ruling, Weight};
use crate::report::text::{counted, listed};
pub use policy::Policy;

/// The exit codes. Where several hold, the worst counts, in the order of [`Exit::WORST_FIRST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Conformant: no must failed, and all that was planned was done.
    Conformant = 0,
    /// Not conformant: a must failed; or a waiver is out of date.
    NotConformant = 1,
    /// Usage, settings or contract are wrong; nothing was sent.
    Usage = 2,
    /// The target cannot be reached, or refused the first valid request.
    Unreachable = 3,
    /// Nothing was tested, or not all that was planned, or a must is inconclusive.
    Untested = 4,
    /// A report could not be written; what was found stands in the summary.
    Unwritten = 5,
    /// A defect of probity itself.
    Defect = 70,
}

impl Exit {
    /// All exit codes: of several that hold, the first counts.
    pub const WORST_FIRST: [Self; 7] = [
        Self::Defect,
        Self::Usage,
        Self::Unreachable,
        Self::NotConformant,
        Self::Unwritten,
        Self::Untested,
        Self::Conformant,
    ];

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// What it means, in a line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Conformant => "conformant: no must failed, and all that was planned was done",
            Self::NotConformant => "not conformant: a must failed, or a waiver is out of date",
            Self::Usage => "usage, settings or contract are wrong; nothing was sent",
            Self::Unreachable => "the target cannot be reached, or refused the first valid request",
            Self::Untested => "nothing was tested, or not all that was planned, or a must is inconclusive",
            Self::Unwritten => "a report could not be written; what was found stands in the summary",
            Self::Defect => "a defect of probity itself",
        }
    }

    /// Of two exit codes the one that counts.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        Self::WORST_FIRST.into_iter().find(|exit| [self, other].contains(exit)).unwrap_or(self)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What the gate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The exit code.
    pub exit: Exit,
    /// The same as reports show it, and why.
    pub ruling: Ruling,
}

/// The exit code of a run. [`Exit::Usage`] never comes from a report: without a run there is none.
pub fn gate(report: &Report, policy: &Policy, today: NaiveDate) -> Exit {
    decide(report, policy, today).exit
}

/// The exit code of a run, and why. `today` is the day that waivers are held against.
pub fn decide(report: &Report, policy: &Policy, today: NaiveDate) -> Decision {
    let weights: BTreeMap<String, Weight> =
        report.selected().map(|r| (r.id.clone(), policy.weight(report, r, today))).collect();
    let counts = |r: &Requirement| policy.counts(r);
    // What is gone has no weight any more.
    let counts_now = |r: &Requirement| weights.get(&r.id).map_or_else(|| counts(r), |weight| *weight == Weight::Counts);
    let (worse, gone) =
        policy.baseline.as_ref().map_or_else(Default::default, |b| baseline::worse(b, report, &counts_now));
    let better = policy.baseline.as_ref().map_or_else(Vec::new, |b| baseline::better(b, report));
    let changes = policy.baseline.as_ref().map_or_else(Vec::new, |b| baseline::changes(b, report, &counts_now));
    let lost = policy.baseline.as_ref().map_or_else(Vec::new, |b| baseline::lost(b, report, &counts));
    let stale = policy.waivers.stale(report, today);
    let (mut exit, mut sentence) = View { report, policy, weights: &weights, gone }.decide();
    let differs = [(&worse, "worse"), (&better, "better"), (&lost, "no longer tried")];
    let differs = differs.into_iter().filter(|(lines, _)| !lines.is_empty());
    let differs: Vec<String> = differs.map(|(lines, word)| format!("{} {word}", lines.len())).collect();
    if !differs.is_empty() {
        sentence += &format!(" Compared with the baseline: {}.", listed(&differs));
    }
    let worse = worse.into_iter().chain(lost).collect();
    if !stale.is_empty() {
        exit = exit.worse(Exit::NotConformant);
        let are = if stale.len() == 1 { "is" } else { "are" };
        sentence += &format!(" And {} {are} out of date.", counted(stale.len() as u64, "waiver"));
    }
    Decision { exit, ruling: Ruling { exit: exit.code(), sentence, weights, stale, worse, better, changes } }
}

/// How bad verdicts are: skipped is the target's right.
fn badness(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => 0,
        Verdict::Skipped => 1,
        Verdict::Untested | Verdict::Inconclusive => 2,
        Verdict::Fail => 3,
    }
}

/// Whether what was left out was left out for what the run may cost.
fn met_budget(report: &Report) -> bool {
    matches!(report.end.cause, Some(Cause::MaxRequests | Cause::MaxCreated | Cause::MaxDuration))
}

/// A report under a policy.
struct View<'a> {
    report: &'a Report,
    policy: &'a Policy,
    weights: &'a BTreeMap<String, Weight>,
    /// How many requirements of the baseline there are no more.
    gone: u64,
}

impl View<'_> {
    fn decide(&self) -> (Exit, String) {
        let report = self.report;
        let reason = || report.end.reason.clone().unwrap_or_else(|| "no reason was given".to_owned());
        if report.end.cause == Some(Cause::Defect) {
            return (Exit::Defect, format!("Not tested, because of a defect of probity: {}.", reason()));
        }
        if report.end.preflight_failed {
            return (Exit::Unreachable, format!("Not tested: {}.", reason()));
        }
        let doubts = self.doubts();
        let failed = self.of_verdict(Verdict::Fail);
        let (of, noted) = (self.of_all(), self.noted());
        if failed > 0 {
            let doubts = match &doubts[..] {
                [] => String::new(),
                doubts => format!(" Not everything was tested, either: {}.", doubts.join("; ")),
            };
            return (Exit::NotConformant, format!("Not conformant: {failed} of {of} failed{noted}.{doubts}"));
        }
        if !doubts.is_empty() {
            return (Exit::Untested, format!("Not known to be conformant: {}{noted}.", doubts.join("; ")));
        }
        let skipped = match self.of_verdict(Verdict::Skipped) {
            0 => String::new(),
            n => format!(", {n} could not be tried on this target"),
        };
        let contract = &report.header.contract;
        let skipped = match contract.not_reached.len() {
            0 => skipped,
            n => format!(
                "{skipped} ({n} of {} were not reached)",
                counted(contract.operations.len() as u64, "operation")
            ),
        };
        let put_up_with = self.weights.values().any(Weight::is_put_up_with);
        let word = match (put_up_with, &self.policy.baseline) {
            (false, _) => "Conformant",
            (true, None) => "Conformant, apart from waived failures",
            (true, Some(_)) => "No worse than the baseline",
        };
        // A part says nothing of the whole.
        let word = match report.header.options.shard {
            Some(shard) => format!("{word} in part {shard} of the run"),
            None if report.header.options.recorded => format!("{word} in what was recorded"),
            None => word.to_owned(),
        };
        let sentence = match self.of_verdict(Verdict::Pass) {
            0 if report.selected().any(|r| r.level == Some(Level::Must)) && !put_up_with => {
                format!("Nothing that was tested counts{noted}.")
            }
            0 if !put_up_with => format!("No must failed, because none was selected{noted}."),
            tested => format!("{word}: {tested} of {of} hold{skipped}{noted}."),
        };
        (Exit::Conformant, sentence)
    }

    fn weight(&self, requirement: &Requirement) -> &Weight {
        self.weights.get(&requirement.id).unwrap_or(&Weight::Allowed)
    }

    /// What does not hold and does not count, in words.
    fn noted(&self) -> String {
        let bad = |r: &&Requirement| badness(r.verdict) > badness(Verdict::Skipped);
        let allowed = |level: Level| {
            let failed = |r: &&Requirement| {
                r.level == Some(level) && r.verdict == Verdict::Fail && *self.weight(r) == Weight::Allowed
            };
            self.report.selected().filter(failed).count() as u64
        };
        let mut out = String::new();
        for level in [Level::Must, Level::Should, Level::May] {
            let failed = allowed(level);
            if failed > 0 {
                let does = if failed == 1 { "does" } else { "do" };
                let without = match level {
                    Level::Must => String::new(),
                    _ => format!(" without --deny {level}"),
                };
                out += &format!("; {} failed, which {does} not count{without}", counted(failed, level.name()));
            }
        }
        if self.policy.allow_untested && met_budget(self.report) {
            let untested = |r: &&Requirement| r.verdict == Verdict::Untested && self.policy.counts(r);
            let untested = self.report.selected().filter(untested).count();
            out += &format!("; {untested} untested because of the budget, which is allowed");
        }
        let put_up_with =
            |fits: fn(&Weight) -> bool| self.report.selected().filter(bad).filter(|r| fits(self.weight(r))).count();
        match put_up_with(|w| matches!(w, Weight::Waived { .. })) {
            0 => {}
            1 => out += "; 1 is waived",
            n => out += &format!("; {n} are waived"),
        }
        match put_up_with(|w| *w == Weight::Known) {
            0 => {}
            1 => out += "; 1 is no worse than in the baseline",
            n => out += &format!("; {n} are no worse than in the baseline"),
        }
        out
    }

    /// Why the run does not tell whether the server conforms; none if it does.
    fn doubts(&self) -> Vec<String> {
        let report = self.report;
        let mut doubts = Vec::new();
        let tested = |r: &Requirement| matches!(r.verdict, Verdict::Pass | Verdict::Fail);
        let musts = || report.selected().filter(|r| r.level == Some(Level::Must));
        if !report.selected().any(|r| r.level.is_some() && tested(r)) {
            doubts.push("nothing was tested".to_owned());
        } else if musts().next().is_some() && !musts().any(tested) {
            doubts.push("no must was tested".to_owned());
        }
        // What was so before is told by the requirements that it left untested.
        let before = self.policy.baseline.as_deref();
        let left_out: u64 = report.selected().map(|r| r.counts.left_out).sum();
        let was_so = before.is_some_and(|b| !b.end.complete && b.end.cause == report.end.cause);
        let is_allowed = self.policy.allow_untested && met_budget(report);
        match &report.end.reason {
            _ if was_so || is_allowed => {}
            Some(reason) => doubts.push(reason.clone()),
            None if !report.end.complete || report.end.cause.is_some() => {
                doubts.push("the run did not finish".to_owned());
            }
            None if left_out > 0 => doubts.push(format!("{} not carried out", counted(left_out, "planned trial"))),
            None => {}
        }
        let contract = &report.header.contract;
        if self.policy.denies_unreached() && !contract.not_reached.is_empty() {
            let (not, all) = (contract.not_reached.len(), counted(contract.operations.len() as u64, "operation"));
            doubts.push(format!("{not} of {all} were not reached"));
        }
        let fallen = |r: &Report| r.health.state == HealthState::No;
        if fallen(report) && !before.is_some_and(fallen) {
            let answer = report.health.answer.as_deref().unwrap_or("nothing");
            doubts.push(format!("at the end the server no longer accepted a valid request ({answer})"));
        }
        for (verdict, word) in [(Verdict::Inconclusive, "inconclusive"), (Verdict::Untested, "untested")] {
            match self.of_verdict(verdict) {
                0 => {}
                n => {
                    let are = if n == 1 { "is" } else { "are" };
                    doubts.push(format!("{n} of {} {are} {word}", self.of_all()));
                }
            }
        }
        match self.gone {
            0 => {}
            1 => doubts.push("1 requirement of the baseline is no longer in the contract".to_owned()),
            n => doubts.push(format!("{n} requirements of the baseline are no longer in the contract")),
        }
        doubts
    }

    /// How many requirements that count have this verdict.
    fn of_verdict(&self, verdict: Verdict) -> u64 {
        let matching = |r: &&Requirement| *self.weight(r) == Weight::Counts && r.verdict == verdict;
        self.report.selected().filter(matching).count() as u64
    }

    /// The requirements that count, waived or not, in words: `96 musts`, `136 requirements (96 musts, 40 shoulds)`.
    fn of_all(&self) -> String {
        let count = |level: Level| {
            let all = self.report.selected().filter(|r| r.level == Some(level) && self.policy.counts(r));
            all.count() as u64
        };
        let levels = [Level::Must, Level::Should, Level::May].into_iter();
        let counts: Vec<_> = levels.map(|level| (level, count(level))).filter(|(_, n)| *n > 0).collect();
        match &counts[..] {
            [] => counted(0, "must"),
            [(level, n)] => counted(*n, level.name()),
            some => {
                let all = counted(some.iter().map(|(_, n)| n).sum(), "requirement");
                let each: Vec<String> = some.iter().map(|(level, n)| counted(*n, level.name())).collect();
                format!("{all} ({})", each.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests;
