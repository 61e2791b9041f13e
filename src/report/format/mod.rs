//! What a report can be written as: one file for each format.

pub mod attestation;
pub mod badge;
pub mod ctrf;
pub mod github;
pub mod har;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod sarif;
