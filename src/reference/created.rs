//! From a record to its answer.

use super::Variation;
use super::answer::Answer;
use super::deviations::Deviations;
use super::faults::{echo, shape};
use super::record::Record;
use crate::reference::server_state::ServerState;
use axum::http::StatusCode;
use chrono::{DateTime, FixedOffset, SecondsFormat, SubsecRound, TimeDelta, Utc};
use serde_json::{Map, Value, json};

pub(super) fn created(server: &ServerState, record: &Record) -> Answer {
    let d = &server.deviations;
    let mut object = object(d, record);
    echo::object(d, record, &mut object);
    let body = shape::object(server, record, taken_variations(d, object));
    let status = if d.variation(Variation::Created200) { StatusCode::OK } else { StatusCode::CREATED };
    shape::answer(d, answer(d, status, &body))
}

/// An answer with a record.
pub(super) fn answer(d: &Deviations, status: StatusCode, body: &Value) -> Answer {
    let answer = Answer::json(d, status, body);
    let media_type = if d.variation(Variation::MediaTypeOfVendor) {
        Some("application/vnd.opportunity+json")
    } else {
        answer.media_type
    };
    Answer { media_type, ..answer }
}

/// A record as the answer to its creation shows it.
pub(super) fn object(d: &Deviations, record: &Record) -> Map<String, Value> {
    let Record { asked, pipeline, stage, owner, .. } = record;
    let stage_probability = d.variation(Variation::StageProbability).then_some(stage.probability);
    let json = json!({
        "id": record.id,
        "name": asked.name,
        "book_id": record.book_id,
        "pipeline": { "id": pipeline.id, "name": pipeline.name, "pipeline_type": pipeline.kind.name() },
        "pipeline_stage": { "id": stage.id, "name": stage.name },
        "assigned_to": {
            "id": owner.id,
            "email": owner.email,
            "first_name": owner.first_name,
            "last_name": owner.last_name,
        },
        "value": asked.value.map(|cents| dollars(d, cents)),
        "probability": asked.probability.or(stage_probability),
        "target_close_date": asked.close_date.as_ref().map(|date| close_date(d, date.instant, &date.text)),
        "stage_updated_at": stage_time(d, record),
        "household_id": record.household.map(|household| household.id),
        "created_at": time(d, record.created_at),
        "updated_at": time(d, record.updated_at),
    });
    match json {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn stage_time(d: &Deviations, record: &Record) -> Option<String> {
    let is_new = record.stage_updated_at == record.created_at;
    (!(is_new && d.variation(Variation::StageTimeNull))).then(|| time(d, record.stage_updated_at))
}

/// Whole dollars. The page does not say where the cents go; here they are rounded down.
fn dollars(d: &Deviations, cents: i64) -> i64 {
    let (down, rest) = (cents.div_euclid(100), cents.rem_euclid(100));
    let up = if d.variation(Variation::CentsRoundedHalfUp) {
        rest >= 50
    } else if d.variation(Variation::CentsRoundedHalfEven) {
        rest > 50 || rest == 50 && down % 2 != 0
    } else {
        d.variation(Variation::CentsCutTowardsZero) && cents < 0 && rest > 0
    };
    down + i64::from(up)
}

fn close_date(d: &Deviations, instant: DateTime<FixedOffset>, text: &str) -> String {
    // What is taken by courtesy is no date-time, which an answer owes.
    if d.variation(Variation::CloseDateAsSent)
        && DateTime::parse_from_rfc3339(text).is_ok()
        && text.contains(['T', 't'])
    {
        text.to_owned()
    } else if d.variation(Variation::CloseDateInSeconds) {
        time(d, instant.to_utc().trunc_subsecs(0))
    } else {
        time(d, instant.to_utc())
    }
}

/// An instant as answers give it: by itself in UTC and in milliseconds, or in microseconds where there are some.
pub(super) fn time(d: &Deviations, instant: DateTime<Utc>) -> String {
    let (digits, instant) = if d.variation(Variation::TimesInSeconds) {
        (SecondsFormat::Secs, instant)
    } else if d.variation(Variation::TimesInMicroseconds) {
        (SecondsFormat::Micros, instant)
    } else if d.variation(Variation::TimesInNanoseconds) {
        (SecondsFormat::Nanos, instant + TimeDelta::nanoseconds(789))
    } else {
        let is_finer = instant.trunc_subsecs(3) != instant;
        (if is_finer { SecondsFormat::Micros } else { SecondsFormat::Millis }, instant)
    };
    match FixedOffset::east_opt(19_800) {
        Some(offset) if d.variation(Variation::TimesWithOffset) => {
            instant.with_timezone(&offset).to_rfc3339_opts(digits, false)
        }
        _ => instant.to_rfc3339_opts(digits, !d.variation(Variation::TimesWithZeroOffset)),
    }
}

pub(super) fn taken_variations(d: &Deviations, mut object: Map<String, Value>) -> Map<String, Value> {
    let nested = ["pipeline", "pipeline_stage", "assigned_to"];
    if d.variation(Variation::SparseObjects) {
        for key in nested {
            if let Some(inner) = object.get_mut(key).and_then(Value::as_object_mut) {
                inner.retain(|key, _| key == "id");
            }
        }
    }
    if d.variation(Variation::ExtraFields) {
        for key in nested {
            if let Some(inner) = object.get_mut(key).and_then(Value::as_object_mut) {
                inner.insert("colour".to_owned(), json!("teal"));
            }
        }
        object.insert("tags".to_owned(), json!([]));
        object.insert("closed".to_owned(), json!(false));
        object.insert("currency".to_owned(), json!({ "code": "USD", "digits": 2 }));
    }
    if d.variation(Variation::TimesAbsent) {
        object.retain(|key, _| !key.ends_with("d_at"));
    }
    if d.variation(Variation::HouseholdAbsent) {
        object.remove("household_id");
    }
    if d.variation(Variation::AbsentForNull) {
        object.retain(|_, value| !value.is_null());
    }
    if d.variation(Variation::KeysSorted) {
        object.sort_keys();
    }
    object
}

#[cfg(test)]
mod tests {
    use super::{dollars, time};
    use crate::reference::deviations::Deviations;
    use crate::reference::{Options, Variation};
    use chrono::DateTime;

    fn with(variation: Variation) -> Deviations {
        Deviations::new(&Options { variations: vec![variation], ..Options::default() })
    }

    #[test]
    fn cents_become_dollars() {
        let rounded = |d: &Deviations| [12_300, 12_350, 12_450, -12_350, 0, 99].map(|cents| dollars(d, cents));
        assert_eq!(rounded(&Deviations::default()), [123, 123, 124, -124, 0, 0]);
        assert_eq!(rounded(&with(Variation::CentsRoundedHalfUp)), [123, 124, 125, -123, 0, 1]);
        assert_eq!(rounded(&with(Variation::CentsRoundedHalfEven)), [123, 124, 124, -124, 0, 1]);
        assert_eq!(rounded(&with(Variation::CentsCutTowardsZero)), [123, 123, 124, -123, 0, 0]);
    }

    #[test]
    fn times_are_spelled_in_their_ways() {
        let instant = DateTime::from_timestamp_micros(1_900_000_000_250_000).unwrap();
        assert_eq!(time(&Deviations::default(), instant), "2030-03-17T17:46:40.250Z");
        assert_eq!(time(&with(Variation::TimesInSeconds), instant), "2030-03-17T17:46:40Z");
        assert_eq!(time(&with(Variation::TimesInNanoseconds), instant), "2030-03-17T17:46:40.250000789Z");
        assert_eq!(time(&with(Variation::TimesWithOffset), instant), "2030-03-17T23:16:40.250+05:30");
        assert_eq!(time(&with(Variation::TimesWithZeroOffset), instant), "2030-03-17T17:46:40.250+00:00");
    }
}
