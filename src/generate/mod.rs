//! Requests out of a schema: valid by construction, and broken in exactly one way.
//!
//! - [`seed`]: one runner for each trial, seeded by a stable hash
//! - [`body`]: schema → proptest strategies of valid values
//! - [`instant`], [`text`]: what strings hold
//! - [`fault`]: every way in which one part of a schema can be broken, and its edges
//! - [`cover`]: which optional fields are there, so that every triple is tried
//! - [`draft`]: a request before it is sent
//! - [`step`]: what a case's step changes of a draft
//! - [`render`]: a draft as the bytes that are sent

pub mod body;
pub mod cover;
pub mod draft;
pub mod fault;
pub mod instant;
pub mod render;
pub mod seed;
pub mod step;
pub mod text;
