//! Whether a request was valid, broken in some way, or left to the server.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::Judge;
use super::doubt::{doubt, null_beside};
use crate::contract::Target;
use crate::contract::coverage::covers;
use crate::contract::part::{BOUNDS, Part, REQUIRED, one_word};
use crate::contract::requirement::Form;
use crate::contract::template::segments;
use crate::document::parameter::ParameterLocation;
use crate::exchange::Exchange;
use crate::exchange::Request;
use crate::expression::{Scope, Trouble, timestamp};
use crate::generate::fault::schema_at;
use crate::generate::media::form_of;
use crate::generate::parameter::encode::{self, plain};
use crate::generate::parameter::{self, decode, decode::Reading, decode::pairs};
use crate::generate::parameter::{is_key, key_schema};
use crate::schema::{Schema, Violation};

/// What the contract says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// It meets all requirements: it must be accepted.
    Valid,
    /// It breaks these requirements, by their place in the contract, and nothing else; all in one
    /// place of the request: it must be rejected.
    Broken(Vec<usize>),
    /// It is broken in several places.
    BrokenTwice,
    /// It meets all requirements, but with a value that an honest server may refuse, for this reason: to accept it is
    /// fine, and to refuse it shows nothing.
    Doubtful(String),
    /// It is left to the server, or its class is not known, for this reason.
    Open(String),
}

/// What the document says of a request.
struct Looked {
    /// The requirements that it breaks, by their place in the contract.
    broken: Vec<usize>,
    /// The places in it that are wrong.
    places: Vec<String>,
    /// Why it may be refused although nothing is broken.
    doubt: Option<String>,
}

impl Looked {
    /// Checks a value of the request against its schema.
    fn value(
        &mut self,
        schema: &Schema,
        value: &Json,
        place: &str,
        requirement_of: impl Fn(&Violation) -> Option<usize>,
    ) -> Result<(), Class> {
        let violations = schema.violations(value);
        for violation in &violations {
            let at = value.pointer(&violation.at).unwrap_or(&Json::Null);
            let part = schema_at(schema.json(), &violation.at);
            if let Some(reason) = part.and_then(|part| null_beside(&part, at)) {
                return Err(Class::Open(reason));
            }
            if violation.several {
                return Err(Class::Open("it matches several alternatives, of which the document allows one".into()));
            }
        }
        let mut places: Vec<String> = violations.iter().map(|v| format!("{place}{}", v.place())).collect();
        places.dedup();
        self.places.extend(places);
        for violation in &violations {
            match requirement_of(violation) {
                Some(requirement) => self.broken.push(requirement),
                None => return Err(Class::BrokenTwice),
            }
        }
        Ok(())
    }
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
        self.class_of(&exchange.request, body, scope, now.earliest, now.latest)
    }

    /// The class of a plain request whose names are in `scope`, sent between two instants of the
    /// server's clock.
    pub fn class_of(
        self,
        request: &Request,
        body: Option<&Json>,
        scope: &Scope,
        earliest: DateTime<Utc>,
        latest: DateTime<Utc>,
    ) -> Class {
        if body.is_none() && request.body.is_some() {
            return Class::Open("the body is not JSON".into());
        }
        let at = |now: DateTime<Utc>| scope.extend().value("now", timestamp(now)).build();
        let (early, late) = (at(earliest), at(latest));
        for open in &self.contract.open {
            // An error means that the expression does not apply to the request.
            let holds = |scope| open.when.truth(scope) == Ok(true);
            if holds(&early) || (open.when.is_timely() && holds(&late)) {
                return Class::Open(open.text.clone());
            }
        }
        let looked = match self.against_document(request, body, scope) {
            Ok(looked) => looked,
            Err(class) => return class,
        };
        let (mut broken, mut places) = (looked.broken, looked.places);
        let structured = places.is_empty();
        // Constraints are about well-formed values: on others they would only fail to evaluate.
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
                    return Class::Open(format!("missing fixture `{path}`"));
                }
                (Err(_), _) | (_, Err(_)) if !structured => {}
                (Err(error), _) | (_, Err(error)) => return Class::Open(error.to_string()),
                (Ok(_), Ok(_)) => {
                    return Class::Open("too close to the current time to tell".into());
                }
            }
        }
        if let Some(class) = self.values(scope, body, &places) {
            return class;
        }
        match (broken.is_empty(), places.len()) {
            (true, _) => looked.doubt.map_or(Class::Valid, Class::Doubtful),
            (false, 1) => {
                broken.dedup();
                Class::Broken(broken)
            }
            (false, _) => Class::BrokenTwice,
        }
    }

    /// What the document says of a request, or the class if that already follows.
    fn against_document(self, request: &Request, body: Option<&Json>, scope: &Scope) -> Result<Looked, Class> {
        let operation = &self.contract.operation;
        let mut looked = Looked { broken: Vec::new(), places: Vec::new(), doubt: None };
        match (body, operation.body()) {
            (Some(body), Some(preferred)) => {
                let form = request.header("content-type").and_then(|t| form_of(operation, t)).unwrap_or(preferred);
                looked.value(&form.schema, body, "", |v| self.requirement_of(None, v))?;
                if looked.places.is_empty() {
                    looked.doubt = doubt(form.schema.json(), body);
                }
            }
            // No requirement says that: a server that needs a body is likely to say which field is missing.
            (None, Some(_)) if operation.body_required => return Err(Class::BrokenTwice),
            (Some(_), None) => return Err(Class::Open("the operation has no body".into())),
            _ => {}
        }
        let query: Vec<(String, String)> = request.path.split_once('?').map(|(_, q)| pairs(q)).unwrap_or_default();
        for (i, parameter) in operation.parameters.iter().enumerate() {
            if is_key(parameter)
                && let Some(key) = request.header(&parameter.name)
            {
                // The cases say which keys a server accepts.
                if key_schema(parameter).is_some_and(|schema| !schema.is_valid(&key.into())) {
                    return Err(Class::Open("the document does not allow this idempotency key".into()));
                }
                continue;
            }
            let given = self.contract.gives(parameter);
            let reading = match parameter.location {
                ParameterLocation::Path => {
                    // A value from the contract's lists is valid, whatever the document says of it.
                    if given && self.is_listed(&parameter.name, scope) {
                        continue;
                    }
                    let text = request.parameters.iter().find(|(n, _)| *n == parameter.name);
                    text.map_or(Reading::Absent, |(_, text)| decode::in_path(parameter, text))
                }
                ParameterLocation::Query | ParameterLocation::Querystring => decode::in_query(parameter, &query),
                ParameterLocation::Header => decode::in_header(parameter, request.header(&parameter.name)),
                ParameterLocation::Cookie => decode::in_cookie(parameter, request.header("cookie")),
            };
            let place = format!("{} {}", parameter.location.name(), parameter.name);
            match reading {
                Reading::Absent if parameter.required && parameter.may_be_nothing() => {
                    return Err(Class::Open(format!("nothing at all may be a value of the {place}")));
                }
                Reading::Absent if parameter.required => {
                    let missing =
                        |form: &Form| matches!(form, Form::Parameter(of, part) if *of == i && **part == *REQUIRED);
                    let Some(at) = self.contract.requirements.iter().position(|r| missing(&r.form)) else {
                        return Err(Class::BrokenTwice);
                    };
                    looked.broken.push(at);
                    looked.places.push(place);
                }
                Reading::Absent => {}
                Reading::Open(reason) => return Err(Class::Open(format!("the {place}: {reason}"))),
                Reading::Value(value) => {
                    let before = looked.places.len();
                    let is_out_of_bounds =
                        || parameter.schema.violations(&value).iter().any(|v| BOUNDS.contains(&v.keyword.as_str()));
                    if parameter.is_limit(&operation.parameters) && is_out_of_bounds() {
                        return Err(Class::Open(format!("a server may take the nearest limit to the {place}")));
                    }
                    looked.value(&parameter.schema, &value, &place, |v| self.requirement_of(Some(i), v))?;
                    if looked.places.len() == before && looked.doubt.is_none() && !given {
                        let shown = parameter.examples.iter().chain(&parameter.default).any(|v| *v == value);
                        let guessed = !shown && !parameter::is_known(parameter);
                        looked.doubt = match guessed {
                            true => Some(format!("no value of the {place} is known")),
                            false if shown => Some(format!("the {place} has only the document's example")),
                            false => doubt(parameter.schema.json(), &value),
                        };
                    }
                }
            }
        }
        Ok(looked)
    }

    /// The requirement that a violation breaks, in the body or in a parameter: the one for the keyword at that place, or
    /// that for the condition around it.
    fn requirement_of(self, parameter: Option<usize>, violation: &Violation) -> Option<usize> {
        let place = violation.place();
        let keyword = one_word(&violation.keyword);
        let parts = || {
            self.contract.requirements.iter().enumerate().filter_map(move |(i, r)| match (&r.form, parameter) {
                (Form::Schema(part), None) => Some((i, part)),
                (Form::Parameter(of, part), Some(parameter)) if *of == parameter => Some((i, part)),
                _ => None,
            })
        };
        let exact = parts().find(|(_, part)| part.keyword() == keyword && covers(part.field(), &place));
        let around = || {
            let conditions =
                ["if", "dependentSchemas", "dependentRequired", "contains", "propertyNames", "not", "anyOf"];
            let is_around = |part: &Part| {
                let depth = part.field().split('/').count();
                let above = || place.split('/').take(depth).collect::<Vec<_>>().join("/");
                conditions.contains(&part.keyword()) && covers(part.field(), &above())
            };
            parts().filter(|(_, part)| is_around(part)).max_by_key(|(_, part)| part.len())
        };
        exact.or_else(around).map(|(i, _)| i)
    }

    /// Whether a path parameter's value is one of those that the target provides.
    fn is_listed(self, name: &str, scope: &Scope) -> bool {
        let is_it = |target: &Target| matches!(target, Target::Parameter(ParameterLocation::Path, of) if of == name);
        let Some(value) = parameter_of(scope, ParameterLocation::Path, name) else { return true };
        let lists = self.contract.values.iter().filter(|list| is_it(&list.target));
        lists.map(|list| (&list.target, list.list.json(scope))).any(|(target, list)| match list {
            Ok(Json::Array(items)) => self.lists(target, &items, &value),
            _ => true,
        })
    }

    /// Whether a value is one of these. On the wire a number is text, and in a path it is written in the document's style,
    /// as `.7` is of 7.
    fn lists(self, target: &Target, items: &[Json], value: &Json) -> bool {
        let text = plain(value);
        let parameter = match target {
            Target::Parameter(ParameterLocation::Path, name) => {
                self.contract.operation.parameters_in(ParameterLocation::Path).find(|p| p.name == *name)
            }
            _ => None,
        };
        items.iter().any(|item| plain(item) == text || parameter.is_some_and(|p| encode::text(p, item) == text))
    }

    /// Values outside the target's lists are left open: the target may have more than the lists name. Values that the
    /// document forbids are in none.
    fn values(self, scope: &Scope, body: Option<&Json>, broken: &[String]) -> Option<Class> {
        for list in &self.contract.values {
            let place = match &list.target {
                Target::Parameter(location, name) => format!("{} {name}", location.name()),
                Target::Body(pointer) => pointer.clone(),
            };
            if broken.contains(&place) {
                continue;
            }
            let value = match &list.target {
                Target::Parameter(location, name) => parameter_of(scope, *location, name),
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
                Ok(Json::Array(items)) if self.lists(&list.target, &items, &value) => {}
                Ok(_) => return Some(Class::Open(format!("{value} is not among the provided values"))),
                Err(trouble) => return Some(Class::Open(trouble.to_string())),
            }
        }
        None
    }
}

/// A parameter of the request that a scope is about.
pub(super) fn parameter_of(scope: &Scope, location: ParameterLocation, name: &str) -> Option<Json> {
    match location {
        ParameterLocation::Path => scope.member("request", &["path", name]),
        ParameterLocation::Query | ParameterLocation::Querystring => scope.member("request", &["query", name]),
        ParameterLocation::Header => scope.member("request", &["headers", &name.to_lowercase()]),
        ParameterLocation::Cookie => scope.member("request", &["cookies", name]),
    }
}
