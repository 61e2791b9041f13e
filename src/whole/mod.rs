//! A check of the operations of a document: one after another, with values from what the earlier ones answered, in one
//! report.
//!
//! - [`order`]: creating operations first, destroying ones last
//! - `clean_up`: what was created is removed by the deletions of the document
//! - `laws`: what holds between the operations on the same records
//! - `outline`: what will be tried, before anything is sent
//! - [`resources`]: which operations are on the same records
//! - [`records`]: values that an operation takes from the answers of others

mod clean_up;
mod laws;
pub mod order;
mod outline;
pub mod records;
pub mod resources;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::contract::requirement::{Form, Law, Requirement};
use crate::contract::{Contract, Target, ValueList, cases::Vocabulary, nowhere};
use crate::document::operation::Operation;
use crate::document::parameter::ParameterLocation;
use crate::exchange::Exchange;
use crate::expression::Expression;
use crate::generate::parameter::is_known;
use crate::generate::seed::{RunTag, Seed};
use crate::http::client::Client;
use crate::http::clock::Clock;
use crate::judge::tally::Verdict;
use crate::plan::Selection;
use crate::report::build::joined::{Part, joined};
use crate::report::log::exchanges::ExchangeLog;
use crate::report::model::Cause;
use crate::report::{self, CREATED, EXCHANGES, Recorder, Report, WriteError};
use crate::run::Outcome;
use crate::run::event::{Event, Fanout, Sink};
use crate::session::{self, Before, Options, Session, facts};
use crate::settings::{Budget, Settings, is_loopback};
use crate::source::{Diagnostic, Result};
use laws::Laws;
use order::{Phase, in_order};
pub use outline::Outline;
use records::{Records, Taken};
use resources::{Resource, needs, resources};

/// How operations are chosen and treated.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Operations that were named one by one, by their ids or as `METHOD /path`.
    pub named: Vec<String>,
    /// Whether operations that change data may be called on another machine.
    pub allow_unsafe: bool,
}

/// A check of several operations that is ready to begin: nothing has been sent.
#[derive(Debug)]
pub struct Whole {
    /// In the order in which they are tried.
    contracts: Vec<Contract>,
    /// The paths of all of them.
    paths: Vec<String>,
    settings: Settings,
    options: Options,
    rules: Rules,
    clock: Clock,
    client: Client,
    unwritten: Mutex<Vec<WriteError>>,
    /// The operations that were called, and what they created.
    called: Vec<Session>,
    records: Records,
}

impl Whole {
    /// Checks everything that can be checked before something is sent.
    ///
    /// # Errors
    /// A target that is production for one of the operations; a selection that leaves no requirement.
    pub fn new(
        mut contracts: Vec<Contract>,
        settings: Settings,
        mut options: Options,
        rules: Rules,
        clock: Clock,
    ) -> Result<Self> {
        for contract in &contracts {
            settings.check_production(&contract.operation.servers)?;
        }
        let ids: Vec<&str> = contracts.iter().flat_map(|c| &c.requirements).map(|r| r.id.as_str()).collect();
        let selection = Selection::new(options.only.clone(), options.skip.clone());
        if !selection.choose(&ids)?.contains(&true) {
            return Err(Diagnostic::new("no requirement is left to try").help("--only and --skip together leave none"));
        }
        in_order(&mut contracts);
        options.seed.get_or_insert_with(|| Seed::random().0);
        options.run_tag.get_or_insert_with(RunTag::random);
        let client = Client::new(settings.clone(), None, clock.clone())?;
        let paths = contracts.iter().map(|c| c.operation.path.clone()).collect();
        Ok(Self {
            contracts,
            paths,
            settings,
            options,
            rules,
            clock,
            client,
            unwritten: Mutex::default(),
            called: Vec::new(),
            records: Records::default(),
        })
    }

    /// Cancelled when nothing more is to be sent.
    pub fn stop(&self) -> &CancellationToken {
        self.client.stop()
    }

    /// Turns exchanges into what reports show of them.
    pub fn recorder(&self) -> Recorder {
        Recorder::new(&self.settings, None)
    }

    /// What could not be written during the run.
    pub fn unwritten(&self) -> Vec<WriteError> {
        std::mem::take(&mut self.unwritten.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Carries the check out; see [`Session::run`].
    ///
    /// # Errors
    /// The exchanges cannot be written.
    pub async fn run(&mut self, out: Option<&Path>, sink: &mut dyn Sink) -> std::result::Result<Report, WriteError> {
        if let Some(dir) = out {
            report::create_dir(dir)?;
            let path = dir.join(EXCHANGES);
            let begun = ExchangeLog::create(&path, self.recorder()).and_then(ExchangeLog::finish);
            begun.map_err(|source| WriteError { path, source })?;
        }
        let mut records = Records::default();
        let mut parts: Vec<Part> = Vec::new();
        let mut sessions: Vec<Option<Session>> = Vec::new();
        let (mut sent, mut created, mut over): (u64, u64, Option<String>) = (0, 0, None);
        let contracts = std::mem::take(&mut self.contracts);
        let asked = Asked::new(&contracts, |contract| self.selected(contract));
        let mut left = contracts.len() as u64;
        for (at, contract) in contracts.into_iter().enumerate() {
            let most = &self.settings.budget;
            let budget = Budget {
                max_requests: most.max_requests.map(|most| most.saturating_sub(sent) / left.max(1)),
                max_created: most.max_created.map(|most| most.saturating_sub(created)),
                ..*most
            };
            left -= 1;
            let (part, session) = match &over {
                Some(reason) => (self.not_sent(&contract, reason, Verdict::Untested), None),
                None => match self.session(contract, &records, sent, budget, asked.needed[at]) {
                    Ok(session) => {
                        let part = self.part(&session, &asked.selected[at], &mut records, out, sink).await?;
                        (part, Some(session))
                    }
                    Err((contract, reason)) => (self.not_sent(&contract, &reason, Verdict::Skipped), None),
                },
            };
            let figures = &part.report.figures;
            (sent, created) = (sent + figures.requests, created + figures.created + figures.uncertain);
            over = over.or_else(|| ends_all(&part.report));
            parts.push(part);
            sessions.push(session);
        }
        if over.is_none() {
            let made = self.laws(&mut parts, &sessions, &asked, sent, out, sink).await?;
            records.add_made(made);
        }
        self.called = sessions.into_iter().flatten().collect();
        self.records = records;
        Ok(joined(parts, self.options.only.clone(), self.options.skip.clone()))
    }

    /// Tries the laws between operations, and puts what they show into the parts.
    async fn laws(
        &self,
        parts: &mut [Part],
        sessions: &[Option<Session>],
        asked: &Asked,
        sent: u64,
        out: Option<&Path>,
        sink: &mut dyn Sink,
    ) -> std::result::Result<Records, WriteError> {
        let mut log = match out {
            Some(dir) => {
                let path = dir.join(EXCHANGES);
                let log = ExchangeLog::append(&path, self.recorder());
                Some((log.map_err(|source| WriteError { path: path.clone(), source })?, path))
            }
            None => None,
        };
        let first = sessions.iter().flatten().next();
        let mut ledger = first.zip(out).map(|(session, dir)| session.created_log(dir)).transpose()?;
        let most = self.settings.budget.max_requests.map_or(session::MAX_REQUESTS, |most| most.saturating_sub(sent));
        let mut sinks: Vec<Box<dyn Sink + '_>> = vec![Box::new(Passing(sink))];
        sinks.extend(log.as_mut().map(|(log, _)| Box::new(log) as Box<dyn Sink + '_>));
        sinks.extend(ledger.as_mut().map(|log| Box::new(Passing(log)) as Box<dyn Sink + '_>));
        let mut fanout = Fanout(sinks);
        let created: u64 = parts.iter().map(|p| p.report.figures.created + p.report.figures.uncertain).sum();
        let mut laws = Laws {
            sessions,
            number: sent,
            left: most,
            created: (0, 0),
            accepted: 0,
            left_to_create: self.settings.budget.max_created.map(|most| most.saturating_sub(created)),
            made: Records::default(),
            subject: String::new(),
            sink: &mut fanout,
        };
        for (at, part) in parts.iter_mut().enumerate() {
            let Some(session) = &sessions[at] else { continue };
            let contract = session.contract();
            let mut selected = vec![false; contract.requirements.len()];
            let mut outcome = Outcome::of_nothing(contract, &selected, "", Verdict::Skipped, self.clock.local());
            for (requirement, law) in &asked.laws[at] {
                // Which law is which does not depend on where it stands.
                selected[*requirement] = true;
                outcome.tallies[*requirement] = laws.law(*law, at, *requirement, &asked.resources).await;
            }
            let report = Report::build(contract, &selected, &outcome, session.facts(), session.recorder());
            for shown in report.requirements.into_iter().filter(|r| r.selected) {
                part.report.requirements.iter_mut().filter(|r| r.id == shown.id).for_each(|r| *r = shown.clone());
            }
        }
        let (more, created, accepted, made) = (laws.number - sent, laws.created, laws.accepted, laws.made);
        drop(fanout);
        if let Some(last) = parts.iter_mut().rfind(|part| part.not_reached.is_none()) {
            let figures = &mut last.report.figures;
            figures.requests += more;
            figures.accepted += accepted;
            figures.created += created.0;
            figures.uncertain += created.1;
        }
        if let Some((log, path)) = log {
            log.finish().map_err(|source| WriteError { path, source })?;
        }
        if let (Some(log), Some(dir)) = (ledger, out) {
            log.finish().map_err(|source| WriteError { path: dir.join(CREATED), source })?;
        }
        Ok(made)
    }

    /// Carries one operation out.
    async fn part(
        &self,
        session: &Session,
        selected: &[bool],
        records: &mut Records,
        out: Option<&Path>,
        sink: &mut dyn Sink,
    ) -> std::result::Result<Part, WriteError> {
        let mut learning = Learning { contract: session.contract(), records, sink };
        let mut report = session.run(out, &mut learning).await?;
        // What was tried for the sake of others is not shown.
        let ids = session.contract().requirements.iter().zip(selected).filter(|(_, selected)| !**selected);
        for (owed, _) in ids {
            for requirement in report.requirements.iter_mut().filter(|r| r.id == owed.id) {
                requirement.selected = false;
                requirement.verdict = Verdict::Untested;
            }
        }
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).extend(session.unwritten());
        Ok(Part { operation: session.contract().operation.id.clone(), report, not_reached: None })
    }

    /// An operation that is not tried.
    fn not_sent(&self, contract: &Contract, reason: &str, verdict: Verdict) -> Part {
        let selected = self.selected(contract);
        let outcome = Outcome::of_nothing(contract, &selected, reason, verdict, self.clock.local());
        let recorder = self.recorder();
        let facts = facts(&self.settings, &self.options, session::MAX_REQUESTS);
        Part {
            operation: contract.operation.id.clone(),
            report: Report::build(contract, &selected, &outcome, &facts, &recorder),
            not_reached: Some(reason.to_owned()),
        }
    }

    /// Which requirements of a contract are asked for.
    fn selected(&self, contract: &Contract) -> Vec<bool> {
        let selection = Selection::new(self.options.only.clone(), self.options.skip.clone());
        let exactly = self.options.exactly.as_ref();
        let fits = |id: &str| {
            selection.fits(id).unwrap_or(true) && exactly.is_none_or(|ids| ids.iter().any(|wanted| wanted == id))
        };
        contract.requirements.iter().map(|r| fits(&r.id)).collect()
    }

    /// Makes an operation ready; if it cannot be tried, the contract again, and why.
    fn session(
        &self,
        mut contract: Contract,
        records: &Records,
        sent: u64,
        budget: Budget,
        needed: bool,
    ) -> std::result::Result<Session, (Arc<Contract>, String)> {
        let selected = self.selected(&contract);
        let is_law = |r: &Requirement| matches!(r.form, Form::Law(_));
        let own = contract.requirements.iter().zip(&selected).filter(|(r, s)| **s && !is_law(r));
        let mut ids: Vec<String> = own.map(|(r, _)| r.id.clone()).collect();
        if ids.is_empty() && needed {
            let always = contract.requirements.iter().filter(|r| matches!(r.form, Form::Always(_)));
            ids.extend(always.take(1).map(|r| r.id.clone()));
        }
        if ids.is_empty() {
            return Err((Arc::new(contract), "not asked for in this run".to_owned()));
        }
        let phase = Phase::of(&contract.operation, &self.paths);
        if let Err(reason) = self.provide(&mut contract, phase, records) {
            return Err((Arc::new(contract), reason));
        }
        if let Err(error) = self.settings.authenticate(&mut contract) {
            return Err((Arc::new(contract), error.title().to_owned()));
        }
        let mut settings = self.settings.clone();
        settings.budget = budget;
        let options = Options { only: Vec::new(), skip: Vec::new(), exactly: Some(ids), ..self.options.clone() };
        let before = Some(Before { client: &self.client, sent });
        let once = phase == Phase::Destroy;
        let contract = Arc::new(contract);
        Session::following(Arc::clone(&contract), settings, &options, self.clock.clone(), before, once)
            .map_err(|error| (contract, error.title().to_owned()))
    }

    /// Why an operation is not called, whatever the run creates.
    fn withheld(&self, operation: &Operation, phase: Phase) -> Option<String> {
        let is_named =
            |name: &String| *name == operation.id || *name == format!("{} {}", operation.method, operation.path);
        let has_path_parameters = operation.parameters_in(ParameterLocation::Path).next().is_some();
        if phase != Phase::Read && !self.rules.allow_unsafe && !is_loopback(&self.settings.url) {
            return Some(
                "it changes data, so that it is called on another machine only with --allow-unsafe".to_owned(),
            );
        }
        let replaces = ["PUT", "PATCH", "DELETE"].contains(&operation.method.as_str());
        if replaces && !has_path_parameters && !self.rules.named.iter().any(is_named) {
            return Some(format!(
                "it changes what there is only one of, so it must be named: --operation '{}'",
                operation.id
            ));
        }
        None
    }

    /// Gives an operation the values that are known for it; if it must not be called, why.
    fn provide(&self, contract: &mut Contract, phase: Phase, records: &Records) -> std::result::Result<(), String> {
        let operation = &contract.operation;
        if let Some(reason) = self.withheld(operation, phase) {
            return Err(reason);
        }
        let ours = phase != Phase::Read;
        let mut taken = records.values(operation, ours, phase == Phase::Destroy);
        if !ours {
            self.take_fixtures(operation, &mut taken);
        }
        let is_taken = |name: &str| taken.iter().any(|t| t.location.is_some() && t.name == name);
        let unknown: Vec<String> = operation
            .parameters_in(ParameterLocation::Path)
            .filter(|p| !is_taken(&p.name) && (ours || !is_known(p)))
            .map(|p| format!("`{}`", p.name))
            .collect();
        if ours && !unknown.is_empty() {
            return Err(format!(
                "it changes a record, and this run created none that its path's {} could name",
                unknown.join(" and ")
            ));
        }
        let lists: Vec<ValueList> = taken.iter().filter_map(list).collect();
        contract.values = lists;
        Ok(())
    }

    /// Fixtures that are called as a path parameter.
    fn take_fixtures(&self, operation: &Operation, taken: &mut Vec<Taken>) {
        for parameter in operation.parameters_in(ParameterLocation::Path) {
            let wanted = order::plain(&parameter.name);
            let fixtures = self.settings.fixtures.as_object().into_iter().flatten();
            let Some((_, value)) = fixtures.into_iter().find(|(name, _)| order::plain(name) == wanted) else {
                continue;
            };
            taken.retain(|t| t.name != parameter.name);
            taken.push(Taken {
                location: Some(ParameterLocation::Path),
                name: parameter.name.clone(),
                value: value.clone(),
                from: "fixtures".to_owned(),
            });
        }
    }
}

/// A value as a list of one that valid requests draw from.
fn list(taken: &Taken) -> Option<ValueList> {
    let text = format!("[{}]", taken.value);
    let list = Expression::compile(&text, &nowhere(&text), &Vocabulary::new(std::iter::empty()).request).ok()?;
    let target = match taken.location {
        Some(location) => Target::Parameter(location, taken.name.clone()),
        None => Target::Body(format!("/{}", crate::yaml::escape(&taken.name))),
    };
    Some(ValueList { target, list })
}

/// Why nothing more can be sent after a part, if so.
fn ends_all(part: &Report) -> Option<String> {
    let cause = part.end.cause?;
    let all = [
        Cause::Unreachable,
        Cause::Interrupted,
        Cause::Throttled,
        Cause::MaxDuration,
        Cause::MaxFailures,
        Cause::Token,
    ];
    all.contains(&cause).then(|| part.end.reason.clone().unwrap_or_default())
}

/// What of a check is asked for, by the places of the operations.
struct Asked {
    resources: Vec<Resource>,
    /// Which requirements.
    selected: Vec<Vec<bool>>,
    /// The laws among them.
    laws: Vec<Vec<(usize, Law)>>,
    /// Whether an operation is called, be it for the sake of others.
    needed: Vec<bool>,
}

impl Asked {
    fn new(contracts: &[Contract], selected: impl Fn(&Contract) -> Vec<bool>) -> Self {
        let selected: Vec<Vec<bool>> = contracts.iter().map(selected).collect();
        let resources = resources(contracts);
        let of = |(contract, selected): (&Contract, &Vec<bool>)| laws::of_contract(&contract.requirements, selected);
        let laws: Vec<Vec<(usize, Law)>> = contracts.iter().zip(&selected).map(of).collect();
        let has_laws = |at: usize| !laws[at].is_empty();
        let mut called: Vec<usize> = (0..contracts.len()).filter(|at| selected[*at].contains(&true)).collect();
        for resource in &resources {
            let all = || resource.updates.iter().copied().chain([resource.read]).chain(resource.delete);
            if all().any(has_laws) {
                called.extend(resource.create.into_iter().chain([resource.read]));
            }
        }
        for list in
            (0..contracts.len()).filter(|at| laws[*at].iter().any(|(_, l)| matches!(l, Law::Limit(_) | Law::Filter(_))))
        {
            let path = &contracts[list].operation.path;
            called.extend(contracts.iter().position(|c| c.operation.method == "POST" && c.operation.path == *path));
        }
        let above: Vec<usize> = called.iter().flat_map(|at| needs(contracts, *at)).collect();
        called.extend(above);
        // What is created is removed again.
        let is_created = |r: &&Resource| r.create.is_some_and(|create| called.contains(&create));
        let deletes: Vec<usize> = resources.iter().filter(is_created).filter_map(|r| r.delete).collect();
        called.extend(deletes);
        let mut needed: Vec<bool> = (0..contracts.len()).map(|at| has_laws(at) || called.contains(&at)).collect();
        for at in called {
            needs(contracts, at).into_iter().for_each(|other| needed[other] = true);
        }
        Self { resources, selected, laws, needed }
    }
}

/// Passes events on to a sink that belongs to someone else.
struct Passing<'a, S: ?Sized>(&'a mut S);

impl<S: Sink + ?Sized> Sink for Passing<'_, S> {
    fn event(&mut self, event: Event<'_>) {
        self.0.event(event);
    }
}

/// Learns from what is answered.
struct Learning<'a> {
    contract: &'a Contract,
    records: &'a mut Records,
    sink: &'a mut dyn Sink,
}

impl Sink for Learning<'_> {
    fn event(&mut self, event: Event<'_>) {
        if let Event::Exchange(exchange, _) = &event {
            self.note(exchange);
        }
        self.sink.event(event);
    }
}

impl Learning<'_> {
    fn note(&mut self, exchange: &Exchange) {
        self.records.note(self.contract, exchange);
    }
}
