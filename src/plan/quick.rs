//! A quick check: what finds most for few requests, and waits for nothing.
//!
//! Nothing is known of the faults of a server before it is checked. What tells how much a request may find is what the
//! plan knows anyway: what it costs, how many requirements it serves, how much was tried of the same table and of the
//! same area before it, and which areas the contract calls foremost. The numbers were chosen by `probity audit --quick`.

use std::collections::BTreeMap;

use super::fit::{Allowance, Item, LeftOut};
use super::{FULL, Plan};
use crate::contract::Contract;
use crate::contract::requirement::{Form, Level};

/// How many requests a quick check sends at most.
pub const QUICK: u64 = 120;

/// How the price of a trial grows with its requests: a long one shows somewhat more than as many short ones.
const COST: f64 = 0.7;
/// How the price of a row of a table grows with the rows that were taken before it.
const ROW: f64 = 0.7;
/// How the price of anything grows with what its area has already.
const AREA: f64 = 1.5;
/// How the price of a trial falls with the musts that it serves, and with the different requests of its steps: those are
/// like so many rows.
const SERVED: f64 = 0.3;
const WIDE: f64 = 0.3;
/// What the price is multiplied with for an area whose failures do the most harm, and for a request that breaks a part of
/// a schema, is at its edge, breaks a constraint, or belongs to all.
const FOREMOST: f64 = 0.6;
const BROKEN: f64 = 1.6;
const EDGE: f64 = 2.0;
const CONSTRAINT: f64 = 3.0;
const POOL: f64 = 2.0;

/// What is bought with requests, and what its price depends on.
struct Offer {
    item: Item,
    about: Option<usize>,
    group: String,
    cost: usize,
    factor: f64,
}

impl Plan {
    /// Leaves out what waits, and what has no room in so many requests. Requirements of which nothing is left are what the
    /// plan is about no more.
    pub fn quicken(&mut self, contract: &Contract, most: u64) {
        // Probes never fail.
        let is_probe = |place: usize| contract.requirements[place].level.is_none();
        self.trials.retain(|trial| !trial.waits && !trial.requirements().all(is_probe));
        self.pairs = 0;
        let order = self.by_price(contract, most);
        self.keep(order, &Allowance { requests: Some(most), ..Allowance::default() });
        self.left_out = LeftOut::default();
        for (place, requirement) in contract.requirements.iter().enumerate() {
            let is_tried = match &requirement.form {
                _ if is_probe(place) => false,
                Form::Called(called, _) => {
                    self.trials.iter().any(|t| contract.requirements[t.requirement].form.calls(*called))
                }
                Form::Rule(_) | Form::Always(_) | Form::Law(_) => true,
                _ => {
                    self.entries.iter().any(|e| e.wanted && e.about == Some(place))
                        || self.trials.iter().any(|t| t.serves(place))
                        || self.obstacles.iter().any(|(obstacle, _)| *obstacle == place)
                }
            };
            self.selected[place] &= is_tried;
        }
        let selected = &self.selected;
        self.obstacles.retain(|(place, _)| selected[*place]);
    }

    /// The cheapest first, each time with what was taken before it in mind.
    fn by_price(&self, contract: &Contract, most: u64) -> Vec<(Item, Option<usize>)> {
        let mut offers = self.offers(contract);
        let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
        offers.iter().for_each(|offer| *sizes.entry(offer.group.clone()).or_default() += 1);
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        let mut order = Vec::new();
        let mut spent = 0;
        // What comes long after the last that has room is not looked at.
        while spent < 2 * most as usize {
            let price = |offer: &Offer| {
                let of_area = taken.get(&offer.group).copied().unwrap_or_default() as f64;
                let share = of_area / sizes.get(&offer.group).copied().unwrap_or(1).max(1) as f64;
                offer.factor * power(offer.cost, COST) * (1.0 + share).powf(AREA)
            };
            let cheapest = offers.iter().enumerate().min_by(|(_, a), (_, b)| price(a).total_cmp(&price(b)));
            let Some((place, _)) = cheapest else { break };
            let offer = offers.remove(place);
            spent += offer.cost;
            *taken.entry(offer.group).or_default() += offer.cost;
            order.push((offer.item, offer.about));
        }
        order.extend(offers.into_iter().map(|offer| (offer.item, offer.about)));
        order
    }

    fn offers(&self, contract: &Contract) -> Vec<Offer> {
        let mut rows: BTreeMap<usize, usize> = BTreeMap::new();
        let mut totals: BTreeMap<usize, usize> = BTreeMap::new();
        self.trials.iter().for_each(|trial| *totals.entry(trial.requirement).or_default() += 1);
        let mut offers = Vec::new();
        for (place, entry) in self.entries.iter().enumerate().filter(|(place, e)| *place > FULL && e.wanted) {
            let form = entry.about.map(|about| &contract.requirements[about].form);
            let (group, factor) = match form {
                None => ("(pool)", POOL),
                Some(Form::Constraint(_)) => ("(parts)", CONSTRAINT),
                Some(_) if entry.control.is_none() => ("(parts)", EDGE),
                Some(_) => ("(parts)", BROKEN),
            };
            let (item, group) = (Item::Entry(place), group.to_owned());
            offers.push(Offer { item, about: entry.about, group, cost: 1, factor });
        }
        for (place, trial) in self.trials.iter().enumerate() {
            let requirement = &contract.requirements[trial.requirement];
            let row = rows.entry(trial.requirement).or_default();
            *row += 1;
            let order = from_both_ends(*row, totals[&trial.requirement]);
            let served = trial.requirements().filter(|r| contract.requirements[*r].level == Some(Level::Must)).count();
            let foremost = contract.foremost.iter().any(|area| area == requirement.area());
            let sends = requirement.form.steps().iter().map(|step| step.sends.len()).filter(|sends| *sends > 1);
            let cheaper = power(served, SERVED) * power(sends.sum::<usize>(), WIDE);
            let dearer = power(order, ROW) * if foremost { FOREMOST } else { 1.0 };
            offers.push(Offer {
                item: Item::Trial(place),
                about: Some(trial.requirement),
                group: requirement.area().to_owned(),
                cost: trial.cost.max(1),
                factor: dearer / cheaper,
            });
        }
        offers
    }
}

/// A power of a number, which is one at least.
fn power(number: usize, exponent: f64) -> f64 {
    (number.max(1) as f64).powf(exponent)
}

/// When a row of a table is taken: the last first, then the first, and so on to the middle. Neighbours are alike, and the
/// oddest often stand last.
fn from_both_ends(row: usize, rows: usize) -> usize {
    if 2 * row > rows { 1 + 2 * (rows - row) } else { 2 * row }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_taken_from_both_ends() {
        let order = |rows: usize| (1..=rows).map(|row| from_both_ends(row, rows)).collect::<Vec<_>>();
        assert_eq!(order(1), [1]);
        assert_eq!(order(4), [2, 4, 3, 1]);
        assert_eq!(order(5), [2, 4, 5, 3, 1]);
    }
}
