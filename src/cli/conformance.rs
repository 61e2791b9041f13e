//! The contract as tests: one trial for each requirement, with libtest-mimic.
//!
//! In your own project, a file `tests/conformance.rs` with `harness = false`:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     probity::cli::conformance::main()
//! }
//! ```
//!
//! The trials are named by the requirements' ids, their kind is the level. Environment:
//!
//! - `PROBITY_CONFIG`: settings of the target; without it the embedded reference server is checked
//! - `PROBITY_CONTRACT`: the contract's folder; without it the embedded contract
//! - `PROBITY_DOCUMENT`: an OpenAPI document, a file or a URL, in place of a contract: every operation of it is checked on
//!   the target that `PROBITY_CONFIG` names, and what that creates is removed as far as the document has deletions
//! - `PROBITY_REPORT`: a `report.json`: nothing is sent, the trials say what that run showed. This is
//!   the way for targets that are not on this machine, since some runners start a process for
//!   each trial
//! - `PROBITY_SEED`: the seed
//! - `PROBITY_DENY`: what counts beside musts and what `[gate]` of the settings says: words as `--deny` takes them, with
//!   commas between. What fails and does not count is shown as ignored, as is what cannot be tried on the target

use std::path::PathBuf;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use super::options::{ContractOptions, Flags, GateOptions, TargetOptions, check_environment, environment};
use crate::contract::requirement::Requirement;
use crate::gate::{Exit, Policy, decide};
use crate::http::block_on;
use crate::http::clock::{Clock, system_now};
use crate::judge::tally::Verdict;
use crate::report::log::created;
use crate::report::model::EMBEDDED_TARGET;
use crate::report::{CREATED, Report};
use crate::run::event::Nobody;
use crate::session::{Options, Session};
use crate::settings::Overrides;
use crate::source::{Diagnostic, Result};
use crate::whole::{Rules, Whole};

/// The trial that stands for what no single requirement shows.
const GATE: &str = "run";

/// Runs the contract as tests.
pub fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    match trials(&mut arguments) {
        Ok(Trials { mut trials, red }) => {
            let gate = red.map(|why| (trial(GATE, "gate", Err(Failed::from(&why))), why));
            let why = match gate {
                Some((gate, why)) if arguments.is_filtered_out(&gate) => Some(why),
                Some((gate, _)) => {
                    trials.push(gate);
                    None
                }
                None => None,
            };
            let conclusion = libtest_mimic::run(&arguments, trials);
            if let Some(why) = why.filter(|_| !arguments.list && !conclusion.has_failed()) {
                complain!("the selected requirements did not fail, but the run as a whole is not green: {why}");
                return ExitCode::from(Exit::Untested);
            }
            conclusion.exit_code()
        }
        Err(diagnostic) => {
            complain!("{diagnostic}");
            ExitCode::from(Exit::Usage)
        }
    }
}

/// A run as trials.
#[derive(Default)]
struct Trials {
    /// One for each requirement.
    trials: Vec<Trial>,
    /// What the gate says, where it is red for what no single requirement shows.
    red: Option<String>,
}

fn variable(name: &str) -> Option<PathBuf> {
    environment(name).map(PathBuf::from)
}

fn trials(arguments: &mut Arguments) -> Result<Trials> {
    check_environment()?;
    let config = variable("PROBITY_CONFIG");
    let denied = environment("PROBITY_DENY").unwrap_or_default();
    let denied = denied.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned);
    let gate = GateOptions { deny: denied.collect(), ..GateOptions::default() };
    if let Some(path) = variable("PROBITY_REPORT") {
        let report = crate::report::format::json::read(&path).map_err(|e| Diagnostic::new(e.to_string()))?;
        // A probity.toml that happens to lie there says nothing of what a test is to count.
        let settings = config.as_deref().map(|file| GateOptions::settings(Some(file))).transpose()?.flatten();
        let policy = gate.policy(settings.as_ref(), report.requirements.iter().map(|r| (r.id.as_str(), r.level)))?;
        return some(shown(report, &policy));
    }
    let (contract, document) = (variable("PROBITY_CONTRACT"), environment("PROBITY_DOCUMENT"));
    if contract.is_some() && document.is_some() {
        return Err(Diagnostic::new("both PROBITY_CONTRACT and PROBITY_DOCUMENT are set")
            .help("a document takes the place of a contract: unset one of them"));
    }
    let is_document = document.is_some();
    let mut contracts = ContractOptions { contract, document, ..ContractOptions::default() }.load_all()?;
    let owed = || contracts.iter().flat_map(|c| &c.requirements).filter(|r| r.level.is_some());
    if arguments.list {
        let trials = owed().map(|r| trial(&r.id, r.level.map_or("", |l| l.name()), Ok(()))).collect();
        return some(Trials { trials, red: None });
    }
    let ids: Vec<String> = owed().filter(|r| is_wanted(arguments, r)).map(|r| r.id.clone()).collect();
    if ids.is_empty() {
        return Ok(Trials::default());
    }
    // Nor is it what a test should send requests to.
    let target = match config {
        Some(config) => TargetOptions { config: Some(config), ..TargetOptions::default() }.target(&Flags::default())?,
        None if is_document => {
            return Err(Diagnostic::new("no target is set").help(
                "PROBITY_CONFIG names the settings of the server that the document describes, with url under [target]",
            ));
        }
        None => TargetOptions::default().embedded(&Overrides::default())?,
    };
    let requirements = contracts.iter().flat_map(|c| &c.requirements).map(|r| (r.id.as_str(), r.level));
    let policy = gate.policy(target.settings.source.as_ref(), requirements)?;
    let options = Options {
        seed: seed()?,
        exactly: Some(ids),
        target_name: target.embedded.as_ref().map(|_| EMBEDDED_TARGET.to_owned()),
        ..Options::default()
    };
    if is_document {
        let whole = Whole::new(contracts, target.settings, options, Rules::default(), Clock::system())?;
        return Ok(shown(block_on(checked(whole))??, &policy));
    }
    let Some(mut contract) = contracts.pop() else { return Ok(Trials::default()) };
    target.settings.authenticate(&mut contract)?;
    let session = Session::new(contract, target.settings, &options, Clock::system())?;
    let report = block_on(session.run(None, &mut Nobody))?.map_err(|e| Diagnostic::new(e.to_string()))?;
    Ok(shown(report, &policy))
}

/// Checks every operation of a document, and removes what that created. The list of it is kept only where something is
/// left.
async fn checked(mut whole: Whole) -> Result<Report> {
    let told = |e: &dyn std::fmt::Display| Diagnostic::new(e.to_string());
    let folder = tempfile::Builder::new().prefix("probity-").tempdir().map_err(|e| told(&e))?;
    let list = folder.path().join(CREATED);
    let report = whole.run(Some(folder.path()), &mut Nobody).await.map_err(|e| told(&e))?;
    if !list.exists() {
        return Ok(report);
    }
    let stop = whole.stop().clone();
    let cleaned = whole.clean_up(folder.path(), &stop, &|_, _| ()).await;
    let left = created::read(&list).map_err(|e| told(&e))?;
    let left = left.records.len() + left.uncertain.len();
    if left > 0 {
        let why = match &cleaned {
            Ok(None) => "no operation of the document deletes them".to_owned(),
            Ok(Some(_)) => "they could not be removed".to_owned(),
            Err(error) => error.title().to_owned(),
        };
        complain!("warning: {left} records of this run are, or may be, left ({why}): {}", list.display());
        _ = folder.keep();
    }
    Ok(report)
}

fn seed() -> Result<Option<u64>> {
    let Some(text) = environment("PROBITY_SEED") else { return Ok(None) };
    let wrong = |_| Diagnostic::new(format!("PROBITY_SEED is not a number: `{text}`"));
    text.parse().map(Some).map_err(wrong)
}

/// What a run showed, as trials.
fn shown(report: Report, policy: &Policy) -> Trials {
    let decision = decide(&report, policy, system_now().date_naive());
    let sentence = decision.ruling.sentence.clone();
    let report = Report { ruling: Some(decision.ruling), ..report };
    let mut trials = Vec::new();
    let mut red = false;
    for requirement in report.selected() {
        let Some(level) = requirement.level else { continue };
        let good = [Verdict::Pass, Verdict::Skipped].contains(&requirement.verdict);
        let counts = report.is_red(requirement);
        red |= counts;
        let outcome = match good {
            true => Ok(()),
            false => {
                let said = crate::report::terminal::one(requirement);
                Err(Failed::from(format!("{}: {said}", requirement.verdict.name())))
            }
        };
        // What was not tried, or does not count, is not called a success.
        let ignored = requirement.verdict == Verdict::Skipped || (!good && !counts);
        trials.push(trial(&requirement.id, level.name(), outcome).with_ignored_flag(ignored));
    }
    Trials { trials, red: (!red && decision.exit != Exit::Conformant).then_some(sentence) }
}

/// No trials at all would be called a success.
fn some(trials: Trials) -> Result<Trials> {
    if trials.trials.is_empty() && trials.red.is_none() {
        return Err(Diagnostic::new("there is no requirement to test"));
    }
    Ok(trials)
}

/// Only what the filters leave is sent: a run costs requests.
fn is_wanted(arguments: &Arguments, requirement: &Requirement) -> bool {
    let level = requirement.level.map_or("", |l| l.name());
    // Asked of a trial as it is listed: filters may name its kind.
    !arguments.is_filtered_out(&trial(&requirement.id, level, Ok(())))
}

fn trial(id: &str, level: &str, outcome: std::result::Result<(), Failed>) -> Trial {
    Trial::test(id, move || outcome).with_kind(level)
}
