//! probity
pub mod contract;
pub mod expression;
pub mod generate;
pub mod judge;
pub mod lint;
pub mod plan;
pub mod reference;
pub mod run;
pub mod source;
pub mod target;
pub mod yaml;
