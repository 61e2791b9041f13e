//! `lint`: defects of a contract itself.

use clap::Args as ClapArgs;

use super::options::{ContractOptions, Flags, TargetOptions, color_stderr};
use super::{Done, print};
use crate::gate::Exit;
use crate::generate::seed::Seed;
use crate::http::clock::system_now;
use crate::plan::{Options, Plan, Selection};

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    contract: ContractOptions,

    #[command(flatten)]
    target: TargetOptions,
}

pub(crate) fn run(args: &Args) -> Done {
    let mut contract = args.contract.load()?;
    let target = args.target.target(&Flags::default())?;
    target.settings.authenticate(&mut contract)?;
    target.settings.check_fixtures(&contract.fixtures)?;
    let fixtures = target.settings.fixtures(&contract);
    let now = system_now();
    let options = Options { seed: Seed(0), examples: 0, selection: Selection::default() };
    let plan = Plan::new(&contract, &fixtures, &options, now)?;
    crate::lint::expressions(&contract, &fixtures, &plan, now)?;
    let found = crate::lint::examples(&contract, &fixtures, now);
    for guess in crate::lint::guesses(&contract) {
        complain!("{}", Box::new(guess).warning().render(color_stderr()));
    }
    let unsupported = contract.operation.unsupported.iter().map(|u| &u.message);
    for note in contract.operation.notes.iter().chain(unsupported) {
        complain!("{}", note.render_note(color_stderr()));
    }
    for diagnostic in &found {
        complain!("{}", diagnostic.render(color_stderr()));
    }
    if !found.is_empty() {
        return Ok(Exit::Usage);
    }
    print(&format!(
        "{}: {} requirements and probes, {} examples, no defect found\n",
        contract.name,
        contract.requirements.len(),
        contract.operation.examples.len()
    ));
    Ok(Exit::Conformant)
}
