//! Tokens that a server issues, as the settings write them.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;
use toml::de::DeValue;

use super::file::{Table, Value, scalar, to_json};
use super::{keys, parse_url};
use crate::secrets::grant::{Body, Grant};
use crate::source::Result;

/// Reads a secret, by its name and where it comes from.
type Secret<'a> = &'a dyn Fn(&str, &Value<'_>) -> Result<SecretString>;

/// The request that a table describes, if it describes one: by `token_url` that of an OAuth 2.0 client for its own
/// credentials, by `login` any other.
pub(super) fn read(table: Table<'_>, what: &str, secret: Secret<'_>) -> Result<Option<Grant>> {
    if let Some(url) = table.get("token_url") {
        return of_client(table, &url, what, secret).map(Some);
    }
    table.get("login").map(|login| of_login(table, &login, what, secret)).transpose()
}

fn of_client(table: Table<'_>, url: &Value<'_>, what: &str, secret: Secret<'_>) -> Result<Grant> {
    table.check("token", &keys::OF_CLIENT.names())?;
    let needed = |name: &str| {
        table.get(name).ok_or_else(|| {
            let error = url.1.error(format!("{what} needs `{name}` beside `token_url`"));
            error.help("write client_id = \"…\" and client_secret = { env = \"…\" }")
        })
    };
    let (id, shared) = (needed("client_id")?, needed("client_secret")?);
    let (id, shared) = (text("client_id", &id, secret)?, text("client_secret", &shared, secret)?);
    let mut form = vec![("grant_type".to_owned(), SecretString::from("client_credentials"))];
    if let Some(scope) = table.get("scope") {
        form.push(("scope".to_owned(), scalar(&scope)?.into()));
    }
    for (name, value) in table.table("parameters")?.into_iter().flat_map(|table| table.entries()) {
        form.push((name.clone(), text(&name, &value, secret)?));
    }
    let authentication = table.get("client_authentication");
    let basic = match authentication.as_ref().map(scalar).transpose()?.as_deref() {
        None | Some("basic") => Some((id.expose_secret().to_owned(), shared)),
        Some("body") => {
            form.extend([("client_id".to_owned(), id), ("client_secret".to_owned(), shared)]);
            None
        }
        Some(other) => {
            let place = authentication.map_or_else(|| url.1.clone(), |value| value.1);
            let error = place.error(format!("`{other}` is no way for a client to authenticate"));
            return Err(error.help("write \"basic\", which is the default, or \"body\""));
        }
    };
    Ok(Grant { url: address(url)?, basic, body: Body::Form(form), at: pointer(table)? })
}

fn of_login(table: Table<'_>, login: &Value<'_>, what: &str, secret: Secret<'_>) -> Result<Grant> {
    table.check("token", &keys::OF_LOGIN.names())?;
    let body = match (table.table("body")?, table.table("form")?) {
        (Some(json), None) => Body::Json(object(json, secret)?.to_string().into()),
        (None, Some(form)) => {
            let fields = form.entries().map(|(name, value)| Ok((name.clone(), text(&name, &value, secret)?)));
            Body::Form(fields.collect::<Result<_>>()?)
        }
        _ => {
            let error = login.1.error(format!("{what} needs either `body` or `form` beside `login`"));
            return Err(
                error.help("write body = { user = \"…\", password = { env = \"…\" } } for JSON, or form = { … }")
            );
        }
    };
    Ok(Grant { url: address(login)?, basic: None, body, at: pointer(table)? })
}

/// A text as it stands, or a secret.
fn text(name: &str, value: &Value<'_>, secret: Secret<'_>) -> Result<SecretString> {
    match value.0 {
        DeValue::Table(_) => secret(name, value),
        _ => Ok(scalar(value)?.into()),
    }
}

/// An object of JSON, in which a table with the source of a secret stands for that.
fn object(table: Table<'_>, secret: Secret<'_>) -> Result<Json> {
    let member = |(name, value): (String, Value<'_>)| {
        let json = match value.0 {
            DeValue::Table(inner) => {
                let inner = Table { source: &value.1.source, table: inner };
                match ["env", "file", "command"].into_iter().any(|key| inner.get(key).is_some()) {
                    true => secret(&name, &value)?.expose_secret().into(),
                    false => object(inner, secret)?,
                }
            }
            plain => to_json(plain),
        };
        Ok((name, json))
    };
    table.entries().map(member).collect::<Result<serde_json::Map<_, _>>>().map(Json::Object)
}

/// A URL, or a path behind the target's.
fn address(value: &Value<'_>) -> Result<String> {
    let text = scalar(value)?;
    if !text.starts_with('/') {
        parse_url(&text).map_err(|error| {
            value.1.error(error.to_string()).help("write https://…, or a path behind the target's URL")
        })?;
    }
    Ok(text)
}

fn pointer(table: Table<'_>) -> Result<String> {
    let Some(value) = table.get("at") else { return Ok("/access_token".to_owned()) };
    let text = scalar(&value)?;
    match text.starts_with('/') {
        true => Ok(text),
        false => Err(value.1.error("`at` is not a JSON Pointer").help("write \"/token\", or \"/data/token\"")),
    }
}
