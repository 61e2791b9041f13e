//! The files of `src/`, and which of them use which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::Regex;

/// Files by their place among the modules (`report/model/record`), without comments and tests.
pub(super) struct Tree {
    files: BTreeMap<String, String>,
    /// What roots of modules declare under a name of their own (`report/Report`), and where it stands.
    exports: BTreeMap<String, String>,
}

impl Tree {
    pub(super) fn of_crate() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        read(&root, &root, &mut files);
        assert!(files.len() > 100, "the source");
        Self::of(files.iter().map(|(place, text)| (place.as_str(), text.as_str())))
    }

    pub(super) fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files: BTreeMap<String, String> =
            files.into_iter().map(|(place, text)| (place.to_owned(), without_comments_and_tests(text))).collect();
        let exporting = Regex::new(r"\bpub(?:\([^)]*\))? use ([^;]*);").expect("a pattern");
        let mut exports = BTreeMap::new();
        for (place, text) in &files {
            for path in exporting.captures_iter(text).flat_map(|found| expanded(&found[1])) {
                let path: Vec<&str> = path.split("::").filter(|part| *part != "self").collect();
                if let Some(name) = path.last().filter(|_| !["crate", "super"].contains(&path[0])) {
                    exports.insert(format!("{place}/{name}"), format!("{place}/{}", path.join("/")));
                }
            }
        }
        Self { files, exports }
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(place, text)| (place.as_str(), text.as_str()))
    }

    /// For each file, the files that it uses by `crate::`, `super::`, `self::` or the name of a part.
    pub(super) fn imports(&self) -> BTreeMap<String, BTreeSet<String>> {
        let child = Regex::new(r"\bmod (\w+);").expect("a pattern");
        let imports = |(place, text): (&String, &String)| {
            let children: Vec<&str> = child.captures_iter(text).map(|c| c.get(1).expect("a name").as_str()).collect();
            let first = ["crate", "super", "self"].iter().chain(&children).copied().collect::<Vec<_>>().join("|");
            let path =
                Regex::new(&format!(r"(?:^|[^\w:])((?:{first})::[\w:]*(?:\{{[^;]*\}}\s*;)?)")).expect("a pattern");
            let paths = path.captures_iter(text).flat_map(|found| expanded(found[1].trim_end_matches(';')));
            let used = paths.filter_map(|path| self.resolve(place, &path)).filter(|file| file != place);
            (place.clone(), used.collect())
        };
        self.files.iter().map(imports).collect()
    }

    /// The file in which a path of another file ends.
    fn resolve(&self, place: &str, path: &str) -> Option<String> {
        let mut at: Vec<&str> = place.split('/').collect();
        let mut parts = path.split("::").map(str::trim).peekable();
        if parts.peek() == Some(&"crate") {
            at.clear();
            parts.next();
        }
        while let Some(first @ ("super" | "self")) = parts.peek().copied() {
            if first == "super" {
                at.pop();
            }
            parts.next();
        }
        at.extend(parts.filter(|part| !part.is_empty() && *part != "self"));
        for length in (1..=at.len()).rev() {
            let path = at[..length].join("/");
            if self.files.contains_key(&path) {
                return Some(path);
            }
            if let Some(export) = self.exports.get(&path) {
                return self.resolve("", &format!("crate::{}", export.replace('/', "::")));
            }
        }
        None
    }
}

fn read(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let path = entry.path();
        if path.is_dir() {
            read(root, &path, files);
            continue;
        }
        let place = path.strip_prefix(root).expect("below src").with_extension("").display().to_string();
        let place = place.strip_suffix("/mod").unwrap_or(&place).to_owned();
        let is_test = place.split('/').any(|part| ["tests", "sample", "snapshots"].contains(&part));
        if path.extension().is_some_and(|e| e == "rs") && !is_test && !["lib", "main"].contains(&place.as_str()) {
            files.push((place, std::fs::read_to_string(&path).expect("a source")));
        }
    }
}

fn without_comments_and_tests(text: &str) -> String {
    let text =
        match text.find("#[cfg(test)]\nmod tests {").or_else(|| text.find("#[cfg(test)]\npub(super) mod tests {")) {
            Some(at) => &text[..at],
            None => text,
        };
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
fn expanded(path: &str) -> Vec<String> {
    let Some((before, inside)) = path.split_once('{') else {
        return vec![path.split(" as ").next().unwrap_or_default().trim().to_owned()];
    };
    let inside = inside.rsplit_once('}').map_or(inside, |(inside, _)| inside);
    let mut depth = 0;
    let parts = inside.split(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    parts
        .filter(|part| !part.trim().is_empty())
        .flat_map(|part| expanded(&format!("{before}{}", part.trim())))
        .collect()
}
