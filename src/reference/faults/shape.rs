//! Hooks of the answer: what it is made of, and how it is wrapped.

use super::Fault;
use crate::reference::answer::Answer;
use crate::reference::deviations::Deviations;
use crate::reference::record::Record;
use crate::reference::server_state::ServerState;
use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::Ordering;

/// The JSON of an answer.
pub(in crate::reference) fn object(server: &ServerState, record: &Record, mut object: Map<String, Value>) -> Value {
    let d = &server.deviations;
    if !d.is_faulty() {
        return Value::Object(object);
    }
    let seventh = server.memory.answers.fetch_add(1, Ordering::Relaxed) % 7 == 6;
    for (fault, key, applies) in missing(record, seventh) {
        if applies && d.fault(fault) {
            object.shift_remove(key);
        }
    }
    for (fault, key, value) in replaced(record) {
        if d.fault(fault) {
            object.insert(key.to_owned(), value);
        }
    }
    for (fault, outer, key, value, applies) in replaced_within(record) {
        if applies
            && d.fault(fault)
            && let Some(inner) = object.get_mut(outer).and_then(Value::as_object_mut)
        {
            inner.insert(key.to_owned(), value);
        }
    }
    if d.fault(Fault::AnswerOnlyId) {
        object.retain(|key, _| key == "id");
    }
    if d.fault(Fault::AnswerCamelCase) {
        object = object.into_iter().map(|(key, value)| (camel_case(&key), value)).collect();
    }
    let json = Value::Object(object);
    if d.fault(Fault::AnswerWrapped) {
        json!({ "data": json })
    } else if d.fault(Fault::AnswerInList) {
        json!([json])
    } else if d.fault(Fault::AnswerEncodedTwice) {
        json!(json.to_string())
    } else {
        json
    }
}

/// Which property is left out, and whether it is in this answer.
fn missing(record: &Record, seventh: bool) -> [(Fault, &'static str, bool); 11] {
    let asked = &record.asked;
    [
        (Fault::IdMissing, "id", true),
        (Fault::NameMissing, "name", true),
        (Fault::BookIdMissing, "book_id", true),
        (Fault::PipelineMissing, "pipeline", true),
        (Fault::StageMissing, "pipeline_stage", true),
        (Fault::OwnerMissing, "assigned_to", true),
        (Fault::BookIdSometimesMissing, "book_id", seventh),
        (Fault::OwnerSometimesMissing, "assigned_to", seventh),
        (Fault::PipelineMissingWhenDefaulted, "pipeline", asked.pipeline_id.is_none()),
        (Fault::StageMissingWhenDefaulted, "pipeline_stage", asked.stage_id.is_none()),
        (Fault::OwnerMissingWhenDefaulted, "assigned_to", asked.owner_id.is_none()),
    ]
}

/// A number for an id, as unique as that, of the 53 bits that every reader of JSON keeps.
fn numbered(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish() >> 11
}

fn replaced(record: &Record) -> Vec<(Fault, &'static str, Value)> {
    let created = record.created_at;
    let mut replaced = vec![
        (Fault::IdNull, "id", Value::Null),
        (Fault::IdAsNumber, "id", json!(numbered(&record.id))),
        (Fault::NameNull, "name", Value::Null),
        (Fault::NameInList, "name", json!([record.asked.name])),
        (Fault::BookIdNull, "book_id", Value::Null),
        (Fault::BookIdEmpty, "book_id", json!("")),
        (Fault::BookIdAsNumber, "book_id", json!(4081)),
        (Fault::PipelineNull, "pipeline", Value::Null),
        (Fault::PipelineAsId, "pipeline", json!(record.pipeline.id)),
        (Fault::StageNull, "pipeline_stage", Value::Null),
        (Fault::StageAsId, "pipeline_stage", json!(record.stage.id)),
        (Fault::OwnerNull, "assigned_to", Value::Null),
        (Fault::OwnerAsId, "assigned_to", json!(record.owner.id)),
        (Fault::CreatedAtWithoutZone, "created_at", json!(created.format("%Y-%m-%dT%H:%M:%S").to_string())),
        (Fault::CreatedAtAsNumber, "created_at", json!(created.timestamp())),
        (Fault::UpdatedAtDateOnly, "updated_at", json!(created.format("%Y-%m-%d").to_string())),
        (Fault::StageUpdatedAtMalformed, "stage_updated_at", json!("0000-00-00 00:00:00")),
    ];
    let asked = &record.asked;
    if asked.pipeline_id.is_none() {
        replaced.push((Fault::DefaultPipelineNull, "pipeline", Value::Null));
    }
    if asked.stage_id.is_none() {
        replaced.push((Fault::DefaultStageNull, "pipeline_stage", Value::Null));
    }
    if asked.owner_id.is_none() {
        replaced.push((Fault::DefaultOwnerNull, "assigned_to", Value::Null));
    }
    replaced
}

/// What stands in the place of a property of an object within, and whether it does in this answer.
fn replaced_within(record: &Record) -> [(Fault, &'static str, &'static str, Value, bool); 6] {
    let (pipeline, owner) = (record.asked.pipeline_id.is_some(), record.asked.owner_id.is_some());
    [
        (Fault::PipelineNameAsNumber, "pipeline", "name", json!(7), true),
        (Fault::PipelineNameEmptyWhenNamed, "pipeline", "name", json!(""), pipeline),
        (Fault::OwnerNamesNull, "assigned_to", "first_name", Value::Null, true),
        (Fault::OwnerNamesNull, "assigned_to", "last_name", Value::Null, true),
        (Fault::OwnerNamesEmptyWhenNamed, "assigned_to", "first_name", json!(""), owner),
        (Fault::OwnerNamesEmptyWhenNamed, "assigned_to", "last_name", json!(""), owner),
    ]
}

/// `book_id` → `bookId`.
fn camel_case(key: &str) -> String {
    let mut words = key.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at_checked(1).unwrap_or((word, ""));
        name + &head.to_uppercase() + tail
    })
}

/// The whole answer.
pub(in crate::reference) fn answer(d: &Deviations, mut answer: Answer) -> Answer {
    let statuses = [
        (Fault::Status202, StatusCode::ACCEPTED),
        (Fault::Status204, StatusCode::NO_CONTENT),
        (Fault::Status303, StatusCode::SEE_OTHER),
    ];
    if let Some((_, status)) = statuses.into_iter().find(|(fault, _)| d.fault(*fault)) {
        answer.status = status;
    }
    if d.fault(Fault::Status204) || d.fault(Fault::AnswerEmpty) {
        answer.body = Bytes::new();
    }
    if d.fault(Fault::AnswerNotJson) {
        let text = String::from_utf8_lossy(&answer.body);
        answer.body = Bytes::from(format!("{},}}", text.strip_suffix('}').unwrap_or(&text)));
    }
    if d.fault(Fault::AnswerCut) {
        answer.body.truncate(answer.body.len() / 2);
    }
    if d.fault(Fault::AnswerAsHtml) {
        answer.media_type = Some("text/html");
    }
    if d.fault(Fault::AnswerUndeclared) || d.fault(Fault::Status204) {
        answer.media_type = None;
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::camel_case;

    #[test]
    fn keys_are_put_in_camel_case() {
        assert_eq!(["id", "book_id", "stage_updated_at"].map(camel_case), ["id", "bookId", "stageUpdatedAt"]);
    }
}
