//! What a request takes from the exchanges before it: today's answers name other records than the recorded ones, and
//! today's requests have other keys.

use serde_json::Value as Json;

use crate::contract::Contract;
use crate::contract::steps::{Base, Send, Step};
use crate::contract::template::Template;
use crate::document::operation::template_names;
use crate::exchange::Request;
use crate::expression::{Scope, Trouble};
use crate::generate::render::segment;

/// A step's request with what it takes from earlier answers, which are among `names`, taken from today's.
///
/// # Errors
/// A value cannot be had from today's answers.
pub(super) fn taken(
    mut request: Request,
    send: &Send,
    steps: &[Step],
    names: &Scope,
    contract: &Contract,
) -> Result<Request, Trouble> {
    for send in origins(send, steps) {
        for (pointer, template) in &send.set {
            let Some(value) = from_answer(template, names)? else { continue };
            let Some(mut body) = request.json() else { continue };
            if let Some(field) = body.pointer_mut(pointer).filter(|field| **field != value) {
                *field = value;
                request.body = Some(body.to_string().into());
            }
        }
        for (name, template) in &send.headers {
            // What a case makes of an earlier request's key is made of today's: what it adds stays what it is.
            let Some(value) = template.as_ref().map(|t| from_earlier(t, names)).transpose()?.flatten() else {
                continue;
            };
            for (_, text) in request.headers.iter_mut().filter(|(n, _)| n.eq_ignore_ascii_case(name)) {
                *text = plain(&value);
            }
        }
        let mut is_elsewhere = false;
        for (name, template) in &send.path {
            let Some(value) = from_answer(template, names)?.map(|value| plain(&value)) else { continue };
            for (_, text) in request.parameters.iter_mut().filter(|(n, text)| n == name && *text != value) {
                text.clone_from(&value);
                is_elsewhere = true;
            }
        }
        // What stays as it was is sent to the byte.
        if is_elsewhere {
            let operation = contract.operation_of(request.operation);
            let mut path = operation.path.clone();
            for name in template_names(&operation.path) {
                let value = request.parameters.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value);
                path = path.replace(&format!("{{{name}}}"), &segment(value));
            }
            if let Some((_, query)) = request.path.split_once('?').filter(|_| !path.contains('?')) {
                path = format!("{path}?{query}");
            }
            request.path = path;
        }
    }
    Ok(request)
}

/// What a step's request is made from, the first first, and the step itself.
fn origins<'a>(send: &'a Send, steps: &'a [Step]) -> Vec<&'a Send> {
    let mut all = vec![send];
    while let Some(Base::From(name) | Base::Repeat(name)) = all.last().map(|send| &send.base) {
        match steps.iter().find(|step| step.name == *name).and_then(|step| step.sends.first()) {
            Some(earlier) => all.push(earlier),
            None => break,
        }
    }
    all.reverse();
    all
}

/// The value of what is taken from an answer; None for what is not.
fn from_answer(template: &Template, names: &Scope) -> Result<Option<Json>, Trouble> {
    match template {
        Template::Cel(expression) if expression.text().contains("response") => expression.json(names).map(Some),
        _ => Ok(None),
    }
}

/// The value of what is taken from an answer, or from an earlier request's headers; None for what is not.
fn from_earlier(template: &Template, names: &Scope) -> Result<Option<Json>, Trouble> {
    match template {
        Template::Cel(expression) if expression.text().contains("request.headers") => expression.json(names).map(Some),
        other => from_answer(other, names),
    }
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
