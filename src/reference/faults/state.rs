//! Hooks of what a server keeps from one request to the next: ids, places shared by accident, exhaustion.

use super::Fault;
use super::authentication::is_first;
use super::memory::{Memory, lock};
use crate::reference::asked::{Asked, NAME};
use crate::reference::ids::mix;
use crate::reference::posted::Posted;
use crate::reference::record::Record;
use crate::reference::refusal::{Break, Failure, Refusal};
use crate::reference::server_state::ServerState;
use crate::reference::variations::Variation;
use crate::reference::world::User;
use axum::http::{Extensions, StatusCode};
use chrono::{DateTime, Utc};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Counts a request as under way while it lives.
pub(in crate::reference) struct UnderWay<'a>(&'a Memory);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Before anything else: whether the request is served at all.
pub(in crate::reference) async fn admit<'a>(
    server: &'a ServerState,
    extensions: &Extensions,
) -> Result<UnderWay<'a>, Break> {
    let (d, memory) = (&server.deviations, &server.memory);
    let number = memory.requests.fetch_add(1, Ordering::Relaxed) + 1;
    let others = memory.under_way.fetch_add(1, Ordering::Relaxed);
    let under_way = UnderWay(memory);
    let drops = d.variation(Variation::Every40thDrops);
    if number % 40 == 0 && drops {
        memory.drops_next_fresh.store(true, Ordering::Relaxed);
        return Err(Break::Sever);
    }
    if number % 40 == 0 && d.fault(Fault::Every40thBreaks) {
        return Err(Break::Error);
    }
    // Clients send again what a kept connection dropped: only dropping that as well is seen.
    if drops && is_first(extensions) && memory.drops_next_fresh.swap(false, Ordering::Relaxed) {
        return Err(Break::Sever);
    }
    let exhausted = d.fault(Fault::DiesAfter150) && number > 150
        || d.fault(Fault::RefusalsExhaust) && memory.refusals.load(Ordering::Relaxed) > 30;
    if exhausted {
        return Err(Break::Error);
    }
    if d.fault(Fault::CrowdBreaks) {
        if others >= 4 {
            return Err(Break::Error);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(under_way)
}

/// Passes the name and the caller through places that all requests share; gives the caller.
pub(in crate::reference) async fn cross(
    server: &ServerState,
    caller: &'static User,
    asked: &mut Asked,
) -> &'static User {
    let (d, memory) = (&server.deviations, &server.memory);
    let (names, callers) = (d.fault(Fault::AnswersCrossed), d.fault(Fault::OwnersCrossed));
    if !names && !callers {
        return caller;
    }
    asked.name.clone_into(&mut lock(&memory.shared_name));
    *lock(&memory.shared_caller) = Some(caller);
    tokio::time::sleep(Duration::from_millis(20)).await;
    if names {
        asked.name.clone_from(&lock(&memory.shared_name));
    }
    let shared = *lock(&memory.shared_caller);
    if callers { shared.unwrap_or(caller) } else { caller }
}

/// An id that is not unique.
pub(in crate::reference) fn id(
    server: &ServerState,
    posted: &Posted<'_>,
    asked: &Asked,
    now: DateTime<Utc>,
) -> Option<String> {
    let d = &server.deviations;
    let number = if d.fault(Fault::IdsPerHousehold) {
        let mut counts = lock(&server.memory.counts);
        let count = counts.entry(posted.household_id.to_owned()).or_default();
        *count += 1;
        mix(*count)
    } else if d.fault(Fault::IdsFromName) {
        let mut hasher = DefaultHasher::new();
        (posted.household_id, &asked.name).hash(&mut hasher);
        hasher.finish()
    } else if d.fault(Fault::IdsFromSecond) {
        mix(now.timestamp().cast_unsigned())
    } else if d.fault(Fault::IdsOfOneByte) {
        let count = server.memory.turns.fetch_add(1, Ordering::Relaxed);
        mix(mix(count) & 0xff)
    } else {
        return None;
    };
    Some(format!("op_{number:016x}"))
}

/// Refuses a name that the household already has.
pub(in crate::reference) fn namesake(
    server: &ServerState,
    posted: &Posted<'_>,
    record: &Record,
) -> Result<(), Failure> {
    if !server.deviations.fault(Fault::NamesakeRefused) {
        return Ok(());
    }
    let mut names = lock(&server.memory.names);
    let names = names.entry(posted.household_id.to_owned()).or_default();
    if names.contains(&record.asked.name) {
        let refusal = Refusal::invalid(NAME, "is taken");
        return Err(Refusal { status: StatusCode::CONFLICT, ..refusal }.into());
    }
    // A bound on the memory: the oldest names may come again.
    if names.len() >= 2_000 {
        names.remove(0);
    }
    names.push(record.asked.name.clone());
    Ok(())
}
