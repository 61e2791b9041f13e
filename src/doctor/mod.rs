//! Whether a check can be run on a target: settings, way, server, tokens, fixtures. It creates nothing if it can.
//!
//! - here: the way to the server, and its clock
//! - `tokens`, `fixtures`: who calls, and what is provided

mod fixtures;
mod tokens;

use std::time::Duration;

use chrono::TimeDelta;
use serde::Serialize;

use crate::contract::{CALLER, Contract};
use crate::exchange::Request;
use crate::exchange::{FailureKind, Outcome};
use crate::gate::Exit;
use crate::http::client::Client;
use crate::http::clock::Clock;
use crate::http::connectivity::{Reach, reach};
use crate::http::sent::Manner;
use crate::lookup::get;
use crate::settings::{Environment, Settings, is_loopback};
use crate::source::{Diagnostic, Result};

/// How long all of it may take, waits that the server asks for included.
const LASTS: Duration = Duration::from_secs(120);
/// From how much on a difference of clocks is told as wrong.
const CLOCKS_APART: TimeDelta = TimeDelta::seconds(60);

/// What came of looking at one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// What came of it.
    pub state: State,
    /// What was seen.
    pub text: String,
    /// What to do.
    pub advice: Option<String>,
    /// The exit code, were it for this alone.
    #[serde(skip)]
    pub exit: Exit,
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Good,
    /// A check can be run, and this should be known.
    Warning,
    /// No check can be run, or none that shows something.
    Bad,
    /// Not looked at.
    Skipped,
}

impl Check {
    /// A thing that is as it should be.
    pub fn good(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, state: State::Good, text: text.into(), advice: None, exit: Exit::Conformant }
    }

    fn skipped(name: &'static str, text: impl Into<String>) -> Self {
        Self { state: State::Skipped, ..Self::good(name, text) }
    }

    fn warning(name: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Warning, advice: Some(advice.into()), ..Self::good(name, text) }
    }

    /// A thing that is wrong.
    pub fn bad(name: &'static str, exit: Exit, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Bad, advice: Some(advice.into()), exit, ..Self::good(name, text) }
    }

    /// An error in what people wrote.
    pub fn input(name: &'static str, error: &Diagnostic) -> Self {
        let text = match error.place() {
            Some(place) => format!("{place}: {}", error.title()),
            None => error.title().to_owned(),
        };
        Self::bad(name, Exit::Usage, text, error.advice().unwrap_or("`probity explain settings` shows every key"))
    }
}

/// What was seen of a target.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Examination {
    /// One thing after the other.
    pub checks: Vec<Check>,
    /// How many requests were sent that a server may only refuse; all others only read.
    pub refusable: u64,
}

impl Examination {
    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.checks.iter().map(|check| check.exit).fold(Exit::Conformant, Exit::worse)
    }
}

/// Looks at everything that a check needs.
///
/// # Errors
/// A connection that cannot be set up.
pub async fn examine(
    contract: &Contract,
    settings: &Settings,
    environment: Environment<'_>,
    clock: Clock,
) -> Result<Examination> {
    let mut own = settings.clone();
    own.budget.max_duration = Some(LASTS);
    let client = Client::new(own, contract.operation.security.clone(), clock)?;
    client.pace().begin(0);
    let mut doctor = Doctor { contract, settings, client, seen: Examination::default() };
    doctor.production();
    doctor.encryption();
    let is_there = doctor.exit() == Exit::Conformant && doctor.reach(environment).await && doctor.http().await;
    if is_there {
        doctor.clock();
        doctor.tokens().await;
    }
    let keeps_schema = doctor.fixtures();
    if is_there && keeps_schema {
        doctor.lookups().await;
    }
    for name in ["reach", "http", "clock", "token", "look-ups"] {
        if !doctor.seen.checks.iter().any(|check| check.name == name) {
            doctor.add(Check::skipped(name, "not examined, because of the problem above"));
        }
    }
    Ok(doctor.seen)
}

struct Doctor<'a> {
    contract: &'a Contract,
    settings: &'a Settings,
    client: Client,
    seen: Examination,
}

impl Doctor<'_> {
    fn add(&mut self, check: Check) {
        self.seen.checks.push(check);
    }

    fn exit(&self) -> Exit {
        self.seen.exit()
    }

    fn production(&mut self) {
        let check = match self.settings.check_production(&self.contract.operation.servers) {
            Err(error) => Check::input("production", &error),
            Ok(()) if self.settings.allow_production => {
                Check::warning("production", "the guard is off", "a run creates records: remove --allow-production")
            }
            Ok(()) => Check::good("production", "this is not a server that the document names"),
        };
        self.add(check);
    }

    fn encryption(&mut self) {
        let url = &self.settings.url;
        for warning in self.settings.warnings() {
            let advice =
                if url.scheme() == "http" { "use an https:// URL" } else { "set ca_file to the certificate of its CA" };
            self.add(Check::warning("encryption", warning, advice));
        }
        if self.settings.warnings().is_empty() {
            let text = if is_loopback(url) && url.scheme() == "http" { "plain HTTP, on this machine" } else { "HTTPS" };
            self.add(Check::good("encryption", text));
        }
    }

    async fn reach(&mut self, environment: Environment<'_>) -> bool {
        let host = self.settings.url.host_str().unwrap_or_default();
        let check = match reach(self.settings, environment).await {
            Reach::There(address) => Check::good("reach", format!("{address} accepts connections")),
            Reach::Proxy => Check::skipped("reach", "the target is reached through a proxy"),
            Reach::NoAddress(why) => {
                let advice = "check the host in the URL; you may need a VPN or a proxy";
                Check::bad("reach", Exit::Unreachable, format!("{host} cannot be resolved: {why}"), advice)
            }
            Reach::NoConnection(why) => {
                let advice = "make sure that the server is running and that no firewall blocks it";
                Check::bad("reach", Exit::Unreachable, format!("no connection: {why}"), advice)
            }
        };
        let goes_on = check.state != State::Bad;
        self.add(check);
        goes_on
    }

    /// A path that may be asked for: that of the first look-up.
    fn path(&self) -> Option<&str> {
        let mut steps = self.contract.lookup.steps.iter().filter(|step| step.each.is_none());
        steps.find_map(|step| step.get.as_deref())
    }

    async fn send(&self, request: &Request) -> Outcome {
        let _place = self.client.pace().place(1).await;
        self.client.send_safely(request, "doctor").await.outcome()
    }

    async fn send_once(&self, request: &Request) -> Outcome {
        let _place = self.client.pace().place(1).await;
        self.client.send(request, "doctor", Manner::default()).await.outcome()
    }

    async fn http(&mut self) -> bool {
        let path = self.path().unwrap_or("/").to_owned();
        let check = match self.send(&get(path.clone(), CALLER)).await {
            Outcome::Failed(failure) => match failure.kind {
                // Told with the tokens.
                FailureKind::Credentials => Check::skipped("http", "no request can be sent without a token"),
                FailureKind::Connect | FailureKind::Tls if self.settings.url.scheme() == "https" => {
                    let advice = "check what it says about certificates, and that the port is for HTTPS";
                    Check::bad("http", Exit::Unreachable, failure.message, advice)
                }
                _ => {
                    let text = failure.at_first(&self.settings.url);
                    Check::bad("http", Exit::Unreachable, text, "check that the port in the URL is that of the API")
                }
            },
            Outcome::Response(r) => match r.status {
                407 => Check::bad(
                    "http",
                    Exit::Unreachable,
                    "a proxy asks for credentials",
                    "check HTTPS_PROXY and similar variables, or `proxy`",
                ),
                300..400 => {
                    let to = r.location(&self.settings.url).map_or("elsewhere".to_owned(), |to| to.to_string());
                    let text = format!("GET {path} answered {}, which leads to {to}", r.status);
                    Check::warning("http", text, "redirects are never followed: use the final URL")
                }
                500.. => {
                    let text = format!("GET {path} answered {}", r.status);
                    Check::warning("http", text, "the server may be down for maintenance")
                }
                status => Check::good("http", format!("GET {path} answered {status}")),
            },
        };
        let goes_on = check.state != State::Bad;
        self.add(check);
        goes_on
    }

    fn clock(&mut self) {
        let check = match self.client.clock().difference() {
            None => Check::skipped("clock", "the server sends no Date header"),
            Some((low, high)) => {
                let middle = low + (high - low) / 2;
                let way = if middle < TimeDelta::zero() { "behind" } else { "ahead of" };
                let text = format!("the server's clock is {} s {way} ours", middle.abs().num_seconds());
                if low > CLOCKS_APART || high < -CLOCKS_APART {
                    Check::warning(
                        "clock",
                        text,
                        "set the clocks: times in the future are judged by the server's clock",
                    )
                } else {
                    Check::good("clock", "within a minute of ours")
                }
            }
        };
        self.add(check);
    }
}
