//! Where the target is, who calls it, and what it lends: `probity.toml`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

use crate::contract::{CALLER, FixtureSchema};
use crate::source::{Diagnostic, Place, Result, Source};

/// The file's name.
pub const FILE: &str = "probity.toml";
/// The variable that holds the caller's token where no file names another.
pub const TOKEN_VARIABLE: &str = "PROBITY_TOKEN";

/// What a target's settings mean.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The target's base URL.
    pub url: Url,
    /// Who calls, by name.
    pub identities: BTreeMap<String, Identity>,
    /// What the target lends.
    pub fixtures: Json,
    /// Where the settings were written, if they were.
    pub source: Option<Arc<Source>>,
}

/// One who calls.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The token.
    pub token: SecretString,
    /// The variable that holds it.
    pub variable: String,
}

/// What was typed on the command line.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The target's base URL.
    pub url: Option<String>,
    /// Fixtures: dotted path and value.
    pub fixtures: Vec<(String, String)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    target: Option<WrittenTarget>,
    #[serde(default)]
    identities: BTreeMap<String, WrittenIdentity>,
    #[serde(default)]
    fixtures: Option<toml::Table>,
    /// Read by the gate, see [`crate::gate::policy::Settings`].
    #[serde(default, rename = "gate")]
    _gate: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTarget {
    url: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenIdentity {
    token: Spanned<toml::Value>,
}

/// Looks a variable of the environment up.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Settings {
    /// Reads settings from a file's text, if there is one, and from what was typed.
    ///
    /// # Errors
    /// Text that is not TOML, unknown keys, a URL that is none, variables that are not set, and
    /// whatever is missing.
    pub fn read(source: Option<Arc<Source>>, overrides: &Overrides, environment: Environment<'_>) -> Result<Self> {
        let written: Written = match &source {
            Some(source) => toml::from_str(&source.text).map_err(|e| toml_error(source, &e))?,
            None => Written::default(),
        };
        let place = |span: Range<usize>| source.as_ref().map(|source| Place { source: Arc::clone(source), span });
        let url = match (&overrides.url, written.target.and_then(|t| t.url)) {
            (Some(typed), _) => parse_url(typed, None)?,
            (None, Some(url)) => parse_url(url.get_ref(), place(url.span()))?,
            (None, None) => {
                return Err(Diagnostic::new("the settings name no target")
                    .help("write `[target] url = \"https://…\"` into probity.toml, or pass --target URL"));
            }
        };
        let mut identities = BTreeMap::new();
        for (name, identity) in written.identities {
            let place = place(identity.token.span());
            let variable = variable_of(identity.token.get_ref(), &name, place.as_ref())?;
            identities.insert(name, identity_of(&variable, place, environment)?);
        }
        if !identities.contains_key(CALLER) {
            let caller = identity_of(TOKEN_VARIABLE, None, environment)?;
            identities.insert(CALLER.to_owned(), caller);
        }
        let mut fixtures = match written.fixtures {
            Some(table) => serde_json::to_value(table).map_err(|e| Diagnostic::new(format!("[fixtures]: {e}")))?,
            None => serde_json::json!({}),
        };
        for (path, value) in &overrides.fixtures {
            put(&mut fixtures, path, value)?;
        }
        Ok(Self { url, identities, fixtures, source })
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
            "the fixtures are not what the contract asks for".to_owned()
        } else {
            format!("the fixture `{}` is not what the contract asks for", pointer[1..].replace('/', "."))
        };
        let help = "`probity explain fixtures` tells what a target lends; a file says \
                    `[fixtures]`, the command line `--fixture name=value`";
        let error = match self.fixture_place(&pointer) {
            Some(place) => place.error(title).label(message),
            None => Diagnostic::new(format!("{title}: {message}")),
        };
        Err(error.help(help))
    }

    /// Where a fixture stands in the file.
    fn fixture_place(&self, pointer: &str) -> Option<Place> {
        let source = self.source.as_ref()?;
        let table = DeTable::parse(&source.text).ok()?;
        let fixtures = table.get_ref().get("fixtures")?;
        let mut span = fixtures.span();
        let mut value = fixtures.get_ref();
        for name in crate::contract::template::segments(pointer) {
            let next = match value {
                DeValue::Table(table) => table.get(name.as_str()),
                DeValue::Array(array) => name.parse::<usize>().ok().and_then(|i| array.get(i)),
                _ => None,
            };
            let Some(next) = next else { break };
            span = next.span();
            value = next.get_ref();
        }
        Some(Place { source: Arc::clone(source), span })
    }
}

/// The variable that a token is read from. What stands there instead is never repeated: it may be the token itself.
fn variable_of(written: &toml::Value, identity: &str, place: Option<&Place>) -> Result<String> {
    let known = match written {
        toml::Value::Table(table) if table.len() == 1 => table.get("env").and_then(toml::Value::as_str),
        _ => None,
    };
    known.map(str::to_owned).ok_or_else(|| {
        let at = place.map_or_else(String::new, |p| format!("{p}: "));
        Diagnostic::new(format!("{at}the token of `{identity}` is not read from a variable"))
            .help("write token = { env = \"PROBITY_TOKEN\" }, and put the token into that variable")
    })
}

fn toml_error(source: &Arc<Source>, error: &toml::de::Error) -> Box<Diagnostic> {
    let message = error.message().trim_end().to_owned();
    let hides = |span: &Range<usize>| {
        let place = Place { source: Arc::clone(source), span: span.clone() };
        // The line may hold a token, and the message may repeat it.
        let line = source.text.lines().nth(place.line() - 1).unwrap_or_default();
        line.contains("token").then(|| Diagnostic::new(format!("{place}: this line is not valid TOML")))
    };
    if let Some(hidden) = error.span().as_ref().and_then(hides) {
        return hidden.help("`probity explain settings` shows every key");
    }
    match error.span() {
        Some(span) => Place { source: Arc::clone(source), span }.error(message),
        None => Diagnostic::new(format!("{}: {message}", source.path)),
    }
    .help("`probity explain settings` shows every key")
}

fn parse_url(text: &str, place: Option<Place>) -> Result<Url> {
    let wrong = |why: &str| {
        let title = format!("`{text}` cannot be a target: {why}");
        place
            .as_ref()
            .map_or_else(|| Diagnostic::new(title.clone()), |p| p.error(title.clone()))
            .help("a target looks like https://staging.example.com, or with a path before the operation's")
    };
    if text.contains('@') {
        // Not repeated in the message: it may hold a password.
        return Err(Diagnostic::new("the target's URL holds a user or a password")
            .help("tokens belong into variables: [identities.caller] token = { env = \"…\" }"));
    }
    let url = Url::parse(text).map_err(|e| wrong(&e.to_string()))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(wrong("it is neither http nor https"));
    }
    if url.cannot_be_a_base() || url.host_str().is_none() {
        return Err(wrong("it names no host"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has a query or a fragment"));
    }
    Ok(url)
}

fn identity_of(variable: &str, place: Option<Place>, environment: Environment<'_>) -> Result<Identity> {
    match environment(variable).filter(|token| !token.trim().is_empty()) {
        Some(token) => {
            Ok(Identity { token: SecretString::from(token.trim().to_owned()), variable: variable.to_owned() })
        }
        None => {
            let title = format!("the variable {variable} is not set");
            Err(place
                .map_or_else(|| Diagnostic::new(title.clone()), |p| p.error(title.clone()))
                .help(format!("put the token there: export {variable}=…")))
        }
    }
}

fn put(fixtures: &mut Json, path: &str, value: &str) -> Result<()> {
    let wrong = || {
        Diagnostic::new(format!("`{path}` is no fixture's path"))
            .help("write --fixture household.id=x, names with dots between them")
    };
    let mut at = fixtures;
    let names: Vec<&str> = path.split('.').collect();
    let Some((last, way)) = names.split_last() else {
        return Err(wrong());
    };
    if names.iter().any(|n| n.is_empty()) {
        return Err(wrong());
    }
    for name in way {
        at = at.as_object_mut().ok_or_else(wrong)?.entry((*name).to_owned()).or_insert_with(|| serde_json::json!({}));
    }
    // Lists and maps may be given as JSON; everything else is text, ids of digits included.
    let value = match serde_json::from_str::<Json>(value) {
        Ok(json @ (Json::Array(_) | Json::Object(_))) => json,
        _ => Json::from(value),
    };
    at.as_object_mut().ok_or_else(wrong)?.insert((*last).to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, overrides: &Overrides) -> Result<Settings> {
        Settings::read(Some(Source::new(FILE, text)), overrides, &|name| {
            name.starts_with("SET").then(|| "t0ken".to_owned())
        })
    }

    const GOOD: &str = "[target]\nurl = \"http://127.0.0.1:1/v\"\n[identities.caller]\ntoken = { env = \"SET\" }\n[fixtures]\na = \"1\"\n";

    #[test]
    fn reads_what_is_written_and_typed() {
        let typed = Overrides {
            url: Some("https://example.com".into()),
            fixtures: vec![("b.c".into(), "2".into()), ("d".into(), "[1]".into())],
        };
        let settings = read(GOOD, &typed).unwrap();
        assert_eq!(settings.url.as_str(), "https://example.com/");
        assert_eq!(settings.fixtures.to_string(), r#"{"a":"1","b":{"c":"2"},"d":[1]}"#);
        assert!(!format!("{settings:?}").contains("t0ken"));
    }

    #[test]
    fn points_at_what_is_wrong() {
        let cases = [
            ("[target]\nurl = \"ftp://x\"\n", "probity.toml:2:7", "neither http nor https"),
            (
                "[target]\nurl = \"http://x\"\n[identities.caller]\ntoken = { env = \"GONE\" }\n",
                "probity.toml:4:9",
                "GONE is not set",
            ),
            ("[target]\nurll = \"http://x\"\n", "probity.toml:2:1", "unknown field `urll`"),
            ("[target\n", "probity.toml:1:", ""),
        ];
        for (text, at, what) in cases {
            let error = read(text, &Overrides::default()).unwrap_err().to_string();
            assert!(error.contains(at) && error.contains(what), "{error}");
        }
        let error = read("[target]\nurl = \"http://u:p4ss@x\"\n", &Overrides::default()).unwrap_err();
        assert!(!error.to_string().contains("p4ss") || error.title().contains("password"));
    }
}
