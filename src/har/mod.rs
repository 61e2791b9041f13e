//! Recorded traffic, judged without sending anything.
//!
//! - [`har`]: the recording
//!
//! Requirements on any exchange (rules, constraints, what the document requires) are judged here too; those that need
//! requests of their own are left untested. Our own recordings say what each request was judged as. In others, that is
//! derived from the request. If it cannot be decided, the request is left to the server: because of a header of the
//! client's own, credentials that no identity of the settings has, or an incomplete body.

pub mod file;

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret as _;
use url::Url;

use crate::contract::{CALLER, Contract};
use crate::document::parameter::{Parameter, ParameterLocation};
use crate::document::security::Security;
use crate::exchange::{Attempt, Exchange, Failure, FailureKind, Interval, Outcome, Response, Trouble};
use crate::exchange::{Request, Shown};
use crate::generate::draft::{Fixtures, KEY_HEADER};
use crate::generate::media;
use crate::generate::parameter::decode::pairs;
use crate::http::clock::Clock;
use crate::judge::Judge;
use crate::judge::attempts::{Attempts, Troubles};
use crate::judge::bind::{Control, Purpose};
use crate::judge::tally::Tally;
use crate::report::model::record::HIDDEN;
use crate::secrets::token::Origin;
use crate::settings::Settings;
use file::Entry;

/// Headers that clients add by themselves, besides those that begin with `sec-`: they do not change what is requested.
const USUAL: [&str; 17] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "dnt",
    "forwarded",
    "host",
    "origin",
    "pragma",
    "priority",
    "referer",
    "traceparent",
    "user-agent",
    "via",
];

/// Further headers that browsers, scripts and tracers send whatever is asked for; their values may be secrets.
const SENT_ALONG: [&str; 12] = [
    "authorization",
    "baggage",
    "cookie",
    "if-none-match",
    "sentry-trace",
    "tracestate",
    "x-amzn-trace-id",
    "x-correlation-id",
    "x-csrf-token",
    "x-request-id",
    "x-requested-with",
    "x-xsrf-token",
];
/// The query parameter by which scripts keep browsers from answering out of their caches.
const PAST_CACHES: &str = "_";

/// Stands for a token that is in a recording and belongs to no identity.
const RECORDED: &str = "RECORDED_TOKEN";
/// The length in bytes from which such a token is also searched for elsewhere: `null` and the like are no tokens.
const TELLING: usize = 12;

/// The result of judging a recording.
#[derive(Debug)]
pub struct Judged {
    /// What is known of each requirement, by its place in the contract.
    pub tallies: Vec<Tally>,
    /// The exchanges of the contract's operation, in the order in which they were sent, and what they were judged as.
    pub exchanges: Vec<(Exchange, Purpose)>,
    /// How many other exchanges the recording has.
    pub others: u64,
    /// The trouble that its attempts met.
    pub troubles: Troubles,
}

/// Judges the exchanges of a recording.
pub fn judge(contract: &Contract, fixtures: &Fixtures, settings: &Settings, entries: &[Entry]) -> Judged {
    let reader = Reader { contract, settings };
    let read: Vec<Recorded> = entries.iter().filter_map(|entry| reader.read(entry)).collect();
    let others = (entries.len() - read.len()) as u64;
    let mut read = joined(read);
    read.sort_by_key(|r| r.sent);
    let clock = Clock::system();
    for recorded in &read {
        if let Some(date) = recorded.date {
            clock.learn_date(date, recorded.sent, recorded.received());
        }
    }
    let fresh = freshness(&read);
    let mut tallies: Vec<Tally> = contract.requirements.iter().map(|_| Tally::default()).collect();
    let judge = Judge { contract, fixtures };
    let mut exchanges = Vec::new();
    let mut attempts = Attempts::default();
    for (number, (recorded, fresh)) in read.into_iter().zip(fresh).enumerate() {
        let purpose = recorded.purpose;
        let exchange = recorded.exchange(number as u64, fresh, &clock);
        exchange.attempts.iter().for_each(|attempt| attempts.add(attempt, 0));
        let seen = judge.see(exchange.clone(), purpose.control, None, purpose.plain);
        // Trouble with a gateway or the network is no verdict, since the request cannot be sent again.
        let findings = if exchange.unconfirmed { judge.superseded(&seen) } else { judge.exchange(&seen) };
        for finding in findings {
            tallies[finding.requirement].add(finding);
        }
        exchanges.push((exchange, purpose));
    }
    Judged { tallies, exchanges, others, troubles: attempts.troubles(None, false) }
}

/// Exchanges with all their attempts, each of which has an entry of its own.
fn joined(read: Vec<Recorded>) -> Vec<Recorded> {
    let (mut last, before): (Vec<_>, Vec<_>) = read.into_iter().partition(|r| r.is_last);
    let places: HashMap<u64, usize> = last.iter().enumerate().filter_map(|(i, r)| Some((r.number?, i))).collect();
    for attempt in before {
        if let Some(place) = attempt.number.and_then(|number| places.get(&number)) {
            last[*place].before.push(attempt);
        }
    }
    last.iter_mut().for_each(|r| r.before.sort_by_key(|attempt| attempt.sent));
    last
}

/// An entry that is about the contract's operation.
struct Recorded {
    trial: String,
    sent: DateTime<Utc>,
    elapsed: Duration,
    /// The place of its exchange in the run, and whether it is that one's last attempt.
    number: Option<u64>,
    is_last: bool,
    /// The attempts before it.
    before: Vec<Self>,
    date: Option<DateTime<Utc>>,
    request: Request,
    outcome: Outcome,
    /// Why it was not sent again, if its response called for that.
    ended: Option<Failure>,
    purpose: Purpose,
    /// Whether no other request had its key, if the recording says so.
    fresh: Option<bool>,
    /// Whether both bodies are complete.
    whole: bool,
}

impl Recorded {
    fn received(&self) -> DateTime<Utc> {
        self.sent + TimeDelta::from_std(self.elapsed).unwrap_or_default()
    }

    fn attempt(&self, number: usize, clock: &Clock) -> Attempt {
        let server_now =
            Interval { earliest: clock.at_server(self.sent).earliest, latest: clock.at_server(self.received()).latest };
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        Attempt { number, ..Attempt::only(self.sent, self.elapsed, server_now, self.outcome.clone()) }
    }

    fn exchange(self, number: u64, fresh: bool, clock: &Clock) -> Exchange {
        let all = self.before.iter().chain([&self]).enumerate();
        let attempts: Vec<Attempt> = all.map(|(i, attempt)| attempt.attempt(i + 1, clock)).collect();
        let mut exchange = Exchange {
            number,
            trial: self.trial,
            request: self.request,
            attempts,
            ended: self.ended,
            fresh,
            unconfirmed: false,
        };
        exchange.unconfirmed = exchange.trouble().is_some_and(|trouble| trouble != Trouble::ServerError);
        exchange
    }
}

/// Which exchanges are fresh: as far as was recorded, no other before or during them has their key.
fn freshness(read: &[Recorded]) -> Vec<bool> {
    let key = |r: &Recorded| r.request.header(KEY_HEADER).map(str::to_owned);
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut fresh: Vec<bool> = Vec::new();
    for (i, recorded) in read.iter().enumerate() {
        let is_first = match key(recorded) {
            None => true,
            Some(key) => {
                let before = *first.entry(key).or_insert(i);
                if before != i && recorded.sent < read[before].received() {
                    fresh[before] = false;
                }
                before == i
            }
        };
        fresh.push(is_first);
    }
    // An incomplete response is judged by its status alone.
    read.iter().zip(fresh).map(|(r, fresh)| r.fresh.unwrap_or(fresh) && r.whole).collect()
}

/// What entries are read with.
struct Reader<'a> {
    contract: &'a Contract,
    settings: &'a Settings,
}

impl Reader<'_> {
    fn read(&self, entry: &Entry) -> Option<Recorded> {
        let operation = &self.contract.operation;
        let url = Url::parse(&entry.request.url).ok()?;
        let path = url.path().strip_prefix(self.settings.url.path().trim_end_matches('/'))?;
        let judged = entry.judged.as_ref();
        let found = parameters(&operation.path, path);
        let is_operation = entry.request.method.eq_ignore_ascii_case(&operation.method) && found.is_some();
        // Of other operations, only what a run of this contract sent is judged.
        let called = judged.and_then(|_| self.contract.called_at(&entry.request.method, path));
        if !is_operation && (judged.is_none() || self.contract.document_only) {
            return None;
        }
        let sent = DateTime::parse_from_rfc3339(&entry.started_date_time).ok()?.to_utc();
        let lower = |h: &file::Header| (h.name.to_lowercase(), h.value.clone());
        // Whoever sends it again has a name of its own.
        let is_kept = |(name, _): &(String, String)| !name.starts_with(':') && name != "user-agent";
        let headers: Vec<_> = entry.request.headers.iter().map(lower).filter(is_kept).collect();
        let (identity, credentials, mut headers) = self.sender(entry, headers);
        if judged.is_none() {
            for (name, value) in &mut headers {
                match name.as_str() {
                    "cookie" => *value = hidden(value, "; ", |name| self.knows(ParameterLocation::Cookie, name)),
                    // The address of a page has the same secrets as its query.
                    "referer" => HIDDEN.clone_into(value),
                    name if !self.is_usual(name) => HIDDEN.clone_into(value),
                    _ => {}
                }
            }
        }
        let body = entry.request.post_data.as_ref().map(file::Content::bytes);
        let whole = body.as_ref().is_none_or(Option::is_some);
        let body = body.flatten().filter(|b| !b.is_empty() || judged.is_some());
        let outcome = outcome(entry);
        let response_whole = entry.response.status == 0 || entry.response.content.bytes().is_some();
        let request = Request {
            operation: called,
            method: entry.request.method.to_uppercase(),
            path: match url.query() {
                // Our own recordings have no secrets; others may have them in any parameter that the document does not
                // describe.
                Some(query) if judged.is_none() => {
                    format!("{path}?{}", hidden(query, "&", |name| self.knows(ParameterLocation::Query, name)))
                }
                Some(query) => format!("{path}?{query}"),
                None => path.to_owned(),
            },
            parameters: judged.map_or_else(|| found.unwrap_or_default(), |j| j.parameters.clone()),
            headers,
            identity,
            credentials,
            raw: judged.map_or_else(|| repeats_a_name(body.as_deref()), |j| j.raw),
            body: body.map(Into::into),
        };
        let purpose = match judged {
            Some(judged) => Purpose { control: judged.control, plain: judged.plain && whole },
            None => Purpose { control: Control::Missing, plain: whole && self.is_plain(&request) },
        };
        let date = match &outcome {
            Outcome::Response(r) => r.header("date").and_then(|d| httpdate::parse_http_date(d).ok()),
            Outcome::Failed(_) => None,
        };
        Some(Recorded {
            trial: entry.trial.clone().unwrap_or_else(|| format!("recorded at {}", entry.started_date_time)),
            sent,
            elapsed: Duration::try_from_secs_f64(entry.time / 1000.0).unwrap_or_default(),
            number: entry.number,
            is_last: entry.attempt >= entry.attempts,
            before: Vec::new(),
            date: date.map(DateTime::<Utc>::from),
            request,
            outcome,
            ended: ended(entry),
            purpose,
            fresh: judged.map(|j| j.fresh),
            whole: whole && response_whole,
        })
    }

    /// The identity that sent the request, its credentials, and the other headers.
    fn sender(&self, entry: &Entry, headers: Vec<(String, String)>) -> (String, Shown, Vec<(String, String)>) {
        let ours = entry.identity.clone();
        let Some(security) = &self.contract.operation.security else {
            return (ours.unwrap_or_else(|| CALLER.to_owned()), Shown::Own, headers);
        };
        let is_shown = |name: &str| std::iter::once(security).chain(&security.also).any(|s| s.header == name);
        let (shown, rest): (Vec<_>, Vec<_>) = headers.into_iter().partition(|(name, _)| is_shown(name));
        if let Some(credentials) = entry.judged.as_ref().and_then(|judged| judged.credentials.clone()) {
            return (ours.unwrap_or_else(|| CALLER.to_owned()), credentials, rest);
        }
        let Some((_, value)) = shown.into_iter().find(|(name, _)| *name == security.header) else {
            return (ours.unwrap_or_else(|| CALLER.to_owned()), Shown::Nothing, rest);
        };
        let mut identities = self.settings.identities.iter();
        let own = identities.find(|(_, identity)| {
            let held = match identity.origin() {
                Origin::Variable(_, token) => Some(token.expose_secret()),
                Origin::File(_) | Origin::Command(..) | Origin::Grant(_) | Origin::Missing(_) => None,
            };
            let variable = format!("${{{}}}", identity.name());
            held.into_iter().chain([variable.as_str()]).any(|t| value == security.value(t))
        });
        match (own, ours) {
            (Some((name, _)), ours) => (ours.unwrap_or_else(|| name.clone()), Shown::Own, rest),
            // Our own recordings have no tokens; one of another person is as secret as ours.
            (None, Some(ours)) => (ours, Shown::Text(value), rest),
            (None, None) => (CALLER.to_owned(), Shown::Text(self.hidden(security, &value)), rest),
        }
    }

    /// Credentials that no identity has, as they are shown. They are masked in the response as well.
    fn hidden(&self, security: &Security, value: &str) -> String {
        let token = value.split_once(' ').map_or(value, |(_, token)| token).trim();
        if token.len() >= TELLING {
            self.settings.secrets.add(&token.to_owned().into(), RECORDED);
        }
        security.value(HIDDEN)
    }

    /// Whether the document describes every parameter of a request's query: nearly any other may change what is requested.
    fn knows_query(&self, request: &Request) -> bool {
        let query = request.path.split_once('?').map_or("", |(_, query)| query);
        pairs(query).iter().all(|(name, _)| name == PAST_CACHES || self.knows(ParameterLocation::Query, name))
    }

    /// Whether the document has a parameter of this name in this part of a request.
    fn knows(&self, location: ParameterLocation, name: &str) -> bool {
        let operation = &self.contract.operation;
        let whole = location == ParameterLocation::Query
            && operation.parameters_in(ParameterLocation::Querystring).next().is_some();
        let base = name.split('[').next().unwrap_or(name);
        let is_it = |p: &Parameter| {
            let members = p.schema.json()["properties"].as_object();
            p.name == base || members.is_some_and(|m| p.explode && m.contains_key(name))
        };
        whole || operation.parameters_in(location).any(is_it)
    }

    /// Whether the document has a header of this name, or every client does.
    fn is_usual(&self, name: &str) -> bool {
        let mut parameters = self.contract.operation.parameters_in(ParameterLocation::Header);
        USUAL.contains(&name)
            || name.starts_with("sec-")
            || name.starts_with("x-forwarded-")
            || parameters.any(|p| p.name.eq_ignore_ascii_case(name))
    }

    /// Whether the client chose nothing but the body's fields and the document's parameters.
    fn is_plain(&self, request: &Request) -> bool {
        let operation = &self.contract.operation;
        let own_body = operation.body();
        let media_type = request.header("content-type").map(|v| v.split(';').next().unwrap_or_default().trim());
        request.credentials == Shown::Own
            && own_body.is_none_or(|_| {
                media_type.map_or(!operation.body_required && request.body.is_none(), |m| {
                    media::form_of(operation, m).is_some()
                })
            })
            && request.headers.iter().all(|(name, _)| self.is_usual(name) || SENT_ALONG.contains(&name.as_str()))
            && self.knows_query(request)
    }
}

/// Pairs of names and values without the values of names that are not known; of a text that is no pair, nothing is left.
fn hidden(text: &str, separator: &str, is_known: impl Fn(&str) -> bool) -> String {
    let shown = |pair: &str| match pair.split_once('=') {
        _ if pairs(pair).first().is_some_and(|(name, _)| is_known(name)) => pair.to_owned(),
        Some((name, _)) => format!("{name}={HIDDEN}"),
        None if pair.is_empty() => String::new(),
        None => HIDDEN.to_owned(),
    };
    text.split(separator.trim_end()).map(str::trim).map(shown).collect::<Vec<_>>().join(separator)
}

/// The parameters of a path that matches a template.
fn parameters(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    if wanted.len() != given.len() {
        return None;
    }
    let mut all = Vec::new();
    for (wanted, given) in wanted.into_iter().zip(given) {
        match wanted.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
            Some(name) if !given.is_empty() => {
                all.push((name.to_owned(), percent_decode_str(given).decode_utf8().ok()?.into_owned()));
            }
            None if wanted == given => {}
            _ => return None,
        }
    }
    Some(all)
}

/// Whether a JSON object has a name twice: servers may choose which one counts.
fn repeats_a_name(body: Option<&[u8]>) -> bool {
    let Some(text) = body.and_then(|b| std::str::from_utf8(b).ok()) else { return false };
    let source = crate::source::Source::new("body", text);
    // The reader of documents refuses repeated keys; whatever else it refuses is no plain body either.
    serde_json::from_str::<serde_json::Value>(text).is_ok() && crate::yaml::parse(&source).is_err()
}

/// Why a request was not sent again although its response called for that, in our own recordings.
fn ended(entry: &Entry) -> Option<Failure> {
    (entry.response.status != 0 && entry.failure.is_some()).then(|| failure(entry))
}

fn failure(entry: &Entry) -> Failure {
    let message = entry.error.clone().unwrap_or_else(|| "no response was recorded".to_owned());
    let named = |kind: &FailureKind| entry.failure.as_deref() == Some(kind.name());
    // Why a browser gave up is not known: it does not count against the server.
    let kind = FailureKind::ALL.into_iter().find(named).unwrap_or(FailureKind::Connect);
    Failure { kind, message }
}

fn outcome(entry: &Entry) -> Outcome {
    if entry.response.status == 0 {
        return Outcome::Failed(failure(entry));
    }
    let headers = entry.response.headers.iter().map(|h| (h.name.to_lowercase(), h.value.clone())).collect();
    let body = entry.response.content.bytes().unwrap_or_default();
    Outcome::Response(Response::new(entry.response.status, headers, body.into()))
}
