//! Requests that differ from a valid one in one parameter.

use serde_json::Value as Json;

use super::super::MINIMAL;
use super::draw::is_sound;
use super::single::Numbers;
use super::{Entry, Planner};
use crate::contract::part::REQUIRED;
use crate::contract::requirement::Form;
use crate::contract::template::Template;
use crate::document::parameter::{Parameter, ParameterLocation};
use crate::exchange::TrialName;
use crate::generate::draft::Draft;
use crate::generate::fault::{self, Change, simplest};
use crate::generate::parameter;
use crate::judge::classify::Class;

impl Planner<'_> {
    /// The parameters that are tried, with their places in the operation.
    fn tried(&self) -> impl Iterator<Item = (usize, &Parameter)> {
        let all = self.judge.contract.operation.parameters.iter().enumerate();
        all.filter(|(_, p)| p.location != ParameterLocation::Querystring)
    }

    fn parameter_requirement(&self, parameter: usize, part: &str) -> Option<usize> {
        let is_it = |form: &Form| matches!(form, Form::Parameter(of, p) if *of == parameter && **p == *part);
        self.chosen().find(|(_, form)| is_it(form)).map(|(i, _)| i)
    }

    pub(super) fn parameter_edges(&self, entries: &mut Vec<Entry>) {
        let mut numbers = Numbers::default();
        for (i, parameter) in self.tried() {
            for change in fault::edges(parameter.schema.json()) {
                let Some(about) = self.parameter_requirement(i, &change.about) else { continue };
                let entry = self.with(&entries[MINIMAL], parameter, &change, is_sound);
                entries.extend(entry.map(|entry| Entry {
                    name: numbers.next(&self.judge.contract.requirements[about].id, "edge"),
                    about: Some(about),
                    ..entry
                }));
            }
        }
    }

    pub(super) fn parameter_faults(&self, entries: &mut Vec<Entry>) {
        let mut numbers = Numbers::default();
        let operation = &self.judge.contract.operation;
        // A server that does not refuse a name would create what is called so, or replace what somebody else called so.
        let makes = operation.method == "PUT" && operation.responses.iter().any(|r| r.status == "201");
        let is_named =
            |p: &Parameter| makes && self.judge.contract.document_only && p.location == ParameterLocation::Path;
        for (i, parameter) in self.tried().filter(|(_, parameter)| !is_named(parameter)) {
            let missing = Change {
                about: REQUIRED.to_owned(),
                label: "left out".to_owned(),
                at: String::new(),
                value: None,
                others: Vec::new(),
                base: None,
            };
            let faults = fault::faults(parameter.schema.json());
            let mut control = None;
            // No text says null for certain: what stands for it is left to the server.
            let says_null = |change: &Change| matches!(&change.value, Some(Template::Literal(Json::Null)));
            for change in [missing].into_iter().chain(faults.into_iter().filter(|change| !says_null(change))) {
                let Some(about) = self.parameter_requirement(i, &change.about) else { continue };
                let breaks = |class: &Class| matches!(class, Class::Broken(parts) if parts.contains(&about));
                let Some(entry) = self.with(&entries[MINIMAL], parameter, &change, breaks) else { continue };
                let control = *control.get_or_insert_with(|| self.parameter_control(parameter, entries));
                entries.push(Entry {
                    name: numbers.next(&self.judge.contract.requirements[about].id, "fault"),
                    about: Some(about),
                    control: Some(control),
                    ..entry
                });
            }
        }
    }

    /// The entry that a broken value of a parameter is compared with: the smallest request with a valid value of it.
    fn parameter_control(&self, parameter: &Parameter, entries: &mut Vec<Entry>) -> usize {
        let minimal = &entries[MINIMAL];
        if parameter.required || (!parameter::is_known(parameter) && !self.judge.contract.gives(parameter)) {
            return MINIMAL;
        }
        let mut entry = minimal.clone();
        set(&mut entry.draft, parameter, Some(simplest(&parameter::drawn(parameter))));
        if !self.class(&entry.draft).is_some_and(|(_, class)| is_sound(&class)) {
            return MINIMAL;
        }
        entry.name = TrialName::of_pool(format_args!("control-{}-{}", parameter.location.name(), parameter.name));
        entry.label = "a valid request".to_owned();
        entry.wanted = false;
        entries.push(entry);
        entries.len() - 1
    }

    /// A request with a parameter changed, in the first form that makes of it what is wanted.
    fn with(
        &self,
        base: &Entry,
        parameter: &Parameter,
        change: &Change,
        wanted: impl Fn(&Class) -> bool,
    ) -> Option<Entry> {
        let schema = parameter::drawn(parameter);
        let plain = simplest(&schema);
        let values: Vec<Option<Template>> = match change.about == REQUIRED {
            true => vec![None],
            false => change.forms(&plain, &schema).map(Some).collect(),
        };
        let mut entry = base.clone();
        values.into_iter().find(|value| {
            set(&mut entry.draft, parameter, value.clone());
            self.class(&entry.draft).is_some_and(|(_, class)| wanted(&class))
        })?;
        entry.label = format!("the {} parameter `{}`: {}", parameter.location.name(), parameter.name, change.label);
        entry.control = None;
        entry.recipe = None;
        entry.wanted = true;
        Some(entry)
    }
}

/// Puts a value of a parameter into a request, or takes the parameter out.
fn set(draft: &mut Draft, parameter: &Parameter, value: Option<Template>) {
    let (list, by_case) = match parameter.location {
        ParameterLocation::Path => (&mut draft.path, true),
        ParameterLocation::Query | ParameterLocation::Querystring => (&mut draft.query, true),
        ParameterLocation::Header => (&mut draft.headers, false),
        ParameterLocation::Cookie => (&mut draft.cookies, true),
    };
    let is_it = |name: &str| name == parameter.name || (!by_case && name.eq_ignore_ascii_case(&parameter.name));
    list.retain(|(name, _)| !is_it(name));
    if let Some(value) = value {
        list.push((parameter.name.clone(), value));
    }
}
