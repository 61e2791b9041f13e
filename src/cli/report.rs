//! `report`: a finished run in another form.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::options::{Color, formats, report as read, width};
use super::{Done, Failed, print};
use crate::gate::waivers::first_file;
use crate::gate::{Exit, Policy, decide};
use crate::http::clock::system_now;
use crate::report::{EXCHANGES, Format, terminal};
use crate::source::Diagnostic;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The folder of a run's reports, or its report.json
    #[arg(default_value = "reports")]
    run: PathBuf,

    /// Print it as this [default: the summary that the run printed]
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    format: Option<String>,

    /// Print a file that waives all that failed
    #[arg(long, conflicts_with = "format")]
    write_waivers: bool,

    /// In the summary everything: each failure in full, what passed, what was observed
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
    let folder = if args.run.is_file() { args.run.parent().unwrap_or(Path::new("")) } else { args.run.as_path() };
    let text = format.render(&report, folder).map_err(|e| {
        Failed::Input(
            Diagnostic::new(format!("cannot read {}: {e}", folder.join(EXCHANGES).display()))
                .help(format!("`{}` shows every exchange of the run: {EXCHANGES} lies beside its report", format.name)),
        )
    })?;
    print(&text);
    Ok(Exit::Conformant)
}
