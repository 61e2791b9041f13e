//! Sending one request.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::document::security::{Carrier, Security};
use crate::exchange::{Failure, FailureKind, Outcome, Response};
use crate::exchange::{Request, Shown};
use crate::http::clock::Clock;
use crate::http::credentials::credentials as shown_credentials;
use crate::http::pace::{Delays, Pace, delays, retry_after};
use crate::http::transport;
use crate::secrets::token::Token;
use crate::settings::{self, Settings};
use crate::source;

/// How often a request is sent again because the server asked to wait.
const ASKED_TO_WAIT: u32 = 5;
/// How often a connection is tried.
const CONNECTS: u32 = 3;
/// How long a connection that nobody uses is kept: shorter than by any server, so that none is closed under a request.
const KEPT: Duration = Duration::from_secs(1);
/// From how much more time on a request waited for a connection that was kept: less than that one is.
const KEPT_WAITING: Duration = Duration::from_millis(600);

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
}

/// How often a request was tried, and how it is tried next.
struct Tries {
    alone: bool,
    repeatable: bool,
    /// How many connections were tried, and how long to wait before the next.
    connects: u32,
    connecting: Delays,
    /// How often the server asked to wait, and how long it is waited where it does not say.
    waits: u32,
    waiting: Delays,
    /// The token that took the place of one that was refused.
    renewed: Option<SecretString>,
}

impl Tries {
    fn new(manner: Manner) -> Self {
        Self {
            alone: manner.alone,
            repeatable: manner.repeatable,
            connects: 1,
            connecting: delays(Duration::from_millis(150)),
            waits: 0,
            waiting: delays(Duration::from_millis(500)),
            renewed: None,
        }
    }
}

/// What an answer says of the token that was sent.
enum TokenIs {
    /// Nothing against it.
    Good,
    /// It used to work and is refused, and there is this one.
    Renewed(SecretString),
    /// It used to work and is refused, and there is no other.
    Refused,
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
    pub fn new(settings: Settings, security: Option<Security>, clock: Clock) -> source::Result<Self> {
        Ok(Self {
            kept_alive: transport::client(&settings, |builder| builder.pool_idle_timeout(KEPT))?,
            one_shot: transport::client(&settings, |builder| builder.pool_max_idle_per_host(0))?,
            security,
            clock,
            pace: Pace::new(settings.concurrency, settings.rate, settings.budget.max_duration),
            stop: CancellationToken::new(),
            settings,
            connects: AtomicBool::new(true),
            one_shot_only: AtomicBool::new(false),
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

    /// Learns from how long two requests took, the second on a connection of its own beside the first's, that was kept: a
    /// server that has to be rid of one connection before it serves the next is left none. What is kept would hold up
    /// all others.
    pub fn learn_waiting(&self, kept: Duration, alone: Duration) {
        if alone > kept + KEPT_WAITING {
            tracing::info!("a second connection had to wait for the first: none is kept any more");
            self.one_shot_only.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a request may be sent again: not once the run was ended, or the budget is used up.
    fn may_repeat(&self) -> Result<(), Failure> {
        let message = if self.stop.is_cancelled() {
            "the run was ended"
        } else if self.settings.budget.max_requests.is_some_and(|most| self.requests() >= most) {
            "the budget of requests is used up"
        } else {
            return Ok(());
        };
        Err(Failure { kind: FailureKind::GivenUp, message: message.to_owned() })
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
        // Where nothing is shown, no token is needed.
        let shows = match request.credentials {
            Shown::Nothing => false,
            Shown::Own => self.security.is_some(),
            Shown::Text(_) => true,
        };
        let own = self.security.as_ref().map(|security| security.name.as_str());
        let identity = self.settings.token(&request.identity, own.unwrap_or_default()).filter(|_| shows);
        let manner = Manner { alone: manner.alone || self.one_shot_only.load(Ordering::Relaxed), ..manner };
        let mut tries = Tries::new(manner);
        loop {
            let client = if tries.alone { &self.one_shot } else { &self.kept_alive };
            let token = match (&tries.renewed, identity) {
                (Some(token), _) => Ok(SecretString::clone(token)),
                (None, Some(identity)) => identity.get().await,
                (None, None) => Ok(SecretString::default()),
            };
            let token = match token {
                Ok(token) => token,
                Err(message) => return Sent { outcome: Outcome::Failed(no_token(&request.identity, message)), ..sent },
            };
            sent.at = self.clock.local();
            let started = Instant::now();
            self.requests.fetch_add(1, Ordering::Relaxed);
            let outcome = match self.build(client, request, requirement, &token).await {
                Ok(ready) => transport::attempt(client, ready, self.settings.connection.timeout).await,
                Err(failure) => Outcome::Failed(failure),
            };
            sent.elapsed = started.elapsed();
            let again = match &outcome {
                Outcome::Failed(failure) => Ok(self.again_after_failure(failure, &mut tries, &mut sent).await),
                Outcome::Response(response) => {
                    self.learn_date(response, sent.at);
                    let identity = identity.filter(|_| request.credentials == Shown::Own);
                    let says = match identity {
                        Some(identity) => self.judge_token(identity, response, &token, tries.renewed.is_some()).await,
                        None => Ok(TokenIs::Good),
                    };
                    match says {
                        Ok(says) => self.again_after_answer(response, says, started, &mut tries, &mut sent).await,
                        Err(message) => Err(no_token(&request.identity, message)),
                    }
                }
            };
            sent.outcome = outcome;
            match again {
                Ok(true) => {}
                Ok(false) => return sent,
                Err(failure) => return Sent { outcome: Outcome::Failed(failure), ..sent },
            }
            sent.retries += 1;
            self.retries.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether a request is sent again that came to nothing.
    async fn again_after_failure(&self, failure: &Failure, tries: &mut Tries, sent: &mut Sent) -> bool {
        if failure.kind == FailureKind::Connect {
            // A server that is gone is not waited for with every request.
            if !self.connects.load(Ordering::Relaxed) || tries.connects == CONNECTS {
                self.connects.store(false, Ordering::Relaxed);
                return false;
            }
            tries.connects += 1;
            self.sleep(tries.connecting.next().unwrap_or_default()).await;
            return self.may_repeat().is_ok();
        }
        if tries.alone || !transport::is_stale(failure) {
            return false;
        }
        let repeats = tries.repeatable && self.may_repeat().is_ok();
        tries.alone = repeats;
        sent.perhaps_twice = repeats;
        sent.lost = !repeats;
        repeats
    }

    /// Whether a request is sent again that was refused for its token or for the pace; an error where that was the answer,
    /// and it is not.
    async fn again_after_answer(
        &self,
        response: &Response,
        token: TokenIs,
        started: Instant,
        tries: &mut Tries,
        sent: &mut Sent,
    ) -> Result<bool, Failure> {
        self.connects.store(true, Ordering::Relaxed);
        match token {
            TokenIs::Good => {}
            TokenIs::Renewed(other) => {
                tries.renewed = Some(other);
                return self.may_repeat().map(|()| true);
            }
            TokenIs::Refused => {
                sent.token_refused = true;
                return Ok(false);
            }
        }
        let Some(asked) = asked_delay(response) else { return Ok(false) };
        let delay = asked.or_else(|| tries.waiting.next()).unwrap_or_default();
        self.pace.slow_down(started, delay);
        tries.waits += 1;
        tracing::info!(status = response.status, ?delay, "asked to wait");
        self.may_repeat()?;
        if tries.waits > ASKED_TO_WAIT || !self.pace.hold(delay) {
            let times = if tries.waits == 1 { String::new() } else { format!(" {} times", tries.waits) };
            let message = format!("answered {}{times}, last for {} s", response.status, delay.as_secs());
            return Err(Failure { kind: FailureKind::Throttled, message });
        }
        tokio::select! {
            () = self.pace.turn() => {}
            () = self.stop.cancelled() => {}
        }
        self.may_repeat().map(|()| true)
    }

    /// What an answer says of the token that was sent.
    async fn judge_token(
        &self,
        token: &Token,
        response: &Response,
        used: &SecretString,
        renewed: bool,
    ) -> Result<TokenIs, String> {
        if response.status != 401 {
            // Who limits, or stands before the server, may answer without a look at the token.
            if response.status < 500 && ![403, 407, 408, 425, 429].contains(&response.status) {
                token.works();
            }
            return Ok(TokenIs::Good);
        }
        // One that never worked is wrong.
        if !token.worked() {
            return Ok(TokenIs::Good);
        }
        // One that was just made is not made again.
        if renewed {
            return Ok(TokenIs::Refused);
        }
        tracing::info!(token = token.name(), "refused, though it used to work");
        Ok(token.another(used).await?.map_or(TokenIs::Refused, TokenIs::Renewed))
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
        let mut url = Url::parse(&self.url(&request.path)).map_err(|e| unsendable(e.to_string()))?;
        let mut others = Vec::new();
        for also in self.security.iter().flat_map(|security| &security.also) {
            if let Some(other) = self.settings.token(&request.identity, &also.name) {
                let other = other.get().await.map_err(|message| no_token(&request.identity, message))?;
                others.push(other.expose_secret().to_owned());
            }
        }
        let shown = shown_credentials(self.security.as_ref(), &request.credentials, token.expose_secret(), &others);
        for (carrier, _, value) in &shown {
            if let Carrier::Query(key) = carrier {
                url.query_pairs_mut().append_pair(key, value);
            }
        }
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
        for (carrier, name, value) in shown {
            let value = match carrier {
                Carrier::Header => value,
                Carrier::Cookie(cookie) => format!("{cookie}={value}"),
                // It stands in the URL.
                Carrier::Query(_) => continue,
            };
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
}

/// A base URL and a path, one slash between them.
pub fn join(base: &Url, path: &str) -> String {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    let base = url.as_str().trim_end_matches('/');
    format!("{base}/{}", path.trim_start_matches('/'))
}

/// How long the server asks to wait, if it does: with 425 and 429, and with 503 if it says so. Within, None where it does
/// not say how long.
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

fn no_token(identity: &str, message: String) -> Failure {
    credentials(&format!("the token of `{identity}`"), message)
}

fn credentials(what: &str, message: String) -> Failure {
    Failure { kind: FailureKind::Credentials, message: format!("{what}: {message}") }
}
