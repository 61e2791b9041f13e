//! The embedded contract as tests, one for each requirement: what anyone puts into a project of their own.

use std::process::ExitCode;

fn main() -> ExitCode {
    probity::cli::conformance::main()
}
