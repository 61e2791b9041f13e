//! Whether a target may be production.

use url::{Host, Url};

use super::Settings;
use crate::source::{Diagnostic, Result};

impl Settings {
    /// Checks that the target is none of a document's servers, unless that is allowed. Another port, scheme or path of the
    /// same host is the same server.
    ///
    /// # Errors
    /// The target is one of them.
    pub fn check_production(&self, servers: &[String]) -> Result<()> {
        // With a dot at its end it is the same host.
        let host = self.url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        if self.allow_production || is_loopback(&self.url) {
            return Ok(());
        }
        let Some(server) = servers.iter().find(|server| names_host(server, &host)) else { return Ok(()) };
        let title = match server.contains('*') {
            true => format!(
                "{host} may be production: the document names {server} as a server of this operation, with a part that may \
                 be anything"
            ),
            false => format!("{host} is production: the document names {server} as a server of this operation"),
        };
        let help = "a run creates records; name a staging server, or say --allow-production if this is meant";
        Err(Diagnostic::new(title).help(help))
    }
}

/// Whether a URL leads to this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Whether a server's URL, in which `*` stands for anything, names a host. A URL without one names none.
fn names_host(server: &str, host: &str) -> bool {
    let Some((_, rest)) = server.split_once("//") else { return false };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let named = match authority.rsplit_once(':') {
        Some((named, port)) if !port.contains(']') => named,
        _ => authority,
    };
    let named = named.trim_end_matches('.').to_ascii_lowercase();
    let parts: Vec<&str> = named.split('*').collect();
    match parts[..] {
        // What may be anything at all names nobody.
        _ if parts.iter().all(|part| part.trim_matches('.').is_empty()) => false,
        [whole] => Url::parse(&format!("http://{whole}")).is_ok_and(|url| url.host_str() == Some(host)),
        [first, .., last] => {
            host.len() >= first.len() + last.len()
                && host.starts_with(first)
                && host.ends_with(last)
                && parts[1..parts.len() - 1].iter().all(|part| host.contains(part))
        }
        [] => false,
    }
}
