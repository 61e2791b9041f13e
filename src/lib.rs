//! probity tells whether a server keeps the contract of an API.
//!
//! The contract is data: an OpenAPI document and a folder of cases. The modules, in the order in
//! which data flows; none uses one that stands below it:
//!
//! - [`source`]: text that people wrote, and errors that point into it
//! - [`fields`]: which keys such a text may have, for loaders and for editors
//! - [`yaml`]: YAML and JSON with the place of each value
//! - [`exchange`]: requests, responses and failures, as plain types
//! - [`expression`]: CEL, the language of oracles
//! - [`schema`]: JSON Schema, to judge with and to generate from
//! - [`document`]: OpenAPI documents of every version → operations
//! - [`contract`]: document and cases → the requirements on an operation
//! - [`arazzo`]: Arazzo documents as cases
//! - [`generate`]: schema → requests, valid ones and those with one fault
//! - [`secrets`]: tokens, and keeping them out of everything that is written
//! - [`settings`]: where the target is, who calls it, and how it is to be treated
//! - [`http`]: the client; the only module that touches sockets
//! - [`lookup`]: finding a target's fixtures
//! - [`judge`]: exchanges × requirements → findings and verdicts
//! - [`plan`]: contract × settings → what will be sent, in order
//! - [`lint`]: defects of a contract itself
//! - [`run`]: carries a plan out
//! - [`report`]: what a run showed, one file a writer
//! - [`gate`]: report × policy → exit code
//! - [`compare`]: reports beside each other
//! - [`replay`]: a report's requests, sent again
//! - [`har`]: what others recorded, judged without sending
//! - [`doctor`]: whether a check can be run on a target
//! - [`cleanup`]: removing what runs created
//! - [`session`]: all of these put together
//! - [`whole`]: the operations of a document, one after another
//! - [`reference`]: the embedded server, the one module that knows what is created
//! - [`audit`]: the harness tried on that server, with its faults and its variations
//! - [`cli`]: the command line, one file a command
//!
//! To make a contract a test of your own Rust project, see [`cli::conformance`].

/// Prints a line to standard error. That nobody reads it is no error.
macro_rules! complain {
    ($($what:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($what)*);
    }};
}

pub mod arazzo;
pub mod audit;
pub mod cleanup;
pub mod cli;
pub mod compare;
pub mod contract;
pub mod doctor;
pub mod document;
pub mod exchange;
pub mod expression;
pub mod fields;
pub mod gate;
pub mod generate;
pub mod har;
pub mod http;
pub mod judge;
pub mod lint;
pub mod lookup;
pub mod plan;
pub mod reference;
pub mod replay;
pub mod report;
pub mod run;
pub mod schema;
pub mod secrets;
pub mod session;
pub mod settings;
pub mod source;
pub mod whole;
pub mod yaml;
