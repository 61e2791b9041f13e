//! What came of sending requests of a report again.

use serde::Serialize;

use super::NotSent;
use crate::judge::tally::Verdict;
use crate::report::model::{Again, Cleanup, Figures, Report, Requirement};

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Replayed {
    /// The report whose requests were sent again.
    pub recorded: Run,
    /// The run that sent them again.
    pub today: Run,
    /// Each requirement: those that failed before the others, musts first.
    pub items: Vec<Item>,
    /// What was sent.
    pub figures: Figures,
    /// What came of removing what was created; null where that was not tried.
    pub cleanup: Option<Cleanup>,
    /// Why not all was sent; null where all was.
    pub reason: Option<String>,
    /// The exit code.
    pub exit: u8,
}

/// What was run against what.
#[derive(Debug, Serialize)]
pub struct Run {
    /// The contract's name.
    pub contract: String,
    /// The target.
    pub target: String,
    /// The seed: of both runs the same.
    pub seed: u64,
    /// What marks everything that it made.
    pub run_tag: String,
    /// When it began.
    pub started: String,
}

impl Run {
    /// The run that a report is of.
    pub fn of(report: &Report) -> Self {
        let header = &report.header;
        Self {
            contract: header.contract.name.clone(),
            target: header.target.clone(),
            seed: header.seed,
            run_tag: header.run_tag.clone(),
            started: header.started.clone(),
        }
    }
}

/// One requirement.
#[derive(Debug, Serialize)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// What it came to.
    pub state: State,
    /// Why it cannot be decided; null where it can.
    pub reason: Option<String>,
    /// The last answer, where it was not a failure.
    pub answer: Option<String>,
    /// What came of sending it again in the recorded run, or of what failed for the same cause; null where it was not.
    pub again: Option<Again>,
    /// What the report says of it.
    pub recorded: Requirement,
    /// What today's requests say of it; null where none were sent.
    pub today: Option<Requirement>,
}

/// What a requirement came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It failed, and does.
    StillFails,
    /// It failed, and does not any more.
    NoLongerFails,
    /// It did not fail, and does.
    FailsNow,
    /// It did not fail, and does not.
    Holds,
    /// What the requests show is not known.
    CannotBeTold,
}

impl State {
    /// All states, the worst first.
    pub const ALL: [Self; 5] = [Self::StillFails, Self::FailsNow, Self::CannotBeTold, Self::NoLongerFails, Self::Holds];

    fn of(recorded: Verdict, today: Option<Verdict>) -> Self {
        match (recorded, today) {
            (Verdict::Fail, Some(Verdict::Fail)) => Self::StillFails,
            (_, Some(Verdict::Fail)) => Self::FailsNow,
            (Verdict::Fail, Some(Verdict::Pass)) => Self::NoLongerFails,
            (_, Some(Verdict::Pass)) => Self::Holds,
            _ => Self::CannotBeTold,
        }
    }

    /// In words, for one requirement.
    pub fn word(self) -> &'static str {
        match self {
            Self::StillFails => "still fails",
            Self::NoLongerFails => "no longer fails",
            Self::FailsNow => "fails now",
            Self::Holds => "holds",
            Self::CannotBeTold => "cannot be decided",
        }
    }

    /// In words, for so many.
    pub fn counted(self, count: usize) -> String {
        let word = match self {
            _ if count == 1 => self.word(),
            Self::StillFails => "still fail",
            Self::NoLongerFails => "no longer fail",
            Self::FailsNow => "fail now",
            Self::Holds => "hold",
            Self::CannotBeTold => self.word(),
        };
        format!("{count} {word}")
    }

    /// The verdict whose look it has.
    pub fn look(self) -> Verdict {
        match self {
            Self::StillFails | Self::FailsNow => Verdict::Fail,
            Self::NoLongerFails | Self::Holds => Verdict::Pass,
            Self::CannotBeTold => Verdict::Inconclusive,
        }
    }
}

impl Item {
    /// What was recorded of a requirement, the failure first that was sent again, and what today's requests say of it,
    /// with the last answer; or why they could not be sent.
    pub fn new(
        recorded: Requirement,
        again: Option<Again>,
        today: Result<(&Requirement, Option<String>), NotSent>,
    ) -> Self {
        let (today, answer, problem) = match today {
            Ok((today, answer)) => (Some(today.clone()), answer, None),
            Err(problem) => (None, None, Some(problem.to_string())),
        };
        let mut state = State::of(recorded.verdict, today.as_ref().map(|t| t.verdict));
        let mut reason = problem.or_else(|| today.as_ref()?.reason.clone()).filter(|_| state == State::CannotBeTold);
        // What never failed by itself does not tell that it is mended.
        if state == State::NoLongerFails && again.is_some_and(|a| a.sent > 0 && a.broken == 0) {
            state = State::CannotBeTold;
            reason = Some("it held, but sent on its own it also held in the recorded run: use `rerun`".to_owned());
        }
        let answer = answer.filter(|_| state.look() != Verdict::Fail);
        Self { id: recorded.id.clone(), state, reason, answer, again, recorded, today }
    }
}
