//! `cleanup`: removes what earlier runs created.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use tokio_util::sync::CancellationToken;

use super::options::{ContractOptions, Flags, TargetOptions, is_dumb};
use super::output::lock;
use super::{Done, logging, print};
use crate::cleanup::clean_up;
use crate::gate::Exit;
use crate::http::block_on;
use crate::http::clock::Clock;
use crate::report::CREATED;
use crate::report::log::created::{self, CreatedLog};
use crate::report::terminal::progress::Removing;
use crate::report::text::counted;
use crate::source::Diagnostic;
use crate::whole::clean_up_later;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The folder with the created.ndjson of a run
    #[arg(value_name = "DIR", default_value = "reports")]
    dir: PathBuf,

    #[command(flatten)]
    contract: ContractOptions,

    #[command(flatten)]
    target: TargetOptions,
}

pub(crate) fn run(args: &Args) -> Done {
    let path = args.dir.join(CREATED);
    let unusable = |e: std::io::Error| {
        Diagnostic::new(format!("{}: {e}", path.display())).help("name the folder that `probity check --out` wrote")
    };
    let left = created::read(&path).map_err(unusable)?;
    let _lock = lock(&args.dir)?;
    for line in &left.unreadable {
        complain!("warning: {}:{line} cannot be read: it may describe a record that was created", path.display());
    }
    if left.records.is_empty() && left.uncertain.is_empty() {
        print(&format!("No records are left of those that {} lists.\n", path.display()));
        return Ok(Exit::Conformant);
    }
    let mut contracts = args.contract.load_all()?;
    let settings = args.target.target(&Flags::default())?.settings;
    logging::keep_out(&settings.secrets);
    let mut refused = None;
    // What the run could not call has created nothing.
    contracts.retain_mut(|contract| match settings.authenticate(contract) {
        Ok(()) => true,
        Err(error) => {
            refused = refused.take().or(Some(error));
            false
        }
    });
    if let (true, Some(error)) = (contracts.is_empty(), refused) {
        return Err(error.into());
    }
    for contract in &contracts {
        settings.check_production(&contract.operation.servers)?;
    }
    let mut log = CreatedLog::again(&path).map_err(unusable)?;
    let stop = CancellationToken::new();
    let bar = Removing::new(!is_dumb());
    let progress = |done, all| bar.show(done, all);
    let cleaned = block_on(async {
        match &contracts[..] {
            [contract] if !contract.document_only => {
                clean_up(&settings, contract, Clock::system(), left, &mut log, &stop, &progress).await
            }
            all => clean_up_later(all, &settings, left, &mut log, &stop, &progress).await,
        }
    })??;
    bar.finish();
    log.finish().map_err(unusable)?;
    let mut text = format!("{} removed, {} left.\n", counted(cleaned.removed, "record"), cleaned.left.len());
    for (record, why) in &cleaned.left {
        let id = record.id.as_deref().unwrap_or("a record without a known id");
        text.push_str(&format!("  {id} (run tag {}, {}): {why}\n", record.run_tag, record.trial));
    }
    print(&text);
    Ok(if cleaned.left.is_empty() { Exit::Conformant } else { Exit::NotConformant })
}
