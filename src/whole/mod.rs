//! A check of the operations of a document: one after another, with values from what the earlier ones answered, in one
//! report.
//!
//! - `names`: names that nobody has given yet
//! - `odd`: values that are easily damaged
//! - [`order`]: creating operations first, destroying ones last
//! - `asked`: what is asked for, and what is called for the sake of that
//! - `creations`: records that are created for laws
//! - `removals`: the laws of deletions
//! - `clean_up`: what was created is removed by the deletions of the document
//! - `laws`: what holds between the operations on the same records
//! - `links`: the values that one operation takes from the answer of another, as the document says
//! - `lists`: the laws of lists
//! - `logs`: the files that single requests are written to
//! - `outline`: what will be tried, before anything is sent
//! - `pages`: how a list goes on
//! - `parts`: one operation, carried out or not
//! - `provide`: the values that an operation is given, and whether it may be called
//! - [`resources`]: which operations are on the same records
//! - [`records`]: values that an operation takes from the answers of others
//! - `references`: the parts of a body that name other records
//! - `updates`: the law of updates

mod asked;
mod clean_up;
mod creations;
mod laws;
mod links;
mod lists;
mod logs;
mod names;
mod odd;
pub mod order;
mod outline;
mod pages;
mod partition;
mod parts;
mod provide;
pub mod records;
mod references;
mod removals;
pub mod resources;
mod updates;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::contract::Contract;
use crate::contract::requirement::{Form, Requirement};
use crate::generate::seed::{RunTag, Seed};
use crate::http::client::Client;
use crate::http::clock::Clock;
use crate::judge::tally::Verdict;
use crate::plan::Selection;
use crate::report::build::joined::{Access, Part, joined};
use crate::report::log::exchanges::ExchangeLog;
use crate::report::model::{Cause, End};
use crate::report::text::counted;
use crate::report::{self, EXCHANGES, Recorder, Report, WriteError};
use crate::run::Outcome;
use crate::run::event::Sink;
use crate::session::{self, Before, Options, Session, quick_budget, shares};
use crate::settings::{Budget, Settings};
use crate::source::{Diagnostic, Result};
use asked::Asked;
pub use clean_up::clean_up_later;
use laws::Laws;
use logs::Logs;
use order::{Paths, Phase, in_order};
pub use outline::Outline;
use partition::Partition;
use parts::works;
use provide::Given;
use records::Records;

/// The fewest requests that show anything of an operation: the smallest, a full one, and one at the end.
const LEAST: u64 = 3;
/// How many requests a law takes at most, where it holds.
const LAW: u64 = 6;

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
    paths: Paths,
    settings: Settings,
    options: Options,
    rules: Rules,
    /// How many requests each operation may take of a default budget, by its id.
    shares: BTreeMap<String, u64>,
    clock: Clock,
    client: Client,
    unwritten: Mutex<Vec<WriteError>>,
    /// Operations that are not tried, and may remove what was created.
    deletions: Vec<Contract>,
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
        let paths = Paths::of(&contracts);
        let chosen = contracts.iter().map(|contract| (contract, selected(contract, &options)));
        let shares = shares(chosen).into_iter().zip(&contracts).map(|(share, c)| (c.operation.id.clone(), share));
        let shares = shares.collect();
        Ok(Self {
            contracts,
            paths,
            settings,
            options,
            rules,
            shares,
            clock,
            client,
            unwritten: Mutex::default(),
            deletions: Vec::new(),
            called: Vec::new(),
            records: Records::default(),
        })
    }

    /// Removes what the run creates with these operations too, though they are not tried.
    #[must_use]
    pub fn removing_with(mut self, mut deletions: Vec<Contract>) -> Self {
        deletions.retain_mut(|contract| self.settings.authenticate(contract).is_ok());
        self.deletions = deletions;
        self
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
        let (mut sent, mut created, mut failed, mut over): (u64, u64, usize, Option<End>) = (0, 0, 0, None);
        let contracts = std::mem::take(&mut self.contracts);
        let most_requests = self.most_requests();
        let asked = Asked::new(&contracts, |contract| self.selected(contract));
        let mut left = contracts.len() as u64;
        let creates = |contract: &Contract| ["POST", "PUT"].contains(&contract.operation.method.as_str());
        let mut left_to_create = contracts.iter().filter(|contract| creates(contract)).count() as u64;
        for (at, contract) in contracts.into_iter().enumerate() {
            let most = &self.settings.budget;
            let records_left = most.max_created.filter(|_| creates(&contract)).map(|most| most.saturating_sub(created));
            let budget = Budget {
                max_requests: most_requests.map(|most| most.saturating_sub(sent) / left.max(1)),
                max_created: records_left.map(|records| records / left_to_create.max(1)),
                ..*most
            };
            left -= 1;
            left_to_create -= u64::from(creates(&contract));
            let (part, session) = match &over {
                Some(end) => (self.not_begun(&contract, end), None),
                None if self.options.quick && budget.max_requests.is_some_and(|most| most < LEAST) => {
                    (self.left_out(&contract), None)
                }
                None => {
                    match self.session(contract, &records, (sent, failed), budget, (asked.needed[at], Given::First)) {
                        Ok(session) => {
                            let more = (budget, (sent, failed), asked.needed[at]);
                            let (mut part, session) =
                                self.tried(session, &asked.selected[at], &mut records, more, (out, &mut *sink)).await?;
                            let own = [Cause::Token, Cause::Unreachable, Cause::Unwell];
                            let cause = part.report.end.cause.filter(|cause| own.contains(cause));
                            let number = sent + part.report.figures.requests;
                            let again = match cause {
                                Some(cause) => {
                                    let before = (&sessions[..], &parts[..]);
                                    self.asked_again((cause, number), before, &[], (out, &mut *sink)).await?
                                }
                                None => None,
                            };
                            if let (Some(cause), Some(again)) = (cause, again)
                                && works(&mut part, &again)
                            {
                                part.not_reached = Some(match cause {
                                    // Another operation takes the token: this one asks for more.
                                    Cause::Token => "status 401, though another operation takes the token".to_owned(),
                                    Cause::Unwell => "it failed each time, though another operation works".to_owned(),
                                    _ => "it brought no answer, though another operation is answered".to_owned(),
                                });
                            }
                            (part, session)
                        }
                        Err(Unready { contract, reason, access }) => {
                            (Part { access, ..self.not_called(&contract, &reason) }, None)
                        }
                    }
                }
            };
            failed += part.report.failed().len();
            let figures = &part.report.figures;
            (sent, created) = (sent + figures.requests, created + figures.created + figures.uncertain);
            over = over.or_else(|| ends_all(&part.report).filter(|_| part.not_reached.is_none()));
            if over.is_none() && self.options.max_failures.is_some_and(|most| failed >= most) {
                let reason =
                    format!("the run ended after {}, as --max-failures demands", counted(failed as u64, "failure"));
                over = Some(ended(Cause::MaxFailures, reason));
            }
            parts.push(part);
            sessions.push(session);
        }
        if over.is_none() {
            records = self.laws(&mut parts, &sessions, &asked, (sent, records), (out, sink)).await?;
        }
        self.called = sessions.into_iter().flatten().collect();
        self.records = records;
        let default = self.settings.budget.max_requests.is_none() && self.options.examples.is_none();
        Ok(joined(parts, self.options.only.clone(), self.options.skip.clone(), default))
    }

    /// Says of a run that was ended while the laws were tried that it was.
    fn ended_in_between(&self, parts: &mut [Part]) {
        let (cause, reason) = match (self.client.stop().is_cancelled(), self.client.pace().is_late()) {
            (true, _) => (Cause::Interrupted, "the run was interrupted"),
            (false, true) => (Cause::MaxDuration, "the time (--max-duration) was not enough for all"),
            (false, false) => return,
        };
        if let Some(last) = parts.iter_mut().rfind(|part| part.not_reached.is_none()) {
            last.report.end = ended(cause, reason);
        }
    }

    /// Tries the laws between operations, and puts what they show into the parts.
    async fn laws(
        &self,
        parts: &mut [Part],
        sessions: &[Option<Session>],
        asked: &Asked,
        (sent, records): (u64, Records),
        (out, sink): (Option<&Path>, &mut dyn Sink),
    ) -> std::result::Result<Records, WriteError> {
        let begun = self.clock.local();
        let mut logs = Logs::open(sessions, out)?;
        let quick = self.options.quick.then(|| quick_budget(&self.settings));
        let most = quick.or(self.settings.budget.max_requests);
        let most = most.map_or(session::MAX_REQUESTS, |most| most.saturating_sub(sent));
        let mut fanout = logs.and(&mut *sink);
        let created: u64 = parts.iter().map(|p| p.report.figures.created + p.report.figures.uncertain).sum();
        let mut laws = Laws {
            sessions,
            number: sent,
            left: most,
            created: (0, 0),
            accepted: 0,
            left_to_create: self.settings.budget.max_created.map(|most| most.saturating_sub(created)),
            made: records,
            of: 0,
            partition: Partition::default(),
            within: 0,
            tag: None,
            run_tag: self.options.run_tag.as_ref().map_or_else(String::new, |tag| tag.text().to_owned()),
            subject: String::new(),
            sink: &mut fanout,
            errors: vec![Vec::new(); sessions.len()],
            silent: (Vec::new(), String::new()),
            refused: parts.iter().map(|part| part.report.figures.accepted == 0).collect(),
        };
        for (at, part) in parts.iter_mut().enumerate() {
            let Some(session) = &sessions[at] else { continue };
            let contract = session.contract();
            let mut selected = vec![false; contract.requirements.len()];
            let mut outcome = Outcome::of_nothing(contract, &selected, "", Verdict::Skipped, self.clock.local());
            for (requirement, law) in &asked.laws[at] {
                // What has no room in a quick check is not what it is about.
                if quick.is_some() && laws.left < LAW {
                    continue;
                }
                selected[*requirement] = true;
                outcome.tallies[*requirement] = laws.law(*law, at, *requirement, &asked.resources).await;
            }
            part.add(Report::build(contract, &selected, &outcome, session.facts(), session.recorder()));
            if !asked.laws[at].is_empty() {
                sessions.iter().flatten().for_each(|session| session.contract().operation.release());
            }
        }
        // A server error is one whatever it was sent for.
        for (at, errors) in std::mem::take(&mut laws.errors).into_iter().enumerate() {
            let Some(session) = sessions[at].as_ref().filter(|_| !errors.is_empty()) else { continue };
            let contract = session.contract();
            let mut selected = vec![false; contract.requirements.len()];
            let mut outcome = Outcome::of_nothing(contract, &selected, "", Verdict::Skipped, self.clock.local());
            for finding in errors.into_iter().filter(|f| asked.selected[at][f.requirement]) {
                selected[finding.requirement] = true;
                outcome.tallies[finding.requirement].add(finding);
            }
            parts[at].add(Report::build(contract, &selected, &outcome, session.facts(), session.recorder()));
        }
        let (more, created, accepted, made) = (laws.number - sent, laws.created, laws.accepted, laws.made);
        let (silent, why) = laws.silent;
        drop(fanout);
        if let Some(last) = parts.iter_mut().rfind(|part| part.not_reached.is_none()) {
            let figures = &mut last.report.figures;
            let took = u64::try_from((self.clock.local() - begun).num_milliseconds()).unwrap_or_default();
            figures.elapsed_ms += took;
            figures.requests += more;
            figures.accepted += accepted;
            figures.created += created.0;
            figures.uncertain += created.1;
        }
        logs.finish()?;
        // It may be some operations alone that do not answer.
        if silent.len() >= SILENT {
            let again = self.asked_again((Cause::Unwell, sent + more), (sessions, parts), &silent, (out, sink)).await?;
            if let Some(last) = parts.iter_mut().rfind(|part| part.not_reached.is_none())
                && !again.is_some_and(|again| works(last, &again))
            {
                last.report.end = ended(Cause::Unwell, format!("at the end no request was answered any more: {why}"));
            }
        }
        self.ended_in_between(parts);
        Ok(made)
    }

    /// How many requests the operations may take by themselves. Of those of a quick check, the laws get a third.
    fn most_requests(&self) -> Option<u64> {
        match self.options.quick {
            true => Some(quick_budget(&self.settings) * 2 / 3),
            false => self.settings.budget.max_requests,
        }
    }

    /// Which requirements of a contract are asked for.
    fn selected(&self, contract: &Contract) -> Vec<bool> {
        selected(contract, &self.options)
    }

    /// Makes an operation ready; if it cannot be tried, the contract again, and why.
    fn session(
        &self,
        mut contract: Contract,
        records: &Records,
        (sent, failed): (u64, usize),
        budget: Budget,
        (needed, by): (bool, Given),
    ) -> std::result::Result<Session, Unready> {
        let selected = self.selected(&contract);
        let is_law = |r: &Requirement| matches!(r.form, Form::Law(_));
        let own = contract.requirements.iter().zip(&selected).filter(|(r, s)| **s && !is_law(r));
        let mut ids: Vec<String> = own.map(|(r, _)| r.id.clone()).collect();
        if ids.is_empty() && needed {
            let always = contract.requirements.iter().filter(|r| matches!(r.form, Form::Always(_)));
            ids.extend(always.take(1).map(|r| r.id.clone()));
        }
        if ids.is_empty() {
            return Err(Unready::new(contract, "not asked for in this run"));
        }
        let phase = Phase::of(&contract.operation, &self.paths);
        if let Err(reason) = self.provide(&mut contract, phase, records, by) {
            return Err(Unready::new(contract, &reason));
        }
        if let Err(error) = self.settings.authenticate(&mut contract) {
            return Err(Unready { access: Access::Missing, ..Unready::new(contract, error.title()) });
        }
        let mut settings = self.settings.clone();
        settings.budget = budget;
        let options = Options {
            only: Vec::new(),
            skip: Vec::new(),
            exactly: Some(ids),
            max_failures: self.options.max_failures.map(|most| most.saturating_sub(failed)),
            share: self.shares.get(&contract.operation.id).copied(),
            ..self.options.clone()
        };
        let before = Some(Before { client: &self.client, sent });
        let once = phase == Phase::Destroy;
        let contract = Arc::new(contract);
        Session::following(Arc::clone(&contract), settings, &options, self.clock.clone(), before, once)
            .map_err(|error| Unready::new(contract, error.title()))
    }
}

/// Which requirements of a contract are asked for.
fn selected(contract: &Contract, options: &Options) -> Vec<bool> {
    let selection = Selection::new(options.only.clone(), options.skip.clone());
    let exactly = options.exactly.as_ref();
    let fits = |id: &str| {
        selection.fits(id).unwrap_or(true) && exactly.is_none_or(|ids| ids.iter().any(|wanted| wanted == id))
    };
    contract.requirements.iter().map(|r| fits(&r.id)).collect()
}

/// So many requests in a row without an answer, and the target is taken for gone.
const SILENT: usize = 3;

/// The end of a run before its time.
fn ended(cause: Cause, reason: impl Into<String>) -> End {
    End { complete: false, cause: Some(cause), reason: Some(reason.into()), preflight_failed: false }
}

/// The end of a part, if nothing more can be sent after it.
fn ends_all(part: &Report) -> Option<End> {
    let all = [
        Cause::Unreachable,
        Cause::Unwell,
        Cause::Interrupted,
        Cause::Throttled,
        Cause::MaxDuration,
        Cause::MaxFailures,
        Cause::Token,
    ];
    part.end.cause.filter(|cause| all.contains(cause)).map(|_| part.end.clone())
}

/// An operation that cannot be tried.
struct Unready {
    contract: Arc<Contract>,
    reason: String,
    access: Access,
}

impl Unready {
    fn new(contract: impl Into<Arc<Contract>>, reason: &str) -> Self {
        Self { contract: contract.into(), reason: reason.to_owned(), access: Access::default() }
    }
}
