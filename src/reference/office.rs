//! What all requests to one server share.

use super::Options;
use super::clock::Clock;
use super::deviations::Deviations;
use super::faults::memory::Memory;
use super::idempotency::Keys;
use super::ids::Ids;
use super::limits::Limits;

#[derive(Debug)]
pub(super) struct Office {
    pub(super) deviations: Deviations,
    pub(super) clock: Clock,
    pub(super) ids: Ids,
    pub(super) keys: Keys,
    pub(super) limits: Limits,
    /// Used by faults only.
    pub(super) memory: Memory,
}

impl Office {
    pub(super) fn new(options: &Options) -> Self {
        let deviations = Deviations::new(options);
        let clock = Clock::new(&deviations);
        let ids = Ids::new(clock.now());
        Self { clock, ids, keys: Keys::default(), limits: Limits::default(), memory: Memory::default(), deviations }
    }
}
