//! Asking a server for a token.

use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use secrecy::ExposeSecret as _;
use url::{Url, form_urlencoded};

use super::client::Client;
use super::transport::cause_of;
use crate::secrets::error::TokenError;
use crate::secrets::grant::{Body, Grant, Issued, Issuer, Issuing, issued, refusal};

/// How long a server may take to issue a token.
const LIMIT: Duration = Duration::from_secs(30);
/// How many bytes its answer may have.
const LARGEST: usize = 256 << 10;
/// The media type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

impl Issuer for Client {
    fn issue<'a>(&'a self, grant: &'a Grant) -> Issuing<'a> {
        Box::pin(async move {
            let sent = tokio::time::timeout(LIMIT, self.ask(grant)).await;
            sent.unwrap_or_else(|_| Err(TokenError::NotIssued(format!("it did not answer within {LIMIT:?}"))))
        })
    }
}

impl Client {
    async fn ask(&self, grant: &Grant) -> Result<Issued, TokenError> {
        let failed = TokenError::NotIssued;
        let address = match grant.url.starts_with('/') {
            true => self.url(&grant.url),
            false => grant.url.clone(),
        };
        let url = Url::parse(&address).map_err(|e| failed(format!("its URL cannot be read: {e}")))?;
        let mut request = self.plain().post(url).header(ACCEPT, "application/json");
        if let Some((id, secret)) = &grant.basic {
            // Both are encoded as in a form before they are joined (RFC 6749, section 2.3.1).
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            request = request.basic_auth(encoded(id), Some(encoded(secret.expose_secret())));
        }
        let (media_type, body) = match &grant.body {
            Body::Form(fields) => {
                let pairs = fields.iter().map(|(name, value)| (name, value.expose_secret()));
                (FORM, form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
            }
            Body::Json(text) => ("application/json", text.expose_secret().to_owned()),
        };
        let request = request.header(CONTENT_TYPE, media_type).body(body);
        let answer = request.send().await.map_err(|e| failed(cause_of(&e.without_url())))?;
        let status = answer.status();
        let mut bytes = Vec::new();
        let mut stream = answer.bytes_stream();
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk.map_err(|e| failed(cause_of(&e.without_url())))?);
            if bytes.len() > LARGEST {
                return Err(failed(format!("its answer has more than {} KiB", LARGEST >> 10)));
            }
        }
        if !status.is_success() {
            let said = refusal(&bytes).map_or_else(String::new, |said| format!(": {said}"));
            return Err(failed(format!("it answered {}{said}", status.as_u16())));
        }
        issued(&bytes, &grant.at)
    }
}
