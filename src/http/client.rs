//! Sending one request.

mod build;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Url;
use secrecy::SecretString;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::document::security::Security;
use crate::exchange::{Attempt, Failure, FailureKind, Interval, Outcome, Response};
use crate::exchange::{HeaderCase, Request, Shown};
use crate::http::clock::Clock;
use crate::http::gate::Gate;
use crate::http::limits::{asked_delay, spent};
use crate::http::pace::{Pace, delays};
use crate::http::sent::{Manner, Sent, Tries};
use crate::http::token::{TokenIs, judge_token};
use crate::http::transport;
use crate::settings::Settings;
use crate::source;
use build::no_token;

/// How often a request is sent again because the server asked to wait, as long as no other request is accepted.
const ASKED_TO_WAIT: u32 = 5;
/// How many requests may be refused for their pace, in addition to twice the number of planned requests.
const REFUSED: u64 = 200;
/// How often a connection is attempted.
const CONNECTS: u32 = 3;
/// How long a server may be gone that has answered before: it may be restarted.
const RESTART: Duration = Duration::from_secs(8);
/// How long to wait then before the next connection is attempted.
const AGAIN: Duration = Duration::from_millis(400);
/// How often a request that only reads, or may be repeated safely, is sent when it meets trouble.
const SAFELY: u32 = 4;
/// How long an idle connection is kept: less than any server keeps one, so that none is closed during a request.
const KEPT: Duration = Duration::from_secs(1);
/// How much longer a second request must take to show that it waited for the first connection to close. It is less
/// than the time for which an idle connection is kept.
const KEPT_WAITING: Duration = Duration::from_millis(600);

/// A connection to the target.
#[derive(Debug)]
pub struct Client {
    kept_alive: reqwest::Client,
    one_shot: reqwest::Client,
    /// The same two for requests with header names in title case; made when the first such request is sent.
    titled: OnceLock<Option<[reqwest::Client; 2]>>,
    settings: Settings,
    security: Option<Security>,
    clock: Clock,
    pace: Pace,
    stop: CancellationToken,
    connects: AtomicBool,
    /// Whether any response came, and since when no connection can be made.
    answered: AtomicBool,
    gone: Mutex<Option<Instant>>,
    /// Whose turn it is to look whether it is back.
    turn: tokio::sync::Mutex<()>,
    /// Whether every connection is closed after its request.
    one_shot_only: AtomicBool,
    /// Whether the target is known to speak HTTP/1.1 with us.
    http_1: AtomicBool,
    requests: AtomicU64,
    retries: AtomicU64,
    refused: AtomicU64,
}

/// What follows an attempt.
enum Next {
    /// What came is the final result.
    Done,
    /// The request is sent again.
    Again,
    /// The request should be sent again, but is not.
    Ended(Failure),
}

impl Client {
    /// A client for a target.
    ///
    /// # Errors
    /// Certificates or a proxy that cannot be used.
    pub fn new(settings: Settings, security: Option<Security>, clock: Clock) -> source::Result<Self> {
        Ok(Self {
            kept_alive: transport::client(&settings, |builder| builder.pool_idle_timeout(KEPT))?,
            one_shot: transport::client(&settings, |builder| builder.pool_max_idle_per_host(0))?,
            titled: OnceLock::new(),
            security,
            clock,
            pace: Pace::new(settings.concurrency, settings.rate, settings.budget.max_duration),
            stop: CancellationToken::new(),
            http_1: AtomicBool::new(settings.url.scheme() == "http"),
            settings,
            connects: AtomicBool::new(true),
            answered: AtomicBool::new(false),
            gone: Mutex::new(None),
            turn: tokio::sync::Mutex::new(()),
            one_shot_only: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })
    }

    /// A client beside this one, for what asks for other credentials: with counts and a budget of its own, and with the
    /// same connections, pace and end.
    pub fn beside(&self, settings: Settings, security: Option<Security>) -> Self {
        let copy = |flag: &AtomicBool| AtomicBool::new(flag.load(Ordering::Relaxed));
        Self {
            kept_alive: self.kept_alive.clone(),
            one_shot: self.one_shot.clone(),
            titled: self.titled.clone(),
            settings,
            security,
            clock: self.clock.clone(),
            pace: self.pace.clone(),
            stop: self.stop.clone(),
            connects: AtomicBool::new(true),
            answered: AtomicBool::new(false),
            gone: Mutex::new(None),
            turn: tokio::sync::Mutex::new(()),
            one_shot_only: copy(&self.one_shot_only),
            http_1: copy(&self.http_1),
            requests: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Whether its requests carry credentials.
    pub fn shows_credentials(&self) -> bool {
        self.security.is_some()
    }

    /// The clocks.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The pace.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Cancelled when nothing more is to be sent. Requests in progress are still awaited.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many requests were sent, including retries.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// How many of them were retries.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// How many requests were refused for their pace: they were not processed, and have a limit of their own.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// How many requests count against the budget: all that were sent, except those that were refused for their pace.
    pub fn spent(&self) -> u64 {
        self.requests().saturating_sub(self.refused())
    }

    /// Learns from the durations of two requests, the second of which used a new connection while the first one's was
    /// kept open. If the server closes one connection before it serves the next, none is kept any more: a kept one
    /// would delay all other requests.
    pub fn learn_waiting(&self, kept: Duration, alone: Duration) {
        if alone > kept + KEPT_WAITING {
            tracing::info!("a second connection had to wait for the first: connections are no longer kept");
            self.one_shot_only.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a request may be sent again: not after the run was ended, nor when the budget is used up.
    fn may_repeat(&self) -> Result<(), Failure> {
        let message = if self.stop.is_cancelled() {
            "the run was ended"
        } else if self.settings.budget.max_requests.is_some_and(|most| self.spent() >= most) {
            "the request budget is used up"
        } else {
            return Ok(());
        };
        Err(Failure { kind: FailureKind::GivenUp, message: message.to_owned() })
    }

    /// What sends requests that are none of the run's.
    pub(super) fn plain(&self) -> &reqwest::Client {
        &self.kept_alive
    }

    /// The whole URL of a request.
    pub fn url(&self, path: &str) -> String {
        join(&self.settings.url, path)
    }

    /// Writes a request's header names in a case that the target's protocol allows: HTTP/2 has no title case.
    pub fn fit(&self, request: &mut Request) {
        if !self.http_1.load(Ordering::Relaxed) {
            request.write_headers(HeaderCase::Lower);
        }
    }

    /// Sends a request in the given manner. The caller holds a place, see [`Pace::place`].
    ///
    /// It is sent again only where it was certainly not processed: no connection was made, or the server refused it for
    /// its pace or for an expired token.
    pub async fn send(&self, request: &Request, requirement: &str, manner: Manner<'_>) -> Sent {
        let mut sent = Sent::default();
        // A request without credentials needs no token.
        let shows = match request.credentials {
            Shown::Nothing => false,
            Shown::Own => self.security.is_some(),
            Shown::Text(_) => true,
        };
        let own = self.security.as_ref().map(|security| security.name.as_str());
        let identity = self.settings.token(&request.identity, own.unwrap_or_default()).filter(|_| shows);
        let mut tries = Tries::new(manner.alone || self.one_shot_only.load(Ordering::Relaxed));
        loop {
            let token = match (&tries.renewed, identity) {
                (Some(token), _) => Ok(SecretString::clone(token)),
                (None, Some(identity)) => identity.get(self).await,
                (None, None) => Ok(SecretString::default()),
            };
            let started = Instant::now();
            let attempt = match &token {
                Ok(token) => {
                    // Others wait for it once.
                    let gate = manner.gate.filter(|_| sent.attempts.is_empty());
                    self.attempt(request, requirement, token, Manner { alone: tries.alone, gate }).await
                }
                Err(error) => self.unsent(no_token(&request.identity, error)),
            };
            let next = match &attempt.outcome {
                Outcome::Failed(failure) => self.after_failure(failure, &mut tries).await,
                Outcome::Response(response) => {
                    let identity = identity.filter(|_| request.credentials == Shown::Own);
                    let says = match (identity, &token) {
                        (Some(identity), Ok(token)) => {
                            let renewed = tries.renewed.is_some();
                            judge_token(identity, self, request.operation, response, (token, renewed)).await
                        }
                        _ => Ok(TokenIs::Good),
                    };
                    match says {
                        Ok(says) => self.after_answer(response, says, started, &mut tries, &mut sent).await,
                        Err(error) => Next::Ended(no_token(&request.identity, &error)),
                    }
                }
            };
            let number = u32::try_from(sent.attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
            sent.attempts.push(Attempt { number, ..attempt });
            match next {
                Next::Again => _ = self.retries.fetch_add(1, Ordering::Relaxed),
                Next::Done => return sent,
                Next::Ended(failure) => return Sent { ended: Some(failure), ..sent },
            }
        }
    }

    /// Sends a request that only reads, or may be repeated safely; retries it a few times when it meets trouble.
    pub async fn send_safely(&self, request: &Request, name: &str) -> Sent {
        let mut delays = delays(Duration::from_millis(250));
        let mut all = self.send(request, name, Manner::default()).await;
        for _ in 1..SAFELY {
            if all.ended.is_some() || all.attempts.last().is_none_or(|last| last.trouble().is_none()) {
                break;
            }
            self.sleep(delays.next().unwrap_or_default()).await;
            if self.may_repeat().is_err() {
                break;
            }
            self.retries.fetch_add(1, Ordering::Relaxed);
            let more = self.send(request, name, Manner { alone: true, gate: None }).await;
            all.add(more);
        }
        all
    }

    /// Sends a request once.
    async fn attempt(&self, request: &Request, requirement: &str, token: &SecretString, manner: Manner<'_>) -> Attempt {
        let client = self.transport(request.header_case(), manner.alone);
        let ready = match self.build(client, request, requirement, token, manner.gate).await {
            Ok(ready) => ready,
            Err(failure) => return self.unsent(failure),
        };
        let (mut sent, mut started) = (self.clock.local(), Instant::now());
        self.requests.fetch_add(1, Ordering::Relaxed);
        let (outcome, version) = transport::attempt(client, ready, self.settings.connection.timeout).await;
        if version.is_some_and(|version| version < reqwest::Version::HTTP_2) {
            self.http_1.store(true, Ordering::Relaxed);
        }
        if let Some(opened) = manner.gate.and_then(Gate::opened) {
            sent += chrono::TimeDelta::from_std(opened.duration_since(started)).unwrap_or_default();
            started = started.max(opened);
        }
        let elapsed = started.elapsed();
        if let Outcome::Response(response) = &outcome {
            self.learn_date(response, sent);
        }
        let earliest = self.clock.at_server(sent).earliest;
        let latest = self.clock.at_server(sent + chrono::TimeDelta::from_std(elapsed).unwrap_or_default()).latest;
        Attempt::only(sent, elapsed, Interval { earliest, latest }, outcome)
    }

    /// The result for a request that was never sent.
    fn unsent(&self, failure: Failure) -> Attempt {
        Attempt::only(self.clock.local(), Duration::ZERO, self.clock.server(), Outcome::Failed(failure))
    }

    /// What follows when no complete response came.
    async fn after_failure(&self, failure: &Failure, tries: &mut Tries) -> Next {
        if failure.kind != FailureKind::Connect {
            return Next::Done;
        }
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
        if self.may_be_restarting() {
            // One after another, so that few connections are attempted while there is no server.
            let _turn = self.turn.lock().await;
            if self.may_be_restarting() {
                self.sleep(AGAIN).await;
            }
        } else {
            // Not every request waits for a server that is gone.
            if !self.connects.load(Ordering::Relaxed) || tries.connects >= CONNECTS {
                self.connects.store(false, Ordering::Relaxed);
                return Next::Done;
            }
            tries.connects += 1;
            self.sleep(tries.connecting.next().unwrap_or_default()).await;
        }
        match self.may_repeat() {
            Ok(()) => Next::Again,
            Err(_) => Next::Done,
        }
    }

    /// Whether no connection can be made to a server that has answered before, and not for longer than a restart may take.
    fn may_be_restarting(&self) -> bool {
        let gone = *self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        self.answered.load(Ordering::Relaxed) && gone.is_some_and(|since| since.elapsed() < RESTART)
    }

    /// What a request is sent with.
    fn transport(&self, case: HeaderCase, alone: bool) -> &reqwest::Client {
        let titled = || {
            let titled = |builder: reqwest::ClientBuilder| builder.http1_only().http1_title_case_headers();
            let kept_alive = transport::client(&self.settings, |b| titled(b).pool_idle_timeout(KEPT)).ok()?;
            let one_shot = transport::client(&self.settings, |b| titled(b).pool_max_idle_per_host(0)).ok()?;
            Some([kept_alive, one_shot])
        };
        let lower = if alone { &self.one_shot } else { &self.kept_alive };
        match case {
            HeaderCase::Lower => lower,
            HeaderCase::Title if !self.http_1.load(Ordering::Relaxed) => lower,
            // A client that could be built once can be built again.
            HeaderCase::Title => {
                self.titled.get_or_init(titled).as_ref().map_or(lower, |both| &both[usize::from(alone)])
            }
        }
    }

    /// What follows a response: the request is sent again where it was refused for its token or its pace.
    async fn after_answer(
        &self,
        response: &Response,
        token: TokenIs,
        started: Instant,
        tries: &mut Tries,
        sent: &mut Sent,
    ) -> Next {
        self.connects.store(true, Ordering::Relaxed);
        self.answered.store(true, Ordering::Relaxed);
        *self.gone.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let again = |allowed: Result<(), Failure>| allowed.map_or_else(Next::Ended, |()| Next::Again);
        match token {
            TokenIs::Good => {}
            TokenIs::Renewed(other) => {
                tries.renewed = Some(other);
                return again(self.may_repeat());
            }
            TokenIs::Refused => {
                sent.token_refused = true;
                return Next::Done;
            }
        }
        let Some(asked) = asked_delay(response) else {
            self.pace.accepted(started);
            if let Some(reset) = spent(response).filter(|_| self.pace.still_planned(self.spent()) > 0) {
                self.pace.hold(reset);
            }
            return Next::Done;
        };
        let delay = asked.or_else(|| tries.waiting.next()).unwrap_or_default();
        // A wait that exceeds the run's time limit is not observed, and says nothing of the pace.
        let is_held = self.pace.hold(delay);
        if is_held {
            self.pace.refused(started, delay);
        }
        tracing::info!(status = response.status, ?delay, "asked to wait");
        if response.status == 503 {
            // It may have been processed: the caller decides what follows.
            return match is_held {
                true => Next::Done,
                false => Next::Ended(throttled(response.status, 1, delay)),
            };
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        tries.waits += 1;
        let since = *tries.waiting_since.get_or_insert(started);
        if let Err(failure) = self.may_repeat() {
            return Next::Ended(failure);
        }
        // A request does not give up while others are accepted.
        let is_hopeless = tries.waits > ASKED_TO_WAIT && !self.pace.gets_through_since(since);
        let is_too_often = self.refused() > REFUSED + 2 * self.pace.still_planned(0);
        if is_hopeless || is_too_often || !is_held {
            return Next::Ended(throttled(response.status, tries.waits, delay));
        }
        if tries.waits > ASKED_TO_WAIT {
            (tries.waits, tries.waiting_since) = (1, Some(started));
        }
        again(self.take_turn().await)
    }

    /// Waits for so long before a request is sent again that was refused with this status, for its pace.
    ///
    /// # Errors
    /// Why it is not sent again: the wait would take too long, the run was ended, or the budget is used up.
    pub async fn wait_out(&self, status: u16, delay: Duration) -> Result<(), Failure> {
        if !self.pace.hold(delay) {
            return Err(throttled(status, 1, delay));
        }
        self.take_turn().await?;
        self.retries.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn take_turn(&self) -> Result<(), Failure> {
        tokio::select! {
            () = self.pace.turn() => {}
            () = self.stop.cancelled() => {}
        }
        self.may_repeat()
    }

    /// Waits, unless the run is ended.
    async fn sleep(&self, delay: Duration) {
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = self.stop.cancelled() => {}
        }
    }

    fn learn_date(&self, response: &Response, sent: DateTime<Utc>) {
        let date = response.header("date").and_then(|d| httpdate::parse_http_date(d).ok());
        if let Some(date) = date {
            self.clock.learn_date(DateTime::<Utc>::from(date), sent, self.clock.local());
        }
    }
}

/// A base URL and a path, joined by one slash.
pub fn join(base: &Url, path: &str) -> String {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    let base = url.as_str().trim_end_matches('/');
    format!("{base}/{}", path.trim_start_matches('/'))
}

fn throttled(status: u16, times: u32, delay: Duration) -> Failure {
    let times = if times == 1 { String::new() } else { format!(" {times} times") };
    let message = format!("answered {status}{times}, most recently asking to wait {} s", delay.as_secs());
    Failure { kind: FailureKind::Throttled, message }
}
