//! The harness tried on itself: what a verdict of it is worth.
//!
//! Checks are run against the reference server with each of its faults, and against what it may
//! be without breaking the contract, its variations, alone and in pairs. What must come of each is
//! written down in two tables; an audit compares.
//!
//! - [`run`]: one check of the reference server, and many of them beside each other
//! - [`expected`]: the tables, and how a run differs from them
//! - [`matrix`]: runs added up: which faults each requirement finds, and a score
//! - [`text`]: an audit for people, on a terminal and as Markdown
//!
//! Everything but `run` is pure.

pub mod expected;
pub mod matrix;
pub mod run;
pub mod text;

pub use expected::Table;
pub use matrix::{Audit, Kind};
pub use run::{Options, Run, Subject};

/// The file of an audit for programs.
pub const AUDIT: &str = "audit.json";
/// The file of an audit for people.
pub const PAGE: &str = "audit.md";
