//! Failures that probably have one cause: one defect should not be reported as forty.

use std::collections::BTreeSet;

use super::fingerprint::Fingerprint;
use super::tally::Tally;
use crate::contract::Contract;
use crate::contract::requirement::{Always, Form};

/// The failures that are reported under one requirement: all that its counterexamples show.
struct Cluster<'a> {
    requirement: usize,
    form: &'a Form,
    telling: BTreeSet<u64>,
    relations: BTreeSet<&'a str>,
    refusals: BTreeSet<u64>,
    says: BTreeSet<&'a str>,
    open_door: bool,
}

impl<'a> Cluster<'a> {
    fn new(requirement: usize, form: &'a Form, tally: &'a Tally) -> Self {
        let fingerprints = || tally.fingerprints().iter();
        Self {
            requirement,
            form,
            telling: fingerprints().filter_map(|t| t.telling).collect(),
            relations: fingerprints().filter_map(|t| t.relation.as_deref()).collect(),
            refusals: fingerprints().filter_map(|t| t.refusal).collect(),
            says: fingerprints().filter_map(|t| t.says.as_deref()).collect(),
            open_door: fingerprints().all(|t| t.open_door),
        }
    }

    /// Whether each counterexample of another requirement probably has the same cause.
    fn covers(&self, tally: &Tally, form: &Form) -> bool {
        // Another requirement may well name why a valid request is refused.
        let by_refusal = form.always() == Some(Always::ValidAccepted);
        let covers = |print: &Fingerprint| {
            // The response to a request that should have been refused does not explain why it was accepted.
            let same = print.open_door == self.open_door && print.telling.is_some_and(|n| self.telling.contains(&n));
            (same && self.explains(print))
                || (!print.open_door && print.relation.as_deref().is_some_and(|r| self.relations.contains(r)))
                || (by_refusal && print.refusal.is_some_and(|r| self.refusals.contains(&r)))
        };
        !tally.fingerprints().is_empty() && tally.fingerprints().iter().all(covers)
    }

    /// Whether this failure on an exchange explains another requirement's failure on it.
    fn explains(&self, print: &Fingerprint) -> bool {
        match self.form.always() {
            // A missing response, or a server error, explains everything that is missing in it.
            Some(Always::NoServerError | Always::Answered) => true,
            // The wrong shape of a body explains what is read from that part.
            Some(Always::Shape(_)) => self.says.iter().any(|name| print.reads(name)),
            Some(always @ (Always::DocumentedStatus | Always::MediaType)) => {
                self.says.is_empty() && print.reads(if always == Always::MediaType { "media_type" } else { "status" })
            }
            _ => true,
        }
    }
}

/// For each requirement, by its place in the contract, the one under which its failure is reported: one that fails on
/// the same exchanges or in the same way wherever it fails, is at least as binding, and more general. None for those
/// that are reported by themselves.
pub fn causes(contract: &Contract, tallies: &[Tally]) -> Vec<Option<usize>> {
    let form = |i: usize| &contract.requirements[i].form;
    let mut failed: Vec<usize> = (0..tallies.len()).filter(|i| tallies[*i].broken > 0).collect();
    failed
        .sort_by_key(|i| (contract.requirements[*i].level, rank(form(*i)), std::cmp::Reverse(tallies[*i].broken), *i));
    let mut causes = vec![None; tallies.len()];
    let mut clusters: Vec<Cluster<'_>> = Vec::new();
    for i in failed {
        let is_foremost = contract.foremost.iter().any(|area| area == contract.requirements[i].area());
        match clusters.iter().find(|cluster| cluster.covers(&tallies[i], form(i))) {
            Some(cluster) if !is_foremost => causes[i] = Some(cluster.requirement),
            _ => clusters.push(Cluster::new(i, form(i), &tallies[i])),
        }
    }
    causes
}

/// The most general first.
fn rank(form: &Form) -> u8 {
    match (form.always(), form) {
        (Some(Always::NoServerError), _) => 0,
        (Some(Always::Answered), _) => 1,
        (Some(Always::DocumentedStatus | Always::RefusalStatus), _) => 2,
        (Some(Always::MediaType | Always::Headers(_) | Always::HeaderValues(_)), _) => 3,
        (Some(Always::Shape(_) | Always::WriteOnly(_) | Always::OneAlternative(_)), _) => 4,
        (None, Form::Constraint(_) | Form::Schema(_) | Form::Parameter(..)) => 5,
        (None, Form::Rule(_)) => 6,
        // Another requirement may name the reason for a refusal better.
        (Some(Always::ValidAccepted), _) => 8,
        (None, _) => 7,
    }
}
