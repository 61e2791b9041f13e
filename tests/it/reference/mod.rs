//! The reference server from outside, over HTTP: that it keeps the contract, and that each deviation shows.

mod bench;
mod contract;
mod deviations;
mod requests;
