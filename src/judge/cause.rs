//! Failures that show on the same exchanges: one defect should not read as forty.

use std::collections::BTreeSet;

use super::tally::Tally;
use crate::contract::Contract;
use crate::contract::requirement::{Always, Form};

/// For each requirement, by its place in the contract, the one under which its failure is told: one that fails wherever
/// it fails, is at least as binding, and more general. None for those that are told by themselves.
pub fn causes(contract: &Contract, tallies: &[Tally]) -> Vec<Option<usize>> {
    let mut failed: Vec<usize> = (0..tallies.len()).filter(|i| tallies[*i].broken > 0).collect();
    failed.sort_by_key(|i| {
        let requirement = &contract.requirements[*i];
        (requirement.level, rank(&requirement.form), std::cmp::Reverse(tallies[*i].broken), *i)
    });
    let mut causes = vec![None; tallies.len()];
    let mut heads: Vec<(usize, BTreeSet<u64>)> = Vec::new();
    for i in failed {
        let head = heads.iter().find(|(_, shown)| tallies[i].shown_within(shown));
        match head {
            Some((head, _)) => causes[i] = Some(*head),
            None => heads.push((i, tallies[i].shown_on())),
        }
    }
    causes
}

/// The most general first.
fn rank(form: &Form) -> u8 {
    match form {
        Form::Always(Always::NoServerError) => 0,
        Form::Always(Always::Answered) => 1,
        Form::Always(Always::DocumentedStatus) => 2,
        Form::Always(Always::MediaType) => 3,
        Form::Always(Always::Shape(_)) => 4,
        Form::Constraint(_) | Form::Schema(_) => 5,
        Form::Rule(_) => 6,
        Form::Scenario(_) | Form::Probe(_) => 7,
        // What is refused may be refused for a reason that another requirement names better.
        Form::Always(Always::ValidAccepted) => 8,
    }
}
