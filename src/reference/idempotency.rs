//! Idempotency keys: the first request with a key is served, and every later one gets its answer.
//!
//! A key counts for one user and one household. While the first request is under way, others with its key wait for it.
//! Only records are kept: after a refusal the key is as good as new.

use super::answer::Answer;
use super::deviations::Deviations;
use super::faults::{idempotency as hook, stored};
use super::json_text::is_same_json;
use super::key_store::{Kept, Key, Scope};
use super::posted::Posted;
use super::refusal::{Failure, Reason, Refusal};
use super::{Variation, refused};
use crate::reference::server_state::ServerState;
use axum::http::{HeaderMap, StatusCode};
use std::time::{Duration, Instant};

pub(super) const HEADER: &str = "idempotency-key";

/// The key of a request. An empty one is none.
pub(super) fn key(d: &Deviations, headers: &HeaderMap) -> Result<Option<Key>, Refusal> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(key) = values.next().map(|value| value.as_bytes()).filter(|key| !key.is_empty()) else {
        return Ok(None);
    };
    let refused = |detail: &str| Err(Refusal::new(StatusCode::BAD_REQUEST, Reason::Key, detail));
    if values.next().is_some() {
        return refused("there is more than one idempotency key");
    }
    if d.variation(Variation::LongKeysRefused) && key.len() > 64 {
        return refused("the idempotency key has more than 64 characters");
    }
    Ok(Some(key.to_vec()))
}

/// Serves a request, unless its key was used before.
pub(super) async fn once(
    server: &ServerState,
    posted: &Posted<'_>,
    fresh: impl Future<Output = Result<Answer, Failure>>,
) -> Result<Answer, Failure> {
    let d = &server.deviations;
    let Some(scope) = hook::scope(server, posted, scope(d, posted))? else {
        return hook::cached(server, posted, fresh).await;
    };
    let _alike = hook::alike(server, posted, &scope).await;
    hook::before_search(server, &scope);
    let slot = server.keys.slot(&scope);
    let mut kept = match slot.try_lock() {
        Ok(kept) => kept,
        Err(_) if d.variation(Variation::Busy409) || d.variation(Variation::Busy425) => {
            let status = if d.variation(Variation::Busy409) { StatusCode::CONFLICT } else { StatusCode::TOO_EARLY };
            let detail = "the first request with this idempotency key is still under way";
            return Err(Refusal::new(status, Reason::Busy, detail).into());
        }
        Err(_) => hook::busy(d, slot.lock()).await?,
    };
    if let Some(first) = kept.as_ref().filter(|first| is_alive(d, first)) {
        if !hook::creates_again(d, posted, first) {
            let outcome = replay(server, posted, first);
            stored::replayed(server, posted, first);
            hook::after_replay(d, posted, &mut kept);
            return outcome;
        }
    } else {
        *kept = None;
    }

    if hook::is_unlocked(d) {
        drop(kept);
        hook::paced(d).await;
        let outcome = fresh.await;
        let mut kept = slot.lock().await;
        keep(server, posted, &scope, &mut kept, &outcome);
        return outcome;
    }
    hook::paced(d).await;
    let outcome = fresh.await;
    if !hook::keeps_later(server, posted, &slot, &outcome) {
        keep(server, posted, &scope, &mut kept, &outcome);
    }
    outcome
}

fn scope(d: &Deviations, posted: &Posted<'_>) -> Option<Scope> {
    let user = if d.variation(Variation::KeysOfTenant) { posted.caller.book_id } else { posted.caller.id };
    let household = if d.variation(Variation::KeysAcrossHouseholds) { "" } else { posted.household_id };
    let key = posted.key.clone()?;
    Some(Scope { user: user.to_owned(), household: household.to_owned(), key })
}

fn is_alive(d: &Deviations, first: &Kept) -> bool {
    let age = first.since.elapsed();
    !(d.variation(Variation::KeysLiveAMinute) && age > Duration::from_secs(60)) && hook::is_alive(d, age)
}

/// The answer to a request whose key was used before.
fn replay(server: &ServerState, posted: &Posted<'_>, first: &Kept) -> Result<Answer, Failure> {
    let d = &server.deviations;
    let answer = hook::replay(server, posted, first)?;
    if is_same(d, posted, first) || d.variation(Variation::ChangedBodyReplayed) {
        return Ok(Answer { replayed: true, ..answer });
    }
    let status =
        if d.variation(Variation::ChangedBody409) { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
    let detail = "the idempotency key was used with another body";
    hook::changed(server, posted, answer, Refusal::new(status, Reason::KeyReused, detail))
}

fn is_same(d: &Deviations, posted: &Posted<'_>, first: &Kept) -> bool {
    // Only a faulty server gets here without a key.
    posted.key.is_none()
        || posted.body == first.body
        || !d.variation(Variation::BodiesComparedAsBytes) && is_same_json(&posted.body, &first.body)
}

/// Keeps what is to be given again.
fn keep(
    server: &ServerState,
    posted: &Posted<'_>,
    scope: &Scope,
    kept: &mut Option<Kept>,
    outcome: &Result<Answer, Failure>,
) {
    let outcome = match outcome {
        Ok(answer) => Ok(answer.clone()),
        Err(Failure::Refused(refusal)) if server.deviations.variation(Variation::RefusalsKept) => {
            Ok(refused::refused(server, refusal))
        }
        Err(_) => match hook::keeps_break(&server.deviations) {
            Some(broken) => Err(broken),
            None => return,
        },
    };
    let body = posted.body.clone();
    let entry = Kept { outcome, body, since: Instant::now() };
    server.keys.charge(scope, entry.size());
    hook::after_keeping(server, scope);
    *kept = Some(entry);
}
