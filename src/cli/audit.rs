//! `audit`: what a verdict is worth, shown on servers that are known to be broken, or not to be.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args as ClapArgs;
use globset::GlobMatcher;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::options::{ContractOptions, duration, width};
use super::{Done, Failed, print};
use crate::audit::{self, AUDIT, Audit, Kind, Options, PAGE, Run, Subject, Table};
use crate::contract::{Contract, patterns};
use crate::gate::Exit;
use crate::reference::{Fault, Variation};
use crate::report;
use crate::source::{Diagnostic, did_you_mean};

/// Show what a green check is worth.
///
/// The reference server is checked once for each of its faults, deliberate deviations from the
/// contract (`probity list --faults`). Each must be caught by the requirements that its entry in
/// tests/matrix/faults.toml names, by no fewer and no more, and each must has to catch one. With a
/// contract whose steps call other operations, these are the faults of reading and updating, in
/// tests/matrix/later.toml.
///
/// With --variations, or --pairs, it is checked with differences that the contract allows
/// (`probity list --variations`): none may fail a must.
///
/// Prints the matrix and writes audit.json and audit.md. Exits with 0 if all is as expected, with 1
/// if not, and with 2 if the options are wrong. All faults take two minutes or so; all pairs,
/// half an hour with --jobs 16.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    contract: ContractOptions,

    /// Only faults whose name matches, such as `key-*`; may be repeated
    #[arg(long, value_name = "GLOB", conflicts_with_all = ["variations", "pairs"])]
    fault: Vec<String>,

    /// Try the variations instead, one at a time
    #[arg(long, alias = "liberties")]
    variations: bool,

    /// Try the variations instead, two at a time
    #[arg(long, conflicts_with = "variations")]
    pairs: bool,

    /// Try only this many pairs, chosen by the seed
    #[arg(long, value_name = "N", requires = "pairs")]
    sample: Option<usize>,

    /// Only requirements whose id matches, such as `idempotency/*`; may be repeated
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,

    /// Try quick checks: how many of the faults `check --quick` finds, and that it fails nothing else
    #[arg(long)]
    quick: bool,

    /// The seed of each check
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How many checks run at the same time; they mostly wait
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,

    /// The time limit of one request; each fault that never answers costs it
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    timeout: Duration,

    /// Where audit.json and audit.md are written
    #[arg(long, value_name = "DIR", default_value = "reports")]
    out: PathBuf,
}

pub(crate) fn run(args: &Args) -> Done {
    let contract = Arc::new(args.contract.load()?);
    let (kind, subjects) = subjects(args, &contract)?;
    let table = match kind {
        Kind::Faults => Table::faults(&contract)?,
        Kind::Variations | Kind::Pairs => Table::variations()?,
    };
    let options = Options {
        seed: args.seed,
        jobs: usize::from(args.jobs),
        timeout: args.timeout,
        only: args.only.clone(),
        quick: args.quick,
    };
    let table = if args.quick { table.of_what_fails() } else { table };
    let bar = progress(subjects.len());
    let runs = audit::run::run(&contract, &subjects, &options, &|run: &Run| {
        bar.set_message(run.name.clone());
        bar.inc(1);
    });
    bar.finish_and_clear();
    // The faults of the contract's own operation are tried on a contract of that operation alone.
    let whole = args.fault.is_empty()
        && args.sample.is_none()
        && args.only.is_empty()
        && contract.called.is_empty()
        && !args.quick;
    let mut audit = Audit::new(&contract, kind, args.seed, whole, &subjects, &runs?, &table);
    let words: String = args.contract.words().iter().map(|word| format!(" {word}")).collect();
    audit.rows.iter_mut().for_each(|row| row.command += &words);
    let written = report::create_dir(&args.out).and_then(|()| {
        let json = serde_json::to_string_pretty(&audit).unwrap_or_default() + "\n";
        report::write_file(&args.out, AUDIT, &json)?;
        report::write_file(&args.out, PAGE, &audit::text::markdown(&audit))
    });
    written.map_err(|e| Failed::Defect(e.to_string()))?;
    // Lines are cut for the eye only.
    let columns = if std::io::stdout().is_terminal() { width() } else { usize::MAX };
    print(audit::text::terminal(&audit, columns).trim_start_matches('\n'));
    print(&format!("audit: {}, {}\n", args.out.join(AUDIT).display(), args.out.join(PAGE).display()));
    Ok(if audit.is_good() { Exit::Conformant } else { Exit::NotConformant })
}

fn subjects(args: &Args, contract: &Contract) -> Result<(Kind, Vec<Subject>), Box<Diagnostic>> {
    if args.variations {
        return Ok((Kind::Variations, Subject::variations()));
    }
    if args.pairs {
        if args.sample == Some(0) {
            return Err(Diagnostic::new("--sample 0 would try nothing").help("leave --sample out to try all pairs"));
        }
        return Ok((Kind::Pairs, Subject::pairs(args.sample, args.seed)));
    }
    let globs = args.fault.iter().map(|g| glob(g, contract)).collect::<Result<Vec<_>, _>>()?;
    let chosen = audit::run::faults(contract);
    let chosen = chosen.filter(|f| globs.is_empty() || globs.iter().any(|g| g.is_match(f.name())));
    Ok((Kind::Faults, chosen.map(Subject::fault).collect()))
}

/// A pattern that fits at least one fault.
fn glob(pattern: &str, contract: &Contract) -> Result<GlobMatcher, Box<Diagnostic>> {
    let glob = patterns::glob(pattern)?.compile_matcher();
    let names = || audit::run::faults(contract).map(Fault::name);
    if names().any(|name| glob.is_match(name)) {
        return Ok(glob);
    }
    let help = if Fault::named(pattern).is_some() {
        "this contract has no requirement on what the fault is about: choose another with --contract".to_owned()
    } else if Variation::named(pattern).is_some() {
        "this is a variation: use `probity audit --variations`".to_owned()
    } else {
        did_you_mean(pattern, names()).unwrap_or_else(|| "`probity list --faults` lists them".to_owned())
    };
    Err(Diagnostic::new(format!("no fault matches `{pattern}`")).help(help))
}

/// A bar on stderr, where that is a terminal.
fn progress(length: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length as u64), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} servers, {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
