//! What holds between the answers of several operations on one record.

use chrono::{DateTime, TimeDelta};
use serde_json::{Map, Value as Json};

use super::finding::Difference;
use crate::document::parameter::plain;
use crate::yaml::escape;

/// The names under which some servers put the record itself.
const WRAPPERS: [&str; 4] = ["data", "item", "result", "record"];

/// The record in the body of an answer, which may be wrapped.
pub fn record(body: &Json) -> Option<&Map<String, Json>> {
    let members = body.as_object()?;
    let only = if members.len() == 1 { members.values().next() } else { None };
    let wrapped = WRAPPERS.iter().find_map(|name| members.get(*name)).and_then(Json::as_object);
    // What has an id, around something that has none, is the record itself. An envelope may have one, too.
    let has_id = |members: &Map<String, Json>| ["id", "uuid"].iter().any(|name| members.get(*name).is_some_and(is_id));
    let wrapped = wrapped.filter(|wrapped| has_id(wrapped) || !has_id(members));
    only.and_then(Json::as_object).or(wrapped).or(Some(members))
}

/// What a record is called in the body of an answer, where nothing else says so.
pub fn id(body: &Json) -> Option<Json> {
    let members = [record(body), body.as_object()].into_iter().flatten();
    members.filter_map(own_id).next().cloned()
}

/// What the members of a record say that it is called: its `id`, however that is written.
pub fn own_id(members: &Map<String, Json>) -> Option<&Json> {
    let called = |is_it: &dyn Fn(&str) -> bool| members.iter().find(|(n, v)| is_it(n) && is_id(v)).map(|(_, v)| v);
    let is_written_so = |name: &str| ["id", "uuid"].contains(&plain(name).as_str());
    called(&|name| name == "id").or_else(|| called(&|name| name == "uuid")).or_else(|| called(&is_written_so))
}

/// Whether a JSON Pointer into an answer leads to what [`id`] finds, and not to what another record is called.
pub fn is_own_id(pointer: &str) -> bool {
    let names: Vec<&str> = pointer.split('/').skip(1).collect();
    match names[..] {
        [name] => ["id", "uuid"].contains(&name),
        [wrapper, name] => WRAPPERS.contains(&wrapper) && ["id", "uuid"].contains(&name),
        _ => false,
    }
}

/// Whether a value can be what a record is called.
pub fn is_id(value: &Json) -> bool {
    value.is_number() || value.as_str().is_some_and(|text| !text.is_empty())
}

/// The items in the body of an answer that is a list, or an object with one list.
pub fn items(body: &Json) -> Option<&Vec<Json>> {
    match body {
        Json::Array(items) => Some(items),
        // HAL puts the list into an object of its own.
        Json::Object(members) if members.get("_embedded").is_some_and(Json::is_object) => items(&members["_embedded"]),
        // Which of several is the list is not clear.
        Json::Object(members) if members.values().filter_map(Json::as_object).any(has_list) => None,
        Json::Object(members) => {
            let mut lists = members.values().filter_map(Json::as_array);
            let first = lists.next()?;
            lists.next().is_none().then_some(first)
        }
        _ => None,
    }
}

fn has_list(members: &Map<String, Json>) -> bool {
    members.values().any(Json::is_array)
}

/// The fields that were sent and came back as they were sent. Those with listed values are not among them: they may be
/// states, which go on by themselves.
pub fn echoed(sent: &Json, answer: &Json, is_state: &dyn Fn(&str) -> bool) -> Map<String, Json> {
    let (Some(sent), Some(own)) = (sent_of(sent, answer), record(answer)) else { return Map::new() };
    members_kept(sent, own, is_state)
}

/// The record in the body of a request: what wraps the record in the answer may wrap it in the request, too.
fn sent_of<'a>(sent: &'a Json, answer: &Json) -> Option<&'a Map<String, Json>> {
    let members = sent.as_object()?;
    let own = record(answer)?;
    let only = members.iter().next().filter(|_| members.len() == 1);
    let wrapped = only.filter(|(name, _)| answer.get(*name).and_then(Json::as_object).is_some_and(|a| a == own));
    wrapped.and_then(|(_, value)| value.as_object()).or(Some(members))
}

/// The values that an update does not name, which leaves them as they were.
pub fn unnamed(before: Map<String, Json>, sent: &Json, answer: &Json) -> Map<String, Json> {
    sent_of(sent, answer).map_or_else(Map::new, |sent| without(before, sent))
}

/// Adds values to others, in the objects that both have as well.
pub fn join(all: &mut Map<String, Json>, more: Map<String, Json>) {
    for (name, value) in more {
        match (all.get_mut(&name), value) {
            (Some(Json::Object(own)), Json::Object(more)) => join(own, more),
            (Some(_), _) => {}
            (None, value) => drop(all.insert(name, value)),
        }
    }
}

fn without(before: Map<String, Json>, sent: &Map<String, Json>) -> Map<String, Json> {
    let left = |(name, value): (String, Json)| match (value, sent.get(&name)) {
        (value, None) => Some((name, value)),
        (Json::Object(below), Some(Json::Object(sent))) => {
            let below = without(below, sent);
            (!below.is_empty()).then(|| (name, below.into()))
        }
        _ => None,
    };
    before.into_iter().filter_map(left).collect()
}

fn members_kept(
    sent: &Map<String, Json>,
    came: &Map<String, Json>,
    is_state: &dyn Fn(&str) -> bool,
) -> Map<String, Json> {
    let kept = |(name, value): (&String, &Json)| {
        if is_state(name) || value.is_null() {
            return None;
        }
        match (value, came.get(name)?) {
            (Json::Object(sent), Json::Object(came)) => {
                let kept = members_kept(sent, came, is_state);
                (!kept.is_empty()).then(|| (name.clone(), kept.into()))
            }
            (value, came) => same(value, came).then(|| (name.clone(), value.clone())),
        }
    };
    sent.iter().filter_map(kept).collect()
}

/// Where a record that is read has other values than these. What it does not show is no difference, nor is what it shows
/// in another form: a reference as the record that it names, a secret with stars.
pub fn changed(expected: &Map<String, Json>, read: &Json) -> Vec<Difference> {
    let Some(read) = record(read) else { return Vec::new() };
    let differs = |(name, value): (&String, &Json)| {
        let came = read.get(name).filter(|came| !shows(value, came))?;
        let at = format!("/{}", escape(name));
        Some(Difference { at, expected: Some(value.clone()), actual: Some(came.clone()) })
    };
    expected.iter().filter_map(differs).collect()
}

/// Whether a value that is read shows what was written, as far as it shows it.
fn shows(written: &Json, read: &Json) -> bool {
    match (written, read) {
        (Json::Object(a), Json::Object(b)) => a.iter().all(|(name, a)| b.get(name).is_none_or(|b| shows(a, b))),
        // Lists may be sets.
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().all(|a| b.iter().any(|b| shows(a, b))),
        (Json::String(a), Json::String(b)) if is_masked(a, b) => true,
        (Json::Null, _) | (_, Json::Null) => same(written, read),
        _ if std::mem::discriminant(written) != std::mem::discriminant(read) => true,
        _ => same(written, read),
    }
}

/// Whether a text that is read stands for a written secret, or shows only a part of it. What is cut off at its end is no
/// mask.
fn is_masked(written: &str, read: &str) -> bool {
    const MASKS: [&str; 6] = ["***", "•••", "●●●", "xxx", "XXX", "###"];
    const WORDS: [&str; 4] = ["filtered", "redacted", "masked", "hidden"];
    let word = read.trim_matches(['[', ']', '<', '>', '(', ')']).to_lowercase();
    let end = read.rsplit_once('…').or_else(|| read.rsplit_once("...")).map_or("", |(_, end)| end);
    MASKS.iter().any(|mask| read.contains(mask) && !written.contains(mask))
        || WORDS.contains(&word.as_str())
        || !end.is_empty() && written.ends_with(end)
}

/// Whether two values are the same, however their numbers and instants are written.
pub fn same(a: &Json, b: &Json) -> bool {
    let instant = |text: &str| DateTime::parse_from_rfc3339(text).ok();
    // A server may keep numbers in single precision.
    #[expect(clippy::cast_possible_truncation, reason = "that is the question")]
    let single = |n: &serde_json::Number| n.as_f64().map(|n| n as f32);
    match (a, b) {
        // Whole numbers are kept as they are, or not at all.
        (Json::Number(a), Json::Number(b)) if a.is_i64() && b.is_i64() => a.as_i64() == b.as_i64(),
        (Json::Number(a), Json::Number(b)) => a == b || single(a).is_some_and(|a| Some(a) == single(b)),
        (Json::String(a), Json::String(b)) => {
            // Nor need a server keep fractions of seconds.
            let near = |(a, b): (DateTime<_>, DateTime<_>)| (a - b).abs() < TimeDelta::seconds(1);
            a == b || instant(a).zip(instant(b)).is_some_and(near)
        }
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
    fn what_is_nested_is_compared_as_far_as_it_was_echoed() {
        let sent = json!({"data": {"type": "a", "attributes": {"title": "x", "draft": true}}});
        let answer =
            json!({"data": {"id": "1", "type": "a", "attributes": {"title": "x", "draft": false, "slug": "s"}}});
        let kept = echoed(&sent, &answer, &|_| false);
        assert_eq!(Json::from(kept.clone()), json!({"type": "a", "attributes": {"title": "x"}}));
        let read = json!({"data": {"id": "1", "type": "a", "attributes": {"title": "y", "slug": "s"}}});
        assert_eq!(changed(&kept, &read).len(), 1);
        let update = json!({"data": {"attributes": {"title": "y"}}});
        assert_eq!(Json::from(unnamed(kept, &update, &answer)), json!({"type": "a"}));
    }

    #[test]
    fn whole_numbers_are_kept_exactly() {
        let expected = Map::from_iter([("field".to_owned(), json!(1_105_848_343))]);
        assert_eq!(changed(&expected, &json!({"field": 1_105_848_342})).len(), 1);
        assert_eq!(changed(&expected, &json!({"field": 1_105_848_343})).len(), 0);
    }

    #[test]
    fn what_is_read_in_another_form_is_no_difference() {
        for (written, read) in [
            (json!("2026-01-02T21:41:17+14:00"), json!("2026-01-02T07:41:17.000Z")),
            (json!("2026-01-02T07:41:17.611642Z"), json!("2026-01-02T07:41:17Z")),
            (json!({"street": "a"}), json!({"street": "a", "country": "CH"})),
            (json!(["b", "a"]), json!(["a", "b"])),
            (json!(0.169), json!(0.168_999_999_76)),
            (json!("bob"), json!({"login": "bob"})),
            (json!("secret-secret"), json!("****cret")),
            (json!("secret-secret"), json!("••••••cret")),
            (json!("secret-secret"), json!("[FILTERED]")),
            (json!("sk_secret-secret"), json!("sk_…cret")),
        ] {
            let expected = Map::from_iter([("field".to_owned(), written)]);
            assert_eq!(changed(&expected, &json!({"id": 1, "field": read})), []);
        }
        for (written, read) in [
            (json!(1), json!(100)),
            (json!("a"), json!("A")),
            (json!("a"), json!(null)),
            (json!([1]), json!([1, 2])),
            (json!("a long text"), json!("a lon…")),
            (json!("a long text"), json!("a lon...")),
            (json!("xxx1"), json!("xxx2")),
            (json!({"street": "a"}), json!({"street": "b"})),
        ] {
            let expected = Map::from_iter([("field".to_owned(), written)]);
            assert_eq!(changed(&expected, &json!({"id": 1, "field": read})).len(), 1);
        }
    }

    #[test]
    fn lists_are_found_where_there_is_one() {
        assert_eq!(items(&json!([1, 2])).map(Vec::len), Some(2));
        assert_eq!(items(&json!({"items": [{}], "total": 1})).map(Vec::len), Some(1));
        assert_eq!(items(&json!({"items": [{}], "others": [{}]})), None);
        assert_eq!(items(&json!({"facets": [{}], "result": {"items": [{}]}})), None);
        assert_eq!(items(&json!({"id": 1})), None);
        assert_eq!(items(&json!({"words": ["a"], "links": [{}]})), None);
        assert_eq!(items(&json!({"words": ["a"], "total": 1})).map(Vec::len), Some(1));
        assert_eq!(items(&json!({"_embedded": {"notes": [1, 2]}, "_links": {}})).map(Vec::len), Some(2));
        assert_eq!(items(&json!({"_embedded": {"notes": [1, 2], "authors": []}, "_links": {}})), None);
    }

    #[test]
    fn a_record_is_wrapped_in_what_has_no_name() {
        let wrapped = json!({"data": {"id": 1, "topic": "a"}, "meta": {}});
        assert_eq!(record(&wrapped).map(|r| r["topic"].clone()), Some(json!("a")));
        let envelope = json!({"id": "request-7", "data": {"id": 1, "topic": "a"}});
        assert_eq!(record(&envelope).map(|r| r["topic"].clone()), Some(json!("a")));
        let plain = json!({"id": 1, "topic": "a", "data": {"topic": "b"}});
        assert_eq!(record(&plain).map(|r| r["topic"].clone()), Some(json!("a")));
    }
}
