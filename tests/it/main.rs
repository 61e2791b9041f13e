//! The tests from outside, in one program: linking costs more than most of them.
//!
//! `cargo test --test it -- matrix::` runs those of one module.

#[path = "../support/mod.rs"]
mod support;

mod areas;
mod attestation;
mod audit;
mod bad_input;
mod case_words;
mod catalogue;
mod check;
mod ci;
mod commands;
mod contexts;
mod documents;
mod formats;
mod gate;
mod hostile;
mod html;
mod judge;
mod layers;
mod matrix;
mod openapi_table;
mod opportunities;
mod parameters;
mod parts;
mod preflight;
mod properties;
mod quick;
mod reference;
mod replay;
mod schemas;
mod second_contract;
mod secrets;
mod staging;
mod together;
mod whole;
mod wire;
