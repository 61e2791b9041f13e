//! The values that an operation is given, and whether it may be called at all.

use serde_json::Value as Json;

use super::Whole;
use super::names::fresh;
use super::order::{Phase, ends, makes};
use super::records::{Records, Taken, repeated, tag_of};
use crate::contract::cases::Vocabulary;
use crate::contract::{Contract, Target, ValueList, nowhere};
use crate::document::media::essence;
use crate::document::operation::Operation;
use crate::document::parameter::{Parameter, ParameterLocation, plain};
use crate::expression::Expression;
use crate::generate::parameter::is_known;
use crate::settings::is_loopback;
use crate::yaml::escape;

/// Media types of answers that go on as long as somebody listens.
const STREAMS: [&str; 4] =
    ["text/event-stream", "application/x-ndjson", "application/stream+json", "multipart/x-mixed-replace"];

/// Which of the values that are known for an operation are given to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// The first that were met.
    First,
    /// The last: the first may be in a state in which nothing more is done with them.
    Newest,
    /// The first, and for the rest what the document shows.
    Shown,
}

impl Whole {
    /// Why an operation is not called, whatever the run creates.
    pub(super) fn withheld(&self, operation: &Operation, phase: Phase) -> Option<String> {
        let is_named =
            |name: &String| *name == operation.id || *name == format!("{} {}", operation.method, operation.path);
        let has_path_parameters = operation.parameters_in(ParameterLocation::Path).next().is_some();
        if phase != Phase::Read && !self.rules.allow_unsafe && !is_loopback(&self.settings.url) {
            return Some(
                "it changes data, so that it is called on another machine only with --allow-unsafe".to_owned(),
            );
        }
        if ends(operation) && !has_path_parameters && !self.rules.named.iter().any(is_named) {
            return Some(format!(
                "its name says that it ends or resets something; it is called if it is named: add --operation '*' \
                 --operation '{}'",
                operation.id
            ));
        }
        let mut successes = operation.responses.iter().filter(|r| r.is_success()).flat_map(|r| &r.content).peekable();
        if successes.peek().is_some() && successes.all(|media| STREAMS.contains(&essence(&media.name).as_str())) {
            return Some("its answers are streams, which do not end".to_owned());
        }
        let replaces = ["PUT", "PATCH", "DELETE"].contains(&operation.method.as_str());
        if replaces && !has_path_parameters && !self.rules.named.iter().any(is_named) {
            return Some(format!(
                "its path names no record, so it may change what there is only one of; it is called if it is named: add \
                 --operation '*' --operation '{}'",
                operation.id
            ));
        }
        None
    }

    /// Gives an operation the values that are known for it, and if that is asked for those that the document shows; if it
    /// must not be called, why.
    pub(super) fn provide(
        &self,
        contract: &mut Contract,
        phase: Phase,
        records: &Records,
        by: Given,
    ) -> std::result::Result<(), String> {
        let operation = &contract.operation;
        if let Some(reason) = self.withheld(operation, phase) {
            return Err(reason);
        }
        let ours = phase != Phase::Read;
        let mut taken = records.values(operation, ours, phase == Phase::Destroy || by == Given::Newest);
        if let Some(tag) = tag_of(operation)
            && by != Given::Newest
        {
            // Whatever the version is: each change makes another.
            taken.retain(|t| t.location != Some(ParameterLocation::Header) || t.name != tag);
            let any = Taken { location: Some(ParameterLocation::Header), name: tag.to_owned(), value: "*".into() };
            let takes_any = |p: &Parameter| p.name == tag && p.schema.is_valid(&any.value);
            if operation.parameters_in(ParameterLocation::Header).any(takes_any) {
                taken.push(any);
            }
        }
        self.take_fixtures(operation, ours, &mut taken);
        if phase == Phase::Create && makes(operation) {
            // What its path names is there only once this has created it.
            let is_given =
                |name: &str| taken.iter().any(|t| t.location == Some(ParameterLocation::Path) && t.name == name);
            let parameters = operation.parameters_in(ParameterLocation::Path).filter(|p| !is_given(&p.name));
            let tag = self.options.run_tag.as_ref().map_or("", |tag| tag.text());
            let made = |p: &Parameter| {
                let value = fresh(p, tag, 0)?;
                Some(Taken { location: Some(ParameterLocation::Path), name: p.name.clone(), value })
            };
            let made: Vec<Taken> = parameters.filter_map(made).collect();
            taken.extend(made);
        }
        let repeated = repeated(operation, &taken);
        taken.retain(|one| !repeated.iter().any(|own| (own.location, &own.name) == (one.location, &one.name)));
        taken.extend(repeated);
        let is_taken = |name: &str| taken.iter().any(|t| t.location == Some(ParameterLocation::Path) && t.name == name);
        let unknown: Vec<String> = operation
            .parameters_in(ParameterLocation::Path)
            .filter(|p| !is_taken(&p.name) && (ours || !is_known(p)))
            .map(|p| format!("`{}`", p.name))
            .collect();
        if ours && !unknown.is_empty() {
            return Err(format!(
                "it changes a record, and this run created none for {} in its path: let another operation create one, or \
                 give a value that may be used up: --fixture '{}.NAME=VALUE'",
                unknown.join(" and "),
                operation.id
            ));
        }
        if by == Given::Shown {
            let is_given = |one: &Taken| taken.iter().any(|t| (t.location, &t.name) == (one.location, &one.name));
            let more: Vec<Taken> = shown(operation).into_iter().filter(|one| !is_given(one)).collect();
            taken.extend(more);
        }
        let lists: Vec<ValueList> = taken.iter().filter_map(list).collect();
        contract.values = lists;
        Ok(())
    }

    /// Whether an operation can be given other values than it was given first.
    pub(super) fn has_others(&self, operation: &Operation, records: &Records, by: Given) -> bool {
        let phase = Phase::of(operation, &self.paths);
        let values = |newest| records.values(operation, phase != Phase::Read, newest);
        match by {
            Given::First => false,
            Given::Newest => phase != Phase::Destroy && values(true) != values(false),
            Given::Shown => !shown(operation).is_empty(),
        }
    }

    /// The fixture for a path parameter: one that is given to this very operation; for one that only reads, also one that
    /// is called as the parameter.
    pub(super) fn fixture(&self, operation: &Operation, parameter: &str, ours: bool) -> Option<&Json> {
        let named = |fixtures: &'_ Json| -> Option<String> {
            let all = fixtures.as_object().into_iter().flatten();
            let wanted = plain(parameter);
            all.into_iter().map(|(name, _)| name).find(|name| plain(name) == wanted).cloned()
        };
        let given = self.settings.fixtures.get(&operation.id).filter(|given| given.is_object());
        let own = given.and_then(|given| given.get(named(given)?));
        let shared = || self.settings.fixtures.get(named(&self.settings.fixtures)?).filter(|value| !value.is_object());
        own.or_else(|| if ours { None } else { shared() })
    }

    fn take_fixtures(&self, operation: &Operation, ours: bool, taken: &mut Vec<Taken>) {
        for parameter in operation.parameters_in(ParameterLocation::Path) {
            let Some(value) = self.fixture(operation, &parameter.name, ours) else { continue };
            taken.retain(|t| t.name != parameter.name);
            taken.push(Taken {
                location: Some(ParameterLocation::Path),
                name: parameter.name.clone(),
                value: value.clone(),
            });
        }
    }
}

/// What the document shows of an operation's body and parameters, as far as it is valid.
pub(super) fn shown(operation: &Operation) -> Vec<Taken> {
    let mut all = Vec::new();
    let bodies = || operation.examples.iter().filter_map(|example| example.body.as_object());
    let properties = operation.body().and_then(|body| body.schema.json()["properties"].as_object());
    for (name, schema) in properties.into_iter().flatten() {
        let own = schema["examples"].get(0).or_else(|| schema.get("default"));
        let value = bodies().find_map(|body| body.get(name)).or(own);
        all.extend(value.map(|value| Taken {
            location: None,
            name: format!("/{}", escape(name)),
            value: value.clone(),
        }));
    }
    for parameter in &operation.parameters {
        let own = parameter.schema.json()["examples"].get(0);
        let value = parameter.examples.first().or(parameter.default.as_ref()).or(own);
        let value = value.filter(|value| parameter.schema.is_valid(value));
        all.extend(value.map(|value| Taken {
            location: Some(parameter.location),
            name: parameter.name.clone(),
            value: value.clone(),
        }));
    }
    all
}

/// A value as a list of one that valid requests draw from.
fn list(taken: &Taken) -> Option<ValueList> {
    let text = format!("[{}]", taken.value);
    let list = Expression::compile(&text, &nowhere(&text), &Vocabulary::new(std::iter::empty()).request).ok()?;
    let target = match taken.location {
        Some(location) => Target::Parameter(location, taken.name.clone()),
        None => Target::Body(taken.name.clone()),
    };
    Some(ValueList { target, list })
}
