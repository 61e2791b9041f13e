//! Everything that must not be shown, and what replaces it.
//!
//! - [`token`]: where a secret comes from, and when it is renewed
//! - [`redact`]: keeping secrets out of everything that is written
//! - `decodings`: the ways in which a text may be decoded
//! - `parts`: parts of secrets

mod decodings;
pub mod error;
pub mod grant;
mod parts;
pub mod redact;
pub mod token;

use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::secrets::redact::Redactor;

/// The secrets of a run. Their number may grow during the run: an expired token remains a secret.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Arc<RwLock<Known>>);

#[derive(Debug, Default)]
struct Known {
    all: Vec<(SecretString, String)>,
    redactor: Arc<Redactor>,
}

impl Secrets {
    /// Adds a secret, and the name of the variable that replaces it.
    pub fn add(&self, secret: &SecretString, name: &str) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.all.iter().any(|(s, n)| s.expose_secret() == secret.expose_secret() && n == name) {
            return;
        }
        known.all.push((secret.clone(), name.to_owned()));
        Arc::make_mut(&mut known.redactor).add(secret.expose_secret(), name);
    }

    /// Adds a text that is not secret, even where it has something in common with a secret.
    pub fn add_public(&self, text: Arc<str>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut known.redactor).add_public(text);
    }

    /// A redactor for the secrets that are known now.
    pub fn redactor(&self) -> Arc<Redactor> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).redactor)
    }
}

/// A URL without its user and password; None if it has none.
pub fn without_login(url: &str) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    // This fails only for URLs that cannot have a user.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    Some(url.into())
}
