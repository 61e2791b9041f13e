//! What is drawn at random for a request.

use std::borrow::Cow;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::BoxedStrategy;
use serde_json::{Value as Json, json};

use super::media::{self, Kind};
use super::parameter;
use super::parameter::{encode, is_key};
use super::values::check::{needed, sample};
use super::values::{alternatives, object, type_of, values};
use crate::contract::template::Template;
use crate::document::operation::Operation;
use crate::document::parameter::{Parameter, ParameterLocation};

/// Everything that one request draws.
#[derive(Clone, Debug)]
pub struct Draw {
    /// The body; None if none is sent.
    pub body: Option<Template>,
    /// A place in each list of values that the contract gives.
    pub picks: Vec<Index>,
    /// A value for each parameter of the operation; None if it is left out.
    pub parameters: Vec<Option<Template>>,
}

/// A form of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// No body.
    None,
    /// One of the operation's bodies, by its place.
    Body {
        /// The body.
        body: usize,
        /// The alternative of its schema, by its place; None where there is no choice.
        alternative: Option<usize>,
    },
}

/// The forms of a request's body, the preferred one first.
pub fn forms(operation: &Operation) -> Vec<Form> {
    let mut all = Vec::new();
    for (i, body) in operation.bodies.iter().enumerate().filter(|(_, b)| media::kind(&b.media_type) != Kind::Other) {
        let choice = alternatives(body.schema.json());
        let several = choice.iter().enumerate().filter(|(_, a)| a["type"] != "null").map(|(k, _)| k);
        match choice {
            [] => all.push(Form::Body { body: i, alternative: None }),
            _ => all.extend(several.map(|k| Form::Body { body: i, alternative: Some(k) })),
        }
    }
    if operation.bodies.is_empty() || !operation.body_required {
        all.push(Form::None);
    }
    all
}

/// The schema that a body of a form is drawn from; None if there is no body.
pub fn schema_of(operation: &Operation, form: Form) -> Option<Cow<'_, Json>> {
    let Form::Body { body, alternative } = form else { return None };
    let body = operation.bodies.get(body)?;
    let whole = body.schema.json();
    let schema = alternative.and_then(|k| alternatives(whole).get(k)).unwrap_or(whole);
    let kind = type_of(schema);
    let due = match media::kind(&body.media_type) {
        Kind::Form | Kind::Multipart if kind != "object" => "object",
        Kind::Text | Kind::Bytes if kind.is_empty() => "string",
        Kind::Json if kind.is_empty() && schema.get("enum").is_none() && schema.get("const").is_none() => "object",
        _ => return Some(Cow::Borrowed(schema)),
    };
    Some(Cow::Owned(object::beside(schema, &json!({ "type": due }))))
}

/// What a request is drawn for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// The form of the body.
    pub form: Form,
    /// Forces fields of the body in or out, by name; None leaves a field to chance.
    pub field: &'a dyn Fn(&str) -> Option<bool>,
    /// The same for parameters, by their place in the operation; None leaves it to chance.
    pub parameter: &'a dyn Fn(usize) -> Option<bool>,
    /// The number of lists of values in the contract, and the number of path parameters.
    pub lists: usize,
}

/// The strategy of a whole request.
pub fn draws(wanted: Wanted<'_>) -> BoxedStrategy<Draw> {
    let body = match schema_of(wanted.operation, wanted.form) {
        None => Just(None).boxed(),
        Some(schema) => bodies(&schema, wanted.field).prop_map(Some).boxed(),
    };
    let picks = proptest::collection::vec(any::<Index>(), wanted.lists);
    let parameters: Vec<_> =
        wanted.operation.parameters.iter().enumerate().map(|(i, p)| optional(p, (wanted.parameter)(i))).collect();
    (body, picks, parameters).prop_map(|(body, picks, parameters)| Draw { body, picks, parameters }).boxed()
}

fn bodies(schema: &Json, presence: &dyn Fn(&str) -> Option<bool>) -> BoxedStrategy<Template> {
    let plain = alternatives(schema).is_empty() && schema.get("enum").is_none() && schema.get("const").is_none();
    if type_of(schema) != "object" || !plain {
        return values(schema);
    }
    let objects = object::objects(schema, presence);
    match needed(schema) {
        Some(check) => objects.prop_filter("no body was found that keeps all of it", move |v| check.keeps(v)).boxed(),
        None => objects,
    }
}

fn optional(parameter: &Parameter, presence: Option<bool>) -> BoxedStrategy<Option<Template>> {
    // Idempotency keys are not drawn: they are made when a request is sent.
    if is_key(parameter) || presence == Some(false) && !parameter.required {
        return Just(None).boxed();
    }
    let values = parameter_values(parameter);
    if parameter.required || presence == Some(true) {
        return values.prop_map(Some).boxed();
    }
    (any::<bool>(), values).prop_map(|(present, value)| present.then_some(value)).boxed()
}

/// Valid values of a parameter.
pub fn parameter_values(parameter: &Parameter) -> BoxedStrategy<Template> {
    let drawn = values(&parameter::drawn(parameter));
    if parameter.location != ParameterLocation::Path {
        return drawn;
    }
    // The number of segments in the path must not change.
    let is_segment = |value: &Template| {
        let text = match sample(value) {
            Json::Array(items) => items.iter().map(encode::plain).collect::<Vec<_>>().join(","),
            other => encode::plain(&other),
        };
        !["", ".", ".."].contains(&text.as_str()) && !text.contains('/')
    };
    drawn.prop_filter("no value was found that is one segment of a path", is_segment).boxed()
}
