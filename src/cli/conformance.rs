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
//! - `PROBITY_REPORT`: a `report.json`: nothing is sent, the trials say what that run showed. This is
//!   the way for targets that are not on this machine, since some runners start a process for
//!   each trial
//! - `PROBITY_SEED`: the seed

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use libtest_mimic::{Arguments, Failed, Trial};

use super::options::{ContractOptions, TargetOptions};
use crate::contract::requirement::Requirement;
use crate::gate::Exit;
use crate::judge::tally::Verdict;
use crate::report::Report;
use crate::report::model::EMBEDDED_TARGET;
use crate::run::event::Nobody;
use crate::session::{Options, Session};
use crate::source::{Diagnostic, Result};
use crate::target::clock::Clock;

/// Runs the contract as tests.
pub fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    match trials(&mut arguments) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(diagnostic) => {
            eprintln!("{diagnostic}");
            ExitCode::from(Exit::Usage)
        }
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from)
}

fn trials(arguments: &mut Arguments) -> Result<Vec<Trial>> {
    if let Some(path) = variable("PROBITY_REPORT") {
        let report = crate::report::json::read(&path)
            .map_err(|e| Diagnostic::new(format!("cannot read the report {}: {e}", path.display())))?;
        return some(
            report
                .requirements
                .iter()
                .filter_map(|r| r.level.map(|l| trial(&r.id, l.name(), outcome(&report, &r.id))))
                .collect(),
        );
    }
    let contract = ContractOptions { contract: variable("PROBITY_CONTRACT") }.load()?;
    let wanted: Vec<&Requirement> =
        contract.requirements.iter().filter(|r| r.level.is_some() && is_wanted(arguments, r)).collect();
    if arguments.list {
        return some(wanted.iter().map(|r| trial(&r.id, r.level.map_or("", |l| l.name()), Ok(()))).collect());
    }
    let ids: Vec<(String, &'static str)> =
        wanted.iter().map(|r| (r.id.clone(), r.level.map_or("", |l| l.name()))).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let target = TargetOptions { config: variable("PROBITY_CONFIG"), ..TargetOptions::default() }.target()?;
    let options = Options {
        seed: std::env::var("PROBITY_SEED").ok().and_then(|s| s.parse().ok()),
        exactly: Some(ids.iter().map(|(id, _)| id.clone()).collect()),
        target_name: target.embedded.as_ref().map(|_| EMBEDDED_TARGET.to_owned()),
        ..Options::default()
    };
    let session = Session::new(contract, target.settings, &options, Clock::system())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Diagnostic::new(format!("no runtime: {e}")))?;
    let report = runtime
        .block_on(session.run(None, &mut Nobody, &AtomicBool::new(false)))
        .map_err(|e| Diagnostic::new(e.to_string()))?;
    Ok(ids.iter().map(|(id, level)| trial(id, level, outcome(&report, id))).collect())
}

/// No trials at all would be called a success.
fn some(trials: Vec<Trial>) -> Result<Vec<Trial>> {
    if trials.is_empty() {
        return Err(Diagnostic::new("there is no requirement to test"));
    }
    Ok(trials)
}

/// Only what the filters leave is sent: a run costs requests.
fn is_wanted(arguments: &Arguments, requirement: &Requirement) -> bool {
    let name = &requirement.id;
    let fits = |pattern: &String| if arguments.exact { name == pattern } else { name.contains(pattern.as_str()) };
    arguments.filter.as_ref().is_none_or(fits) && !arguments.skip.iter().any(fits)
}

fn trial(id: &str, level: &str, outcome: std::result::Result<(), String>) -> Trial {
    Trial::test(id, move || outcome.map_err(Failed::from)).with_kind(level)
}

/// What a run showed of a requirement, as a test: what is skipped passes, as nothing was owed.
fn outcome(report: &Report, id: &str) -> std::result::Result<(), String> {
    let Some(requirement) = report.requirement(id) else {
        return Err("the run knows nothing of it".to_owned());
    };
    match requirement.verdict {
        Verdict::Pass | Verdict::Skipped => Ok(()),
        verdict => Err(format!("{}: {}", verdict.name(), crate::report::terminal::one(requirement))),
    }
}
