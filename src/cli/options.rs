//! Options that several commands share.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::contract::{Contract, EMBEDDED, Location};
use crate::reference::{self, Fault, Liberty};
use crate::source::{Diagnostic, Result, Source, did_you_mean};
use crate::target::settings::{FILE, Overrides, Settings};

/// Which contract.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ContractOptions {
    /// The contract's folder, with contract.yaml and the case files [default: the embedded one]
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,
}

impl ContractOptions {
    pub(crate) fn load(&self) -> Result<Contract> {
        Contract::load(&match &self.contract {
            Some(folder) => Location::Folder(folder.clone()),
            None => Location::Embedded(EMBEDDED.to_owned()),
        })
    }
}

/// Which server.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Target")]
pub(crate) struct TargetOptions {
    /// The target's settings [default: probity.toml here, if --target is not given]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The target's base URL; the caller's token is read from PROBITY_TOKEN
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,

    /// Something that the target lends, as `household_id=hh_1`; dots go deeper
    #[arg(long, value_name = "PATH=VALUE", value_parser = pair)]
    pub fixture: Vec<(String, String)>,

    /// Make the embedded server deviate (see `list --faults`); may be repeated
    #[arg(long, value_name = "NAME", conflicts_with_all = ["config", "target"])]
    pub fault: Vec<String>,

    /// Make the embedded server differ without breaking the contract (see `list --liberties`); may be repeated
    #[arg(long, value_name = "NAME", conflicts_with_all = ["config", "target"])]
    pub liberty: Vec<String>,
}

fn pair(text: &str) -> std::result::Result<(String, String), String> {
    text.split_once('=')
        .map(|(path, value)| (path.to_owned(), value.to_owned()))
        .ok_or_else(|| "write PATH=VALUE".to_owned())
}

/// A target, and the embedded server where it is that.
pub(crate) struct Target {
    pub settings: Settings,
    pub embedded: Option<reference::Server>,
}

impl TargetOptions {
    /// The target that was meant: the one typed, the one in the file, or the embedded server.
    pub(crate) fn target(&self) -> Result<Target> {
        let overrides = Overrides { url: self.target.clone(), fixtures: self.fixture.clone() };
        let wants_embedded = !self.fault.is_empty() || !self.liberty.is_empty();
        let file = match (&self.config, &self.target) {
            (Some(path), _) => Some(path.clone()),
            (None, None) if !wants_embedded => Some(PathBuf::from(FILE)).filter(|p| p.is_file()),
            (None, _) => None,
        };
        if file.is_none() && self.target.is_none() {
            return self.embedded(&overrides);
        }
        let source = file.map(|path| read(&path)).transpose()?;
        let settings = Settings::read(source, &overrides, &|name| std::env::var(name).ok())?;
        Ok(Target { settings, embedded: None })
    }

    /// The embedded server.
    pub(crate) fn embedded(&self, overrides: &Overrides) -> Result<Target> {
        let server = start(&self.fault, &self.liberty, 0)?;
        let settings = crate::audit::run::settings(&server.url, overrides)?;
        Ok(Target { settings, embedded: Some(server) })
    }
}

/// Starts the reference server.
pub(crate) fn start(faults: &[String], liberties: &[String], port: u16) -> Result<reference::Server> {
    let faults = faults
        .iter()
        .map(|name| Fault::named(name).ok_or_else(|| unknown("fault", name, Fault::ALL.iter().map(|f| f.name()))))
        .collect::<Result<_>>()?;
    let liberties = liberties
        .iter()
        .map(|name| Liberty::named(name).ok_or_else(|| unknown("liberty", name, Liberty::ALL.iter().map(|l| l.name()))))
        .collect::<Result<_>>()?;
    reference::start(reference::Options { port, faults, liberties })
        .map_err(|e| Diagnostic::new(format!("cannot start the reference server: {e}")).help("try another --port"))
}

fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Box<Diagnostic> {
    Diagnostic::new(format!("there is no {kind} `{name}`")).help(
        did_you_mean(name, known).unwrap_or_else(|| "`probity list --faults` and `--liberties` show all".to_owned()),
    )
}

fn read(path: &std::path::Path) -> Result<Arc<Source>> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        Diagnostic::new(format!("cannot read {}: {e}", path.display())).help("name the file with --config")
    })?;
    Ok(Source::new(path.display().to_string(), text))
}

/// Which requirements.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct SelectionOptions {
    /// Only requirements whose id matches, as `idempotency/*`; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub only: Vec<String>,

    /// No requirements whose id matches; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub skip: Vec<String>,

    /// The seed: the same one sends the same requests [default: a new one]
    #[arg(long)]
    pub seed: Option<u64>,

    /// How many random requests the pool has, half of them with one fault [default: 24]
    #[arg(long, value_name = "N")]
    pub examples: Option<usize>,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Whether standard output gets colour.
    pub(crate) fn stdout(self) -> bool {
        self.decide(std::io::stdout().is_terminal())
    }

    fn decide(self, terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        }
    }
}

/// Whether errors get colour.
pub(crate) fn color_stderr() -> bool {
    Color::Auto.decide(std::io::stderr().is_terminal())
}

/// The width to write to.
pub(crate) fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    columns.unwrap_or_else(|| usize::from(console::Term::stdout().size().1)).clamp(60, 200)
}
