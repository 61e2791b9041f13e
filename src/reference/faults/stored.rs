//! Hooks of what is kept of a creation: other than what was answered.

use super::memory::lock;
use super::{Fault, text};
use crate::reference::asked::{CloseDate, NAME};
use crate::reference::find;
use crate::reference::key_store::Kept;
use crate::reference::posted::Posted;
use crate::reference::record::Record;
use crate::reference::server_state::ServerState;
use crate::reference::world::Kind;
use chrono::{DateTime, FixedOffset, NaiveTime, TimeDelta};
use serde_json::{Map, Value, json};
use std::sync::atomic::Ordering;

/// The record as it is kept, if it is.
pub(in crate::reference) fn kept(server: &ServerState, posted: &Posted<'_>, mut record: Record) -> Option<Record> {
    let d = &server.deviations;
    if !d.is_faulty() {
        return Some(record);
    }
    let is_crowded = server.memory.under_way.load(Ordering::Relaxed) > 2;
    if d.fault(Fault::StoredNotAtAll) || d.fault(Fault::StoredLostInACrowd) && is_crowded {
        return None;
    }
    let asked = &mut record.asked;
    asked.name = text::name_kept(d, std::mem::take(&mut asked.name));
    asked.value = asked.value.and_then(|cents| value(server, cents));
    asked.value = asked.value.or(d.fault(Fault::StoredNoneAsZero).then_some(0));
    asked.probability = asked.probability.and_then(|percent| probability(server, percent, record.stage.probability));
    asked.close_date = asked.close_date.take().and_then(|date| close_date(server, date));
    let kind = record.household.map_or(Kind::Client, |household| household.kind);
    if d.fault(Fault::StoredPipelineDefault) {
        record.pipeline = find::default_pipeline(record.book_id, kind).unwrap_or(record.pipeline);
    }
    if d.fault(Fault::StoredStageFirst) || record.pipeline.stage(record.stage.id).is_none() {
        record.stage = record.pipeline.stages.first().unwrap_or(record.stage);
    }
    if d.fault(Fault::StoredOwnerCaller) {
        record.owner = posted.caller;
    }
    if d.fault(Fault::StoredHouseholdOfFirst) {
        record.household = find::households(record.book_id).next();
    }
    Some(record)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the loss is the fault")]
fn value(server: &ServerState, cents: i64) -> Option<i64> {
    let d = &server.deviations;
    if d.fault(Fault::StoredValueLost) || d.fault(Fault::StoredValueZeroLost) && cents == 0 {
        return None;
    }
    Some(if d.fault(Fault::StoredValueInCents) {
        cents.saturating_mul(100)
    } else if d.fault(Fault::StoredValueDividedTwice) {
        cents / 100
    } else if d.fault(Fault::StoredValueInSinglePrecision) {
        cents as f32 as i64
    } else {
        cents
    })
}

fn probability(server: &ServerState, percent: i64, of_stage: i64) -> Option<i64> {
    let d = &server.deviations;
    if d.fault(Fault::StoredProbabilityLost) || d.fault(Fault::StoredProbabilityZeroLost) && percent == 0 {
        return None;
    }
    Some(match percent {
        _ if d.fault(Fault::StoredProbabilityOfStage) => of_stage,
        _ if d.fault(Fault::StoredProbabilityRoundedToTen) => to_ten(percent),
        _ => percent,
    })
}

/// To the nearest multiple of ten.
pub(super) const fn to_ten(percent: i64) -> i64 {
    (percent + 5) / 10 * 10
}

fn close_date(server: &ServerState, date: CloseDate) -> Option<CloseDate> {
    let d = &server.deviations;
    if d.fault(Fault::StoredCloseDateLost) {
        return None;
    }
    let sent = date.instant;
    let instant = if d.fault(Fault::StoredCloseDateOffsetDropped) {
        offset_dropped(sent)
    } else if d.fault(Fault::StoredCloseDateCutToDay) {
        cut_to_day(sent)
    } else if d.fault(Fault::StoredCloseDateHourLate) {
        sent.checked_add_signed(TimeDelta::hours(1)).unwrap_or(sent)
    } else {
        return Some(date);
    };
    Some(CloseDate { instant, text: String::new() })
}

pub(super) fn offset_dropped(sent: DateTime<FixedOffset>) -> DateTime<FixedOffset> {
    sent.naive_local().and_utc().fixed_offset()
}

pub(super) fn cut_to_day(sent: DateTime<FixedOffset>) -> DateTime<FixedOffset> {
    sent.to_utc().date_naive().and_time(NaiveTime::MIN).and_utc().fixed_offset()
}

/// What becomes of a record whose key is repeated.
pub(in crate::reference) fn replayed(server: &ServerState, posted: &Posted<'_>, first: &Kept) {
    let d = &server.deviations;
    let (lost, overwritten) = (d.fault(Fault::StoredLostOnReplay), d.fault(Fault::StoredOverwrittenByReplay));
    if !lost && !overwritten {
        return;
    }
    let body = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
    let answer = first.outcome.as_ref().map(|answer| body(&answer.body)).unwrap_or_default();
    let Some(id) = answer["id"].as_str() else { return };
    if lost {
        server.store.remove(id);
    } else if let Some(name) = body(&posted.body)[NAME].as_str() {
        server.store.change(id, |record| name.clone_into(&mut record.asked.name));
    }
}

/// The body that is taken in place of one that was refused before with the same key.
pub(in crate::reference) fn refused_before(server: &ServerState, posted: &Posted<'_>, object: &mut Map<String, Value>) {
    if server.deviations.fault(Fault::StoredRefusedTakenAgain)
        && let Some(key) = &posted.key
        && lock(&server.memory.refused_keys).contains(key)
    {
        *object = Map::from_iter([(NAME.to_owned(), json!("refused once"))]);
    }
}

/// Remembers the key of what was refused.
pub(in crate::reference) fn refused(server: &ServerState, posted: &Posted<'_>, is_refused: bool) {
    if server.deviations.fault(Fault::StoredRefusedTakenAgain)
        && is_refused
        && let Some(key) = &posted.key
    {
        lock(&server.memory.refused_keys).insert(key.clone());
    }
}
