//! Why a request is not served: a refusal that says so, or, for the faults, a way of breaking down.

use axum::http::StatusCode;

/// What is wrong with a request. Its answer is written in `refused`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) reason: Reason,
    pub(super) detail: String,
    /// The property of the body that is at fault.
    pub(super) field: Option<&'static str>,
}

/// The kind of a refusal, as the answer names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Unauthenticated,
    ReadOnly,
    NoHousehold,
    NoRecord,
    NoRoute,
    BodyTooLarge,
    MediaType,
    Malformed,
    Missing,
    WrongType,
    Invalid,
    Unknown,
    Mismatch,
    Key,
    KeyReused,
    Busy,
}

impl Reason {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Reason::Unauthenticated => "unauthenticated",
            Reason::ReadOnly => "read_only",
            Reason::NoHousehold => "no_such_household",
            Reason::NoRecord => "no_such_opportunity",
            Reason::NoRoute => "no_such_operation",
            Reason::BodyTooLarge => "body_too_large",
            Reason::MediaType => "unsupported_media_type",
            Reason::Malformed => "malformed_body",
            Reason::Missing => "missing",
            Reason::WrongType => "wrong_type",
            Reason::Invalid => "invalid",
            Reason::Unknown => "unknown_reference",
            Reason::Mismatch => "mismatched_reference",
            Reason::Key => "invalid_idempotency_key",
            Reason::KeyReused => "idempotency_key_reused",
            Reason::Busy => "idempotency_key_busy",
        }
    }

    /// Whether the body as a whole could be read, and what it says is wrong.
    pub(super) const fn is_validation(self) -> bool {
        matches!(self, Reason::Missing | Reason::WrongType | Reason::Invalid | Reason::Unknown | Reason::Mismatch)
    }
}

impl Refusal {
    pub(super) fn new(status: StatusCode, reason: Reason, detail: impl Into<String>) -> Self {
        Self { status, reason, detail: detail.into(), field: None }
    }

    fn of_field(reason: Reason, field: &'static str, detail: String) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, reason, detail, field: Some(field) }
    }

    pub(super) fn missing(field: &'static str) -> Self {
        Self::of_field(Reason::Missing, field, format!("{field} is missing"))
    }

    pub(super) fn wrong_type(field: &'static str, expected: &str) -> Self {
        Self::of_field(Reason::WrongType, field, format!("{field} is not {expected}"))
    }

    /// `problem` follows the name of the field: "is negative".
    pub(super) fn invalid(field: &'static str, problem: &str) -> Self {
        Self::of_field(Reason::Invalid, field, format!("{field} {problem}"))
    }

    pub(super) fn unknown(field: &'static str) -> Self {
        Self::of_field(Reason::Unknown, field, format!("{field} names nothing that is here"))
    }

    pub(super) fn mismatch(field: &'static str, problem: &str) -> Self {
        Self::of_field(Reason::Mismatch, field, format!("{field} {problem}"))
    }
}

/// How a faulty server breaks down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    /// Answers 500.
    Error,
    /// Never answers.
    Hang,
    /// Closes the connection without an answer.
    Sever,
}

/// The end of a request that was not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Refused(Refusal),
    Broken(Break),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refused(refusal)
    }
}

impl From<Break> for Failure {
    fn from(broken: Break) -> Self {
        Failure::Broken(broken)
    }
}
