//! What chance decides of a request.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::BoxedStrategy;
use serde_json::Value as Json;

use super::values::{object, type_of, values};
use crate::contract::template::Template;

/// Everything that one request draws.
#[derive(Clone, Debug)]
pub struct Draw {
    /// The body; None where none is sent.
    pub body: Option<Template>,
    /// A place in each list of values that the contract gives.
    pub picks: Vec<Index>,
}

/// The strategy of a whole request with a body of a schema. `presence` forces the body's fields in or out where it says so.
pub fn draws(schema: Option<&Json>, presence: &dyn Fn(&str) -> Option<bool>, lists: usize) -> BoxedStrategy<Draw> {
    let body = match schema {
        None => Just(None).boxed(),
        Some(schema) => bodies(schema, presence).prop_map(Some).boxed(),
    };
    let picks = proptest::collection::vec(any::<Index>(), lists);
    (body, picks).prop_map(|(body, picks)| Draw { body, picks }).boxed()
}

fn bodies(schema: &Json, presence: &dyn Fn(&str) -> Option<bool>) -> BoxedStrategy<Template> {
    let plain = super::values::alternatives(schema).is_empty() && schema.get("enum").is_none();
    if type_of(schema) != "object" || !plain {
        return values(schema);
    }
    let objects = object::objects(schema, presence);
    match super::values::check::needed(schema) {
        Some(check) => objects.prop_filter("no body was found that keeps all of it", move |v| check.keeps(v)).boxed(),
        None => objects,
    }
}
