//! One run from contract and settings to report.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::contract::Contract;
use crate::generate::draft::Lent;
use crate::generate::seed::{Mark, Seed};
use crate::judge::Judge;
use crate::plan::{self, EXAMPLES, Plan, Selection, Shard};
use crate::report::exchanges::ExchangeLog;
use crate::report::{self, EXCHANGES, Facts, Recorder, Report};
use crate::run::event::{Fanout, Sink};
use crate::run::{self, Outcome};
use crate::source::{Diagnostic, Result};
use crate::target::client::{Client, Limits};
use crate::target::clock::Clock;
use crate::target::settings::Settings;

/// How many requests a run may send by default, those for finding smaller ones included.
pub const MAX_REQUESTS: u64 = 500;
/// How many of them are kept for finding smaller ones.
const RESERVE: u64 = 100;

/// How a run is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed; a new one where it is missing.
    pub seed: Option<u64>,
    /// How many random requests the pool has.
    pub examples: Option<usize>,
    /// Patterns of the ids that are wanted; none for all.
    pub only: Vec<String>,
    /// Patterns of the ids that are not.
    pub skip: Vec<String>,
    /// Of those, only these ids.
    pub exactly: Option<Vec<String>>,
    /// Of those, only a part of the run.
    pub shard: Option<Shard>,
    /// How many requests may be sent.
    pub max_requests: Option<u64>,
    /// After how many failed requirements no more is sent.
    pub max_failures: Option<usize>,
    /// How many requests are under way at most.
    pub concurrency: usize,
    /// The time limit of one request.
    pub timeout: Duration,
    /// Whether the smallest requests that still fail are looked for.
    pub shrink: bool,
    /// The command that checks this target again, without seed and selection.
    pub command: String,
    /// What the target is called, where it is not called by its URL.
    pub target_name: Option<String>,
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
            max_requests: None,
            max_failures: None,
            concurrency: 16,
            timeout: Duration::from_secs(10),
            shrink: true,
            command: "probity check".to_owned(),
            target_name: None,
        }
    }
}

/// A run that is ready to begin: everything was read and checked, nothing was sent.
#[derive(Debug)]
pub struct Session {
    contract: Arc<Contract>,
    lent: Lent,
    plan: Plan,
    client: Client,
    recorder: Recorder,
    facts: Facts,
    options: run::Options,
    warnings: Vec<Diagnostic>,
}

impl Session {
    /// Reads and checks everything that a run needs.
    ///
    /// # Errors
    /// Settings or a contract that cannot be used, and selections that leave nothing.
    pub fn new(
        contract: impl Into<Arc<Contract>>,
        settings: Settings,
        options: &Options,
        clock: Clock,
    ) -> Result<Self> {
        let contract = contract.into();
        settings.check_fixtures(&contract.fixtures)?;
        let identities = settings.identities.keys().cloned().collect();
        let lent = Lent::new(&contract, settings.fixtures.clone(), identities);
        let seed = options.seed.map_or_else(Seed::random, Seed);
        let now = clock.local();
        let mut selection = Selection::new(options.only.clone(), options.skip.clone()).sharded(options.shard);
        if let Some(ids) = &options.exactly {
            selection = selection.exactly(ids.clone());
        }
        let plan_options = plan::Options { seed, examples: options.examples.unwrap_or(EXAMPLES), selection };
        let plan = Plan::new(&contract, &lent, &plan_options, now)?;
        crate::lint::expressions(&contract, &lent, &plan, now)?;
        let warnings = crate::lint::examples(&contract, &lent, now);
        let max_requests = options.max_requests.unwrap_or_else(|| match options.examples {
            // Who asks for more examples wants them sent.
            Some(_) => MAX_REQUESTS.max(plan.requests() as u64 + RESERVE),
            None => MAX_REQUESTS,
        });
        let mark = Mark::random();
        let recorder = Recorder::new(&settings, contract.operation.security.as_ref());
        let facts = Facts {
            target: options.target_name.clone().unwrap_or_else(|| settings.url.to_string()),
            seed: seed.0,
            mark: mark.text().to_owned(),
            options: report::model::Options {
                examples: plan_options.examples as u64,
                max_requests,
                max_failures: options.max_failures.map(|n| n as u64),
                concurrency: options.concurrency as u64,
                timeout_ms: u64::try_from(options.timeout.as_millis()).unwrap_or(u64::MAX),
                only: options.only.clone(),
                skip: options.skip.clone(),
                recorded: false,
                shard: options.shard,
            },
            command: options.command.clone(),
        };
        let limits = Limits { timeout: options.timeout, concurrency: options.concurrency };
        let client = Client::new(settings, contract.operation.security.clone(), &limits, clock)
            .map_err(|e| Diagnostic::new(format!("TLS cannot be set up: {e}")))?;
        Ok(Self {
            contract,
            lent,
            plan,
            client,
            recorder,
            facts,
            options: run::Options {
                seed,
                mark,
                max_requests,
                max_failures: options.max_failures,
                concurrency: options.concurrency,
                shrink: options.shrink,
            },
            warnings,
        })
    }

    /// What is odd about the contract, but no reason to stop.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The contract.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// What will be sent.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Carries the run out, tells `sink` of it, and writes the exchanges into `out`, if it is given.
    /// Setting `stopped` ends it early.
    ///
    /// # Errors
    /// The exchanges cannot be written.
    pub async fn run(
        &self,
        out: Option<&Path>,
        sink: &mut (dyn Sink + '_),
        stopped: &AtomicBool,
    ) -> std::result::Result<Report, report::WriteError> {
        let judge = Judge { contract: &self.contract, lent: &self.lent };
        let mut log = match out {
            Some(dir) => {
                report::create_dir(dir)?;
                let path = dir.join(EXCHANGES);
                let log = ExchangeLog::create(&path, self.recorder.clone());
                Some(log.map_err(|source| report::WriteError { path, source })?)
            }
            None => None,
        };
        let outcome: Outcome = {
            let mut sinks: Vec<Box<dyn Sink + '_>> = vec![Box::new(Borrowed(sink))];
            if let Some(log) = &mut log {
                sinks.push(Box::new(Borrowed(log)));
            }
            let mut fanout = Fanout(sinks);
            run::run(judge, &self.plan, &self.client, &self.options, &mut fanout, stopped).await
        };
        if let (Some(log), Some(dir)) = (log, out) {
            let path = dir.join(EXCHANGES);
            log.finish().map_err(|source| report::WriteError { path, source })?;
        }
        Ok(Report::build(&self.contract, &self.plan.selected, &outcome, &self.facts, &self.recorder))
    }
}

/// A sink that belongs to someone else.
struct Borrowed<'a, S: ?Sized>(&'a mut S);

impl<S: Sink + ?Sized> Sink for Borrowed<'_, S> {
    fn event(&mut self, event: crate::run::event::Event<'_>) {
        self.0.event(event);
    }
}
