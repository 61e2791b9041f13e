//! `check`: the main job.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args as ClapArgs;

use super::options::{
    ContractOptions, GateOptions, SelectionOptions, TargetOptions, color_stderr, report as read_report,
};
use super::output::{OutputOptions, unwritable};
use super::{Done, Failed};
use crate::contract::template::parse_duration;
use crate::gate::Exit;
use crate::judge::tally::Verdict;
use crate::plan::Shard;
use crate::report;
use crate::report::model::EMBEDDED_TARGET;
use crate::report::progress::Progress;
use crate::session::{MAX_REQUESTS, Options, Session};
use crate::source::Diagnostic;
use crate::target::clock::Clock;

#[derive(Debug, ClapArgs)]
#[command(after_long_help = examples())]
pub(crate) struct Args {
    #[command(flatten)]
    contract: ContractOptions,

    #[command(flatten)]
    target: TargetOptions,

    #[command(flatten)]
    selection: SelectionOptions,

    /// Only what failed, or was not known or not tested, in this report.json
    #[arg(long, value_name = "REPORT", help_heading = "Selection")]
    rerun_failed: Option<PathBuf>,

    /// Only a part of the run, as `2/5`: each on another machine, with the same --seed; see `merge`
    #[arg(
        long,
        value_name = "PART/PARTS",
        requires = "seed",
        conflicts_with = "rerun_failed",
        help_heading = "Selection"
    )]
    shard: Option<Shard>,

    /// How many requests may be sent, shrinking included [default: 500, or what --examples asks for]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Run")]
    max_requests: Option<u64>,

    /// Stop sending after so many failed requirements
    #[arg(long, value_name = "N", help_heading = "Run")]
    max_failures: Option<NonZeroUsize>,

    /// How many requests are under way at most
    #[arg(long, value_name = "N", default_value = "16", help_heading = "Run")]
    concurrency: NonZeroUsize,

    /// The time limit of one request
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration, help_heading = "Run")]
    timeout: Duration,

    #[command(flatten)]
    gate: GateOptions,

    #[command(flatten)]
    output: OutputOptions,
}

/// What `check --help` shows at its end.
fn examples() -> String {
    let mut text = "Examples:
  probity check                                   the reference server that probity carries
  probity check --config probity.toml             any server; `probity explain settings` shows the file
  PROBITY_TOKEN=… probity check --target https://staging.example.com --fixture household_id=hh_1
  probity check --only 'idempotency/*' --seed 7   a part of it, and the same requests each time

A run creates records on the target, about one for every second request; their names begin with
`probity-` and the run's mark.

Exit codes, the first that holds:
"
    .to_owned();
    for exit in Exit::WORST_FIRST {
        text.push_str(&format!("  {:>2}  {}\n", exit.code(), exit.meaning()));
    }
    text
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).filter(|d| !d.is_zero()).ok_or_else(|| "write 10s or 500ms".to_owned())
}

pub(crate) fn run(args: &Args) -> Done {
    let contract = args.contract.load()?;
    let exactly = args.rerun_failed.as_deref().map(failed_ids).transpose()?;
    let target = args.target.target()?;
    let requirements = contract.requirements.iter().map(|r| (r.id.as_str(), r.level));
    let policy = args.gate.policy(target.settings.source.as_ref(), requirements)?;
    let options = Options {
        seed: args.selection.seed,
        examples: args.selection.examples,
        only: args.selection.only.clone(),
        skip: args.selection.skip.clone(),
        exactly,
        shard: args.shard,
        max_requests: args.max_requests,
        max_failures: args.max_failures.map(NonZeroUsize::get),
        concurrency: args.concurrency.get(),
        timeout: args.timeout,
        shrink: true,
        command: command(args),
        target_name: target.embedded.as_ref().map(|_| EMBEDDED_TARGET.to_owned()),
    };
    let session = Session::new(contract, target.settings, &options, Clock::system())?;
    for warning in session.warnings() {
        eprintln!("{}", warning.render(color_stderr()).replacen("error", "warning", 1));
    }
    let planned = session.plan().requests() as u64;
    let allowed = args.max_requests.unwrap_or(MAX_REQUESTS);
    if args.selection.examples.is_none() && planned > allowed {
        eprintln!(
            "warning: the plan takes {planned} requests and {allowed} are allowed: some requirements will be untested"
        );
    }
    let report = carry_out(&session, args)?;
    args.output.conclude(report, &policy)
}

fn carry_out(session: &Session, args: &Args) -> Result<report::Report, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failed::Defect(format!("no runtime: {e}")))?;
    let stopped = Arc::new(AtomicBool::new(false));
    let mut progress = Progress::new(!args.output.quiet);
    let report = runtime.block_on(async {
        let flag = Arc::clone(&stopped);
        // The first Ctrl-C lets what is under way finish and writes the reports, the second ends it.
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if flag.swap(true, Ordering::SeqCst) {
                    std::process::exit(130);
                }
                eprintln!("\nending: waiting for what is under way (Ctrl-C again leaves at once)");
            }
        });
        session.run(Some(&args.output.out), &mut progress, &stopped).await
    });
    report.map_err(unwritable)
}

/// The ids that a report has as failed, inconclusive or untested.
fn failed_ids(path: &Path) -> Result<Vec<String>, Box<Diagnostic>> {
    let report = read_report(path)?;
    let mut ids: Vec<String> = Vec::new();
    let again = [Verdict::Fail, Verdict::Inconclusive, Verdict::Untested];
    for requirement in report.selected().filter(|r| again.contains(&r.verdict)) {
        ids.push(requirement.id.clone());
        // What broke it may be another requirement's trial.
        let trials = requirement.failures.iter().filter_map(|f| report::build::trial_of(&f.trial));
        ids.extend(trials.map(str::to_owned));
    }
    ids.sort();
    ids.dedup();
    if ids.is_empty() {
        return Err(
            Diagnostic::new(format!("nothing failed in {}", path.display())).help("there is nothing to run again")
        );
    }
    Ok(ids)
}

/// The command that checks this target again.
fn command(args: &Args) -> String {
    let mut words = vec!["probity".to_owned(), "check".to_owned()];
    let mut option = |name: &str, value: String| {
        words.push(name.to_owned());
        words.push(shlex::try_quote(&value).map_or_else(|_| value.clone(), |q| q.into_owned()));
    };
    if let Some(contract) = &args.contract.contract {
        option("--contract", contract.display().to_string());
    }
    if let Some(config) = &args.target.config {
        option("--config", config.display().to_string());
    }
    if let Some(target) = &args.target.target {
        option("--target", target.clone());
    }
    for (path, value) in &args.target.fixture {
        option("--fixture", format!("{path}={value}"));
    }
    for fault in &args.target.fault {
        option("--fault", fault.clone());
    }
    for liberty in &args.target.liberty {
        option("--liberty", liberty.clone());
    }
    words.join(" ")
}
