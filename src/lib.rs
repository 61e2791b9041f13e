//! probity
pub mod contract;
pub mod expression;
pub mod generate;
pub mod source;
pub mod yaml;
