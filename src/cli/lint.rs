//! `lint`: defects of a contract itself.

use clap::Args as ClapArgs;

use super::options::{ContractOptions, Flags, TargetOptions, color_stderr};
use super::{Done, print};
use crate::contract::Contract;
use crate::gate::Exit;
use crate::generate::seed::Seed;
use crate::http::clock::system_now;
use crate::plan::{Options, Plan, Selection};
use crate::report::text::counted;
use crate::settings::Settings;
use crate::source::Result;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    contract: ContractOptions,

    #[command(flatten)]
    target: TargetOptions,
}

pub(crate) fn run(args: &Args) -> Done {
    let contracts = args.contract.load_all()?;
    let target = args.target.target(&Flags::default())?;
    let (mut requirements, mut examples, mut defects) = (0, 0, 0);
    let name = contracts[0].name.clone();
    for mut contract in contracts {
        requirements += contract.requirements.len();
        examples += contract.operation.examples.len();
        defects += one(&mut contract, &target.settings)?;
    }
    if defects > 0 {
        return Ok(Exit::Usage);
    }
    let examples = counted(examples as u64, "example");
    print(&format!("{name}: {requirements} requirements and probes, {examples}, no defect found\n"));
    Ok(Exit::Conformant)
}

/// Says what is odd about a contract, and returns how many defects it has.
fn one(contract: &mut Contract, settings: &Settings) -> Result<usize> {
    let now = system_now();
    // A document by itself has no expressions, and says nothing of whether a token is set.
    if !contract.document_only {
        settings.authenticate(contract)?;
        settings.check_fixtures(&contract.fixtures)?;
    }
    let fixtures = settings.fixtures(contract);
    if !contract.document_only {
        let options = Options { seed: Seed(0), examples: 0, selection: Selection::default() };
        let plan = Plan::new(contract, &fixtures, &options, now)?;
        crate::lint::expressions(contract, &fixtures, &plan, now)?;
    }
    let found = crate::lint::examples(contract, &fixtures, now);
    for guess in crate::lint::guesses(contract) {
        complain!("{}", Box::new(guess).warning().render(color_stderr()));
    }
    let unsupported = contract.operation.unsupported.iter().map(|u| &u.message);
    for note in contract.operation.notes.iter().chain(unsupported) {
        complain!("{}", note.render_note(color_stderr()));
    }
    for diagnostic in &found {
        complain!("{}", diagnostic.render(color_stderr()));
    }
    Ok(found.len())
}
