//! How a command that has a report at its end writes and tells it.

use std::path::PathBuf;

use clap::Args;

use super::options::{Color, formats, width};
use super::{Done, Failed, github, print};
use crate::gate::waivers::first_file;
use crate::gate::{Exit, Policy, decide};
use crate::http::clock::system_now;
use crate::report::{self, CREATED, EXCHANGES, Format, REPORT, Report};
use crate::source::Diagnostic;

/// What is written, and how it is shown.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputOptions {
    /// Where reports are written
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub out: PathBuf,

    /// Write this too; may be repeated
    #[arg(long, value_name = "FORMAT", value_delimiter = ',', value_parser = formats())]
    report: Vec<String>,

    /// Print a file that waives all that failed, instead of the summary, which goes to stderr
    #[arg(long)]
    write_waivers: bool,

    /// Only the verdict, and where the reports are
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Each exchange of a run in a line, and each failure in full, what passed, what was observed; twice: each exchange
    /// whole
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

impl OutputOptions {
    /// Decides on a report, writes it, and tells of it. The folder holds the exchanges.
    pub(crate) fn conclude(&self, mut report: Report, policy: &Policy) -> Done {
        let exit = rule(&mut report, policy);
        self.write(&report)?;
        self.tell(&report);
        Ok(exit)
    }

    /// Writes a report.
    pub(crate) fn write(&self, report: &Report) -> Result<(), Failed> {
        report::write_all(&self.out, report, &self.asked()).map(drop).map_err(unwritable)
    }

    /// Tells of a report that was written.
    pub(crate) fn tell(&self, report: &Report) {
        // The report itself is named first.
        let kept = [REPORT, EXCHANGES, CREATED].into_iter().map(|name| self.out.join(name)).filter(|f| f.is_file());
        let asked = self.asked();
        let others = report::written(&asked).filter(|f| f.file != REPORT).map(|f| self.out.join(f.file));
        let files: Vec<PathBuf> = kept.chain(others).collect();
        let to_stdout = !self.write_waivers;
        let options = report::terminal::Options {
            color: to_stdout && self.color.stdout(),
            width: width(),
            full: self.verbose > 0,
        };
        let render = if self.quiet { report::terminal::ending } else { report::terminal::render };
        let summary = github::adapt(report, render(report, &files, &options));
        if to_stdout {
            print(&summary);
        } else {
            eprint!("{summary}");
            print(&first_file(report));
        }
    }

    fn asked(&self) -> Vec<&'static Format> {
        self.report.iter().filter_map(|name| Format::named(name)).collect()
    }
}

/// Puts into a report what the gate makes of it.
pub(crate) fn rule(report: &mut Report, policy: &Policy) -> Exit {
    let decision = decide(report, policy, system_now().date_naive());
    report.ruling = Some(decision.ruling);
    decision.exit
}

/// The folder for reports is the user's choice.
pub(crate) fn unwritable(error: report::WriteError) -> Failed {
    Failed::Input(Diagnostic::new(error.to_string()).help("name another folder with --out"))
}
