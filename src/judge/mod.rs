//! What exchanges show: pure functions of contract and evidence.
//!
//! - [`bind`]: an exchange as the names that expressions use
//! - [`classify`]: whether a request was valid, broken, or left to the server
//! - [`finding`]: what one piece of evidence says of one requirement
//! - [`exchange`]: rules, constraints and what the document asks for, on one exchange
//! - `response`: what the document says of responses
//! - [`scenario`]: what holds between the steps of a trial
//! - `fingerprint`: what failures of one cause have in common
//! - [`tally`]: findings added up to verdicts
//! - [`cause`]: failures of what is probably one cause

pub mod bind;
pub mod cause;
pub mod classify;
mod doubt;
pub mod exchange;
pub mod finding;
mod fingerprint;
mod response;
pub mod scenario;
pub mod tally;

use crate::contract::Contract;
use crate::generate::draft::Fixtures;

/// What judging rests on.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// The contract.
    pub contract: &'a Contract,
    /// What the target provides.
    pub fixtures: &'a Fixtures,
}
