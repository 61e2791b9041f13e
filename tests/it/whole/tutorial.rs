//! `docs/tutorial.md`: its commands are run, and print what it shows.
//!
//! `UPDATE_TUTORIAL=1 cargo test --test it -- tutorial` writes what they print into the page.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use regex::Regex;

use super::app::{self, Bug, TOKEN, shop};
use crate::support::normalised;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tutorial.md");

/// Runs a block as a shell would. The binary stands for `probity`.
fn run(folder: &Path, exports: &str, block: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_probity")).parent().expect("a folder");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
    let script = format!("set -eu\n{exports}\nexec 2>&1\n{block}");
    let ran = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("COLUMNS", "80")
        .stdin(Stdio::null())
        .output()
        .expect("bash");
    let text = String::from_utf8(ran.stdout).expect("text");
    assert!(ran.status.success(), "{block}\n{}\n{text}", ran.status);
    text
}

/// What does not depend on the day, the machine or the run.
fn comparable(text: &str) -> String {
    let drawn = Regex::new(r"[0-9a-f]{8}[0-9a-z]{6}|c_[0-9a-f]+|\b\d{4,}\b|TIME( \w+)?( to TIME( \w+)?)?( of ours)?")
        .expect("a pattern");
    let text = drawn.replace_all(&normalised(text), "…").into_owned();
    // Times may be wrapped differently.
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_command_of_the_page_prints_what_it_shows() {
    let (good, bad) = (shop(&[]), shop(&[Bug::EmptyNote]));
    let port = |url: String| url.trim_end_matches('/').rsplit(':').next().expect("a port").to_owned();
    let ports = [("8080", port(good.url())), ("8081", port(bad.url()))];
    let real = |text: &str| ports.iter().fold(text.to_owned(), |text, (shown, port)| text.replace(shown, port));
    let shown = |text: &str| ports.iter().fold(text.to_owned(), |text, (shown, port)| text.replace(port, shown));
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("shop.yaml"), app::DOCUMENT).expect("a file");
    let page = std::fs::read_to_string(PAGE).expect("the page");
    assert!(page.contains(TOKEN), "the page says the shop's token");
    let (mut exports, mut written, mut wrong) = (String::new(), String::new(), String::new());
    let mut rest = page.as_str();
    while let Some((before, after)) = rest.split_once("```sh\n") {
        let (block, after) = after.split_once("```\n").expect("the end of a block");
        let _ = write!(written, "{before}```sh\n{block}```\n");
        let printed = shown(&run(folder.path(), &exports, &real(block)));
        block
            .lines()
            .filter(|line| line.starts_with("export "))
            .for_each(|line| exports += &format!("{}\n", real(line)));
        // What a block prints stands right behind it.
        let expected = after.strip_prefix("\n```text\n").and_then(|after| after.split_once("```\n"));
        rest = expected.map_or(after, |(_, after)| after);
        let expected = expected.map_or("", |(expected, _)| expected);
        if comparable(&printed) != comparable(expected) {
            let _ = write!(wrong, "\n{block}prints\n{printed}\nand the page shows\n{expected}");
        }
        if !printed.is_empty() {
            let _ = write!(written, "\n```text\n{printed}```\n");
        }
    }
    written += rest;
    if std::env::var_os("UPDATE_TUTORIAL").is_some() {
        std::fs::write(PAGE, written).expect("the page");
    } else {
        assert!(wrong.is_empty(), "{wrong}");
    }
}
