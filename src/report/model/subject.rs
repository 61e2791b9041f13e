//! What was tested: a commit, or an artefact.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A commit or an artefact, by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Its name: an image, a package, a repository.
    pub name: String,
    /// The algorithm of the digest, as in-toto calls it: `sha256`, `gitCommit`.
    pub algorithm: String,
    /// The digest, in lower-case hexadecimal.
    pub digest: String,
}

/// Algorithms, and how many digits their digests may have.
const ALGORITHMS: &[(&str, &[usize])] =
    &[("sha256", &[64]), ("sha384", &[96]), ("sha512", &[128]), ("sha1", &[40]), ("gitCommit", &[40, 64])];

/// A text that is no subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write NAME@ALGORITHM:DIGEST, such as app@sha256:… with all 64 digits; sha384, sha512, sha1 and gitCommit will do, too"
)]
pub struct SubjectError;

impl Subject {
    /// A commit of a repository.
    ///
    /// # Errors
    /// The text is no commit's hash.
    pub fn commit(repository: &str, hash: &str) -> Result<Self, SubjectError> {
        Self::new(repository, "gitCommit", hash)
    }

    fn new(name: &str, algorithm: &str, digest: &str) -> Result<Self, SubjectError> {
        let lengths = ALGORITHMS.iter().find(|(known, _)| *known == algorithm).map(|(_, lengths)| *lengths);
        let is_good = lengths.is_some_and(|lengths| lengths.contains(&digest.len()))
            && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
            && !name.is_empty();
        if !is_good {
            return Err(SubjectError);
        }
        Ok(Self { name: name.to_owned(), algorithm: algorithm.to_owned(), digest: digest.to_ascii_lowercase() })
    }
}

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, digest) = text.rsplit_once('@').ok_or(SubjectError)?;
        let (algorithm, digest) = digest.split_once(':').ok_or(SubjectError)?;
        Self::new(name, algorithm, digest)
    }
}
