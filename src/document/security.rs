//! Security: the credentials that identify a caller.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How a caller sends credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    /// The part of the request that carries the credentials.
    pub carrier: Carrier,
    /// The header that carries them, in lower case; for the query, the header that would.
    pub header: String,
    /// The authentication scheme before the token; None if the token stands alone.
    pub scheme: Option<String>,
    /// The name of the scheme in the document.
    pub name: String,
    /// The JSON Pointer of the scheme.
    pub pointer: String,
    /// The credentials of the further schemes.
    pub also: Vec<Self>,
}

/// The part of a request that carries credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A header.
    Header,
    /// A name of the query.
    Query(String),
    /// A cookie.
    Cookie(String),
}

impl Security {
    /// Whether a name and a password are encoded before they are sent.
    pub fn encodes(&self) -> bool {
        self.scheme.as_deref() == Some(BASIC)
    }

    /// The text of a token in a request. A scheme that a user has written before the token is not repeated. For
    /// `Basic`, `user:password` is encoded; a token without a colon is taken to be encoded already.
    pub fn value(&self, token: &str) -> String {
        let Some(scheme) = &self.scheme else {
            return token.to_owned();
        };
        let token = match token.split_once(' ') {
            Some((word, rest)) if word.eq_ignore_ascii_case(scheme) => rest.trim_start(),
            _ => token,
        };
        if self.encodes() && token.contains(':') {
            return format!("{scheme} {}", STANDARD.encode(token));
        }
        format!("{scheme} {token}")
    }

    /// The text of an invalid token: one without its last character.
    pub fn broken(&self, token_without_last: &str) -> String {
        match &self.scheme {
            Some(scheme) if scheme == BASIC => format!("{scheme} {}", STANDARD.encode("probity:unknown")),
            Some(scheme) => format!("{scheme} {token_without_last}"),
            None => token_without_last.to_owned(),
        }
    }
}

const BASIC: &str = "Basic";

/// An alternative for a caller's credentials: all of these schemes at once. Without any, no credentials are required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// The schemes.
    pub schemes: Vec<Scheme>,
}

/// A security scheme of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// Its name under `securitySchemes`.
    pub name: String,
    /// The kind of credentials, and where they are sent.
    pub kind: SchemeKind,
    /// The required scopes or roles.
    pub scopes: Vec<String>,
    /// The JSON Pointer of the scheme.
    pub pointer: String,
}

/// The kind of credentials, and where they are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemeKind {
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: Basic …`
    Basic,
    /// A key in a header of this name.
    HeaderKey(String),
    /// A key in the query, by this name.
    QueryKey(String),
    /// A key in a cookie of this name.
    CookieKey(String),
    /// A bearer token of OAuth 2; the URL where client credentials are exchanged for one, if the document has that flow.
    OAuth2(Option<String>),
    /// A bearer token of OpenID Connect.
    OpenIdConnect,
    /// A client certificate.
    MutualTls,
}

impl Scheme {
    /// How it appears in a request; None if it is not a part of the request.
    pub fn shown(&self) -> Option<Security> {
        let mut security = Security {
            carrier: Carrier::Header,
            header: "authorization".to_owned(),
            scheme: None,
            name: self.name.clone(),
            pointer: self.pointer.clone(),
            also: Vec::new(),
        };
        match &self.kind {
            SchemeKind::Bearer | SchemeKind::OAuth2(_) | SchemeKind::OpenIdConnect => {
                security.scheme = Some("Bearer".to_owned());
            }
            SchemeKind::Basic => security.scheme = Some(BASIC.to_owned()),
            SchemeKind::HeaderKey(name) => security.header.clone_from(name),
            SchemeKind::QueryKey(name) => security.carrier = Carrier::Query(name.clone()),
            SchemeKind::CookieKey(name) => {
                "cookie".clone_into(&mut security.header);
                security.carrier = Carrier::Cookie(name.clone());
            }
            SchemeKind::MutualTls => return None,
        }
        Some(security)
    }
}

impl Alternative {
    /// How it appears in a request; None if it is not a part of the request.
    pub fn shown(&self) -> Option<Security> {
        let mut all = self.schemes.iter().filter_map(Scheme::shown);
        let first = all.next()?;
        Some(Security { also: all.collect(), ..first })
    }
}
