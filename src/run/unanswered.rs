//! Requests that got no response, each time they were sent: a server that responds to others, but never to this
//! request, breaks the requirement that it was sent for.

use std::sync::Arc;

use super::Run;
use crate::exchange::{Exchange, FailureKind};
use crate::judge::finding::{Counterexample, Finding, Found};
use crate::judge::tally::Verdict;

impl Run<'_> {
    /// Fails requirements that are inconclusive because a request got no complete response, however often it was tried.
    /// To be used if the server still responds to others.
    pub(crate) fn unanswered(&self) {
        let requirements = &self.judge.contract.requirements;
        let silent: Vec<Finding> = {
            let state = self.lock();
            let tallies = state.tallies.iter().enumerate();
            let tallies = tallies.filter(|(i, t)| t.verdict(&requirements[*i].form) == Verdict::Inconclusive);
            tallies
                .filter_map(|(requirement, tally)| {
                    let (trial, _, exchanges) = tally.doubt.as_ref()?;
                    let (kind, exchange) = silence(exchanges)?;
                    let counterexample = never(String::new(), kind, &exchange);
                    let (trial, exchange) = (trial.clone(), Some(exchange.number));
                    Some(Finding { requirement, trial, exchange, found: Found::Broken(Arc::new(counterexample)) })
                })
                .collect()
        };
        self.add(silent);
    }
}

/// No response, however often the request was sent.
pub(crate) fn never(label: String, kind: FailureKind, exchange: &Arc<Exchange>) -> Counterexample {
    let actual = format!("none, each time it was sent: {}", kind.text());
    Counterexample {
        label,
        ..Counterexample::of("a response, as other requests got".to_owned(), actual, Arc::clone(exchange))
    }
}

/// The last of some exchanges without a complete response, each time the request was tried.
pub(crate) fn silence(exchanges: &[Arc<Exchange>]) -> Option<(FailureKind, Arc<Exchange>)> {
    exchanges.iter().rev().filter(|exchange| !exchange.unconfirmed).find_map(|exchange| match exchange.answer() {
        Err(failure) if failure.kind.is_silence() => Some((failure.kind, Arc::clone(exchange))),
        _ => None,
    })
}
