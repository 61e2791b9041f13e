//! What makes a run red.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::{read, report, settings_file};
use crate::contract::requirement::Level;
use crate::gate::policy::{self, Effect, Policy, Rule};
use crate::gate::waivers::Waivers;
use crate::source::{Result, Source};

/// What makes the run red.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Gate")]
pub(crate) struct GateOptions {
    /// Count what this names (a level, an area, an id or a pattern of ids); may be repeated. Musts count unless --allow names them
    #[arg(long, value_name = "WHAT")]
    pub deny: Vec<String>,

    /// Do not count what this names; the narrower name wins, and --deny wins over --allow
    #[arg(long, value_name = "WHAT")]
    pub allow: Vec<String>,

    /// Be green even if the budget left something out
    #[arg(long)]
    pub allow_untested: bool,

    /// A file of known failures that are accepted; --write-waivers prints the first one
    #[arg(long, value_name = "FILE")]
    pub waivers: Option<PathBuf>,

    /// Be red only for what got worse since this report.json
    #[arg(long, value_name = "REPORT")]
    pub baseline: Option<PathBuf>,
}

impl GateOptions {
    /// The settings, for commands that have no target.
    pub(crate) fn settings(config: Option<&Path>) -> Result<Option<Arc<Source>>> {
        settings_file(config).map(|path| read(&path, "pass the settings file with --config")).transpose()
    }

    /// The policy of the settings and of what was typed, for a contract with these requirements.
    pub(crate) fn policy<'a>(
        &self,
        settings: Option<&Arc<Source>>,
        requirements: impl Iterator<Item = (&'a str, Option<Level>)> + Clone,
    ) -> Result<Policy> {
        let settings = settings.map(policy::Settings::read).transpose()?.unwrap_or_default();
        let denied = self.deny.iter().map(|word| Rule::typed(Effect::Deny, word));
        let allowed = self.allow.iter().map(|word| Rule::typed(Effect::Allow, word));
        let typed = denied.chain(allowed).collect::<Result<Vec<_>>>()?;
        let waivers = match self.waivers.as_ref().or(settings.waivers.as_ref()) {
            Some(file) => Waivers::read(&read(file, "pass the file of waivers with --waivers")?)?,
            None => Waivers::default(),
        };
        let policy = Policy {
            rules: settings.rules.into_iter().chain(typed).collect(),
            waivers,
            allow_untested: self.allow_untested || settings.allow_untested,
            baseline: self.baseline.as_deref().map(report).transpose()?.map(Box::new),
        };
        policy.check(requirements)?;
        Ok(policy)
    }
}
