//! The files of a contract: in a folder, or embedded in the binary.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

use super::cases::stem;
use crate::document::Document;
use crate::source::{Diagnostic, Place, Result, Source};

static CASES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/cases");
static SPEC: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/spec");

/// The location of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// The first one that is embedded in the binary.
    Embedded,
    /// Embedded in the binary, by the name of its folder.
    Named(String),
    /// In a folder.
    Folder(PathBuf),
}

impl Location {
    /// The location of another contract, whose folder is named from this one's.
    pub(super) fn beside(&self, folder: &str) -> Self {
        match self {
            Self::Embedded | Self::Named(_) => Self::Named(folder.trim_start_matches("../").to_owned()),
            Self::Folder(own) => Self::Folder(own.join(folder)),
        }
    }

    /// The location that is meant by a path: a folder, or else what is embedded under that name.
    pub fn of(path: &Path) -> Self {
        let name = path.strip_prefix("cases").unwrap_or(path);
        match name.to_str().filter(|name| !path.exists() && CASES.get_dir(name).is_some()) {
            Some(name) => Self::Named(name.to_owned()),
            None => Self::Folder(path.to_owned()),
        }
    }

    /// The folder in the binary, if it is there.
    fn embedded(&self) -> Option<&'static Dir<'static>> {
        match self {
            Self::Embedded => CASES.dirs().next(),
            Self::Named(name) => CASES.get_dir(name),
            Self::Folder(_) => None,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            _ => {
                let path = self.embedded().map_or(Path::new(""), Dir::path);
                write!(f, "cases/{} (embedded)", path.display())
            }
        }
    }
}

/// The files of a contract before they are parsed.
pub(super) struct Files {
    pub(super) name: String,
    pub(super) contract: Arc<Source>,
    /// The `contract.yaml` of the contract that this one extends.
    base: Option<Arc<Source>>,
    pub(super) areas: Vec<Arc<Source>>,
}

impl Files {
    /// Adds the case files of the contract that this one extends, but for those of which it has its own.
    pub(super) fn extend(&mut self, base: Self) {
        let own: Vec<String> = self.areas.iter().map(|area| stem(&area.path).to_owned()).collect();
        self.areas.extend(base.areas.into_iter().filter(|area| !own.iter().any(|own| own == stem(&area.path))));
        self.base = Some(base.contract);
    }

    /// Removes the files of the document from the case files, if they are in the same folder.
    pub(super) fn leave_out(&mut self, location: &Location, document: &Document) {
        if let Location::Folder(folder) = location {
            let paths: Vec<PathBuf> = document.sources().iter().map(|source| folder.join(&source.path)).collect();
            self.areas.retain(|area| !paths.iter().any(|path| Path::new(&area.path) == path));
        }
    }

    /// SHA-256 over all texts, in the order of their names.
    pub(super) fn hash(&self, document: &Document) -> String {
        hash(document.sources().into_iter().chain([&self.contract]).chain(&self.base).chain(&self.areas))
    }
}

/// SHA-256 over some texts, each with its length.
pub(super) fn hash<'a>(texts: impl IntoIterator<Item = &'a Arc<Source>>) -> String {
    let mut hasher = Sha256::new();
    for source in texts {
        hasher.update((source.text.len() as u64).to_be_bytes());
        hasher.update(source.text.as_bytes());
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The name of a document's file, without its ending.
pub(super) fn stem_of(document: &Document) -> String {
    let path = document.sources().first().map_or("", |source| source.path.as_str());
    Path::new(path).file_stem().map_or_else(|| path.to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// Reads the contract's folder.
pub(super) fn read(location: &Location) -> Result<Files> {
    let mut all: Vec<Arc<Source>> = match location {
        Location::Embedded | Location::Named(_) => location
            .embedded()
            .into_iter()
            .flat_map(Dir::files)
            .filter_map(|f| {
                let path = format!("cases/{}", f.path().display());
                Some(Source::new(path, f.contents_utf8()?))
            })
            .collect(),
        Location::Folder(folder) => folder_files(folder)?,
    };
    all.retain(|s| has_yaml_ending(&s.path));
    all.sort_by(|a, b| a.path.cmp(&b.path));
    let at = all.iter().position(|s| stem(&s.path) == "contract");
    let Some(at) = at else {
        return Err(Diagnostic::new(format!("{location} has no contract.yaml"))
            .help("name the folder of a contract: it has a contract.yaml, and a case file for each area"));
    };
    let contract = all.remove(at);
    let name = match location {
        Location::Embedded | Location::Named(_) => {
            location.embedded().map_or_else(String::new, |folder| folder.path().display().to_string())
        }
        Location::Folder(folder) => std::fs::canonicalize(folder)
            .ok()
            .and_then(|p| Some(p.file_name()?.to_string_lossy().into_owned()))
            .unwrap_or_else(|| folder.display().to_string()),
    };
    Ok(Files { name, contract, base: None, areas: all })
}

fn folder_files(folder: &Path) -> Result<Vec<Arc<Source>>> {
    let unreadable = |path: &Path, e: &std::io::Error| {
        let help = match e.kind() {
            std::io::ErrorKind::InvalidData => "save it as UTF-8",
            _ => "name a contract's folder with --contract",
        };
        Diagnostic::new(format!("cannot read {}: {e}", path.display())).help(help)
    };
    let entries = std::fs::read_dir(folder).map_err(|e| unreadable(folder, &e))?;
    let mut all = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| unreadable(folder, &e))?.path();
        if path.is_file() && has_yaml_ending(&path.to_string_lossy()) {
            let text = std::fs::read_to_string(&path).map_err(|e| unreadable(&path, &e))?;
            all.push(Source::new(path.display().to_string(), text));
        }
    }
    Ok(all)
}

fn has_yaml_ending(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}

/// Reads the document that a contract names, relative to its folder or to one above it, with the files that it refers
/// to.
pub(super) fn document(location: &Location, name: &str, asked: &Place) -> Result<Document> {
    match location {
        Location::Embedded | Location::Named(_) => {
            let path = name.trim_start_matches("spec/");
            let read = |path: &str| SPEC.get_file(path).and_then(include_dir::File::contents_utf8);
            let text = read(path).ok_or_else(|| asked.error(format!("`{name}` is not embedded in the binary")))?;
            let load = |path: &str| match read(path) {
                Some(text) => Ok(Source::new(path, text)),
                None => Err(io::Error::other("it is not embedded in the binary")),
            };
            Document::read(&Source::new(name, text), &load)
        }
        Location::Folder(folder) => {
            let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.clone());
            let found = folder.ancestors().map(|f| f.join(name)).find(|p| p.is_file());
            let Some(path) = found else {
                return Err(asked
                    .error(format!("cannot find `{name}`"))
                    .help("the contract's folder and the folders above it were searched"));
            };
            let text = std::fs::read_to_string(&path).map_err(|e| {
                asked
                    .error(format!("cannot read {}: {e}", path.display()))
                    .help("a document must be a readable file of UTF-8 text")
            })?;
            let beside = path.parent().unwrap_or(&folder);
            let load = |path: &str| Ok(Source::new(path, std::fs::read_to_string(beside.join(path))?));
            Document::read(&Source::new(name, text), &load)
        }
    }
}
