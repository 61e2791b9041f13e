//! Arrays.

use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use serde_json::{Value as Json, json};

use super::object::beside;
use super::values;
use crate::contract::template::Template;

/// No generated list is longer than this, whatever a schema requires.
pub const MOST_ITEMS: usize = 1000;

/// A schema's bounds of a list's length, as far as lists of such lengths can be sent.
pub fn item_bounds(schema: &Json) -> (Option<usize>, Option<usize>) {
    let bound = |key: &str| schema[key].as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n <= MOST_ITEMS);
    (bound("minItems"), bound("maxItems"))
}

/// The schema of the item at a place of a list.
pub fn item_at(schema: &Json, place: usize) -> &Json {
    match schema["prefixItems"].as_array().and_then(|first| first.get(place)) {
        Some(own) => own,
        None => &schema["items"],
    }
}

pub(super) fn lists(schema: &Json) -> BoxedStrategy<Template> {
    let (least, most) = item_bounds(schema);
    let least = least.unwrap_or(0);
    let most = most.unwrap_or(least + 3).min(least + 5).max(least);
    let first = schema["prefixItems"].as_array().filter(|first| !first.is_empty());
    if first.is_some() || schema.get("contains").is_some() {
        return composed(schema, least, most, first.map_or(&[], Vec::as_slice));
    }
    if schema["items"] == json!(false) {
        return Just(Template::List(Vec::new())).boxed();
    }
    if schema["uniqueItems"] != true {
        return proptest::collection::vec(values(&schema["items"]), least..=most).prop_map(Template::List).boxed();
    }
    if let Some(values) = schema["items"]["enum"].as_array() {
        let few = least.min(values.len())..=most.min(values.len());
        let some = proptest::sample::subsequence(values.clone(), few).prop_shuffle();
        return some.prop_map(|v| Template::List(v.into_iter().map(Template::Literal).collect())).boxed();
    }
    // Duplicates are removed. More items are drawn than are needed, so that few lists become too short.
    proptest::collection::vec(values(&schema["items"]), least..=most + least.min(20))
        .prop_map(move |items| {
            let mut seen = std::collections::BTreeSet::new();
            let different = items.into_iter().filter(|i| seen.insert(format!("{i:?}")));
            different.take(most).collect::<Vec<_>>()
        })
        .prop_filter("too few different items", move |items| items.len() >= least)
        .prop_map(Template::List)
        .boxed()
}

/// Lists in which some items have a schema of their own, by their place or because of `contains`.
fn composed(schema: &Json, least: usize, most: usize, first: &[Json]) -> BoxedStrategy<Template> {
    let closed = schema["items"] == json!(false);
    let asked = match schema.get("contains") {
        Some(contains) => {
            let how_many = schema["minContains"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
            vec![values(&beside(&schema["items"], contains)); how_many.min(most)]
        }
        None => Vec::new(),
    };
    // All of the first items, as far as there is room: most readers of tuples need all of them.
    let first: Vec<_> = first.iter().take(most).map(values).collect();
    let there = first.len() + asked.len();
    let (fewest, room) = (least.saturating_sub(there), most.saturating_sub(there));
    let rest = if closed || room == 0 {
        Just(Vec::new()).boxed()
    } else {
        proptest::collection::vec(values(&schema["items"]), fewest..=room.max(fewest)).boxed()
    };
    (first, asked, rest)
        .prop_map(|(first, asked, rest)| Template::List(first.into_iter().chain(asked).chain(rest).collect()))
        .boxed()
}
