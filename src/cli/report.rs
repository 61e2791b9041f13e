//! `report`: a finished run in another form.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::options::{Color, formats, report as read, subject, width};
use super::{Done, Failed, print};
use crate::gate::waivers::first_file;
use crate::gate::{Exit, Policy, decide};
use crate::http::clock::system_now;
use crate::report::model::Subject;
use crate::report::{EXCHANGES, Format, terminal};
use crate::source::Diagnostic;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The folder of a run's reports, or its report.json
    #[arg(default_value = "reports")]
    run: PathBuf,

    /// The output format [default: the summary that the run printed]
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    format: Option<String>,

    /// What was tested, for `--format attestation` [default: what the report names, or else the commit that CI names]
    #[arg(long, value_name = "NAME@DIGEST")]
    subject: Option<Subject>,

    /// Print a file that waives all failures
    #[arg(long, conflicts_with = "format")]
    write_waivers: bool,

    /// Show everything in the summary: each failure in full, what passed, what was observed
    #[arg(short, long)]
    verbose: bool,

    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

pub(crate) fn run(args: &Args) -> Done {
    let mut report = read(&args.run)?;
    if report.ruling.is_none() {
        report.ruling = Some(decide(&report, &Policy::default(), system_now().date_naive()).ruling);
    }
    if args.write_waivers {
        print(&first_file(&report));
        return Ok(Exit::Conformant);
    }
    let Some(format) = args.format.as_deref().and_then(Format::named) else {
        let options = terminal::Options { color: args.color.stdout(), width: width(), full: args.verbose };
        print(&terminal::render(&report, &[], &options));
        return Ok(Exit::Conformant);
    };
    if args.subject.is_some() || report.header.subject.is_none() {
        report.header.subject = subject::subject(args.subject.as_ref());
    }
    subject::known(report.header.subject.as_ref(), std::iter::once(format.name))?;
    let folder = if args.run.is_file() { args.run.parent().unwrap_or(Path::new("")) } else { args.run.as_path() };
    let text = format.render(&report, folder).map_err(|e| {
        Failed::Input(Diagnostic::new(format!("cannot read {}: {e}", folder.join(EXCHANGES).display())).help(format!(
            "`{}` shows every exchange of the run, so it needs {EXCHANGES} next to the report",
            format.name
        )))
    })?;
    print(&text);
    Ok(Exit::Conformant)
}
