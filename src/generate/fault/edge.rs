//! Values that only just match a schema, and those for which that is left open.

use serde_json::{Value as Json, json};

use super::kind::allows;
use super::{Change, Collector, is_map_entry, list, simplest, walk, whole};
use crate::generate::string::fresh::sized;
use crate::generate::string::{fit, lengths, of_length, unique};
use crate::generate::values::check::Check;
use crate::generate::values::list::item_bounds;
use crate::generate::values::number::integer_bounds;
use crate::generate::values::{alternatives, type_of};

/// The label of a change that only puts a field in.
pub const PLAIN: &str = "a plain value";

/// Values at the edges of what a schema allows.
pub fn edges(schema: &Json) -> Vec<Change> {
    let mut all = Vec::new();
    walk(schema, "", "", &mut |part, place, at| kept(part, place, at, &mut all));
    all
}

/// Values that a schema allows and a server may still refuse: empty and blank texts where the schema has no bound.
pub fn doubtful(schema: &Json) -> Vec<Change> {
    let mut all = Vec::new();
    walk(schema, "", "", &mut |part, place, at| {
        let mut c = Collector { place, at, base: None, out: &mut all };
        let bound = ["minLength", "pattern", "format", "enum", "const"].iter().any(|key| part.get(*key).is_some());
        if type_of(part) == "string" && !bound && alternatives(part).is_empty() {
            c.set("type", "an empty text", json!(""));
            c.set("type", "a blank", json!(" "));
        }
    });
    all
}

/// Whether a number is a multiple of the schema's step.
fn step_fits(schema: &Json, number: i64) -> bool {
    schema["multipleOf"].as_i64().is_none_or(|step| step > 0 && number % step == 0)
}

fn kept(schema: &Json, place: &str, at: &str, out: &mut Vec<Change>) {
    let kind = type_of(schema).to_owned();
    if !alternatives(schema).is_empty() {
        whole::kept(schema, &mut Collector { place, at, base: None, out });
        return;
    }
    if at.is_empty() && kind == "object" {
        return;
    }
    let mut c = Collector { place, at, base: None, out };
    numbers(schema, &kind, &mut c);
    for (keyword, label) in [("minLength", "as short as allowed"), ("maxLength", "as long as allowed")] {
        let (least, most) = lengths(schema);
        // The lengths of listed values are those of the list.
        if schema.get("enum").is_none()
            && let Some(n) = if keyword == "minLength" { least } else { most }.filter(|n| *n > 0)
        {
            let text = of_length(schema, n).unwrap_or_else(|| fit("x", n, n));
            c.put(keyword, label, vec![unique(sized(schema, n))(text)]);
        }
    }
    let listed = schema["enum"].as_array().filter(|values| !values.is_empty());
    // Keywords beside the list may exclude some of its values.
    let check = listed.and_then(|_| Check::new(schema));
    let allowed = |value: &&Json| check.as_ref().is_none_or(|check| check.allows(value));
    for value in listed.into_iter().flatten().filter(allowed).take(10) {
        c.set("enum", format!("the value {value}"), value.clone());
    }
    if kind == "boolean" && schema.get("const").is_none() {
        c.set("type", "true", json!(true));
        c.set("type", "false", json!(false));
    } else if schema.get("type").is_some() {
        c.put("type", PLAIN, vec![simplest(schema)]);
    }
    if allows(schema, "null") && schema.get("type").is_some() && kind != "null" {
        c.set("type", "null", Json::Null);
    }
    let (least, most) = item_bounds(schema);
    for (keyword, n) in [("minItems", least), ("maxItems", most)] {
        if let Some(n) = n.filter(|n| *n <= 100) {
            c.put(keyword, format!("{n} items"), list::lists(schema, n));
        }
    }
    debug_assert!(!is_map_entry(place) || !at.is_empty());
}

fn numbers(schema: &Json, kind: &str, c: &mut Collector<'_>) {
    if !["integer", "number"].contains(&kind) {
        return;
    }
    let (low, high) = integer_bounds(schema);
    for (keyword, bound) in [("minimum", low), ("maximum", high)] {
        if let Some(bound) = bound.filter(|_| schema.get(keyword).is_some()) {
            c.set(keyword, format!("{bound}, the bound itself"), json!(bound));
            let inside = bound.saturating_add(if keyword == "minimum" { 1 } else { -1 });
            if low.is_none_or(|l| inside >= l) && high.is_none_or(|h| inside <= h) && step_fits(schema, inside) {
                c.set(keyword, format!("{inside}, next to the bound"), json!(inside));
            }
        }
    }
    for (keyword, bound) in [("exclusiveMinimum", low), ("exclusiveMaximum", high)] {
        if let Some(bound) = bound.filter(|_| schema.get(keyword).is_some()) {
            c.set(keyword, format!("{bound}, next to the bound"), json!(bound));
        }
    }
}
