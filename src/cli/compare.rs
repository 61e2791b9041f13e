//! `compare`: reports beside each other.

use std::path::Path;

use clap::Args as ClapArgs;

use super::options::{Color, report as read, width};
use super::{Done, Failed, print};
use crate::compare::{Comparison, page, text};
use crate::gate::Exit;
use crate::report::terminal::Options;
use crate::report::{PAGE, Report};
use crate::source::{Diagnostic, Result};

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "\
Examples:
  probity compare last-week/report.json reports
  probity compare old=runs/1 new=runs/2 rust=runs/3 --format html > comparison.html
")]
pub(crate) struct Args {
    /// The folders of the runs, or their report.json files; `NAME=PATH` gives one a name
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    runs: Vec<String>,

    /// The output format
    #[arg(long, value_name = "FORMAT", default_value = "terminal")]
    format: Shape,

    /// Compare runs of different contracts too, by the ids of their requirements
    #[arg(long)]
    any_contract: bool,

    /// Show everything on the terminal, not only what differs
    #[arg(short, long)]
    verbose: bool,

    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    /// A table
    Terminal,
    /// For a comment on a merge request
    Markdown,
    /// A self-contained page
    Html,
    /// For programs
    Json,
}

pub(crate) fn run(args: &Args) -> Done {
    let runs = args.runs.iter().map(|run| named(run)).collect::<Result<Vec<_>>>()?;
    let hash = |report: &Report| report.header.contract.hash.clone();
    if let Some((other, report)) = runs.iter().find(|(_, r)| hash(r) != hash(&runs[0].1))
        && !args.any_contract
    {
        let (first, first_report) = &runs[0];
        return Err(Failed::Input(
            Diagnostic::new(format!(
                "the runs are of different contracts: {first} of {} {:.12}, {other} of {} {:.12}",
                first_report.header.contract.name,
                hash(first_report),
                report.header.contract.name,
                hash(report)
            ))
            .help("use --any-contract to compare requirements with the same id; where their wording changed, verdicts may differ for that reason"),
        ));
    }
    let pages = args.runs.iter().map(|run| page_of(run)).collect();
    let comparison = Comparison::new(&runs).linked(pages);
    print(&match args.format {
        Shape::Terminal => {
            text::render(&comparison, &Options { color: args.color.stdout(), width: width(), full: args.verbose })
        }
        Shape::Markdown => page::markdown(&comparison),
        Shape::Html => page::html(&comparison),
        Shape::Json => format!("{}\n", serde_json::to_string_pretty(&comparison).unwrap_or_default()),
    });
    Ok(Exit::Conformant)
}

/// A run and what it is called: as it was named, or by its path.
fn named(run: &str) -> Result<(String, Report)> {
    let (name, path) = name_and_path(run);
    Ok((name.to_owned(), read(path.as_ref())?))
}

fn name_and_path(run: &str) -> (&str, &str) {
    run.split_once('=').unwrap_or((run, run))
}

/// The page that lies beside a report.
fn page_of(run: &str) -> Option<String> {
    let path = Path::new(name_and_path(run).1);
    let folder = if path.is_file() { path.parent().unwrap_or(Path::new("")) } else { path };
    let page = folder.join(PAGE);
    page.is_file().then(|| page.display().to_string())
}
