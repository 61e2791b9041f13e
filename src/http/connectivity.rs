//! Whether anybody is at the target's address, before anything is said to them.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::settings::{Environment, Settings, is_loopback};

/// What came of looking for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It takes connections at this address.
    There(SocketAddr),
    /// A proxy stands before it, and knows better.
    Proxy,
    /// Its name has no address, and why.
    NoAddress(String),
    /// None of its addresses takes connections, and why.
    NoConnection(String),
}

/// Looks for a target: its addresses first, then whether one of them takes connections.
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
        Err(_) => return Reach::NoAddress(format!("no answer within {limit:?}")),
    };
    let mut last = "there is none".to_owned();
    for address in addresses {
        last = match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Reach::There(address),
            Ok(Err(error)) => format!("{address}: {error}"),
            Err(_) => format!("{address}: no answer within {limit:?}"),
        };
    }
    Reach::NoConnection(last)
}

/// Whether the usual variables name a proxy.
fn has_proxy(scheme: &str, environment: Environment<'_>) -> bool {
    let names = [format!("{scheme}_proxy"), "all_proxy".to_owned()];
    names.iter().any(|name| environment(name).or_else(|| environment(&name.to_uppercase())).is_some())
}
