//! Whether anything accepts connections at the target's address, checked before a request is sent.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::settings::{Environment, Settings, is_loopback};

/// The result of looking for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It accepts connections at this address.
    There(SocketAddr),
    /// It is reached through a proxy, which resolves its name.
    Proxy,
    /// Its name could not be resolved, and why.
    NoAddress(String),
    /// None of its addresses accepts connections, and why.
    NoConnection(String),
}

/// Resolves a target's name, and then checks whether one of its addresses accepts connections.
pub async fn reach(settings: &Settings, environment: Environment<'_>) -> Reach {
    let url = &settings.url;
    if settings.connection.proxy.is_some() || (!is_loopback(url) && has_proxy(url.scheme(), environment)) {
        return Reach::Proxy;
    }
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or_default();
    let limit: Duration = settings.connection.timeout;
    let addresses: Vec<SocketAddr> = match timeout(limit, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return Reach::NoAddress(error.to_string()),
        Err(_) => return Reach::NoAddress(format!("no response within {limit:?}")),
    };
    let mut last = "its name has no address".to_owned();
    for address in addresses {
        last = match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Reach::There(address),
            Ok(Err(error)) => format!("{address}: {error}"),
            Err(_) => format!("{address}: no response within {limit:?}"),
        };
    }
    Reach::NoConnection(last)
}

/// Whether the usual environment variables name a proxy.
fn has_proxy(scheme: &str, environment: Environment<'_>) -> bool {
    let names = [format!("{scheme}_proxy"), "all_proxy".to_owned()];
    names.iter().any(|name| environment(name).or_else(|| environment(&name.to_uppercase())).is_some())
}
