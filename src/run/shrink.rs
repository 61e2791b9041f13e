//! Failing requests once more: made smaller, and sent again to tell steady failures from intermittent ones.

use std::sync::Arc;
use std::time::Duration;

use proptest::strategy::ValueTree;
use tokio::time::Instant;

use super::Run;
use super::event::Event;
use crate::contract::requirement::Form;
use crate::exchange::{Exchange, TrialName, Trouble};
use crate::judge::bind::Control;
use crate::judge::cause::causes;
use crate::judge::finding::{Finding, Found};
use crate::judge::tally::{Again, Tally};
use crate::plan::{Entry, MINIMAL, Trial};
use crate::run::trial::own;

/// How many requests all of this may take.
const RESERVE: u64 = 100;
/// How long it may take, where the server is slow.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many requests the search for a smaller one may take for one requirement.
const EACH: usize = 16;
/// How often a failing request is sent again.
const AGAIN: u64 = 3;

/// How many requests are left for sending again.
pub(crate) struct Reserve {
    requests: u64,
    until: Instant,
}

/// What can be sent again to see whether a requirement still fails.
#[derive(Clone)]
pub(crate) enum Subject<'a> {
    /// A request of the pool.
    Entry(Box<Entry>),
    /// A trial, with the pool's request that its steps are made from.
    Trial(&'a Trial, Option<(Box<Entry>, Control)>),
}

/// Its result.
pub(crate) enum Once {
    Broken(Box<Finding>),
    Held,
    Unknown,
}

impl<'a> Run<'a> {
    /// Looks for smaller requests that fail the same requirements, and sends them again; musts first, one for each
    /// cause.
    pub(crate) async fn shrink(&self) {
        let mut heads: Vec<usize> = {
            let state = self.lock();
            let causes = causes(self.judge.contract, &state.tallies);
            // A request that is never answered takes the whole time limit each time.
            let is_silent = |tally: &Tally| {
                let mut exchanges = tally.counterexamples.values().flat_map(|c| &c.exchanges);
                exchanges.any(|e| e.trouble() == Some(Trouble::Silence))
            };
            let is_head = |i: &usize| {
                let tally = &state.tallies[*i];
                tally.broken > 0 && tally.again.is_none() && causes[*i].is_none() && !is_silent(tally)
            };
            (0..state.tallies.len()).filter(is_head).collect()
        };
        if heads.is_empty() {
            return;
        }
        self.tell(Event::Shrinking);
        let requirements = &self.judge.contract.requirements;
        heads.sort_by_key(|i| (requirements[*i].level, *i));
        let reserve = &self.reserve();
        for requirement in heads {
            let names: Vec<String> = self.lock().tallies[requirement].counterexamples.keys().cloned().collect();
            let Some(mut subject) = self.subject(&names) else { continue };
            subject = match subject {
                Subject::Entry(entry) => Subject::Entry(Box::new(self.smaller(requirement, *entry, reserve).await)),
                Subject::Trial(trial, base) => self.smaller_trial(requirement, trial, base, reserve).await,
            };
            self.again(requirement, &subject, reserve).await;
        }
    }

    /// What is left for sending again from now on.
    pub(crate) fn reserve(&self) -> Reserve {
        Reserve { requests: self.client.spent() + RESERVE, until: Instant::now() + PATIENCE }
    }

    /// The subjects that evidence of these names came from: requests of the pool before trials.
    pub(crate) fn subject(&self, names: &[String]) -> Option<Subject<'a>> {
        let entries = &self.plan.entries;
        let fixed = names.iter().find_map(|name| entries.iter().find(|e| e.name == *name));
        if let Some(entry) = fixed {
            return Some(Subject::Entry(Box::new(entry.clone())));
        }
        let random = names.iter().find_map(|name| {
            let (number, is_fault) = TrialName::random(name)?;
            let (valid, fault) = self.plan.pair(self.judge, number);
            if is_fault { fault } else { valid }
        });
        if let Some(entry) = random {
            return Some(Subject::Entry(Box::new(entry)));
        }
        let of = |trial: &&Trial| names.iter().any(|name| TrialName::read(name).trial == trial.name);
        let trial = self.plan.trials.iter().find(of)?;
        let base = trial.base.map(|b| (Box::new(entries[b].clone()), self.control(b)));
        Some(Subject::Trial(trial, base))
    }

    /// Whether there is room in the reserve for so many more requests.
    fn has_room(&self, requests: usize, reserve: &Reserve) -> bool {
        self.client.spent() + requests as u64 <= reserve.requests && Instant::now() < reserve.until
    }

    /// Whether what a network or a gateway may have done to these exchanges was done to those that failed before, too.
    fn failed_so(&self, requirement: usize, exchanges: &[Arc<Exchange>]) -> bool {
        let state = self.lock();
        let before = || state.tallies[requirement].counterexamples.values().flat_map(|c| &c.exchanges);
        let mut met = exchanges.iter().filter_map(|e| e.trouble()).filter(|trouble| *trouble != Trouble::ServerError);
        met.all(|trouble| before().any(|e| e.trouble() == Some(trouble)))
    }

    /// Sends a subject once more; None if there is no room for it.
    pub(crate) async fn once(
        &self,
        requirement: usize,
        subject: &Subject<'a>,
        name: &str,
        reserve: &Reserve,
    ) -> Option<Once> {
        let findings = match subject {
            Subject::Entry(entry) => {
                if !self.has_room(1, reserve) || !self.grant(1) {
                    return None;
                }
                let control = entry.control.map_or(Control::Accepted, |c| self.control(c));
                let seen = self.send_entry(entry, name, control, false).await?;
                // The failure was confirmed before: it need not be doubted again.
                let seen = if seen.exchange.unconfirmed { self.judge.confirmed(seen) } else { seen };
                let mut findings = self.judge.exchange(&seen);
                findings.iter_mut().for_each(|f| super::label(f, &entry.label));
                findings
            }
            Subject::Trial(trial, base) => {
                if !self.has_room(trial.cost, reserve) {
                    return None;
                }
                let base = base.as_ref().map(|(entry, control)| (&**entry, *control));
                let mut findings = Vec::new();
                let found = self.attempt(trial, name, base, &mut findings, None).await?.found;
                findings.extend(own(name, found));
                findings
            }
        };
        let mut once = Once::Unknown;
        for finding in findings.into_iter().filter(|f| f.requirement == requirement) {
            match &finding.found {
                // A blip of another kind than what failed shows nothing.
                Found::Broken(c) if !self.failed_so(requirement, &c.exchanges) => {}
                Found::Broken(_) => return Some(Once::Broken(Box::new(finding))),
                Found::Holds => once = Once::Held,
                _ => {}
            }
        }
        Some(once)
    }

    /// A drawn request of the pool made smaller, as long as it fails.
    async fn smaller(&self, requirement: usize, entry: Entry, reserve: &Reserve) -> Entry {
        let entry = self.plainer(requirement, entry, reserve).await;
        let tree = entry.recipe.as_ref().and_then(|r| r.tree(self.judge, self.options.seed));
        let (Some(recipe), Some(mut tree)) = (entry.recipe.clone(), tree) else {
            return entry;
        };
        let now = self.client.clock().server().middle();
        let mut smallest = entry.clone();
        let mut tried = vec![format!("{:?}", entry.draft)];
        let mut sent = 0;
        let mut more = tree.simplify();
        while more && sent < EACH && tried.len() < 400 {
            let mut smaller = entry.clone();
            smaller.draft = recipe.draft(self.judge, &tree.current(), now);
            let text = format!("{:?}", smaller.draft);
            if tried.contains(&text) {
                // The request is the same: the change was in a part that is not sent.
                more = tree.simplify();
                continue;
            }
            tried.push(text);
            sent += 1;
            let name = TrialName::of_more(&entry.name, sent);
            let subject = Subject::Entry(Box::new(smaller.clone()));
            more = match self.once(requirement, &subject, &name, reserve).await {
                None => break,
                Some(Once::Broken(finding)) => {
                    self.smallest(requirement, *finding);
                    smallest = smaller;
                    tree.simplify()
                }
                Some(_) => tree.complicate(),
            };
        }
        smallest
    }

    /// A request of the pool in the plainest context, if it fails so: by the caller, without a key.
    async fn plainer(&self, requirement: usize, entry: Entry, reserve: &Reserve) -> Entry {
        let now = self.client.clock().server().middle();
        let drawn = || {
            let recipe = entry.recipe.as_ref()?.plainer()?;
            let draft = recipe.draft(self.judge, &recipe.tree(self.judge, self.options.seed)?.current(), now);
            Some(Entry { draft, recipe: Some(recipe), control: entry.control.map(|_| MINIMAL), ..entry.clone() })
        };
        let Some(plainer) = entry.in_plainest().or_else(drawn) else { return entry };
        let name = TrialName::of_more(&entry.name, "plain");
        match self.once(requirement, &Subject::Entry(Box::new(plainer.clone())), &name, reserve).await {
            Some(Once::Broken(finding)) => {
                self.smallest(requirement, *finding);
                plainer
            }
            _ => entry,
        }
    }

    /// A trial with the smallest request in place of the drawn one, if it fails so.
    async fn smaller_trial(
        &self,
        requirement: usize,
        trial: &'a Trial,
        base: Option<(Box<Entry>, Control)>,
        reserve: &Reserve,
    ) -> Subject<'a> {
        if base.is_none() {
            return Subject::Trial(trial, base);
        }
        let minimal = (Box::new(self.plan.entries[MINIMAL].clone()), self.control(MINIMAL));
        let smaller = Subject::Trial(trial, Some(minimal));
        let name = TrialName::of_more(&trial.name, 1);
        match self.once(requirement, &smaller, &name, reserve).await {
            Some(Once::Broken(finding)) => {
                self.smallest(requirement, *finding);
                smaller
            }
            _ => Subject::Trial(trial, base),
        }
    }

    /// Sends a failing request again a few times.
    async fn again(&self, requirement: usize, subject: &Subject<'a>, reserve: &Reserve) {
        // Repeating a trial that waits would double the duration of the run.
        if matches!(subject, Subject::Trial(trial, _) if trial.waits) {
            return;
        }
        if matches!(&self.judge.contract.requirements[requirement].form, Form::Rule(rule) if rule.unique.is_some()) {
            return;
        }
        let mut again = Again::default();
        for n in 0..AGAIN {
            let planned = match subject {
                Subject::Entry(entry) => &entry.name,
                Subject::Trial(trial, _) => &trial.name,
            };
            let name = TrialName::of_more(planned, format_args!("again-{n}"));
            match self.once(requirement, subject, &name, reserve).await {
                None => break,
                Some(Once::Broken(_)) => {
                    again.sent += 1;
                    again.broken += 1;
                }
                Some(Once::Held) => again.sent += 1,
                Some(Once::Unknown) => {}
            }
        }
        if again.sent > 0 {
            self.lock().tallies[requirement].again = Some(again);
        }
    }

    fn smallest(&self, requirement: usize, finding: Finding) {
        if let Found::Broken(counterexample) = finding.found {
            self.lock().tallies[requirement].smallest = Some((finding.trial, counterexample));
        }
    }
}
