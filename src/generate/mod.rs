//! Requests from a schema: valid by construction, or broken in exactly one way.
//!
//! - [`seed`]: one runner for each trial, seeded by a stable hash
//! - [`values`]: schema → proptest strategies of valid values
//! - [`instant`], [`string`]: the contents of strings
//! - [`fault`]: every way in which one part of a schema can be broken, and its edges
//! - [`parameter`], [`media`]: how values of parameters and bodies are written, and read again
//! - `memo`: what was made of a schema, kept for the next time
//! - [`cover`]: which optional parts are present, so that they are tried together
//! - [`draw`]: what is drawn at random for a request
//! - [`draft`]: a request before it is sent
//! - [`step`]: what a case's step changes in a draft
//! - [`render`]: a draft as the bytes that are sent

pub mod cover;
pub mod draft;
pub mod draw;
pub mod fault;
pub mod instant;
pub mod media;
mod memo;
pub mod parameter;
pub mod render;
pub mod seed;
pub mod step;
pub mod string;
pub mod values;
