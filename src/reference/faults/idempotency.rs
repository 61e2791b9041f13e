//! Hooks of the idempotency keys.

use super::Fault;
use super::memory::lock;
use crate::reference::answer::Answer;
use crate::reference::asked::PROBABILITY;
use crate::reference::deviations::Deviations;
use crate::reference::json_text::is_same_json;
use crate::reference::key_store::{Kept, Key, Scope, Slot};
use crate::reference::posted::Posted;
use crate::reference::refusal::{Break, Failure, Reason, Refusal};
use crate::reference::server_state::ServerState;
use crate::reference::{Variation, body, created, validate};
use axum::http::StatusCode;
use bytes::Bytes;
use chrono::SubsecRound as _;
use serde_json::{Map, Value, json};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::OwnedMutexGuard;

/// The answer of a known key, given before the token is looked at.
pub(in crate::reference) fn before_authentication(
    server: &ServerState,
    household_id: &str,
    key: &Result<Option<Key>, Refusal>,
) -> Option<Answer> {
    if !server.deviations.fault(Fault::ReplayBeforeAuthentication) {
        return None;
    }
    let key = key.as_ref().ok()?.as_ref()?;
    let slot = server.keys.find(|scope| scope.household == household_id && scope.key == *key)?;
    let kept = slot.try_lock().ok()?;
    kept.as_ref().and_then(|kept| kept.outcome.clone().ok())
}

/// Within what the key counts, if there is one.
pub(in crate::reference) fn scope(
    server: &ServerState,
    posted: &Posted<'_>,
    scope: Option<Scope>,
) -> Result<Option<Scope>, Failure> {
    let d = &server.deviations;
    let Some(mut scope) = scope else {
        return Ok(keyless(d, posted));
    };
    if d.fault(Fault::KeyIgnored) {
        return Ok(None);
    }
    if d.fault(Fault::KeyLongBreaks) && scope.key.len() > 128
        || d.fault(Fault::KeyShortBreaks) && scope.key.len() < 8
        || d.fault(Fault::KeySymbolsBreak) && scope.key.iter().any(|byte| b"'\"\\`".contains(byte))
        || d.fault(Fault::KeyNoUuidBreaks) && !is_uuid(&scope.key)
    {
        return Err(Break::Error.into());
    }
    if d.fault(Fault::KeyCutAt32) {
        scope.key.truncate(32);
    }
    if d.fault(Fault::KeyCutAt128) {
        scope.key.truncate(128);
    }
    if d.fault(Fault::KeyTailOnly) {
        scope.key.drain(..scope.key.len().saturating_sub(32));
    }
    if d.fault(Fault::KeyCaseFolded) {
        scope.key.make_ascii_lowercase();
    }
    if d.fault(Fault::KeySymbolsAlike) {
        scope.key.iter_mut().filter(|byte| !byte.is_ascii_alphanumeric()).for_each(|byte| *byte = b'-');
    }
    if d.fault(Fault::KeySymbolsDropped) {
        scope.key.retain(u8::is_ascii_alphanumeric);
    }
    if d.fault(Fault::KeyDecoded) {
        scope.key = percent_encoding::percent_decode(&scope.key).collect();
    }
    if d.fault(Fault::KeyUnquoted) {
        let quoted = scope.key.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
        scope.key = quoted.unwrap_or(&scope.key).to_vec();
    }
    if d.fault(Fault::KeyCutAtSemicolon) {
        scope.key.truncate(scope.key.iter().position(|byte| *byte == b';').unwrap_or(scope.key.len()));
    }
    if d.fault(Fault::KeyWildcards)
        && let Some(start) = scope.key.strip_suffix(b"_").map(<[u8]>::to_vec)
    {
        let fits = |known: &[u8]| known.len() == start.len() + 1 && known.starts_with(&start);
        scope.key = server.keys.known(|known| fits(&known.key)).map_or(scope.key, |known| known.key);
    }
    if d.fault(Fault::KeyNumbersAlike) {
        let number = std::str::from_utf8(&scope.key).ok().and_then(|text| text.parse::<f64>().ok());
        scope.key = number.map_or(scope.key, |number| number.to_string().into_bytes());
    }
    if d.fault(Fault::KeyOddNotKept)
        && scope.key.iter().any(|byte| !byte.is_ascii_alphanumeric() && !b"-_".contains(byte))
    {
        return Ok(None);
    }
    if d.fault(Fault::KeySharedByUsers) {
        scope.user.clear();
    }
    if d.fault(Fault::KeyStorePerWorker) && server.memory.turns.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
        scope.user.push_str(" at the second worker");
    }
    Ok(Some(scope))
}

/// Whether a key has the digits and hyphens of a UUID.
fn is_uuid(key: &[u8]) -> bool {
    let is_place = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    key.len() == 36 && key.iter().enumerate().all(is_place)
}

/// What stands in for a key where there is none.
fn keyless(d: &Deviations, posted: &Posted<'_>) -> Option<Scope> {
    let key = if d.fault(Fault::TwinsMerged) {
        posted.body.to_vec()
    } else if d.fault(Fault::NamesakesMerged) {
        let object: Map<String, Value> = serde_json::from_slice(&posted.body).ok()?;
        object.get("name")?.as_str()?.as_bytes().to_vec()
    } else {
        return None;
    };
    Some(Scope { user: " without a key".to_owned(), household: posted.household_id.to_owned(), key })
}

/// Around a request without a key.
pub(in crate::reference) async fn cached(
    server: &ServerState,
    posted: &Posted<'_>,
    fresh: impl Future<Output = Result<Answer, Failure>>,
) -> Result<Answer, Failure> {
    if !server.deviations.fault(Fault::AnswerCached) {
        return fresh.await;
    }
    let cached = lock(&server.memory.last_answer).get(posted.household_id).cloned();
    if let Some((since, answer)) = cached
        && since.elapsed() < Duration::from_millis(20)
    {
        return Ok(answer);
    }
    let answer = fresh.await?;
    let entry = (Instant::now(), answer.clone());
    lock(&server.memory.last_answer).insert(posted.household_id.to_owned(), entry);
    Ok(answer)
}

/// Before a key is looked for.
pub(in crate::reference) fn before_search(server: &ServerState, scope: &Scope) {
    if server.deviations.fault(Fault::KeyLastOnly) {
        server.keys.retain(|known| known == scope);
    }
}

/// Waits for the request that holds a key.
pub(in crate::reference) async fn busy<T>(d: &Deviations, lock: impl Future<Output = T>) -> Result<T, Failure> {
    if d.fault(Fault::KeyBusyBreaks) { Err(Break::Error.into()) } else { Ok(lock.await) }
}

pub(in crate::reference) fn is_alive(d: &Deviations, age: Duration) -> bool {
    !(d.fault(Fault::KeyForgottenAfterTwoSeconds) && age > Duration::from_secs(2))
}

/// Whether a known key creates another record.
pub(in crate::reference) fn creates_again(d: &Deviations, posted: &Posted<'_>, first: &Kept) -> bool {
    let owner = |body: &Bytes| serde_json::from_slice::<Value>(body).ok().map(|body| body["owner_id"].clone());
    d.fault(Fault::ChangedBodyCreates) && posted.body != first.body
        || d.fault(Fault::ChangedOwnerCreates) && owner(&posted.body) != owner(&first.body)
        || d.fault(Fault::RespeltBodyCreates) && posted.body != first.body && is_same_json(&posted.body, &first.body)
}

/// Held while requests of one key and one body are served one after the other, though others with that key are not.
pub(in crate::reference) async fn alike(
    server: &ServerState,
    posted: &Posted<'_>,
    scope: &Scope,
) -> Option<OwnedMutexGuard<Option<Kept>>> {
    if !server.deviations.fault(Fault::ChangedBodyRace) {
        return None;
    }
    let mut own = scope.clone();
    own.user.push_str(" with one body");
    own.key.extend_from_slice(&posted.body);
    Some(server.keys.slot(&own).lock_owned().await)
}

/// Whether the key is free while its request is served.
pub(in crate::reference) fn is_unlocked(d: &Deviations) -> bool {
    d.fault(Fault::KeyRace) || d.fault(Fault::ChangedBodyRace)
}

/// Widens the time in which a key is in use, for what shows only then.
pub(in crate::reference) async fn paced(d: &Deviations) {
    let is_told = d.variation(Variation::Busy409) || d.variation(Variation::Busy425);
    if is_unlocked(d) || d.fault(Fault::KeyBusyBreaks) || is_told {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Keeps an answer later; whether it does.
pub(in crate::reference) fn keeps_later(
    server: &ServerState,
    posted: &Posted<'_>,
    slot: &Slot,
    outcome: &Result<Answer, Failure>,
) -> bool {
    let (true, Ok(answer)) = (server.deviations.fault(Fault::KeyStoredLate), outcome) else { return false };
    let kept = Kept { outcome: Ok(answer.clone()), body: posted.body.clone(), since: Instant::now() };
    let slot = Slot::clone(slot);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        *slot.lock().await = Some(kept);
    });
    true
}

/// What becomes of a key whose request was refused.
pub(in crate::reference) fn keeps_break(d: &Deviations) -> Option<Break> {
    d.fault(Fault::KeyLockKept).then_some(Break::Hang)
}

/// The answer of a known key.
pub(in crate::reference) fn replay(server: &ServerState, posted: &Posted<'_>, first: &Kept) -> Result<Answer, Failure> {
    let d = &server.deviations;
    let mut answer = first.outcome.clone()?;
    if d.fault(Fault::ReplayRefused) {
        return Err(Refusal::new(StatusCode::CONFLICT, Reason::KeyReused, "this request was made before").into());
    }
    if d.fault(Fault::ReplayRevalidated) {
        validate::asked(server, &body::object(server, posted.headers, &posted.body)?)?;
    }
    let changes: [(Fault, Change); 5] = [
        (Fault::ReplayFreshTimes, |server, _, object| {
            let now = created::time(&server.deviations, server.clock.now().trunc_subsecs(3));
            times(object, |_| now.clone());
        }),
        (Fault::ReplayTimesRounded, |_, _, object| {
            times(object, |time| time.split_once('.').map_or(time.to_owned(), |(seconds, _)| format!("{seconds}Z")));
        }),
        (Fault::ReplayFreshId, |server, _, object| {
            object.insert("id".to_owned(), json!(server.ids.next(&server.deviations)));
        }),
        (Fault::ReplayFlagged, |_, _, object| {
            object.insert("replayed".to_owned(), json!(true));
        }),
        (Fault::ReplayOnlyId, |_, _, object| object.retain(|key, _| key == "id")),
    ];
    for (fault, change) in changes {
        if d.fault(fault) {
            answer = changed_json(server, posted, answer, change);
        }
    }
    if d.fault(Fault::ReplayCut) {
        answer.body.truncate(255);
    }
    if d.fault(Fault::ReplayUndeclared) {
        answer.media_type = None;
    }
    if d.fault(Fault::ReplayStatus200) {
        answer.status = StatusCode::OK;
    }
    if d.fault(Fault::ReplayStatus204) {
        answer = Answer::empty(StatusCode::NO_CONTENT);
    }
    Ok(answer)
}

/// What is not checked of a request with a key.
pub(in crate::reference) fn unchecked(d: &Deviations, posted: &Posted<'_>, object: &mut Map<String, Value>) {
    let is_kept = |value: &Value| value.as_i64().is_none_or(|value| (0..=100).contains(&value));
    if d.fault(Fault::KeyedUnchecked) && posted.key.is_some() {
        object.retain(|key, value| key != PROBABILITY || is_kept(value));
    }
}

/// After a known key was answered.
pub(in crate::reference) fn after_replay(d: &Deviations, posted: &Posted<'_>, kept: &mut Option<Kept>) {
    let is_nameless = || serde_json::from_slice::<Value>(&posted.body).is_ok_and(|body| body["name"].is_null());
    if d.fault(Fault::KeyUsedUp) || d.fault(Fault::KeyReleasedByInvalidBody) && is_nameless() {
        *kept = None;
    }
}

/// After a key was kept.
pub(in crate::reference) fn after_keeping(server: &ServerState, scope: &Scope) {
    let d = &server.deviations;
    let is_other = |known: &Scope| {
        d.fault(Fault::KeyLostToAnotherUser) && known.user != scope.user
            || d.fault(Fault::KeyLostAtAnotherHousehold) && known.household != scope.household
    };
    if d.fault(Fault::KeyLostToAnotherUser) || d.fault(Fault::KeyLostAtAnotherHousehold) {
        server.keys.retain(|known| known.key != scope.key || !is_other(known));
    }
}

/// What a known key with another body gets.
pub(in crate::reference) fn changed(
    server: &ServerState,
    posted: &Posted<'_>,
    first: Answer,
    refusal: Refusal,
) -> Result<Answer, Failure> {
    if !server.deviations.fault(Fault::ChangedBodyMerges) {
        return Err(refusal.into());
    }
    Ok(changed_json(server, posted, first, |_, posted, object| {
        let sent = serde_json::from_slice::<Map<String, Value>>(&posted.body).unwrap_or_default();
        object.extend(sent.get("name").map(|name| ("name".to_owned(), name.clone())));
    }))
}

type Change = fn(&ServerState, &Posted<'_>, &mut Map<String, Value>);

fn changed_json(server: &ServerState, posted: &Posted<'_>, answer: Answer, change: Change) -> Answer {
    match serde_json::from_slice(&answer.body) {
        Ok(Value::Object(mut object)) => {
            change(server, posted, &mut object);
            Answer { body: Bytes::from(Value::Object(object).to_string()), ..answer }
        }
        _ => answer,
    }
}

/// Changes the times of an answer.
fn times(object: &mut Map<String, Value>, change: impl Fn(&str) -> String) {
    for (_, value) in object.iter_mut().filter(|(key, _)| key.ends_with("d_at")) {
        if let Some(time) = value.as_str() {
            *value = json!(change(time));
        }
    }
}
