//! Options that several commands share.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::contract::requirement::Level;
use crate::contract::template::parse_duration;
use crate::contract::{Contract, Location};
use crate::gate::policy::{self, Effect, Policy, Rule};
use crate::gate::waivers::Waivers;
use crate::reference::{self, Fault, Liberty};
use crate::report::{FORMATS, REPORT, Report};
use crate::source::{Diagnostic, Result, Source, did_you_mean};
use crate::target::settings::{KEYS, Overrides, Settings, find};

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
            None => Location::Embedded,
        })
    }

    /// The words that name this contract again on a command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let folder = self.contract.as_ref().map(|folder| folder.display().to_string());
        folder.map_or_else(Vec::new, |folder| vec!["--contract".to_owned(), quoted(&folder)])
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), |quoted| quoted.into_owned())
}

/// Which server, and how it is to be treated. Every value may also stand in a variable or in probity.toml.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Target")]
pub(crate) struct TargetOptions {
    /// The settings [env: PROBITY_CONFIG] [default: probity.toml, here or in a folder above]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The target of this name in the settings: [targets.NAME] [env: PROBITY_ON]
    #[arg(long, value_name = "NAME")]
    pub on: Option<String>,

    /// The target's base URL; without settings, the caller's token is read from PROBITY_TOKEN [env: PROBITY_TARGET]
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,

    /// Something that the target lends, as `thing_id=t_1`; dots go deeper
    #[arg(long, value_name = "PATH=VALUE", value_parser = pair)]
    pub fixture: Vec<(String, String)>,

    /// Check a server that the document names as its own
    #[arg(long)]
    pub allow_production: bool,

    /// How many requests are sent in a time, as 8/s or 900/h [env: PROBITY_RATE]
    #[arg(long, value_name = "RATE")]
    pub rate: Option<String>,

    /// How many requests are under way at most [env: PROBITY_CONCURRENCY] [default: 16]
    #[arg(long, value_name = "N")]
    pub concurrency: Option<String>,

    #[command(flatten)]
    pub connection: ConnectionOptions,

    /// Make the embedded server deviate (see `list --faults`); may be repeated
    #[arg(long, value_name = "NAME", conflicts_with_all = ["config", "target", "on"])]
    pub fault: Vec<String>,

    /// Make the embedded server differ without breaking the contract (see `list --liberties`); may be repeated
    #[arg(long, value_name = "NAME", conflicts_with_all = ["config", "target", "on"])]
    pub liberty: Vec<String>,
}

/// How the server is connected to. Every value may also stand in a variable or in probity.toml.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Target")]
pub(crate) struct ConnectionOptions {
    /// The time limit of one request [env: PROBITY_TIMEOUT] [default: 10s]
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,

    /// The proxy [env: PROBITY_PROXY] [default: that of HTTPS_PROXY and its like]
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,

    /// Authorities that are believed beside the system's, in PEM [env: PROBITY_CA_FILE]
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<String>,

    /// Our certificate and its key, in PEM [env: PROBITY_CLIENT_CERTIFICATE]
    #[arg(long, value_name = "FILE")]
    pub client_certificate: Option<String>,

    /// Believe any certificate; for tests alone [env: PROBITY_INSECURE]
    #[arg(long)]
    pub insecure: bool,
}

impl ConnectionOptions {
    /// What was typed, by flag.
    pub(crate) fn flags(&self) -> BTreeMap<&'static str, String> {
        let texts = [
            ("timeout", &self.timeout),
            ("proxy", &self.proxy),
            ("ca-file", &self.ca_file),
            ("client-certificate", &self.client_certificate),
        ];
        let mut flags: BTreeMap<_, _> =
            texts.into_iter().filter_map(|(flag, text)| Some((flag, text.clone()?))).collect();
        flags.extend(self.insecure.then(|| ("insecure", "true".to_owned())));
        flags
    }
}

/// What a run may cost. Every value may also stand in a variable or in probity.toml.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Budget")]
pub(crate) struct BudgetOptions {
    /// How many requests may be sent, shrinking included [env: PROBITY_MAX_REQUESTS] [default: 500, or what
    /// --examples asks for]
    #[arg(long, value_name = "N")]
    pub max_requests: Option<String>,

    /// How many records may be created [env: PROBITY_MAX_CREATED]
    #[arg(long, value_name = "N")]
    pub max_created: Option<String>,

    /// How long it may take, waits included [env: PROBITY_MAX_DURATION]
    #[arg(long, value_name = "DURATION")]
    pub max_duration: Option<String>,
}

pub(crate) fn pair(text: &str) -> std::result::Result<(String, String), String> {
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
    pub(crate) fn target(&self, budget: &BudgetOptions) -> Result<Target> {
        let overrides = self.overrides(budget);
        match self.meant(&overrides)? {
            Meant::Embedded => self.embedded(&overrides),
            Meant::Server(source) => {
                Ok(Target { settings: Settings::read(source, &overrides, &environment)?, embedded: None })
            }
        }
    }

    /// The settings alone, where nothing is sent: tokens need not be set.
    pub(crate) fn offline(&self) -> Result<Settings> {
        if self.deviates() {
            return Err(Diagnostic::new("nothing is sent: there is no server that --fault or --liberty could change"));
        }
        let overrides = self.overrides(&BudgetOptions::default());
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
            None if self.target.is_some() || environment(TARGET).is_some() || overrides.on.is_some() => {
                Ok(Meant::Server(None))
            }
            None => Ok(Meant::Embedded),
        }
    }

    /// Whether the embedded server is to deviate.
    fn deviates(&self) -> bool {
        !self.fault.is_empty() || !self.liberty.is_empty()
    }

    /// What was typed.
    fn overrides(&self, budget: &BudgetOptions) -> Overrides {
        let mut flags = self.connection.flags();
        let texts = [
            ("target", &self.target),
            ("rate", &self.rate),
            ("concurrency", &self.concurrency),
            ("max-requests", &budget.max_requests),
            ("max-created", &budget.max_created),
            ("max-duration", &budget.max_duration),
        ];
        flags.extend(texts.into_iter().filter_map(|(flag, text)| Some((flag, text.clone()?))));
        flags.extend(self.allow_production.then(|| ("allow-production", "true".to_owned())));
        let on = self.on.clone().or_else(|| environment("PROBITY_ON"));
        Overrides { on, flags, fixtures: self.fixture.clone() }
    }

    /// The embedded server.
    pub(crate) fn embedded(&self, overrides: &Overrides) -> Result<Target> {
        let server = start(&self.fault, &self.liberty, 0)?;
        let source = Source::new("(embedded)", reference::settings_toml(&server.url));
        // It is where it is, and has tokens of its own; how it is treated may be said as of any other.
        let overrides = Overrides { on: None, ..overrides.clone() };
        let treated = |name: &str| environment(name).filter(|_| is_key(name) && name != TARGET);
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
            .overrides(&BudgetOptions::default())
            .flags
            .into_iter()
            .filter(|(name, value)| *name != "proxy" || !value.contains('@'))
            .partition(|(name, _)| ["insecure", "allow-production"].contains(name));
        for (name, value) in &texts {
            option(name, value);
        }
        for (path, value) in &self.fixture {
            option("fixture", &format!("{path}={value}"));
        }
        for fault in &self.fault {
            option("fault", fault);
        }
        for liberty in &self.liberty {
            option("liberty", liberty);
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
const TARGET: &str = "PROBITY_TARGET";

/// Whether a variable is that of a setting.
fn is_key(variable: &str) -> bool {
    KEYS.iter().any(|key| key.variable() == variable)
}

/// A variable of the environment that is set, and not to nothing.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The file of settings: the one named, or the nearest.
fn settings_file(config: Option<&Path>) -> Option<PathBuf> {
    let named = config.map(Path::to_owned).or_else(|| environment("PROBITY_CONFIG").map(PathBuf::from));
    let here = std::env::current_dir().ok();
    named.or_else(|| here.as_deref().and_then(find).map(|path| shorter(path, here.as_deref())))
}

/// A path as someone in this folder would write it.
fn shorter(path: PathBuf, here: Option<&Path>) -> PathBuf {
    here.and_then(|here| path.strip_prefix(here).ok()).map(Path::to_path_buf).unwrap_or(path)
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

fn read(path: &Path, help: &str) -> Result<Arc<Source>> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Diagnostic::new(format!("cannot read {}: {e}", path.display())).help(help))?;
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

    /// How many random requests the pool has, half of them with one fault [default: 18]
    #[arg(long, value_name = "N")]
    pub examples: Option<usize>,
}

/// What makes the run red.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Gate")]
pub(crate) struct GateOptions {
    /// Count what this names: a level, an area, an id or a pattern of ids; may be repeated. Musts count without
    #[arg(long, value_name = "WHAT")]
    pub deny: Vec<String>,

    /// Do not count what this names; the narrower name wins, and --deny over --allow
    #[arg(long, value_name = "WHAT")]
    pub allow: Vec<String>,

    /// Be green though the budget left something out
    #[arg(long)]
    pub allow_untested: bool,

    /// Failures that are put up with; --write-waivers prints the first such file
    #[arg(long, value_name = "FILE")]
    pub waivers: Option<PathBuf>,

    /// Be red only for what is worse than in this report.json
    #[arg(long, value_name = "REPORT")]
    pub baseline: Option<PathBuf>,
}

impl GateOptions {
    /// The settings, for commands that have no target.
    pub(crate) fn settings(config: Option<&Path>) -> Result<Option<Arc<Source>>> {
        settings_file(config).map(|path| read(&path, "name the file with --config")).transpose()
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
            Some(file) => Waivers::read(&read(file, "name the file of waivers with --waivers")?)?,
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

/// A finished report: a report.json, or the folder that holds it.
pub(crate) fn report(path: &Path) -> Result<Report> {
    let is_file = path.extension().is_some_and(|e| e == "json") && !path.is_dir();
    let file = if is_file { path.to_owned() } else { path.join(REPORT) };
    crate::report::json::read(&file)
        .map_err(|e| Diagnostic::new(e.to_string()).help("name a report.json that `probity check` wrote"))
}

/// The formats of reports, for `--help` and completions.
pub(crate) fn formats() -> clap::builder::PossibleValuesParser {
    let all = FORMATS.iter().map(|f| clap::builder::PossibleValue::new(f.name).help(f.text));
    clap::builder::PossibleValuesParser::new(all)
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

/// A time limit, as it is typed.
pub(crate) fn duration(text: &str) -> std::result::Result<Duration, String> {
    parse_duration(text).filter(|d| !d.is_zero()).ok_or_else(|| "write 10s or 500ms".to_owned())
}
