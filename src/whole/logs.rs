//! The files that requests beside the sessions' own runs are written to.

use std::path::{Path, PathBuf};

use crate::report::log::created::CreatedLog;
use crate::report::log::exchanges::ExchangeLog;
use crate::report::{CREATED, EXCHANGES, WriteError};
use crate::run::event::{Event, Fanout, Sink};
use crate::session::Session;

/// The exchanges and the list of created records of a run that goes on.
#[derive(Debug, Default)]
pub(super) struct Logs {
    exchanges: Option<(ExchangeLog, PathBuf)>,
    created: Option<(CreatedLog, PathBuf)>,
}

impl Logs {
    /// Opens the files in a folder, if there is one, to go on with them.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn open(sessions: &[Option<Session>], out: Option<&Path>) -> Result<Self, WriteError> {
        let all = || sessions.iter().flatten();
        // The one that knows how credentials are shown.
        let shows = all().find(|s| s.contract().operation.security.is_some()).or_else(|| all().next());
        let Some((session, dir)) = shows.zip(out) else { return Ok(Self::default()) };
        let path = dir.join(EXCHANGES);
        let exchanges = ExchangeLog::append(&path, session.recorder().clone());
        let exchanges = exchanges.map_err(|source| WriteError { path: path.clone(), source })?;
        Ok(Self { exchanges: Some((exchanges, path)), created: Some((session.created_log(dir)?, dir.join(CREATED))) })
    }

    /// All of them, and another receiver.
    pub(super) fn and<'a>(&'a mut self, other: &'a mut dyn Sink) -> Fanout<'a> {
        let mut all: Vec<Box<dyn Sink + 'a>> = vec![Box::new(Passing(other))];
        all.extend(self.exchanges.as_mut().map(|(log, _)| Box::new(log) as Box<dyn Sink + 'a>));
        all.extend(self.created.as_mut().map(|(log, _)| Box::new(Passing(log)) as Box<dyn Sink + 'a>));
        Fanout(all)
    }

    /// Ends the files.
    ///
    /// # Errors
    /// The first error that there was on the way.
    pub(super) fn finish(self) -> Result<(), WriteError> {
        if let Some((log, path)) = self.exchanges {
            log.finish().map_err(|source| WriteError { path, source })?;
        }
        if let Some((log, path)) = self.created {
            log.finish().map_err(|source| WriteError { path, source })?;
        }
        Ok(())
    }
}

/// Passes events on to a sink that belongs to someone else.
struct Passing<'a, S: ?Sized>(&'a mut S);

impl<S: Sink + ?Sized> Sink for Passing<'_, S> {
    fn event(&mut self, event: Event<'_>) {
        self.0.event(event);
    }
}
