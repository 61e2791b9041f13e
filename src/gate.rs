//! From report and policy to the exit code: a pure function.

use std::collections::BTreeSet;
use std::process::ExitCode;

use crate::contract::requirement::Level;
use crate::judge::tally::Verdict;
use crate::report::model::{Cause, Report, Requirement, StandingState};
use crate::report::text::{counted, listed};

/// The exit codes. Where several hold, the worst counts, in the order of [`Exit::WORST_FIRST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Conformant: no must failed, and all that was planned was done.
    Conformant = 0,
    /// Not conformant: a must failed.
    NotConformant = 1,
    /// Usage, settings or contract are wrong; nothing was sent.
    Usage = 2,
    /// The target cannot be reached, or refused the first valid request.
    Unreachable = 3,
    /// Nothing was tested, or not all that was planned, or a must is inconclusive.
    Untested = 4,
    /// A defect of probity itself.
    Defect = 70,
}

impl Exit {
    /// All exit codes: of several that hold, the first counts.
    pub const WORST_FIRST: [Self; 6] =
        [Self::Defect, Self::Usage, Self::Unreachable, Self::NotConformant, Self::Untested, Self::Conformant];

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// What it means, in a line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Conformant => "conformant: no must failed, and all that was planned was done",
            Self::NotConformant => "not conformant: a must failed",
            Self::Usage => "usage, settings or contract are wrong; nothing was sent",
            Self::Unreachable => "the target cannot be reached, or refused the first valid request",
            Self::Untested => "nothing was tested, or not all that was planned, or a must is inconclusive",
            Self::Defect => "a defect of probity itself",
        }
    }

    /// Of two exit codes the one that counts.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if self.rank() <= other.rank() { self } else { other }
    }

    /// Its place in [`Exit::WORST_FIRST`].
    fn rank(self) -> usize {
        match self {
            Self::Defect => 0,
            Self::Usage => 1,
            Self::Unreachable => 2,
            Self::NotConformant => 3,
            Self::Untested => 4,
            Self::Conformant => 5,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The levels whose requirements count as musts do. Musts always count.
    pub deny: BTreeSet<Level>,
}

impl Policy {
    /// Whether requirements of a level count; probes never do.
    pub fn counts(&self, level: Option<Level>) -> bool {
        level.is_some_and(|l| l == Level::Must || self.deny.contains(&l))
    }

    /// The levels that count.
    pub fn levels(&self) -> BTreeSet<Level> {
        let mut levels = self.deny.clone();
        levels.insert(Level::Must);
        levels
    }
}

/// What the gate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The exit code.
    pub exit: Exit,
    /// The verdict on the whole run, in a sentence.
    pub sentence: String,
}

/// The exit code of a run. [`Exit::Usage`] never comes from a report: without a run there is none.
pub fn gate(report: &Report, policy: &Policy) -> Exit {
    decide(report, policy).exit
}

/// The exit code of a run, and why.
pub fn decide(report: &Report, policy: &Policy) -> Decision {
    let reason = || report.end.reason.clone().unwrap_or_else(|| "no reason was given".to_owned());
    let decision = |exit, sentence| Decision { exit, sentence };
    if report.end.cause == Some(Cause::Defect) {
        return decision(Exit::Defect, format!("Not tested, for a defect of probity: {}.", reason()));
    }
    if report.end.first_contact_failed {
        return decision(Exit::Unreachable, format!("Not tested: {}.", reason()));
    }
    let doubts = doubts(report, policy);
    let failed = of_verdict(report, policy, Verdict::Fail);
    let (of, noted) = (of_all(report, policy), noted(report, policy));
    if failed > 0 {
        let doubts = match &doubts[..] {
            [] => String::new(),
            doubts => format!(" Nor was all tested: {}.", doubts.join("; ")),
        };
        return decision(Exit::NotConformant, format!("Not conformant: {failed} of {of} failed{noted}.{doubts}"));
    }
    if !doubts.is_empty() {
        return decision(Exit::Untested, format!("Not known to be conformant: {}{noted}.", doubts.join("; ")));
    }
    let skipped = match of_verdict(report, policy, Verdict::Skipped) {
        0 => String::new(),
        n => format!(", {n} could not be tried on this target"),
    };
    decision(
        Exit::Conformant,
        match of_verdict(report, policy, Verdict::Pass) {
            0 => format!("No must failed, for none was asked for{noted}."),
            tested => format!("Conformant: {tested} of {of} hold{skipped}{noted}."),
        },
    )
}

/// What failed and does not count, in words.
fn noted(report: &Report, policy: &Policy) -> String {
    let failed = |level: Level| {
        let failed = |r: &&Requirement| r.level == Some(level) && r.verdict == Verdict::Fail;
        report.selected().filter(failed).count() as u64
    };
    [Level::Should, Level::May]
        .into_iter()
        .filter(|level| !policy.counts(Some(*level)) && failed(*level) > 0)
        .map(|level| {
            let count = counted(failed(level), level.name());
            format!("; {count} failed, which does not count without --deny {level}")
        })
        .collect()
}

/// Why the run does not tell whether the server conforms; none if it does.
fn doubts(report: &Report, policy: &Policy) -> Vec<String> {
    let mut doubts = Vec::new();
    let tested = |r: &Requirement| matches!(r.verdict, Verdict::Pass | Verdict::Fail);
    let musts = || report.selected().filter(|r| r.level == Some(Level::Must));
    if !report.selected().any(|r| r.level.is_some() && tested(r)) {
        doubts.push("nothing was tested".to_owned());
    } else if musts().next().is_some() && !musts().any(tested) {
        doubts.push("no must was tested".to_owned());
    }
    let left_out: u64 = report.selected().map(|r| r.counts.left_out).sum();
    if let Some(reason) = &report.end.reason {
        doubts.push(reason.clone());
    } else if !report.end.complete || report.end.cause.is_some() {
        doubts.push("the run did not come to its end".to_owned());
    } else if left_out > 0 {
        doubts.push(format!("{} not carried out", counted(left_out, "planned trial")));
    }
    if report.standing.state == StandingState::No {
        let answer = report.standing.answer.as_deref().unwrap_or("nothing");
        doubts.push(format!("at the end the server no longer accepted a valid request ({answer})"));
    }
    for (verdict, word) in [(Verdict::Inconclusive, "inconclusive"), (Verdict::Untested, "untested")] {
        match of_verdict(report, policy, verdict) {
            0 => {}
            n => {
                let are = if n == 1 { "is" } else { "are" };
                doubts.push(format!("{n} of {} {are} {word}", of_all(report, policy)));
            }
        }
    }
    doubts
}

/// How many requirements that count have this verdict.
fn of_verdict(report: &Report, policy: &Policy, verdict: Verdict) -> u64 {
    let matching = |r: &&Requirement| policy.counts(r.level) && r.verdict == verdict;
    report.selected().filter(matching).count() as u64
}

/// The requirements that count, in words: `96 musts`, `96 musts and 40 shoulds`.
fn of_all(report: &Report, policy: &Policy) -> String {
    let count = |level: Level| {
        let all = report.selected().filter(|r| r.level == Some(level)).count() as u64;
        counted(all, level.name())
    };
    listed(&policy.levels().into_iter().map(count).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests;
