//! Recorded requests of a report as what is sent again.
//!
//! Of what failed it is the most telling counterexample that is sent again: the smallest request, or the whole trial where it
//! shows what holds between its steps. Of anything else, and where that is asked for, it is everything that the
//! requirement was judged on.

pub mod outcome;
pub mod renewal;
mod request;
pub mod run;
mod taken;
pub mod terminal;

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::Value as Json;

use crate::contract::Contract;
use crate::contract::requirement::{Form, Requirement as Owed, Rows};
use crate::contract::steps::{Base, Step};
use crate::contract::template::Template;
use crate::exchange::TrialName;
use crate::generate::draft::Fixtures;
use crate::judge::Judge;
use crate::judge::bind::Control;
use crate::judge::tally::{Verdict, in_two};
use crate::plan::{Entry, MINIMAL, Plan, Trial};
use crate::replay::run::{Against, Group, Piece, Recorded, Replay, Script};
use crate::report::model::record::Exchange;
use crate::report::model::{Failure, Report, Requirement};
use crate::report::text::ranges;
use crate::settings::Settings;
pub use request::NotRead;
use request::Reader;

/// A report with its exchanges.
#[derive(Debug)]
pub struct Recording {
    /// The report.
    pub report: Report,
    /// Its exchanges, by number.
    pub exchanges: BTreeMap<u64, Exchange>,
}

impl Recording {
    /// Whether the exchanges that the report shows are those of the same numbers. Some may be missing, but not all.
    pub fn is_of_one_run(&self) -> bool {
        let failures = self.report.requirements.iter().flat_map(|requirement| &requirement.failures);
        let shown: Vec<_> = failures.flat_map(|failure| &failure.exchanges).collect();
        let recorded = |number: u64| self.exchanges.get(&number);
        let same: Vec<bool> = shown.iter().filter_map(|e| Some(recorded(e.number)?.sent == e.sent)).collect();
        same.iter().all(|same| *same) && same.is_empty() == shown.is_empty()
    }
}

/// What recorded requests are read with.
#[derive(Clone, Copy, Debug)]
pub struct Today<'a> {
    /// The contract.
    pub contract: &'a Contract,
    /// What the target provides.
    pub fixtures: &'a Fixtures,
    /// The settings.
    pub settings: &'a Settings,
    /// The plan of the recorded seed, all of it.
    pub plan: &'a Plan,
}

/// What is sent for one requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its place among the script's replays.
    pub replay: usize,
    /// Which of the requirement's failures it is; None where it is everything.
    pub failure: Option<usize>,
}

/// Why nothing is sent for a requirement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// The requirement is of another contract than today's.
    #[error("the contract no longer has this requirement")]
    NoRequirement,
    /// There is no counterexample.
    #[error("the report does not show how it failed")]
    NoFailure,
    /// Nothing was recorded for it, perhaps for this reason.
    #[error("nothing was sent for it{}", .0.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    Nothing(Option<String>),
    /// The exchange of this number was not recorded.
    #[error("the recording has no exchange {0}")]
    NoExchange(u64),
    /// Not all requests of a step were recorded.
    #[error("the recording has only {found} of the {wanted} requests of step `{step}` of {trial}")]
    Incomplete {
        /// How many were.
        found: usize,
        /// How many the step has.
        wanted: usize,
        /// The step's name.
        step: String,
        /// The trial's name.
        trial: String,
    },
    /// The plan cannot try it on this target, and says why.
    #[error("{0}")]
    Obstacle(String),
    /// The row of this label, which it was tried with, is not provided.
    #[error("the fixtures have no `{0}`, which it was tried with")]
    NoRow(String),
    /// The trial of this name is not planned with what is provided.
    #[error("the fixtures have no {0}")]
    NoTrial(String),
    /// A request cannot be made again.
    #[error(transparent)]
    Request(#[from] NotRead),
}

/// What is sent again for the chosen requirements, and for each where it stands, or why it cannot be sent.
pub fn script(
    recording: &Recording,
    today: Today<'_>,
    chosen: &[&Requirement],
    whole: bool,
    times: u32,
) -> (Script, Vec<Result<Place, NotSent>>) {
    let header = &recording.report.header;
    let difference = recording.report.figures.clock.map(|c| TimeDelta::milliseconds((c.low_ms + c.high_ms) / 2));
    let script = Script {
        // What was recorded elsewhere has no mark.
        run_tags: match header.options.recorded {
            true => Vec::new(),
            false => header.run_tag.split(", ").filter(|m| !m.is_empty()).map(str::to_owned).collect(),
        },
        difference: difference.unwrap_or_default(),
        times,
        ..Script::default()
    };
    let mut writer = Writer { recording, today, reader: Reader::new(recording, today), script };
    let places = chosen.iter().map(|requirement| writer.replay(requirement, whole)).collect();
    (writer.script, places)
}

struct Writer<'a> {
    recording: &'a Recording,
    today: Today<'a>,
    reader: Reader<'a>,
    script: Script,
}

impl<'a> Writer<'a> {
    fn replay(&mut self, requirement: &Requirement, whole: bool) -> Result<Place, NotSent> {
        let all = &self.today.contract.requirements;
        let place = all.iter().position(|r| r.id == requirement.id);
        let place = place.ok_or(NotSent::NoRequirement)?;
        let owed = &all[place];
        let (pieces, failure) = if requirement.verdict == Verdict::Fail && !whole {
            // Of the most telling counterexample something may be missing here, as a token.
            let mut first = None;
            let mut failures = requirement.failures.iter().enumerate();
            let found = failures.find_map(|(i, failure)| match self.failure(owed, failure) {
                Ok(piece) => Some((vec![piece], Some(i))),
                Err(why) => {
                    first.get_or_insert(why);
                    None
                }
            });
            found.ok_or_else(|| first.unwrap_or(NotSent::NoFailure))?
        } else {
            (self.all(owed, requirement)?, None)
        };
        self.script.replays.push(Replay { requirement: place, pieces });
        Ok(Place { replay: self.script.replays.len() - 1, failure })
    }

    /// What shows a failure.
    fn failure(&mut self, owed: &Owed, failure: &Failure) -> Result<Piece, NotSent> {
        if !owed.form.steps().is_empty() {
            return self.trial(owed, &failure.trial, Some(&failure.label));
        }
        if let (Form::Called(..), Some(caller)) = (&owed.form, self.caller(&failure.trial)) {
            return self.trial(caller, TrialName::read(&failure.trial).trial, None);
        }
        let mut numbers: Vec<u64> = failure.exchanges.iter().map(|e| e.number).collect();
        if let Form::Rule(rule) = &owed.form
            && rule.unique.is_some()
        {
            // A response without such a value stands alone.
            let trials = in_two(&failure.actual).map_or(Vec::new(), |(one, other)| vec![one, other]);
            let last = |trial: &str| self.recording.exchanges.values().rfind(|e| e.trial == trial).map(|e| e.number);
            numbers.extend(trials.into_iter().filter_map(last));
        }
        self.exchanges(&failure.trial, &failure.label, numbers)
    }

    /// The requirement whose trial this is.
    fn caller(&self, trial: &str) -> Option<&'a Owed> {
        let subject = TrialName::read(trial).requirement?;
        self.today.contract.requirements.iter().find(|r| r.id == subject)
    }

    /// Everything that a requirement was judged on.
    fn all(&mut self, owed: &Owed, requirement: &Requirement) -> Result<Vec<Piece>, NotSent> {
        let pieces: Vec<Piece> = if matches!(owed.form, Form::Called(..)) {
            let evidence = ranges::read(&requirement.evidence).into_iter().flat_map(|(from, to)| from..=to);
            let evidence = evidence.filter_map(|n| self.recording.exchanges.get(&n));
            let trials: BTreeSet<&str> = evidence.map(|e| TrialName::read(&e.trial).trial).collect();
            let pieces = trials.into_iter().filter_map(|trial| Some((trial, self.caller(trial)?)));
            let pieces: Vec<_> = pieces.map(|(trial, caller)| (trial.to_owned(), caller)).collect();
            pieces.into_iter().map(|(trial, caller)| self.trial(caller, &trial, None)).collect::<Result<_, _>>()?
        } else if owed.form.steps().is_empty() {
            let evidence = ranges::read(&requirement.evidence).into_iter().flat_map(|(from, to)| from..=to);
            let evidence = evidence.filter_map(|n| self.recording.exchanges.get(&n));
            let evidence: Vec<(u64, String)> = evidence.map(|e| (e.number, e.trial.clone())).collect();
            let pieces = evidence.into_iter().map(|(number, trial)| self.exchanges(&trial, "", vec![number]));
            pieces.collect::<Result<_, _>>()?
        } else {
            let first = self.today.contract.first_with_trials_of(owed);
            let names = self.recording.exchanges.values().map(|e| TrialName::read(&e.trial));
            let own = names.filter(|name| name.requirement == Some(&first.id) && name.step.is_some());
            let planned = own.filter(|name| TrialName::planned(name.trial) == name.trial);
            let mut trials: Vec<String> = planned.map(|name| name.trial.to_owned()).collect();
            trials.sort();
            trials.dedup();
            trials.iter().map(|name| self.trial(owed, name, None)).collect::<Result<_, _>>()?
        };
        if pieces.is_empty() { Err(NotSent::Nothing(requirement.reason.clone())) } else { Ok(pieces) }
    }

    /// A trial of a requirement's own, all of it.
    fn trial(&mut self, owed: &Owed, name: &str, label: Option<&str>) -> Result<Piece, NotSent> {
        let own = self.own(owed, name, label)?;
        let steps = owed.form.steps();
        let needs_control = match &owed.form {
            Form::Scenario(s) => s.given.iter().chain([&s.expect]).any(|e| e.text().contains("refused")),
            Form::Probe(p) => p.given.iter().chain([&p.observe]).any(|e| e.text().contains("refused")),
            _ => false,
        };
        let base = own.base.filter(|_| needs_control).map(|base| self.today.plan.entries[base].clone());
        let base = base.map(|entry| self.control(entry));
        let mut groups = Vec::new();
        for (i, step) in steps.iter().enumerate() {
            let sent = self.sent(name, step);
            let bases = step.sends.iter().flat_map(|send| std::iter::repeat_n(send, send.copies));
            let wanted = step.sends.iter().map(|s| s.copies).sum::<usize>();
            if sent.len() != wanted {
                let (found, step, trial) = (sent.len(), step.name.clone(), name.to_owned());
                return Err(NotSent::Incomplete { found, wanted, step, trial });
            }
            let mut requests = Vec::new();
            for (exchange, send) in sent.into_iter().zip(bases) {
                let against = match &send.base {
                    Base::Minimal => Against::Minimal,
                    Base::Valid | Base::Varied => base.clone().unwrap_or(Against::Nothing),
                    Base::From(step) | Base::Repeat(step) => Against::Step(step.clone()),
                };
                requests.push(self.reader.read(exchange, against, Some(send))?);
            }
            groups.push(Group { step: Some(i), requests });
        }
        let label = own.row.as_ref().map_or_else(String::new, |row| row.label.clone());
        Ok(Piece { name: name.to_owned(), label, own: Some(own), groups })
    }

    /// The plan's trial of a recorded name. A table that depends on what is provided may have its rows in other places.
    fn own(&self, owed: &Owed, name: &str, label: Option<&str>) -> Result<Trial, NotSent> {
        let planned = TrialName::planned(name);
        let place = self.today.contract.requirements.iter().position(|r| r.id == owed.id);
        let trials = || self.today.plan.trials.iter().filter(|t| place.is_some_and(|place| t.serves(place)));
        let row = |trial: &Trial| trial.row.as_ref().map_or_else(String::new, |row| row.label.clone());
        let found = match label {
            Some(label) => {
                let same = |trial: &&Trial| label == row(trial);
                trials().find(|t| t.name == planned).filter(same).or_else(|| trials().find(same))
            }
            None => trials().find(|t| t.name == planned).filter(|trial| self.is_of(trial, name)),
        };
        found.cloned().ok_or_else(|| {
            let obstacle = self.today.plan.obstacles.iter().find(|(i, _)| Some(*i) == place);
            match (obstacle, label) {
                (Some((_, why)), _) => NotSent::Obstacle(why.clone()),
                (None, Some(label)) => NotSent::NoRow(label.to_owned()),
                (None, None) => NotSent::NoTrial(planned.to_owned()),
            }
        })
    }

    /// Whether recorded requests may be of a trial's row: where it names things, one of them is in what was sent.
    fn is_of(&self, trial: &Trial, name: &str) -> bool {
        let mut names = Vec::new();
        let form = self.today.contract.requirements[trial.requirement].form.rows();
        let row = trial.row.iter().filter(|_| matches!(form, Some(Rows::Cel(_))));
        row.for_each(|row| texts(&row.value, &mut names));
        let of_it = |e: &&Exchange| TrialName::read(&e.trial).trial == name;
        let mut sent = self.recording.exchanges.values().filter(of_it).map(|e| &e.request);
        let holds = |text: &str| names.iter().any(|name| text.contains(name));
        names.is_empty() || sent.any(|r| holds(&r.url) || r.body.as_deref().is_some_and(holds))
    }

    /// The exchanges of a step, in their order. What was sent anew, since a connection had broken, counts.
    fn sent(&self, trial: &str, step: &Step) -> Vec<&Exchange> {
        let mut last: BTreeMap<usize, &Exchange> = BTreeMap::new();
        for exchange in self.recording.exchanges.values() {
            let name = TrialName::read(&exchange.trial);
            if name.trial == trial && name.step == Some(&step.name) {
                last.insert(name.place, exchange);
            }
        }
        last.into_values().collect()
    }

    /// Single exchanges, with those before that they hang on.
    fn exchanges(&mut self, name: &str, label: &str, mut numbers: Vec<u64>) -> Result<Piece, NotSent> {
        let all = &self.recording.exchanges;
        for number in numbers.clone() {
            let exchange = all.get(&number).ok_or(NotSent::NoExchange(number))?;
            let is_fresh = exchange.judged.as_ref().is_none_or(|j| j.fresh);
            // Its key was another's before: what came of that decides what comes of this.
            let name = TrialName::read(&exchange.trial);
            if !is_fresh && name.step.is_some() {
                let before = all.range(..number).filter(|(_, e)| TrialName::read(&e.trial).trial == name.trial);
                numbers.extend(before.map(|(n, _)| *n));
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        let mut groups: Vec<Group> = Vec::new();
        for exchange in numbers.iter().map(|n| &all[n]) {
            let against = self.against(exchange);
            let recorded = self.reader.read(exchange, against, self.step(exchange))?;
            let at_once = |group: &Group| group.requests.iter().any(|r: &Recorded| recorded.sent < r.answered);
            match groups.last_mut().filter(|group| at_once(group)) {
                Some(group) => group.requests.push(recorded),
                None => groups.push(Group { step: None, requests: vec![recorded] }),
            }
        }
        Ok(Piece { name: name.to_owned(), label: label.to_owned(), own: None, groups })
    }

    /// What a case's step says of an exchange.
    fn step(&self, exchange: &Exchange) -> Option<&crate::contract::steps::Send> {
        let name = TrialName::read(&exchange.trial);
        let owed = self.today.contract.requirement(name.requirement?)?;
        let step = owed.form.steps().iter().find(|s| Some(s.name.as_str()) == name.step)?;
        step.sends.iter().flat_map(|send| std::iter::repeat_n(send, send.copies)).nth(name.place)
    }

    /// What a refusal of an exchange is compared with.
    fn against(&mut self, exchange: &Exchange) -> Against {
        if exchange.judged.as_ref().is_none_or(|j| j.control == Control::Missing) {
            return Against::Nothing;
        }
        let Today { plan, contract, fixtures, .. } = self.today;
        let name = TrialName::planned(&exchange.trial);
        let random = || {
            let (number, _) = TrialName::random(name).filter(|(_, is_fault)| *is_fault)?;
            plan.pair(Judge { contract, fixtures }, number).0
        };
        let planned = plan.entries.iter().find(|e| e.name == name).and_then(|e| e.control);
        match planned.map(|control| plan.entries[control].clone()).or_else(random) {
            Some(entry) => self.control(entry),
            None => Against::Minimal,
        }
    }

    /// A request of the plan that refusals are compared with.
    fn control(&mut self, entry: Entry) -> Against {
        if entry.name == self.today.plan.entries[MINIMAL].name {
            return Against::Minimal;
        }
        let controls = &mut self.script.controls;
        let known = controls.iter().position(|c| c.name == entry.name);
        Against::Entry(known.unwrap_or_else(|| {
            controls.push(entry);
            controls.len() - 1
        }))
    }
}

/// The texts in a row that an expression made: they name what was provided. Other rows are the same wherever they are tried.
fn texts<'a>(row: &'a Template, all: &mut Vec<&'a str>) {
    match row {
        Template::Literal(Json::String(text)) => all.push(text),
        Template::List(items) => items.iter().for_each(|item| texts(item, all)),
        Template::Object(entries) => entries.iter().for_each(|(_, value)| texts(value, all)),
        _ => {}
    }
}
