//! The documents for readers: what they show works, what they link to is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::support::contract::Copy;
use crate::support::probity;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The documents, by their path from the root.
fn documents() -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for folder in ["", "docs"] {
        for entry in std::fs::read_dir(root().join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|e| e == "md") {
                let name = path.strip_prefix(root()).expect("below the root").display().to_string();
                all.insert(name, std::fs::read_to_string(&path).expect("a document"));
            }
        }
    }
    assert!(all.len() > 8, "the documents: {:?}", all.keys());
    all
}

#[test]
fn the_readme_is_short() {
    let lines = include_str!("../../README.md").lines().count();
    assert!(lines <= 200, "README.md has {lines} lines: move some to docs/");
}

#[test]
fn the_commands_of_the_readme_do_what_it_says() {
    let copy = Copy::new();
    let folder = copy.path().ancestors().nth(2).expect("the folder above cases").to_owned();
    let lines = include_str!("../../README.md").lines().filter_map(|line| line.strip_prefix("$ probity "));
    let mut count = 0;
    for line in lines {
        let (words, comment) = line.split_once('#').unwrap_or((line, ""));
        let code = comment.trim().strip_prefix("exit ").map_or(0, |code| code.parse().expect("an exit code"));
        probity(words.trim()).within(&folder).exits(code);
        count += 1;
    }
    assert!(count > 4, "the console blocks of README.md");
}

#[test]
fn options_that_documents_show_exist() {
    let option = Regex::new(r"(?:^|\s)(--[a-z][a-z-]+|-[a-z]\b)").expect("a pattern");
    let mut helps: BTreeMap<String, String> = BTreeMap::new();
    let mut count = 0;
    for (name, text) in documents() {
        for line in commands(&text) {
            let words = line.split(['#', ';', '>', '`']).next().unwrap_or_default();
            let command = words.split_whitespace().next().filter(|word| !word.starts_with('-')).unwrap_or_default();
            let help = helps
                .entry(command.to_owned())
                .or_insert_with(|| probity(&format!("{command} --help")).exits(0).stdout);
            for found in option.captures_iter(words) {
                assert!(help.contains(&found[1]), "{name}: `probity {command}` has no {}: {line}", &found[1]);
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count} options");
}

/// What follows the word `probity` in the lines of a document's blocks for the shell, and where it stands in a sentence.
fn commands(text: &str) -> Vec<&str> {
    let inline = Regex::new(r"`probity ([^`]+)`").expect("a pattern");
    let mut all: Vec<&str> = inline.captures_iter(text).filter_map(|found| found.get(1)).map(|m| m.as_str()).collect();
    let mut in_block = false;
    for line in text.lines().map(str::trim_start) {
        match line.strip_prefix("```") {
            Some(language) => in_block = ["sh", "console"].contains(&language),
            None if in_block => all.extend(command(line)),
            None => {}
        }
    }
    all
}

#[test]
fn links_between_documents_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").expect("a pattern");
    let mut count = 0;
    for (name, text) in documents() {
        let folder = Path::new(&name).parent().expect("a folder").to_owned();
        for found in link.captures_iter(&text) {
            let target = &found[1];
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { root().join(&name) } else { root().join(&folder).join(file) };
            assert!(path.exists(), "{name} links to {target}, which is not there");
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(&path).expect("a document");
                let there = text.lines().filter(|line| line.starts_with('#')).any(|line| slug(line) == anchor);
                assert!(there, "{name} links to {target}: there is no such heading");
            }
            count += 1;
        }
    }
    assert!(count > 20, "{count} links");
}

/// What follows the word `probity`, if that is the command of a line.
fn command(line: &str) -> Option<&str> {
    let (before, words) = line.split_once("probity ")?;
    before.split_whitespace().all(|word| word == "$" || word.starts_with("PROBITY_")).then_some(words)
}

/// A heading as the end of a link.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}
