//! probity
pub mod contract;
pub mod expression;
pub mod gate;
pub mod generate;
pub mod judge;
pub mod plan;
pub mod report;
pub mod run;
pub mod source;
pub mod target;
pub mod yaml;
