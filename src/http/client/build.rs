//! A request as it is handed to the HTTP library: with its URL, headers, credentials and body.

use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::Client;
use crate::document::security::Carrier;
use crate::exchange::{Failure, FailureKind, Request};
use crate::http::credentials::credentials as shown_credentials;
use crate::http::gate::Gate;
use crate::secrets::error::TokenError;
use crate::settings;

impl Client {
    pub(super) async fn build(
        &self,
        client: &reqwest::Client,
        request: &Request,
        requirement: &str,
        token: &SecretString,
        gate: Option<&Gate>,
    ) -> Result<reqwest::Request, Failure> {
        let unsendable = |message: String| Failure { kind: FailureKind::Unsendable, message };
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|e| unsendable(e.to_string()))?;
        let mut url = Url::parse(&self.url(&request.path)).map_err(|e| unsendable(e.to_string()))?;
        let mut others = Vec::new();
        for also in self.security.iter().flat_map(|security| &security.also) {
            if let Some(other) = self.settings.token(&request.identity, &also.name) {
                let other = other.get(self).await.map_err(|error| no_token(&request.identity, &error))?;
                others.push(other.expose_secret().to_owned());
            }
        }
        let shown = shown_credentials(self.security.as_ref(), &request.credentials, token.expose_secret(), &others);
        for (carrier, _, value) in &shown {
            if let Carrier::Query(key) = carrier {
                url.query_pairs_mut().append_pair(key, value);
            }
        }
        let agent = format!("probity/{} ({requirement})", env!("CARGO_PKG_VERSION"));
        let mut builder = client.request(method, url).header("user-agent", agent);
        for (name, value) in &request.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| unsendable(format!("{name:?}: {e}")))?;
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|e| unsendable(format!("{name}: {e}")))?;
            builder = builder.header(name, value);
        }
        for (name, value) in self.settings.headers.iter().filter(|(name, _)| request.header(name).is_none()) {
            let value = match value {
                settings::HeaderValue::Text(text) => HeaderValue::from_str(text),
                settings::HeaderValue::Secret(secret) => {
                    let text = secret.get(self).await.map_err(|error| credentials(name, &error))?;
                    HeaderValue::from_str(text.expose_secret()).map(|mut value| {
                        value.set_sensitive(true);
                        value
                    })
                }
            };
            builder = builder.header(name, value.map_err(|e| unsendable(format!("{name}: {e}")))?);
        }
        for (carrier, name, value) in shown {
            let value = match carrier {
                Carrier::Header => value,
                Carrier::Cookie(cookie) => format!("{cookie}={value}"),
                // It stands in the URL.
                Carrier::Query(_) => continue,
            };
            let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
                unsendable("the credentials contain a character that is not allowed in a header".into())
            })?;
            value.set_sensitive(true);
            builder = builder.header(name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(match gate {
                Some(gate) => gate.body(body.clone()),
                None => reqwest::Body::from(body.clone()),
            });
        }
        builder.build().map_err(|e| unsendable(e.without_url().to_string()))
    }
}

pub(super) fn no_token(identity: &str, error: &TokenError) -> Failure {
    credentials(&format!("the token of `{identity}`"), error)
}

fn credentials(what: &str, error: &TokenError) -> Failure {
    Failure { kind: FailureKind::Credentials, message: format!("{what}: {error}") }
}
