//! Everything that must not be shown, and what stands in its place.
//!
//! - [`token`]: where a secret comes from, and when it is made anew
//! - [`redact`]: keeping secrets out of everything that is written
//! - `decodings`: the ways in which a text may be read

mod decodings;
pub mod redact;
pub mod token;

use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::secrets::redact::Redactor;

/// The secrets of a run. They may grow while it goes on: a token that ran out stays a secret.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Arc<RwLock<Known>>);

#[derive(Debug, Default)]
struct Known {
    all: Vec<(SecretString, String)>,
    redactor: Arc<Redactor>,
}

impl Secrets {
    /// Adds a secret, and the name of the variable that takes its place.
    pub fn add(&self, secret: &SecretString, name: &str) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.all.iter().any(|(s, n)| s.expose_secret() == secret.expose_secret() && n == name) {
            return;
        }
        known.all.push((secret.clone(), name.to_owned()));
        Arc::make_mut(&mut known.redactor).add(secret.expose_secret(), name);
    }

    /// What replaces those that are known now.
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
    // Fails only for URLs that can have no login.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    Some(url.into())
}
