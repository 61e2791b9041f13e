//! Preflight: whether there is a target that accepts valid requests, before anything is judged.

use std::time::Duration;

use crate::document::parameter::ParameterLocation;
use crate::exchange::{Exchange, FailureKind, HeaderCase, Response, Trouble};
use crate::generate::parameter::is_known;
use crate::judge::bind::{Control, Known, Seen};
use crate::judge::exchange::names_record;
use crate::plan::{Entry, FULL, Limit, MINIMAL};
use crate::run::Run;

/// The delay before one of the first requests is sent again.
const DELAYS: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// Why a run ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No connection, or nothing that speaks HTTP.
    Unreachable(String),
    /// The answer to the first request began, and did not come whole.
    CutOff(String),
    /// It responds, but does not accept valid requests; the field is its last response.
    Unwell(String),
    /// The target refuses a valid request. The message, and what is probably wrong.
    Refused(String, String),
    /// The server kept asking to wait. The last response.
    Throttled(String),
    /// There is no working token. The reason.
    NoToken(String),
    /// The request budget is used up.
    Limit(Limit),
    /// Someone ended it.
    Interrupted,
}

impl Run<'_> {
    /// Why nothing more is sent; the budget, if there is no other reason.
    fn why_over(&self, limit: Limit) -> Stop {
        if self.client.stop().is_cancelled() {
            return Stop::Interrupted;
        }
        self.lock().stop.clone().unwrap_or(Stop::Limit(limit))
    }

    /// Sends the smallest valid request, on a connection that may be kept; returns how long that took, or why it makes
    /// no sense to go on.
    pub(crate) async fn preflight(&self) -> Result<Duration, Stop> {
        self.first_of(MINIMAL).await
    }

    /// Sends a valid request with every field on a new connection, while no other request is in progress: the durations
    /// of the two show how much load the target can bear.
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
        if !self.grant(1) {
            return Err(self.why_over(Limit::Requests));
        }
        let entry = &self.plan.entries[place];
        let seen = match place == MINIMAL {
            true => self.first(entry).await,
            false => match self.send_entry(entry, &entry.name, Control::Missing, true).await {
                Some(seen) => Some(self.settled(entry, Control::Missing, seen).await),
                None => None,
            },
        };
        let seen = seen.ok_or_else(|| self.why_over(Limit::Duration))?;
        // For the first request one sign is enough; the full one may fail because of its content.
        let tells = place == MINIMAL
            || (!self.judge.contract.document_only
                && seen.accepted() != Known::No
                && seen.exchange.trouble().is_none());
        if let Some(stop) = self.stop(&seen.exchange).filter(|_| tells) {
            if self.judge.contract.document_only {
                self.add(self.judge.exchange(&seen));
            } else if place == MINIMAL && self.minds_the_case(entry, &seen.exchange).await {
                let advice = "the server knows the header of the token only as it is written in the other case: \
                              names of headers have no case (RFC 9110, section 5.1)";
                return Err(Stop::Refused(what_came(&seen.exchange), advice.to_owned()));
            }
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
    /// Whether a request whose token was refused is taken once the names of its headers are written in the other case.
    async fn minds_the_case(&self, entry: &Entry, refused: &Exchange) -> bool {
        if refused.status() != Some(401) || !self.client.shows_credentials() || !self.grant(1) {
            return false;
        }
        let mut other = entry.clone();
        other.draft.header_case = Some(match refused.request.header_case() {
            HeaderCase::Lower => HeaderCase::Title,
            HeaderCase::Title => HeaderCase::Lower,
        });
        let seen = self.send_entry(&other, &entry.name, Control::Missing, true).await;
        seen.is_some_and(|seen| seen.accepted() == Known::Yes)
    }

    /// Sends the first request, and again if it meets trouble: nothing is known of the server yet. Returns the final
    /// exchange; None if nothing more is to be sent.
    async fn first(&self, entry: &Entry) -> Option<Seen> {
        let mut seen = self.send_entry(entry, &entry.name, Control::Missing, false).await?;
        let (mut is_known, mut sent, mut replaced, mut garbage) = (false, 1, Vec::new(), None);
        let is_garbage =
            |seen: &Seen| seen.exchange.answer().is_err_and(|failure| failure.kind == FailureKind::Protocol);
        for (times, delay) in (1..).zip(DELAYS) {
            let Some(trouble) = seen.exchange.trouble() else { break };
            is_known = self.is_confirmed(trouble, times);
            if is_known {
                break;
            }
            self.sleep(delay).await;
            if !self.grant(1) {
                break;
            }
            let Some(next) = self.send_entry(entry, &entry.name, Control::Missing, true).await else { break };
            replaced.extend(self.judge.superseded(&seen));
            let before = std::mem::replace(&mut seen, next);
            garbage = Some(before).filter(is_garbage).or(garbage);
            sent += 1;
        }
        // What comes before a request on a new connection may be taken for the end of that connection.
        if let (Some(Trouble::Broken), Some(before)) = (seen.exchange.trouble(), garbage) {
            seen = before;
        }
        // Of what never speaks HTTP nothing is said: it is another kind of server.
        if !is_garbage(&seen) {
            self.add(replaced);
        }
        let comes_each_time = is_known || sent > DELAYS.len();
        let trouble = seen.exchange.trouble();
        // Where there are other operations, what comes each time is this one's.
        let is_own = self.judge.contract.document_only && comes_each_time && trouble.is_some();
        let is_confirmed = trouble == Some(Trouble::ServerError) || is_own;
        Some(if is_confirmed { self.judge.confirmed(seen) } else { seen })
    }

    /// Why it makes no sense to go on after this response to a valid request, if so.
    fn stop(&self, exchange: &Exchange) -> Option<Stop> {
        let contract = self.judge.contract;
        // A redirection may be what the operation is for.
        let is_documented = |status| contract.operation.responses.iter().any(|response| response.covers(status));
        if exchange.status().is_some_and(|status| (300..400).contains(&status) && is_documented(status)) {
            return None;
        }
        let has_fixtures = self.judge.fixtures.fixtures.as_object().is_some_and(|all| !all.is_empty());
        let knows = Knows { credentials: self.client.shows_credentials(), fixtures: has_fixtures };
        let stop = match stop(exchange, &self.client.settings().url, knows) {
            None if contract.document_only && exchange.status().is_some_and(|s| (400..500).contains(&s)) => {
                let advice = "the document alone does not say what it needs: put an `example` into it".to_owned();
                Stop::Refused(what_came(exchange), advice)
            }
            other => other?,
        };
        let guessed: Vec<String> = contract
            .operation
            .parameters_in(ParameterLocation::Path)
            .filter(|p| !contract.gives(p) && !is_known(p))
            .map(|p| format!("`{}`", p.name))
            .collect();
        let has_no_parameters = contract.operation.parameters_in(ParameterLocation::Path).next().is_none();
        let names_record = || exchange.request.json().as_ref().is_some_and(names_record);
        match stop {
            Stop::Refused(what, _) if exchange.status() == Some(404) && contract.document_only && has_no_parameters => {
                let advice = match names_record() {
                    true => "the server does not know a record that the body names",
                    false => "nothing is there: the target's URL must include what comes before the document's paths",
                };
                Some(Stop::Refused(what, advice.to_owned()))
            }
            Stop::Refused(what, _) if exchange.status() == Some(404) && !guessed.is_empty() => Some(Stop::Refused(
                what,
                format!(
                    "no value is known for the path's {}, so one was guessed: {}",
                    guessed.join(" and "),
                    match contract.document_only {
                        true => "give one with --fixture NAME=VALUE, or an `example` in the document",
                        false => "give values under `values: path:` in contract.yaml",
                    }
                ),
            )),
            Stop::Refused(what, _) if exchange.status() == Some(404) && contract.document_only && !has_fixtures => {
                let advice = match names_record() {
                    true => "the server does not know a record that the path or the body names",
                    false => "the server does not know a record that the path names",
                };
                Some(Stop::Refused(what, advice.to_owned()))
            }
            other => Some(other),
        }
    }
}

/// What is known of a target before it is asked.
struct Knows {
    /// Whether there are credentials for it.
    credentials: bool,
    /// Whether there are fixtures.
    fixtures: bool,
}

fn stop(exchange: &Exchange, url: &url::Url, knows: Knows) -> Option<Stop> {
    match exchange.answer() {
        Err(failure) => match failure.kind {
            FailureKind::Throttled => Some(Stop::Throttled(failure.message.clone())),
            FailureKind::Credentials => Some(Stop::NoToken(failure.message.clone())),
            FailureKind::Unsendable => Some(Stop::Refused(
                failure.message.clone(),
                "a token or a fixture contains a character that cannot be sent in a request".into(),
            )),
            _ if failure.is_cut_off() => Some(Stop::CutOff(failure.at_first(url))),
            _ => Some(Stop::Unreachable(failure.at_first(url))),
        },
        Ok(r) => {
            let redirected;
            let advice = match r.status {
                401 if !knows.credentials => {
                    "the document asks for no credentials here, or no token is set, so that none were sent"
                }
                401 => "the token is missing, wrong or expired: check the variable that holds it",
                403 => "the token does not permit this: it may be read-only, or belong to another tenant",
                404 if knows.fixtures => "the URL's path or a fixture in the path is wrong: nothing is there",
                404 => "the URL's path is wrong: nothing is there",
                405 => "the URL's path is wrong: nothing there accepts this method",
                407 => "a proxy is in between: check HTTP_PROXY and similar variables",
                // Some servers respond with 303 to a creation: that is for the judge.
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

/// The response, or why there is none, in one line.
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

/// What to do about a redirection.
fn leads_to(response: &Response, url: &url::Url) -> String {
    match response.location(url) {
        Some(to) => format!("the URL redirects to {to}: use the final address"),
        None => "the URL redirects elsewhere: use the final address".to_owned(),
    }
}
