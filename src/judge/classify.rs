//! Whether a request was valid, broken in some way, or left to the server.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::Judge;
use crate::contract::Target;
use crate::contract::requirement::Form;
use crate::contract::schema::Violation;
use crate::contract::template::segments;
use crate::exchange::Exchange;
use crate::expression::{Scope, Trouble, timestamp};

/// What the contract says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// It keeps everything: it must be accepted.
    Valid,
    /// It breaks these requirements, by their place in the contract, and nothing else; all in one
    /// place of the request: it must be rejected.
    Broken(Vec<usize>),
    /// It is broken in several places.
    BrokenTwice,
    /// Left to the server, or not known to us. Why.
    Open(String),
}

impl Judge<'_> {
    pub(super) fn classify(self, exchange: &Exchange, body: Option<&Json>, scope: &Scope, plain: bool) -> Class {
        if !plain || exchange.request.raw {
            return Class::Open("the step changed more than the body's fields".into());
        }
        if !self.contract.callers.contains(&exchange.request.identity) {
            return Class::Open("the identity may not be allowed to do this".into());
        }
        let now = exchange.server_now();
        self.class_of(body, scope, now.earliest, now.latest)
    }

    /// The class of a plain request whose names are in `scope`, sent between two instants of the
    /// server's clock.
    pub fn class_of(self, body: Option<&Json>, scope: &Scope, earliest: DateTime<Utc>, latest: DateTime<Utc>) -> Class {
        let Some(schema) = self.contract.operation.body.as_ref().map(|b| &b.schema) else {
            return self.values(scope, None).unwrap_or(Class::Valid);
        };
        let Some(body) = body else {
            return Class::Open("the body is not JSON".into());
        };
        let at = |now: DateTime<Utc>| scope.extend().value("now", timestamp(now)).build();
        let (early, late) = (at(earliest), at(latest));
        for open in &self.contract.open {
            // An error is a request that the words do not fit.
            let holds = |scope| open.when.truth(scope) == Ok(true);
            if holds(&early) || (open.when.is_timely() && holds(&late)) {
                return Class::Open(open.text.clone());
            }
        }
        let violations = schema.violations(body);
        let mut places: Vec<String> = violations.iter().map(Violation::place).collect();
        places.dedup();
        let mut broken = Vec::new();
        for violation in &violations {
            match self.schema_requirement(&violation.part) {
                Some(requirement) => broken.push(requirement),
                None => return Class::BrokenTwice,
            }
        }
        // Constraints speak of well-formed values: on others they would only err.
        for (i, requirement) in self.contract.requirements.iter().enumerate() {
            let Form::Constraint(valid) = &requirement.form else {
                continue;
            };
            let first = valid.truth(&early);
            let second = if valid.is_timely() { valid.truth(&late) } else { first.clone() };
            match (first, second) {
                (Ok(true), Ok(true)) => {}
                (Ok(false), Ok(false)) => {
                    if !broken.is_empty() {
                        return Class::BrokenTwice;
                    }
                    broken.push(i);
                    places.push(String::new());
                }
                (Err(Trouble::Fixture(path)), _) => {
                    return Class::Open(format!("the settings provide no `{path}`"));
                }
                (Err(_), _) | (_, Err(_)) if !violations.is_empty() => {}
                (Err(error), _) | (_, Err(error)) => return Class::Open(error.to_string()),
                (Ok(_), Ok(_)) => {
                    return Class::Open("too near to the present instant to tell".into());
                }
            }
        }
        if let Some(class) = self.values(scope, Some(body)) {
            return class;
        }
        match (broken.is_empty(), places.len()) {
            (true, _) => Class::Valid,
            (false, 1) => {
                broken.dedup();
                Class::Broken(broken)
            }
            (false, _) => Class::BrokenTwice,
        }
    }

    fn schema_requirement(self, part: &str) -> Option<usize> {
        self.contract.requirements.iter().position(|r| matches!(&r.form, Form::Schema(p) if p == part))
    }

    /// Values outside the lists that the target provides are open: it has more than it provides.
    fn values(self, scope: &Scope, body: Option<&Json>) -> Option<Class> {
        for list in &self.contract.values {
            let value = match &list.target {
                Target::Path(name) => super::bind::path_parameter(scope, name),
                Target::Body(pointer) => body.and_then(|b| {
                    segments(pointer)
                        .iter()
                        .try_fold(b, |at, name| match at {
                            Json::Array(items) => items.get(name.parse::<usize>().ok()?),
                            other => other.get(name),
                        })
                        .cloned()
                }),
            };
            let Some(value) = value.filter(Json::is_string) else {
                continue;
            };
            match list.list.json(scope) {
                Ok(Json::Array(items)) if items.contains(&value) => {}
                Ok(_) => return Some(Class::Open(format!("{value} is not among the values that are provided"))),
                Err(trouble) => return Some(Class::Open(trouble.to_string())),
            }
        }
        None
    }
}
