//! Talking to the server under test: the only module that touches sockets.
//!
//! - [`client`]: sending one request
//! - [`clock`]: the server's time
//! - [`connectivity`]: whether the target accepts connections
//! - [`credentials`]: the credentials of a request
//! - [`fetch`]: fetching a document
//! - [`gate`]: requests that are to arrive together
//! - `grant`: asking a server for a token
//! - [`limits`]: what responses say of the server's limits
//! - [`pace`]: how fast all requests together are sent
//! - [`sent`]: the result of a request
//! - `token`: what a response says of the token
//! - `tls`: what a certificate error means
//! - `transport`: one request on the wire, and how it can fail

pub mod client;
pub mod clock;
pub mod connectivity;
pub mod credentials;
pub mod fetch;
pub mod gate;
mod grant;
pub mod limits;
pub mod pace;
pub mod sent;
mod tls;
mod token;
mod transport;

use std::future::Future;

use crate::source::{Diagnostic, Result};

/// Runs a future that talks to a server, and waits for its result.
///
/// # Errors
/// The runtime cannot be started.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Diagnostic::new(format!("cannot start the network runtime: {e}")))?;
    Ok(runtime.block_on(future))
}
