//! Which household a request is about, if it is one of the caller's book.

use super::Variation;
use super::deviations::Deviations;
use super::faults::household as hook;
use super::find;
use super::refusal::{Failure, Reason, Refusal};
use super::world::{Household, Token};
use axum::http::StatusCode;

/// The household of a path, or none if a faulty server takes an unknown one.
pub(super) fn household(d: &Deviations, caller: &Token, id: &str) -> Result<Option<&'static Household>, Failure> {
    hook::odd(d, id)?;
    let found = find::household(id);
    match found {
        Some(household) if household.book_id == caller.user.book_id => Ok(found),
        Some(_) => hook::foreign(d, found, refusal(d, d.variation(Variation::ForeignHousehold403))),
        None => hook::unknown(d, refusal(d, false)),
    }
}

/// By itself the server does not tell another tenant's household from one that is not there.
fn refusal(d: &Deviations, forbidden: bool) -> Refusal {
    if forbidden || d.variation(Variation::Household403) {
        Refusal::new(StatusCode::FORBIDDEN, Reason::NoHousehold, "this household is not yours to use")
    } else {
        Refusal::new(StatusCode::NOT_FOUND, Reason::NoHousehold, "there is no such household")
    }
}
