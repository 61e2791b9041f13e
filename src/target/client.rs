//! Sending one request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::ExposeSecret;

use super::clock::Clock;
use super::exchange::{Failure, FailureKind, Outcome, Response};
use super::pace::{Pace, retry_after};
use super::settings::Settings;
use crate::contract::document::Security;
use crate::generate::render::{Request, Shown};

/// The longest body that is read.
const BODY_LIMIT: usize = 1 << 20;
/// What hyper says, and has no other word for, where a server speaks without having been asked.
const UNASKED: &str = "unexpected message from connection";
/// How often a request is sent again because the server asked to wait.
const ASKED_TO_WAIT: u32 = 5;

/// Stands for the identity's token in a case's `authorization`.
pub const TOKEN: &str = "{token}";
/// Stands for the token without its last character.
pub const TOKEN_WITHOUT_LAST: &str = "{token[:-1]}";
/// Stands for the token without its first character.
pub const TOKEN_WITHOUT_FIRST: &str = "{token[1:]}";

/// How requests are sent.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The time limit of one request.
    pub timeout: Duration,
    /// How many requests are under way at most.
    pub concurrency: usize,
}

/// A connection to the target.
#[derive(Debug)]
pub struct Client {
    kept_alive: reqwest::Client,
    one_shot: reqwest::Client,
    base: Url,
    settings: Settings,
    security: Option<Security>,
    timeout: Duration,
    clock: Clock,
    pace: Pace,
    requests: AtomicU64,
    retries: AtomicU64,
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
}

impl Client {
    /// A client for a target.
    ///
    /// # Errors
    /// The TLS library cannot be set up.
    pub fn new(
        settings: Settings,
        security: Option<Security>,
        limits: &Limits,
        clock: Clock,
    ) -> Result<Self, reqwest::Error> {
        let loopback = match settings.url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        let builder = || {
            let builder = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(limits.timeout)
                .retry(reqwest::retry::never())
                .tcp_nodelay(true);
            if loopback { builder.no_proxy() } else { builder }
        };
        Ok(Self {
            kept_alive: builder().build()?,
            one_shot: builder().pool_max_idle_per_host(0).build()?,
            base: settings.url.clone(),
            settings,
            security,
            timeout: limits.timeout,
            clock,
            pace: Pace::new(limits.concurrency),
            requests: AtomicU64::new(0),
            retries: AtomicU64::new(0),
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

    /// The whole URL of a request.
    pub fn url(&self, path: &str) -> String {
        join(&self.base, path)
    }

    /// Sends a request. The caller holds a place, see [`Pace::place`].
    ///
    /// A broken connection without a byte of an answer is tried once more on a fresh one; a server
    /// that asks to wait is obeyed, for all requests together.
    pub async fn send(&self, request: &Request, requirement: &str) -> Sent {
        let mut retries = 0;
        let mut waits = 0;
        let mut fresh_connection = false;
        let mut perhaps_twice = false;
        loop {
            let at = self.clock.local();
            let started = tokio::time::Instant::now();
            let client = if fresh_connection { &self.one_shot } else { &self.kept_alive };
            self.requests.fetch_add(1, Ordering::Relaxed);
            let outcome = match self.build(client, request, requirement) {
                Ok(ready) => tokio::time::timeout(self.timeout, attempt(client, ready)).await.unwrap_or_else(|_| {
                    Outcome::Failed(Failure {
                        kind: FailureKind::Timeout,
                        message: format!("nothing complete after {:?}", self.timeout),
                    })
                }),
                Err(failure) => Outcome::Failed(failure),
            };
            let elapsed = started.elapsed();
            match &outcome {
                // What comes on a connection kept alive may still be meant for the request before.
                Outcome::Failed(failure) if is_stale(failure) && !fresh_connection => {
                    fresh_connection = true;
                    perhaps_twice = true;
                }
                Outcome::Response(response) => {
                    self.learn_date(response, at);
                    let Some(delay) = asked_delay(response, waits) else {
                        return Sent { at, elapsed, outcome, retries, perhaps_twice };
                    };
                    waits += 1;
                    if waits > ASKED_TO_WAIT || !self.pace.hold(delay) {
                        let failure = Failure {
                            kind: FailureKind::Throttled,
                            message: format!("answered {} to the end", response.status),
                        };
                        return Sent { at, elapsed, outcome: Outcome::Failed(failure), retries, perhaps_twice };
                    }
                    self.pace.wait().await;
                }
                Outcome::Failed(_) => {
                    return Sent { at, elapsed, outcome, retries, perhaps_twice };
                }
            }
            retries += 1;
            self.retries.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn learn_date(&self, response: &Response, sent: DateTime<Utc>) {
        let date = response.header("date").and_then(|d| httpdate::parse_http_date(d).ok());
        if let Some(date) = date {
            self.clock.learn_date(DateTime::<Utc>::from(date), sent, self.clock.local());
        }
    }

    fn build(
        &self,
        client: &reqwest::Client,
        request: &Request,
        requirement: &str,
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
        if let Some((name, value)) = self.credentials(request) {
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

    fn credentials(&self, request: &Request) -> Option<(String, String)> {
        let security = self.security.as_ref();
        let header = security.map_or("authorization", |s| s.header.as_str());
        let token =
            self.settings.identities.get(&request.identity).map(|i| i.token.expose_secret()).unwrap_or_default();
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
        source = cause.source();
    }
    Failure { kind, message }
}

/// How long the server asks to wait: with 429, and with 503 if it says so.
fn asked_delay(response: &Response, waits: u32) -> Option<Duration> {
    let asked = response.header("retry-after").and_then(|v| retry_after(v, SystemTime::now()));
    match response.status {
        429 => Some(asked.unwrap_or_else(|| Duration::from_millis(500 << waits.min(4)))),
        503 => asked,
        _ => None,
    }
}
