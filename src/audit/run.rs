//! One check of the reference server, and many of them beside each other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::contract::Contract;
use crate::generate::seed::Seed;
use crate::http::block_on;
use crate::http::clock::Clock;
use crate::judge::tally::Verdict;
use crate::reference::{self, Fault, Variation};
use crate::report::Report;
use crate::run::event::Nobody;
use crate::session::{self, Session};
use crate::settings::{Overrides, Settings};
use crate::source::{Diagnostic, Result, Source};

/// The stack of a thread that checks: expressions nest deeply.
const STACK: usize = 8 << 20;

/// A way for the reference server to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// What it is called in tables and reports: names of faults and variations, joined by ` + `.
    pub name: String,
    /// In what it breaks the contract.
    pub faults: Vec<Fault>,
    /// In what it differs without breaking it.
    pub variations: Vec<Variation>,
}

impl Subject {
    /// The server with one fault.
    pub fn fault(fault: Fault) -> Self {
        Self { name: fault.name().to_owned(), faults: vec![fault], variations: Vec::new() }
    }

    /// The server with one variation.
    pub fn variation(variation: Variation) -> Self {
        Self { name: variation.name().to_owned(), faults: Vec::new(), variations: vec![variation] }
    }

    /// The server with two variations.
    pub fn pair(one: Variation, other: Variation) -> Self {
        Self { name: format!("{one} + {other}"), faults: Vec::new(), variations: vec![one, other] }
    }

    /// Every fault that a contract is tried on.
    pub fn faults(contract: &Contract) -> Vec<Self> {
        faults(contract).map(Self::fault).collect()
    }

    /// Every variation.
    pub fn variations() -> Vec<Self> {
        Variation::ALL.iter().copied().map(Self::variation).collect()
    }

    /// Every pair of variations, or so many of them, which `seed` chooses.
    pub fn pairs(sample: Option<usize>, seed: u64) -> Vec<Self> {
        let all = Variation::ALL;
        let mut pairs: Vec<(Variation, Variation)> =
            all.iter().enumerate().flat_map(|(i, one)| all.iter().skip(i + 1).map(|other| (*one, *other))).collect();
        if let Some(sample) = sample {
            let mut chosen = Vec::new();
            while chosen.len() < sample && !pairs.is_empty() {
                chosen.push(pairs.swap_remove(Seed(seed).pick("audit/pairs", chosen.len() as u64, pairs.len())));
            }
            chosen.sort_unstable();
            pairs = chosen;
        }
        pairs.into_iter().map(|(one, other)| Self::pair(one, other)).collect()
    }

    /// The command that checks it alone.
    pub fn command(&self, seed: u64) -> String {
        let faults = self.faults.iter().map(|f| format!(" --fault {f}"));
        let variations = self.variations.iter().map(|l| format!(" --variation {l}"));
        format!("probity check{} --seed {seed}", faults.chain(variations).collect::<String>())
    }
}

/// The faults that a contract is tried on: those of its one operation, or those that show where it calls others.
pub fn faults(contract: &Contract) -> impl Iterator<Item = Fault> {
    let is_later = !contract.called.is_empty();
    Fault::ALL.iter().copied().filter(move |fault| fault.is_later() == is_later)
}

/// How checks are run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed of each.
    pub seed: u64,
    /// How many run beside each other. They mostly wait: there may be many more than processors.
    pub jobs: usize,
    /// The time limit of one request: long enough for a busy machine, since faults that never
    /// answer cost it once or more.
    pub timeout: Duration,
    /// Patterns of the requirements' ids that are tried; none for all.
    pub only: Vec<String>,
    /// Whether the checks are quick ones.
    pub quick: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, jobs: 8, timeout: Duration::from_secs(5), only: Vec::new(), quick: false }
    }
}

/// What came of one check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The subject's name.
    pub name: String,
    /// The ids of the requirements that were tried, sorted.
    pub tried: Vec<String>,
    /// The ids of those that were broken, sorted.
    pub fails: Vec<String>,
    /// The ids of musts, shoulds and mays of which nothing came to be known, sorted.
    pub unknown: Vec<String>,
    /// Whether all that was planned was done.
    pub complete: bool,
    /// Why it did not, if so.
    pub reason: Option<String>,
    /// How many requests were sent.
    pub requests: u64,
    /// How many of them until the first that broke a requirement, that one included.
    pub until_broken: Option<u64>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

impl Run {
    fn of(name: &str, report: &Report) -> Self {
        let ids = |wanted: &dyn Fn(Verdict) -> bool| {
            let fitting = report.selected().filter(|r| r.level.is_some() && wanted(r.verdict));
            fitting.map(|r| r.id.clone()).collect::<Vec<_>>()
        };
        Self {
            name: name.to_owned(),
            tried: ids(&|_| true),
            fails: ids(&|v| v == Verdict::Fail),
            unknown: ids(&|v| !matches!(v, Verdict::Pass | Verdict::Fail)),
            complete: report.end.complete,
            reason: report.end.reason.clone(),
            requests: report.figures.requests,
            until_broken: report.selected().filter_map(|r| r.counts.until_broken).min(),
            elapsed_ms: report.figures.elapsed_ms,
        }
    }
}

/// Checks each subject, several at a time, and tells `done` of each that is finished; the runs in
/// the order of the subjects. Smaller requests that fail are not looked for.
///
/// # Errors
/// Patterns that fit no requirement; a contract that does not fit the reference server; a server
/// that cannot be started. Those under way are finished, no more are begun.
pub fn run(
    contract: &Arc<Contract>,
    subjects: &[Subject],
    options: &Options,
    done: &(dyn Fn(&Run) + Sync),
) -> Result<Vec<Run>> {
    let next = AtomicUsize::new(0);
    let finished: Mutex<Vec<(usize, Result<Run>)>> = Mutex::new(Vec::with_capacity(subjects.len()));
    let work = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(subject) = subjects.get(place) else { return };
            let run = check(contract, subject, options);
            match &run {
                Ok(run) => done(run),
                Err(_) => next.store(subjects.len(), Ordering::Relaxed),
            }
            finished.lock().unwrap_or_else(PoisonError::into_inner).push((place, run));
        }
    };
    thread::scope(|scope| {
        for _ in 0..options.jobs.clamp(1, subjects.len().max(1)) {
            let builder = thread::Builder::new().name("audit".to_owned()).stack_size(STACK);
            builder.spawn_scoped(scope, work).map_err(|e| Diagnostic::new(format!("no thread: {e}")))?;
        }
        Result::Ok(())
    })?;
    let mut finished = finished.into_inner().unwrap_or_else(PoisonError::into_inner);
    finished.sort_by_key(|(place, _)| *place);
    finished.into_iter().map(|(_, run)| run).collect()
}

/// Checks one subject.
fn check(contract: &Arc<Contract>, subject: &Subject, options: &Options) -> Result<Run> {
    let server = reference::start(reference::Options {
        port: 0,
        faults: subject.faults.clone(),
        variations: subject.variations.clone(),
    })
    .map_err(|e| Diagnostic::new(format!("cannot start the reference server: {e}")).help("try fewer --jobs"))?;
    let source = Source::new("(embedded)", reference::settings_toml(&server.url));
    let mut settings = Settings::read(Some(source), &Overrides::default(), &reference::token)?;
    settings.connection.timeout = options.timeout;
    let session_options = session::Options {
        seed: Some(options.seed),
        only: options.only.clone(),
        shrink: false,
        quick: options.quick,
        ..session::Options::default()
    };
    let session = Session::new(Arc::clone(contract), settings, &session_options, Clock::system())?;
    let report = block_on(session.run(None, &mut Nobody))?.map_err(|e| Diagnostic::new(e.to_string()))?;
    server.shutdown();
    Ok(Run::of(&subject.name, &report))
}
