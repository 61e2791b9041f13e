//! `exchanges.ndjson`: every attempt of every exchange, redacted, one a line, written as exchanges end.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;

use crate::exchange::{Exchange as Seen, Shown};
use crate::report::model::record::{Exchange, Judged};
use crate::report::recorder::Recorder;
use crate::run::event::{Event, Sink};

/// Writes exchanges down as they happen. Nothing but the lines of one is kept in memory.
#[derive(Debug)]
pub struct ExchangeLog {
    file: File,
    /// The lines of the exchange that is being written.
    lines: Vec<u8>,
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
        Self { file, lines: Vec::new(), recorder, error: None }
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

    /// Writes the lines of an exchange at once, so that no reader meets half of one.
    fn add(&mut self, seen: &Seen, judged: &Judged) -> io::Result<()> {
        self.lines.clear();
        for attempt in &seen.attempts {
            let record = Exchange { judged: Some(judged.clone()), ..self.recorder.attempt(seen, attempt) };
            serde_json::to_writer(&mut self.lines, &record)?;
            self.lines.push(b'\n');
        }
        self.file.write_all(&self.lines)
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
        if let Some(Shown::Text(text)) = &mut judged.credentials {
            *text = self.recorder.text(text);
        }
        self.error = self.add(seen, &judged).err();
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
