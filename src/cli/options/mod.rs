//! Options that several commands share.
//!
//! - [`target`]: which server, and how it is treated; [`flags`]: the flags of the settings
//! - [`gate`]: what makes a run red; [`subject`]: what is tested

pub(crate) mod document;
mod flags;
mod gate;
pub(crate) mod subject;
mod target;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::contract::of_document::{contracts, deletions};
use crate::contract::template::parse_duration;
use crate::contract::{Contract, Location};
use crate::document::Document;
use crate::report::{FORMATS, REPORT, Report};
use crate::settings::find;
use crate::source::{Diagnostic, Result, Source};
use crate::whole::resources::add_laws;

pub(crate) use flags::{BUDGET, CONNECTION, Flags};
pub(crate) use gate::GateOptions;
pub(crate) use target::{Target, TargetOptions, start};

/// Which contract.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ContractOptions {
    /// The contract's folder, with contract.yaml and the case files, or the name of an embedded contract
    /// [default: the embedded contract of one operation]
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,

    /// An OpenAPI document in place of a contract's folder: what follows from it alone, for each of its operations
    #[arg(long, value_name = "FILE|URL", conflicts_with = "contract")]
    pub document: Option<String>,

    /// Only operations of the document whose operationId, `METHOD /path` or tag matches; may be repeated
    #[arg(long, value_name = "GLOB", requires = "document")]
    pub operation: Vec<String>,

    /// No operations of the document whose operationId, `METHOD /path` or tag matches; may be repeated
    #[arg(long, value_name = "GLOB", requires = "document")]
    pub skip_operation: Vec<String>,
}

impl ContractOptions {
    /// The one contract that is meant.
    pub(crate) fn load(&self) -> Result<Contract> {
        if let Some(document) = &self.document {
            let mut all = self.operations(document)?;
            return match (all.pop(), all.len()) {
                (Some(only), 0) => Ok(only),
                (_, others) => Err(Diagnostic::new(format!("{} operations of the document match", others + 1))
                    .help("this command is about one of them: choose it with --operation ID")),
            };
        }
        Contract::load(&match &self.contract {
            Some(folder) => Location::of(folder),
            None => Location::Embedded,
        })
    }

    /// The contracts that are meant: one for each operation of a document.
    pub(crate) fn load_all(&self) -> Result<Vec<Contract>> {
        match &self.document {
            Some(document) => self.operations(document),
            None => Ok(vec![self.load()?]),
        }
    }

    fn operations(&self, document: &str) -> Result<Vec<Contract>> {
        self.contracts(&document::read(document)?)
    }

    fn contracts(&self, document: &Document) -> Result<Vec<Contract>> {
        let mut all = contracts(document, &self.operation, &self.skip_operation)?;
        add_laws(&mut all);
        Ok(all)
    }

    /// The contracts of the operations that are meant, and of those that are not and remove records.
    pub(crate) fn load_with_deletions(&self, document: &str) -> Result<(Vec<Contract>, Vec<Contract>)> {
        let document = document::read(document)?;
        Ok((self.contracts(&document)?, deletions(&document, &self.operation, &self.skip_operation)?))
    }

    /// The words that name this contract again on a command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let folder = self.contract.as_ref().map(|folder| folder.display().to_string());
        let one = |name: &str, text: &str| vec![format!("--{name}"), quoted(text)];
        let mut words: Vec<String> = Vec::new();
        words.extend(folder.iter().flat_map(|folder| one("contract", folder)));
        words.extend(self.document.iter().flat_map(|document| one("document", &document::shown(document))));
        words.extend(self.operation.iter().flat_map(|glob| one("operation", glob)));
        words.extend(self.skip_operation.iter().flat_map(|glob| one("skip-operation", glob)));
        words
    }
}

/// A word as a shell reads it.
pub(crate) fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), |quoted| quoted.into_owned())
}

pub(crate) fn pair(text: &str) -> std::result::Result<(String, String), String> {
    text.split_once('=')
        .map(|(path, value)| (path.to_owned(), value.to_owned()))
        .ok_or_else(|| "write PATH=VALUE".to_owned())
}

/// Variables that say what is tested: set to nothing, they would mean something else than was asked for.
const NEVER_EMPTY: [&str; 5] =
    ["PROBITY_CONFIG", "PROBITY_CONTRACT", "PROBITY_DOCUMENT", "PROBITY_ON", "PROBITY_TARGET"];

/// Checks that the variables of the environment that are meant for us can be read.
///
/// # Errors
/// One is no text, or is empty where that would change what is tested.
pub(crate) fn check_environment() -> Result<()> {
    let mut all: Vec<_> =
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PROBITY_")).collect();
    all.sort();
    for (name, value) in all {
        let name = name.to_string_lossy();
        match value.to_str() {
            None => {
                return Err(Diagnostic::new(format!("the variable {name} is not text in UTF-8"))
                    .help("set it again, or unset it"));
            }
            Some("") if NEVER_EMPTY.contains(&name.as_ref()) => {
                return Err(Diagnostic::new(format!("the variable {name} is empty"))
                    .help("give it a value, or unset it: an empty one is often a variable of CI that is missing"));
            }
            Some(_) => {}
        }
    }
    Ok(())
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

fn read(path: &Path, help: &str) -> Result<Arc<Source>> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Diagnostic::new(format!("cannot read {}: {e}", path.display())).help(help))?;
    Ok(Source::new(path.display().to_string(), text))
}

/// The most random requests of a run: they are planned before the first one is sent.
const MOST_EXAMPLES: usize = 1_000_000;

/// Which requirements.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct SelectionOptions {
    /// Only requirements whose id matches, such as `idempotency/*`; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub only: Vec<String>,

    /// Leave out requirements whose id matches; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub skip: Vec<String>,

    /// The seed: the same seed sends the same requests [default: a new one]
    #[arg(long)]
    pub seed: Option<u64>,

    /// How many random requests to send, half of them with one fault [default: 6]
    #[arg(long, value_name = "N", value_parser = examples)]
    pub examples: Option<usize>,

    /// Only what finds most for few requests, 120 at most, and nothing that waits: for a hook before each commit
    #[arg(long, conflicts_with = "examples")]
    pub quick: bool,
}

/// A number of random requests.
fn examples(text: &str) -> std::result::Result<usize, String> {
    let number: usize = text.parse().map_err(|_| format!("write a whole number up to {MOST_EXAMPLES}"))?;
    if number > MOST_EXAMPLES { Err(format!("{MOST_EXAMPLES} are the most")) } else { Ok(number) }
}

/// A finished report: a report.json, or the folder that holds it.
pub(crate) fn report(path: &Path) -> Result<Report> {
    let is_file = path.extension().is_some_and(|e| e == "json") && !path.is_dir();
    let file = if is_file { path.to_owned() } else { path.join(REPORT) };
    crate::report::format::json::read(&file).map_err(|e| {
        Diagnostic::new(e.to_string()).help("pass a report.json that `probity check` wrote, or its folder")
    })
}

/// The formats of reports, for `--help` and completions.
pub(crate) fn formats() -> clap::builder::PossibleValuesParser {
    let all = FORMATS.iter().map(|f| clap::builder::PossibleValue::new(f.name).help(f.text));
    clap::builder::PossibleValuesParser::new(all)
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb
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
        self.wanted(terminal, is_dumb(), environment("NO_COLOR").is_some())
    }

    fn wanted(self, terminal: bool, dumb: bool, refused: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => terminal && !dumb && !refused,
        }
    }
}

/// Whether the terminal says that it can do nothing but show text.
pub(crate) fn is_dumb() -> bool {
    environment("TERM").is_some_and(|term| term == "dumb")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dumb_terminal_gets_no_colour_by_itself() {
        let colours = |color: Color| {
            [(true, false, false), (true, true, false), (true, false, true), (false, false, false)]
                .map(|(terminal, dumb, refused)| color.wanted(terminal, dumb, refused))
        };
        assert_eq!(colours(Color::Auto), [true, false, false, false]);
        assert_eq!(colours(Color::Always), [true; 4]);
        assert_eq!(colours(Color::Never), [false; 4]);
    }
}
