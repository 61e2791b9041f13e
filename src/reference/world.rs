//! Who and what there is: two books (tenants), their users, tokens, pipelines and households. Nothing of it changes while
//! the server runs.
//!
//! Neither the ids nor the names of stages are in the order of the stages, and a book's default pipelines are neither
//! the first ones of the book nor of their type: a server that sorts, or takes what comes first, is told from one that
//! keeps to the page.

/// The type of a household, and of the pipelines meant for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Prospect,
    Client,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Kind::Prospect => "prospect",
            Kind::Client => "client",
        }
    }
}

#[derive(Debug)]
pub(super) struct User {
    pub(super) id: &'static str,
    pub(super) email: &'static str,
    pub(super) first_name: &'static str,
    pub(super) last_name: &'static str,
    pub(super) book_id: &'static str,
}

#[derive(Debug)]
pub(super) struct Token {
    pub(super) secret: &'static str,
    /// The environment variable under which settings look for it.
    pub(super) variable: &'static str,
    pub(super) user: &'static User,
    pub(super) may_write: bool,
}

#[derive(Debug)]
pub(super) struct Stage {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// The chance of closing, in percent, of what stands at this stage.
    pub(super) probability: i64,
}

#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) is_default: bool,
    pub(super) book_id: &'static str,
    /// In their order; never empty.
    pub(super) stages: &'static [Stage],
}

impl Pipeline {
    pub(super) fn stage(&self, id: &str) -> Option<&'static Stage> {
        self.stages.iter().find(|stage| stage.id == id)
    }
}

#[derive(Debug)]
pub(super) struct Household {
    pub(super) id: &'static str,
    pub(super) kind: Kind,
    pub(super) book_id: &'static str,
    /// The user who looks after it.
    pub(super) advisor: &'static User,
}
