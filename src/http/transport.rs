//! One request on the wire, and how it can fail there.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use secrecy::ExposeSecret;

use crate::exchange::{CUT_OFF, Failure, FailureKind, Outcome, Response, UNASKED};
use crate::settings::{Settings, is_loopback};
use crate::source::{Diagnostic, Result};

/// The longest body that is read.
const BODY_LIMIT: usize = 1 << 20;
/// Parts of the messages for a body that contradicts its headers.
const GARBLED: [&str; 3] = ["nvalid chunk", "nvalid gzip header", "corrupt deflate"];
/// The message of rustls for a system without certificates.
const NO_AUTHORITIES: &str = "No CA certificates";

/// The HTTP client for the target: its certificates, its proxy, and no automatic redirects or retries.
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
        // Plain HTTP works on a system without certificate authorities.
        Err(_) if settings.url.scheme() == "http" => build(|builder| builder.tls_certs_only([])),
        built => built,
    };
    built.map_err(|error| {
        let cause = cause_of(&error);
        let help = if cause.contains(NO_AUTHORITIES) {
            "install the system's certificates (ca-certificates), or name the trusted ones with ca_file"
        } else {
            "check ca_file, client_certificate and proxy"
        };
        Diagnostic::new(format!("the connection cannot be set up: {cause}")).help(help)
    })
}

/// A client for what is not the target: a document.
///
/// # Errors
/// The system's certificates cannot be used.
pub(super) fn plain(limit: Duration, url: &reqwest::Url) -> reqwest::Result<reqwest::Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || {
        let builder = reqwest::Client::builder().timeout(limit);
        if is_loopback(url) { builder.no_proxy() } else { builder }
    };
    match builder().build() {
        Err(_) if url.scheme() == "http" => builder().tls_certs_only([]).build(),
        built => built,
    }
}

/// An error with its sources.
pub(super) fn cause_of(error: &dyn std::error::Error) -> String {
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
        // Shorter than the total limit, so that a failed connection can be told from a missing response.
        .connect_timeout(connection.timeout / 2)
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

/// Sends a request once and reads the response within the time limit; also returns the response's version of HTTP.
pub(super) async fn attempt(
    client: &reqwest::Client,
    request: reqwest::Request,
    limit: Duration,
) -> (Outcome, Option<reqwest::Version>) {
    let mut version = None;
    let outcome = tokio::time::timeout(limit, exchange(client, request, &mut version)).await.unwrap_or_else(|_| {
        let message = format!("no complete response after {limit:?}");
        Outcome::Failed(Failure { kind: FailureKind::Timeout, message })
    });
    (outcome, version)
}

async fn exchange(
    client: &reqwest::Client,
    request: reqwest::Request,
    version: &mut Option<reqwest::Version>,
) -> Outcome {
    let mut response = match client.execute(request).await {
        Ok(response) => response,
        Err(error) => return Outcome::Failed(failure(error)),
    };
    *version = Some(response.version());
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
    let mut length = 0;
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                length += chunk.len();
                // A body beyond the limit is still read to its end: the response is complete only if it has one.
                body.extend_from_slice(&chunk[..chunk.len().min(BODY_LIMIT.saturating_sub(body.len()))]);
            }
            Ok(None) => break,
            Err(error) => {
                let mut failure = failure(error);
                if failure.kind == FailureKind::Broken {
                    // A body may be cut off by chance; a malformed one is malformed each time.
                    if GARBLED.iter().any(|sign| failure.message.contains(sign)) {
                        failure.kind = FailureKind::Protocol;
                    }
                    failure.message = format!("status {status}{CUT_OFF}{}", failure.message);
                }
                return Outcome::Failed(failure);
            }
        }
    }
    let mut answer = Response::new(status, headers, Bytes::from(body));
    answer.unread = unread(&answer, length);
    answer.length = length;
    Outcome::Response(answer)
}

/// Why a body of this length cannot be judged, if so: a body that we cannot read is not the server's failure.
fn unread(answer: &Response, length: usize) -> Option<String> {
    if length > BODY_LIMIT {
        return Some(format!("its body of {length} bytes is longer than the limit of {} MiB", BODY_LIMIT >> 20));
    }
    // The client removes the header of an encoding that it decoded.
    let coding = answer.header("content-encoding")?.trim();
    let is_read = coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    (!is_read && length > 0).then(|| format!("its body has the encoding `{coding}`, which the request does not accept"))
}

fn failure(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let mut message = error.to_string();
    // A connection that takes too long counts as not made.
    let mut kind = if error.is_builder() {
        FailureKind::Unsendable
    } else if error.is_connect() {
        FailureKind::Connect
    } else if error.is_timeout() {
        FailureKind::Timeout
    } else {
        FailureKind::Broken
    };
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        let text = cause.to_string();
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            if hyper.is_parse() {
                kind = FailureKind::Protocol;
            } else if hyper.is_incomplete_message()
                || hyper.is_closed()
                || hyper.is_canceled()
                || text.contains(UNASKED)
            {
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
