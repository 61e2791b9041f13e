//! `replay`: requests of a report, sent again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Parser};

use super::check::{clean_up, command, end_at_signals};
use super::options::{
    BUDGET, Color, ContractOptions, Flags, Target, TargetOptions, is_dumb, quoted, report as read, width,
};
use super::output::unwritable;
use super::{Done, Failed, logging, print};
use crate::gate::Exit;
use crate::http::block_on;
use crate::http::clock::Clock;
use crate::judge::tally::Verdict;
use crate::plan::Selection;
use crate::replay::outcome::{Item, Replayed, Run};
use crate::replay::{NotSent, Place, Recording, Today, script};
use crate::report::log::exchanges;
use crate::report::log::verbose::VerboseLog;
use crate::report::model::{EMBEDDED_TARGET, Figures, Requirement, Ruling};
use crate::report::terminal::progress::Progress;
use crate::report::text::visible;
use crate::report::{EXCHANGES, REPORT, Report, terminal};
use crate::run::event::Sink;
use crate::session::{Options, Session};
use crate::settings::is_loopback;
use crate::source::{Diagnostic, Result, did_you_mean};

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "\
Examples:
  probity replay                                       what failed in reports/, each once more
  probity replay --only response/value-in-dollars      one of them
  probity replay downloaded --target http://127.0.0.1:8080
  probity replay --only idempotency/same-key-at-once --times 20

Of what failed the smallest request is sent that showed it, or the trial with its waits and what it sends at once. It is
the recorded request to the byte, except that
  - the token is today's, wherever the identity's token stood;
  - instants that were made for the run keep their distance from now and their spelling;
  - idempotency keys are new, of the same form: equal ones stay equal, different ones different;
  - the run tag in names and ids is today's.
Ids that the target provided then are sent as they are. A valid request goes first, and beside a refusal the request that it
is compared with. The answers are judged by the rules of the run. Where no target is named, it is that of the settings
here, or that of the report, if that is on this machine.

Exit codes: 1 something still fails, 0 nothing does, 4 that cannot be decided of something, 2 and 3 as for `check`.
")]
pub(crate) struct Args {
    /// The folder of a run's reports, or its report.json, with exchanges.ndjson next to it
    #[arg(value_name = "REPORT", default_value = "reports")]
    run: PathBuf,

    /// Only requirements whose id matches, such as `response/*`; may be repeated. Includes requirements that did not fail
    #[arg(long, value_name = "GLOB", help_heading = "Selection")]
    only: Vec<String>,

    /// Send everything that a requirement was judged on, not only what shows its failure
    #[arg(long, help_heading = "Selection")]
    whole: bool,

    /// Send it up to this many times, until it fails
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=1000), help_heading = "Run")]
    times: u32,

    #[command(flatten)]
    contract: ContractOptions,

    /// Accept a contract that has changed since the report
    #[arg(long)]
    any_contract: bool,

    #[command(flatten)]
    target: TargetOptions,

    #[command(flatten)]
    budget: Flags<BUDGET>,

    /// Keep the records that are created, even if the settings say how to remove them
    #[arg(long, help_heading = "Run")]
    no_cleanup: bool,

    /// The folder for the list of created records
    #[arg(long, value_name = "DIR", default_value = "reports", help_heading = "Output")]
    out: PathBuf,

    /// Print JSON
    #[arg(long, help_heading = "Output")]
    json: bool,

    /// Show each exchange in one line on stderr; twice: in full
    #[arg(short, long, action = clap::ArgAction::Count, help_heading = "Output")]
    verbose: u8,

    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
    color: Color,
}

/// How the recorded run named contract and target.
#[derive(Debug, Default, Parser)]
#[command(no_binary_name = true)]
struct Typed {
    #[command(flatten)]
    contract: ContractOptions,
    #[command(flatten)]
    target: TargetOptions,
}

pub(crate) fn run(args: &Args) -> Done {
    let report = read(&args.run).map_err(|diagnostic| is_id(&args.run).unwrap_or(diagnostic))?;
    if args.only.is_empty() && report.failed().is_empty() && report.ruling.as_ref().is_some_and(Ruling::is_good) {
        return Ok(nothing_failed(&report, args));
    }
    let chosen = chosen(&report, args)?;
    let words = shlex::split(&report.header.command).unwrap_or_default();
    let recorded = Typed::try_parse_from(words.iter().skip(2)).unwrap_or_default();
    if report.header.contract.operations.len() > 1 && args.contract.operation.is_empty() {
        let file = args.run.join(REPORT).display().to_string();
        let file = if args.run.is_file() { args.run.display().to_string() } else { file };
        return Err(Failed::Input(
            Diagnostic::new("the report is about several operations, and one needs what another created")
                .help(format!("to try again what failed: {} --rerun-failed {}", report.header.command, quoted(&file))),
        ));
    }
    let contract_options = contract_of(args, &recorded);
    let mut contract = contract_options.load()?;
    let chosen: Vec<_> = match contract.document_only {
        // The report is about other operations, too.
        true => chosen.into_iter().filter(|r| contract.requirement(&r.id).is_some()).collect(),
        false => chosen,
    };
    if chosen.is_empty() {
        return Err(Failed::Input(
            Diagnostic::new(format!("nothing of `{}` failed in this report", contract.operation.id))
                .help("choose another operation with --operation"),
        ));
    }
    let header = &report.header;
    if contract.hash != header.contract.hash && !args.any_contract {
        return Err(Failed::Input(
            Diagnostic::new(format!(
                "the contract is not the one of the report: {} {:.12}, then {} {:.12}",
                contract.name, contract.hash, header.contract.name, header.contract.hash
            ))
            .help("pass the contract of the report with --contract; or --any-contract to judge requirements with the same id by this one"),
        ));
    }
    let recording = Recording { exchanges: read_exchanges(&args.run)?, report: report.clone() };
    if !recording.is_of_one_run() {
        return Err(Failed::Input(
            Diagnostic::new(format!("{EXCHANGES} and the report next to it are of different runs"))
                .help("a run that was killed leaves the report of the run before it: check again"),
        ));
    }
    let (target_options, target) = target_of(&report, args, recorded)?;
    logging::keep_out(&target.settings.secrets);
    target.settings.authenticate(&mut contract)?;
    target.settings.warnings().iter().for_each(|warning| complain!("warning: {warning}"));
    let options = Options {
        seed: Some(header.seed),
        examples: usize::try_from(header.options.examples).ok(),
        fit: false,
        command: command(&contract_options, &target_options),
        target_name: target.embedded.as_ref().map(|_| EMBEDDED_TARGET.to_owned()),
        ..Options::default()
    };
    let session = Session::new(contract, target.settings, &options, Clock::system())?;
    let today = Today {
        contract: session.contract(),
        fixtures: session.fixtures(),
        settings: session.client().settings(),
        plan: session.plan(),
    };
    let (script, places) = script(&recording, today, &chosen, args.whole, args.times);
    // What the embedded server holds ends with it.
    let out = target.embedded.is_none().then_some(args.out.as_path());
    let (mut sent, answers) = block_on(async {
        end_at_signals(session.client().stop());
        let mut sink: Box<dyn Sink> = match args.verbose {
            0 => Box::new(Progress::new(!args.json && !is_dumb())),
            n => Box::new(VerboseLog::new(session.recorder().clone(), n > 1)),
        };
        let (mut sent, answers) = session.replay(&script, out, &mut *sink).await.map_err(unwritable)?;
        if let (Some(out), false, Some(_)) = (out, args.no_cleanup, &session.client().settings().cleanup) {
            sent.cleanup = clean_up(&session, out, true).await;
        }
        Ok::<_, Failed>((sent, answers))
    })??;
    let item = |(recorded, place): (&Requirement, std::result::Result<Place, NotSent>)| {
        let mut recorded = recorded.clone();
        let today = place.and_then(|place| {
            place.failure.into_iter().for_each(|failure| recorded.failures.swap(0, failure));
            let today = sent.requirement(&recorded.id).ok_or(NotSent::NoRequirement)?;
            Ok((today, answers.get(place.replay).cloned().flatten()))
        });
        let cause = recorded.cause.as_ref().and_then(|cause| report.requirement(cause));
        let again = recorded.again.or_else(|| cause?.again);
        Item::new(recorded, again, today)
    };
    let items: Vec<Item> = chosen.into_iter().zip(places).map(item).collect();
    let exit = exit(&items, sent.end.preflight_failed);
    let replayed = Replayed {
        recorded: Run::of(&report),
        today: Run::of(&sent),
        items,
        figures: sent.figures.clone(),
        cleanup: sent.cleanup.take(),
        reason: sent.end.reason.clone(),
        exit: exit.code(),
    };
    print(&match args.json {
        true => format!("{}\n", serde_json::to_string_pretty(&replayed).unwrap_or_default()),
        false => {
            let options = terminal::Options { color: args.color.stdout(), width: width(), full: args.verbose > 0 };
            crate::replay::terminal::render(&replayed, &options)
        }
    });
    Ok(exit)
}

/// Of a green report there is nothing to send again, which is as it should be.
fn nothing_failed(report: &Report, args: &Args) -> Exit {
    let reason = format!("nothing failed in {}, so there is nothing to send again", args.run.display());
    if args.json {
        let (recorded, today) = (Run::of(report), Run::of(report));
        let (figures, exit) = (Figures::default(), Exit::Conformant.code());
        let replayed =
            Replayed { recorded, today, items: Vec::new(), figures, cleanup: None, reason: Some(reason), exit };
        print(&format!("{}\n", serde_json::to_string_pretty(&replayed).unwrap_or_default()));
    } else {
        print(&format!("{reason}; --only ID sends what did not fail\n"));
    }
    Exit::Conformant
}

/// The exit code: what fails counts before what cannot be decided.
fn exit(items: &[Item], unreachable: bool) -> Exit {
    let has = |verdict| items.iter().any(|item| item.state.look() == verdict);
    match () {
        () if unreachable => Exit::Unreachable,
        () if has(Verdict::Fail) => Exit::NotConformant,
        () if has(Verdict::Inconclusive) => Exit::Untested,
        () => Exit::Conformant,
    }
}

/// What to say where an id was typed in the place of the report.
fn is_id(path: &Path) -> Option<Box<Diagnostic>> {
    let text = path.to_str().filter(|text| !path.exists() && text.contains('/') && !text.ends_with(".json"))?;
    Some(
        Diagnostic::new(format!("there is no folder {text}"))
            .help(format!("to name a requirement, pass --only {text}")),
    )
}

/// The requirements that are meant: those that failed, or those asked for.
fn chosen<'a>(report: &'a Report, args: &Args) -> Result<Vec<&'a Requirement>> {
    let failed = report.failed();
    if args.only.is_empty() {
        if failed.is_empty() {
            return Err(Diagnostic::new(format!("nothing failed in {}", args.run.display()))
                .help("there is nothing to send again; use --only ID to send what did not fail"));
        }
        return Ok(failed);
    }
    let ids = || report.requirements.iter().map(|r| r.id.as_str());
    for pattern in &args.only {
        let one = Selection::new(vec![pattern.clone()], Vec::new());
        let fits = ids().map(|id| one.fits(id)).collect::<Result<Vec<_>>>()?;
        if fits.contains(&true) && !report.selected().any(|r| one.fits(&r.id).unwrap_or_default()) {
            return Err(Diagnostic::new(format!("the recorded run did not include `{pattern}`"))
                .help("`probity report -v` shows what it included"));
        }
        if !fits.contains(&true) {
            return Err(Diagnostic::new(format!("no requirement of the report matches `{pattern}`"))
                .help(did_you_mean(pattern, ids()).unwrap_or_else(|| "`probity list` shows all ids".to_owned())));
        }
    }
    let all = Selection::new(args.only.clone(), Vec::new());
    let others = report.selected().filter(|r| r.verdict != Verdict::Fail);
    Ok(failed.into_iter().chain(others).filter(|r| all.fits(&r.id).unwrap_or_default()).collect())
}

/// The contract that was typed; that of the report where none was.
fn contract_of(args: &Args, recorded: &Typed) -> ContractOptions {
    if args.contract.document.is_some() || args.contract.contract.is_some() {
        return args.contract.clone();
    }
    let folder = recorded.contract.contract.clone().filter(|folder| folder.is_dir());
    ContractOptions { contract: folder, ..recorded.contract.clone() }
}

/// The target that was typed; that of the report where none was.
fn target_of(report: &Report, args: &Args, recorded: Typed) -> Result<(TargetOptions, Target)> {
    let mut options = args.target.clone();
    if options.is_named() {
        let target = options.target(&args.budget)?;
        return Ok((options, target));
    }
    // How it was reached (settings, a proxy, an authority) may be another matter here.
    let recorded = recorded.target;
    if let Some(url) = recorded.url() {
        // Who wrote a report does not say where today's token goes.
        if !url.parse().is_ok_and(|url| is_loopback(&url)) {
            return Err(Diagnostic::new(format!(
                "the report is of {}, and your token would be sent there",
                visible(url)
            ))
            .help("if you mean that, pass --target with this URL; or pass another target"));
        }
    }
    if let Some(on) = &recorded.on {
        // Nor does it say which of the targets here gets it.
        return Err(Diagnostic::new(format!("the report is of the target {:?}", visible(on)))
            .help("name it if that is meant, or another target: --on NAME"));
    }
    let url = recorded.url().cloned();
    options.flags.0.extend(url.map(|url| ("target", url)));
    (options.fault, options.variation) = (recorded.fault, recorded.variation);
    if options.fixture.is_empty() {
        options.fixture = recorded.fixture;
    }
    let url = &report.header.target;
    if url == EMBEDDED_TARGET {
        let target = options.own(&args.budget)?;
        return Ok((options, target));
    }
    let target = options.target(&args.budget)?;
    if target.embedded.is_some() {
        return Err(Diagnostic::new(format!("the report is of {url}, and there are no settings here"))
            .help("pass a target with --target, or settings with --config"));
    }
    Ok((options, target))
}

/// The exchanges beside a report, by number.
fn read_exchanges(run: &Path) -> Result<BTreeMap<u64, crate::report::model::Exchange>> {
    let folder = if run.is_file() { run.parent().unwrap_or(Path::new("")) } else { run };
    let file = folder.join(EXCHANGES);
    let wrong = |e: std::io::Error| {
        Diagnostic::new(format!("cannot read {}: {e}", file.display())).help(format!(
            "the requests are in {EXCHANGES}, which `probity check` writes next to the report: keep both files"
        ))
    };
    exchanges::read(&file).map_err(wrong)?.map(|e| e.map(|e| (e.number, e)).map_err(wrong)).collect()
}
