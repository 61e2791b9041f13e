//! `man`: pages for `man`, for those who package probity.

use std::path::PathBuf;

use clap::{Args as ClapArgs, CommandFactory};

use super::output::unwritable;
use super::{Cli, Done};
use crate::gate::Exit;
use crate::report::{self, WriteError};

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The folder for the pages: `probity.1`, and one for each command
    dir: PathBuf,
}

pub(crate) fn run(args: &Args) -> Done {
    report::create_dir(&args.dir).map_err(unwritable)?;
    clap_mangen::generate_to(Cli::command(), &args.dir)
        .map_err(|source| unwritable(WriteError { path: args.dir.clone(), source }))?;
    Ok(Exit::Conformant)
}
