//! Failures of what is probably one cause: one defect should not read as forty.

use std::collections::BTreeSet;

use super::fingerprint::Fingerprint;
use super::tally::Tally;
use crate::contract::Contract;
use crate::contract::requirement::{Always, Form};

/// The failures that are told under one requirement: all that its counterexamples show.
struct Cluster<'a> {
    requirement: usize,
    exchanges: BTreeSet<u64>,
    relations: BTreeSet<&'a str>,
    refusals: BTreeSet<u64>,
}

impl<'a> Cluster<'a> {
    fn new(requirement: usize, tally: &'a Tally) -> Self {
        let fingerprints = || tally.fingerprints().iter();
        Self {
            requirement,
            exchanges: fingerprints().flat_map(|f| f.exchanges.iter().copied()).collect(),
            relations: fingerprints().filter_map(|f| f.relation.as_deref()).collect(),
            refusals: fingerprints().filter_map(|f| f.refusal).collect(),
        }
    }

    /// Whether each counterexample of another requirement is probably of its cause.
    fn covers(&self, tally: &Tally, form: &Form) -> bool {
        // What is refused, and should not be, may well be what another requirement names.
        let by_refusal = matches!(form, Form::Always(Always::ValidAccepted));
        let covers = |print: &Fingerprint| {
            print.exchanges.iter().any(|n| self.exchanges.contains(n))
                || print.relation.as_deref().is_some_and(|r| self.relations.contains(r))
                || (by_refusal && print.refusal.is_some_and(|r| self.refusals.contains(&r)))
        };
        !tally.fingerprints().is_empty() && tally.fingerprints().iter().all(covers)
    }
}

/// For each requirement, by its place in the contract, the one under which its failure is told: one that fails on the
/// same exchanges or in the same way wherever it fails, is at least as binding, and more general. None for those that
/// are told by themselves.
pub fn causes(contract: &Contract, tallies: &[Tally]) -> Vec<Option<usize>> {
    let form = |i: usize| &contract.requirements[i].form;
    let mut failed: Vec<usize> = (0..tallies.len()).filter(|i| tallies[*i].broken > 0).collect();
    failed
        .sort_by_key(|i| (contract.requirements[*i].level, rank(form(*i)), std::cmp::Reverse(tallies[*i].broken), *i));
    let mut causes = vec![None; tallies.len()];
    let mut clusters: Vec<Cluster<'_>> = Vec::new();
    for i in failed {
        match clusters.iter().find(|cluster| cluster.covers(&tallies[i], form(i))) {
            Some(cluster) => causes[i] = Some(cluster.requirement),
            None => clusters.push(Cluster::new(i, &tallies[i])),
        }
    }
    causes
}

/// The most general first.
fn rank(form: &Form) -> u8 {
    match form {
        Form::Always(Always::NoServerError) => 0,
        Form::Always(Always::Answered) => 1,
        Form::Always(Always::DocumentedStatus | Always::RefusalStatus) => 2,
        Form::Always(Always::MediaType | Always::Headers(_) | Always::HeaderValues(_)) => 3,
        Form::Always(Always::Shape(_) | Always::WriteOnly(_) | Always::OneAlternative(_)) => 4,
        Form::Constraint(_) | Form::Schema(_) | Form::Parameter(..) => 5,
        Form::Rule(_) => 6,
        Form::Scenario(_) | Form::Probe(_) => 7,
        // What is refused may be refused for a reason that another requirement names better.
        Form::Always(Always::ValidAccepted) => 8,
    }
}
