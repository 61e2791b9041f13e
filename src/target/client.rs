//! Sending one request.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::exchange::{Failure, FailureKind, Outcome, Response};
use super::pace::{Pace, delays, retry_after};
use super::settings::{self, Settings, is_loopback};
use super::token::Token;
use crate::contract::document::Security;
use crate::generate::render::{Request, Shown};

/// The longest body that is read.
const BODY_LIMIT: usize = 1 << 20;
/// What hyper says, and has no other word for, where a server speaks without having been asked.
const UNASKED: &str = "unexpected message from connection";
/// How often a request is sent again because the server asked to wait.
const ASKED_TO_WAIT: u32 = 5;
/// How often a connection is tried.
const CONNECTS: u32 = 3;
/// How long a connection that nobody uses is kept: shorter than by any server, so that none is closed under a request.
const KEPT: Duration = Duration::from_secs(1);
/// From how much more time on a request waited for a connection that was kept: less than that one is.
const KEPT_WAITING: Duration = Duration::from_millis(600);

/// Stands for the identity's token in a case's `authorization`.
pub const TOKEN: &str = "{token}";
/// Stands for the token without its last character.
pub const TOKEN_WITHOUT_LAST: &str = "{token[:-1]}";
/// Stands for the token without its first character.
pub const TOKEN_WITHOUT_FIRST: &str = "{token[1:]}";

/// How a request is sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Whether it gets a connection of its own.
    pub alone: bool,
    /// Whether it may be sent again though it may have been processed: it carries a key, and nothing
    /// depends on whether the key is honoured.
    pub repeatable: bool,
}

/// A connection to the target.
#[derive(Debug)]
pub struct Client {
    kept_alive: reqwest::Client,
    one_shot: reqwest::Client,
    settings: Settings,
    security: Option<Security>,
    clock: Clock,
    pace: Pace,
    stop: CancellationToken,
    connects: AtomicBool,
    /// Whether no connection is kept.
    one_shot_only: AtomicBool,
    requests: AtomicU64,
    retries: AtomicU64,
    /// How many requests may be sent, repetitions included.
    most: AtomicU64,
}

/// What came of a request.
#[derive(Debug)]
pub struct Sent {
    /// When it was sent, by our clock.
    pub at: DateTime<Utc>,
    /// How long the answer took.
    pub elapsed: Duration,
    /// The answer.
    pub outcome: Outcome,
    /// How often it was sent again.
    pub retries: u32,
    /// Whether it may have been processed more than once.
    pub perhaps_twice: bool,
    /// Whether a connection that was used before broke under it: that says nothing of the request.
    pub lost: bool,
    /// Whether a token was refused that used to work, and there is no other.
    pub token_refused: bool,
}

impl Client {
    /// A client for a target.
    ///
    /// # Errors
    /// Certificates or a proxy that cannot be used.
    pub fn new(settings: Settings, security: Option<Security>, clock: Clock) -> Result<Self, reqwest::Error> {
        Ok(Self {
            kept_alive: builder(&settings)?.pool_idle_timeout(KEPT).build()?,
            one_shot: builder(&settings)?.pool_max_idle_per_host(0).build()?,
            security,
            clock,
            pace: Pace::new(settings.concurrency, settings.rate, settings.budget.max_duration),
            stop: CancellationToken::new(),
            settings,
            connects: AtomicBool::new(true),
            one_shot_only: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            most: AtomicU64::new(u64::MAX),
        })
    }

    /// The clocks.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The pace.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Cancelled when no more is to be sent. What is under way is waited for.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many requests were sent, repetitions included.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// How many of them were repetitions.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Sends nothing again beyond so many requests.
    pub fn limit(&self, requests: u64) {
        self.most.store(requests, Ordering::Relaxed);
    }

    /// Learns from how long two requests took, the second on a connection of its own beside the first's, that was kept: a
    /// server that has to be rid of one connection before it serves the next is left none. What is kept would hold up
    /// all others.
    pub fn learn_waiting(&self, kept: Duration, alone: Duration) {
        if alone > kept + KEPT_WAITING {
            tracing::info!("a second connection had to wait for the first: none is kept any more");
            self.one_shot_only.store(true, Ordering::Relaxed);
        }
    }

    /// Why a request is not to be sent again: the run was ended, or the budget is used up.
    fn gives_up(&self) -> Option<Failure> {
        let message = if self.stop.is_cancelled() {
            "the run was ended"
        } else if self.requests() >= self.most.load(Ordering::Relaxed) {
            "the budget of requests is used up"
        } else {
            return None;
        };
        Some(Failure { kind: FailureKind::GivenUp, message: message.to_owned() })
    }

    /// The whole URL of a request.
    pub fn url(&self, path: &str) -> String {
        join(&self.settings.url, path)
    }

    /// Sends a request. The caller holds a place, see [`Pace::place`].
    ///
    /// It is sent again where that cannot do what the request is not to do: when no connection was
    /// made, when the server refused it for the pace or for a token that ran out; when it may have
    /// been processed, only if it is [`Manner::repeatable`].
    pub async fn send(&self, request: &Request, requirement: &str, manner: Manner) -> Sent {
        let mut sent = Sent {
            at: self.clock.local(),
            elapsed: Duration::ZERO,
            outcome: Outcome::Failed(Failure { kind: FailureKind::Unsendable, message: String::new() }),
            retries: 0,
            perhaps_twice: false,
            lost: false,
            token_refused: false,
        };
        let identity = self.settings.identities.get(&request.identity);
        let (mut waits, mut connects, mut renewed) = (0, 1, None);
        let mut delays_asked = delays(Duration::from_millis(500));
        let mut delays_connecting = delays(Duration::from_millis(150));
        let mut alone = manner.alone || self.one_shot_only.load(Ordering::Relaxed);
        loop {
            let client = if alone { &self.one_shot } else { &self.kept_alive };
            let token = match (&renewed, identity) {
                (Some(token), _) => Ok(SecretString::clone(token)),
                (None, Some(identity)) => identity.get().await,
                (None, None) => Ok(SecretString::default()),
            };
            let token = match token {
                Ok(token) => token,
                Err(message) => return Sent { outcome: no_token(&request.identity, message), ..sent },
            };
            sent.at = self.clock.local();
            let started = tokio::time::Instant::now();
            self.requests.fetch_add(1, Ordering::Relaxed);
            sent.outcome = match self.build(client, request, requirement, &token).await {
                Ok(ready) => self.attempt(client, ready).await,
                Err(failure) => Outcome::Failed(failure),
            };
            sent.elapsed = started.elapsed();
            match &sent.outcome {
                Outcome::Failed(failure) => {
                    let kind = failure.kind;
                    if kind == FailureKind::Connect {
                        // A server that is gone is not waited for with every request.
                        let was_there = self.connects.load(Ordering::Relaxed);
                        if !was_there || connects >= CONNECTS || self.stop.is_cancelled() {
                            self.connects.store(false, Ordering::Relaxed);
                            return sent;
                        }
                        connects += 1;
                        self.sleep(delays_connecting.next().unwrap_or_default()).await;
                    } else if !alone && is_stale(failure) && manner.repeatable {
                        alone = true;
                        sent.perhaps_twice = true;
                    } else {
                        sent.lost = !alone && is_stale(failure);
                        return sent;
                    }
                }
                Outcome::Response(response) => {
                    self.connects.store(true, Ordering::Relaxed);
                    self.learn_date(response, sent.at);
                    if request.credentials == Shown::Own
                        && let Some(identity) = identity
                    {
                        match self.judge_token(identity, response, &token, renewed.is_some()).await {
                            Ok(None) => {}
                            Ok(Some(Some(other))) => {
                                if let Some(failure) = self.gives_up() {
                                    return Sent { outcome: Outcome::Failed(failure), ..sent };
                                }
                                renewed = Some(other);
                                sent.retries += 1;
                                self.retries.fetch_add(1, Ordering::Relaxed);
                                continue;
                            }
                            Ok(Some(None)) => return Sent { token_refused: true, ..sent },
                            Err(message) => return Sent { outcome: no_token(&request.identity, message), ..sent },
                        }
                    }
                    let Some(asked) = asked_delay(response) else { return sent };
                    let delay = asked.or_else(|| delays_asked.next()).unwrap_or_default();
                    self.pace.slow_down(started, delay);
                    waits += 1;
                    tracing::info!(status = response.status, ?delay, "asked to wait");
                    if let Some(failure) = self.gives_up() {
                        return Sent { outcome: Outcome::Failed(failure), ..sent };
                    }
                    if waits > ASKED_TO_WAIT || !self.pace.hold(delay) {
                        let times = if waits == 1 { String::new() } else { format!(" {waits} times") };
                        let message = format!("answered {}{times}, last for {} s", response.status, delay.as_secs());
                        sent.outcome = Outcome::Failed(Failure { kind: FailureKind::Throttled, message });
                        return sent;
                    }
                    tokio::select! {
                        () = self.pace.turn() => {}
                        () = self.stop.cancelled() => {}
                    }
                    if let Some(failure) = self.gives_up() {
                        return Sent { outcome: Outcome::Failed(failure), ..sent };
                    }
                }
            }
            sent.retries += 1;
            self.retries.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn attempt(&self, client: &reqwest::Client, request: reqwest::Request) -> Outcome {
        let limit = self.settings.connection.timeout;
        tokio::time::timeout(limit, attempt(client, request)).await.unwrap_or_else(|_| {
            let message = format!("nothing complete after {limit:?}");
            Outcome::Failed(Failure { kind: FailureKind::Timeout, message })
        })
    }

    /// What an answer says of a token: None if nothing against it; otherwise the one to try in its place, if there is one.
    async fn judge_token(
        &self,
        token: &Token,
        response: &Response,
        used: &SecretString,
        renewed: bool,
    ) -> Result<Option<Option<SecretString>>, String> {
        if response.status != 401 {
            // Who limits, or stands before the server, may answer without a look at the token.
            if response.status < 500 && ![403, 407, 408, 425, 429].contains(&response.status) {
                token.works();
            }
            return Ok(None);
        }
        // One that never worked is wrong; one that was just made is refused for what it asks.
        if !token.worked() || renewed {
            return Ok(None);
        }
        tracing::info!(token = token.name(), "refused, though it used to work");
        token.another(used).await.map(Some)
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

    async fn build(
        &self,
        client: &reqwest::Client,
        request: &Request,
        requirement: &str,
        token: &SecretString,
    ) -> Result<reqwest::Request, Failure> {
        let unsendable = |message: String| Failure { kind: FailureKind::Unsendable, message };
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|e| unsendable(e.to_string()))?;
        let url = Url::parse(&self.url(&request.path)).map_err(|e| unsendable(e.to_string()))?;
        let agent = format!("probity/{} ({requirement})", env!("CARGO_PKG_VERSION"));
        let mut builder = client.request(method, url).header("user-agent", agent);
        for (name, value) in &request.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| unsendable(format!("{name:?}: {e}")))?;
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|e| unsendable(format!("{name}: {e}")))?;
            builder = builder.header(name, value);
        }
        for (name, value) in self.settings.headers.iter().filter(|(name, _)| request.header(name).is_none()) {
            let value = match value {
                settings::HeaderValue::Text(text) => HeaderValue::from_str(text),
                settings::HeaderValue::Secret(secret) => {
                    let text = secret.get().await.map_err(|message| credentials(name, message))?;
                    HeaderValue::from_str(text.expose_secret()).map(|mut value| {
                        value.set_sensitive(true);
                        value
                    })
                }
            };
            builder = builder.header(name, value.map_err(|e| unsendable(format!("{name}: {e}")))?);
        }
        if let Some((name, value)) = self.credentials(request, token.expose_secret()) {
            let mut value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| unsendable("the credentials hold a character that no header may hold".into()))?;
            value.set_sensitive(true);
            builder = builder.header(name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        builder.build().map_err(|e| unsendable(e.without_url().to_string()))
    }

    fn credentials(&self, request: &Request, token: &str) -> Option<(String, String)> {
        let security = self.security.as_ref();
        let header = security.map_or("authorization", |s| s.header.as_str());
        let value = match &request.credentials {
            Shown::Nothing => return None,
            Shown::Own => match security?.scheme.as_deref() {
                Some(scheme) => format!("{scheme} {token}"),
                None => token.to_owned(),
            },
            Shown::Text(text) => fill(text, token),
        };
        Some((header.to_owned(), value))
    }
}

/// Puts a token, or the token without its first or last character, into a text.
fn fill(text: &str, token: &str) -> String {
    let mut chars = token.chars();
    let without_last = chars.next_back().map_or("", |_| chars.as_str());
    let mut chars = token.chars();
    let without_first = chars.next().map_or("", |_| chars.as_str());
    text.replace(TOKEN_WITHOUT_LAST, without_last).replace(TOKEN_WITHOUT_FIRST, without_first).replace(TOKEN, token)
}

/// A base URL and a path, one slash between them.
pub fn join(base: &Url, path: &str) -> String {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    let base = url.as_str().trim_end_matches('/');
    format!("{base}/{}", path.trim_start_matches('/'))
}

/// Whether a failure may be the connection's rather than the server's.
fn is_stale(failure: &Failure) -> bool {
    failure.kind == FailureKind::Broken || failure.message.contains(UNASKED)
}

async fn attempt(client: &reqwest::Client, request: reqwest::Request) -> Outcome {
    let mut response = match client.execute(request).await {
        Ok(response) => response,
        Err(error) => return Outcome::Failed(failure(error)),
    };
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > BODY_LIMIT => {
                return Outcome::Failed(Failure {
                    kind: FailureKind::TooLarge,
                    message: format!("more than {} MiB with status {status}", BODY_LIMIT >> 20),
                });
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => {
                let mut failure = failure(error);
                // Something was answered: this is no stale connection.
                if failure.kind == FailureKind::Broken {
                    failure.kind = FailureKind::Protocol;
                    failure.message = format!("status {status}, then the body broke off: {}", failure.message);
                }
                return Outcome::Failed(failure);
            }
        }
    }
    Outcome::Response(Response::new(status, headers, Bytes::from(body)))
}

fn failure(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let mut message = error.to_string();
    let mut kind = if error.is_timeout() {
        FailureKind::Timeout
    } else if error.is_connect() {
        FailureKind::Connect
    } else {
        FailureKind::Broken
    };
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        let text = cause.to_string();
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            if hyper.is_parse() || text.contains(UNASKED) {
                kind = FailureKind::Protocol;
            } else if hyper.is_incomplete_message() || hyper.is_closed() || hyper.is_canceled() {
                kind = FailureKind::Broken;
            }
        }
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        if let Some(advice) = super::tls::advice(cause) {
            (kind, message) = (FailureKind::Connect, advice);
            break;
        }
        source = cause.source();
    }
    Failure { kind, message }
}

/// How long the server asks to wait, if it does: with 425 and 429, and with 503 if it says so. Within, None where it does not say
/// how long.
fn asked_delay(response: &Response) -> Option<Option<Duration>> {
    // A date is one of the server's clock.
    let now = response.header("date").and_then(|d| httpdate::parse_http_date(d).ok());
    let now = now.unwrap_or_else(SystemTime::now);
    let asked = response.header("retry-after").and_then(|v| retry_after(v, now));
    match response.status {
        425 | 429 => Some(asked),
        503 => asked.map(Some),
        _ => None,
    }
}

fn builder(settings: &Settings) -> Result<reqwest::ClientBuilder, reqwest::Error> {
    let connection = &settings.connection;
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(connection.timeout)
        .retry(reqwest::retry::never())
        .tcp_nodelay(true)
        .tls_danger_accept_invalid_certs(connection.insecure);
    if is_loopback(&settings.url) {
        builder = builder.no_proxy();
    }
    if let Some(proxy) = &connection.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy.clone())?);
    }
    if let Some(pem) = &connection.ca {
        builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem)?);
    }
    if let Some(pem) = &connection.client_certificate {
        builder = builder.identity(reqwest::Identity::from_pem(pem.expose_secret().as_bytes())?);
    }
    Ok(builder)
}

fn no_token(identity: &str, message: String) -> Outcome {
    Outcome::Failed(credentials(&format!("the token of `{identity}`"), message))
}

fn credentials(what: &str, message: String) -> Failure {
    Failure { kind: FailureKind::Credentials, message: format!("{what}: {message}") }
}
