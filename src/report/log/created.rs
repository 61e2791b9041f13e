//! `created.ndjson`: every record that a run created, one a line, written as soon as it is known.
//!
//! The file outlives runs: what an earlier one created stays in it until it is removed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::report::model::EMBEDDED_TARGET;
use crate::report::recorder::Recorder;
use crate::run::event::{Event, Sink};
use crate::run::ledger::Created;

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Line {
    /// The server said that it created a record.
    Created(Record),
    /// It said nothing, or answered with a server error: it may have created a record.
    Uncertain(Record),
    /// A record was removed, or was not there any more.
    Removed {
        /// The target's base URL.
        target: String,
        /// What it was called.
        id: String,
        /// When: RFC 3339, UTC, milliseconds.
        at: String,
        /// What the server answered.
        status: u16,
    },
}

/// A record that was created, or may have been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The target's base URL, or [`EMBEDDED_TARGET`].
    pub target: String,
    /// What the server calls it; null where it did not say.
    pub id: Option<String>,
    /// The path parameters of the request that created it.
    pub parameters: BTreeMap<String, String>,
    /// The requirement, or the part of the pool, on whose behalf it was created.
    pub requirement: String,
    /// The trial, and its step.
    pub trial: String,
    /// Whose request it was.
    pub identity: String,
    /// The idempotency key; null where there was none.
    pub key: Option<String>,
    /// When the request was sent, by our clock: RFC 3339, UTC, milliseconds.
    pub sent: String,
    /// The run tag, which stands in the record too wherever the requirement allows.
    #[serde(alias = "mark")]
    pub run_tag: String,
}

/// What is left of what runs created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Records that were not removed.
    pub records: Vec<Record>,
    /// Requests that may have created one.
    pub uncertain: Vec<Record>,
    /// Numbers of lines that cannot be read, as where a run was cut off.
    pub unreadable: Vec<usize>,
}

/// Writes records down as they are created.
#[derive(Debug)]
pub struct CreatedLog {
    file: File,
    /// What shows the records of a run, its target and its mark.
    run: Option<(Recorder, String, String)>,
    error: Option<io::Error>,
}

impl CreatedLog {
    /// Opens the file for the records of a run on this target, of this mark; begins it anew if nothing is left of what
    /// it tells.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path, recorder: Recorder, target: String, run_tag: String) -> io::Result<Self> {
        forget_ended(path)?;
        if read(path).is_ok_and(|left| left == Left::default()) {
            File::create(path)?;
        }
        let file = appended(path)?;
        Ok(Self { file, run: Some((recorder, target, run_tag)), error: None })
    }

    /// Opens the file to note what is removed.
    ///
    /// # Errors
    /// What the system says.
    pub fn again(path: &Path) -> io::Result<Self> {
        Ok(Self { file: appended(path)?, run: None, error: None })
    }

    /// Notes that a record is gone.
    ///
    /// # Errors
    /// What the system says.
    pub fn removed(&mut self, target: &str, id: &str, at: DateTime<Utc>, status: u16) -> io::Result<()> {
        self.write(&Line::Removed { target: target.to_owned(), id: id.to_owned(), at: stamp(at), status })
    }

    /// Ends the file.
    ///
    /// # Errors
    /// The first error that there was on the way.
    pub fn finish(self) -> io::Result<()> {
        match self.error {
            Some(error) => Err(error),
            None => self.file.sync_all(),
        }
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        // One write a line, so that no reader meets half of one.
        self.file.write_all(&line)
    }
}

impl Sink for CreatedLog {
    fn event(&mut self, event: Event<'_>) {
        let (Event::Created(created), Some((recorder, target, run_tag))) = (event, &self.run) else { return };
        if self.error.is_none() {
            let record = record(created, recorder, target, run_tag);
            let line = if created.certain { Line::Created(record) } else { Line::Uncertain(record) };
            self.error = self.write(&line).err();
        }
    }
}

fn record(created: &Created, recorder: &Recorder, target: &str, run_tag: &str) -> Record {
    let text = |text: &str| recorder.text(text);
    Record {
        target: target.to_owned(),
        id: created.id.as_deref().map(text),
        parameters: created.parameters.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        requirement: created.trial.split('#').next().unwrap_or_default().to_owned(),
        trial: created.trial.clone(),
        identity: created.identity.clone(),
        key: created.key.as_deref().map(text),
        sent: stamp(created.sent),
        run_tag: run_tag.to_owned(),
    }
}

/// Takes out of a file what the embedded server created: that has ended with it. What other targets hold stays.
fn forget_ended(path: &Path) -> io::Result<()> {
    let Ok(bytes) = std::fs::read(path) else { return Ok(()) };
    let is_ended = |line: &&[u8]| {
        let line = serde_json::from_slice(line);
        matches!(line, Ok(Line::Created(record) | Line::Uncertain(record)) if record.target == EMBEDDED_TARGET)
    };
    let (ended, kept): (Vec<&[u8]>, Vec<&[u8]>) = bytes.split_inclusive(|byte| *byte == b'\n').partition(is_ended);
    if ended.is_empty() {
        return Ok(());
    }
    // Whole or not at all.
    let aside = path.with_extension("ndjson.new");
    std::fs::write(&aside, kept.concat())?;
    std::fs::rename(aside, path)
}

/// A file to write on at its end. A last line that broke off is ended first, so that no other hangs on it.
fn appended(path: &Path) -> io::Result<File> {
    let is_whole = std::fs::read(path).map_or(true, |bytes| bytes.last().is_none_or(|last| *last == b'\n'));
    let mut file = File::options().create(true).append(true).open(path)?;
    if !is_whole {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// What is left of what the file tells, in its order.
///
/// # Errors
/// The file cannot be read.
pub fn read(path: &Path) -> io::Result<Left> {
    let mut left = Left::default();
    let lines: Vec<String> = BufReader::new(File::open(path)?).lines().collect::<io::Result<_>>()?;
    for (i, text) in lines.iter().enumerate() {
        match serde_json::from_str(text) {
            Ok(Line::Created(record)) => left.records.push(record),
            Ok(Line::Uncertain(record)) => left.uncertain.push(record),
            Ok(Line::Removed { target, id, .. }) => {
                left.records.retain(|r| r.target != target || r.id.as_deref() != Some(id.as_str()));
            }
            Err(_) => left.unreadable.push(i + 1),
        }
    }
    Ok(left)
}
