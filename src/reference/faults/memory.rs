//! What faulty servers keep between requests. Without faults nothing is put here.

use crate::reference::answer::Answer;
use crate::reference::world::{Pipeline, Stage, User};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

#[derive(Debug, Default)]
pub(in crate::reference) struct Memory {
    /// Requests, answers with a record, and refusals, so far.
    pub(super) requests: AtomicU64,
    pub(super) answers: AtomicU64,
    pub(super) refusals: AtomicU64,
    /// Whether the next request on a fresh connection is dropped.
    pub(super) drops_next_fresh: AtomicBool,
    /// Requests now under way.
    pub(super) under_way: AtomicUsize,
    /// Turns of the two workers.
    pub(super) turns: AtomicU64,
    pub(super) named_pipelines: Mutex<HashMap<&'static str, &'static Pipeline>>,
    pub(super) named_stages: Mutex<HashMap<&'static str, &'static Stage>>,
    pub(super) named_owner: Mutex<Option<&'static User>>,
    pub(super) last_probability: Mutex<Option<i64>>,
    pub(super) last_value: Mutex<Option<i64>>,
    pub(super) shared_name: Mutex<String>,
    pub(super) shared_caller: Mutex<Option<&'static User>>,
    pub(super) last_answer: Mutex<HashMap<String, (Instant, Answer)>>,
    pub(super) names: Mutex<HashMap<String, Vec<String>>>,
    pub(super) counts: Mutex<HashMap<String, u64>>,
    pub(super) refused_keys: Mutex<HashSet<Vec<u8>>>,
    pub(super) reads: Mutex<HashMap<String, Answer>>,
}

/// Locks, also after a panic elsewhere: nothing that is kept under these locks can be half written.
pub(in crate::reference) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
