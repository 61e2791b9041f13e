//! The files of a document, and where its references lead.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use crate::source::{Diagnostic, Place, Result, Source, did_you_mean};
use crate::yaml::{self, Node, Value};

use super::known::Known;
use super::resources::Resources;
use crate::yaml::escape;

/// The rules of a document's schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAPI 3.0: a dialect of its own.
    OpenApi30,
    /// OpenAPI 3.1 and later: JSON Schema 2020-12 with OpenAPI's vocabulary.
    Draft202012,
}

/// Reads a file by its path relative to the document's folder.
pub type Load<'a> = &'a dyn Fn(&str) -> io::Result<Arc<Source>>;

/// Why a file of a document cannot be read.
#[derive(Debug, thiserror::Error)]
enum Missing {
    /// There are too many.
    #[error("the document has more than {} files", MAX_FILES)]
    TooMany,
    /// Nobody looks there.
    #[error("it lies outside the folders around the document")]
    Outside,
    /// The system does not give it.
    #[error("{0}")]
    Unreadable(io::Error),
    /// It is neither YAML nor JSON.
    #[error("{title} ({place})")]
    Broken {
        /// What is wrong.
        title: String,
        /// Where: its line, or the file.
        place: String,
    },
}

/// What the validator says of a pattern that it cannot read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{said}")]
pub(super) struct PatternError {
    pub(super) said: String,
}

/// How many files a document may have.
const MAX_FILES: usize = 2000;
/// Stands for the document's folder: deep, so that a path may lead out of it.
const FOLDER: &str = "file:///0/1/2/3/4/5/6/7/8/9/";

/// All files of a document.
#[derive(Debug)]
pub struct Registry {
    files: Vec<File>,
    by_url: HashMap<String, usize>,
    /// Files that cannot be read, by URL, and why.
    missing: HashMap<String, Missing>,
    resources: Resources,
    dialect: Dialect,
    /// Whether patterns are valid, or why not: that is costly to find out.
    patterns: Mutex<HashMap<String, std::result::Result<(), PatternError>>>,
    pub(super) known: Known,
}

#[derive(Debug)]
struct File {
    root: Node,
    url: Url,
    /// Relative to the document's folder; empty for the document itself.
    path: String,
}

/// A node, and its place.
#[derive(Clone, Debug)]
pub struct Located<'a> {
    /// The node.
    pub node: &'a Node,
    /// The number of its file.
    file: usize,
    /// Its JSON Pointer inside that file.
    inner: String,
}

impl<'a> Located<'a> {
    /// The entry of this name.
    pub fn get(&self, name: &str) -> Option<Self> {
        let node = self.node.get(name)?;
        Some(self.below(name, node))
    }

    /// A node below this one, by its name or number.
    pub fn below(&self, name: &str, node: &'a Node) -> Self {
        Self { node, file: self.file, inner: format!("{}/{}", self.inner, escape(name)) }
    }

    /// The entries of a map; none where it is something else.
    pub fn entries(&self) -> Vec<(&'a yaml::Key, Self)> {
        match &self.node.value {
            Value::Mapping(entries) => entries.iter().map(|(key, node)| (key, self.below(&key.name, node))).collect(),
            _ => Vec::new(),
        }
    }

    /// The parts of a list; none where it is something else.
    pub fn items(&self) -> Vec<Self> {
        match &self.node.value {
            Value::Sequence(nodes) => {
                nodes.iter().enumerate().map(|(i, node)| self.below(&i.to_string(), node)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Its unique key.
    pub(crate) fn key(&self) -> (usize, &str) {
        (self.file, &self.inner)
    }

    /// A text of a map's entry, if it is one.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.node.get(name)?.string("").ok()
    }

    /// Whether a map's entry is `true`.
    pub fn flag(&self, name: &str) -> bool {
        self.node.get(name).is_some_and(|n| matches!(n.value, Value::Scalar(serde_json::Value::Bool(true))))
    }
}

impl Registry {
    /// The files of a document: itself, and those that its references lead to, as far as they can be read.
    ///
    /// # Errors
    /// The document itself cannot be read.
    pub fn read(source: &Arc<Source>, dialect: impl FnOnce(&Node) -> Result<Dialect>, load: Load<'_>) -> Result<Self> {
        let root = yaml::parse_with_repeated_keys(source)?;
        let dialect = dialect(&root)?;
        let name = source.path.rsplit(['/', '\\']).next().unwrap_or_default();
        let folder = Url::parse(FOLDER).map_err(|e| Diagnostic::new(e.to_string()))?;
        let url = folder.join(&percent(name)).unwrap_or_else(|_| folder.clone());
        let mut registry = Self {
            files: Vec::new(),
            by_url: HashMap::new(),
            missing: HashMap::new(),
            resources: Resources::default(),
            dialect,
            patterns: Mutex::default(),
            known: Known::default(),
        };
        let own = root.get("$self").and_then(|n| n.string("").ok()).and_then(|own| url.join(own).ok());
        registry.add(root, url, String::new());
        if let Some(own) = own {
            registry.by_url.entry(own.to_string()).or_insert(0);
        }
        let mut next = 0;
        while next < registry.files.len() {
            let mut urls = Vec::new();
            outside(&registry.files[next].root, &registry.files[next].url, &mut urls);
            for url in urls {
                registry.fetch(url, source, &folder, load);
            }
            next += 1;
        }
        Ok(registry)
    }

    fn add(&mut self, root: Node, url: Url, path: String) {
        let number = self.files.len();
        self.by_url.insert(url.to_string(), number);
        if self.dialect == Dialect::Draft202012 {
            self.resources.add(number, &url, &root);
        }
        self.files.push(File { root, url, path });
    }

    fn fetch(&mut self, url: Url, document: &Source, folder: &Url, load: Load<'_>) {
        let text = url.to_string();
        if url.scheme() != "file" || self.by_url.contains_key(&text) || self.missing.contains_key(&text) {
            return;
        }
        if self.files.len() >= MAX_FILES {
            self.missing.insert(text, Missing::TooMany);
            return;
        }
        let Some(path) = folder.make_relative(&url).filter(|_| url.path().starts_with("/0/")) else {
            self.missing.insert(text, Missing::Outside);
            return;
        };
        let path = percent_encoding::percent_decode_str(&path).decode_utf8_lossy().into_owned();
        let read = load(&path).map_err(Missing::Unreadable).and_then(|source| {
            let beside =
                document.path.rsplit_once(['/', '\\']).map_or(String::new(), |(folder, _)| format!("{folder}/"));
            let source = Source::new(format!("{beside}{path}"), source.text.clone());
            yaml::parse_with_repeated_keys(&source).map_err(|e| {
                let place = e.place().unwrap_or_else(|| path.clone());
                Missing::Broken { title: e.title().to_owned(), place }
            })
        });
        match read {
            Ok(root) => self.add(root, url, path),
            Err(why) => {
                self.missing.insert(text, why);
            }
        }
    }

    /// The result of `check` for a pattern, which is remembered.
    pub(super) fn pattern(
        &self,
        pattern: &str,
        check: impl FnOnce(&str) -> std::result::Result<(), PatternError>,
    ) -> std::result::Result<(), PatternError> {
        let mut known = self.patterns.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(pattern.to_owned()).or_insert_with(|| check(pattern)).clone()
    }

    /// The rules that the schemas keep.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The texts of all files, the document's own first, the others in the order of their paths.
    pub fn sources(&self) -> Vec<&Arc<Source>> {
        let mut others: Vec<&File> = self.files.iter().skip(1).collect();
        others.sort_by(|a, b| a.path.cmp(&b.path));
        self.files.first().into_iter().chain(others).map(|file| &file.root.place.source).collect()
    }

    /// The document.
    pub fn root(&self) -> Located<'_> {
        Located { node: &self.files[0].root, file: 0, inner: String::new() }
    }

    /// The place of a node as reports write it: its JSON Pointer, after the file's path and `#` if it is not in the
    /// document itself.
    pub fn pointer(&self, at: &Located<'_>) -> String {
        match self.files[at.file].path.as_str() {
            "" => at.inner.clone(),
            path => format!("{path}#{}", at.inner),
        }
    }

    /// The node at what [`Registry::pointer`] wrote, or the last one on the way there.
    pub fn nearest(&self, pointer: &str) -> &Node {
        let (root, mut inner) = match pointer.split_once('#') {
            Some((path, inner)) if !path.starts_with('/') => {
                let file = self.files.iter().find(|file| file.path == path);
                (&file.unwrap_or(&self.files[0]).root, inner)
            }
            _ => (&self.files[0].root, pointer),
        };
        loop {
            match (root.pointer(inner), inner.rfind('/')) {
                (Some(node), _) => return node,
                (None, Some(at)) => inner = &inner[..at],
                (None, None) => return root,
            }
        }
    }

    /// The target of a reference at `from`.
    ///
    /// # Errors
    /// The target cannot be read; the error has its place.
    pub fn resolve<'a>(&'a self, from: &Located<'_>, reference: &str, place: &Place) -> Result<Located<'a>> {
        let (resource, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let fragment = percent_encoding::percent_decode_str(fragment).decode_utf8_lossy();
        let base = self.resources.base(from.key()).unwrap_or(&self.files[from.file].url);
        let url = match resource {
            "" => base.clone(),
            _ => base.join(resource).map_err(|e| {
                place.error(format!("`{reference}` is not a reference: {e}")).help("a reference is a URI or a path")
            })?,
        };
        let (file, start) = match self.resources.find(url.as_str()) {
            Some((file, pointer)) => (file, pointer),
            None => (self.file(&url, &self.files[from.file].url, resource, reference, place)?, ""),
        };
        let inner = match fragment.as_ref() {
            "" => start.to_owned(),
            pointer if pointer.starts_with('/') => format!("{start}{pointer}"),
            anchor => self.resources.anchor(file, start, anchor).map(str::to_owned).ok_or_else(|| {
                place
                    .error(format!("`{reference}` leads to nothing: no schema there has the `$anchor` {anchor}"))
                    .label("there is nothing there")
            })?,
        };
        match self.files[file].root.pointer(&inner) {
            Some(node) => Ok(Located { node, file, inner }),
            None => {
                let root = &self.files[file].root;
                let (parent, last) = inner.rsplit_once('/').unwrap_or(("", &inner));
                let known = root.pointer(parent).and_then(|n| n.mapping("").ok()).unwrap_or_default();
                Err(place.error(format!("`{reference}` leads to nothing")).label("there is nothing there").help(
                    did_you_mean(last, known.iter().map(|(key, _)| key.name.as_str())).unwrap_or_else(|| {
                        "a local reference is a JSON Pointer, such as `#/components/schemas/Name`".to_owned()
                    }),
                ))
            }
        }
    }

    fn file(&self, url: &Url, file: &Url, resource: &str, reference: &str, place: &Place) -> Result<usize> {
        let mut url = url.clone();
        url.set_fragment(None);
        // An `$id` changes the base of a reference, so a file is also searched for relative to the referring file.
        let beside = file.join(resource).ok();
        let known = [Some(&url), beside.as_ref()].into_iter().flatten().find_map(|url| self.by_url.get(url.as_str()));
        if let Some(number) = known {
            return Ok(*number);
        }
        let why = [Some(&url), beside.as_ref()].into_iter().flatten().find_map(|url| self.missing.get(url.as_str()));
        Err(match why {
            Some(why) => place.error(format!("`{reference}` cannot be read: {why}")),
            None => place
                .error(format!("`{reference}` refers to a URL"))
                .help("probity reads only files: save a copy beside the document"),
        })
    }

    /// The anchors for `$dynamicRef` in the schema resource that holds a node: names, and where they lead.
    pub(super) fn dynamic_anchors(&self, at: &Located<'_>) -> Vec<(String, (usize, String))> {
        self.resources.dynamic(at.key())
    }

    /// A node by its unique key.
    pub(crate) fn at(&self, file: usize, inner: &str) -> Option<Located<'_>> {
        let node = self.files.get(file)?.root.pointer(inner)?;
        Some(Located { node, file, inner: inner.to_owned() })
    }

    /// The node that a chain of references leads to, or the node itself.
    ///
    /// # Errors
    /// One leads to nothing, or back to itself.
    pub fn follow<'a>(&'a self, at: Located<'a>) -> Result<Located<'a>> {
        let mut at = at;
        let mut seen: Vec<(usize, String)> = Vec::new();
        while let Some(reference) = at.node.get("$ref") {
            let target = reference.string("`$ref`")?;
            if seen.iter().any(|(file, inner)| at.key() == (*file, inner)) {
                return Err(reference
                    .error("this `$ref` leads back to itself")
                    .help("replace one of these references with a definition"));
            }
            seen.push((at.file, at.inner.clone()));
            at = self.resolve(&at, target, &reference.place)?;
        }
        Ok(at)
    }
}

/// The files that the references below a node lead to.
fn outside(node: &Node, base: &Url, urls: &mut Vec<Url>) {
    match &node.value {
        Value::Scalar(_) => {}
        Value::Sequence(nodes) => nodes.iter().for_each(|node| outside(node, base, urls)),
        Value::Mapping(entries) => {
            for (key, node) in entries.iter() {
                match node.string("") {
                    Ok(text) if ["$ref", "$dynamicRef", "operationRef"].contains(&key.name.as_str()) => {
                        add(text, base, urls);
                    }
                    _ if key.name == "mapping" => {
                        let values = node.mapping("").unwrap_or_default();
                        let texts = values.iter().filter_map(|(_, node)| node.string("").ok());
                        // A mapping's value may also be a name.
                        texts.filter(|text| text.contains(['/', '#', '.'])).for_each(|text| add(text, base, urls));
                        outside(node, base, urls);
                    }
                    _ => outside(node, base, urls),
                }
            }
        }
    }
}

fn add(reference: &str, base: &Url, urls: &mut Vec<Url>) {
    let resource = reference.split('#').next().unwrap_or_default();
    if !resource.is_empty()
        && let Ok(mut url) = base.join(resource)
    {
        url.set_fragment(None);
        if url != *base && !urls.contains(&url) {
            urls.push(url);
        }
    }
}

/// A file's name as part of a URL.
fn percent(name: &str) -> String {
    const SET: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS.add(b' ').add(b'%').add(b'?').add(b'#');
    percent_encoding::utf8_percent_encode(name, SET).to_string()
}
