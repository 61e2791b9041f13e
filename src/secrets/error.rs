//! Why there is no token.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// How many bytes a file may have, or a command print: what has more is no token, and is not read to its end.
pub(super) const MOST: u64 = 64 * 1024;

/// What makes new tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Maker {
    /// A file.
    File(PathBuf),
    /// A command.
    Command,
    /// A server, by its URL.
    Server(String),
}

impl fmt::Display for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            // Not repeated: it may hold secrets of its own.
            Self::Command => f.write_str("its command"),
            Self::Server(url) => f.write_str(url),
        }
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// This variable is not set.
    #[error("the variable {0} is not set")]
    NotSet(String),
    /// A file cannot be read.
    #[error("cannot read {}: {error}", .path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// There is nothing but space.
    #[error("{0} has no token: it is empty")]
    Empty(Maker),
    /// There is space inside it.
    #[error("{0} has more than a token: it contains a space or a line break")]
    MoreThanOne(Maker),
    /// There is more than any token has.
    #[error("{0} has more than {most} KiB, which is no token", most = MOST / 1024)]
    TooLong(Maker),
    /// A command could not be started, or not be read from.
    #[error("its command could not be started: {0}")]
    NotStarted(io::Error),
    /// A command did not finish in this time.
    #[error("its command did not finish within {0:?}")]
    Late(Duration),
    /// A command failed.
    #[error(
        "its command failed with {0}; run it by hand to see why: what it prints may hold a token, and is not shown"
    )]
    Failed(ExitStatus),
    /// A command printed bytes that are no text.
    #[error("its command did not print text")]
    NoText,
    /// A server did not issue it, for this reason.
    #[error("the server was asked for it, but {0}")]
    NotIssued(String),
}
