//! The command line: one file a command, one dispatch.

mod audit;
mod catalogue;
mod check;
mod cleanup;
mod compare;
mod completions;
pub mod conformance;
mod doctor;
mod example;
mod explain;
mod github;
mod init;
mod judge;
mod lint;
mod list;
mod logging;
mod man;
mod merge;
mod options;
mod output;
mod plan;
mod replay;
mod report;
mod schema;
mod serve;

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::{Parser, Subcommand};

use crate::gate::Exit;
use crate::source::Diagnostic;

/// Tells whether a server keeps the contract of an API.
///
/// probity loads an OpenAPI document and a folder of cases, sends valid and invalid requests to a
/// server, and judges the responses: shapes, echoed values and units, defaults, idempotent replay.
/// Without a target it checks its embedded reference server: start with `probity check`.
#[derive(Debug, Parser)]
#[command(name = "probity", version, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write settings for a server, with what can be looked up there; sends GET requests only
    Init(init::Args),
    /// Check a server, and write reports
    Check(Box<check::Args>),
    /// Find out whether a check can run, and what stands in its way
    Doctor(Box<doctor::Args>),
    /// Remove the records that earlier checks created
    Cleanup(cleanup::Args),
    /// List the requirements
    List(list::Args),
    /// Explain a requirement, or `fixtures`, or `settings`
    Explain(explain::Args),
    /// Show what a check would send; send nothing
    Plan(plan::Args),
    /// Show a finished run again, or print it in another format
    Report(report::Args),
    /// Send the requests of a report's failures again, and say whether they still fail
    Replay(Box<replay::Args>),
    /// Judge recorded traffic (HAR); send nothing
    Judge(Box<judge::Args>),
    /// Compare the reports of several runs: implementations, or versions of one
    Compare(compare::Args),
    /// Join the parts of a run that was split over machines
    Merge(Box<merge::Args>),
    /// Look for defects in a contract itself: examples that break it, expressions that cannot work
    Lint(lint::Args),
    /// Show what a green check is worth, on servers that are known to be broken
    Audit(audit::Args),
    /// Print the JSON Schema of probity.toml, contract.yaml or a case file, for editors
    Schema(schema::Args),
    /// Run the reference server as a sandbox; it prints all that a client needs, and stores nothing
    Serve(serve::Args),
    /// Print completions for a shell, for example `probity completions bash > ~/.local/share/bash-completion/completions/probity`
    Completions(completions::Args),
    /// Write manual pages
    #[command(hide = true)]
    Man(man::Args),
}

/// How a command ended before its work was done.
pub(crate) enum Failed {
    /// Usage, settings or contract are wrong.
    Input(Box<Diagnostic>),
    /// Something of ours went wrong.
    Defect(String),
}

impl From<Box<Diagnostic>> for Failed {
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        Self::Input(diagnostic)
    }
}

type Done = Result<Exit, Failed>;

/// Runs the command that was typed.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Usage } else { Exit::Conformant }.code());
        }
    };
    std::panic::set_hook(Box::new(|info| {
        // The message may hold anything that was being worked on, tokens too: only the place is told.
        let place = info.location().map_or_else(String::new, ToString::to_string);
        complain!("error: this is a defect of probity ({place}), not of the server. Please report it.");
    }));
    logging::start();
    let done = std::panic::catch_unwind(|| {
        options::check_environment()?;
        dispatch(cli.command)
    });
    let exit = match done {
        Ok(Ok(exit)) => match UNPRINTED.get() {
            Some(error) => {
                complain!("error: cannot write to the standard output: {error}");
                exit.worse(Exit::Unwritten)
            }
            None => exit,
        },
        Ok(Err(Failed::Input(diagnostic))) => {
            complain!("{}", diagnostic.render(options::color_stderr()));
            Exit::Usage
        }
        Ok(Err(Failed::Defect(message))) => {
            complain!("error: {message}");
            Exit::Defect
        }
        Err(_) => Exit::Defect,
    };
    ExitCode::from(exit.code())
}

fn dispatch(command: Command) -> Done {
    match command {
        Command::Init(args) => init::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Cleanup(args) => cleanup::run(&args),
        Command::List(args) => list::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Judge(args) => judge::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Lint(args) => lint::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}

/// Why something could not be printed.
static UNPRINTED: OnceLock<String> = OnceLock::new();

/// Prints to standard output. A closed pipe is no error; another one is told at the end, and has the exit code of a report
/// that cannot be written.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => drop(UNPRINTED.set(error.to_string())),
        _ => {}
    }
}
