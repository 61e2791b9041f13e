//! The server under test: the only module that touches sockets and clocks.
//!
//! - [`settings`]: where it is, who calls it, what it lends
//! - [`clock`]: what time it is there
//! - [`pace`]: waiting, for all requests together
//! - [`reach`]: whether anybody is there
//! - [`client`]: sending one request
//! - [`credentials`]: what it shows of its sender
//! - `wire`: what may become of it on the way
//! - [`exchange`]: what was sent and what came back
//! - [`redact`]: keeping tokens out of everything that is written
//! - `reading`: the ways in which a text may be read

pub mod client;
pub mod clock;
pub mod credentials;
pub mod exchange;
pub mod json_text;
pub mod pace;
pub mod reach;
mod reading;
pub mod redact;
pub mod secret;
pub mod settings;
mod tls;
pub mod token;
mod wire;

use std::future::Future;

use crate::source::{Diagnostic, Result};

/// Waits for what talks to a server.
///
/// # Errors
/// The system gives no means to wait with.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|e| Diagnostic::new(format!("the system gives no means to wait for a server: {e}")))?;
    Ok(runtime.block_on(future))
}
