//! How many requirements have which verdict.

use serde::{Deserialize, Serialize};

use crate::contract::requirement::Level;
use crate::judge::tally::Verdict;
use crate::report::model::Requirement;

/// How many requirements have which verdict, by level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Of the musts.
    pub must: Verdicts,
    /// Of the shoulds.
    pub should: Verdicts,
    /// Of the mays.
    pub may: Verdicts,
    /// Of the probes, which have no level.
    pub probe: Verdicts,
    /// Requirements that the run was not about; counted nowhere else.
    pub not_selected: u64,
}

/// How many requirements have which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdicts {
    /// Held.
    pub pass: u64,
    /// Were broken.
    pub fail: u64,
    /// Could not be told.
    pub inconclusive: u64,
    /// Could not be tried here.
    pub skipped: u64,
    /// Were not tried.
    pub untested: u64,
}

impl Verdicts {
    /// Counts the verdicts of some requirements.
    pub fn of<'a>(requirements: impl IntoIterator<Item = &'a Requirement>) -> Self {
        let mut all = Self::default();
        for requirement in requirements {
            *all.of_mut(requirement.verdict) += 1;
        }
        all
    }

    /// How many have this verdict.
    pub fn get(&self, verdict: Verdict) -> u64 {
        match verdict {
            Verdict::Pass => self.pass,
            Verdict::Fail => self.fail,
            Verdict::Inconclusive => self.inconclusive,
            Verdict::Skipped => self.skipped,
            Verdict::Untested => self.untested,
        }
    }

    fn of_mut(&mut self, verdict: Verdict) -> &mut u64 {
        match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Fail => &mut self.fail,
            Verdict::Inconclusive => &mut self.inconclusive,
            Verdict::Skipped => &mut self.skipped,
            Verdict::Untested => &mut self.untested,
        }
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        Verdict::ALL.iter().map(|v| self.get(*v)).sum()
    }

    /// How many were tested: they passed or failed.
    pub fn tested(&self) -> u64 {
        self.pass + self.fail
    }
}

impl Summary {
    /// Counts the verdicts of all requirements of a report.
    pub fn of(requirements: &[Requirement]) -> Self {
        let selected = |level: Option<Level>| {
            let of_level = move |r: &&Requirement| r.selected && r.level == level;
            Verdicts::of(requirements.iter().filter(of_level))
        };
        let left = requirements.iter().filter(|r| !r.selected).count();
        Self {
            must: selected(Some(Level::Must)),
            should: selected(Some(Level::Should)),
            may: selected(Some(Level::May)),
            probe: selected(None),
            not_selected: u64::try_from(left).unwrap_or(u64::MAX),
        }
    }

    /// The verdicts of one level; None for probes.
    pub fn level(&self, level: Option<Level>) -> &Verdicts {
        match level {
            Some(Level::Must) => &self.must,
            Some(Level::Should) => &self.should,
            Some(Level::May) => &self.may,
            None => &self.probe,
        }
    }

    /// How many requirements with a level have this verdict.
    pub fn total(&self, verdict: Verdict) -> u64 {
        [self.must, self.should, self.may].iter().map(|v| v.get(verdict)).sum()
    }

    /// How many requirements with a level were tested.
    pub fn tested(&self) -> u64 {
        self.total(Verdict::Pass) + self.total(Verdict::Fail)
    }
}
