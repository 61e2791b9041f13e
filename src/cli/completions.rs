//! `completions`: for a shell.

use clap::{Args as ClapArgs, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Done, print};
use crate::gate::Exit;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Done {
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "probity", &mut out);
    print(&String::from_utf8_lossy(&out));
    Ok(Exit::Conformant)
}
