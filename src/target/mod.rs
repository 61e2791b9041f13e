//! The server under test: the only module that touches sockets and clocks.
//!
//! - [`settings`]: where it is, who calls it, what it lends
//! - [`clock`]: what time it is there
//! - [`pace`]: waiting, for all requests together
//! - [`reach`]: whether anybody is there
//! - [`client`]: sending one request
//! - [`exchange`]: what was sent and what came back
//! - [`redact`]: keeping tokens out of everything that is written

pub mod client;
pub mod clock;
pub mod exchange;
pub mod json_text;
pub mod pace;
pub mod reach;
pub mod redact;
pub mod secret;
pub mod settings;
mod tls;
pub mod token;
