//! Objects that lack a property, or have one too many.

use serde_json::{Map, Value as Json, json};

use super::{Change, Collector, simplest};
use crate::contract::part::Part;
use crate::contract::template::Template;
use crate::generate::values::check::{Check, sample};
use crate::generate::values::object::{further_names, is_required, unnamed};
use crate::yaml::escape;

/// The name of a property that a map may have but does not; None if no such name is found.
pub(super) fn a_name(schema: &Json) -> Option<String> {
    further_names(schema, &Map::new(), 1).pop()
}

pub(super) fn broken(schema: &Json, place: &str, at: &str, out: &mut Vec<Change>) {
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        out.push(Change {
            about: Part::required(place, name).to_string(),
            label: format!("without `{name}`"),
            at: format!("{at}/{}", escape(name)),
            value: None,
            others: Vec::new(),
            base: None,
        });
    }
    for keyword in ["additionalProperties", "unevaluatedProperties"] {
        if schema[keyword] == json!(false) {
            out.push(Change {
                about: format!("{place}/{keyword}"),
                label: "with an undocumented property".to_owned(),
                at: format!("{at}/x-undocumented"),
                value: Some(Template::Literal(json!("x"))),
                others: Vec::new(),
                base: None,
            });
        }
    }
    let counted = ["minProperties", "maxProperties", "propertyNames"].iter().any(|key| schema.get(*key).is_some());
    if !counted {
        return;
    }
    let Template::Object(base) = simplest(schema) else { return };
    let bound = |key: &str| schema[key].as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n <= 1000);
    let mut c = Collector { place, at, base: None, out };
    if let Some(least) = bound("minProperties").filter(|n| *n > 0) {
        let mut fewer = base.clone();
        while fewer.len() >= least {
            let Some(last) = fewer.iter().rposition(|(name, _)| !is_required(schema, name)) else { break };
            fewer.remove(last);
        }
        if fewer.len() < least {
            c.put_beside(
                "minProperties",
                "one property too few",
                Template::Object(base.clone()),
                vec![Template::Object(fewer)],
            );
        }
    }
    if let Some(most) = bound("maxProperties") {
        let mut more = base.clone();
        let optional = schema["properties"].as_object().into_iter().flatten();
        for (name, below) in optional {
            if more.len() <= most && !more.iter().any(|(n, _)| n == name) {
                more.push((name.clone(), simplest(below)));
            }
        }
        let taken: Map<String, Json> = more.iter().map(|(n, _)| (n.clone(), Json::Null)).collect();
        for name in further_names(schema, &taken, (most + 1).saturating_sub(more.len())) {
            let value = simplest(&unnamed(schema, &name));
            more.push((name, value));
        }
        c.put_beside(
            "maxProperties",
            "one property too many",
            Template::Object(base.clone()),
            vec![Template::Object(more)],
        );
    }
    if let Some(check) = schema.get("propertyNames").and_then(Check::new) {
        let names = ["x", "x y", "!", "X", "0", "é", ""].into_iter().map(str::to_owned);
        let names = names.chain([".".repeat(300), "x".repeat(300)]);
        let wrong = names.filter(|name| !check.allows(&json!(name)) && schema["properties"].get(name).is_none());
        let objects = wrong.take(4).map(|name| {
            let mut more = base.clone();
            let value = simplest(&unnamed(schema, &name));
            more.push((name, value));
            Template::Object(more)
        });
        let objects = objects.filter(|o| sample(o).is_object()).collect();
        c.put_beside("propertyNames", "with a name that is not allowed", Template::Object(base.clone()), objects);
    }
}
