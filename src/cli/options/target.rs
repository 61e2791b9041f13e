//! Which server, and how it is treated.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::flags::{BUDGET, CONNECTION, Flags, TARGET};
use super::{environment, pair, quoted, read, settings_file};
use crate::reference::{self, Fault, Variation};
use crate::settings::{KEYS, Overrides, Settings};
use crate::source::{Diagnostic, Result, Source, did_you_mean};

/// Which server, and how it is to be treated. Every value may also stand in a variable or in probity.toml.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Target")]
pub(crate) struct TargetOptions {
    /// The settings file [env: PROBITY_CONFIG] [default: probity.toml, here or in a folder above]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The target with this name in the settings: [targets.NAME] [env: PROBITY_ON]
    #[arg(long, value_name = "NAME")]
    pub on: Option<String>,

    /// A fixture that the target provides, such as `thing_id=t_1`; dots go deeper; may be repeated
    #[arg(long, value_name = "PATH=VALUE", value_parser = pair)]
    pub fixture: Vec<(String, String)>,

    #[command(flatten)]
    pub flags: Flags<TARGET>,

    #[command(flatten)]
    pub connection: Flags<CONNECTION>,

    /// Make the embedded server break the contract (see `list --faults`); may be repeated
    #[arg(long, value_name = "NAME", conflicts_with_all = ["config", "target", "on"])]
    pub fault: Vec<String>,

    /// Make the embedded server differ without breaking the contract (see `list --variations`); may be repeated
    #[arg(long, alias = "liberty", value_name = "NAME", conflicts_with_all = ["config", "target", "on"])]
    pub variation: Vec<String>,
}

/// A target, and the embedded server where it is that.
pub(crate) struct Target {
    pub settings: Settings,
    pub embedded: Option<reference::Server>,
}

impl TargetOptions {
    /// The target that was meant: the one typed, the one in the file, or the embedded server.
    pub(crate) fn target(&self, budget: &Flags<BUDGET>) -> Result<Target> {
        let overrides = self.overrides(budget);
        match self.meant(&overrides)? {
            Meant::Embedded => self.embedded(&overrides),
            Meant::Server(source) => {
                Ok(Target { settings: Settings::read(source, &overrides, &environment)?, embedded: None })
            }
        }
    }

    /// The embedded server, whatever settings there are.
    pub(crate) fn own(&self, budget: &Flags<BUDGET>) -> Result<Target> {
        self.embedded(&self.overrides(budget))
    }

    /// Whether a target was named, here or in the environment.
    pub(crate) fn is_named(&self) -> bool {
        let flags = [self.on.is_some(), self.url().is_some(), self.config.is_some(), self.deviates()];
        flags.contains(&true)
            || ["PROBITY_ON", TARGET_VARIABLE, "PROBITY_CONFIG"].iter().any(|name| environment(name).is_some())
    }

    /// The settings alone, where nothing is sent: tokens need not be set.
    pub(crate) fn offline(&self) -> Result<Settings> {
        if self.deviates() {
            return Err(Diagnostic::new(
                "nothing is sent: there is no server that --fault or --variation could change",
            ));
        }
        let overrides = self.overrides(&Flags::default());
        let source = match self.meant(&overrides)? {
            Meant::Embedded => Some(Source::new("(embedded)", reference::settings_toml("http://127.0.0.1"))),
            Meant::Server(source) => source,
        };
        // What stands for a token that is not set occurs nowhere.
        let token = |name: &str| environment(name).or_else(|| (!is_key(name)).then(|| format!("(unset {name})")));
        Settings::read(source, &overrides, &token)
    }

    /// What is meant by what was typed, by the environment, and by the file that lies here.
    fn meant(&self, overrides: &Overrides) -> Result<Meant> {
        if self.deviates() {
            return Ok(Meant::Embedded);
        }
        match settings_file(self.config.as_deref()) {
            Some(path) => Ok(Meant::Server(Some(read(&path, "name the file with --config")?))),
            None if self.url().is_some() || environment(TARGET_VARIABLE).is_some() || overrides.on.is_some() => {
                Ok(Meant::Server(None))
            }
            None => Ok(Meant::Embedded),
        }
    }

    /// The URL that was typed.
    pub(crate) fn url(&self) -> Option<&String> {
        self.flags.0.get("target")
    }

    /// Whether the embedded server is to deviate.
    fn deviates(&self) -> bool {
        !self.fault.is_empty() || !self.variation.is_empty()
    }

    /// What was typed.
    fn overrides(&self, budget: &Flags<BUDGET>) -> Overrides {
        let flags = [&self.flags.0, &self.connection.0, &budget.0].into_iter().flatten();
        let flags = flags.map(|(flag, text)| (*flag, text.clone())).collect();
        let on = self.on.clone().or_else(|| environment("PROBITY_ON"));
        Overrides { on, flags, fixtures: self.fixture.clone() }
    }

    /// The embedded server.
    pub(crate) fn embedded(&self, overrides: &Overrides) -> Result<Target> {
        let server = start(&self.fault, &self.variation, 0)?;
        let source = Source::new("(embedded)", reference::settings_toml(&server.url));
        // It is where it is, and has tokens of its own; how it is treated may be said as of any other.
        let overrides = Overrides { on: None, ..overrides.clone() };
        let treated = |name: &str| environment(name).filter(|_| is_key(name) && name != TARGET_VARIABLE);
        let settings =
            Settings::read(Some(source), &overrides, &|name| reference::token(name).or_else(|| treated(name)))?;
        Ok(Target { settings, embedded: Some(server) })
    }

    /// The words that name this target again on a command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut option = |name: &str, value: &str| {
            words.push(format!("--{name}"));
            words.push(quoted(value));
        };
        if let Some(config) = &self.config {
            option("config", &config.display().to_string());
        }
        if let Some(name) = &self.on {
            option("on", name);
        }
        // A proxy may hold a password.
        let (switches, texts): (Vec<_>, Vec<_>) = self
            .overrides(&Flags::default())
            .flags
            .into_iter()
            .filter(|(name, value)| *name != "proxy" || !value.contains('@'))
            .partition(|(name, _)| KEYS.iter().any(|key| key.flag == *name && key.value.is_none()));
        for (name, value) in &texts {
            option(name, value);
        }
        for (path, value) in &self.fixture {
            option("fixture", &format!("{path}={value}"));
        }
        for fault in &self.fault {
            option("fault", fault);
        }
        for variation in &self.variation {
            option("variation", variation);
        }
        words.extend(switches.iter().map(|(name, _)| format!("--{name}")));
        words
    }
}

/// Which target is meant.
enum Meant {
    /// The embedded server.
    Embedded,
    /// Another; where its settings stand, if they stand in a file.
    Server(Option<Arc<Source>>),
}

/// The variable that names a target.
const TARGET_VARIABLE: &str = "PROBITY_TARGET";

/// Whether a variable is that of a setting.
fn is_key(variable: &str) -> bool {
    KEYS.iter().any(|key| key.variable() == variable)
}

/// Starts the reference server.
pub(crate) fn start(faults: &[String], variations: &[String], port: u16) -> Result<reference::Server> {
    let faults = faults
        .iter()
        .map(|name| Fault::named(name).ok_or_else(|| unknown("fault", name, Fault::ALL.iter().map(|f| f.name()))))
        .collect::<Result<_>>()?;
    let variations = variations
        .iter()
        .map(|name| {
            Variation::named(name).ok_or_else(|| unknown("variation", name, Variation::ALL.iter().map(|l| l.name())))
        })
        .collect::<Result<_>>()?;
    reference::start(reference::Options { port, faults, variations })
        .map_err(|e| Diagnostic::new(format!("cannot start the reference server: {e}")).help("try another --port"))
}

fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Box<Diagnostic> {
    Diagnostic::new(format!("there is no {kind} `{name}`")).help(
        did_you_mean(name, known).unwrap_or_else(|| "`probity list --faults` and `--variations` show all".to_owned()),
    )
}
