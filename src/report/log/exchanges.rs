//! `exchanges.ndjson`: every attempt of every exchange, redacted, one a line, written as exchanges end.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};

use crate::exchange::Exchange as Seen;
use crate::report::model::record::{Exchange, Judged};
use crate::report::recorder::Recorder;
use crate::run::event::{Event, Sink};

/// How many bytes are written together, and how much later the last of them may have come than the first.
const TOGETHER: usize = 64 << 10;
const LATER: TimeDelta = TimeDelta::milliseconds(500);

/// Writes exchanges down as they happen, a few at a time.
#[derive(Debug)]
pub struct ExchangeLog {
    file: File,
    /// Whole lines that are to be written, and when the first of them ended.
    lines: Vec<u8>,
    since: Option<DateTime<Utc>>,
    recorder: Recorder,
    error: Option<io::Error>,
}

impl ExchangeLog {
    /// Begins the file anew. The folder must be there, see [`crate::report::create_dir`].
    ///
    /// # Errors
    /// What the system says.
    pub fn create(path: &Path, recorder: Recorder) -> io::Result<Self> {
        Ok(Self::of(File::create(path)?, recorder))
    }

    /// Goes on with the file of an earlier part of the run.
    ///
    /// # Errors
    /// What the system says.
    pub fn append(path: &Path, recorder: Recorder) -> io::Result<Self> {
        Ok(Self::of(File::options().append(true).create(true).open(path)?, recorder))
    }

    fn of(file: File, recorder: Recorder) -> Self {
        Self { file, lines: Vec::new(), since: None, recorder, error: None }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// The first error that there was on the way.
    pub fn finish(mut self) -> io::Result<()> {
        self.write();
        match self.error.take() {
            Some(error) => Err(error),
            None => self.file.sync_all(),
        }
    }

    /// Adds the lines of an exchange.
    fn add(&mut self, seen: &Seen, judged: &Judged) -> io::Result<()> {
        for attempt in &seen.attempts {
            let record = Exchange { judged: Some(judged.clone()), ..self.recorder.attempt(seen, attempt) };
            serde_json::to_writer(&mut self.lines, &record)?;
            self.lines.push(b'\n');
        }
        Ok(())
    }

    /// Writes what is there: one write for whole lines, so that no reader meets half of one.
    fn write(&mut self) {
        if self.error.is_none() {
            self.error = self.file.write_all(&self.lines).err();
        }
        self.lines.clear();
        self.since = None;
    }
}

/// What came before a run was cut off is not lost.
impl Drop for ExchangeLog {
    fn drop(&mut self) {
        self.write();
    }
}

impl Sink for ExchangeLog {
    fn event(&mut self, event: Event<'_>) {
        let Event::Exchange(seen, purpose) = event else { return };
        if self.error.is_some() {
            return;
        }
        let mut judged = Judged::of(seen, purpose);
        judged.parameters.iter_mut().for_each(|(_, value)| *value = self.recorder.text(value));
        self.error = self.add(seen, &judged).err();
        let ended = seen.last().ended();
        let since = *self.since.get_or_insert(ended);
        if self.lines.len() >= TOGETHER || ended - since >= LATER {
            self.write();
        }
    }
}

impl Sink for &mut ExchangeLog {
    fn event(&mut self, event: Event<'_>) {
        (**self).event(event);
    }
}

/// Reads exchanges one after another.
///
/// # Errors
/// The file cannot be opened; each exchange, a line that is none, with its number.
pub fn read(path: &Path) -> io::Result<impl Iterator<Item = io::Result<Exchange>> + use<>> {
    let lines = BufReader::new(File::open(path)?).lines();
    Ok(lines.enumerate().map(|(i, line)| {
        serde_json::from_str(&line?).map_err(|e| {
            let message = format!("line {} is not an exchange: {e}", i + 1);
            io::Error::new(io::ErrorKind::InvalidData, message)
        })
    }))
}
