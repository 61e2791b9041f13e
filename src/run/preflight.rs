//! Preflight: before anything is judged, is there a target that takes valid requests?

use crate::document::parameter::ParameterLocation;
use crate::exchange::{Exchange, FailureKind, Outcome};
use crate::generate::parameter::is_known;
use crate::judge::bind::{Control, Known};
use crate::plan::{Limit, MINIMAL};
use crate::run::Run;

/// Why a run did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No connection, or nothing that speaks HTTP.
    Unreachable(String),
    /// The target does not let us in. The message, and what is probably wrong.
    Refused(String, String),
    /// The server kept asking to wait, and how.
    Throttled(String),
    /// There is no token that works, and why.
    NoToken(String),
    /// What it may cost is used up.
    Limit(Limit),
    /// Someone ended it.
    Interrupted,
}

impl Run<'_> {
    /// Why nothing more is sent; the limit where nothing else says it.
    fn why_over(&self, limit: Limit) -> Stop {
        if self.client.stop().is_cancelled() {
            return Stop::Interrupted;
        }
        self.lock().stop.clone().unwrap_or(Stop::Limit(limit))
    }

    /// Sends valid requests of the plan, the minimal one first; tells why it makes no sense to go on, if so.
    pub(crate) async fn preflight(&self, places: &[usize]) -> Option<Stop> {
        let mut took = Vec::new();
        for &place in places {
            // On a connection that may be kept, and on one that is not.
            let alone = place != MINIMAL;
            if !self.grant(1) {
                return Some(self.why_over(Limit::Requests));
            }
            let entry = &self.plan.entries[place];
            let Some(seen) = self.send_entry(entry, &entry.name, Control::Missing, alone).await else {
                return Some(self.why_over(Limit::Duration));
            };
            if let Some(stop) = self.stop(&seen.exchange) {
                // One sign is enough with the first; the full one may fail for what is in it.
                if place == MINIMAL || seen.accepted() != Known::No {
                    return Some(stop);
                }
            }
            took.push(seen.exchange.elapsed);
            self.lock().controls.insert(place, crate::run::control_of(&seen));
            let mut findings = self.judge.exchange(&seen);
            for finding in &mut findings {
                crate::run::label(finding, &entry.label);
            }
            self.add(findings);
        }
        if let [kept, alone] = took[..] {
            self.client.learn_waiting(kept, alone);
            self.client.pace().limit_concurrency(kept.min(alone), self.client.settings().connection.timeout);
        }
        None
    }
}

impl Run<'_> {
    /// Why it makes no sense to go on after an answer to a valid request, if so.
    fn stop(&self, exchange: &Exchange) -> Option<Stop> {
        let stop = stop(exchange, &self.client.settings().url)?;
        let contract = self.judge.contract;
        let guessed: Vec<String> = contract
            .operation
            .parameters_in(ParameterLocation::Path)
            .filter(|p| !contract.gives(p) && !is_known(p))
            .map(|p| format!("`{}`", p.name))
            .collect();
        match stop {
            Stop::Refused(what, _) if exchange.status() == Some(404) && !guessed.is_empty() => Some(Stop::Refused(
                what,
                format!(
                    "no value of the path's {} is known, so it was guessed: give values under `values: path:` in contract.yaml",
                    guessed.join(" and ")
                ),
            )),
            other => Some(other),
        }
    }
}

fn stop(exchange: &Exchange, url: &url::Url) -> Option<Stop> {
    match &exchange.outcome {
        Outcome::Failed(failure) => match failure.kind {
            FailureKind::Throttled => Some(Stop::Throttled(failure.message.clone())),
            FailureKind::Credentials => Some(Stop::NoToken(failure.message.clone())),
            FailureKind::Unsendable => Some(Stop::Refused(
                failure.message.clone(),
                "a token or a fixture holds a character that no request can hold".into(),
            )),
            _ => Some(Stop::Unreachable(failure.at_first(url))),
        },
        Outcome::Response(r) => {
            let advice = match r.status {
                401 => "the token is missing, wrong or expired: look at the variable that holds it",
                403 => "the token may not do this: it may be read-only, or another tenant's",
                404 => "the URL's path or a fixture of the path is wrong: nothing is there",
                405 => "the URL's path is wrong: nothing there takes this method",
                407 => "a proxy stands in between: look at HTTP_PROXY and its like",
                // 303 is what some answer to what they have created: that is for the judge.
                301 | 302 | 307 | 308 => "the URL leads elsewhere: name the final address",
                _ => return None,
            };
            Some(Stop::Refused(what_came(exchange), advice.to_owned()))
        }
    }
}

/// What came back, in a line.
pub fn what_came(exchange: &Exchange) -> String {
    match &exchange.outcome {
        Outcome::Failed(failure) => format!("{}: {}", failure.kind.text(), failure.message),
        Outcome::Response(r) => {
            let body = String::from_utf8_lossy(&r.body);
            let body = crate::judge::finding::cut(body.trim(), 160);
            if body.is_empty() { format!("status {}", r.status) } else { format!("status {}, {body}", r.status) }
        }
    }
}
