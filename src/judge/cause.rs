//! Failures of what is probably one cause: one defect should not read as forty.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::finding::Counterexample;
use super::tally::Tally;
use crate::contract::Contract;
use crate::contract::requirement::{Always, Form};

/// What tells of a counterexample whether it is another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// The numbers of its exchanges.
    exchanges: Vec<u64>,
    /// What was not so between request and response, and where, whatever the steps are called.
    relation: Option<String>,
    /// A digest of the answer, where that was a refusal.
    refusal: Option<u64>,
}

impl Fingerprint {
    pub(super) fn of(counterexample: &Counterexample) -> Self {
        let refusal = counterexample.exchanges.last().and_then(|e| e.response()).filter(|r| r.status >= 400).map(|r| {
            let mut hasher = DefaultHasher::new();
            (r.status, &r.body).hash(&mut hasher);
            hasher.finish()
        });
        Self {
            exchanges: counterexample.exchanges.iter().map(|e| e.number).collect(),
            relation: relation(counterexample),
            refusal,
        }
    }
}

/// The clause that failed without the names of steps, and the places where its sides differ.
fn relation(counterexample: &Counterexample) -> Option<String> {
    let mut text = counterexample.clause.clone()?;
    let mut of_response = false;
    for operand in &counterexample.operands {
        let half = ["response.", "request."].iter().find_map(|half| operand.path.find(half));
        let Some(at) = half else { continue };
        of_response |= operand.path[at..].starts_with("response.");
        text = text.replace(&operand.path, &operand.path[at..]);
    }
    let places: Vec<&str> = counterexample.differences.iter().map(|d| d.at.as_str()).collect();
    of_response.then(|| format!("{text} {}", places.join(" ")))
}

/// All that the counterexamples of one requirement show.
struct Head<'a> {
    requirement: usize,
    exchanges: BTreeSet<u64>,
    relations: BTreeSet<&'a str>,
    refusals: BTreeSet<u64>,
}

impl<'a> Head<'a> {
    fn new(requirement: usize, tally: &'a Tally) -> Self {
        let fingerprints = || tally.fingerprints().iter();
        Self {
            requirement,
            exchanges: fingerprints().flat_map(|t| t.exchanges.iter().copied()).collect(),
            relations: fingerprints().filter_map(|t| t.relation.as_deref()).collect(),
            refusals: fingerprints().filter_map(|t| t.refusal).collect(),
        }
    }

    /// Whether each counterexample of another requirement is probably of its cause.
    fn covers(&self, tally: &Tally, form: &Form) -> bool {
        // What is refused, and should not be, may well be what another requirement names.
        let by_refusal = matches!(form, Form::Always(Always::ValidAccepted));
        let covers = |trace: &Fingerprint| {
            trace.exchanges.iter().any(|n| self.exchanges.contains(n))
                || trace.relation.as_deref().is_some_and(|r| self.relations.contains(r))
                || (by_refusal && trace.refusal.is_some_and(|r| self.refusals.contains(&r)))
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
    let mut heads: Vec<Head<'_>> = Vec::new();
    for i in failed {
        match heads.iter().find(|head| head.covers(&tallies[i], form(i))) {
            Some(head) => causes[i] = Some(head.requirement),
            None => heads.push(Head::new(i, &tallies[i])),
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
        Form::Constraint(_) | Form::Schema(_) | Form::Parameter(..) => 5,
        Form::Rule(_) => 6,
        Form::Scenario(_) | Form::Probe(_) => 7,
        // What is refused may be refused for a reason that another requirement names better.
        Form::Always(Always::ValidAccepted) => 8,
    }
}
