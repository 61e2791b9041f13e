//! probity tells whether a server keeps the contract of an API operation.
//!
//! The contract is data: an OpenAPI document and a folder of cases. The modules, in the order in
//! which data flows; none uses one that stands below it:
//!
//! - [`source`], [`yaml`]: text that people wrote, and errors that point into it
//! - [`expression`]: CEL, the language of oracles
//! - [`contract`]: document and cases → the requirements on an operation
//! - [`generate`]: schema → requests, valid ones and those with one fault
//! - [`target`]: the server under test; the only module that touches sockets and clocks
//! - [`judge`]: exchanges × requirements → findings and verdicts
//! - [`plan`]: contract × settings → what will be sent, in order
//! - [`lint`]: defects of a contract itself
//! - [`run`]: carries a plan out
//! - [`report`]: what a run showed, one file a writer
//! - [`gate`]: report × policy → exit code
//! - [`compare`]: reports beside each other
//! - [`lookup`]: finding what a target lends
//! - [`doctor`]: whether a check can be run on a target
//! - [`cleanup`]: removing what runs created
//! - [`session`]: all of these put together
//! - [`replay`]: a report's requests, to be sent again
//! - [`traffic`]: what others recorded, judged without sending
//! - [`reference`]: the embedded server, the one module that knows what is created
//! - [`audit`]: the harness tried on that server, with its faults and its liberties
//! - [`cli`]: the command line, one file a command
//!
//! To make a contract a test of your own Rust project, see [`cli::conformance`].

pub mod audit;
pub mod cleanup;
pub mod cli;
pub mod compare;
pub mod contract;
pub mod doctor;
pub mod document;
pub mod expression;
pub mod gate;
pub mod generate;
pub mod judge;
pub mod lint;
pub mod lookup;
pub mod plan;
pub mod reference;
pub mod replay;
pub mod report;
pub mod run;
pub mod schema;
pub mod session;
pub mod source;
pub mod target;
pub mod traffic;
pub mod yaml;
