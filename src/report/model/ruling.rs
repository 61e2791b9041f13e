//! What a gate made of a report, as every writer shows it. Nothing here decides; see [`crate::gate`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::contract::requirement::Level;
use crate::judge::tally::Verdict;
use crate::report::model::{Report, Requirement};

/// What a gate made of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// The exit code; 0 is the only good one.
    pub exit: u8,
    /// The verdict on the whole run, in a sentence.
    pub sentence: String,
    /// How the requirements that the run was about count, by id.
    pub weights: BTreeMap<String, Weight>,
    /// Waivers that are out of date, a line each, with the place to mend.
    pub stale: Vec<String>,
    /// What is worse than in the baseline, a line each.
    pub worse: Vec<String>,
    /// What is better than in the baseline, a line each.
    pub better: Vec<String>,
    /// What became of requirements since the baseline: first what broke.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// What became of a requirement since the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its id.
    pub id: String,
    /// What became of it.
    pub turn: Turn,
    /// Its verdict in the baseline; left out where that run was not about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Verdict>,
    /// Its verdict now; left out where there is no such requirement any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Verdict>,
}

/// What became of a requirement since the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Turn {
    /// It is worse than before.
    Broke,
    /// It holds again.
    Fixed,
    /// It was not tried before.
    New,
    /// It is no longer in the contract.
    Gone,
}

impl Turn {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Broke => "broke",
            Self::Fixed => "fixed",
            Self::New => "new",
            Self::Gone => "gone",
        }
    }
}

impl Ruling {
    /// Whether it is a good one.
    pub fn is_good(&self) -> bool {
        self.exit == 0
    }
}

/// How a requirement counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "weight", rename_all = "lowercase")]
pub enum Weight {
    /// The run is red where it was broken, or is not known.
    Counts,
    /// Its level, area or id is allowed to be anything.
    Allowed,
    /// What came of it is accepted.
    Waived {
        /// Why.
        reason: String,
        /// Where it is followed up.
        issue: Option<String>,
    },
    /// It is no worse than in the baseline.
    Known,
    /// Nothing of this part of a run, or of this traffic, spoke to it; another may.
    Elsewhere,
}

impl Weight {
    /// Whether it would count, but for a waiver or a baseline.
    pub fn is_put_up_with(&self) -> bool {
        matches!(self, Self::Waived { .. } | Self::Known)
    }

    /// Why a requirement that did not hold makes no run red, in a few words; None if it does.
    pub fn excuse(&self) -> Option<String> {
        match self {
            Self::Counts => None,
            Self::Allowed => Some("does not count".to_owned()),
            Self::Waived { reason, issue: None } => Some(format!("waived: {reason}")),
            Self::Waived { reason, issue: Some(issue) } => Some(format!("waived: {reason} ({issue})")),
            Self::Known => Some("no worse than in the baseline".to_owned()),
            Self::Elsewhere => Some("left to other runs".to_owned()),
        }
    }
}

/// What tools that show test results call what no requirement shows.
pub(in crate::report) const RUN: &str = "run";

impl Report {
    /// The ruling, where it is bad for something that no requirement shows: waivers that are out of date, or what kept
    /// the run from its end.
    pub fn red_beside_requirements(&self) -> Option<&Ruling> {
        let shown = |ruling: &Ruling| ruling.stale.is_empty() && self.selected().any(|r| self.is_red(r));
        self.ruling.as_ref().filter(|ruling| !ruling.is_good() && !shown(ruling))
    }

    /// How a requirement counts: as the ruling says; without one, musts do.
    pub fn weight(&self, requirement: &Requirement) -> &Weight {
        let ruled = self.ruling.as_ref().and_then(|r| r.weights.get(&requirement.id));
        ruled.unwrap_or(match requirement.level {
            Some(Level::Must) => &Weight::Counts,
            _ => &Weight::Allowed,
        })
    }

    /// Why a requirement that did not hold makes no run red, in a few words.
    pub fn excuse(&self, requirement: &Requirement) -> Option<String> {
        let bad = matches!(requirement.verdict, Verdict::Fail | Verdict::Inconclusive | Verdict::Untested);
        self.weight(requirement).excuse().filter(|_| bad)
    }

    /// Whether a requirement makes the run red.
    pub fn is_red(&self, requirement: &Requirement) -> bool {
        let bad = matches!(requirement.verdict, Verdict::Fail | Verdict::Inconclusive | Verdict::Untested);
        requirement.selected && bad && *self.weight(requirement) == Weight::Counts
    }
}
