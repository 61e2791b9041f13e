//! What GitHub reads in the log of a job: annotations, and a way to keep it from reading more.
//!
//! A line that begins with `::` is a command there, whoever wrote it. What a server sent may begin so; it is fenced.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::report::model::{Report, Requirement};
use crate::report::text::visible;
use crate::report::text::words;

/// How many annotations of one kind a step shows.
const SHOWN: usize = 10;
/// How long a message is.
const MESSAGE: usize = 1_000;

/// An annotation for each requirement that makes the run red, and for each waiver that is out of date. Where there are
/// more than a step shows, the ruling comes first, then causes before what probably comes of them. `within` tells what the
/// repository calls a file, if it has it: an annotation elsewhere would point at nothing.
pub fn annotations(report: &Report, within: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let failed = report.failed();
    let mut red: Vec<&Requirement> = failed.into_iter().filter(|r| report.is_red(r)).collect();
    red.sort_by_key(|r| r.cause.is_some());
    let mut room = SHOWN;
    if let Some(ruling) = report.ruling.as_ref().filter(|r| !r.is_good() && (red.is_empty() || red.len() > SHOWN)) {
        let title = property(&report.header.contract.name);
        let _ = writeln!(out, "::error title={title}::{}", data(&visible(&ruling.sentence)));
        room -= 1;
    }
    for requirement in red.iter().take(room) {
        let place = requirement.place.as_ref().and_then(|p| Some((within(&p.file)?, p.line)));
        let place = place.map_or_else(String::new, |(file, line)| format!("file={},line={line},", property(&file)));
        let title = format!("{} {}", words::level(requirement.level), requirement.id);
        let message = format!("{} {}", requirement.text, requirement.trouble_within(MESSAGE));
        let _ = writeln!(out, "::error {place}title={}::{}", property(&title), data(&visible(&message)));
    }
    if let Some(ruling) = report.ruling.as_ref().filter(|r| !r.is_good()) {
        for line in ruling.stale.iter().take(SHOWN) {
            let _ = writeln!(out, "::warning title=waiver::{}", data(&visible(line)));
        }
    }
    out
}

/// A text between lines that keep GitHub from taking any of it for a command.
pub fn fenced(report: &Report, text: &str) -> String {
    // Nothing that the server could know: the seed is never sent.
    let mut hasher = Sha256::new();
    hasher.update(report.header.seed.to_be_bytes());
    hasher.update(&report.header.started);
    let word: String = hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("::stop-commands::{word}\n{text}::{word}::\n")
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(&visible(text)).replace(':', "%3A").replace(',', "%2C")
}
