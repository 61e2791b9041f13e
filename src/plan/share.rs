//! What one of many operations tries with its share of a default budget.

use std::cmp::Reverse;

use super::Plan;
use crate::contract::Contract;
use crate::contract::requirement::Form;

/// How many parts of schemas are tried at most.
const PARTS: usize = 64;
/// Why the others are not.
pub(super) const NO_ROOM: &str = "the default budget leaves no room for it: --max-requests N gives each operation more";

/// Of these requirements, the parts of schemas for which there is no room: the least binding and the deepest.
pub fn crowded_out(contract: &Contract, selected: &[bool]) -> Vec<usize> {
    let all = contract.requirements.iter().enumerate().filter(|(i, _)| selected[*i]);
    let mut parts: Vec<_> = all
        .filter_map(|(i, requirement)| {
            let depth = match &requirement.form {
                Form::Schema(part) | Form::Parameter(_, part) => part.to_string().matches('/').count(),
                _ => return None,
            };
            Some((i, (Reverse(requirement.level.is_some()), requirement.level, depth)))
        })
        .collect();
    // Of what is equal, the order of the document counts.
    parts.sort_by_key(|(i, rank)| (*rank, *i));
    parts.into_iter().skip(PARTS).map(|(i, _)| i).collect()
}

impl Plan {
    /// Says of requirements that were left out before planning that there was no room for them.
    pub fn note_crowded_out(&mut self, requirements: Vec<usize>) {
        for requirement in requirements {
            self.selected[requirement] = true;
            self.obstacles.push((requirement, NO_ROOM.to_owned()));
        }
    }
}
