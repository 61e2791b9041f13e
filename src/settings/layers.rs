//! The places that a value may come from, the strongest first.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Value as Json, json};
use toml::de::DeValue;

use crate::fields;
use crate::secrets::Secrets;
use crate::secrets::token::{Origin, Token};
use crate::settings::file::{Table, Value, scalar, to_json};
use crate::settings::keys::{self, Key};
use crate::settings::{Environment, Overrides, TOKEN_HELP, grant, path_beside, variable_of};
use crate::source::{Diagnostic, Place, Result, did_you_mean};

/// Where a value was given.
#[derive(Clone, Debug)]
pub(super) enum Given {
    Flag(String),
    Variable(String),
    File(Place),
    Default,
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Variable(name) => write!(f, "{name}"),
            Self::File(place) => write!(f, "{}:{}", place.source.path, place.line()),
            Self::Default => f.write_str("default"),
        }
    }
}

impl Given {
    fn error(&self, title: String) -> Box<Diagnostic> {
        match self {
            Self::File(place) => place.error(title),
            Self::Flag(from) | Self::Variable(from) => Diagnostic::new(format!("{from}: {title}")),
            Self::Default => Diagnostic::new(title),
        }
    }
}

/// Command line, environment, the named target's table, the shared tables.
pub(super) struct Layers<'a> {
    root: Option<Table<'a>>,
    named: Option<(String, Table<'a>)>,
    overrides: &'a Overrides,
    environment: Environment<'a>,
    /// Every value that was asked for, and where it comes from.
    pub shown: Vec<(String, String, String)>,
}

impl<'a> Layers<'a> {
    pub fn new(root: Option<Table<'a>>, overrides: &'a Overrides, environment: Environment<'a>) -> Result<Self> {
        let mut layers = Self { root, named: None, overrides, environment, shown: Vec::new() };
        layers.check()?;
        if let Some(name) = &overrides.on {
            let targets = root.map(|root| root.table("targets")).transpose()?.flatten();
            let table = targets.map(|targets| targets.table(name)).transpose()?.flatten();
            let Some(table) = table else {
                let names = layers.names();
                let known = did_you_mean(name, names.iter().map(String::as_str));
                let help = match root {
                    None => {
                        "targets are named in a probity.toml, as [targets.NAME]; pass --config FILE if the file is elsewhere".into()
                    }
                    Some(_) if names.is_empty() => format!("add [targets.{name}] to the file"),
                    Some(_) => known.unwrap_or_else(|| format!("the file has {}", names.join(", "))),
                };
                return Err(Diagnostic::new(format!("the settings have no target `{name}`")).help(help));
            };
            layers.named = Some((name.clone(), table));
            layers.show("target".to_owned(), name.clone(), &Given::Flag("--on".to_owned()));
        }
        Ok(layers)
    }

    /// Checks that the file has no keys that nobody knows.
    fn check(&self) -> Result<()> {
        let Some(root) = self.root else { return Ok(()) };
        // What makes a run red is read by the gate, see [`crate::gate::policy::Settings`].
        root.check("", &keys::in_file())?;
        if let Some(table) = root.table("budget")? {
            table.check("budget", &keys::in_budget())?;
        }
        if let Some(table) = root.table("target")? {
            table.check("target", &keys::in_target())?;
        }
        let Some(targets) = root.table("targets")? else { return Ok(()) };
        for name in self.names() {
            let Some(table) = targets.table(&name)? else { continue };
            table.check(&format!("targets.{name}"), &keys::in_named_target())?;
            if let Some(table) = table.table("budget")? {
                table.check(&format!("targets.{name}.budget"), &keys::in_budget())?;
            }
        }
        Ok(())
    }

    /// The names of the file's targets.
    pub fn names(&self) -> Vec<String> {
        let targets = self.root.and_then(|root| root.table("targets").ok().flatten());
        let mut names: Vec<String> = targets.into_iter().flat_map(|t| t.entries()).map(|(name, _)| name).collect();
        names.sort();
        names
    }

    /// Notes a value for those who ask where it comes from.
    pub fn show(&mut self, name: String, value: String, given: &Given) {
        self.shown.push((name, value, given.to_string()));
    }

    /// A single value, as text, and where it was given.
    fn raw(&self, key: &Key) -> Result<Option<(String, Given)>> {
        if let Some(text) = self.overrides.flags.get(key.flag) {
            return Ok(Some((text.clone(), Given::Flag(format!("--{}", key.flag)))));
        }
        if let Some(text) = (self.environment)(&key.variable()).filter(|text| !text.is_empty()) {
            return Ok(Some((text, Given::Variable(key.variable()))));
        }
        let within = |table: Option<Table<'a>>| table.and_then(|table| table.get(key.name));
        let named = match &self.named {
            // A named target's own keys stand in its table itself.
            Some((_, table)) if key.table == "target" => within(Some(*table)),
            Some((_, table)) => within(table.table(key.table)?),
            None => None,
        };
        let shared = match self.root {
            Some(root) if !key.table.is_empty() => within(root.table(key.table)?),
            _ => None,
        };
        named.or(shared).map(|value| Ok((scalar(&value)?, Given::File(value.1)))).transpose()
    }

    /// A single value.
    pub fn value<T, E: fmt::Display>(
        &mut self,
        key: &Key,
        parse: impl Fn(&str) -> std::result::Result<T, E>,
    ) -> Result<Option<T>> {
        let Some((text, given)) = self.raw(key)? else {
            self.show(key.path(), key.default.text().to_owned(), &Given::Default);
            return Ok(None);
        };
        let value = parse(&text).map_err(|why| {
            let help = format!("{} is {}, as in {} = {}", key.path(), key.text, key.name, key.example);
            match &given {
                // Not repeated where it may hold a password.
                Given::File(place) if text.contains('@') => {
                    Diagnostic::new(format!("{place}: this cannot be {}: {why}", key.path()))
                }
                given if text.contains('@') => given.error(format!("this cannot be {}: {why}", key.path())),
                given => given.error(format!("`{text}` cannot be {}: {why}", key.path())),
            }
            .help(help)
        })?;
        self.show(key.path(), if text.contains('@') { "(hidden)".to_owned() } else { text }, &given);
        Ok(Some(value))
    }

    /// A single value that always has one: that of its declaration where nobody says anything.
    pub fn value_or_default<T, E: fmt::Display>(
        &mut self,
        key: &Key,
        parse: impl Fn(&str) -> std::result::Result<T, E>,
    ) -> Result<T> {
        match self.value(key, &parse)? {
            Some(value) => Ok(value),
            None => parse(key.default.text())
                .map_err(|why| Diagnostic::new(format!("the default of {} cannot be used: {why}", key.path()))),
        }
    }

    /// The bytes of a file in PEM that a value names, which holds these parts.
    pub fn file(&mut self, key: &Key, parts: &[&str]) -> Result<Option<Vec<u8>>> {
        let Some((text, given)) = self.raw(key)? else { return Ok(None) };
        let path = match &given {
            Given::File(place) => path_beside(&place.source, &text),
            _ => text.clone().into(),
        };
        let bytes = std::fs::read(&path).map_err(|e| given.error(format!("cannot read {}: {e}", path.display())))?;
        let holds = |part: &&str| bytes.windows(part.len()).any(|window| window == part.as_bytes());
        if let Some(part) = parts.iter().find(|part| !holds(part)) {
            let part = part.trim_end_matches('-');
            return Err(given
                .error(format!("{} cannot be {}: it has no `-----BEGIN … {part}` section", path.display(), key.path()))
                .help("use PEM; a private key goes into the same file as its certificate"));
        }
        self.show(key.path(), text, &given);
        Ok(Some(bytes))
    }

    /// A table, the named target's before the shared one.
    pub fn table(&self, name: &str) -> Result<Option<(Table<'a>, Place)>> {
        for table in [self.named.as_ref().map(|(_, table)| *table), self.root].into_iter().flatten() {
            if let (Some(found), Some((_, place))) = (table.table(name)?, table.get(name)) {
                return Ok(Some((found, place)));
            }
        }
        Ok(None)
    }

    /// The entries of a table, those of the named target in the place of shared ones, by their names.
    pub fn entries(&self, name: &str) -> Result<BTreeMap<String, Value<'a>>> {
        let mut entries = BTreeMap::new();
        for table in [self.root, self.named.as_ref().map(|(_, table)| *table)].into_iter().flatten() {
            entries.extend(table.table(name)?.into_iter().flat_map(|found| found.entries()));
        }
        Ok(entries)
    }

    /// A list of texts of the target.
    pub fn texts(&mut self, name: &str) -> Result<Vec<String>> {
        let shared = self.root.map(|root| root.table("target")).transpose()?.flatten();
        for table in [self.named.as_ref().map(|(_, table)| *table), shared].into_iter().flatten() {
            let Some((value, place)) = table.get(name) else { continue };
            let DeValue::Array(items) = value else {
                return Err(place.error(format!("`{name}` is a list: [\"…\"]")));
            };
            let of = |item: &'a toml::Spanned<DeValue<'a>>| {
                scalar(&(item.get_ref(), Place { source: Arc::clone(table.source), span: item.span() }))
            };
            let texts = items.iter().map(of).collect::<Result<Vec<_>>>()?;
            self.show(format!("target.{name}"), texts.join(", "), &Given::File(place));
            return Ok(texts);
        }
        Ok(Vec::new())
    }

    /// A secret. What stands there instead is never repeated: it may be the secret itself.
    pub fn secret(
        &self,
        (value, place): &Value<'_>,
        what: &str,
        variable: String,
        secrets: &Secrets,
    ) -> Result<Arc<Token>> {
        let wrong = || {
            Diagnostic::new(format!("{place}: {what} must come from a variable, a file or a command")).help(TOKEN_HELP)
        };
        let DeValue::Table(table) = value else { return Err(wrong()) };
        let table = Table { source: &place.source, table };
        let inner = |name: &str, value: &Value<'_>| {
            let (what, variable) = (format!("`{name}` of {what}"), variable_of(&variable, name));
            self.secret_now(value, &what, variable, secrets)
        };
        if let Some(grant) = grant::read(table, what, &inner)? {
            return Ok(Token::new(variable, Origin::Grant(Box::new(grant)), secrets.clone()));
        }
        let text = |name: &str| table.get(name).map(|v| scalar(&v).map_err(|_| wrong())).transpose();
        let (env, file, command, ttl) = (text("env")?, text("file")?, text("command")?, text("ttl")?);
        let known = |known: &fields::Map| table.check("", &known.names()).map_err(|_| wrong());
        let (name, origin) = match (env, file, command) {
            (Some(name), None, None) => {
                known(&keys::FROM_VARIABLE)?;
                let token = self.variable(&name, Some(place))?;
                (name.clone(), Origin::Variable(name, token))
            }
            (None, Some(path), None) => {
                known(&keys::FROM_FILE)?;
                (variable, Origin::File(path_beside(&place.source, &path)))
            }
            (None, None, Some(command)) => {
                known(&keys::FROM_COMMAND)?;
                let ttl =
                    ttl.map(|text| crate::settings::duration(&text).map_err(|e| place.error(format!("ttl: {e}"))));
                (variable, Origin::Command(command, ttl.transpose()?))
            }
            _ => return Err(wrong()),
        };
        Ok(Token::new(name, origin, secrets.clone()))
    }

    /// A secret that does not change during a run: from a variable, or from a file that is read now.
    fn secret_now(&self, value: &Value<'_>, what: &str, variable: String, secrets: &Secrets) -> Result<SecretString> {
        let token = self.secret(value, what, variable, secrets)?;
        match token.origin() {
            Origin::Variable(_, secret) => Ok(secret.clone()),
            Origin::File(path) => {
                let unreadable = |e| value.1.error(format!("{what}: cannot read {}: {e}", path.display()));
                let text = std::fs::read_to_string(path).map_err(unreadable)?;
                let secret = SecretString::from(text.trim().to_owned());
                secrets.add(&secret, token.name());
                Ok(secret)
            }
            _ => Err(value.1.error(format!("{what} must come from a variable or a file"))),
        }
    }

    /// The secret in a variable.
    pub fn variable(&self, variable: &str, place: Option<&Place>) -> Result<SecretString> {
        match (self.environment)(variable).filter(|token| !token.trim().is_empty()) {
            Some(token) => Ok(SecretString::from(token.trim().to_owned())),
            None => {
                let title = format!("the variable {variable} is not set");
                Err(place
                    .map_or_else(|| Diagnostic::new(title.clone()), |p| p.error(title.clone()))
                    .help(format!("set it to the token: export {variable}=…")))
            }
        }
    }

    /// What the target provides. Of the shared fixtures those are replaced whole that the named target has itself.
    pub fn fixtures(&mut self, typed: &[(String, String)]) -> Result<Json> {
        let mut fixtures = json!({});
        for (name, value) in self.entries("fixtures")? {
            let json = to_json(value.0);
            self.show(format!("fixtures.{name}"), json.to_string(), &Given::File(value.1));
            fixtures[name] = json;
        }
        for (path, value) in typed {
            put(&mut fixtures, path, value)?;
            self.show(format!("fixtures.{path}"), value.clone(), &Given::Flag("--fixture".to_owned()));
        }
        Ok(fixtures)
    }
}

fn put(fixtures: &mut Json, path: &str, value: &str) -> Result<()> {
    let wrong = || {
        Diagnostic::new(format!("`{path}` is not a path of a fixture"))
            .help("write --fixture thing.id=x, with dots between names")
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
        at = at.as_object_mut().ok_or_else(wrong)?.entry((*name).to_owned()).or_insert_with(|| json!({}));
    }
    // Lists and maps may be given as JSON; everything else is text, ids of digits included.
    let value = match serde_json::from_str::<Json>(value) {
        Ok(json @ (Json::Array(_) | Json::Object(_))) => json,
        _ => Json::from(value),
    };
    at.as_object_mut().ok_or_else(wrong)?.insert((*last).to_owned(), value);
    Ok(())
}
