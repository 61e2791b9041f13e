//! Requests out of a schema: valid by construction, and broken in exactly one way.
//!
//! - [`seed`]: one runner for each trial, seeded by a stable hash
//! - [`values`]: schema → proptest strategies of valid values
//! - [`instant`], [`string`]: what strings hold
//! - [`fault`]: every way in which one part of a schema can be broken, and its edges
//! - [`parameter`], [`media`]: how values of parameters and bodies are written, and read again
//! - [`cover`]: which optional parts are there, so that they are tried together
//! - [`draw`]: what chance decides of a request
//! - [`draft`]: a request before it is sent
//! - [`step`]: what a case's step changes of a draft
//! - [`render`]: a draft as the bytes that are sent

pub mod cover;
pub mod draft;
pub mod draw;
pub mod fault;
pub mod instant;
pub mod media;
pub mod parameter;
pub mod render;
pub mod seed;
pub mod step;
pub mod string;
pub mod values;
