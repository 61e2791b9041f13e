//! Who calls, what they show, and which of the document's alternatives that serves.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::ExposeSecret as _;
use toml::de::DeValue;

use super::file::Table;
use super::layers::{Given, Layers};
use super::{HeaderValue, Settings, TOKEN_HELP, TOKEN_VARIABLE, origin_text, variable_of};
use crate::contract::requirement::{Form, Origin as From};
use crate::contract::{CALLER, Contract};
use crate::document::security::{Alternative, Scheme, SchemeKind};
use crate::secrets::Secrets;
use crate::secrets::token::{Origin, Token};
use crate::source::{Diagnostic, Result};

type Identities = BTreeMap<String, Arc<Token>>;
type Credentials = BTreeMap<(String, String), Arc<Token>>;

/// The tables `[identities.*]`, and the caller's token where no file names one.
pub(super) fn identities(layers: &mut Layers<'_>, secrets: &Secrets) -> Result<(Identities, Credentials)> {
    let (mut identities, mut credentials) = (Identities::new(), Credentials::new());
    for (name, (value, place)) in layers.entries("identities")? {
        let DeValue::Table(table) = value else {
            return Err(place.error(format!("`{name}` is a table: write [identities.{name}]")));
        };
        let table = Table { source: &place.source, table };
        table.check(&format!("identities.{name}"), &super::keys::IDENTITY.names())?;
        let variable = match name.as_str() {
            CALLER => TOKEN_VARIABLE.to_owned(),
            other => variable_of(TOKEN_VARIABLE, other),
        };
        let mut first = None;
        for (scheme, value) in table.table("credentials")?.into_iter().flat_map(|table| table.entries()) {
            let what = format!("the credentials of `{name}` for {scheme}");
            let token = layers.secret(&value, &what, variable_of(&variable, &scheme), secrets)?;
            layers.show(format!("identities.{name}.credentials.{scheme}"), origin_text(&token), &Given::File(value.1));
            first.get_or_insert(Arc::clone(&token));
            credentials.insert((name.clone(), scheme), token);
        }
        let token = match (table.get("token"), first) {
            (Some(token), _) => layers.secret(&token, &format!("the token of `{name}`"), variable, secrets)?,
            (None, Some(first)) => first,
            (None, None) => {
                return Err(place.error(format!("[identities.{name}] says nothing of its token")).help(TOKEN_HELP));
            }
        };
        layers.show(format!("identities.{name}.token"), origin_text(&token), &Given::File(place));
        identities.insert(name, token);
    }
    if !identities.contains_key(CALLER) {
        let origin = match layers.variable(TOKEN_VARIABLE, None) {
            Ok(token) => Origin::Variable(TOKEN_VARIABLE.to_owned(), token),
            // Whether one is needed, the document says.
            Err(_) => Origin::Missing(TOKEN_VARIABLE.to_owned()),
        };
        let token = Token::new(TOKEN_VARIABLE.to_owned(), origin, secrets.clone());
        layers.show(format!("identities.{CALLER}.token"), origin_text(&token), &Given::Default);
        identities.insert(CALLER.to_owned(), token);
    }
    Ok((identities, credentials))
}

impl Settings {
    /// What an identity shows for a security scheme: credentials of that name, or else its token.
    pub fn token(&self, identity: &str, scheme: &str) -> Option<&Arc<Token>> {
        let own = self.credentials.get(&(identity.to_owned(), scheme.to_owned()));
        own.or_else(|| self.identities.get(identity))
    }

    /// Chooses the first of the document's alternatives that these settings can serve.
    ///
    /// # Errors
    /// The document asks for credentials, and there are none.
    pub fn authenticate(&self, contract: &mut Contract) -> Result<()> {
        let alternatives = &contract.operation.alternatives;
        let Some(first) = alternatives.first() else {
            contract.operation.security = None;
            return Ok(());
        };
        let served = || alternatives.iter().filter(|alternative| self.serves(alternative));
        let suited = served().find(|alternative| alternative.schemes.iter().all(|scheme| self.suits(scheme)));
        let Some(chosen) = suited.or_else(|| served().next()) else {
            return Err(match first.schemes.iter().find(|scheme| !self.has(scheme)) {
                Some(Scheme { kind: SchemeKind::MutualTls, name, .. }) => {
                    Diagnostic::new(format!("the document asks for a client certificate (`{name}`)"))
                        .help("name one with --client-certificate or client_certificate under [target]")
                }
                _ => Diagnostic::new(format!("the variable {TOKEN_VARIABLE} is not set"))
                    .help(format!("put the token there: export {TOKEN_VARIABLE}=…")),
            });
        };
        contract.operation.security = chosen.shown();
        // Others than the token may be what the server looks at.
        let secret = self.headers.iter().any(|(_, value)| matches!(value, HeaderValue::Secret(_)));
        if secret || self.connection.client_certificate.is_some() {
            contract.requirements.retain(|requirement| {
                let derived = matches!(requirement.origin, From::Derived(_));
                !(derived && matches!(requirement.form, Form::Scenario(_)))
            });
        }
        Ok(())
    }

    fn serves(&self, alternative: &Alternative) -> bool {
        alternative.schemes.iter().all(|scheme| self.has(scheme))
    }

    /// Whether a token may be one of a scheme: credentials of Basic are a name and a password.
    fn suits(&self, scheme: &Scheme) -> bool {
        let token = self.token(CALLER, &scheme.name).map(|token| token.origin());
        match (&scheme.kind, token) {
            (SchemeKind::Basic, Some(Origin::Variable(_, token))) => {
                let token = token.expose_secret();
                let has_colon = |bytes: &[u8]| bytes.contains(&b':');
                has_colon(token.as_bytes()) || BASE64_STANDARD.decode(token).is_ok_and(|decoded| has_colon(&decoded))
            }
            _ => true,
        }
    }

    fn has(&self, scheme: &Scheme) -> bool {
        match scheme.kind {
            SchemeKind::MutualTls => self.connection.client_certificate.is_some(),
            _ => {
                let token = self.token(CALLER, &scheme.name);
                token.is_some_and(|token| !matches!(token.origin(), Origin::Missing(_)))
            }
        }
    }
}
