//! Lists too short or too long, and lists with an item twice.

use proptest::strategy::{Strategy, ValueTree};
use serde_json::{Value as Json, json};

use super::{Collector, simplest};
use crate::contract::template::Template;
use crate::generate::seed::Seed;
use crate::generate::values::check::sample;
use crate::generate::values::list::{MOST_ITEMS, item_at, item_bounds};
use crate::generate::values::values;

pub(super) fn beyond(schema: &Json, c: &mut Collector<'_>) {
    let (least, most) = item_bounds(schema);
    if let Some(least) = least.filter(|n| *n > 0) {
        c.put("minItems", "one item too few", lists(schema, least - 1));
    }
    // The items beyond a fixed number have no schema.
    if let Some(most) = most.filter(|n| *n < MOST_ITEMS) {
        c.put("maxItems", "one item too many", lists(schema, most + 1));
    }
    let length = least.unwrap_or(0).max(2);
    if schema["uniqueItems"] == json!(true) && most.is_none_or(|most| length <= most) {
        let twice = lists(schema, length - 1).into_iter().map(|list| match list {
            Template::List(mut items) => {
                // Texts that differ from request to request would also differ from each other.
                let last = items.pop().map(|item| Template::Literal(sample(&item)));
                items.extend(last.iter().chain(&last).cloned());
                Template::List(items)
            }
            other => other,
        });
        c.put("uniqueItems", "an item twice", twice.collect());
    }
}

/// How many lists are made, since a constraint may exclude some of them.
const LISTS: u64 = 8;

/// Lists of exactly this number of items, whatever the schema says of their number; the items differ as
/// far as there are enough values.
pub(super) fn lists(schema: &Json, length: usize) -> Vec<Template> {
    let first: Vec<Template> =
        schema["prefixItems"].as_array().into_iter().flatten().take(length).map(simplest).collect();
    let items = item_at(schema, first.len());
    let plain = if items == &json!(false) { Template::Literal(json!("x")) } else { simplest(items) };
    let strategy = values(items);
    let mut all: Vec<Template> = Vec::new();
    for n in 0..LISTS {
        let mut runner = Seed(0).runner("lists", n);
        let mut list = first.clone();
        if n == 0 {
            list.push(plain.clone());
        }
        let mut texts: Vec<String> = list.iter().map(|i| format!("{i:?}")).collect();
        for _ in 0..10 * length + 100 {
            if list.len() >= length {
                break;
            }
            let Ok(tree) = strategy.new_tree(&mut runner) else { break };
            let item = tree.current();
            let text = format!("{item:?}");
            if !texts.contains(&text) {
                texts.push(text);
                list.push(item);
            }
        }
        // If there are too few different items, some come twice.
        while list.len() < length {
            list.push(list.last().cloned().unwrap_or_else(|| plain.clone()));
        }
        list.truncate(length);
        let list = Template::List(list);
        if all.iter().all(|l| format!("{l:?}") != format!("{list:?}")) {
            all.push(list);
        }
    }
    all
}
