//! `created.ndjson`: every request that may create a record, before it is sent, and what it created, one a line.
//!
//! What is intended is written before it is sent, with all that it takes to send it again, so that nothing is unaccounted
//! for if the run is cut off. The file outlives runs: what an earlier one created stays in it until it is removed.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::exchange::{Request, Shown, TrialName};
use crate::generate::draft::KEY_HEADER;
use crate::report::model::EMBEDDED_TARGET;
use crate::report::recorder::Recorder;
use crate::run::event::{Event, Sink};
use crate::run::ledger::{Created, Intended};

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Line {
    /// A request is about to be sent that may create a record.
    Intended(Record),
    /// The server said that it created a record.
    Created(Record),
    /// It said nothing, or answered with a server error: it may have created a record.
    Uncertain(Record),
    /// A request has created nothing that is not known, or what it created is known by now.
    Settled {
        /// The target's base URL.
        target: String,
        /// The run tag.
        run_tag: String,
        /// The request's place in the run.
        number: u64,
    },
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
        /// The run tag of the run that created it, and the request's place in that run; null in files of earlier versions.
        #[serde(default)]
        run_tag: Option<String>,
        /// Its place in that run.
        #[serde(default)]
        number: Option<u64>,
    },
}

/// A record that was created, or may have been or be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The target's base URL, or [`EMBEDDED_TARGET`].
    pub target: String,
    /// What the server calls it; null where it did not say.
    pub id: Option<String>,
    /// Whether that contains part of a secret, which is not written down.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub masked: bool,
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
    /// The request's place in the run; null in files of earlier versions.
    #[serde(default)]
    pub number: Option<u64>,
    /// The operation that created it, where it is not the one that the run was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The request itself, where it is intended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Sendable>,
}

/// A request with all that it takes to send it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sendable {
    /// The method, in capitals.
    pub method: String,
    /// The path.
    pub path: String,
    /// Its headers, credentials apart.
    pub headers: Vec<(String, String)>,
    /// What it shows of its sender, with `{token}` for the token; null for what is usual, empty for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<String>,
    /// The body, where it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body in Base64, where it is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
}

impl Sendable {
    fn of(request: &Request, text: &dyn Fn(&str) -> String) -> Self {
        let bytes = request.body.as_deref();
        let body = bytes.map(std::str::from_utf8);
        Self {
            method: request.method.clone(),
            path: text(&request.path),
            headers: request.headers.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            authorization: match &request.credentials {
                Shown::Own => None,
                Shown::Nothing => Some(String::new()),
                Shown::Text(shown) => Some(text(shown)),
            },
            body: body.and_then(Result::ok).map(text),
            body_base64: bytes.filter(|_| matches!(body, Some(Err(_)))).map(|bytes| STANDARD.encode(bytes)),
        }
    }

    /// The request, as this identity sends it.
    pub fn request(&self, identity: &str) -> Request {
        let text = self.body.as_ref().map(|body| body.clone().into_bytes());
        let body = text.or_else(|| STANDARD.decode(self.body_base64.as_ref()?).ok());
        Request {
            operation: None,
            method: self.method.clone(),
            path: self.path.clone(),
            parameters: Vec::new(),
            headers: self.headers.clone(),
            identity: identity.to_owned(),
            credentials: match &self.authorization {
                None => Shown::Own,
                Some(text) if text.is_empty() => Shown::Nothing,
                Some(text) => Shown::Text(text.clone()),
            },
            body: body.map(Into::into),
            raw: true,
        }
    }
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
    /// Ends the run where it can be told no more what it creates.
    stop: Option<CancellationToken>,
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
        Ok(Self { file, run: Some((recorder, target, run_tag)), error: None, stop: None })
    }

    /// Opens the file to note what is removed.
    ///
    /// # Errors
    /// What the system says.
    pub fn again(path: &Path) -> io::Result<Self> {
        Ok(Self { file: appended(path)?, run: None, error: None, stop: None })
    }

    /// Ends a run by this token if the file cannot be written.
    #[must_use]
    pub fn or_stop(mut self, stop: CancellationToken) -> Self {
        self.stop = Some(stop);
        self
    }

    /// Notes that it is known by now what a request created.
    ///
    /// # Errors
    /// What the system says.
    pub fn settled(&mut self, record: &Record) -> io::Result<()> {
        let Some(number) = record.number else { return Ok(()) };
        self.write(&[Line::Settled { target: record.target.clone(), run_tag: record.run_tag.clone(), number }])
    }

    /// Notes a record that was found.
    ///
    /// # Errors
    /// What the system says.
    pub fn found(&mut self, record: &Record) -> io::Result<()> {
        self.write(&[Line::Created(Record { request: None, ..record.clone() })])
    }

    /// Notes that a record is gone.
    ///
    /// # Errors
    /// What the system says.
    pub fn removed(&mut self, record: &Record, at: DateTime<Utc>, status: u16) -> io::Result<()> {
        self.write(&[Line::Removed {
            target: record.target.clone(),
            id: record.id.clone().unwrap_or_default(),
            at: stamp(at),
            status,
            run_tag: Some(record.run_tag.clone()),
            number: record.number,
        }])
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

    fn write(&mut self, lines: &[Line]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut bytes, line)?;
            bytes.push(b'\n');
        }
        // One write for whole lines, so that no reader meets half of one.
        self.file.write_all(&bytes)
    }
}

impl Sink for CreatedLog {
    fn event(&mut self, event: Event<'_>) {
        let Some((recorder, target, run_tag)) = &self.run else { return };
        let lines = match event {
            Event::Intended(all) => {
                all.iter().map(|intended| Line::Intended(self::intended(intended, recorder, target, run_tag))).collect()
            }
            Event::Created(created) => {
                let record = record(created, recorder, target, run_tag);
                vec![if created.certain { Line::Created(record) } else { Line::Uncertain(record) }]
            }
            Event::Settled(number) => {
                vec![Line::Settled { target: target.clone(), run_tag: run_tag.clone(), number }]
            }
            _ => return,
        };
        if self.error.is_none() {
            self.error = self.write(&lines).err();
            if let (Some(_), Some(stop)) = (&self.error, &self.stop) {
                stop.cancel();
            }
        }
    }
}

fn intended(intended: &Intended<'_>, recorder: &Recorder, target: &str, run_tag: &str) -> Record {
    let request = intended.request;
    let created = Created {
        id: None,
        certain: false,
        parameters: request.parameters.clone(),
        identity: request.identity.clone(),
        trial: intended.trial.to_owned(),
        key: request.header(KEY_HEADER).map(str::to_owned),
        sent: intended.sent,
        number: intended.number,
        operation: intended.operation.map(str::to_owned),
    };
    let sendable = Sendable::of(request, &|text| recorder.text(text));
    Record { request: Some(sendable), ..record(&created, recorder, target, run_tag) }
}

fn record(created: &Created, recorder: &Recorder, target: &str, run_tag: &str) -> Record {
    let text = |text: &str| recorder.text(text);
    let id = created.id.as_deref().map(text);
    Record {
        target: target.to_owned(),
        masked: id != created.id,
        id,
        parameters: created.parameters.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        requirement: TrialName::subject(&created.trial).to_owned(),
        trial: created.trial.clone(),
        identity: created.identity.clone(),
        key: created.key.as_deref().map(text),
        sent: stamp(created.sent),
        run_tag: run_tag.to_owned(),
        number: Some(created.number),
        operation: created.operation.clone(),
        request: None,
    }
}

/// Takes out of a file what the embedded server created: that has ended with it. What other targets hold stays.
fn forget_ended(path: &Path) -> io::Result<()> {
    let Ok(bytes) = std::fs::read(path) else { return Ok(()) };
    let is_ended = |line: &&[u8]| {
        let target = match serde_json::from_slice(line) {
            Ok(Line::Intended(record) | Line::Created(record) | Line::Uncertain(record)) => record.target,
            Ok(Line::Settled { target, .. } | Line::Removed { target, .. }) => target,
            Err(_) => return false,
        };
        target == EMBEDDED_TARGET
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
    // What was intended and is not settled yet, by target, run and number.
    let mut open: HashMap<(String, String, u64), Record> = HashMap::new();
    let place = |record: &Record| Some((record.target.clone(), record.run_tag.clone(), record.number?));
    for (i, text) in BufReader::new(File::open(path)?).split(b'\n').enumerate() {
        match serde_json::from_slice(&text?) {
            Ok(Line::Intended(record)) => _ = place(&record).map(|place| open.insert(place, record)),
            Ok(Line::Created(record)) => {
                place(&record).map(|place| open.remove(&place));
                left.records.push(record);
            }
            Ok(Line::Uncertain(record)) => match place(&record) {
                // It stays open, with the request that was intended.
                Some(place) => _ = open.entry(place).or_insert(record),
                None => left.uncertain.push(record),
            },
            Ok(Line::Settled { target, run_tag, number }) => _ = open.remove(&(target, run_tag, number)),
            Ok(Line::Removed { target, id, run_tag, number, .. }) => {
                // Records of several kinds may have one id.
                let is_it = |r: &Record| match (&run_tag, number) {
                    (Some(tag), Some(_)) => r.run_tag == *tag && r.number == number,
                    _ => r.id.as_deref() == Some(id.as_str()),
                };
                left.records.retain(|r| r.target != target || !is_it(r));
            }
            Err(_) => left.unreadable.push(i + 1),
        }
    }
    left.uncertain.extend(open.into_values());
    left.uncertain.sort_by(|a, b| (&a.sent, a.number).cmp(&(&b.sent, b.number)));
    Ok(left)
}
