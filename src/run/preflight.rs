//! Preflight: before anything is judged, is there a target that takes valid requests?

use std::time::Duration;

use crate::document::parameter::ParameterLocation;
use crate::exchange::{Exchange, FailureKind, Response, Trouble};
use crate::generate::parameter::is_known;
use crate::judge::bind::{Control, Known, Seen};
use crate::plan::{Entry, FULL, Limit, MINIMAL};
use crate::run::Run;

/// How long is waited before one of the first requests is sent again.
const DELAYS: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// Why a run did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No connection, or nothing that speaks HTTP.
    Unreachable(String),
    /// It answers, but does not take valid requests; what it answered last.
    Unwell(String),
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

    /// Sends the smallest valid request, on a connection that may be kept: how long that took, or why it makes no sense to
    /// go on.
    pub(crate) async fn preflight(&self) -> Result<Duration, Stop> {
        self.first_of(MINIMAL).await
    }

    /// Sends a valid request with every field on a connection of its own, while nothing else is under way: how long the
    /// two took shows what the target can bear.
    pub(crate) async fn full(&self, kept: Duration) {
        match self.first_of(FULL).await {
            Err(stop) => self.end(stop),
            Ok(alone) => {
                self.client.learn_waiting(kept, alone);
                let limit = self.client.settings().connection.timeout;
                self.client.pace().limit_concurrency(kept.min(alone), limit);
            }
        }
    }

    async fn first_of(&self, place: usize) -> Result<Duration, Stop> {
        let alone = place != MINIMAL;
        if !self.grant(1) {
            return Err(self.why_over(Limit::Requests));
        }
        let entry = &self.plan.entries[place];
        let seen = self.first(entry, alone).await.ok_or_else(|| self.why_over(Limit::Duration))?;
        // One sign is enough with the first; the full one may fail for what is in it.
        let tells = place == MINIMAL || (seen.accepted() != Known::No && seen.exchange.trouble().is_none());
        if let Some(stop) = self.stop(&seen.exchange).filter(|_| tells) {
            return Err(stop);
        }
        self.lock().controls.insert(place, crate::run::control_of(&seen));
        let mut findings = self.judge.exchange(&seen);
        for finding in &mut findings {
            crate::run::label(finding, &entry.label);
        }
        self.add(findings);
        Ok(seen.exchange.took())
    }
}

impl Run<'_> {
    /// Sends one of the first requests; again, where it meets trouble. What came in the end, and None if nothing more is
    /// to be sent.
    async fn first(&self, entry: &Entry, alone: bool) -> Option<Seen> {
        let mut seen = self.send_entry(entry, &entry.name, Control::Missing, alone).await?;
        for (times, delay) in (1..).zip(DELAYS) {
            let Some(trouble) = seen.exchange.trouble() else { break };
            if self.is_confirmed(trouble, times) {
                break;
            }
            self.sleep(delay).await;
            if !self.grant(1) {
                break;
            }
            let Some(next) = self.send_entry(entry, &entry.name, Control::Missing, true).await else { break };
            self.add(self.judge.superseded(&seen));
            seen = next;
        }
        let is_confirmed =
            entry.name != self.plan.entries[MINIMAL].name || seen.exchange.trouble() == Some(Trouble::ServerError);
        Some(if is_confirmed { self.judge.confirmed(seen) } else { seen })
    }

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
    match exchange.answer() {
        Err(failure) => match failure.kind {
            FailureKind::Throttled => Some(Stop::Throttled(failure.message.clone())),
            FailureKind::Credentials => Some(Stop::NoToken(failure.message.clone())),
            FailureKind::Unsendable => Some(Stop::Refused(
                failure.message.clone(),
                "a token or a fixture holds a character that no request can hold".into(),
            )),
            FailureKind::TooLarge => Some(Stop::Unwell(what_came(exchange))),
            _ => Some(Stop::Unreachable(failure.at_first(url))),
        },
        Ok(r) => {
            let redirected;
            let advice = match r.status {
                401 => "the token is missing, wrong or expired: look at the variable that holds it",
                403 => "the token may not do this: it may be read-only, or another tenant's",
                404 => "the URL's path or a fixture of the path is wrong: nothing is there",
                405 => "the URL's path is wrong: nothing there takes this method",
                407 => "a proxy stands in between: look at HTTP_PROXY and its like",
                // 303 is what some answer to what they have created: that is for the judge.
                301 | 302 | 307 | 308 => {
                    redirected = leads_to(r, url);
                    &redirected
                }
                502..=504 => return Some(Stop::Unwell(what_came(exchange))),
                _ => return None,
            };
            Some(Stop::Refused(what_came(exchange), advice.to_owned()))
        }
    }
}

/// What came back, in a line.
pub fn what_came(exchange: &Exchange) -> String {
    match exchange.answer() {
        Err(failure) => format!("{}: {}", failure.kind.text(), failure.message),
        Ok(r) => {
            let body = String::from_utf8_lossy(&r.body);
            let body = crate::judge::finding::cut(body.trim(), 160);
            if body.is_empty() { format!("status {}", r.status) } else { format!("status {}, {body}", r.status) }
        }
    }
}

/// What to do about a redirection. Of its address, the query may hold a secret.
fn leads_to(response: &Response, url: &url::Url) -> String {
    let location = response.header("location").and_then(|location| url.join(location).ok());
    match location {
        Some(mut to) => {
            to.set_query(None);
            to.set_fragment(None);
            let _ = (to.set_username(""), to.set_password(None));
            format!("the URL leads to {to}: name the final address")
        }
        None => "the URL leads elsewhere: name the final address".to_owned(),
    }
}
