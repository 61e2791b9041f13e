//! Servers that behave as shared staging servers do: tokens that end, limits, records that stay.

mod budget;
mod cleanup;
mod connection;
mod doctor;
mod init;
mod pace;
mod retries;
mod settings;
mod signals;
mod tls;
mod tokens;

use std::sync::atomic::{AtomicUsize, Ordering};

use probity::reference;

use crate::support::Probity;
use crate::support::probity;
use crate::support::server::{Answer, Request, Server, forward};

/// Some requirements of every form, that send some sixty requests.
const SOME: &str = "check --seed 2 --only 'close-date/p*' --only 'idempotency/third-time' --only 'authentication/*' --only response/name-as-sent";

/// The reference server, behind one that may answer in its place.
fn before(instead: impl Fn(usize, &Request) -> Option<Answer> + Send + Sync + 'static) -> Server {
    let upstream = reference::start(reference::Options::default()).expect("a server");
    let count = AtomicUsize::new(0);
    Server::http(move |request| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        instead(number, request).unwrap_or_else(|| forward(&upstream, request))
    })
}

/// A check with settings for this server, which provide all of the reference server's world.
fn check(words: &str, url: &str) -> Probity {
    probity(words).settings(url)
}

/// The settings for this server, changed.
fn settings(url: &str, change: impl Fn(&str) -> String) -> String {
    change(&reference::settings_toml(url))
}
