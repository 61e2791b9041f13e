//! What holds between the answers of several operations on one record.

use serde_json::{Map, Value as Json};

use super::finding::Difference;
use crate::yaml::escape;

/// The names under which some servers put the record itself.
const WRAPPERS: [&str; 4] = ["data", "item", "result", "record"];

/// The record in the body of an answer, which may be wrapped.
pub fn record(body: &Json) -> Option<&Map<String, Json>> {
    let members = body.as_object()?;
    let only = if members.len() == 1 { members.values().next() } else { None };
    let wrapped = WRAPPERS.iter().find_map(|name| members.get(*name));
    only.or(wrapped).and_then(Json::as_object).or(Some(members))
}

/// What a record is called in the body of an answer, where nothing else says so.
pub fn id(body: &Json) -> Option<Json> {
    let members = [body.as_object(), record(body)].into_iter().flatten();
    members.filter_map(|members| members.get("id").or_else(|| members.get("uuid"))).find(|id| is_id(id)).cloned()
}

/// Whether a value can be what a record is called.
pub fn is_id(value: &Json) -> bool {
    value.is_number() || value.as_str().is_some_and(|text| !text.is_empty())
}

/// The items in the body of an answer that is a list, or an object with one list of objects.
pub fn items(body: &Json) -> Option<&Vec<Json>> {
    match body {
        Json::Array(items) => Some(items),
        Json::Object(members) => {
            let mut lists = members.values().filter_map(Json::as_array).filter(|list| list.iter().all(Json::is_object));
            let first = lists.next()?;
            lists.next().is_none().then_some(first)
        }
        _ => None,
    }
}

/// The fields that were sent and came back as they were sent. Those with listed values are not among them: they may be
/// states, which go on by themselves.
pub fn echoed(sent: &Json, answer: &Json, is_state: &dyn Fn(&str) -> bool) -> Map<String, Json> {
    let (Some(sent), Some(answer)) = (sent.as_object(), record(answer)) else { return Map::new() };
    let is_kept = |(name, value): &(&String, &Json)| {
        !is_state(name) && !value.is_null() && answer.get(*name).is_some_and(|came| same(value, came))
    };
    sent.iter().filter(is_kept).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Where a record that is read has other values than these. What it does not show is no difference.
pub fn changed(expected: &Map<String, Json>, read: &Json) -> Vec<Difference> {
    let Some(read) = record(read) else { return Vec::new() };
    let differs = |(name, value): (&String, &Json)| {
        let came = read.get(name).filter(|came| !same(value, came))?;
        let at = format!("/{}", escape(name));
        Some(Difference { at, expected: Some(value.clone()), actual: Some(came.clone()) })
    };
    expected.iter().filter_map(differs).collect()
}

/// Whether two values are the same, however their numbers are written.
pub fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a == b || a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| a == b),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_echoed_is_what_must_be_read() {
        let sent = json!({"name": "a", "price": 1.0, "note": "x", "state": "new", "tags": null});
        let answer = json!({"data": {"id": 1, "name": "a", "price": 1, "note": "y", "state": "new", "tags": null}});
        let kept = echoed(&sent, &answer, &|name| name == "state");
        assert_eq!(Json::from(kept.clone()), json!({"name": "a", "price": 1.0}));
        assert_eq!(changed(&kept, &json!({"name": "a", "price": 1})), []);
        assert_eq!(changed(&kept, &json!({"id": 1})), [], "what is not shown is no difference");
        let differs = changed(&kept, &json!({"name": "a", "price": 100}));
        assert_eq!(differs.len(), 1);
        assert_eq!((differs[0].at.as_str(), &differs[0].actual), ("/price", &Some(json!(100))));
    }

    #[test]
    fn lists_are_found_where_there_is_one() {
        assert_eq!(items(&json!([1, 2])).map(Vec::len), Some(2));
        assert_eq!(items(&json!({"items": [{}], "total": 1})).map(Vec::len), Some(1));
        assert_eq!(items(&json!({"items": [{}], "others": [{}]})), None);
        assert_eq!(items(&json!({"id": 1})), None);
    }
}
