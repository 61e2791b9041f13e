//! Defects of a contract itself: examples that break it, and expressions that cannot work.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use crate::contract::Contract;
use crate::contract::requirement::{Form, Rows};
use crate::contract::steps::{Base, Step};
use crate::contract::template::Template;
use crate::document::operation::Operation;
use crate::document::parameter::{Parameter, ParameterLocation};
use crate::document::response::Response as Documented;
use crate::exchange::Attempt;
use crate::exchange::Request;
use crate::exchange::{Exchange, Interval, Outcome, Response};
use crate::expression::{Expression, Scope, Trouble, timestamp};
use crate::generate::draft::Fixtures;
use crate::generate::parameter::is_key;
use crate::generate::parameter::is_known;
use crate::generate::render::{Issued, Rendering};
use crate::generate::seed::{RunTag, Seed};
use crate::generate::values::{check::sample, simplest, type_of};
use crate::judge::Judge;
use crate::judge::bind::{Control, Seen};
use crate::plan::{FULL, Plan};
use crate::source::{Diagnostic, Result};

/// Required parameters of which no valid value is known: a run has to guess one.
pub fn guesses(contract: &Contract) -> Vec<Diagnostic> {
    let required = contract.operation.parameters.iter().filter(|p| p.required && !is_key(p));
    let unknown = required.filter(|p| !contract.gives(p) && !is_known(p));
    unknown
        .map(|p| {
            let location = p.location.name();
            *p.place
                .error(format!("no valid value of the {location} parameter `{}` is known", p.name))
                .label("one is guessed, and a refusal shows nothing then")
                .help(format!(
                    "give an `example` in the document, or values under `values: {location}:` in contract.yaml"
                ))
        })
        .chain(guesses_of_calls(contract))
        .collect()
}

/// Required parameters of called operations of which no valid value is known, and to which steps give none.
fn guesses_of_calls(contract: &Contract) -> Vec<Diagnostic> {
    let sends = contract.requirements.iter().flat_map(|r| r.form.steps()).flat_map(|step| &step.sends);
    let mut all: Vec<Diagnostic> = Vec::new();
    let mut seen = BTreeSet::new();
    for (send, place) in sends.filter_map(|send| Some((send, send.call.filter(|_| send.base == Base::Minimal)?))) {
        let operation = &contract.called[place].operation;
        let given = |p: &Parameter| {
            let named = |all: &[(String, Option<Template>)]| all.iter().any(|(n, _)| n.eq_ignore_ascii_case(&p.name));
            match p.location {
                ParameterLocation::Path => true,
                ParameterLocation::Header => named(&send.headers),
                ParameterLocation::Cookie => named(&send.cookies),
                ParameterLocation::Query | ParameterLocation::Querystring => named(&send.query),
            }
        };
        let required = operation.parameters.iter().filter(|p| p.required && !is_key(p));
        for parameter in required.filter(|p| !given(p) && !is_known(p)) {
            let (location, name) = (parameter.location.name(), &parameter.name);
            let guess = send
                .place
                .error(format!("no valid value of the {location} parameter `{name}` of `{}` is known", operation.id))
                .label("one is guessed, and a refusal shows nothing then")
                .help("give it in the step, or give an `example` in the document");
            // Several requirements may share a step.
            if seen.insert((send.place.to_string(), name)) {
                all.push(*guess);
            }
        }
    }
    all
}

/// Examples in the document that break its own schema, or a constraint, at `now`.
pub fn examples(contract: &Contract, fixtures: &Fixtures, now: DateTime<Utc>) -> Vec<Diagnostic> {
    let Some(body) = contract.operation.body() else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for example in &contract.operation.examples {
        let violations = body.schema.violations(&example.body);
        if let Some(first) = violations.iter().find(|v| example.is_whole || v.keyword != "required") {
            let at = if first.at.is_empty() { "the body" } else { &first.at };
            all.push(
                *example
                    .place
                    .error("the document's example breaks its own schema")
                    .label(format!("{at}: {}", first.message)),
            );
            continue;
        }
        let scope = fixtures
            .scope()
            .extend()
            .json("request", &json!({"body": example.body, "path": {}, "query": {}, "headers": {}, "cookies": {}}))
            .value("now", timestamp(now))
            .build();
        for requirement in &contract.requirements {
            if let Form::Constraint(valid) = &requirement.form
                && valid.truth(&scope) == Ok(false)
            {
                all.push(
                    *example
                        .place
                        .error(format!("the document's example breaks {}", requirement.id))
                        .label("this example")
                        .help(format!("{} Give an example that will keep it for long", requirement.text)),
                );
            }
        }
    }
    all
}

/// Runs every expression on a well-formed exchange: what errs there is the case's own defect.
///
/// # Errors
/// The first expression that cannot work.
pub fn expressions(contract: &Contract, fixtures: &Fixtures, plan: &Plan, now: DateTime<Utc>) -> Result<()> {
    evaluated(contract, fixtures, plan, now).map_err(|error| contract.operation.blame(error))
}

fn evaluated(contract: &Contract, fixtures: &Fixtures, plan: &Plan, now: DateTime<Utc>) -> Result<()> {
    let judge = Judge { contract, fixtures };
    let all: Vec<Seen> = exchanges(judge, plan, now)
        .into_iter()
        .map(|exchange| judge.see(exchange, Control::Accepted, None, true))
        .collect();
    let Some(seen) = all.first() else {
        return Ok(());
    };
    let called: Vec<Option<Scope>> =
        (0..contract.called.len()).map(|place| answered(judge, plan, place, now)).collect();
    let of = |call: Option<usize>| match call {
        None => Some(&seen.scope),
        Some(place) => called.get(place).and_then(Option::as_ref),
    };
    for define in contract.defines.names().filter_map(|name| contract.defines.get(name)) {
        evaluates(define, define.json(&seen.scope).err())?;
    }
    // What speaks of refusals is tried on a documented one, if there is one.
    let spoken_of = |when: Option<&Expression>| {
        when.and_then(|when| all.iter().find(|s| when.truth(&s.scope) == Ok(true))).unwrap_or(seen)
    };
    for open in &contract.open {
        truth(&open.when, &seen.request_scope)?;
    }
    for requirement in &contract.requirements {
        match &requirement.form {
            Form::Constraint(valid) => truth(valid, &seen.request_scope)?,
            Form::Rule(rule) => {
                if let Some(filter) = &rule.filter {
                    truth(filter, &seen.request_scope)?;
                }
                let seen = spoken_of(rule.when.as_ref());
                for expression in rule.when.iter().chain(&rule.expect) {
                    truth(expression, &seen.scope)?;
                }
                if let Some(unique) = &rule.unique {
                    evaluates(unique, unique.json(&seen.scope).err())?;
                }
            }
            Form::Scenario(scenario) => {
                let scope = between(judge, &scenario.steps, scenario.rows.as_deref(), of, now);
                for expression in scenario.given.iter().chain([&scenario.expect]) {
                    truth(expression, &scope)?;
                }
            }
            Form::Probe(probe) if !probe.steps.is_empty() => {
                let scope = between(judge, &probe.steps, probe.rows.as_deref(), of, now);
                if let Some(given) = &probe.given {
                    truth(given, &scope)?;
                }
                evaluates(&probe.observe, probe.observe.json(&scope).err())?;
            }
            Form::Probe(probe) => {
                if let Some(filter) = &probe.filter {
                    truth(filter, &seen.request_scope)?;
                }
                let seen = spoken_of(probe.when.as_ref());
                if let Some(when) = &probe.when {
                    truth(when, &seen.scope)?;
                }
                evaluates(&probe.observe, probe.observe.json(&seen.scope).err())?;
            }
            Form::Schema(_) | Form::Parameter(..) | Form::Always(_) | Form::Called(..) | Form::Law(_) => {}
        }
    }
    Ok(())
}

fn truth(expression: &Expression, scope: &Scope) -> Result<()> {
    evaluates(expression, expression.truth(scope).err())
}

fn evaluates(expression: &Expression, trouble: Option<Trouble>) -> Result<()> {
    match trouble {
        Some(Trouble::Error(message)) => Err(expression
            .place()
            .error("this expression cannot be evaluated on a valid exchange")
            .label(message)
            .help("it was tried on a full valid request and a response with every field")),
        _ => Ok(()),
    }
}

/// A called operation's smallest request, answered as the document says, with every field.
fn answered(judge: Judge<'_>, plan: &Plan, place: usize, now: DateTime<Utc>) -> Option<Scope> {
    let draft = plan.called[place].as_ref().ok()?;
    let operation = &judge.contract.called[place].operation;
    let documented = operation.responses.iter().find(|r| r.is_success())?;
    let mut request = rendered(judge, now, |r| r.request(draft, operation)).ok()?;
    // A step may set any of them.
    add_fields(&mut request, operation);
    Some(judge.see(response(request, documented, now), Control::Accepted, None, true).scope)
}

/// The names between steps, were every step to bring the well-formed exchange of the operation that it calls.
fn between<'a>(
    judge: Judge<'_>,
    steps: &[Step],
    each: Option<&Rows>,
    of: impl Fn(Option<usize>) -> Option<&'a Scope>,
    now: DateTime<Utc>,
) -> Scope {
    let mut scope = judge.fixtures.bare_scope().extend().value("now", timestamp(now));
    for step in steps {
        let sends = step.sends.iter().flat_map(|send| std::iter::repeat_n(of(send.call), send.copies));
        scope = match sends.collect::<Option<Vec<&Scope>>>() {
            None => scope.unknown(&step.name, "no example of its answer can be made from the document"),
            Some(all) if step.many => scope.scopes(&step.name, &all.into_iter().cloned().collect::<Vec<_>>()),
            Some(all) => match all.first() {
                Some(one) => scope.scope(&step.name, one),
                None => scope,
            },
        };
    }
    match each {
        None | Some(Rows::Contexts { .. }) => scope.build(),
        Some(Rows::Cel(list)) => {
            let first = list.json(judge.fixtures.bare_scope()).ok().and_then(|rows| rows.get(0).cloned());
            match first {
                Some(row) => scope.json("it", &row),
                None => scope.unknown("it", "there is no row"),
            }
            .build()
        }
        Some(Rows::List(rows)) => {
            let row = rows.first().map_or(Json::Null, |row| rendered(judge, now, |r| r.row_json(&row.value)));
            scope.json("it", &row).build()
        }
    }
}

/// A full valid request, answered as the document says, with every field: first with success, then
/// with each documented refusal.
fn exchanges(judge: Judge<'_>, plan: &Plan, now: DateTime<Utc>) -> Vec<Exchange> {
    let responses = &judge.contract.operation.responses;
    let success = responses.iter().find(|r| r.is_success());
    let refusals = responses.iter().filter(|r| r.status.starts_with('4'));
    // Without a success there is nothing to try most expressions on.
    let documented = success.into_iter().chain(refusals.filter(|_| success.is_some()));
    documented.filter_map(|documented| exchange(judge, plan, documented, now)).collect()
}

fn exchange(judge: Judge<'_>, plan: &Plan, documented: &Documented, now: DateTime<Utc>) -> Option<Exchange> {
    let operation = &judge.contract.operation;
    let draft = &plan.entries[FULL].draft;
    let mut request: Request = rendered(judge, now, |r| r.request(draft, operation)).ok()?;
    request.json()?;
    // What the target provides no values for is left out of requests; here every field is wanted.
    add_fields(&mut request, operation);
    documented.content.first()?;
    Some(response(request, documented, now))
}

/// Adds the documented fields of the body that it does not have.
fn add_fields(request: &mut Request, operation: &Operation) {
    if let Some(mut body) = request.json()
        && let (Some(fields), Some(documented)) = (body.as_object_mut(), operation.body())
        && let Json::Object(all) = whole(documented.schema.json())
    {
        for (name, value) in all {
            fields.entry(name).or_insert(value);
        }
        request.body = Some(bytes::Bytes::from(body.to_string()));
    }
}

/// A request with the answer that the document describes, with every field.
fn response(request: Request, documented: &Documented, now: DateTime<Utc>) -> Exchange {
    let media = documented.content.first();
    let body = media.map(|media| media.schema.as_ref().map_or(Json::Null, |s| whole(s.json())));
    let of_document = documented.headers.iter().map(|header| {
        let value = header.schema.as_ref().map_or(json!("a"), |schema| whole(schema.json()));
        (header.name.to_lowercase(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    });
    let headers = of_document.chain([("www-authenticate".to_owned(), "Bearer".to_owned())]);
    let content_type = media.map(|media| ("content-type".to_owned(), media.name.clone()));
    Exchange {
        number: 0,
        trial: "lint".to_owned(),
        request,
        attempts: vec![Attempt::only(
            now,
            Duration::from_millis(1),
            Interval::exact(now),
            Outcome::Response(Response::new(
                documented.status.to_uppercase().replace("XX", "00").parse().unwrap_or(200),
                content_type.into_iter().chain(headers).collect(),
                body.map(|body| bytes::Bytes::from(body.to_string())).unwrap_or_default(),
            )),
        )],
        ended: None,
        fresh: true,
        unconfirmed: false,
    }
}

/// A value of a schema with every property there, and none of them null.
fn whole(schema: &Json) -> Json {
    if let Some(first) = schema["enum"].as_array().and_then(|e| e.iter().find(|v| !v.is_null())) {
        return first.clone();
    }
    // All parts of a combination that must hold, or the first of those of which one must.
    if let Some(parts) = schema["allOf"].as_array() {
        let own = schema.get("properties").map(|_| json!({"properties": schema["properties"]}));
        let mut all = serde_json::Map::new();
        for part in parts.iter().chain(&own) {
            match whole(part) {
                Json::Object(map) => all.extend(map),
                other => return other,
            }
        }
        return all.into();
    }
    if let Some(first) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()).and_then(|parts| parts.first()) {
        return whole(first);
    }
    match type_of(schema) {
        "object" => {
            // What is required and not described may be anything.
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str);
            let mut all: serde_json::Map<String, Json> = required.map(|name| (name.to_owned(), json!("a"))).collect();
            let described = schema["properties"].as_object().into_iter().flatten();
            all.extend(described.map(|(name, below)| (name.clone(), whole(below))));
            all.into()
        }
        "array" => json!([whole(&schema["items"])]),
        "string" if schema["format"] == "date-time" => json!("2098-01-01T00:00:00Z"),
        "string" if schema["format"] == "date" => json!("2098-01-01"),
        "integer" | "number" => json!(crate::generate::values::number::integer_bounds(schema).0.unwrap_or(100)),
        "boolean" => json!(true),
        "string" => match schema["examples"].as_array().and_then(|all| all.iter().find(|v| v.is_string())) {
            Some(example) => example.clone(),
            None => Some(sample(&simplest(schema))).filter(Json::is_string).unwrap_or_else(|| json!("a")),
        },
        _ => json!({}),
    }
}

/// Makes something of templates, as at an instant.
fn rendered<T>(judge: Judge<'_>, now: DateTime<Utc>, make: impl FnOnce(&mut Rendering<'_>) -> T) -> T {
    let scope = judge.fixtures.bare_scope().extend().value("now", timestamp(now)).build();
    make(&mut Rendering {
        now,
        run_tag: &RunTag::fixed("00000000"),
        seed: Seed(0),
        trial: "lint",
        count: 0,
        issued: &Issued::default(),
        scope: &scope,
        row: None,
        runner: &mut Seed(0).runner("lint", 0),
    })
}
