//! Everything that must not be shown, and what stands in its place.

use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};

use super::redact::Redactor;

/// From how many bytes on the beginning of a secret tells something.
const TELLING: usize = 6;

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

    /// A text that was cut off, without the half of a secret that its end may hold.
    pub fn without_half(&self, mut text: String) -> String {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for (secret, name) in &known.all {
            let secret = secret.expose_secret();
            let starts = secret.char_indices().map(|(i, _)| i).filter(|i| *i >= TELLING);
            if let Some(start) = starts.rev().find(|i| text.ends_with(&secret[..*i])) {
                text.truncate(text.len() - start);
                text += &format!("${{{name}}}");
            }
        }
        text
    }
}
