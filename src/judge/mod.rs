//! What exchanges show: pure functions of contract and evidence.
//!
//! - [`attempts`]: all attempts of a run, and what their gateway errors show
//! - [`bind`]: an exchange as the names in expressions
//! - [`classify`]: whether a request was valid, broken, or left to the server
//! - [`finding`]: what one piece of evidence says of one requirement
//! - [`exchange`]: rules, constraints and what the document requires, on one exchange
//! - `response`: what the document says of responses
//! - [`scenario`]: what holds between the steps of a trial
//! - `fingerprint`: what failures with one cause have in common
//! - [`tally`]: findings added up to verdicts
//! - [`numbers`]: a set of numbers in few bytes
//! - [`cause`]: failures that probably have one cause

pub mod attempts;
pub mod bind;
pub mod cause;
pub mod classify;
mod doubt;
pub mod exchange;
pub mod finding;
mod fingerprint;
pub mod law;
pub mod numbers;
mod response;
pub mod scenario;
pub mod tally;

use crate::contract::Contract;
use crate::exchange::Request;
use crate::generate::draft::Fixtures;

/// What judging depends on.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// The contract.
    pub contract: &'a Contract,
    /// What the target provides.
    pub fixtures: &'a Fixtures,
}

impl<'a> Judge<'a> {
    /// The judge of the operation that a request is of.
    fn of(self, request: &Request) -> Self {
        let called = request.operation.and_then(|place| self.contract.called.get(place));
        Judge { contract: called.unwrap_or(self.contract), ..self }
    }
}
