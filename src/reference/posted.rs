//! A request that may be served.

use super::key_store::Key;
use super::world::{Household, User};
use axum::http::HeaderMap;
use bytes::Bytes;

/// A request from someone who may make it, about a household that they have.
#[derive(Debug)]
pub(super) struct Posted<'a> {
    pub(super) caller: &'static User,
    /// There is always one, but for a faulty server.
    pub(super) household: Option<&'static Household>,
    pub(super) household_id: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: Bytes,
    pub(super) key: Option<Key>,
}
