//! Tokens that a server issues: to an OAuth 2.0 client for its own credentials (RFC 6749, section 4.4), or for a login.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value as Json;

use super::error::TokenError;

/// A request that is answered with a token.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Where it is sent: a URL, or a path behind the target's URL.
    pub url: String,
    /// The client's id and secret, where they are sent as basic credentials.
    pub basic: Option<(String, SecretString)>,
    /// Its body.
    pub body: Body,
    /// The place of the token in the JSON of the answer, as a JSON Pointer.
    pub at: String,
}

/// The body of such a request.
#[derive(Clone, Debug)]
pub enum Body {
    /// A form.
    Form(Vec<(String, SecretString)>),
    /// JSON.
    Json(SecretString),
}

/// A token that was issued.
#[derive(Debug)]
pub struct Issued {
    /// The token.
    pub token: SecretString,
    /// How long it lives, if the answer says so.
    pub lives: Option<Duration>,
}

/// What sends the request for a token.
pub trait Issuer: Sync {
    /// Asks for a token.
    ///
    /// # Errors
    /// Why there is none.
    fn issue<'a>(&'a self, grant: &'a Grant) -> Issuing<'a>;
}

/// A token that is being asked for.
pub type Issuing<'a> = Pin<Box<dyn Future<Output = Result<Issued, TokenError>> + Send + 'a>>;

/// The token in an answer.
///
/// # Errors
/// It is no JSON, or has no token at that place.
pub fn issued(answer: &[u8], at: &str) -> Result<Issued, TokenError> {
    let json: Json = serde_json::from_slice(answer).map_err(|_| TokenError::NotIssued(NO_JSON.to_owned()))?;
    let Some(token) = json.pointer(at).and_then(Json::as_str) else {
        return Err(TokenError::NotIssued(format!("its answer has no text at `{at}`")));
    };
    let seconds = json.get("expires_in").and_then(|n| n.as_u64().or_else(|| n.as_str()?.parse().ok()));
    Ok(Issued { token: SecretString::from(token.to_owned()), lives: seconds.map(Duration::from_secs) })
}

const NO_JSON: &str = "its answer is not JSON";

/// What an answer says of a refusal: what OAuth 2.0 and common APIs have for it. Anything else may hold what was sent.
pub fn refusal(answer: &[u8]) -> Option<String> {
    let json: Json = serde_json::from_slice(answer).ok()?;
    let text = |name: &str| json.get(name).and_then(Json::as_str);
    let said: Vec<&str> = ["error", "error_description", "message", "detail"].into_iter().filter_map(text).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn an_answer_has_a_token_and_its_life() {
        let answer = br#"{"access_token": "abc", "expires_in": "60", "data": {"token": "def"}}"#;
        let one = issued(answer, "/access_token").unwrap();
        assert_eq!((one.token.expose_secret(), one.lives), ("abc", Some(Duration::from_secs(60))));
        assert_eq!(issued(answer, "/data/token").unwrap().token.expose_secret(), "def");
        let missing = issued(answer, "/token").unwrap_err().to_string();
        assert!(missing.contains("no text at `/token`"), "{missing}");
        assert!(issued(b"<html>", "/token").unwrap_err().to_string().contains("not JSON"));
    }

    #[test]
    fn a_refusal_is_told_in_its_own_words() {
        let told = refusal(br#"{"error": "invalid_client", "error_description": "no such client", "sent": "x"}"#);
        assert_eq!(told.as_deref(), Some("invalid_client, no such client"));
        assert_eq!(refusal(b"nothing"), None);
    }
}
