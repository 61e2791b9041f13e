//! What one of many operations tries with its share of a default budget.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};

use super::{Options, Plan};
use crate::contract::Contract;
use crate::contract::requirement::Form;
use crate::generate::draft::Fixtures;
use crate::source::Result;

/// How many parts of schemas are tried at most.
const PARTS: usize = 64;
/// How many edges are planned for all parts together, and as many faults; and how many for each part at least. Of these, as
/// many are sent as have room.
const TRIED: usize = 128;
const LEAST: usize = 4;
/// Why the others are not.
pub(super) const NO_ROOM: &str = "the default budget leaves no room for it: --max-requests N gives each operation more";

impl Plan {
    /// Plans what an operation tries that has no more than its share of a default budget: what has no room in that is not
    /// even planned, since a deep schema has thousands of faults.
    ///
    /// # Errors
    /// As for any plan.
    pub fn of_share(contract: &Contract, fixtures: &Fixtures, options: Options, now: DateTime<Utc>) -> Result<Self> {
        let mut selected = options.selection.apply(contract)?;
        let crowd = crowded_out(contract, &selected);
        crowd.iter().for_each(|i| selected[*i] = false);
        let chosen: Vec<_> = contract.requirements.iter().zip(&selected).filter(|(_, selected)| **selected).collect();
        let parts = chosen.iter().filter(|(r, _)| matches!(r.form, Form::Schema(_))).count();
        let most = (TRIED / parts.max(1)).max(LEAST);
        let selection = options.selection.exactly(chosen.iter().map(|(r, _)| r.id.clone()).collect());
        let mut plan = Self::within(contract, fixtures, &Options { selection, ..options }, now, most)?;
        for requirement in crowd {
            plan.selected[requirement] = true;
            plan.obstacles.push((requirement, NO_ROOM.to_owned()));
        }
        Ok(plan)
    }
}

/// Of these requirements, the parts of schemas for which there is no room: the least binding and the deepest.
fn crowded_out(contract: &Contract, selected: &[bool]) -> Vec<usize> {
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
