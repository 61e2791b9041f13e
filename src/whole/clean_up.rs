//! What a run created is removed by the deletions of the document itself.

use std::cmp::Reverse;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::Whole;
use crate::cleanup::clean_up;
use crate::report::CREATED;
use crate::report::log::created::{self, CreatedLog, Left, Record};
use crate::report::model::{Cleanup, LeftBehind};
use crate::session::Session;
use crate::settings;
use crate::source::{Diagnostic, Result};

impl Whole {
    /// Removes what this run created, as far as the document has operations for that, or the settings say how; None if
    /// neither does.
    ///
    /// # Errors
    /// A list of created records that cannot be read or written.
    pub async fn clean_up(
        &self,
        dir: &Path,
        stop: &CancellationToken,
        progress: &dyn Fn(usize, usize),
    ) -> Result<Option<Cleanup>> {
        let mut deletes: Vec<&Session> =
            self.called.iter().filter(|s| s.contract().operation.method == "DELETE").collect();
        if deletes.is_empty() && self.settings.cleanup.is_none() {
            return Ok(None);
        }
        // What is under something else goes before it.
        deletes.sort_by_key(|session| Reverse(session.contract().operation.path.matches('/').count()));
        let path = dir.join(CREATED);
        let unusable = |e: std::io::Error| Diagnostic::new(format!("{}: {e}", path.display()));
        let left = created::read(&path).map_err(unusable)?;
        let mut log = CreatedLog::again(&path).map_err(unusable)?;
        let own = self.options.run_tag.as_ref().map_or("", |tag| tag.text());
        let is_own = |record: &Record| record.run_tag == own && record.target == self.settings.url.as_str();
        let mut records: Vec<Record> = left.records.into_iter().filter(is_own).collect();
        let mut done = Cleanup { removed: 0, left: Vec::new() };
        for session in deletes {
            let operation = &session.contract().operation;
            let mut of_kind = Vec::new();
            let mut paths: Option<String> = None;
            records.retain(|record| {
                let Some(removal) = record.number.and_then(|n| self.records.removal(n, operation)) else { return true };
                paths = Some(removal.path);
                of_kind.push(Record { id: Some(removal.id), parameters: removal.parameters, ..record.clone() });
                false
            });
            let Some(path) = paths else { continue };
            let way = settings::Cleanup { method: "DELETE".to_owned(), path };
            self.remove(way, session, of_kind, &mut done, (&mut log, stop, progress)).await?;
        }
        if let (Some(way), Some(session)) = (&self.settings.cleanup, self.called.first()) {
            let others = std::mem::take(&mut records);
            self.remove(way.clone(), session, others, &mut done, (&mut log, stop, progress)).await?;
        }
        let behind = |record: Record, why: &str| LeftBehind {
            id: record.id,
            run_tag: record.run_tag,
            trial: record.trial,
            reason: why.to_owned(),
        };
        done.left.extend(records.into_iter().map(|r| behind(r, "no operation of the document removes it")));
        let uncertain = left.uncertain.into_iter().filter(is_own);
        done.left
            .extend(uncertain.map(|r| behind(r, "what was created is not known: search the target for its run tag")));
        log.finish().map_err(unusable)?;
        Ok(Some(done))
    }

    /// Removes records in one way, with the credentials of an operation.
    async fn remove(
        &self,
        way: settings::Cleanup,
        session: &Session,
        records: Vec<Record>,
        done: &mut Cleanup,
        (log, stop, progress): (&mut CreatedLog, &CancellationToken, &dyn Fn(usize, usize)),
    ) -> Result<()> {
        let settings = settings::Settings { cleanup: Some(way), ..self.settings.clone() };
        let left = Left { records, ..Left::default() };
        let cleaned = clean_up(&settings, session.contract(), self.clock.clone(), left, log, stop, progress).await?;
        let cleaned = Cleanup::from(cleaned);
        done.removed += cleaned.removed;
        done.left.extend(cleaned.left);
        Ok(())
    }
}
