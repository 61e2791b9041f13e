//! The smallest request that still fails.

use proptest::strategy::ValueTree;

use super::Run;
use super::event::Event;
use crate::contract::requirement::Form;
use crate::judge::bind::Control;
use crate::judge::finding::{Finding, Found};
use crate::plan::{Entry, MINIMAL, Trial};

/// How many requests looking for smaller ones may take in all.
const RESERVE: u64 = 100;
/// How many it may take for one requirement.
const EACH: usize = 16;

impl Run<'_> {
    /// Looks for smaller requests that break what was broken, musts first, within the reserve.
    pub(super) async fn shrink(&self) {
        let mut failed: Vec<usize> = {
            let state = self.lock();
            (0..state.tallies.len()).filter(|i| state.tallies[*i].broken > 0).collect()
        };
        if failed.is_empty() {
            return;
        }
        self.tell(Event::Shrinking);
        let requirements = &self.judge.contract.requirements;
        failed.sort_by_key(|i| (requirements[*i].level, *i));
        let limit = self.client.requests() + RESERVE;
        for requirement in failed {
            if self.client.requests() >= limit {
                return;
            }
            match &requirements[requirement].form {
                Form::Scenario(_) => self.shrink_trial(requirement, limit).await,
                Form::Probe(_) => {}
                _ => self.shrink_request(requirement, limit).await,
            }
        }
    }

    /// The pool's first request that broke a requirement, drawn again and made smaller.
    async fn shrink_request(&self, requirement: usize, limit: u64) {
        let Some(entry) = self.drawn(requirement) else {
            return;
        };
        let Some(recipe) = &entry.recipe else { return };
        let Some(mut tree) = recipe.tree(self.judge, self.options.seed) else {
            return;
        };
        let now = self.client.clock().server().middle();
        let mut smallest = None;
        let mut tried = vec![format!("{:?}", entry.draft)];
        let mut sent = 0;
        let mut more = tree.simplify();
        while more && sent < EACH && tried.len() < 400 {
            let mut smaller = entry.clone();
            smaller.draft = recipe.draft(self.judge, &tree.current(), now);
            let text = format!("{:?}", smaller.draft);
            if tried.contains(&text) {
                // The same request again: the change was in a part that is left out.
                more = tree.simplify();
                continue;
            }
            tried.push(text);
            if self.over(1) || self.client.requests() >= limit {
                break;
            }
            sent += 1;
            let name = format!("{}~{sent}", entry.name);
            let control = entry.control.map_or(Control::Missing, |c| self.control(c));
            let broken = self.send_entry(&smaller, &name, control).await.and_then(|seen| {
                self.judge.exchange(&seen).into_iter().find(|f| f.requirement == requirement && is_broken(&f.found))
            });
            more = match broken {
                Some(finding) => {
                    smallest = Some(finding);
                    tree.simplify()
                }
                None => tree.complicate(),
            };
        }
        if let Some(finding) = smallest {
            self.smallest(requirement, finding);
        }
    }

    /// The drawn entry of the pool that broke a requirement, if there is one.
    fn drawn(&self, requirement: usize) -> Option<Entry> {
        let names: Vec<String> = self.lock().tallies[requirement].breaches.keys().cloned().collect();
        let fixed = names.iter().find_map(|name| {
            let mut entries = self.plan.entries.iter();
            entries.find(|e| e.recipe.is_some() && e.name == *name).cloned()
        });
        fixed.or_else(|| {
            names.iter().find_map(|name| {
                let number = name.strip_prefix("pool/random-")?.parse().ok()?;
                self.plan.pair(self.judge, number).0
            })
        })
    }

    /// A scenario's trial once more, with the smallest request in place of the drawn one.
    async fn shrink_trial(&self, requirement: usize, limit: u64) {
        let names: Vec<String> = self.lock().tallies[requirement].breaches.keys().cloned().collect();
        let trial: Option<&Trial> = self.plan.trials.iter().find(|t| t.base.is_some() && names.contains(&t.name));
        let Some(trial) = trial else { return };
        if self.client.requests() + trial.cost as u64 > limit {
            return;
        }
        let minimal = &self.plan.entries[MINIMAL];
        let name = format!("{}~1", trial.name);
        let base = Some((minimal, self.control(MINIMAL)));
        if let Some(found) = self.attempt(trial, &name, base).await
            && is_broken(&found)
        {
            let finding = Finding { requirement, trial: name, found };
            self.smallest(requirement, finding);
        }
    }

    fn smallest(&self, requirement: usize, finding: Finding) {
        if let Found::Broken(breach) = finding.found {
            self.lock().tallies[requirement].smallest = Some((finding.trial, breach));
        }
    }
}

fn is_broken(found: &Found) -> bool {
    matches!(found, Found::Broken(_))
}
