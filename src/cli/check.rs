//! `check`: the main job.

mod document;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use tokio_util::sync::CancellationToken;

use super::options::{
    BUDGET, ContractOptions, Flags, GateOptions, SelectionOptions, Target, TargetOptions, color_stderr, is_dumb,
    report as read_report,
};
use super::output::{OutputOptions, rule, unwritable, unwritten};
use super::{Done, Failed, logging, print};
use crate::gate::Exit;
use crate::http::block_on;
use crate::http::clock::Clock;
use crate::judge::tally::Verdict;
use crate::plan::{Limit, Shard};
use crate::report::log::verbose::VerboseLog;
use crate::report::model::{Cleanup, EMBEDDED_TARGET};
use crate::report::terminal::progress::{Progress, Removing};
use crate::report::text::{counted, listed};
use crate::report::{self, Recorder};
use crate::run::event::Sink;
use crate::session::{Options, Session};
use crate::settings::Settings;
use crate::source::Diagnostic;

#[derive(Debug, ClapArgs)]
#[command(after_long_help = examples())]
pub(crate) struct Args {
    #[command(flatten)]
    contract: ContractOptions,

    #[command(flatten)]
    target: TargetOptions,

    #[command(flatten)]
    selection: SelectionOptions,

    /// Only what failed, or was inconclusive or untested, in this report.json
    #[arg(long, value_name = "REPORT", help_heading = "Selection")]
    rerun_failed: Option<PathBuf>,

    /// Only one part of the run, such as `2/5`; run each part with the same --seed, then use `merge`
    #[arg(
        long,
        value_name = "PART/PARTS",
        requires = "seed",
        conflicts_with_all = ["rerun_failed", "quick"],
        help_heading = "Selection"
    )]
    shard: Option<Shard>,

    #[command(flatten)]
    budget: Flags<BUDGET>,

    /// Stop sending after this many failed requirements
    #[arg(long, value_name = "N", help_heading = "Run")]
    max_failures: Option<NonZeroUsize>,

    #[command(flatten)]
    gate: GateOptions,

    /// Call operations of the document that change data, though the target is on another machine
    #[arg(long, requires = "document", help_heading = "Run")]
    allow_unsafe: bool,

    /// Keep the records that the run creates, even if the settings say how to remove them
    #[arg(long, help_heading = "Run")]
    no_cleanup: bool,

    /// Show every setting and where its value comes from; send nothing
    #[arg(long, help_heading = "Output")]
    print_settings: bool,

    #[command(flatten)]
    output: OutputOptions,
}

/// What `check --help` shows at its end.
fn examples() -> String {
    let mut text = "Examples:
  probity check                                   the embedded reference server
  probity check --config probity.toml             any server; `probity explain settings` shows the file
  PROBITY_TOKEN=… probity check --target https://staging.example.com --fixture thing_id=t_1
  probity check --only 'idempotency/*' --seed 7   a part of it, and the same requests each time

A run creates records on the target, about one for every second request; their names hold the run
tag, after `probity-` where a contract says which field is the name.

Exit codes, the first that holds:
"
    .to_owned();
    for exit in Exit::WORST_FIRST {
        text.push_str(&format!("  {:>2}  {}\n", exit.code(), exit.meaning()));
    }
    text
}

pub(crate) fn run(args: &Args) -> Done {
    if let Some(document) = &args.contract.document {
        return document::run(args, document);
    }
    let mut contract = args.contract.load()?;
    let exactly = args.rerun_failed.as_deref().map(failed_ids).transpose()?;
    let Some(target) = ready(args)? else { return Ok(Exit::Conformant) };
    target.settings.authenticate(&mut contract)?;
    let requirements = contract.requirements.iter().map(|r| (r.id.as_str(), r.level));
    let policy = args.gate.policy(target.settings.source.as_ref(), requirements)?;
    let options = options(args, exactly, target.embedded.is_some());
    let session = Session::new(contract, target.settings, &options, Clock::system())?;
    for warning in session.warnings() {
        complain!("{}", warning.render(color_stderr()));
    }
    if let Some(warning) = left_out(&session) {
        complain!("warning: {warning}");
    }
    let output = &args.output;
    let subject = output.subject()?;
    let _lock = output.lock()?;
    let (report, exit) = block_on(async {
        end_at_signals(session.client().stop());
        let mut report = carry_out(&session, args).await?;
        report.header.subject = subject;
        let exit = rule(&mut report, &policy).worse(unwritten(&session.unwritten()));
        let mut written = output.write(&report);
        if !args.no_cleanup && session.client().settings().cleanup.is_some() {
            report.cleanup = clean_up(&session, output.out(), !output.quiet).await;
            if written == Exit::Conformant {
                written = output.write(&report);
            }
        }
        Ok::<_, Failed>((report, exit.worse(written)))
    })??;
    output.tell(&report);
    Ok(exit)
}

/// The target; None if its settings were to be shown, and were.
fn ready(args: &Args) -> Result<Option<Target>, Failed> {
    let target = args.target.target(&args.budget)?;
    logging::keep_out(&target.settings.secrets);
    if args.print_settings {
        print(&shown(&target.settings));
        return Ok(None);
    }
    for warning in target.settings.warnings() {
        complain!("warning: {warning}");
    }
    Ok(Some(target))
}

fn options(args: &Args, exactly: Option<Vec<String>>, is_embedded: bool) -> Options {
    Options {
        seed: args.selection.seed,
        examples: args.selection.examples,
        only: args.selection.only.clone(),
        skip: args.selection.skip.clone(),
        exactly,
        shard: args.shard,
        max_failures: args.max_failures.map(NonZeroUsize::get),
        shrink: !args.selection.quick,
        fit: true,
        quick: args.selection.quick,
        share: None,
        command: command(&args.contract, &args.target),
        target_name: is_embedded.then(|| EMBEDDED_TARGET.to_owned()),
        run_tag: None,
    }
}

/// Removes what the run created, and says if that cannot be done.
pub(super) async fn clean_up(session: &Session, out: &Path, shown: bool) -> Option<Cleanup> {
    let (stop, bar) = cleaning(session.client().stop(), shown);
    let cleaned = session.clean_up(out, &stop, &|done, all| bar.show(done, all)).await;
    bar.finish();
    told(cleaned)
}

/// What ends a clean-up, and what shows how far it is. A run that was ended is cleaned up after; then the next signal leaves
/// at once.
fn cleaning(run: &CancellationToken, shown: bool) -> (CancellationToken, Removing) {
    (if run.is_cancelled() { CancellationToken::new() } else { run.clone() }, Removing::new(shown && !is_dumb()))
}

/// What came of something, after saying why nothing did.
fn told<T>(result: Result<T, Box<Diagnostic>>) -> Option<T> {
    result.inspect_err(|diagnostic| complain!("{}", diagnostic.render(color_stderr()))).ok()
}

/// What the budget leaves out, in a line.
fn left_out(session: &Session) -> Option<String> {
    let left_out = &session.plan().left_out;
    let limit = match left_out.limit? {
        Limit::Requests => "--max-requests",
        Limit::Duration => "--max-duration and --rate",
        Limit::Created => "--max-created",
    };
    let trials: u64 = left_out.trials.values().sum();
    let of = session.plan().left_out_requirements(session.contract()).len() as u64;
    let mut parts = Vec::new();
    if trials > 0 {
        parts.push(format!("{} of {}", counted(trials, "trial"), counted(of, "requirement")));
    }
    if left_out.pool > 0 {
        parts.push(format!("{} of the shared pool", counted(left_out.pool, "request")));
    }
    let what = listed(&parts);
    Some(format!("the budget leaves out {what} ({limit}); `probity plan` with the same options shows which"))
}

/// Every setting, its value, and where it comes from.
fn shown(settings: &Settings) -> String {
    let rows = &settings.shown;
    let widest = |column: fn(&(String, String, String)) -> &String| {
        rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0).min(60)
    };
    let (first, second) = (widest(|row| &row.0), widest(|row| &row.1));
    let line = |(name, value, origin): &(String, String, String)| {
        let value = if value.is_empty() { "–" } else { value };
        format!("{name:<first$}  {value:<second$}  {origin}\n")
    };
    rows.iter().map(line).collect()
}

async fn carry_out(session: &Session, args: &Args) -> Result<report::Report, Failed> {
    let mut shown = shown_on_the_way(&args.output, session.recorder().clone());
    session.run(Some(args.output.out()), &mut *shown).await.map_err(unwritable)
}

/// What shows a run while it goes on.
fn shown_on_the_way(output: &OutputOptions, recorder: Recorder) -> Box<dyn Sink> {
    match output.verbose {
        0 => Box::new(Progress::new(!output.quiet && !is_dumb())),
        n => Box::new(VerboseLog::new(recorder, n > 1)),
    }
}

/// The first Ctrl-C or SIGTERM lets what is under way finish; reports are written and what was created is
/// removed. The second leaves at once.
pub(super) fn end_at_signals(stop: &CancellationToken) {
    let stop = stop.clone();
    tokio::spawn(async move {
        while signal().await {
            if stop.is_cancelled() {
                std::process::exit(130);
            }
            stop.cancel();
            complain!("\nstopping: waiting for the requests in progress (press again to stop at once)");
        }
    });
}

/// Waits for a signal that asks to end; false if there will be none.
async fn signal() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return false };
        tokio::select! {
            done = tokio::signal::ctrl_c() => done.is_ok(),
            done = terminate.recv() => done.is_some(),
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await.is_ok()
    }
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
pub(super) fn command(contract: &ContractOptions, target: &TargetOptions) -> String {
    let mut words = vec!["probity".to_owned(), "check".to_owned()];
    words.extend(contract.words());
    words.extend(target.words());
    words.join(" ")
}
