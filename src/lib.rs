//! probity
pub mod contract;
pub mod expression;
pub mod generate;
pub mod judge;
pub mod source;
pub mod target;
pub mod yaml;
