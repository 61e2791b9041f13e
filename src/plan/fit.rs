//! Fitting a plan into a budget: what is worth most is kept.
//!
//! Each requirement's first trial goes before anyone's second, and of those the musts first. The two
//! requests of preflight and the one at the end are always kept.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::share::NO_ROOM;
use super::{Entry, FULL, MINIMAL, Plan};
use crate::contract::Contract;
use crate::contract::requirement::Level;

/// What a run may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// How many requests.
    pub requests: Option<u64>,
    /// How many requests its time leaves room for.
    pub timely: Option<u64>,
    /// How many records.
    pub created: Option<u64>,
}

/// The limit that leaves something out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The number of requests.
    Requests,
    /// The time.
    Duration,
    /// The number of records.
    Created,
}

/// What a budget leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Requests of the shared pool that serve no single requirement.
    pub pool: u64,
    /// Trials, by the requirement's place in the contract.
    pub trials: BTreeMap<usize, u64>,
    /// The limit that was met first.
    pub limit: Option<Limit>,
}

/// Something that is kept or left out as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    Entry(usize),
    Trial(usize),
    Pair,
}

/// What is kept, and what it costs.
struct Kept {
    entries: Vec<bool>,
    requests: u64,
    created: u64,
}

impl Plan {
    /// Leaves out what a budget has no room for.
    pub fn fit(&mut self, contract: &Contract, allowance: &Allowance) {
        let order = self.by_worth(contract);
        self.keep(order, allowance);
    }

    /// Keeps what has room, in this order, and leaves the rest out.
    pub(super) fn keep(&mut self, order: Vec<(Item, Option<usize>)>, allowance: &Allowance) {
        let mut kept = Kept { entries: vec![false; self.entries.len()], requests: 1, created: 1 };
        for first in [MINIMAL, FULL] {
            kept.entries[first] = true;
            kept.requests += 1;
            kept.created += 1;
        }
        let mut trials = vec![false; self.trials.len()];
        let mut pairs = 0;
        for (item, about) in order {
            let (needs, requests, created) = self.cost(item, &kept);
            let met = [
                (Limit::Requests, allowance.requests, kept.requests + requests),
                (Limit::Duration, allowance.timely, kept.requests + requests),
                (Limit::Created, allowance.created, kept.created + created),
            ]
            .into_iter()
            .find(|(_, most, wanted)| most.is_some_and(|most| *wanted > most));
            if let Some((limit, ..)) = met {
                self.left_out.limit.get_or_insert(limit);
                match (item, about) {
                    (Item::Trial(i), _) => {
                        for requirement in self.trials[i].requirements() {
                            *self.left_out.trials.entry(requirement).or_default() += 1;
                        }
                    }
                    (_, Some(requirement)) => *self.left_out.trials.entry(requirement).or_default() += 1,
                    (Item::Pair, None) => self.left_out.pool += 2,
                    (_, None) => self.left_out.pool += 1,
                }
                continue;
            }
            kept.requests += requests;
            kept.created += created;
            needs.into_iter().for_each(|i| kept.entries[i] = true);
            match item {
                Item::Entry(i) => kept.entries[i] = true,
                Item::Trial(i) => trials[i] = true,
                Item::Pair => pairs += 1,
            }
        }
        for (entry, kept) in self.entries.iter_mut().zip(kept.entries) {
            entry.wanted &= kept;
        }
        let mut of = trials.into_iter();
        self.trials.retain(|_| of.next().unwrap_or(true));
        self.pairs = pairs;
    }

    /// Takes what is left out for what the plan is about no more: a requirement of which nothing is left cannot be tried.
    pub fn settle_for_less(&mut self) {
        let left_out = std::mem::take(&mut self.left_out);
        for requirement in left_out.trials.into_keys() {
            // Edges alone do not show whether anything is refused.
            let refused = |e: &Entry| e.about == Some(requirement) && e.control.is_some();
            if self.entries.iter().any(refused) && !self.entries.iter().any(|e| e.wanted && refused(e)) {
                let edges = self.entries.iter_mut().filter(|e| e.about == Some(requirement));
                edges.for_each(|edge| edge.wanted = false);
            }
            let by_entry = self.entries.iter().any(|e| e.wanted && e.about == Some(requirement));
            let by_trial = self.trials.iter().any(|t| t.requirements().any(|r| r == requirement));
            if !by_entry && !by_trial {
                self.obstacles.push((requirement, NO_ROOM.to_owned()));
            }
        }
    }

    /// Everything but preflight, the worthiest and cheapest first, and the requirement that it is for.
    fn by_worth(&self, contract: &Contract) -> Vec<(Item, Option<usize>)> {
        let entries = self.entries.iter().enumerate().filter(|(i, e)| *i > FULL && e.wanted);
        let mut entries: Vec<_> = entries.map(|(i, e)| (Item::Entry(i), e.about)).collect();
        if contract.document_only {
            // What is accepted there shows little, since a refusal of it would show nothing.
            entries.sort_by_key(|(item, about)| {
                about.is_some() && matches!(item, Item::Entry(i) if self.entries[*i].control.is_none())
            });
        }
        let trials = self.trials.iter().enumerate().map(|(i, t)| (Item::Trial(i), Some(t.requirement)));
        let pairs = (0..self.pairs).map(|_| (Item::Pair, None));
        let mut rounds: BTreeMap<Option<usize>, usize> = BTreeMap::new();
        let mut ranked: Vec<_> = entries
            .into_iter()
            .chain(trials)
            .chain(pairs)
            .map(|(item, about)| {
                let round = rounds.entry(about).or_default();
                *round += 1;
                // What serves all requirements serves the musts.
                let level = |i: usize| contract.requirements[i].level;
                let level = match item {
                    // That of the most binding.
                    Item::Trial(t) => {
                        self.trials[t].requirements().map(level).min_by_key(|l| (l.is_none(), *l)).flatten()
                    }
                    _ => about.map_or(Some(Level::Must), level),
                };
                let is_random = matches!(item, Item::Pair);
                // Of what is worth as much, the cheapest: so that most is tried.
                let cost = match item {
                    Item::Entry(i) => usize::from(self.entries[i].control.is_none()),
                    Item::Trial(i) => self.trials[i].cost,
                    Item::Pair => 1,
                };
                ((is_random, *round, level.is_none(), level, cost), item, about)
            })
            .collect();
        ranked.sort_by_key(|(rank, ..)| *rank);
        ranked.into_iter().map(|(_, item, about)| (item, about)).collect()
    }

    /// What an item needs beside it, how many requests all of that takes, and how many records it may create.
    fn cost(&self, item: Item, kept: &Kept) -> (Vec<usize>, u64, u64) {
        let needs = match item {
            Item::Entry(i) => self.entries[i].control,
            Item::Trial(i) => self.trials[i].base,
            Item::Pair => None,
        };
        let needs: Vec<usize> = needs.into_iter().filter(|i| !kept.entries[*i]).collect();
        let beside = needs.len() as u64;
        match item {
            Item::Entry(i) if kept.entries[i] => (Vec::new(), 0, 0),
            Item::Entry(i) => (needs, 1 + beside, u64::from(self.entries[i].control.is_none()) + beside),
            Item::Trial(i) => {
                let cost = self.trials[i].cost as u64;
                (needs, cost + beside, cost + beside)
            }
            Item::Pair => (needs, 2, 1),
        }
    }

    /// Requirements of which something is left out, the binding ones first.
    pub fn left_out_requirements(&self, contract: &Contract) -> Vec<usize> {
        let mut all: Vec<usize> = self.left_out.trials.keys().copied().collect();
        all.sort_by_key(|i| (Reverse(contract.requirements[*i].level.is_some()), contract.requirements[*i].level, *i));
        all
    }
}
