//! Hooks of a record: what is kept, and so given back, of what was sent.

use super::close_date::{LAST_32_BIT_SECOND, is_leap_day};
use super::{Fault, text};
use crate::reference::asked::CloseDate;
use crate::reference::deviations::Deviations;
use crate::reference::find;
use crate::reference::record::Record;
use crate::reference::server_state::ServerState;
use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Timelike, Utc};
use serde_json::{Map, Value, json};

/// The record as it is kept.
pub(in crate::reference) fn record(server: &ServerState, record: &mut Record) {
    let d = &server.deviations;
    record.asked.name = text::name(d, std::mem::take(&mut record.asked.name));
    record.asked.value = record.asked.value.and_then(|cents| value(d, cents));
    record.asked.probability =
        record.asked.probability.and_then(|percent| probability(d, percent, record.stage.probability));
    record.asked.close_date = record.asked.close_date.take().and_then(|date| close_date(d, date, record.created_at));
    if d.fault(Fault::HouseholdIdLost) {
        record.household = None;
    }
    if d.fault(Fault::HouseholdIdOfFirst) {
        record.household = find::households(record.book_id).next();
    }
    times(d, record);
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the loss is the fault")]
fn value(d: &Deviations, cents: i64) -> Option<i64> {
    if d.fault(Fault::ValueLost) || d.fault(Fault::ValueZeroLost) && cents == 0 {
        return None;
    }
    Some(if d.fault(Fault::ValueWrapsAt32Bit) {
        i64::from(cents as i32)
    } else if d.fault(Fault::ValueClampedAt32Bit) {
        cents.clamp(i32::MIN.into(), i32::MAX.into())
    } else if d.fault(Fault::ValueInSinglePrecision) {
        cents as f32 as i64
    } else if d.fault(Fault::ValueDividedTwice) {
        cents / 100
    } else {
        cents
    })
}

fn probability(d: &Deviations, percent: i64, of_stage: i64) -> Option<i64> {
    if d.fault(Fault::ProbabilityZeroLost) && percent == 0 {
        return None;
    }
    Some(match percent {
        100 if d.fault(Fault::Probability100Lowered) => 99,
        1 if d.fault(Fault::Probability1Raised) => 100,
        _ if d.fault(Fault::ProbabilityRoundedToTen) => (percent + 5) / 10 * 10,
        // Divided by a hundred and multiplied again, these are a little less.
        29 | 57 | 58 if d.fault(Fault::ProbabilityCutAsFraction) => percent - 1,
        _ if d.fault(Fault::ProbabilityOfStage) => of_stage,
        _ => percent,
    })
}

fn close_date(d: &Deviations, date: CloseDate, now: DateTime<Utc>) -> Option<CloseDate> {
    if d.fault(Fault::CloseDateLost) {
        return None;
    }
    let (sent, local) = (date.instant.to_utc(), date.instant.naive_local());
    let hour = TimeDelta::hours(1);
    let kept = if d.fault(Fault::CloseDateOffsetDropped) {
        local.and_utc()
    } else if d.fault(Fault::CloseDateCutToDay) {
        sent.date_naive().and_time(NaiveTime::MIN).and_utc()
    } else if d.fault(Fault::CloseDateCutToMinute) {
        sent - TimeDelta::seconds(sent.second().into()) - TimeDelta::nanoseconds(sent.nanosecond().into())
    } else if d.fault(Fault::CloseDateHourLate)
        || d.fault(Fault::CloseDateSummerHourLate) && (4..=10).contains(&sent.month())
    {
        sent.checked_add_signed(hour).unwrap_or(sent)
    } else if d.fault(Fault::CloseDateWrapsAt2038) && sent.timestamp() > LAST_32_BIT_SECOND {
        let span = 2 * (LAST_32_BIT_SECOND + 1);
        let wrapped = (sent.timestamp() + LAST_32_BIT_SECOND + 1).rem_euclid(span) - LAST_32_BIT_SECOND - 1;
        DateTime::from_timestamp(wrapped, 0).unwrap_or(sent)
    } else if d.fault(Fault::CloseDateLeapDayMoved) && is_leap_day(&local.date()) {
        sent + TimeDelta::days(1)
    } else if d.fault(Fault::CloseDateIsCreation) {
        now
    } else {
        return Some(date);
    };
    Some(CloseDate { instant: kept.fixed_offset(), text: String::new() })
}

fn times(d: &Deviations, record: &mut Record) {
    let now = record.created_at;
    let (created, updated) = if d.fault(Fault::CreatedAtInLocalTime) {
        (now - TimeDelta::hours(5), now - TimeDelta::hours(5))
    } else if d.fault(Fault::CreatedAtIn1970) {
        (DateTime::UNIX_EPOCH, now)
    } else if d.fault(Fault::CreatedAtTomorrow) {
        (now + TimeDelta::days(1), now + TimeDelta::days(1))
    } else if d.fault(Fault::UpdatedBeforeCreated) {
        (now, now - TimeDelta::hours(1))
    } else {
        return;
    };
    (record.created_at, record.updated_at) = (created, updated);
}

/// The values as the answer gives them.
pub(in crate::reference) fn object(d: &Deviations, record: &Record, object: &mut Map<String, Value>) {
    let mut set = |fault: Fault, key: &str, value: Option<Value>| {
        if d.fault(fault)
            && let Some(value) = value
        {
            object.insert(key.to_owned(), value);
        }
    };
    let asked = &record.asked;
    let cents = asked.value;
    set(Fault::ValueInCents, "value", cents.map(|cents| json!(cents)));
    set(Fault::ValueAsText, "value", cents.map(|cents| json!((cents / 100).to_string())));
    set(Fault::ValueAsDecimal, "value", cents.map(decimal));
    let percent = asked.probability;
    set(Fault::ProbabilityAsText, "probability", percent.map(|percent| json!(percent.to_string())));
    set(Fault::ProbabilityAsFraction, "probability", percent.map(decimal));
    let date = asked.close_date.as_ref().map(|date| date.instant.to_utc());
    set(
        Fault::CloseDateWithoutZone,
        "target_close_date",
        date.map(|date| json!(date.naive_utc().to_string().replace(' ', "T"))),
    );
    set(Fault::CloseDateAsNumber, "target_close_date", date.map(|date| json!(date.timestamp())));
    if let Some(id) = asked.pipeline_id.as_ref().filter(|id| *id != record.pipeline.id) {
        let echoed = json!({ "id": id, "name": "Unnamed", "pipeline_type": record.pipeline.kind.name() });
        set(Fault::PipelineUnknownEchoed, "pipeline", Some(echoed));
    }
    if let Some(id) = asked.stage_id.as_ref().filter(|id| *id != record.stage.id) {
        set(Fault::StageUnknownEchoed, "pipeline_stage", Some(json!({ "id": id, "name": "Unnamed" })));
    }
    if let Some(id) = asked.owner_id.as_ref().filter(|id| *id != record.owner.id) {
        let echoed = json!({ "id": id, "email": "", "first_name": "", "last_name": "" });
        set(Fault::OwnerUnknownEchoed, "assigned_to", Some(echoed));
    }
}

/// A hundredth, as a decimal fraction.
#[expect(clippy::cast_precision_loss, reason = "the fraction is what the fault is about")]
fn decimal(hundredths: i64) -> Value {
    json!(hundredths as f64 / 100.0)
}
