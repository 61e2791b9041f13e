//! `check --document`: every operation of a document, without a contract.

use std::path::Path;

use super::super::options::color_stderr;
use super::super::output::{rule, unwritable, unwritten};
use super::super::{Done, Failed};
use super::{Args, cleaning, end_at_signals, failed_ids, options, ready, shown_on_the_way, told};
use crate::gate::Exit;
use crate::http::block_on;
use crate::http::clock::Clock;
use crate::report::model::Cleanup;
use crate::source::Diagnostic;
use crate::whole::{Rules, Whole};

pub(super) fn run(args: &Args, document: &str) -> Done {
    if args.shard.is_some() {
        return Err(Diagnostic::new("--shard splits the run of a contract, not of a document")
            .help("choose the operations of each part with --operation")
            .into());
    }
    let (contracts, deletions) = args.contract.load_with_deletions(document)?;
    let exactly = args.rerun_failed.as_deref().map(failed_ids).transpose()?;
    let Some(target) = ready(args)? else { return Ok(Exit::Conformant) };
    if target.embedded.is_some() && !args.target.is_named() {
        return Err(Diagnostic::new("no target is set")
            .help("name the server that the document describes: --target URL")
            .into());
    }
    let requirements = contracts.iter().flat_map(|c| &c.requirements).map(|r| (r.id.as_str(), r.level));
    let policy = args.gate.policy(target.settings.source.as_ref(), requirements)?;
    for part in contracts.iter().flat_map(|c| &c.operation.unsupported) {
        complain!("{}", Box::new(part.message.clone()).warning().render(color_stderr()));
    }
    let rules = Rules { named: args.contract.operation.clone(), allow_unsafe: args.allow_unsafe };
    let options = options(args, exactly, target.embedded.is_some());
    let mut whole = Whole::new(contracts, target.settings, options, rules, Clock::system())?.removing_with(deletions);
    let output = &args.output;
    let subject = output.subject()?;
    let _lock = output.lock()?;
    let (report, exit) = block_on(async {
        end_at_signals(whole.stop());
        let mut sink = shown_on_the_way(output, whole.recorder());
        let mut report = whole.run(Some(output.out()), &mut *sink).await.map_err(unwritable)?;
        drop(sink);
        report.header.subject = subject;
        let exit = rule(&mut report, &policy).worse(unwritten(&whole.unwritten()));
        let mut written = output.write(&report);
        if !args.no_cleanup {
            report.cleanup = clean_up(&whole, output.out(), !output.quiet).await;
            if report.cleanup.is_some() && written == Exit::Conformant {
                written = output.write(&report);
            }
        }
        Ok::<_, Failed>((report, exit.worse(written)))
    })??;
    output.tell(&report);
    Ok(exit)
}

/// Removes what the run created, and says if that cannot be done.
async fn clean_up(whole: &Whole, out: &Path, shown: bool) -> Option<Cleanup> {
    let (stop, bar) = cleaning(whole.stop(), shown);
    let cleaned = whole.clean_up(out, &stop, &|done, all| bar.show(done, all)).await;
    bar.finish();
    told(cleaned).flatten()
}
