//! Two schemas for the same value as one.

use serde_json::{Map, Value as Json, json};

use super::POINTER;

/// How many alternatives a schema may have.
const MOST: usize = 32;

/// A schema for the values that match both, as far as keywords can say it; None if no value can. What does not merge
/// is put under `allOf`. The places of keywords in the document are kept.
pub(super) fn merge(a: Json, b: Json) -> Option<Json> {
    let (Json::Object(mut a), Json::Object(mut b)) = (a, b) else {
        return None;
    };
    let origins = origins(&a, &b);
    let (mine, others) = (a.shift_remove("anyOf"), b.shift_remove("anyOf"));
    let one_of = [&mut a, &mut b].into_iter().any(|map| map.shift_remove("x-one-of").is_some());
    close(&mut a, &mut b)?;
    close(&mut b, &mut a)?;
    let mut left: Vec<Json> = Vec::new();
    for (key, value) in b {
        match a.get_mut(&key) {
            None => {
                a.insert(key, value);
            }
            Some(own) => match keyword(&key, own.take(), value)? {
                Merged::One(merged) => *own = merged,
                Merged::Both(first, second) => {
                    *own = first;
                    left.push(json!({ key: second }));
                }
            },
        }
    }
    if !left.is_empty() {
        match a.get_mut("allOf") {
            Some(Json::Array(all)) => all.extend(left),
            _ => {
                a.insert("allOf".to_owned(), left.into());
            }
        }
    }
    consistent(&mut a)?;
    locate(&mut a, origins);
    let groups = [mine, others].into_iter().flatten();
    let groups: Vec<Vec<Json>> = groups.filter_map(|group| group.as_array().cloned()).collect();
    match groups.len() {
        0 => Some(a.into()),
        _ => alternatives(a.into(), groups, one_of),
    }
}

/// A schema with one alternative of each group, in all combinations.
pub(super) fn alternatives(base: Json, groups: Vec<Vec<Json>>, one_of: bool) -> Option<Json> {
    let mut all = vec![base.clone()];
    for group in groups {
        let mut next: Vec<Json> = Vec::new();
        if all.len() * group.len() <= MOST {
            for known in &all {
                next.extend(group.iter().filter_map(|part| merge_into(known, part)));
            }
        } else {
            // Each alternative is used at least once.
            for i in 0..all.len().max(group.len()).min(MOST) {
                next.extend(merge_into(&all[i % all.len()], &group[i % group.len()]));
            }
        }
        // A member that has alternatives itself contributes those.
        all = next.into_iter().flat_map(flat).take(MOST).collect();
    }
    if all.is_empty() {
        return None;
    }
    let mut base = base;
    if let Json::Object(map) = &mut base {
        map.insert("anyOf".to_owned(), all.into());
        if one_of {
            map.insert("x-one-of".to_owned(), json!(true));
        }
    }
    Some(base)
}

fn merge_into(base: &Json, part: &Json) -> Option<Json> {
    let pointer = part.get(POINTER).cloned();
    let mut merged = merge(base.clone(), part.clone())?;
    // An alternative is identified by its own place.
    if let (Json::Object(map), Some(pointer)) = (&mut merged, pointer) {
        let all = all_origins(map);
        map.insert(POINTER.to_owned(), pointer);
        locate(map, all);
    }
    Some(merged)
}

fn flat(schema: Json) -> Vec<Json> {
    match schema.get("anyOf") {
        Some(Json::Array(all)) => all.clone(),
        _ => vec![schema],
    }
}

/// The places of a schema's keywords in the document.
fn all_origins(map: &Map<String, Json>) -> Vec<(String, String)> {
    let pointer = map.get(POINTER).and_then(Json::as_str).unwrap_or_default();
    let known = map.get("x-pointers");
    let keywords = map.keys().filter(|key| !key.starts_with("x-"));
    keywords
        .map(|key| {
            let own = known.and_then(|k| k.get(key)).and_then(Json::as_str);
            (key.clone(), own.map_or_else(|| format!("{pointer}/{key}"), str::to_owned))
        })
        .collect()
}

fn origins(a: &Map<String, Json>, b: &Map<String, Json>) -> Vec<(String, String)> {
    let mut all = all_origins(a);
    for (key, origin) in all_origins(b) {
        match all.iter_mut().find(|(own, _)| *own == key) {
            None => all.push((key, origin)),
            // Of two different bounds, the place of the narrower one is kept.
            Some(own) if a.get(&key) != b.get(&key) && narrower(&key, &a[&key], &b[&key]) => own.1 = origin,
            Some(_) => {}
        }
    }
    all
}

/// Whether the second bound is the one that counts.
fn narrower(key: &str, first: &Json, second: &Json) -> bool {
    let (Some(first), Some(second)) = (first.as_f64(), second.as_f64()) else { return false };
    if key.starts_with("max") || key == "exclusiveMaximum" { second < first } else { second > first }
}

fn locate(map: &mut Map<String, Json>, origins: Vec<(String, String)>) {
    let pointer = map.get(POINTER).and_then(Json::as_str).unwrap_or_default().to_owned();
    let elsewhere =
        origins.into_iter().filter(|(key, origin)| map.contains_key(key) && *origin != format!("{pointer}/{key}"));
    let elsewhere: Map<String, Json> = elsewhere.map(|(key, origin)| (key, json!(origin))).collect();
    map.shift_remove("x-pointers");
    if !elsewhere.is_empty() {
        map.insert("x-pointers".to_owned(), elsewhere.into());
    }
}

/// Applies what one schema says of unnamed properties to those that only the other names.
fn close(a: &mut Map<String, Json>, b: &mut Map<String, Json>) -> Option<()> {
    let Some(rest) = a.get("additionalProperties").cloned() else {
        return Some(());
    };
    if rest == json!({}) || a.contains_key("patternProperties") {
        return Some(());
    }
    let named = |map: &Map<String, Json>, name: &str| map.get("properties").is_some_and(|p| p.get(name).is_some());
    let names: Vec<String> =
        b.get("properties").and_then(Json::as_object).into_iter().flatten().map(|(name, _)| name.clone()).collect();
    for name in names.into_iter().filter(|name| !named(a, name)) {
        let Some(Json::Object(properties)) = b.get_mut("properties") else { continue };
        let merged = match (&rest, properties.get(&name)) {
            (Json::Bool(false), _) | (_, None) => None,
            (_, Some(own)) => merge(own.clone(), rest.clone()),
        };
        match merged {
            Some(merged) => {
                properties.insert(name, merged);
            }
            None => {
                properties.shift_remove(&name);
                let asks = |map: &Map<String, Json>| {
                    map.get("required").and_then(Json::as_array).is_some_and(|r| r.contains(&json!(name)))
                };
                if asks(a) || asks(b) {
                    return None;
                }
            }
        }
    }
    Some(())
}

enum Merged {
    One(Json),
    Both(Json, Json),
}

fn keyword(key: &str, a: Json, b: Json) -> Option<Merged> {
    if a == b {
        return Some(Merged::One(a));
    }
    let one = |json| Some(Merged::One(json));
    match key {
        "type" => one(types(&a, &b)?),
        "enum" => {
            let other = b.as_array()?;
            let both: Vec<Json> = a.as_array()?.iter().filter(|value| other.contains(value)).cloned().collect();
            if both.is_empty() { None } else { one(both.into()) }
        }
        "const" => None,
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" | "minContains" => {
            one(if b.as_f64() > a.as_f64() { b } else { a })
        }
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" | "maxContains" => {
            one(if b.as_f64() < a.as_f64() { b } else { a })
        }
        "multipleOf" => match (a.as_u64(), b.as_u64()) {
            (Some(x), Some(y)) if x > 0 && y > 0 => match (x / gcd(x, y)).checked_mul(y) {
                Some(both) => one(json!(both)),
                None => Some(Merged::Both(a, b)),
            },
            _ => Some(Merged::Both(a, b)),
        },
        "uniqueItems" | "x-nullable" => one(json!(a == true || b == true)),
        "required" | "examples" | "x-read-only" | "x-unsupported" | "x-cut" => one(union(a, b)),
        // A bound that only a format sets on one side may be set by hand on the other.
        "x-format-bounds" => {
            let other = b.as_array()?;
            one(a.as_array()?.iter().filter(|bound| other.contains(bound)).cloned().collect())
        }
        "properties" | "dependentSchemas" | "patternProperties" => one(named(a, b, key == "properties")),
        "dependentRequired" => {
            let (Json::Object(mut a), Json::Object(b)) = (a, b) else { return None };
            for (name, names) in b {
                let own = a.entry(name).or_insert_with(|| json!([]));
                *own = union(own.take(), names);
            }
            one(a.into())
        }
        "additionalProperties" | "items" | "propertyNames" | "unevaluatedProperties" | "unevaluatedItems" => {
            one(match (a, b) {
                (Json::Bool(false), _) | (_, Json::Bool(false)) => json!(false),
                (Json::Bool(true), other) | (other, Json::Bool(true)) => other,
                // A list whose items no value can match can only be empty.
                (a, b) => merge(a, b).unwrap_or(json!(false)),
            })
        }
        "prefixItems" => {
            let (Json::Array(a), Json::Array(b)) = (a, b) else { return None };
            let longest = a.len().max(b.len());
            let at = |list: &[Json], i: usize| list.get(i).cloned().unwrap_or_else(|| json!({}));
            one((0..longest).map(|i| merge(at(&a, i), at(&b, i))).collect::<Option<Vec<_>>>()?.into())
        }
        "allOf" => {
            let (Json::Array(mut a), Json::Array(b)) = (a, b) else { return None };
            a.extend(b);
            one(a.into())
        }
        "x-pointers" => one(a),
        POINTER | "default" => one(a),
        key if key.starts_with("x-") => one(a),
        _ => Some(Merged::Both(a, b)),
    }
}

fn named(a: Json, b: Json, optional: bool) -> Json {
    let (Json::Object(mut a), Json::Object(b)) = (a, b) else {
        return json!({});
    };
    for (name, schema) in b {
        match a.get_mut(&name) {
            None => {
                a.insert(name, schema);
            }
            Some(own) => match merge(own.clone(), schema) {
                Some(merged) => *own = merged,
                // No value is possible there, so that the property must be absent.
                None if optional => *own = json!({ "x-never": true }),
                None => *own = json!({ "not": {} }),
            },
        }
    }
    a.into()
}

fn union(a: Json, b: Json) -> Json {
    let (Json::Array(mut a), Json::Array(b)) = (a, b) else {
        return json!([]);
    };
    for value in b {
        if !a.contains(&value) {
            a.push(value);
        }
    }
    a.into()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The types that both lists have; an integer is a number.
fn types(a: &Json, b: &Json) -> Option<Json> {
    let list = |json: &Json| match json {
        Json::Array(all) => all.clone(),
        one => vec![one.clone()],
    };
    let (a, b) = (list(a), list(b));
    let mut both: Vec<Json> = a.iter().filter(|t| b.contains(t)).cloned().collect();
    for (one, other) in [(&a, &b), (&b, &a)] {
        let wider = other.contains(&json!("number")) && !other.contains(&json!("integer"));
        if one.contains(&json!("integer")) && !one.contains(&json!("number")) && wider {
            both.push(json!("integer"));
        }
    }
    match both.len() {
        0 => None,
        1 => both.pop(),
        _ => Some(both.into()),
    }
}

/// Combines keywords that depend on each other; None if no value is left.
fn consistent(map: &mut Map<String, Json>) -> Option<()> {
    if let (Some(Json::Array(values)), Some(constant)) = (map.get("enum"), map.get("const")) {
        if !values.contains(constant) {
            return None;
        }
        map.shift_remove("enum");
    }
    if let Some(Json::Array(bounds)) = map.get("x-format-bounds")
        && bounds.is_empty()
    {
        map.shift_remove("x-format-bounds");
    }
    // A property that cannot be present is left out.
    let never: Vec<String> = map
        .get("properties")
        .and_then(Json::as_object)
        .into_iter()
        .flatten()
        .filter(|(_, schema)| schema.get("x-never").is_some())
        .map(|(name, _)| name.clone())
        .collect();
    for name in never {
        if map.get("required").and_then(Json::as_array).is_some_and(|r| r.contains(&json!(name))) {
            return None;
        }
        if let Some(Json::Object(properties)) = map.get_mut("properties") {
            properties.shift_remove(&name);
        }
    }
    Some(())
}
