//! Hooks of the search for the household.

use super::Fault;
use crate::reference::deviations::Deviations;
use crate::reference::refusal::{Break, Failure, Refusal};
use crate::reference::world::Household;
use axum::http::StatusCode;

/// Before the search: what the id's spelling does.
pub(in crate::reference) fn odd(d: &Deviations, id: &str) -> Result<(), Failure> {
    let breaks = d.fault(Fault::HouseholdLongBreaks) && id.chars().count() > 200
        || d.fault(Fault::HouseholdUnicodeBreaks) && !id.is_ascii()
        || d.fault(Fault::HouseholdTraversalBreaks) && id.contains("..")
        || d.fault(Fault::HouseholdSlashBreaks) && id.contains('/');
    if breaks { Err(Break::Error.into()) } else { Ok(()) }
}

/// What another tenant's household gets.
pub(in crate::reference) fn foreign(
    d: &Deviations,
    household: Option<&'static Household>,
    refusal: Refusal,
) -> Result<Option<&'static Household>, Failure> {
    if d.fault(Fault::HouseholdForeignAccepted) {
        return Ok(household);
    }
    if d.fault(Fault::HouseholdForeignBreaks) {
        return Err(Break::Error.into());
    }
    Err(with_status(refusal, d.fault(Fault::HouseholdForeign400)))
}

/// What an unknown household gets.
pub(in crate::reference) fn unknown(d: &Deviations, refusal: Refusal) -> Result<Option<&'static Household>, Failure> {
    if d.fault(Fault::HouseholdUnknownAccepted) {
        return Ok(None);
    }
    if d.fault(Fault::HouseholdUnknownBreaks) {
        return Err(Break::Error.into());
    }
    Err(with_status(refusal, d.fault(Fault::HouseholdUnknown400)))
}

fn with_status(refusal: Refusal, is_400: bool) -> Failure {
    let status = if is_400 { StatusCode::BAD_REQUEST } else { refusal.status };
    Refusal { status, ..refusal }.into()
}
