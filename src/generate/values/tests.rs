//! What is drawn as valid is valid, and what is made to be broken is broken.

use proptest::strategy::{Strategy, ValueTree};
use serde_json::{Value, json};

use super::check::{Check, sample};
use super::{simplest, values};
use crate::generate::fault::{edges, faults};
use crate::generate::seed::Seed;

/// Schemas as they come out of normalising, one for each thing that they may say.
fn schemas() -> Vec<Value> {
    let pet = json!({
        "anyOf": [
            {"x-pointer": "/components/schemas/Cat", "type": "object", "required": ["kind", "lives"], "properties": {
                "kind": {"const": "cat"}, "lives": {"type": "integer", "minimum": 1, "maximum": 9}}},
            {"x-pointer": "/components/schemas/Dog", "type": "object", "required": ["kind"], "additionalProperties": false,
             "properties": {"kind": {"const": "dog"}, "bark": {"type": "string", "maxLength": 10}}},
        ],
        "x-one-of": true,
    });
    vec![
        pet.clone(),
        json!({"type": "object", "required": ["pet"], "properties": {"pet": pet, "note": {"type": ["string", "null"]}}}),
        json!({"type": "array", "items": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
            "minItems": 2, "maxItems": 4, "uniqueItems": true}),
        json!({"type": "string", "minLength": 3}),
        json!({"type": "integer", "not": {"enum": [0, 1, 2]}}),
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "not": {"required": ["a"]}}),
        json!({"type": "object", "additionalProperties": {"type": "string", "maxLength": 5}, "minProperties": 1,
            "maxProperties": 3}),
        json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "minProperties": 1}),
        json!({"type": "object", "required": ["a", "named"], "properties": {"a": {"type": "integer"}}}),
        json!({"type": "object", "properties": {"kind": {"enum": ["x", "y"]}},
            "required": ["kind"],
            "if": {"properties": {"kind": {"const": "x"}}},
            "then": {"required": ["size"], "properties": {"size": {"type": "integer"}}},
            "else": {"properties": {"size": false}}}),
        json!({"type": "object", "properties": {"card": {"type": "string"}, "address": {"type": "string"}},
            "dependentRequired": {"card": ["address"]}}),
        json!({"type": "object", "properties": {"card": {"type": "string"}},
            "dependentSchemas": {"card": {"required": ["address"], "properties": {"address": {"type": "string"}}}}}),
        json!({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": false, "minItems": 2}),
        json!({"type": "array", "items": {"type": "integer"}, "contains": {"minimum": 100}, "minContains": 2}),
        json!({"type": "object", "patternProperties": {"^x-[a-z]+$": {"type": "integer"}}, "additionalProperties": false,
            "minProperties": 1}),
        json!({"type": "object", "propertyNames": {"pattern": "^[A-Z]{3}$"}, "additionalProperties": {"type": "number"},
            "minProperties": 2}),
        json!({"type": "object", "properties": {"a": {"type": "integer"}}, "unevaluatedProperties": false}),
        json!({"type": ["integer", "string"], "minimum": 3, "minLength": 2}),
        json!({"const": "only"}),
        json!({"type": "string", "enum": ["aa", "b"], "minLength": 2}),
        json!({"type": "string", "pattern": "^(?=.*[A-Z])(?=.*[0-9]).{6,12}$", "maxLength": 10}),
        json!({"type": "string", "pattern": "^[a-z]+$", "allOf": [{"pattern": "^.{3,5}$"}]}),
        json!({"type": "string", "format": "iban", "examples": ["CH9300762011623852957"]}),
        json!({"type": "boolean"}),
    ]
}

#[test]
fn what_is_drawn_as_valid_is_valid() {
    for schema in schemas() {
        let check = Check::new(&schema).expect("a schema");
        let strategy = values(&schema);
        for n in 0..20 {
            let mut tree =
                strategy.new_tree(&mut Seed(1).runner("test", n)).unwrap_or_else(|e| panic!("{schema}: {e}"));
            for _ in 0..5 {
                let value = sample(&tree.current());
                assert!(check.allows(&value), "{schema}\n{value}");
                if !tree.simplify() {
                    break;
                }
            }
        }
        let value = sample(&simplest(&schema));
        assert!(check.allows(&value), "{schema}\n{value}");
    }
}

#[test]
fn every_alternative_is_drawn() {
    let schema = &schemas()[0];
    let strategy = values(schema);
    let kinds: std::collections::BTreeSet<String> = (0..40)
        .map(|n| sample(&strategy.new_tree(&mut Seed(1).runner("test", n)).unwrap().current())["kind"].to_string())
        .collect();
    assert_eq!(kinds.len(), 2);
}

#[test]
fn edges_keep_and_faults_break() {
    for schema in schemas() {
        let check = Check::new(&schema).expect("a schema");
        let base = simplest(&schema);
        for change in faults(&schema) {
            let control = change.control(&base, &schema);
            assert!(check.keeps(&control), "{schema}\n{change:?}\n{}", sample(&control));
            let broken = change.forms(&base, &schema).any(|v| !check.keeps(&v));
            assert!(broken, "{schema}\n{change:?}\n{}", sample(&change.apply(&base, &schema)));
        }
        for change in edges(&schema) {
            let kept = change.forms(&base, &schema).any(|v| check.keeps(&v));
            // What is ruled out or asked for elsewhere keeps some edges from being valid.
            let ruled = ["not", "if", "contains", "dependentRequired", "dependentSchemas"]
                .iter()
                .any(|key| schema.get(*key).is_some());
            assert!(kept || ruled || change.label == "null", "{schema}\n{change:?}");
        }
    }
}

#[test]
fn each_keyword_is_broken() {
    for schema in schemas() {
        let abouts: Vec<String> = faults(&schema).into_iter().map(|c| c.about).collect();
        for keyword in [
            "anyOf",
            "not",
            "if",
            "dependentRequired",
            "dependentSchemas",
            "contains",
            "minProperties",
            "maxProperties",
            "propertyNames",
            "unevaluatedProperties",
            "const",
            "pattern",
            "uniqueItems",
        ] {
            let there = schema.get(keyword).is_some();
            assert!(!there || abouts.contains(&format!("/{keyword}")), "{keyword}\n{schema}\n{abouts:?}");
        }
    }
}
