//! probity
pub mod expression;
pub mod source;
pub mod yaml;
