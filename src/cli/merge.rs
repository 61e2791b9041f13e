//! `merge`: the parts of a run that was split over machines.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::options::{GateOptions, report as read};
use super::output::{OutputOptions, unwritable};
use super::{Done, Failed};
use crate::report::build::merge::{merge, renumbered};
use crate::report::log::exchanges;
use crate::report::{self, EXCHANGES, Report, WriteError};
use crate::source::Diagnostic;

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "\
Example, of a run in three parts, each on a machine of its own:
  probity check --seed 7 --shard 1/3 --out part-1       and so on, then, with all three folders:
  probity merge part-1 part-2 part-3

Every part needs the same seed and the same options. Where one is missing, the run is not green.
")]
pub(crate) struct Args {
    /// The folders of the parts, or their report.json files
    #[arg(required = true)]
    parts: Vec<PathBuf>,

    /// The settings file whose [gate] applies [default: probity.toml here or in a folder above]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    gate: GateOptions,

    #[command(flatten)]
    output: OutputOptions,
}

pub(crate) fn run(args: &Args) -> Done {
    args.output.spare_reports()?;
    let mut parts: Vec<(Report, u64)> = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    let mut shift = 0;
    for path in &args.parts {
        let part = read(path)?;
        let next = shift + part.figures.requests;
        let highest = exchanges_of(path, shift, &mut lines)?;
        parts.push((part, shift));
        shift = next.max(highest);
    }
    let merged = merge(&parts).map_err(|(at, misfit)| {
        Diagnostic::new(format!("{} cannot be merged: {misfit}", args.parts[at].display()))
            .help("make each part with `probity check --shard 1/3 --seed N …` and the same options")
    })?;
    let requirements = merged.requirements.iter().map(|r| (r.id.as_str(), r.level));
    let policy = args.gate.policy(GateOptions::settings(args.config.as_deref())?.as_ref(), requirements)?;
    let _lock = args.output.lock()?;
    let whole = |folder: &Path| folder.canonicalize().ok();
    let is_replaced = |part: &&PathBuf| {
        let folder = if part.is_file() { part.parent().unwrap_or(Path::new("")) } else { part };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        whole(folder).is_some_and(|folder| Some(folder) == whole(args.output.out()))
    };
    if let Some(part) = args.parts.iter().find(is_replaced) {
        let title = format!("{} is a part itself, and would be replaced", part.display());
        return Err(Failed::Input(Diagnostic::new(title).help("name another folder to write to with --out")));
    }
    write(args.output.out(), &lines).map_err(unwritable)?;
    args.output.conclude(merged, &policy)
}

/// The exchanges of a part, with other numbers; tells the number after the highest.
fn exchanges_of(path: &Path, shift: u64, lines: &mut Vec<String>) -> Result<u64, Failed> {
    let folder = if path.is_file() { path.parent().unwrap_or(Path::new("")) } else { path };
    let file = folder.join(EXCHANGES);
    let wrong = |e: std::io::Error| {
        Diagnostic::new(format!("cannot read {}: {e}", file.display()))
            .help(format!("name the folder that `probity check --out` wrote, with its {EXCHANGES}"))
    };
    let mut highest = shift;
    for exchange in exchanges::read(&file).map_err(wrong)? {
        let exchange = renumbered(exchange.map_err(wrong)?, shift);
        highest = highest.max(exchange.number + 1);
        lines.push(serde_json::to_string(&exchange).map_err(|e| Failed::Defect(e.to_string()))?);
    }
    Ok(highest)
}

fn write(out: &Path, lines: &[String]) -> Result<(), WriteError> {
    report::create_dir(out)?;
    let path = out.join(EXCHANGES);
    let write = || {
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path)?);
        lines.iter().try_for_each(|line| writeln!(file, "{line}"))?;
        file.flush()
    };
    write().map_err(|source| WriteError { path: path.clone(), source })
}
