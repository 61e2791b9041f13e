//! What is generated as valid is valid, and what is broken is broken in one place.

use chrono::{DateTime, Utc};
use probity::contract::part::Part;
use probity::contract::template::Template;
use probity::expression::Trouble;
use probity::generate::draft::{Content, Credentials, Draft};
use probity::generate::fault::{Change, edges, faults, simplest};
use probity::generate::seed::Seed;
use probity::generate::values::values;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};

use super::bench::{OPPORTUNITIES, cases, render, some_day};
use super::schema::{bodies, operation, operation_at, violations};

/// The JSON text that a body is sent as.
fn sent(body: &Template, now: DateTime<Utc>) -> Result<Value, Trouble> {
    let draft = Draft {
        operation: None,
        identity: Template::Literal(json!("caller")),
        path: Vec::new(),
        query: Vec::new(),
        headers: Vec::new(),
        cookies: Vec::new(),
        header_case: None,
        credentials: Credentials::Own,
        body: Content::Json(body.clone()),
    };
    let request = render(&OPPORTUNITIES.fixtures, &draft, &operation_at("/x"), now)?;
    Ok(request.json().expect("JSON"))
}

/// A body drawn with a seed, and every form of a change to it.
fn drawn(schema: &Value, seed: u64) -> Template {
    values(schema).new_tree(&mut Seed(seed).runner("test", 0)).expect("a value").current()
}

/// What a change breaks, by the engine's own account: place and keyword.
fn account(operation: &probity::document::operation::Operation, value: &Value) -> Vec<(String, String)> {
    let schema = &operation.body().expect("a body").schema;
    schema.violations(value).iter().map(|v| (v.place(), v.keyword.clone())).collect()
}

fn keyword(part: &str) -> &str {
    match part.rfind("/required#") {
        Some(at) => &part[at + 1..],
        None => part.rsplit('/').next().unwrap_or_default(),
    }
}

fn broken_in_one_place(schema: &Value, change: &Change, value: &Value) -> Result<(), TestCaseError> {
    let found = violations(schema, value);
    let mut places: Vec<&String> = found.iter().map(|(at, _)| at).collect();
    places.dedup();
    prop_assert!(places.len() == 1, "{change:?}\n{value}\n{found:?}");
    let named = keyword(&change.about);
    prop_assert!(found.iter().any(|(_, k)| k == named), "{change:?}\n{value}\n{found:?}");
    Ok(())
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn every_generated_body_is_valid(schema in bodies(), seed in any::<u64>()) {
        let operation = operation(&schema);
        let body = operation.body().unwrap();
        let strategy = values(body.schema.json());
        for n in 0..5 {
            let mut tree = strategy.new_tree(&mut Seed(seed).runner("test", n)).unwrap();
            for _ in 0..4 {
                let value = sent(&tree.current(), some_day()).unwrap();
                prop_assert_eq!(violations(&schema, &value), vec![], "{}\n{}", schema, value);
                prop_assert_eq!(account(&operation, &value), vec![], "{}\n{}", schema, value);
                if !tree.simplify() {
                    break;
                }
            }
        }
        let value = sent(&simplest(body.schema.json()), some_day()).unwrap();
        prop_assert_eq!(violations(&schema, &value), vec![], "{}\n{}", schema, value);
    }

    #[test]
    fn every_fault_breaks_one_place_and_names_it(schema in bodies(), seed in any::<u64>()) {
        let operation = operation(&schema);
        let json = operation.body().unwrap().schema.json();
        let base = drawn(json, seed);
        for change in faults(json) {
            let control = sent(&change.control(&base, json), some_day()).unwrap();
            prop_assert_eq!(violations(&schema, &control), vec![], "control of {:?}\n{}\n{}", change, schema, control);
            let value = sent(&change.apply(&base, json), some_day()).unwrap();
            broken_in_one_place(&schema, &change, &value)?;
            let found = account(&operation, &value);
            prop_assert!(found.iter().any(|(_, keyword)| keyword == Part::new(&*change.about).keyword()), "{:?}\n{}\n{:?}", change, value, found);
            let mut places: Vec<_> = found.iter().map(|(at, _)| at).collect();
            places.dedup();
            prop_assert_eq!(places.len(), 1, "{:?}\n{}\n{:?}", change, value, found);
        }
    }

    /// What the engine holds for valid is what our own validator does, at the edges above all.
    #[test]
    fn validators_agree(schema in bodies(), seed in any::<u64>()) {
        let operation = operation(&schema);
        let json = operation.body().unwrap().schema.json();
        let base = drawn(json, seed);
        for change in edges(json).iter().chain(&faults(json)) {
            for body in change.forms(&base, json) {
                let value = sent(&body, some_day()).unwrap();
                let (own, its) = (violations(&schema, &value), account(&operation, &value));
                prop_assert_eq!(own.is_empty(), its.is_empty(), "{}\n{}\n{:?}\n{:?}", schema, value, own, its);
            }
        }
    }

    /// Every keyword that can be broken is broken by some fault.
    #[test]
    fn no_keyword_is_forgotten(schema in bodies()) {
        let operation = operation(&schema);
        let json = operation.body().unwrap().schema.json();
        let faults = faults(json);
        for requirement in probity::contract::derive::requirements(&operation) {
            let probity::contract::requirement::Form::Schema(part) = &requirement.form else { continue };
            // Nothing is longer than the longest that is sent, and nothing shorter than nothing.
            let value = json.pointer(part.split('#').next().unwrap_or_default());
            let idle = value.is_some_and(|v| *v == json!(0)) && (part.ends_with("minLength") || part.ends_with("minItems"))
                || part.ends_with("multipleOf") && value.is_some_and(|v| *v == json!(1) && !part.contains("number"));
            prop_assert!(idle || faults.iter().any(|f| f.about == **part), "{part:?}\n{schema}");
        }
    }
}
