//! One operation as a part of the whole: carried out, or not.

use std::path::Path;
use std::sync::PoisonError;

use super::Whole;
use super::logs::Logs;
use super::provide::Given;
use super::records::Records;
use crate::contract::Contract;
use crate::judge::bind::Known;
use crate::judge::tally::Verdict;
use crate::plan::MINIMAL;
use crate::report::build::joined::{Access, Part};
use crate::report::model::{Cause, End};
use crate::report::{Report, WriteError};
use crate::run::Outcome;
use crate::run::event::{Event, Sink};
use crate::session::{self, Called, Session, facts};
use crate::settings::Budget;

/// What a request is called that finds out whether a token, or the server, still works.
const STILL: &str = "still-works";

impl Whole {
    /// What an operation answers now that was accepted before, one that only reads if there is one, and none of the silent
    /// ones; the request has this number. None if there is no such operation, or nothing more is sent.
    pub(super) async fn asked_again(
        &self,
        (cause, number): (Cause, u64),
        (sessions, parts): (&[Option<Session>], &[Part]),
        silent: &[usize],
        (out, sink): (Option<&Path>, &mut dyn Sink),
    ) -> std::result::Result<Option<Called>, WriteError> {
        let by_token = |session: &Session| session.contract().operation.security.is_some();
        let known = sessions.iter().zip(parts).enumerate().filter(|(at, _)| !silent.contains(at));
        let known = known.filter_map(|(_, (session, part))| Some((session.as_ref()?, part)));
        let accepted = known
            .filter(|(session, part)| part.report.figures.accepted > 0 && (by_token(session) || cause != Cause::Token));
        let reads_first = |(session, _): &(&Session, _)| session.contract().operation.method != "GET";
        let Some((session, _)) = accepted.min_by_key(reads_first) else { return Ok(None) };
        let mut logs = Logs::open(sessions, out)?;
        let entry = &session.plan().entries[MINIMAL];
        let called = session.call(entry, STILL, number, &mut logs.and(sink)).await;
        logs.finish()?;
        Ok(called)
    }

    /// Carries one operation out: with values that are known, and if they are refused with others, and then with those that
    /// the document shows.
    pub(super) async fn tried(
        &self,
        session: Session,
        selected: &[bool],
        records: &mut Records,
        (budget, (sent, failed), needed): (Budget, (u64, usize), bool),
        (out, sink): (Option<&Path>, &mut dyn Sink),
    ) -> std::result::Result<(Part, Option<Session>), WriteError> {
        let mut part = self.part(&session, selected, records, out, sink).await?;
        let mut session = Some(session);
        for by in [Given::Newest, Given::Shown] {
            let is_refused = part.report.end.cause == Some(Cause::Refused) && part.access != Access::Denied;
            let has_others = |session: &Session| self.has_others(&session.contract().operation, records, by);
            let Some(refused) = session.take_if(|session| is_refused && has_others(session)) else { continue };
            let before = &part.report.figures;
            let max_requests = budget.max_requests.map(|most| most.saturating_sub(before.requests));
            let budget = Budget { max_requests, ..budget };
            let Some(contract) = refused.into_contract() else { break };
            let ready = self.session(contract, records, (sent + before.requests, failed), budget, (needed, by));
            let Ok(ready) = ready else { break };
            let mut again = self.part(&ready, selected, records, out, sink).await?;
            again.report.figures.requests += before.requests;
            again.report.figures.uncertain += before.uncertain;
            (part, session) = (again, Some(ready));
        }
        Ok((part, session))
    }

    /// Carries one operation out.
    pub(super) async fn part(
        &self,
        session: &Session,
        selected: &[bool],
        records: &mut Records,
        out: Option<&Path>,
        sink: &mut dyn Sink,
    ) -> std::result::Result<Part, WriteError> {
        let mut learning = Learning { contract: session.contract(), records, denied: 0, answered: 0, sink };
        let mut report = session.run(out, &mut learning).await?;
        let access = learning.access(report.figures.accepted);
        session.contract().operation.release();
        // What was tried for the sake of others is not shown.
        let ids = session.contract().requirements.iter().zip(selected).filter(|(_, selected)| !**selected);
        for (owed, _) in ids {
            for requirement in report.requirements.iter_mut().filter(|r| r.id == owed.id) {
                requirement.selected = false;
                requirement.verdict = Verdict::Untested;
            }
        }
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).extend(session.unwritten());
        Ok(Part { operation: session.contract().operation.id.clone(), report, not_reached: None, access })
    }

    /// An operation that is not called, and why.
    pub(super) fn not_called(&self, contract: &Contract, reason: &str) -> Part {
        let reason = self.recorder().text(reason);
        Part { not_reached: Some(reason.clone()), ..self.nothing(contract, &reason, Verdict::Skipped) }
    }

    /// An operation for which a quick check has no room.
    pub(super) fn left_out(&self, contract: &Contract) -> Part {
        let mut part = self.nothing(contract, "", Verdict::Untested);
        part.report.requirements.iter_mut().for_each(|requirement| {
            requirement.selected = false;
            requirement.reason = Some("left out by --quick".to_owned());
        });
        part.report.end = End { complete: true, cause: None, reason: None, preflight_failed: false };
        part
    }

    /// An operation that was not begun before the run ended.
    pub(super) fn not_begun(&self, contract: &Contract, end: &End) -> Part {
        let mut part = self.nothing(contract, end.reason.as_deref().unwrap_or_default(), Verdict::Untested);
        part.report.end = End { preflight_failed: false, ..end.clone() };
        part
    }

    /// An operation to which nothing was sent.
    pub(super) fn nothing(&self, contract: &Contract, reason: &str, verdict: Verdict) -> Part {
        let selected = self.selected(contract);
        let outcome = Outcome::of_nothing(contract, &selected, reason, verdict, self.clock.local());
        let facts = facts(&self.settings, &self.options, session::MAX_REQUESTS);
        let mut report = Report::build(contract, &selected, &outcome, &facts, &self.recorder());
        report.requirements.iter_mut().filter(|r| r.selected).for_each(|r| r.reason = Some(reason.to_owned()));
        Part { operation: contract.operation.id.clone(), report, not_reached: None, access: Access::default() }
    }
}

/// Whether an operation that was called for a part's sake still works; what that cost is added to the part.
pub(super) fn works(part: &mut Part, called: &Called) -> bool {
    let figures = &mut part.report.figures;
    figures.requests += called.sent;
    figures.created += called.created;
    figures.uncertain += called.uncertain;
    called.seen.accepted() == Known::Yes
}

/// Learns from what is answered.
struct Learning<'a> {
    contract: &'a Contract,
    records: &'a mut Records,
    /// How many requests were answered, and how many of these with a refusal of the credentials.
    answered: u64,
    denied: u64,
    sink: &'a mut dyn Sink,
}

impl Learning<'_> {
    /// What came of the credentials of the operation, where it asks for some.
    fn access(&self, accepted: u64) -> Access {
        match self.contract.operation.security {
            Some(_) if accepted > 0 => Access::Granted,
            Some(_) if self.denied > 0 && self.denied == self.answered => Access::Denied,
            _ => Access::Unknown,
        }
    }
}

impl Sink for Learning<'_> {
    fn event(&mut self, event: Event<'_>) {
        if let Event::Exchange(exchange, _) = &event {
            let names_records = self.contract.operation.path.contains('{');
            // A record that is guessed may be somebody else's.
            let is_denied = |status| status == 401 || status == 403 && !names_records;
            self.answered += u64::from(exchange.status().is_some());
            self.denied += u64::from(exchange.status().is_some_and(is_denied));
            self.records.note(self.contract, exchange);
        }
        self.sink.event(event);
    }
}
