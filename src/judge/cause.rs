//! Failures of what is probably one cause: one defect should not read as forty.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::finding::{Counterexample, REFUSAL};
use super::tally::Tally;
use crate::contract::Contract;
use crate::contract::requirement::{Always, Form};

/// What tells of a counterexample whether it is another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// The number of the exchange that failed.
    telling: Option<u64>,
    /// What was not so between request and response, and where, whatever the steps are called.
    relation: Option<String>,
    /// A digest of the answer, where that was a refusal.
    refusal: Option<u64>,
    /// Whether a refusal was due, and the request was accepted.
    open_door: bool,
    /// What it says is wrong: the property that is missing, or the place.
    says: Option<String>,
    /// What it read.
    read: Vec<String>,
}

impl Fingerprint {
    pub(super) fn of(counterexample: &Counterexample) -> Self {
        let last = counterexample.exchanges.last();
        let response = last.and_then(|e| e.response());
        let refusal = response.filter(|r| r.status >= 400).map(|r| {
            let mut hasher = DefaultHasher::new();
            (r.status, &r.body).hash(&mut hasher);
            hasher.finish()
        });
        let is_accepted = response.is_some_and(|r| (200..300).contains(&r.status));
        Self {
            telling: last.map(|e| e.number),
            relation: relation(counterexample),
            refusal,
            open_door: is_accepted && counterexample.expected.starts_with(REFUSAL),
            says: counterexample.clause.is_none().then(|| place(&counterexample.expected)).flatten(),
            read: counterexample.operands.iter().map(|o| o.path.clone()).collect(),
        }
    }

    /// Whether it may be read out of what is missing or wrong in a body.
    fn reads(&self, name: &str) -> bool {
        self.read.iter().any(|path| path.split(['.', '[', ']']).any(|part| part.trim_matches(['"', '\'']) == name))
    }
}

/// The property that an expectation on a body's form names: `the body with `id`, as …`, `/owner/id as …`.
fn place(expected: &str) -> Option<String> {
    if let Some((_, rest)) = expected.split_once(" with `") {
        return rest.split_once('`').map(|(name, _)| name.to_owned());
    }
    let pointer = expected.split(' ').next().filter(|first| first.starts_with('/'))?;
    pointer.rsplit('/').find(|part| part.parse::<u64>().is_err()).map(str::to_owned)
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
    form: &'a Form,
    telling: BTreeSet<u64>,
    relations: BTreeSet<&'a str>,
    refusals: BTreeSet<u64>,
    says: BTreeSet<&'a str>,
    open_door: bool,
}

impl<'a> Head<'a> {
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

    /// Whether each counterexample of another requirement is probably of its cause.
    fn covers(&self, tally: &Tally, form: &Form) -> bool {
        // What is refused, and should not be, may well be what another requirement names.
        let by_refusal = matches!(form, Form::Always(Always::ValidAccepted));
        let covers = |trace: &Fingerprint| {
            // What came in answer to what should have been refused explains nothing of that.
            let same = trace.open_door == self.open_door && trace.telling.is_some_and(|n| self.telling.contains(&n));
            (same && self.explains(trace))
                || (!trace.open_door && trace.relation.as_deref().is_some_and(|r| self.relations.contains(r)))
                || (by_refusal && trace.refusal.is_some_and(|r| self.refusals.contains(&r)))
        };
        !tally.fingerprints().is_empty() && tally.fingerprints().iter().all(covers)
    }

    /// Whether what it says of an exchange explains what another requirement says of it.
    fn explains(&self, trace: &Fingerprint) -> bool {
        match self.form {
            // No answer, or that of a server that failed, explains all that is missing in it.
            Form::Always(Always::NoServerError | Always::Answered) => true,
            // The form of a body explains what is read of that part.
            Form::Always(Always::Shape(_)) => self.says.iter().any(|name| trace.reads(name)),
            Form::Always(Always::DocumentedStatus | Always::MediaType) => {
                self.says.is_empty() && trace.reads(if matches!(self.form, Form::Always(Always::MediaType)) {
                    "media_type"
                } else {
                    "status"
                })
            }
            _ => true,
        }
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
        let is_foremost = contract.foremost.iter().any(|area| area == contract.requirements[i].area());
        match heads.iter().find(|head| head.covers(&tallies[i], form(i))) {
            Some(head) if !is_foremost => causes[i] = Some(head.requirement),
            _ => heads.push(Head::new(i, form(i), &tallies[i])),
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
