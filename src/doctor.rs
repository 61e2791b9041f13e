//! Whether a check can be run on a target: settings, way, server, tokens, fixtures. It creates nothing if it can.

use std::time::Duration;

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::contract::{CALLER, Contract, Target};
use crate::expression::timestamp;
use crate::gate::Exit;
use crate::generate::draft::Lent;
use crate::generate::render::{Request, segment};
use crate::lookup::{Asked, Found, get, look_up};
use crate::report::text::{counted, listed};
use crate::source::{Diagnostic, Result};
use crate::target::client::{Client, Manner};
use crate::target::clock::Clock;
use crate::target::exchange::{FailureKind, Outcome};
use crate::target::reach::{Reach, reach};
use crate::target::settings::{Environment, Settings, is_loopback};

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
    client.pace().begin();
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
            doctor.add(Check::skipped(name, "not looked at, for what is wrong above"));
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
                Check::warning("production", "the guard is off", "a run creates records: leave --allow-production out")
            }
            Ok(()) => Check::good("production", "this is no server that the document names"),
        };
        self.add(check);
    }

    fn encryption(&mut self) {
        let url = &self.settings.url;
        for warning in self.settings.warnings() {
            let advice =
                if url.scheme() == "http" { "name an https:// address" } else { "name its authority as ca_file" };
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
            Reach::There(address) => Check::good("reach", format!("{address} takes connections")),
            Reach::Proxy => Check::skipped("reach", "a proxy stands before the target"),
            Reach::NoAddress(why) => {
                let advice = "look at the URL's host; a VPN may be needed, or a proxy";
                Check::bad("reach", Exit::Unreachable, format!("{host} has no address: {why}"), advice)
            }
            Reach::NoConnection(why) => {
                let advice = "see that the server runs, and that no firewall stands in between";
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
        self.client.send(request, "doctor", Manner { alone: false, repeatable: true }).await.outcome
    }

    async fn http(&mut self) -> bool {
        let path = self.path().unwrap_or("/").to_owned();
        let check = match self.send(&get(path.clone(), CALLER)).await {
            Outcome::Failed(failure) => match failure.kind {
                // Told with the tokens.
                FailureKind::Credentials => Check::skipped("http", "nothing can be asked without a token"),
                _ if self.settings.url.scheme() == "https" && failure.kind == FailureKind::Connect => {
                    let advice = "see what it says of certificates, or that the port is that of HTTPS";
                    Check::bad("http", Exit::Unreachable, failure.message, advice)
                }
                _ => {
                    let text = failure.at_first(&self.settings.url);
                    Check::bad("http", Exit::Unreachable, text, "see that the URL's port is that of the API")
                }
            },
            Outcome::Response(r) => match r.status {
                407 => Check::bad(
                    "http",
                    Exit::Unreachable,
                    "a proxy asks for credentials",
                    "look at HTTPS_PROXY and its like, or at `proxy`",
                ),
                300..400 => {
                    let to = r.header("location").unwrap_or("elsewhere");
                    let text = format!("GET {path} answered {} to {to}", r.status);
                    Check::warning("http", text, "redirects are never followed: name the final address")
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
            None => Check::skipped("clock", "the server sends no Date"),
            Some((low, high)) => {
                let middle = low + (high - low) / 2;
                let way = if middle < TimeDelta::zero() { "behind" } else { "ahead of" };
                let text = format!("the server's clock is {} s {way} ours", middle.abs().num_seconds());
                if low > CLOCKS_APART || high < -CLOCKS_APART {
                    Check::warning("clock", text, "set the clocks: times in the future are judged by the server's")
                } else {
                    Check::good("clock", "within a minute of ours")
                }
            }
        };
        self.add(check);
    }

    async fn tokens(&mut self) {
        for name in self.settings.identities.keys() {
            let check = match self.path() {
                Some(path) => {
                    let path = path.to_owned();
                    let outcome = self.send(&get(path.clone(), name)).await;
                    self.read_token(name, &format!("GET {path}"), &outcome)
                }
                None => None,
            };
            let check = match check {
                Some(check) => check,
                None => self.write_token(name).await,
            };
            self.add(check);
        }
    }

    /// What an answer to a look-up says of a token; None if nothing.
    fn read_token(&self, name: &str, sent: &str, outcome: &Outcome) -> Option<Check> {
        let variable = self.settings.identities.get(name).map_or("", |token| token.name());
        match outcome {
            Outcome::Failed(failure) if failure.kind == FailureKind::Credentials => {
                Some(Check::bad("token", Exit::Usage, failure.message.clone(), "see where the settings take it from"))
            }
            Outcome::Failed(failure) => {
                Some(Check::bad("token", Exit::Unreachable, format!("{name}: {}", failure.kind.text()), "try again"))
            }
            Outcome::Response(r) => match r.status {
                200..300 => Some(Check::good("token", format!("{name}: {sent} answered {}", r.status))),
                401 => Some(Check::bad(
                    "token",
                    Exit::Unreachable,
                    format!("{name}: {sent} answered 401"),
                    format!("it is wrong or expired: look at {variable}"),
                )),
                _ => None,
            },
        }
    }

    /// Asks with a request that no server may accept: all that its body must hold is missing.
    async fn write_token(&mut self, name: &str) -> Check {
        let Some(request) = self.refusable(name) else {
            return Check::skipped("token", format!("{name}: nothing that creates nothing tells of it"));
        };
        self.seen.refusable += 1;
        let sent = format!("{} without the fields that it needs", request.method);
        let outcome = self.send(&request).await;
        match &outcome {
            Outcome::Response(r) if (200..300).contains(&r.status) => Check::warning(
                "token",
                format!("{name}: {sent} answered {}", r.status),
                "the server took what it must refuse, and may have created a record: a check will tell more",
            ),
            Outcome::Response(r) if (400..500).contains(&r.status) && r.status != 401 => {
                let text = format!("{name}: probably good; {sent} answered {}, not 401", r.status);
                Check::good("token", text)
            }
            outcome => self.read_token(name, &sent, outcome).unwrap_or_else(|| {
                Check::skipped("token", format!("{name}: {sent} was answered in a way that tells nothing of it"))
            }),
        }
    }

    /// The operation, without what its body must hold.
    fn refusable(&self, identity: &str) -> Option<Request> {
        let operation = &self.contract.operation;
        operation.body.as_ref()?.schema.json["required"].as_array().filter(|required| !required.is_empty())?;
        let lent = Lent::new(self.contract, self.settings.fixtures.clone(), vec![identity.to_owned()]);
        let mut parameters = json!({});
        let mut path = operation.path.clone();
        for parameter in &operation.path_parameters {
            let target = Target::Path(parameter.name.clone());
            let list = self.contract.values.iter().find(|v| v.target == target)?;
            let now = timestamp(self.client.clock().local());
            let request = json!({ "path": parameters });
            let scope = lent.scope().extend().json("request", &request).value("now", now).build();
            let value = list.list.json(&scope).ok()?.get(0)?.as_str()?.to_owned();
            path = path.replace(&format!("{{{}}}", parameter.name), &segment(&value));
            parameters[&parameter.name] = value.into();
        }
        let mut request = get(path, identity);
        request.method.clone_from(&operation.method);
        request.headers.push(("content-type".to_owned(), "application/json".to_owned()));
        request.body = Some("{}".into());
        Some(request)
    }

    fn fixtures(&mut self) -> bool {
        let schema = &self.contract.fixtures;
        let mut wrong = schema.violations(&self.settings.fixtures);
        wrong.sort();
        for (at, message) in &wrong {
            let at = at.trim_start_matches('/').replace('/', ".");
            let text = if at.is_empty() { message.clone() } else { format!("{at}: {message}") };
            let advice = "`probity explain fixtures` tells what a target lends; `probity init` looks it up";
            self.add(Check::bad("fixtures", Exit::Usage, text, advice));
        }
        if wrong.is_empty() {
            let all = schema.json["properties"].as_object().into_iter().flatten();
            let missing = all.map(|(name, _)| name).filter(|name| self.settings.fixtures.get(*name).is_none());
            let missing: Vec<String> = missing.cloned().collect();
            let text = match &missing[..] {
                [] => "all that the contract asks for".to_owned(),
                missing => format!("as the contract asks; what needs {} is skipped", listed(missing)),
            };
            self.add(Check::good("fixtures", text));
        }
        wrong.is_empty()
    }

    async fn lookups(&mut self) {
        if self.contract.lookup.steps.is_empty() {
            return self.add(Check::skipped("look-ups", "the contract names none"));
        }
        let given = &self.settings.fixtures;
        let found = look_up(&self.contract.lookup, &self.client, &self.contract.fixtures, given).await;
        let checks = confirm(given, &found);
        self.seen.checks.extend(checks);
    }
}

/// Whether what was found is what was given.
fn confirm(given: &Json, found: &Found) -> Vec<Check> {
    let (mut same, mut checks, mut unknown) = (0, Vec::new(), Vec::new());
    for (path, value) in leaves(given, String::new()) {
        match found.fixtures.pointer(&path) {
            Some(other) if *other == value => same += 1,
            Some(other) => {
                let text = format!("{} is {value}, the target says {other}", path[1..].replace('/', "."));
                let advice = "take what the target says, or see that the settings mean this target";
                checks.push(Check::bad("look-ups", Exit::Usage, text, advice));
            }
            None => unknown.push(path[1..].replace('/', ".")),
        }
    }
    if same > 0 {
        checks.push(Check::good("look-ups", format!("the target confirms {}", counted(same, "fixture"))));
    }
    let missed: Vec<String> = found.asked.iter().filter(|a| !a.is_answered()).map(Asked::line).collect();
    let few = missed.iter().take(3).map(String::as_str).chain((missed.len() > 3).then_some("…"));
    let why = if missed.is_empty() { String::new() } else { format!(" ({})", few.collect::<Vec<_>>().join("; ")) };
    if checks.is_empty() && missed.len() == found.asked.len() {
        checks.push(Check::skipped("look-ups", format!("the target answers none{why}")));
    } else if !unknown.is_empty() {
        checks.push(Check::skipped("look-ups", format!("not confirmed: {}{why}", listed(&unknown))));
    }
    checks
}

/// The values that are no objects, by JSON Pointer.
fn leaves(json: &Json, at: String) -> Vec<(String, Json)> {
    match json {
        Json::Object(map) => map
            .iter()
            .flat_map(|(k, v)| leaves(v, format!("{at}/{}", k.replace('~', "~0").replace('/', "~1"))))
            .collect(),
        other => vec![(at, other.clone())],
    }
}
