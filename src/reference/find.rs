//! Finding what there is, by its id or its tenant.

use super::seed_data::{HOUSEHOLDS, PIPELINES, TOKENS, USERS};
use super::world::{Household, Kind, Pipeline, Token, User};

pub(super) fn token(secret: &str) -> Option<&'static Token> {
    TOKENS.iter().find(|token| token.secret == secret)
}

pub(super) fn user(book_id: &str, id: &str) -> Option<&'static User> {
    users(book_id).find(|user| user.id == id)
}

pub(super) fn users(book_id: &str) -> impl Iterator<Item = &'static User> {
    USERS.iter().copied().filter(move |user| user.book_id == book_id)
}

/// A household of any book.
pub(super) fn household(id: &str) -> Option<&'static Household> {
    HOUSEHOLDS.iter().find(|household| household.id == id)
}

pub(super) fn households(book_id: &str) -> impl Iterator<Item = &'static Household> {
    HOUSEHOLDS.iter().filter(move |household| household.book_id == book_id)
}

pub(super) fn pipelines(book_id: &str) -> impl Iterator<Item = &'static Pipeline> {
    PIPELINES.iter().filter(move |pipeline| pipeline.book_id == book_id)
}

pub(super) fn pipeline(book_id: &str, id: &str) -> Option<&'static Pipeline> {
    pipelines(book_id).find(|pipeline| pipeline.id == id)
}

/// The pipeline of a type that is taken when none is named. Every book has one for each type.
pub(super) fn default_pipeline(book_id: &str, kind: Kind) -> Option<&'static Pipeline> {
    pipelines(book_id).find(|pipeline| pipeline.kind == kind && pipeline.is_default)
}

/// The pipeline that a stage belongs to.
pub(super) fn pipeline_of_stage(book_id: &str, stage_id: &str) -> Option<&'static Pipeline> {
    pipelines(book_id).find(|pipeline| pipeline.stage(stage_id).is_some())
}
