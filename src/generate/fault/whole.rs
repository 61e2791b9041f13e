//! Values that break what is no single bound: each alternative, a condition, `not`.

use proptest::strategy::{Strategy, ValueTree};
use serde_json::{Value as Json, json};

use super::{Change, Collector, edges, faults, simplest};
use crate::contract::template::Template;
use crate::generate::seed::Seed;
use crate::generate::values::check::Check;
use crate::generate::values::{alternatives as alternatives_of, values};
use crate::schema::POINTER;

/// How many changes are made within each alternative, if there are many.
const EACH: usize = 12;
/// Up to this number, alternatives are few.
const FEW: usize = 3;
/// How often a value is drawn that may break a condition.
const DRAWS: u64 = 300;
/// How many such values are kept.
const KEPT: usize = 8;

/// The name of an alternative: that in the document, or its number.
pub(super) fn name(alternative: &Json, place: usize) -> String {
    let named = alternative[POINTER].as_str().and_then(|pointer| {
        let (before, name) = pointer.rsplit_once('/')?;
        before.ends_with("schemas").then(|| name.replace("~1", "/").replace("~0", "~"))
    });
    let title = || alternative["title"].as_str().map(str::to_owned);
    named.or_else(title).unwrap_or_else(|| format!("alternative {}", place + 1))
}

/// Changes within each alternative, after which no alternative matches.
pub(super) fn alternatives(schema: &Json, c: &mut Collector<'_>) {
    let check = Check::new(schema);
    for (name, alternative, base) in each(schema) {
        for change in few(faults(alternative), schema) {
            let values: Vec<Template> = change.forms(&base, alternative).collect();
            // A value that another alternative allows is not a fault.
            let broken = values.into_iter().filter(|v| check.as_ref().is_none_or(|c| !c.keeps(v))).collect();
            let label = label(&name, &change);
            c.put_beside("anyOf", format!("{label}, which no alternative allows"), base.clone(), broken);
        }
    }
}

/// Values of each alternative, and at its edges.
pub(super) fn kept(schema: &Json, c: &mut Collector<'_>) {
    let check = Check::new(schema);
    for (name, alternative, base) in each(schema) {
        c.put("anyOf", format!("as `{name}`"), vec![base.clone()]);
        for change in few(edges(alternative), schema) {
            let values: Vec<Template> = change.forms(&base, alternative).collect();
            let whole = values.into_iter().filter(|v| check.as_ref().is_none_or(|c| c.keeps(v))).collect();
            c.put("anyOf", label(&name, &change), whole);
        }
    }
    let has_null = alternatives_of(schema).iter().any(|alternative| alternative["type"] == "null");
    if has_null && check.as_ref().is_none_or(|check| check.allows(&Json::Null)) {
        c.set("anyOf", "null", Json::Null);
    }
}

fn label(name: &str, change: &Change) -> String {
    match change.at.is_empty() {
        true => format!("as `{name}`: {}", change.label),
        false => format!("as `{name}`, {}: {}", change.at, change.label),
    }
}

/// Each alternative but null with its name and a plain value of it.
fn each(schema: &Json) -> impl Iterator<Item = (String, &Json, Template)> {
    let all = alternatives_of(schema).iter().enumerate().filter(|(_, a)| a["type"] != "null");
    all.map(|(i, alternative)| (name(alternative, i), alternative, simplest(alternative)))
}

/// The changes, or some of each keyword if there are many alternatives.
fn few(changes: Vec<Change>, schema: &Json) -> Vec<Change> {
    if alternatives_of(schema).len() <= FEW {
        return changes;
    }
    let mut seen = std::collections::BTreeSet::new();
    changes.into_iter().filter(|c| seen.insert(c.about.clone())).take(EACH).collect()
}

/// Values that match all of a schema except one condition.
pub(super) fn conditions(schema: &Json, c: &mut Collector<'_>) {
    let Some(map) = schema.as_object() else { return };
    const CONDITIONS: &[(&str, &[&str], &str)] = &[
        ("not", &["not"], "a value that is ruled out"),
        ("if", &["if", "then", "else"], "against the condition"),
        ("dependentRequired", &["dependentRequired"], "without what another property needs"),
        ("dependentSchemas", &["dependentSchemas"], "against what another property requires"),
        ("contains", &["contains", "minContains", "maxContains"], "without the required item"),
    ];
    for (keyword, gone, label) in CONDITIONS {
        if !map.contains_key(*keyword) {
            continue;
        }
        let mut rest = schema.clone();
        if let Some(rest) = rest.as_object_mut() {
            rest.retain(|key, _| !gone.contains(&key.as_str()));
        }
        let drawn = match *keyword {
            // An excluded value is more likely to be drawn from the schema that excludes it.
            "not" => vec![beside_not(&rest, &schema["not"]), rest.clone()],
            // Properties that only the condition names are drawn only if they are added to the schema.
            "if" | "dependentRequired" | "dependentSchemas" => vec![with_fields(&rest, schema)],
            _ => vec![rest.clone()],
        };
        let (Some(whole), Some(rest)) = (Check::new(schema), Check::new(&rest)) else { continue };
        let mut found: Vec<Template> = Vec::new();
        for source in &drawn {
            let strategy = values(source);
            for n in 0..DRAWS {
                if found.len() >= KEPT {
                    break;
                }
                let Ok(tree) = strategy.new_tree(&mut Seed(0).runner("conditions", n)) else { break };
                let value = tree.current();
                if rest.keeps(&value) && !whole.keeps(&value) {
                    found.push(value);
                }
            }
        }
        c.put_beside(keyword, *label, simplest(schema), found);
    }
}

fn beside_not(rest: &Json, not: &Json) -> Json {
    let merged = crate::generate::values::object::beside(rest, not);
    // Properties of both.
    match (rest["properties"].as_object(), not["properties"].as_object()) {
        (Some(one), Some(other)) => {
            let mut merged = merged;
            let mut properties = one.clone();
            properties.extend(other.clone());
            merged["properties"] = properties.into();
            if let (Some(one), Some(other)) = (rest["required"].as_array(), not["required"].as_array()) {
                merged["required"] = one.iter().chain(other).cloned().collect();
            }
            merged
        }
        _ => merged,
    }
}

/// The schema with all properties that are named anywhere in the whole one.
fn with_fields(rest: &Json, whole: &Json) -> Json {
    let mut with = rest.clone();
    let fields = crate::generate::values::object::fields(whole);
    let properties: serde_json::Map<String, Json> = fields.into_iter().map(|f| (f.name, f.schema)).collect();
    if !properties.is_empty() {
        with["properties"] = json!(properties);
    }
    with
}
