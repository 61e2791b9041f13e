//! `probity.toml`: tables whose every value knows where it stands.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::source::{Diagnostic, Place, Result, Source, did_you_mean};

/// The file's name.
pub const FILE: &str = "probity.toml";

/// The nearest `probity.toml`, in this folder or one above it.
pub fn find(from: &Path) -> Option<PathBuf> {
    from.ancestors().map(|folder| folder.join(FILE)).find(|path| path.is_file())
}

/// The text's whole tree.
pub(super) fn parse(source: &Arc<Source>) -> Result<Spanned<DeTable<'_>>> {
    DeTable::parse(&source.text).map_err(|error| toml_error(source, &error))
}

/// A table and its place.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    pub source: &'a Arc<Source>,
    pub table: &'a DeTable<'a>,
}

/// A value and its place.
pub(super) type Value<'a> = (&'a DeValue<'a>, Place);

impl<'a> Table<'a> {
    /// Checks that it holds no keys but these.
    pub fn check(&self, name: &str, known: &[&str]) -> Result<()> {
        match self.table.keys().find(|key| !known.contains(&key.get_ref().as_ref())) {
            None => Ok(()),
            Some(key) => {
                let place = Place { source: Arc::clone(self.source), span: key.span() };
                let table = if name.is_empty() { String::new() } else { format!(" in [{name}]") };
                let help = did_you_mean(key.get_ref(), known.iter().copied());
                let all = || format!("known keys: {}", known.join(", "));
                Err(place.error(format!("unknown key `{}`{table}", key.get_ref())).help(help.unwrap_or_else(all)))
            }
        }
    }

    /// A value.
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        let value = self.table.get(name)?;
        Some((value.get_ref(), Place { source: Arc::clone(self.source), span: value.span() }))
    }

    /// A table in it.
    pub fn table(&self, name: &str) -> Result<Option<Table<'a>>> {
        match self.get(name) {
            None => Ok(None),
            Some((DeValue::Table(table), _)) => Ok(Some(Table { source: self.source, table })),
            Some((_, place)) => Err(place.error(format!("`{name}` is a table: write [{name}]"))),
        }
    }

    /// The entries, by their names.
    pub fn entries(&self) -> impl Iterator<Item = (String, Value<'a>)> + use<'a> {
        let source = self.source;
        let place = move |value: &Spanned<DeValue<'a>>| Place { source: Arc::clone(source), span: value.span() };
        self.table.iter().map(move |(key, value)| (key.get_ref().clone().into_owned(), (value.get_ref(), place(value))))
    }
}

/// A single value as text: a string, a number, a truth value.
pub(super) fn scalar((value, place): &Value<'_>) -> Result<String> {
    match value {
        DeValue::String(text) => Ok(text.clone().into_owned()),
        DeValue::Integer(number) => Ok(number.to_string()),
        DeValue::Float(number) => Ok(number.to_string()),
        DeValue::Boolean(truth) => Ok(truth.to_string()),
        _ => Err(place.error("expected a string, a number, `true` or `false`")),
    }
}

pub(super) fn to_json(value: &DeValue<'_>) -> Json {
    match value {
        DeValue::String(text) => Json::from(text.as_ref()),
        DeValue::Boolean(truth) => Json::from(*truth),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            i128::from_str_radix(&digits, number.radix())
                .ok()
                .and_then(|n| serde_json::Number::from_str(&n.to_string()).ok())
                .map_or(Json::Null, Json::Number)
        }
        DeValue::Float(number) => number.as_str().replace('_', "").parse::<f64>().map_or(Json::Null, Json::from),
        DeValue::Datetime(time) => Json::from(time.to_string()),
        DeValue::Array(items) => items.iter().map(|item| to_json(item.get_ref())).collect(),
        DeValue::Table(table) => Json::Object(
            table.iter().map(|(key, value)| (key.get_ref().to_string(), to_json(value.get_ref()))).collect(),
        ),
    }
}

/// What is wrong with a text that is not TOML, or not what was due; of a line that may hold a secret only its place.
pub fn toml_error(source: &Arc<Source>, error: &toml::de::Error) -> Box<Diagnostic> {
    let message = error.message().trim_end().to_owned();
    let help = "`probity explain settings` shows every key";
    let Some(span) = error.span() else {
        return Diagnostic::new(format!("{}: {message}", source.path)).help(help);
    };
    let place = Place { source: Arc::clone(source), span };
    let line = source.text.lines().nth(place.line() - 1).unwrap_or_default();
    // The line may hold a secret, and the message may repeat it.
    if ["token", "header", "command", "key", "secret"].iter().any(|word| line.to_lowercase().contains(word)) {
        return Diagnostic::new(format!("{place}: this line is not valid TOML")).help(help);
    }
    place.error(message).help(help)
}
