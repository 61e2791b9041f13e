//! `schema`: what the files that people write may hold, for their editors.

use clap::{Args as ClapArgs, ValueEnum};

use super::{Done, print};
use crate::contract::keys;
use crate::gate::Exit;
use crate::settings;

/// Print the JSON Schema (2020-12) of a file, so that editors complete and check it.
///
/// docs/editors.md says how to make it known to them.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Which file
    file: File,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum File {
    /// probity.toml
    Settings,
    /// contract.yaml of a contract's folder
    Contract,
    /// A file of cases beside it
    Cases,
}

pub(crate) fn run(args: &Args) -> Done {
    let schema = match args.file {
        File::Settings => settings::schema::schema(),
        File::Contract => keys::contract_schema(),
        File::Cases => keys::cases_schema(),
    };
    print(&format!("{schema:#}\n"));
    Ok(Exit::Conformant)
}
