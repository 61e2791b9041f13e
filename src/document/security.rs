//! Security: what a caller shows to be told from others.

/// How a caller shows who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    /// The header that carries the token, in lower case.
    pub header: String,
    /// The authentication scheme before the token; None where the token stands alone.
    pub scheme: Option<String>,
    /// The JSON Pointer of the scheme.
    pub pointer: String,
}

impl Security {
    /// The header's value for a token.
    pub fn value(&self, token: &str) -> String {
        self.scheme.as_ref().map_or_else(|| token.to_owned(), |scheme| format!("{scheme} {token}"))
    }
}

/// One of the ways in which a caller may be told: all of these schemes at once. Without any, nothing is asked for.
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
    /// What is shown, and where.
    pub kind: SchemeKind,
    /// The scopes or roles that are asked for.
    pub scopes: Vec<String>,
    /// The JSON Pointer of the scheme.
    pub pointer: String,
}

/// What is shown, and where.
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
    /// How a token is shown in a header, where it is.
    pub fn token(&self) -> Option<Security> {
        let (header, scheme) = match &self.kind {
            SchemeKind::Bearer | SchemeKind::OAuth2(_) | SchemeKind::OpenIdConnect => ("authorization", Some("Bearer")),
            SchemeKind::HeaderKey(name) => (name.as_str(), None),
            _ => return None,
        };
        let scheme = scheme.map(str::to_owned);
        Some(Security { header: header.to_owned(), scheme, pointer: self.pointer.clone() })
    }
}
