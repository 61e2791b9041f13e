//! One run from contract and settings to report.

mod budget;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::cleanup::clean_up;
use crate::contract::Contract;
use crate::contract::requirement::Form;
use crate::generate::draft::Fixtures;
use crate::generate::seed::{RunTag, Seed};
use crate::http::client::Client;
use crate::http::clock::Clock;
use crate::http::credentials::header_name;
use crate::judge::Judge;
use crate::judge::bind::Seen;
use crate::judge::finding::Finding;
use crate::plan::{self, EXAMPLES, Entry, Plan, Selection, Shard};
use crate::replay::run::{Script, replay};
use crate::report::log::created::{self, CreatedLog};
use crate::report::log::exchanges::ExchangeLog;
use crate::report::{self, CREATED, EXCHANGES, Facts, Recorder, Report};
use crate::run::event::{Fanout, Sink};
use crate::run::{self, Outcome};
use crate::settings::Settings;
use crate::source::{Diagnostic, Result};
pub use budget::{MAX_REQUESTS, by_default, fit, planned, quick_budget, shares};

/// The options of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed; a new one where it is missing.
    pub seed: Option<u64>,
    /// How many random requests the pool has.
    pub examples: Option<usize>,
    /// Patterns of the ids to test; empty for all.
    pub only: Vec<String>,
    /// Patterns of the ids not to test.
    pub skip: Vec<String>,
    /// Of those, only these ids.
    pub exactly: Option<Vec<String>>,
    /// Of those, only a part of the run.
    pub shard: Option<Shard>,
    /// After how many failed requirements no more is sent.
    pub max_failures: Option<usize>,
    /// Whether the smallest requests that still fail are looked for.
    pub shrink: bool,
    /// Whether the plan leaves out what exceeds the budget.
    pub fit: bool,
    /// Whether only what finds most for few requests is tried.
    pub quick: bool,
    /// How many requests an operation may take that has only its share of a default budget; the usual number if it is missing.
    pub share: Option<u64>,
    /// The command that checks this target again, without seed and selection.
    pub command: String,
    /// The target's name, if it is not called by its URL.
    pub target_name: Option<String>,
    /// The run tag; a new one where it is missing.
    pub run_tag: Option<RunTag>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: None,
            examples: None,
            only: Vec::new(),
            skip: Vec::new(),
            exactly: None,
            shard: None,
            max_failures: None,
            shrink: true,
            fit: true,
            quick: false,
            share: None,
            command: "probity check".to_owned(),
            target_name: None,
            run_tag: None,
        }
    }
}

/// The part of a run that went before.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// Its client.
    pub client: &'a Client,
    /// How many requests it sent.
    pub sent: u64,
}

/// What came of a single request.
#[derive(Debug)]
pub struct Called {
    /// The exchange.
    pub seen: Seen,
    /// How many records it created.
    pub created: u64,
    /// How many it may have created unseen.
    pub uncertain: u64,
    /// How many requests were sent for it.
    pub sent: u64,
}

/// A run that is ready to begin: everything has been read and checked, and nothing has been sent.
#[derive(Debug)]
pub struct Session {
    contract: Arc<Contract>,
    fixtures: Fixtures,
    plan: Plan,
    client: Client,
    recorder: Recorder,
    facts: Facts,
    options: run::Options,
    clock: Clock,
    warnings: Vec<Diagnostic>,
    unwritten: Mutex<Vec<report::WriteError>>,
    /// Whether there was a part of the run before.
    follows: bool,
}

impl Session {
    /// Reads and checks everything that a run needs.
    ///
    /// # Errors
    /// Settings or a contract that cannot be used, and selections that leave no requirement.
    pub fn new(
        contract: impl Into<Arc<Contract>>,
        settings: Settings,
        options: &Options,
        clock: Clock,
    ) -> Result<Self> {
        Self::following(contract.into(), settings, options, clock, None, false)
    }

    /// The same as a part of a run that another part went before; `once` for an operation that uses up what it speaks of.
    ///
    /// # Errors
    /// As for a whole run.
    pub fn following(
        contract: Arc<Contract>,
        mut settings: Settings,
        options: &Options,
        clock: Clock,
        before: Option<Before<'_>>,
        once: bool,
    ) -> Result<Self> {
        for contract in contract.called.iter().chain([&*contract]) {
            settings.check_production(&contract.operation.servers)?;
        }
        let own = header_name(contract.operation.security.as_ref());
        if let Some((name, _)) = settings.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(own)) {
            return Err(Diagnostic::new(format!("[headers] cannot contain `{name}`: tokens are sent in that header"))
                .help("write the token under an identity: [identities.caller] token = { env = \"…\" }"));
        }
        settings.check_fixtures(&contract.fixtures)?;
        let fixtures = settings.fixtures(&contract);
        let seed = options.seed.map_or_else(Seed::random, Seed);
        let now = clock.local();
        let mut selection = Selection::new(options.only.clone(), options.skip.clone()).sharded(options.shard);
        if let Some(ids) = &options.exactly {
            selection = selection.exactly(ids.clone());
        }
        let examples = if options.quick { 0 } else { options.examples.unwrap_or(EXAMPLES) };
        if options.quick {
            settings.budget.max_requests = Some(quick_budget(&settings));
        }
        let plan_options = plan::Options { seed, examples, selection };
        let mut plan = planned(&contract, &fixtures, &settings, options.examples, plan_options, now)?;
        match settings.budget.max_requests {
            _ if once => plan = plan.once(&contract),
            Some(most) if options.quick => plan.quicken(&contract, most),
            _ => {}
        }
        crate::lint::expressions(&contract, &fixtures, &plan, now)?;
        let mut warnings = crate::lint::examples(&contract, &fixtures, now);
        warnings.extend(crate::lint::guesses(&contract));
        warnings.extend(contract.operation.unsupported.iter().map(|u| u.message.clone()));
        let warnings = warnings.into_iter().map(|odd| *Box::new(odd).warning()).collect();
        let max_requests = match options.fit && !once {
            true => fit(&mut plan, &contract, &settings, options.examples, options.share),
            false => settings.budget.max_requests.unwrap_or_else(|| by_default(&contract)),
        };
        settings.budget.max_requests = Some(max_requests);
        let run_tag = options.run_tag.clone().unwrap_or_else(RunTag::random);
        for text in [settings.fixtures.to_string(), run_tag.text().to_owned()] {
            settings.secrets.add_public(text.into());
        }
        settings.secrets.add_public(contract.operation.place.source.text.as_str().into());
        let recorder = Recorder::new(&settings, contract.operation.security.as_ref());
        let options_given = Options { seed: Some(seed.0), run_tag: Some(run_tag.clone()), ..options.clone() };
        let facts = facts(&settings, &options_given, max_requests);
        let security = contract.operation.security.clone();
        let client = match before {
            Some(before) => before.client.beside(settings, security),
            None => Client::new(settings, security, clock.clone())?,
        };
        let first = before.map_or(0, |before| before.sent);
        Ok(Self {
            contract,
            fixtures,
            plan,
            client,
            recorder,
            facts,
            options: run::Options { seed, run_tag, max_failures: options.max_failures, shrink: options.shrink, first },
            clock: clock.clone(),
            warnings,
            unwritten: Mutex::default(),
            follows: before.is_some(),
        })
    }

    /// The list of created records in this folder.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn created_log(&self, dir: &Path) -> std::result::Result<CreatedLog, report::WriteError> {
        let path = dir.join(CREATED);
        let facts = &self.facts;
        let log = CreatedLog::open(&path, self.recorder.clone(), facts.target.clone(), facts.run_tag.clone());
        let log = log.map(|log| log.or_stop(self.client.stop().clone()));
        log.map_err(|source| report::WriteError { path, source })
    }

    /// Removes what this run created on the target, and what earlier ones did according to the list in this folder.
    ///
    /// # Errors
    /// Settings without `[cleanup]`; a list that cannot be read or written.
    pub async fn clean_up(
        &self,
        dir: &Path,
        stop: &CancellationToken,
        progress: &dyn Fn(usize, usize),
    ) -> Result<report::model::Cleanup> {
        let path = dir.join(CREATED);
        let unusable = |e: &dyn std::fmt::Display| Diagnostic::new(format!("{}: {e}", path.display()));
        let left = created::read(&path).map_err(|e| unusable(&e))?;
        let mut log = CreatedLog::again(&path).map_err(|e| unusable(&e))?;
        let (settings, clock) = (self.client.settings(), self.clock.clone());
        let cleaned = clean_up(settings, &self.contract, clock, left, &mut log, stop, progress).await?;
        log.finish().map_err(|e| unusable(&e))?;
        Ok(cleaned.into())
    }

    /// Turns exchanges into what reports show of them.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    fn note_unwritten(&self, path: PathBuf, source: std::io::Error) {
        let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        unwritten.push(report::WriteError { path, source });
    }

    /// What could not be written during a run since this was last called.
    pub fn unwritten(&self) -> Vec<report::WriteError> {
        std::mem::take(&mut self.unwritten.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Warnings about the contract.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The contract, if nobody else has it.
    pub fn into_contract(self) -> Option<Contract> {
        let contract = Arc::clone(&self.contract);
        drop(self);
        Arc::into_inner(contract)
    }

    /// The contract.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// The target, and what stops a run: see [`Client::stop`].
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What the target provides.
    pub fn fixtures(&self) -> &Fixtures {
        &self.fixtures
    }

    /// What will be sent.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Carries out the run, reports events to `sink`, and writes the exchanges into `out`, if it is given.
    /// Cancelling [`Client::stop`] ends it early.
    ///
    /// # Errors
    /// The exchanges cannot be written.
    pub async fn run(
        &self,
        out: Option<&Path>,
        sink: &mut (dyn Sink + '_),
    ) -> std::result::Result<Report, report::WriteError> {
        let judge = Judge { contract: &self.contract, fixtures: &self.fixtures };
        let mut log = match out {
            Some(dir) => {
                report::create_dir(dir)?;
                let path = dir.join(EXCHANGES);
                let open = if self.follows { ExchangeLog::append } else { ExchangeLog::create };
                let log = open(&path, self.recorder.clone());
                Some(log.map_err(|source| report::WriteError { path, source })?)
            }
            None => None,
        };
        let mut created = out.map(|dir| self.created_log(dir)).transpose()?;
        let outcome: Outcome = {
            let mut sinks: Vec<Box<dyn Sink + '_>> = vec![Box::new(Borrowed(sink))];
            if let Some(log) = &mut log {
                sinks.push(Box::new(Borrowed(log)));
            }
            if let Some(log) = &mut created {
                sinks.push(Box::new(Borrowed(log)));
            }
            let mut fanout = Fanout(sinks);
            run::run(judge, &self.plan, &self.client, &self.options, &mut fanout).await
        };
        // The result is worth more than the file that could not be written.
        if let (Some(Err(source)), Some(dir)) = (log.map(ExchangeLog::finish), out) {
            self.note_unwritten(dir.join(EXCHANGES), source);
        }
        if let (Some(Err(source)), Some(dir)) = (created.map(CreatedLog::finish), out) {
            self.note_unwritten(dir.join(CREATED), source);
        }
        let selected = self.shown(&outcome);
        Ok(Report::build(&self.contract, &selected, &outcome, &self.facts, &self.recorder))
    }

    /// Which requirements the run was about. Of what a quick check left out, a rule may have needed the requests.
    fn shown(&self, outcome: &Outcome) -> Vec<bool> {
        let mut selected = self.plan.selected.clone();
        if self.facts.options.quick {
            let fed = self.contract.requirements.iter().enumerate().filter(|(_, r)| matches!(r.form, Form::Rule(_)));
            for (place, _) in fed {
                let tally = &outcome.tallies[place];
                let idle = [tally.holds, tally.broken, tally.unknown, tally.skipped, tally.left_out];
                selected[place] &= idle.iter().any(|count| *count > 0);
            }
        }
        selected
    }

    /// Sends the request of an entry by itself, as the request of this number of a run, whatever its budget; None if nothing more is sent.
    pub async fn call(&self, entry: &Entry, name: &str, number: u64, sink: &mut dyn Sink) -> Option<Called> {
        let judge = Judge { contract: &self.contract, fixtures: &self.fixtures };
        let options = run::Options { first: number, ..self.options.clone() };
        // The budget of the session's own run is another matter.
        let mut settings = self.client.settings().clone();
        (settings.budget.max_requests, settings.budget.max_created) = (None, None);
        let client = self.client.beside(settings, self.contract.operation.security.clone());
        let (seen, created, uncertain) = run::call(judge, &self.plan, &client, &options, sink, entry, name).await?;
        Some(Called { seen, created, uncertain, sent: client.requests() })
    }

    /// What an exchange shows by itself.
    pub fn findings(&self, seen: &Seen) -> Vec<Finding> {
        Judge { contract: &self.contract, fixtures: &self.fixtures }.exchange(seen)
    }

    /// What the run does not know of itself.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Sends requests of an earlier run again, and reports events to `sink`; lists created records in `out`, if it is
    /// given. The report is about the requirements of the script. With it, for each of these, the last answer.
    ///
    /// # Errors
    /// The list of created records cannot be written.
    pub async fn replay(
        &self,
        script: &Script,
        out: Option<&Path>,
        sink: &mut (dyn Sink + '_),
    ) -> std::result::Result<(Report, Vec<Option<String>>), report::WriteError> {
        let judge = Judge { contract: &self.contract, fixtures: &self.fixtures };
        out.map(report::create_dir).transpose()?;
        let mut created = out.map(|dir| self.created_log(dir)).transpose()?;
        let replayed = {
            let mut sinks: Vec<Box<dyn Sink + '_>> = vec![Box::new(Borrowed(sink))];
            sinks.extend(created.as_mut().map(|log| Box::new(Borrowed(log)) as Box<dyn Sink + '_>));
            replay(judge, &self.plan, &self.client, &self.options, script, &mut Fanout(sinks)).await
        };
        if let (Some(Err(source)), Some(dir)) = (created.map(CreatedLog::finish), out) {
            self.note_unwritten(dir.join(CREATED), source);
        }
        let mut selected = vec![false; self.contract.requirements.len()];
        script.replays.iter().for_each(|replay| selected[replay.requirement] = true);
        let answers = replayed.answers.into_iter().map(|answer| answer.map(|text| self.recorder.text(&text)));
        let report = Report::build(&self.contract, &selected, &replayed.outcome, &self.facts, &self.recorder);
        Ok((report, answers.collect()))
    }
}

/// What a run does not know of itself, given its seed and its run tag.
pub fn facts(settings: &Settings, options: &Options, max_requests: u64) -> Facts {
    let budget = &settings.budget;
    Facts {
        target: options.target_name.clone().unwrap_or_else(|| settings.url.to_string()),
        seed: options.seed.unwrap_or_default(),
        run_tag: options.run_tag.as_ref().map_or_else(String::new, |tag| tag.text().to_owned()),
        options: report::model::Options {
            examples: if options.quick { 0 } else { options.examples.unwrap_or(EXAMPLES) as u64 },
            max_requests,
            max_failures: options.max_failures.map(|n| n as u64),
            max_created: budget.max_created,
            max_duration_ms: budget.max_duration.map(millis),
            rate_ms: settings.rate.map(|rate| rate.period.as_secs_f64() * 1000.0),
            concurrency: settings.concurrency as u64,
            timeout_ms: millis(settings.connection.timeout),
            insecure: settings.connection.insecure,
            only: options.only.clone(),
            skip: options.skip.clone(),
            recorded: false,
            shard: options.shard,
            quick: options.quick,
        },
        command: options.command.clone(),
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A borrowed sink.
struct Borrowed<'a, S: ?Sized>(&'a mut S);

impl<S: Sink + ?Sized> Sink for Borrowed<'_, S> {
    fn event(&mut self, event: crate::run::event::Event<'_>) {
        self.0.event(event);
    }
}
