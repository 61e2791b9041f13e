//! What is tested: the commit that CI names, or what was typed.

use super::environment;
use crate::report::format::attestation;
use crate::report::model::Subject;
use crate::source::{Diagnostic, Result};

/// Variables in which CI names the commit.
const COMMITS: &[&str] = &[
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
    "BITBUCKET_COMMIT",
    "BUILDKITE_COMMIT",
    "BUILD_SOURCEVERSION",
    "CIRCLE_SHA1",
    "DRONE_COMMIT_SHA",
    "GIT_COMMIT",
    "SEMAPHORE_GIT_SHA",
    "TRAVIS_COMMIT",
];
/// Variables in which it names the repository.
const REPOSITORIES: &[&str] = &[
    "GITHUB_REPOSITORY",
    "CI_PROJECT_PATH",
    "BITBUCKET_REPO_FULL_NAME",
    "BUILDKITE_REPO",
    "BUILD_REPOSITORY_NAME",
    "CIRCLE_PROJECT_REPONAME",
    "DRONE_REPO",
    "GIT_URL",
    "SEMAPHORE_GIT_REPO_SLUG",
    "TRAVIS_REPO_SLUG",
];

/// What was typed, or else the commit that CI names.
pub(crate) fn subject(typed: Option<&Subject>) -> Option<Subject> {
    typed.cloned().or_else(commit)
}

fn commit() -> Option<Subject> {
    let first = |names: &[&str]| names.iter().find_map(|name| environment(name));
    // An address may hold a password.
    let repository = first(REPOSITORIES).filter(|name| !name.contains('@')).unwrap_or_else(|| "commit".to_owned());
    Subject::commit(&repository, &first(COMMITS)?).ok()
}

/// Checks that it is known what was tested, if one of these formats has to say so.
///
/// # Errors
/// It is not.
pub(crate) fn known<'a>(subject: Option<&Subject>, mut formats: impl Iterator<Item = &'a str>) -> Result<()> {
    if subject.is_some() || !formats.any(|name| name == attestation::NAME) {
        return Ok(());
    }
    Err(Diagnostic::new("an attestation has to say what was tested, and nothing names that").help(
        "pass --subject NAME@DIGEST, such as app@sha256:…; in CI, the commit is taken from GITHUB_SHA, CI_COMMIT_SHA and \
         their like",
    ))
}
