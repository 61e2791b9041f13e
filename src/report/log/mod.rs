//! What is written while a run goes on.
//!
//! - [`exchanges`][]: `exchanges.ndjson`
//! - [`created`][]: `created.ndjson`
//! - [`verbose`]: exchanges on stderr

pub mod created;
pub mod exchanges;
pub mod verbose;
