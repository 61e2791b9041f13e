//! The steps of a scenario or a probe, one after another.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::send::Ready;
use super::settle::{Met, count, times};
use super::{Run, control_of};
use crate::contract::requirement::Form;
use crate::contract::steps::{Base, Send, Step};
use crate::contract::template::Template;
use crate::exchange::{Request, TrialName, Trouble as Blip};
use crate::expression::{Scope, Trouble};
use crate::generate::draft::Draft;
use crate::generate::render::Rendering;
use crate::generate::step::{again, change, leaves_plain};
use crate::judge::bind::{Control, Seen};
use crate::judge::finding::{Finding, Found};
use crate::judge::scenario::{StepSeen, scope};
use crate::plan::{Entry, MINIMAL, Trial};

/// What later steps may be made from.
struct Made {
    draft: Draft,
    request: Request,
    control: Control,
    plain: bool,
}

/// How often a trial is carried out if its requests meet trouble.
const TRIES: u32 = 6;
/// The same where it meets gateways only: the more of them there are, the less one shows.
const TRIES_AT_GATEWAYS: u32 = 8;

/// The result of carrying out a trial.
pub(crate) struct Tried {
    /// What it says of each requirement that is judged by it.
    pub found: Vec<(usize, Found)>,
    /// The trouble that its requests met, by their names, and when they were sent, where it is not known to come each time.
    pub troubles: Vec<(String, Blip, DateTime<Utc>)>,
}

/// Room for the requests of a trial: what is left of it is given back.
pub(crate) struct Granted<'a, 'b> {
    run: &'a Run<'b>,
    left: usize,
}

impl<'a, 'b> Granted<'a, 'b> {
    /// Room for this number of requests, if there is any.
    pub(crate) fn new(run: &'a Run<'b>, requests: usize) -> Option<Self> {
        run.grant(requests).then_some(Self { run, left: requests })
    }

    /// Takes some of the room.
    pub(crate) fn take(&mut self, requests: usize) {
        self.left = self.left.saturating_sub(requests);
    }
}

impl Drop for Granted<'_, '_> {
    fn drop(&mut self) {
        self.run.give_back(self.left);
    }
}

impl Run<'_> {
    /// Carries a trial out and judges it.
    pub(crate) async fn trial(&self, trial: &Trial) {
        // If the valid request of a context is not accepted, a refusal in that context shows nothing.
        let of_use = |b: usize| if trial.varies && self.control(b) != Control::Accepted { MINIMAL } else { b };
        let base = trial.base.map(of_use).map(|b| (&self.plan.entries[b], self.control(b)));
        let mut found: Option<Vec<(usize, Found)>> = None;
        let mut findings = Vec::new();
        let mut met = Met::new();
        for times in 1..=TRIES_AT_GATEWAYS {
            let tried = self.attempt(trial, &trial.name, base, &mut findings, Some(&met)).await;
            // A repetition without room shows nothing; what was seen before stays.
            let Some(Tried { found: now, troubles }) = tried else { break };
            let is_settled = !now.iter().any(|(_, found)| matches!(found, Found::Broken(_) | Found::Unknown(..)));
            found = Some(now);
            let worst = troubles.iter().map(|(_, trouble, since)| (*trouble, *since)).max();
            let Some((trouble, since)) = worst.filter(|_| !is_settled) else {
                self.mended(&met);
                break;
            };
            if times >= TRIES && trouble != Blip::Gateway {
                break;
            }
            count(&mut met, troubles.into_iter().map(|(name, trouble, _)| (name, trouble)));
            // It is carried out anew, on connections of its own.
            if !self.may_try_again(trouble, since).await {
                break;
            }
        }
        // What its exchanges say of other requirements.
        self.add(findings);
        match found {
            Some(found) => self.add(own(&trial.name, found)),
            None => trial.requirements().for_each(|requirement| self.leave_out(requirement)),
        }
    }

    /// Carries a trial out with a given base for its steps `from: valid`, given the trouble that it met before; if that
    /// is left out, all trouble is believed. None if there was no room for it. What its exchanges say of other
    /// requirements is added to `findings`.
    pub(crate) async fn attempt(
        &self,
        trial: &Trial,
        name: &str,
        base: Option<(&Entry, Control)>,
        findings: &mut Vec<Finding>,
        met: Option<&Met>,
    ) -> Option<Tried> {
        let mut granted = Granted::new(self, trial.cost)?;
        let judge = self.judge;
        let steps = judge.contract.requirements[trial.requirement].form.steps();
        let row = trial.row.as_ref().map(|r| &r.value);
        let row_json = row.map(|row| self.row_json(row, name));
        let mut done: Vec<StepSeen> = Vec::new();
        let mut made: BTreeMap<String, Made> = BTreeMap::new();
        let mut count = 0;
        let mut troubles = Vec::new();
        for step in steps {
            let now = || self.client.clock().server().middle();
            let names = scope(judge, &done, row_json.as_ref(), now());
            self.sleep(step.after.unwrap_or_default()).await;
            if let Err(why) = self.wait_until(step, &names).await {
                return Some(Tried { found: self.cut_short(trial, &why, &done, row_json.as_ref()), troubles });
            }
            // Values that depend on the time are made when the request can be sent at once.
            let copies = step.sends.iter().map(|s| s.copies).sum();
            let place = self.place(copies).await?;
            granted.take(copies);
            let names = scope(judge, &done, row_json.as_ref(), now());
            let ready = self.prepare(step, &names, row, name, base, (&made, &done), &mut count);
            let (ready, first) = match ready {
                Ok(ready) => ready,
                Err(why) => {
                    return Some(Tried { found: self.cut_short(trial, &why, &done, row_json.as_ref()), troubles });
                }
            };
            let seen = self.send(ready, &place, met.is_none_or(|met| !met.is_empty())).await;
            drop(place);
            let seen: Vec<Seen> = seen.into_iter().map(|one| self.confirmed_at(one, met)).collect();
            for one in &seen {
                let is_doubted = one.exchange.unconfirmed;
                findings.extend(if is_doubted { judge.superseded(one) } else { judge.exchange(one) });
            }
            let doubted = seen.iter().filter(|one| one.exchange.unconfirmed);
            let place = |one: &Seen| Some((one.exchange.trial.clone(), one.exchange.trouble()?, one.exchange.sent()));
            troubles.extend(doubted.filter_map(place));
            self.note_overlap(trial, &seen);
            let silence = seen.iter().find(|one| one.exchange.trouble() == Some(Blip::Silence));
            if let Some(why) = silence.and_then(|one| one.exchange.answer().err()) {
                // A trial waits until the time limit for a missing response only once: it ends here.
                let reason = why.kind.text().to_owned();
                let exchanges =
                    done.iter().flat_map(|s| &s.seen).chain(&seen).map(|s| Arc::clone(&s.exchange)).collect();
                let unknown = Found::Unknown(reason, exchanges);
                let found = trial.requirements().map(|requirement| (requirement, unknown.clone())).collect();
                return Some(Tried { found, troubles });
            }
            if let Some((draft, plain)) = first
                && let Some(one) = seen.first()
            {
                let request = one.exchange.request.clone();
                made.insert(step.name.clone(), Made { draft, request, control: control_of(one), plain });
            }
            done.push(StepSeen { name: step.name.clone(), many: step.many, seen });
        }
        Some(Tried { found: self.found(trial, &done, row_json.as_ref()), troubles })
    }

    /// What was seen, believed if it came each time, given what came before; believed at once if that is left out.
    pub(crate) fn confirmed_at(&self, seen: Seen, met: Option<&Met>) -> Seen {
        let Some(trouble) = seen.exchange.trouble() else { return seen };
        let times = met.map(|met| times(met, &seen.exchange.trial, trouble) + 1);
        match times.is_none_or(|times| self.is_confirmed(trouble, times)) {
            true => self.judge.confirmed(seen),
            false => seen,
        }
    }

    /// What the steps of a trial say of each requirement that it is judged by.
    pub(crate) fn found(&self, trial: &Trial, done: &[StepSeen], row: Option<&Json>) -> Vec<(usize, Found)> {
        let judge = self.judge;
        let names = scope(judge, done, row, self.client.clock().server().middle());
        let label = trial.row.as_ref().map_or("", |r| r.label.as_str());
        let said = |requirement: usize| {
            let found = match &judge.contract.requirements[requirement].form {
                Form::Scenario(scenario) => judge.scenario(scenario, done, &names, label),
                Form::Probe(probe) => judge.probe(probe, done, &names, label),
                _ => return None,
            };
            Some((requirement, found))
        };
        trial.requirements().filter_map(said).collect()
    }

    /// What a trial says that could not be carried out to its end.
    pub(crate) fn cut_short(
        &self,
        trial: &Trial,
        trouble: &Trouble,
        done: &[StepSeen],
        row: Option<&Json>,
    ) -> Vec<(usize, Found)> {
        let (judge, now) = (self.judge, self.client.clock().server().middle());
        let form = |requirement: usize| &judge.contract.requirements[requirement].form;
        trial.requirements().map(|r| (r, judge.cut_short(form(r), done, row, now, trouble))).collect()
    }

    /// Notes how many requests of a step were in progress at once.
    pub(crate) fn note_overlap(&self, trial: &Trial, seen: &[Seen]) {
        let spans: Vec<_> = seen.iter().map(|s| (s.exchange.sent(), s.exchange.last().ended())).collect();
        let at = |moment| spans.iter().filter(|(from, to)| *from <= moment && moment < *to).count();
        let most = spans.iter().map(|(from, _)| at(*from)).max().unwrap_or(0);
        let mut state = self.lock();
        for requirement in trial.requirements() {
            let tally = &mut state.tallies[requirement];
            tally.at_once = tally.at_once.max(most);
        }
    }

    /// Waits, unless the run is ended.
    pub(crate) async fn sleep(&self, delay: std::time::Duration) {
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = self.client.stop().cancelled() => {}
        }
    }

    pub(crate) fn row_json(&self, row: &Template, name: &str) -> Json {
        let now = self.client.clock().server().middle();
        let scope = scope(self.judge, &[], None, now);
        let mut rendering = Rendering {
            now,
            run_tag: &self.options.run_tag,
            seed: self.options.seed,
            trial: name,
            count: 0,
            issued: &self.issued,
            scope: &scope,
            row: None,
            runner: &mut self.options.seed.runner(name, 0),
        };
        rendering.row_json(row)
    }

    /// Waits for the instant that a step waits for, if it does.
    pub(crate) async fn wait_until(&self, step: &Step, names: &Scope) -> Result<(), Trouble> {
        if let Some(until) = &step.until {
            let until = until.instant(names)?;
            // The instant has passed by every clock that the server may have; by ours, if the server's is unknown.
            let clock = self.client.clock();
            let now = if clock.difference().is_some() { clock.server().earliest } else { clock.local() };
            let delay = (until - now).to_std().unwrap_or_default();
            if delay > MOST_WAIT {
                return Err(Trouble::Unknown("the wait until then is too long".into()));
            }
            self.sleep(delay).await;
        }
        Ok(())
    }

    /// The requests of a step, and what later steps are made from.
    #[expect(clippy::too_many_arguments, reason = "all that a step can be made from")]
    #[expect(clippy::type_complexity, reason = "a pair for one caller")]
    fn prepare(
        &self,
        step: &Step,
        names: &Scope,
        row: Option<&Template>,
        name: &str,
        base: Option<(&Entry, Control)>,
        before: (&BTreeMap<String, Made>, &[StepSeen]),
        count: &mut u64,
    ) -> Result<(Vec<Ready>, Option<(Draft, bool)>), Trouble> {
        let mut all = Vec::new();
        let mut first = None;
        for send in &step.sends {
            let (draft, control, plain) = self.draft(send, base, before)?;
            let plain = plain && leaves_plain(send);
            let draft = change(draft, send, row)?;
            let mut request = None;
            for _ in 0..send.copies {
                if request.is_none() || send.anew {
                    request = Some(self.render(&draft, name, count, names, row)?);
                }
                let Some(request) = &request else { continue };
                let place = step.many.then_some(all.len());
                let position = TrialName::of_step(name, &step.name, place);
                all.push(Ready { request: request.clone(), name: position, control, about: None, plain });
            }
            if first.is_none() {
                first = Some((draft, plain));
            }
        }
        Ok((all, first))
    }

    /// What a request is made from, and the result of that.
    fn draft(
        &self,
        send: &Send,
        base: Option<(&Entry, Control)>,
        (made, done): (&BTreeMap<String, Made>, &[StepSeen]),
    ) -> Result<(Draft, Control, bool), Trouble> {
        let gone = |name: &String| Trouble::Unknown(format!("the step `{name}` was not sent"));
        Ok(match (&send.base, send.call) {
            (Base::Minimal, Some(place)) => match &self.plan.called[place] {
                Ok(draft) => (draft.clone(), called_before(done, place), true),
                Err(why) => return Err(Trouble::Unknown(why.clone())),
            },
            (Base::Minimal, None) => (self.plan.entries[MINIMAL].draft.clone(), self.control(MINIMAL), true),
            (Base::Valid | Base::Varied, _) => match base {
                Some((entry, control)) => (entry.draft.clone(), control, true),
                None => return Err(Trouble::Unknown("no valid request is known".into())),
            },
            (Base::From(name), _) => {
                let made = made.get(name).ok_or_else(|| gone(name))?;
                (made.draft.clone(), made.control, made.plain)
            }
            (Base::Repeat(name), _) => {
                let made = made.get(name).ok_or_else(|| gone(name))?;
                (again(&made.request, send), made.control, made.plain)
            }
        })
    }
}

/// What a refusal by another operation is compared with: an earlier request of it in the same trial.
fn called_before(done: &[StepSeen], place: usize) -> Control {
    let before = done.iter().flat_map(|step| &step.seen).filter(|seen| seen.exchange.request.operation == Some(place));
    let all: Vec<Control> = before.map(control_of).collect();
    [Control::Accepted, Control::Unknown, Control::Refused]
        .into_iter()
        .find(|control| all.contains(control))
        .unwrap_or(Control::Missing)
}

/// The longest wait of a step.
pub(crate) const MOST_WAIT: std::time::Duration = std::time::Duration::from_secs(60);

/// What a trial of this name says, as findings.
pub(crate) fn own(name: &str, found: Vec<(usize, Found)>) -> Vec<Finding> {
    let finding = |(requirement, found)| Finding { requirement, trial: name.to_owned(), exchange: None, found };
    found.into_iter().map(finding).collect()
}
