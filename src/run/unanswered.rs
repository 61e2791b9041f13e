//! What got no answer, sent again: a server that answers others, but never this request, breaks what it was sent for.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use super::Run;
use super::shrink::{Once, Reserve, Subject};
use crate::exchange::{Exchange, FailureKind, Outcome};
use crate::judge::finding::{Counterexample, Finding, Found};
use crate::judge::tally::{Again, Verdict};

/// How often it is sent again.
pub(crate) const AGAIN: u64 = 2;

impl Run<'_> {
    /// Tries again what is inconclusive because a request got no whole answer. To be asked of a server that still
    /// answers others.
    pub(crate) async fn unanswered(&self) {
        let requirements = &self.judge.contract.requirements;
        let doubted: Vec<(usize, String)> = {
            let state = self.lock();
            let tallies = state.tallies.iter().enumerate();
            let tallies = tallies.filter(|(i, t)| t.verdict(&requirements[*i].form) == Verdict::Inconclusive);
            let doubts = tallies.filter_map(|(i, t)| t.doubt.as_ref().map(|(trial, _, seen)| (i, trial, seen)));
            let silent = doubts.filter(|(_, _, exchanges)| silence(exchanges).is_some());
            silent.map(|(i, trial, _)| (i, trial.clone())).collect()
        };
        let reserve = &self.reserve();
        stream::iter(doubted)
            .map(|(requirement, trial)| self.ask_again(requirement, trial, reserve))
            .buffer_unordered(self.client.settings().concurrency)
            .for_each(|()| async {})
            .await;
    }

    async fn ask_again(&self, requirement: usize, trial: String, reserve: &Reserve) {
        let subject = match self.subject(std::slice::from_ref(&trial)) {
            // Waiting once more for what waits would double the time of the run.
            Some(Subject::Trial(trial, _)) if trial.waits => return,
            Some(subject) => subject,
            None => return,
        };
        let mut last = None;
        for n in 0..AGAIN {
            match self.once(requirement, &subject, &format!("{trial}~again-{n}"), reserve).await {
                Some(Once::Unknown(exchanges)) => last = silence(&exchanges),
                _ => return,
            }
            if last.is_none() {
                return;
            }
        }
        let Some((kind, exchange)) = last else { return };
        let label = match &subject {
            Subject::Entry(entry) => entry.label.clone(),
            Subject::Trial(trial, _) => trial.row.as_ref().map(|r| r.label.clone()).unwrap_or_default(),
        };
        let counterexample = never(label, kind, &exchange);
        self.add(vec![Finding {
            requirement,
            trial,
            exchange: Some(exchange.number),
            found: Found::Broken(Arc::new(counterexample)),
        }]);
        self.lock().tallies[requirement].again = Some(Again { sent: AGAIN, broken: AGAIN });
    }
}

/// No answer, however often it was asked for.
pub(crate) fn never(label: String, kind: FailureKind, exchange: &Arc<Exchange>) -> Counterexample {
    Counterexample {
        label,
        expected: "an answer, as other requests got".to_owned(),
        actual: format!("none, each of {} times: {}", AGAIN + 1, kind.text()),
        clause: None,
        differences: Vec::new(),
        operands: Vec::new(),
        exchanges: vec![Arc::clone(exchange)],
    }
}

/// The last of some exchanges that the server left without a whole answer.
pub(crate) fn silence(exchanges: &[Arc<Exchange>]) -> Option<(FailureKind, Arc<Exchange>)> {
    exchanges.iter().rev().find_map(|exchange| match &exchange.outcome {
        Outcome::Failed(failure) if failure.kind.is_silence() => Some((failure.kind, Arc::clone(exchange))),
        _ => None,
    })
}
