//! Reading security requirements.

use super::Reader;
use crate::document::security::{Alternative, Scheme, SchemeKind, Security};
use crate::schema::registry::Located;
use crate::source::Result;
use crate::yaml::Key;
use crate::yaml::escape;

impl<'a> Reader<'a> {
    /// The alternatives for a caller's credentials, and the credentials of the first.
    pub(super) fn security(&mut self, operation: &Located<'a>) -> (Option<Security>, Vec<Alternative>) {
        let root = self.registry.root();
        let Some(list) = operation.get("security").or_else(|| root.get("security")) else {
            return (None, Vec::new());
        };
        let mut alternatives = Vec::new();
        let mut refused = Vec::new();
        for requirement in list.items() {
            let schemes: Result<Vec<Scheme>> =
                requirement.entries().iter().map(|(key, scopes)| self.scheme(key, scopes)).collect();
            match schemes {
                Ok(schemes) => alternatives.push(Alternative { schemes }),
                Err(error) => {
                    let declares = |(key, _): &(&Key, Located<'a>)| self.declared(&key.name).is_some();
                    refused.push((error, requirement.entries().iter().all(|(key, at)| declares(&(key, at.clone())))));
                }
            }
        }
        let none_is_left = alternatives.is_empty();
        for (error, is_declared) in refused {
            // What a scheme is that the document does not declare, nobody knows: requests go without it.
            self.skip("the security", error, none_is_left && is_declared);
        }
        (alternatives.first().and_then(Alternative::shown), alternatives)
    }

    fn declared(&self, name: &str) -> Option<Located<'a>> {
        let components = self.registry.root().get("components")?;
        components.get("securitySchemes")?.get(name)
    }

    fn scheme(&self, key: &Key, scopes: &Located<'a>) -> Result<Scheme> {
        let root = self.registry.root();
        let at = match self.declared(&key.name) {
            Some(at) => at,
            // From 3.2 on, it may also be a reference.
            None if key.name.contains(['/', '#']) => self.registry.resolve(&root, &key.name, &key.place)?,
            None => {
                return Err(key
                    .place
                    .error(format!("the document does not declare the security scheme `{}`", key.name))
                    .label("requests are sent without it")
                    .help(format!("declare it at /components/securitySchemes/{}", escape(&key.name))));
            }
        };
        let at = self.registry.follow(at)?;
        let name = at.text("name").unwrap_or_default().to_owned();
        let scheme = at.text("scheme").unwrap_or_default().to_ascii_lowercase();
        let kind = match (at.text("type"), at.text("in")) {
            (Some("http"), _) if scheme == "bearer" => SchemeKind::Bearer,
            (Some("http"), _) if scheme == "basic" => SchemeKind::Basic,
            (Some("apiKey"), Some("header")) if !name.is_empty() => SchemeKind::HeaderKey(name.to_lowercase()),
            (Some("apiKey"), Some("query")) if !name.is_empty() => SchemeKind::QueryKey(name),
            (Some("apiKey"), Some("cookie")) if !name.is_empty() => SchemeKind::CookieKey(name),
            (Some("oauth2"), _) => {
                let flow = at.get("flows").and_then(|f| f.get("clientCredentials"));
                SchemeKind::OAuth2(flow.and_then(|f| f.text("tokenUrl").map(str::to_owned)))
            }
            (Some("openIdConnect"), _) => SchemeKind::OpenIdConnect,
            (Some("mutualTLS"), _) => SchemeKind::MutualTls,
            _ => {
                return Err(at
                    .node
                    .error("this security scheme is not supported")
                    .help("supported: http with bearer or basic, apiKey, oauth2, openIdConnect, mutualTLS"));
            }
        };
        let scopes = scopes.items().iter().filter_map(|s| s.node.string("").ok().map(str::to_owned)).collect();
        Ok(Scheme { name: key.name.clone(), kind, scopes, pointer: self.registry.pointer(&at) })
    }
}
