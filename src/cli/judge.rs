//! `judge`: recorded traffic, without sending anything.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use url::Url;

use super::options::{ContractOptions, GateOptions, TargetOptions};
use super::output::{OutputOptions, unwritable};
use super::{Done, Failed};
use crate::exchange::Exchange;
use crate::har::{self, Judged};
use crate::http::clock::system_now;
use crate::judge::tally::Verdict;
use crate::plan::Selection;
use crate::report::log::exchanges::ExchangeLog;
use crate::report::model::{End, Options};
use crate::report::{EXCHANGES, Facts, Recorder, Report, WriteError};
use crate::run::event::{Event, Sink as _};
use crate::run::{Figures, Health, Outcome};
use crate::source::Diagnostic;

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "\
Examples:
  probity check --report har && probity judge reports/exchanges.har --out again
  probity judge session.har --config probity.toml      what a browser or a proxy recorded

Rules, constraints and what the document asks for are judged on the exchanges of the contract's operation. What needs
requests of its own stays untested, and does not make the run red.
")]
pub(crate) struct Args {
    /// The recording, a HAR file
    file: PathBuf,

    #[command(flatten)]
    contract: ContractOptions,

    #[command(flatten)]
    target: TargetOptions,

    /// Only requirements whose id matches, such as `response/*`; may be repeated
    #[arg(long, value_name = "GLOB", help_heading = "Selection")]
    only: Vec<String>,

    /// Leave out requirements whose id matches; may be repeated
    #[arg(long, value_name = "GLOB", help_heading = "Selection")]
    skip: Vec<String>,

    #[command(flatten)]
    gate: GateOptions,

    #[command(flatten)]
    output: OutputOptions,
}

pub(crate) fn run(args: &Args) -> Done {
    let name = args.file.display().to_string();
    args.output.spare_reports()?;
    let mut contract = args.contract.load()?;
    let mut settings = args.target.offline()?;
    settings.authenticate(&mut contract)?;
    settings.check_fixtures(&contract.fixtures)?;
    let unreadable =
        |e: &dyn std::fmt::Display| Diagnostic::new(format!("cannot read {name}: {e}")).help("name a HAR file");
    let bytes = std::fs::read(&args.file).map_err(|e| unreadable(&e))?;
    let text = har::file::text(bytes).map_err(|e| unreadable(&e))?;
    let har::file::Entries { read: entries, unreadable } = har::file::entries(&text).map_err(|e| {
        Diagnostic::new(format!("{name} is not a HAR file: {e}"))
            .help("browsers save one from the network panel of their developer tools; `check --report har` writes one")
    })?;
    let fixtures = settings.fixtures(&contract);
    let selected = Selection::new(args.only.clone(), args.skip.clone()).apply(&contract)?;
    let requirements = contract.requirements.iter().map(|r| (r.id.as_str(), r.level));
    let policy = args.gate.policy(settings.source.as_ref(), requirements)?;
    if !args.target.is_named() {
        // It is where it was recorded, as far as nobody says otherwise.
        let base = settings.url.path().trim_end_matches('/').to_owned();
        let recorded = entries.iter().filter_map(|entry| Url::parse(&entry.request.url).ok());
        if let Some(url) = recorded.into_iter().find(|url| url.path().starts_with(&base)) {
            let is_set = settings.url.set_scheme(url.scheme()).is_ok()
                && settings.url.set_host(url.host_str()).is_ok()
                && settings.url.set_port(url.port()).is_ok();
            debug_assert!(is_set, "an address of HTTP takes the parts of another");
        }
    }
    let judged = har::judge(&contract, &fixtures, &settings, &entries);
    if judged.exchanges.is_empty() {
        let operation = &contract.operation;
        return Err(Failed::Input(
            Diagnostic::new(format!("{name} has no exchange of {} {}", operation.method, operation.path)).help(
                "requests are expected below the path of the target's URL; pass another --target or another --contract",
            ),
        ));
    }
    let recorder = Recorder::new(&settings, contract.operation.security.as_ref());
    let facts = Facts {
        target: name.clone(),
        seed: 0,
        run_tag: "recorded".to_owned(),
        options: Options { only: args.only.clone(), skip: args.skip.clone(), recorded: true, ..Options::default() },
        command: format!("probity judge {}", shlex::try_quote(&name).unwrap_or_else(|_| name.as_str().into())),
    };
    let _lock = args.output.lock()?;
    record(args, &judged, recorder.clone()).map_err(unwritable)?;
    let others = judged.others;
    let built = Report::build(&contract, &selected, &outcome(judged), &facts, &recorder);
    if let Some(first) = unreadable.first() {
        let count = match unreadable.len() {
            1 => "1 entry".to_owned(),
            n => format!("{n} entries"),
        };
        complain!("warning: {count} of {name} cannot be read and were skipped: {first}");
    }
    if others > 0 && !args.output.quiet {
        complain!("{others} exchanges of other operations were ignored");
    }
    args.output.conclude(said(built), &policy)
}

/// The exchanges that were judged, as every run leaves them.
fn record(args: &Args, judged: &Judged, recorder: Recorder) -> Result<(), WriteError> {
    let path = args.output.out().join(EXCHANGES);
    let write = || {
        let mut log = ExchangeLog::create(&path, recorder)?;
        judged.exchanges.iter().for_each(|(exchange, purpose)| log.event(Event::Exchange(exchange, *purpose)));
        log.finish()
    };
    write().map_err(|source| WriteError { path: path.clone(), source })
}

/// What the recording brought, as a run would have.
fn outcome(judged: Judged) -> Outcome {
    let exchanges = || judged.exchanges.iter().map(|(exchange, _)| exchange);
    let latencies = exchanges().filter(|e| e.response().is_some()).map(Exchange::took_micros).collect();
    let started = exchanges().map(Exchange::sent).min().unwrap_or_else(system_now);
    let ended = exchanges().map(|e| e.last().ended()).max();
    let accepted = exchanges().filter(|e| e.status().is_some_and(|s| (200..300).contains(&s))).count();
    let figures = Figures {
        started,
        elapsed: ended.and_then(|ended| (ended - started).to_std().ok()).unwrap_or_default(),
        requests: judged.exchanges.len() as u64,
        retries: 0,
        troubles: judged.troubles,
        refused: 0,
        pace: None,
        accepted: accepted as u64,
        created: 0,
        uncertain: 0,
        slowest: Vec::new(),
        waited: std::time::Duration::ZERO,
        latencies,
        most_at_once: 0,
        clock: None,
    };
    Outcome { tallies: judged.tallies, left_out: 0, stop: None, health: Health::NotAsked, figures }
}

/// The report in the words of a recording: nothing was to be sent, so nothing was left out.
fn said(mut report: Report) -> Report {
    report.end = End { complete: true, cause: None, reason: None, preflight_failed: false };
    for requirement in &mut report.requirements {
        if requirement.selected && requirement.verdict == Verdict::Untested {
            requirement.reason = Some("no exchange of the recording shows anything about it".to_owned());
        }
        for failure in &mut requirement.failures {
            failure.rerun = failure.rerun.replace(" --seed 0 ", " ");
        }
    }
    report
}
