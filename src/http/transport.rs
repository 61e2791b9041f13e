//! One request on the wire, and what may become of it there.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use secrecy::ExposeSecret;

use crate::exchange::{Failure, FailureKind, Outcome, Response};
use crate::settings::{Settings, is_loopback};
use crate::source::{Diagnostic, Result};

/// The longest body that is read.
const BODY_LIMIT: usize = 1 << 20;
/// What hyper says, and has no other word for, where a server speaks without having been asked.
const UNASKED: &str = "unexpected message from connection";
/// What rustls says where the system has no certificates.
const NO_AUTHORITIES: &str = "No CA certificates";

/// The way to the target: its certificates, its proxy, and nothing that is done without having been asked for.
///
/// # Errors
/// Certificates or a proxy that cannot be used.
pub(super) fn client(
    settings: &Settings,
    connections: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> Result<reqwest::Client> {
    let build = |certificates: fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder| {
        builder(settings).and_then(|builder| certificates(connections(builder)).build())
    };
    let built = match build(|builder| builder) {
        // Where a system has no authorities, plain HTTP needs none.
        Err(_) if settings.url.scheme() == "http" => build(|builder| builder.tls_certs_only([])),
        built => built,
    };
    built.map_err(|error| {
        let cause = cause_of(&error);
        let help = if cause.contains(NO_AUTHORITIES) {
            "install the system's certificates (ca-certificates), or name those that are to be believed with ca_file"
        } else {
            "look at ca_file, client_certificate and proxy"
        };
        Diagnostic::new(format!("the connection cannot be set up: {cause}")).help(help)
    })
}

/// An error with what is behind it.
fn cause_of(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", cause_of(source)),
        None => error.to_string(),
    }
}

fn builder(settings: &Settings) -> reqwest::Result<reqwest::ClientBuilder> {
    let connection = &settings.connection;
    // The first one stays: every client has the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(connection.timeout)
        .retry(reqwest::retry::never())
        .tcp_nodelay(true)
        .tls_danger_accept_invalid_certs(connection.insecure);
    if is_loopback(&settings.url) {
        builder = builder.no_proxy();
    }
    if let Some(proxy) = &connection.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy.clone())?);
    }
    if let Some(pem) = &connection.ca {
        builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem)?);
    }
    if let Some(pem) = &connection.client_certificate {
        builder = builder.identity(reqwest::Identity::from_pem(pem.expose_secret().as_bytes())?);
    }
    Ok(builder)
}

/// Sends a request once, and reads the answer, for as long as the limit lets it.
pub(super) async fn attempt(client: &reqwest::Client, request: reqwest::Request, limit: Duration) -> Outcome {
    tokio::time::timeout(limit, exchange(client, request)).await.unwrap_or_else(|_| {
        let message = format!("nothing complete after {limit:?}");
        Outcome::Failed(Failure { kind: FailureKind::Timeout, message })
    })
}

/// Whether a failure may be the connection's rather than the server's.
pub(super) fn is_stale(failure: &Failure) -> bool {
    failure.kind == FailureKind::Broken || failure.message.contains(UNASKED)
}

async fn exchange(client: &reqwest::Client, request: reqwest::Request) -> Outcome {
    let mut response = match client.execute(request).await {
        Ok(response) => response,
        Err(error) => return Outcome::Failed(failure(error)),
    };
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > BODY_LIMIT => {
                return Outcome::Failed(Failure {
                    kind: FailureKind::TooLarge,
                    message: format!("more than {} MiB with status {status}", BODY_LIMIT >> 20),
                });
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => {
                let mut failure = failure(error);
                // Something was answered: this is no stale connection.
                if failure.kind == FailureKind::Broken {
                    failure.kind = FailureKind::Protocol;
                    failure.message = format!("status {status}, then the body broke off: {}", failure.message);
                }
                return Outcome::Failed(failure);
            }
        }
    }
    Outcome::Response(Response::new(status, headers, Bytes::from(body)))
}

fn failure(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let mut message = error.to_string();
    let mut kind = if error.is_timeout() {
        FailureKind::Timeout
    } else if error.is_connect() {
        FailureKind::Connect
    } else {
        FailureKind::Broken
    };
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        let text = cause.to_string();
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            if hyper.is_parse() || text.contains(UNASKED) {
                kind = FailureKind::Protocol;
            } else if hyper.is_incomplete_message() || hyper.is_closed() || hyper.is_canceled() {
                kind = FailureKind::Broken;
            }
        }
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        if let Some(advice) = crate::http::tls::advice(cause) {
            (kind, message) = (FailureKind::Tls, advice);
            break;
        }
        source = cause.source();
    }
    Failure { kind, message }
}
