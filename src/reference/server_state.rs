//! What all requests to one server share.

use crate::reference::Options;
use crate::reference::clock::Clock;
use crate::reference::deviations::Deviations;
use crate::reference::faults::memory::Memory;
use crate::reference::ids::Ids;
use crate::reference::key_store::Keys;
use crate::reference::limits::Limits;
use crate::reference::store::Store;

#[derive(Debug)]
pub(super) struct ServerState {
    pub(super) deviations: Deviations,
    pub(super) clock: Clock,
    pub(super) ids: Ids,
    pub(super) keys: Keys,
    pub(super) limits: Limits,
    pub(super) store: Store,
    /// Used by faults only.
    pub(super) memory: Memory,
}

impl ServerState {
    pub(super) fn new(options: &Options) -> Self {
        let deviations = Deviations::new(options);
        let clock = Clock::new(&deviations);
        let ids = Ids::new(clock.now());
        Self {
            clock,
            ids,
            keys: Keys::default(),
            limits: Limits::default(),
            store: Store::default(),
            memory: Memory::default(),
            deviations,
        }
    }
}
