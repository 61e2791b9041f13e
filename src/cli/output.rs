//! How a command that has a report at its end writes and tells it.

use std::path::{Path, PathBuf};

use clap::Args;

use super::options::{Color, formats, subject, width};
use super::{Done, Failed, github, print};
use crate::gate::waivers::first_file;
use crate::gate::{Exit, Policy, decide};
use crate::http::clock::system_now;
use crate::report::lock::FolderLock;
use crate::report::model::Subject;
use crate::report::{self, CREATED, EXCHANGES, Format, REPORT, Report};
use crate::source::Diagnostic;

/// Where reports are written by default.
const OUT: &str = "reports";

/// What is written, and how it is shown.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputOptions {
    /// The folder for reports [default: reports]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Write this format too; may be repeated
    #[arg(long, value_name = "FORMAT", value_delimiter = ',', value_parser = formats())]
    report: Vec<String>,

    /// What is tested, for the report and `--report attestation` [default: the commit that CI names]
    #[arg(long, value_name = "NAME@DIGEST")]
    subject: Option<Subject>,

    /// Print a file that waives all failures, instead of the summary, which goes to stderr
    #[arg(long)]
    write_waivers: bool,

    /// Print only the verdict, and where the reports are
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
        // Parts of a run name it themselves.
        if self.subject.is_some() || report.header.subject.is_none() {
            report.header.subject = self.subject()?;
        }
        let exit = rule(&mut report, policy);
        let written = self.write(&report);
        self.tell(&report);
        Ok(exit.worse(written))
    }

    /// What is tested.
    ///
    /// # Errors
    /// A format was asked for that has to say so, and nothing does.
    pub(crate) fn subject(&self) -> Result<Option<Subject>, Failed> {
        let subject = subject::subject(self.subject.as_ref());
        subject::known(subject.as_ref(), self.report.iter().map(String::as_str))?;
        Ok(subject)
    }

    /// Writes a report, says what cannot be written, and tells what that is worth.
    pub(crate) fn write(&self, report: &Report) -> Exit {
        let (_, errors) = report::write_all(self.out(), report, &self.asked());
        unwritten(&errors)
    }

    /// Where reports are written.
    pub(crate) fn out(&self) -> &Path {
        self.out.as_deref().unwrap_or(Path::new(OUT))
    }

    /// Makes the folder for reports, and keeps it to this command.
    ///
    /// # Errors
    /// It cannot be made, or another command writes there.
    pub(crate) fn lock(&self) -> Result<FolderLock, Failed> {
        lock(self.out())
    }

    /// Checks that no reports of a run are replaced by those of another command, unless the folder was named for that.
    ///
    /// # Errors
    /// There are some.
    pub(crate) fn spare_reports(&self) -> Result<(), Failed> {
        if self.out.is_none() && Path::new(OUT).join(REPORT).exists() {
            let title = format!("{OUT} holds the reports of a run");
            return Err(Failed::Input(Diagnostic::new(title).help("name the folder to write to with --out")));
        }
        Ok(())
    }

    /// Tells of a report that was written.
    pub(crate) fn tell(&self, report: &Report) {
        // The report itself is named first.
        let kept = [REPORT, EXCHANGES, CREATED].into_iter().map(|name| self.out().join(name)).filter(|f| f.is_file());
        let asked = self.asked();
        let others = report::written(&asked)
            .filter(|f| f.file != REPORT)
            .map(|f| self.out().join(f.file))
            .filter(|f| f.is_file());
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
            complain!("{}", summary.trim_end_matches('\n'));
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

/// Says which files cannot be written, and tells what that is worth.
pub(crate) fn unwritten(errors: &[report::WriteError]) -> Exit {
    errors.iter().for_each(|error| complain!("error: {error}"));
    if errors.is_empty() { Exit::Conformant } else { Exit::Unwritten }
}

/// Makes a folder for reports, and keeps it to this command.
///
/// # Errors
/// It cannot be made, or another command writes there.
pub(crate) fn lock(folder: &Path) -> Result<FolderLock, Failed> {
    report::create_dir(folder).map_err(unwritable)?;
    let taken =
        FolderLock::take(folder).map_err(|source| unwritable(report::WriteError { path: folder.into(), source }))?;
    taken.ok_or_else(|| {
        let title = format!("another command writes to {}", folder.display());
        Failed::Input(Diagnostic::new(title).help("wait until it has ended, or name another folder with --out"))
    })
}

/// The folder for reports is the user's choice.
pub(crate) fn unwritable(error: report::WriteError) -> Failed {
    Failed::Input(Diagnostic::new(error.to_string()).help("pass another folder with --out"))
}
