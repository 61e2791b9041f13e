//! The reference server: creating, reading and updating opportunities, written from the vendor's pages. It is what the
//! harness is tried on, and a sandbox for those who write clients. It is the one module that knows what an opportunity is.
//!
//! A request passes, in this order, through
//!
//! - `serve`: sockets, the server's thread and runtime;
//! - `transport` and `limits`: what all requests have in common: dates, delays, encodings;
//! - `create`: the operation, step by step;
//! - `authenticate` and `tenancy`: who asks, and about which household;
//! - `idempotency`: whether this was asked before;
//! - `body` with `json_text`, and `validate`: what is asked;
//! - `resolve`: references and defaults;
//! - `created`: the answer with the record;
//! - `read` and `update`, with `changes`: the operations on what was created;
//! - `lookups`: reading what a client has to know;
//! - `refused` and `respond`: how requests end.
//!
//! The steps hand on plain types, which know nothing of the steps: `credentials`, `posted`, `asked`, `record`, `refusal`,
//! `answer`. All requests share the `server_state`: its `clock`, `ids`, `key_store` and `store`; and the `seed_data`, of the types in
//! `world`, in which `find` looks things up.
//!
//! It can be made to deviate at named points: by [`Fault`]s, which break the contract, and by [`Variation`]s, which do not.
//! A hook of a fault stands in `faults/`, in the file of the step that it belongs to; a variation is asked for in the step
//! itself.

mod answer;
mod asked;
mod authenticate;
mod body;
mod changes;
mod clock;
mod create;
mod created;
mod credentials;
mod deviation_table;
mod deviations;
mod faults;
mod find;
mod idempotency;
mod ids;
mod json_text;
mod key_store;
mod limits;
mod lookups;
mod posted;
mod read;
mod record;
mod refusal;
mod refused;
mod resolve;
mod respond;
mod seed_data;
mod serve;
mod server_state;
mod settings;
mod store;
mod tenancy;
mod transport;
mod update;
mod validate;
mod variations;
mod world;

pub use self::faults::Fault;
pub use self::serve::{Server, start};
pub use self::settings::{TOKENS, curl_line, settings_toml, token};
pub use crate::reference::variations::Variation;

use crate::reference::server_state::ServerState;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use std::sync::Arc;

/// How a server is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The port on the loopback address; 0 takes a free one.
    pub port: u16,
    /// In what it breaks the contract.
    pub faults: Vec<Fault>,
    /// In what it differs without breaking the contract.
    pub variations: Vec<Variation>,
}

/// The server without its socket. To close a connection in place of an answer, and to send no date, takes [`start`].
pub fn app(options: &Options) -> Router {
    let server = Arc::new(ServerState::new(options));
    Router::new()
        .route("/v1/households/{household_id}/opportunities", post(create::handle))
        .route("/v1/households/{household_id}/opportunities/{id}", get(read::of_household).patch(update::of_household))
        .route("/v1/opportunities/{id}", get(read::by_id).patch(update::by_id))
        .merge(lookups::routes())
        .fallback(create::elsewhere)
        .method_not_allowed_fallback(create::elsewhere)
        .layer(from_fn_with_state(Arc::clone(&server), transport::around))
        .with_state(server)
}
