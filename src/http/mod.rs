//! Talking to the server under test: the only module that touches sockets.
//!
//! - [`client`]: sending one request
//! - [`clock`]: what time it is there
//! - [`connectivity`]: whether anybody is there
//! - [`credentials`]: what a request shows of its sender
//! - [`gate`]: requests that are to arrive together
//! - [`limits`]: what answers say of the server's limits
//! - [`pace`]: waiting, for all requests together
//! - [`sent`]: what came of a request
//! - `tls`: what a certificate's error means
//! - `transport`: what may become of a request on the way

pub mod client;
pub mod clock;
pub mod connectivity;
pub mod credentials;
pub mod gate;
pub mod limits;
pub mod pace;
pub mod sent;
mod tls;
mod transport;

use std::future::Future;

use crate::source::{Diagnostic, Result};

/// Waits for what talks to a server.
///
/// # Errors
/// The system gives no means to wait with.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Diagnostic::new(format!("cannot start the network runtime: {e}")))?;
    Ok(runtime.block_on(future))
}
