//! What a run may cost, and what of a plan has room in that.

use chrono::{DateTime, Utc};

use crate::contract::Contract;
use crate::contract::requirement::Form;
use crate::generate::draft::Fixtures;
use crate::plan::{self, Allowance, Plan, QUICK};
use crate::settings::Settings;
use crate::source::Result;

/// How many requests a run over one operation may send by default, including those that look for smaller ones.
pub const MAX_REQUESTS: u64 = 500;
/// How many of them are reserved for looking for smaller ones.
const RESERVE: u64 = 100;
/// How many more it may send for each other operation that the steps of a contract call.
const OF_CALLED: u64 = 100;

/// How many requests a run over a contract may send by default.
pub fn by_default(contract: &Contract) -> u64 {
    let called = (0..contract.called.len()).filter(|place| contract.calls(*place)).count();
    MAX_REQUESTS + OF_CALLED * called as u64
}

/// How many requests each operation of a document may take by default, those that look for smaller ones included.
const SHARE: u64 = 40;
/// How many of them are reserved for looking for smaller ones.
const SHARE_RESERVE: u64 = 8;

/// How many an operation takes at most, if others leave some.
const MOST: u64 = 160;
/// How many requests show what is no part of a schema.
const WITHOUT_PARTS: u64 = 8;

/// How many requests a quick check may send.
pub fn quick_budget(settings: &Settings) -> u64 {
    settings.budget.max_requests.unwrap_or(QUICK).min(QUICK)
}

/// Whether an operation has no more than its share of a default budget.
fn is_share(contract: &Contract, settings: &Settings, examples: Option<usize>) -> bool {
    contract.document_only && settings.budget.max_requests.is_none() && examples.is_none()
}

/// A plan, given how many examples were asked for. Of an operation that has no more than its share, what has no room in that
/// is not even planned.
///
/// # Errors
/// As for any plan.
pub fn planned(
    contract: &Contract,
    fixtures: &Fixtures,
    settings: &Settings,
    examples: Option<usize>,
    options: plan::Options,
    now: DateTime<Utc>,
) -> Result<Plan> {
    match is_share(contract, settings, examples) {
        true => Plan::of_share(contract, fixtures, options, now),
        false => Plan::new(contract, fixtures, &options, now),
    }
}

/// How many requests each of several operations may take by default: as many as all take together if each takes its share,
/// but what one has no use for goes to those that are about more.
pub fn shares<'a>(contracts: impl Iterator<Item = (&'a Contract, Vec<bool>)>) -> Vec<u64> {
    let needs: Vec<u64> = contracts.map(|(contract, selected)| need(contract, &selected)).collect();
    let spare: u64 = needs.iter().map(|need| SHARE.saturating_sub(*need)).sum();
    let wanted = |need: u64| need.min(MOST).saturating_sub(SHARE);
    let all: u64 = needs.iter().map(|need| wanted(*need)).sum();
    let more = |need: u64| if all <= spare { wanted(need) } else { wanted(need) * spare / all };
    needs.into_iter().map(|need| SHARE + more(need)).collect()
}

/// About how many requests an operation has use for: one at the edge of each part of its schemas, and one that breaks it.
fn need(contract: &Contract, selected: &[bool]) -> u64 {
    let is_part = |form: &Form| matches!(form, Form::Schema(_) | Form::Parameter(..));
    let chosen = contract.requirements.iter().zip(selected).filter(|(_, selected)| **selected);
    let parts = chosen.filter(|(r, _)| is_part(&r.form)).count() as u64;
    match contract.operation.method.as_str() {
        // It is sent once.
        "DELETE" => 1,
        _ => SHARE_RESERVE + WITHOUT_PARTS + 2 * parts,
    }
}

/// Leaves out of a plan what exceeds the settings' budget; returns how many requests may be sent. `share` is how many those
/// are of an operation that has no more than its share, where that is not the usual one.
pub fn fit(
    plan: &mut Plan,
    contract: &Contract,
    settings: &Settings,
    examples: Option<usize>,
    share: Option<u64>,
) -> u64 {
    let budget = &settings.budget;
    let is_share = is_share(contract, settings, examples);
    let share = share.unwrap_or(SHARE);
    if is_share {
        plan.fit(contract, &Allowance { requests: Some(share - SHARE_RESERVE), ..Allowance::default() });
        plan.settle_for_less();
    }
    let max_requests = budget.max_requests.unwrap_or_else(|| match examples {
        None if is_share => share,
        // A larger number of examples raises the default budget.
        Some(_) => by_default(contract).max(plan.requests() as u64 + RESERVE),
        None => by_default(contract),
    });
    let timely = budget.max_duration.zip(settings.rate).map(|(lasts, rate)| {
        // A number of requests is far below what a float holds exactly.
        (lasts.as_secs_f64() / rate.period.as_secs_f64()) as u64
    });
    plan.fit(contract, &Allowance { requests: Some(max_requests), timely, created: budget.max_created });
    max_requests
}
