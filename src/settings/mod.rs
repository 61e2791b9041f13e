//! Where the target is, who calls it, what it provides, and how it is to be treated.
//!
//! Each value comes from the first of these that gives it: the command line, a variable
//! `PROBITY_…`, the named target's table in the file, the file's shared tables, the default.

mod credentials;
mod file;
mod grant;
mod guard;
mod keys;
mod layers;
mod rate;
pub mod schema;
pub mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value as Json;
use toml::de::{DeTable, DeValue};
use url::Url;

use crate::contract::{Contract, FixtureSchema};
use crate::generate::draft::Fixtures;
use crate::secrets::Secrets;
use crate::secrets::token::{Origin, Token};
use crate::source::{Diagnostic, Place, Result, Source};
use file::{Table, Value, scalar};
pub use guard::is_loopback;
use layers::{Given, Layers};
pub use rate::{Rate, RateError};

pub use file::{FILE, find, toml_error};
pub use keys::{Fallback, GATE, Group, KEYS, Key, SECTIONS, Section};

/// The variable that holds the caller's token where no file names another.
pub const TOKEN_VARIABLE: &str = "PROBITY_TOKEN";
/// Headers whose values nobody needs to see, in both directions.
const HIDDEN_HEADERS: [&str; 5] = ["authorization", "cookie", "set-cookie", "proxy-authorization", "x-api-key"];

/// What a token's place in the settings may hold.
pub(crate) const TOKEN_HELP: &str = "write token = { env = \"PROBITY_TOKEN\" } and put the token into that variable, \
                          or { file = \"…\" }, or { command = \"…\", ttl = \"50s\" }, or { token_url = \"…\", client_id = \"…\", \
                          client_secret = { env = \"…\" } }, or { login = \"/login\", body = { … }, at = \"/token\" }";

/// What the URL of a target is.
const LOOKS: &str =
    "a target looks like https://staging.example.com, or with a path that comes before the operation's path";

/// What a target's settings mean.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of the target in the file, where it has one.
    pub name: Option<String>,
    /// The target's base URL.
    pub url: Url,
    /// Whether it may be a server that the document names.
    pub allow_production: bool,
    /// Who calls, by name.
    pub identities: BTreeMap<String, Arc<Token>>,
    /// Further credentials of identities, by the identity and the name of a security scheme.
    pub credentials: BTreeMap<(String, String), Arc<Token>>,
    /// What the target provides.
    pub fixtures: Json,
    /// Headers of every request.
    pub headers: Vec<(String, HeaderValue)>,
    /// Names, in lower case, of headers whose values no report shows.
    pub hidden_headers: Vec<String>,
    /// How it is connected to.
    pub connection: Connection,
    /// How fast it is called.
    pub rate: Option<Rate>,
    /// How many requests are under way at most.
    pub concurrency: usize,
    /// What a run may cost.
    pub budget: Budget,
    /// How what a run created is removed.
    pub cleanup: Option<Cleanup>,
    /// Everything that must not be shown.
    pub secrets: Secrets,
    /// Where the settings were written, if they were.
    pub source: Option<Arc<Source>>,
    /// Every value, and where it comes from: name, value, origin.
    pub shown: Vec<(String, String, String)>,
}

/// The value of a header.
#[derive(Clone, Debug)]
pub enum HeaderValue {
    /// As written.
    Text(String),
    /// A secret.
    Secret(Arc<Token>),
}

/// How a target is connected to.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The time limit of one request.
    pub timeout: Duration,
    /// The proxy, beside those of the usual variables.
    pub proxy: Option<Url>,
    /// Certificates, in PEM, of authorities that are believed beside the system's.
    pub ca: Option<Vec<u8>>,
    /// A certificate and its key, in PEM, with which we show who we are.
    pub client_certificate: Option<SecretString>,
    /// Whether any certificate is believed.
    pub insecure: bool,
}

/// What a run may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// How many requests may be sent.
    pub max_requests: Option<u64>,
    /// How many records may be created.
    pub max_created: Option<u64>,
    /// How long it may take.
    pub max_duration: Option<Duration>,
}

/// How a record is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleanup {
    /// The method.
    pub method: String,
    /// The path, with `{id}` for the record and the names of the operation's path parameters.
    pub path: String,
    /// Whether the document says so, so that a record that is not found there is gone.
    pub documented: bool,
}

/// What was typed on the command line.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The name of the target in the file.
    pub on: Option<String>,
    /// Values by the flag, see [`KEYS`].
    pub flags: BTreeMap<&'static str, String>,
    /// Fixtures: dotted path and value.
    pub fixtures: Vec<(String, String)>,
}

/// Looks a variable of the environment up.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Settings {
    /// Reads settings from a file's text, if there is one, from the environment and from what was typed.
    ///
    /// # Errors
    /// Text that is not TOML, unknown keys, a URL that is none, variables that are not set, and
    /// whatever is missing.
    pub fn read(source: Option<Arc<Source>>, overrides: &Overrides, environment: Environment<'_>) -> Result<Self> {
        let root = source.as_ref().map(file::parse).transpose()?;
        let root = source.as_ref().zip(root.as_ref());
        let root = root.map(|(source, root)| Table { source, table: root.get_ref() });
        let mut layers = Layers::new(root, overrides, environment)?;
        let secrets = Secrets::default();
        let url = layers.value(&keys::URL, parse_url)?;
        let Some(url) = url else {
            return Err(Diagnostic::new("no target is set").help(match layers.names() {
                names if names.is_empty() => {
                    "add `[target] url = \"https://…\"` to probity.toml, or pass --target URL".to_owned()
                }
                names => format!("choose one of the targets in the file: --on {}", names.join(" or --on ")),
            }));
        };
        let connection = Connection {
            timeout: layers.value_or_default(&keys::TIMEOUT, duration)?,
            proxy: layers.value(&keys::PROXY, Url::parse)?,
            ca: layers.file(&keys::CA_FILE, &["CERTIFICATE-----"])?,
            client_certificate: layers
                .file(&keys::CLIENT_CERTIFICATE, &["CERTIFICATE-----", "PRIVATE KEY-----"])?
                .map(|pem| SecretString::from(String::from_utf8_lossy(&pem).into_owned())),
            insecure: layers.value_or_default(&keys::INSECURE, truth)?,
        };
        let budget = Budget {
            max_requests: layers.value(&keys::MAX_REQUESTS, number)?,
            max_created: layers.value(&keys::MAX_CREATED, number)?,
            max_duration: layers.value(&keys::MAX_DURATION, duration)?,
        };
        let rate = layers.value(&keys::RATE, str::parse::<Rate>)?;
        let concurrency = layers.value_or_default(&keys::CONCURRENCY, number)?;
        let allow_production = layers.value_or_default(&keys::ALLOW_PRODUCTION, truth)?;
        let (identities, credentials) = credentials::identities(&mut layers, &secrets)?;
        let mut hidden_headers: Vec<String> = HIDDEN_HEADERS.map(str::to_owned).to_vec();
        hidden_headers.extend(layers.texts("secret_headers")?.into_iter().map(|name| name.to_lowercase()));
        let headers = headers(&mut layers, &secrets, &hidden_headers)?;
        let cleanup = cleanup(&mut layers)?;
        let fixtures = layers.fixtures(&overrides.fixtures)?;
        let shown = std::mem::take(&mut layers.shown);
        Ok(Self {
            name: overrides.on.clone(),
            url,
            allow_production,
            identities,
            credentials,
            fixtures,
            headers,
            hidden_headers,
            connection,
            rate,
            concurrency: usize::try_from(concurrency).unwrap_or(usize::MAX),
            budget,
            cleanup,
            secrets,
            source,
            shown,
        })
    }

    /// What the target provides for a contract: its fixtures, and who may call.
    pub fn fixtures(&self, contract: &Contract) -> Fixtures {
        Fixtures::new(contract, self.fixtures.clone(), self.identities.keys().cloned().collect())
    }

    /// Checks the fixtures against what a contract asks for.
    ///
    /// # Errors
    /// The first fixture that is missing or wrong.
    pub fn check_fixtures(&self, schema: &FixtureSchema) -> Result<()> {
        let Some((pointer, message)) = schema.violations(&self.fixtures).into_iter().next() else {
            return Ok(());
        };
        let title = if pointer.is_empty() {
            "the fixtures do not match what the contract needs".to_owned()
        } else {
            format!("the fixture `{}` does not match what the contract needs", pointer[1..].replace('/', "."))
        };
        let help = "`probity explain fixtures` shows what a target must provide; write it under \
                    `[fixtures]`, or pass `--fixture name=value`";
        let error = match self.fixture_place(&pointer) {
            Some(place) => place.error(title).label(message),
            None => Diagnostic::new(format!("{title}: {message}")),
        };
        Err(error.help(help))
    }

    /// What is unsafe about them, a line each.
    pub fn warnings(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.url.scheme() == "http" && !is_loopback(&self.url) {
            all.push(format!("{} is plain HTTP: anyone on the network can read the tokens", self.url));
        }
        if self.connection.insecure {
            all.push("certificates are not checked (--insecure): anyone on the network can read the tokens".to_owned());
        }
        all
    }

    /// Where a fixture stands in the file.
    fn fixture_place(&self, pointer: &str) -> Option<Place> {
        let source = self.source.as_ref()?;
        let root = DeTable::parse(&source.text).ok()?;
        let root = Table { source, table: root.get_ref() };
        let segments = crate::contract::template::segments(pointer);
        let shared = root.table("fixtures").ok().flatten();
        let named = self
            .name
            .as_ref()
            .and_then(|name| root.table("targets").ok()??.table(name).ok()??.table("fixtures").ok()?);
        let holds = |table: &Table<'_>| segments.first().is_none_or(|first| table.get(first).is_some());
        let fixtures = named.filter(holds).or(shared).or(named)?;
        let mut at: Option<Value<'_>> = None;
        for name in segments {
            let next = match &at {
                None => fixtures.get(&name),
                Some((DeValue::Table(table), _)) => Table { source, table }.get(&name),
                Some((DeValue::Array(array), _)) => {
                    let value = name.parse::<usize>().ok().and_then(|i| array.get(i));
                    value.map(|v| (v.get_ref(), Place { source: Arc::clone(source), span: v.span() }))
                }
                Some(_) => None,
            };
            let Some(next) = next else { break };
            at = Some(next);
        }
        at.map(|(_, place)| place).or_else(|| root.get("fixtures").map(|(_, place)| place))
    }
}

/// Why a text is not the value that a key wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum ValueError {
    /// No time.
    #[error("write 10s, 500ms, 5m or 1h")]
    Duration,
    /// No number.
    #[error("write a whole number greater than zero")]
    Number,
    /// Neither true nor false.
    #[error("write true or false")]
    Truth,
}

/// Why a text is no target's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum UrlError {
    /// It has what is a secret.
    #[error("it contains a user or a password; tokens belong under [identities], see `probity explain settings`")]
    Password,
    /// It is no URL.
    #[error("{0}; {LOOKS}")]
    Form(url::ParseError),
    /// It is of another kind.
    #[error("it is neither http nor https; {}", LOOKS)]
    Scheme,
    /// It names nobody.
    #[error("it has no host; {}", LOOKS)]
    NoHost,
    /// It names a host that there cannot be.
    #[error("no host has such a name; {}", LOOKS)]
    Host,
    /// It has what comes after a path.
    #[error("it has a query or a fragment; {}", LOOKS)]
    Query,
}

fn duration(text: &str) -> std::result::Result<Duration, ValueError> {
    crate::contract::template::parse_duration(text).filter(|d| !d.is_zero()).ok_or(ValueError::Duration)
}

fn number(text: &str) -> std::result::Result<u64, ValueError> {
    text.parse().ok().filter(|n| *n > 0).ok_or(ValueError::Number)
}

fn truth(text: &str) -> std::result::Result<bool, ValueError> {
    match text {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(ValueError::Truth),
    }
}

fn parse_url(text: &str) -> std::result::Result<Url, UrlError> {
    if text.contains('@') {
        return Err(UrlError::Password);
    }
    let url = Url::parse(text).map_err(UrlError::Form)?;
    match () {
        () if !["http", "https"].contains(&url.scheme()) => Err(UrlError::Scheme),
        () if url.cannot_be_a_base() || url.host_str().is_none() => Err(UrlError::NoHost),
        () if url.as_str().parse::<hyper::Uri>().is_err() => Err(UrlError::Host),
        () if url.query().is_some() || url.fragment().is_some() => Err(UrlError::Query),
        () => Ok(url),
    }
}

fn headers(layers: &mut Layers<'_>, secrets: &Secrets, hidden: &[String]) -> Result<Vec<(String, HeaderValue)>> {
    let mut headers = Vec::new();
    for (name, value) in layers.entries("headers")? {
        let wrong = |e: String| value.1.error(format!("`{name}` cannot be a header: {e}"));
        reqwest::header::HeaderName::from_bytes(name.as_bytes()).map_err(|e| wrong(e.to_string()))?;
        let (text, header) = match value.0 {
            DeValue::Table(_) => {
                let variable = variable_of("PROBITY_HEADER", &name);
                let token = layers.secret(&value, &format!("the header `{name}`"), variable, secrets)?;
                (origin_text(&token), HeaderValue::Secret(token))
            }
            _ => {
                let text = scalar(&value)?;
                reqwest::header::HeaderValue::from_str(&text).map_err(|e| wrong(e.to_string()))?;
                if hidden.contains(&name.to_lowercase()) {
                    let variable = variable_of("PROBITY_HEADER", &name);
                    let origin = Origin::Variable(variable.clone(), SecretString::from(text));
                    ("(hidden)".to_owned(), HeaderValue::Secret(Token::new(variable, origin, secrets.clone())))
                } else {
                    (text.clone(), HeaderValue::Text(text))
                }
            }
        };
        layers.show(format!("headers.{name}"), text, &Given::File(value.1.clone()));
        headers.push((name, header));
    }
    Ok(headers)
}

fn cleanup(layers: &mut Layers<'_>) -> Result<Option<Cleanup>> {
    let Some((table, place)) = layers.table("cleanup")? else { return Ok(None) };
    table.check("cleanup", &keys::CLEANUP.names())?;
    let method = table.get("method").map(|v| scalar(&v)).transpose()?.unwrap_or_else(|| "DELETE".to_owned());
    let missing = || {
        place
            .error("[cleanup] has no path")
            .help("write path = \"/v1/things/{id}\": {id} is the record, other names are those of the operation's path")
    };
    let path = scalar(&table.get("path").ok_or_else(missing)?)?;
    layers.show("cleanup".to_owned(), format!("{method} {path}"), &Given::File(place));
    Ok(Some(Cleanup { method: method.to_uppercase(), path, documented: false }))
}

/// A variable's name that begins with another's.
pub fn variable_of(prefix: &str, name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("{prefix}_{}", name.chars().map(plain).collect::<String>())
}

/// Where a token comes from, in words.
fn origin_text(token: &Token) -> String {
    match token.origin() {
        Origin::Variable(name, _) => format!("(hidden, from the variable {name})"),
        Origin::File(path) => format!("(hidden, from the file {})", path.display()),
        // Commands are not repeated: they may hold secrets of their own.
        Origin::Missing(name) => format!("(missing: the variable {name} is not set)"),
        Origin::Grant(grant) => format!("(hidden, issued by {})", grant.url),
        Origin::Command(_, None) => "(hidden, from a command)".to_owned(),
        Origin::Command(_, Some(ttl)) => format!("(hidden, from a command, every {ttl:?})"),
    }
}

/// A path in the file, which is relative to the file's folder.
fn path_beside(source: &Source, path: &str) -> PathBuf {
    Path::new(&source.path).parent().unwrap_or(Path::new("")).join(path)
}

#[cfg(test)]
mod tests;
