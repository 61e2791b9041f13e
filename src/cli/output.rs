//! How a command that has a report at its end writes and tells it.

use std::path::PathBuf;

use clap::Args;

use super::options::{Color, formats, width};
use super::{Done, Failed, github, print};
use crate::gate::waivers::first_file;
use crate::gate::{Policy, decide};
use crate::report::{self, EXCHANGES, Format, Report};
use crate::source::Diagnostic;
use crate::target::clock::system_now;

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

    /// Everything: each failure in full, what passed, what was observed
    #[arg(short, long)]
    verbose: bool,

    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

impl OutputOptions {
    /// Decides on a report, writes it, and tells of it. The folder holds the exchanges.
    pub(crate) fn conclude(&self, mut report: Report, policy: &Policy) -> Done {
        let decision = decide(&report, policy, system_now().date_naive());
        report.ruling = Some(decision.ruling);
        let asked: Vec<&Format> = self.report.iter().filter_map(|name| Format::named(name)).collect();
        let mut files = report::write_all(&self.out, &report, &asked).map_err(unwritable)?;
        // The report itself, which is written last, is named first.
        files.insert(0, self.out.join(EXCHANGES));
        files.rotate_right(1);
        let to_stdout = !self.write_waivers;
        let options =
            report::terminal::Options { color: to_stdout && self.color.stdout(), width: width(), full: self.verbose };
        let render = if self.quiet { report::terminal::ending } else { report::terminal::render };
        let summary = github::adapt(&report, render(&report, &files, &options));
        if to_stdout {
            print(&summary);
        } else {
            eprint!("{summary}");
            print(&first_file(&report));
        }
        Ok(decision.exit)
    }
}

/// The folder for reports is the user's choice.
pub(crate) fn unwritable(error: report::WriteError) -> Failed {
    Failed::Input(Diagnostic::new(error.to_string()).help("name another folder with --out"))
}
