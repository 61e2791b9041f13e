//! Requests of an earlier run, sent again: the same but for what must not come twice and what has moved with the time,
//! see [`Renewal`]. What they were sent for is judged as it was then.

use std::iter::repeat_n;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::{DateTime, TimeDelta, Utc};

use crate::contract::requirement::Form;
use crate::exchange::Request;
use crate::exchange::{Exchange, FailureKind};
use crate::generate::draft::KEY_HEADER;
use crate::http::client::Client;
use crate::judge::Judge;
use crate::judge::bind::{Control, Known, Seen};
use crate::judge::classify::Class;
use crate::judge::finding::{Finding, Found};
use crate::judge::scenario::{StepSeen, scope};
use crate::judge::tally::Tally;
use crate::plan::{Entry, MINIMAL, Plan, Trial};
use crate::replay::renewal::{Instants, Renewal, Written};
use crate::replay::taken::taken;
use crate::run::event::{Event, Sink};
use crate::run::preflight::what_came;
use crate::run::send::Ready;
use crate::run::settle::{Met, count};
use crate::run::trial::{Granted, MOST_WAIT, own};
use crate::run::unanswered::{never, silence};
use crate::run::{Begun, Health, Options, Outcome, Run, control_of, label};

/// All that is sent again.
#[derive(Debug, Default)]
pub struct Script {
    /// The marks of the run that sent it first.
    pub run_tags: Vec<String>,
    /// The server's clock minus ours, in that run.
    pub difference: TimeDelta,
    /// How often each is sent until it fails.
    pub times: u32,
    /// Requests of the plan that refusals are compared with: each is sent before it is needed.
    pub controls: Vec<Entry>,
    /// What is sent for each requirement, one after the other.
    pub replays: Vec<Replay>,
}

/// What is sent for one requirement, by its place in the contract.
#[derive(Debug)]
pub struct Replay {
    /// The requirement.
    pub requirement: usize,
    /// Requests that belong together, one after the other.
    pub pieces: Vec<Piece>,
}

/// Requests that belong together.
#[derive(Debug)]
pub struct Piece {
    /// The trial that they are of.
    pub name: String,
    /// What it tries, in a few words.
    pub label: String,
    /// The trial, where it is the requirement's own.
    pub own: Option<Trial>,
    /// The requests, those together that are sent at once.
    pub groups: Vec<Group>,
}

/// Requests that are sent at once.
#[derive(Debug)]
pub struct Group {
    /// The step of the trial that they are, by its place.
    pub step: Option<usize>,
    /// The requests.
    pub requests: Vec<Recorded>,
}

/// A request that was sent.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The trial, and its step.
    pub name: String,
    /// The request.
    pub request: Request,
    /// When it was sent, by our clock.
    pub sent: DateTime<Utc>,
    /// When it was answered.
    pub answered: DateTime<Utc>,
    /// Whether headers, credentials and the body's form were left alone.
    pub plain: bool,
    /// What a refusal is compared with.
    pub against: Against,
}

/// What a refusal is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against {
    /// Nothing.
    Nothing,
    /// The smallest valid request, which goes before all.
    Minimal,
    /// One of the script's controls, by its place.
    Entry(usize),
    /// The first request of this step.
    Step(String),
}

impl Against {
    fn entry(&self) -> Option<usize> {
        match self {
            Self::Entry(place) => Some(*place),
            _ => None,
        }
    }
}

impl Script {
    /// How many requests it has at most: one more goes before, and perhaps some to compare with.
    pub fn requests(&self) -> u64 {
        let pieces = self.replays.iter().flat_map(|r| &r.pieces);
        let requests: usize = pieces.map(Piece::cost).sum();
        1 + requests as u64 * u64::from(self.times)
    }
}

impl Piece {
    fn cost(&self) -> usize {
        self.groups.iter().map(|g| g.requests.len()).sum()
    }
}

/// What came of a script.
#[derive(Debug)]
pub struct Replayed {
    /// The same as of any run.
    pub outcome: Outcome,
    /// For each of its replays, in their order, the last answer, with whatever it held; None where nothing was sent.
    pub answers: Vec<Option<String>>,
}

/// Sends a script, after one valid request. Of the plan only controls are sent.
pub async fn replay(
    judge: Judge<'_>,
    plan: &Plan,
    client: &Client,
    options: &Options,
    script: &Script,
    sink: &mut dyn Sink,
) -> Replayed {
    sink.event(Event::Planned { requests: script.requests() });
    let begun = Begun::now(client, script.requests());
    let run = Run::new(judge, plan, client, options, sink);
    let mut tallies: Vec<Tally> = judge.contract.requirements.iter().map(|_| Tally::default()).collect();
    let mut controls = vec![None; script.controls.len()];
    let mut answers = vec![None; script.replays.len()];
    let health = match run.preflight().await {
        Err(stop) => {
            run.end(stop);
            script.replays.iter().for_each(|replay| run.leave_out(replay.requirement));
            Health::NotAsked
        }
        Ok(_) => {
            for (replay, answer) in script.replays.iter().zip(&mut answers) {
                let requirement = replay.requirement;
                for piece in &replay.pieces {
                    let tally = &mut tallies[requirement];
                    match run.piece(script, &mut controls, requirement, piece, tally).await {
                        Some(last) => *answer = Some(last),
                        None => run.leave_out(requirement),
                    }
                }
            }
            Health::Yes
        }
    };
    let mut outcome = run.outcome(begun, health);
    // What the requests beside the script say of requirements is not asked for.
    for (tally, all) in tallies.iter_mut().zip(&outcome.tallies) {
        (tally.left_out, tally.at_once) = (all.left_out, all.at_once);
    }
    outcome.tallies = tallies;
    Replayed { outcome, answers }
}

/// What came of sending a piece once.
struct Sent {
    findings: Vec<Finding>,
    seen: Vec<Seen>,
}

impl Run<'_> {
    /// Sends a piece until it fails, or as often as it is to be; None if there was no room for it.
    async fn piece(
        &self,
        script: &Script,
        controls: &mut [Option<Control>],
        requirement: usize,
        piece: &Piece,
        tally: &mut Tally,
    ) -> Option<String> {
        for place in piece.groups.iter().flat_map(|g| &g.requests).filter_map(|r| r.against.entry()) {
            if controls[place].is_none() {
                controls[place] = Some(self.entry(None, &script.controls[place], None).await?);
            }
        }
        let (mut times, mut met, mut answer) = (0, Met::new(), String::new());
        while times < script.times {
            let sent = self.resend(script, controls, requirement, piece, &met).await?;
            let doubted = sent.seen.iter().filter(|one| one.exchange.unconfirmed);
            let doubted: Vec<_> = doubted.map(|one| &one.exchange).collect();
            let trouble = doubted.iter().filter_map(|e| Some((e.trouble()?, e.sent()))).max();
            if let Some((trouble, since)) = trouble
                && self.may_try_again(trouble, since).await
            {
                // That says nothing of these requests. They are sent anew, on connections of their own.
                count(&mut met, doubted.iter().filter_map(|e| Some((e.trial.clone(), e.trouble()?))));
                continue;
            }
            met.clear();
            answer = sent.seen.last().map_or_else(String::new, |one| what_came(&one.exchange));
            let mut findings: Vec<Finding> =
                sent.findings.into_iter().filter(|f| f.requirement == requirement).collect();
            if let Some((kind, exchange)) = unanswered(&findings) {
                let found = Found::Broken(Arc::new(never(piece.label.clone(), kind, &exchange)));
                let (trial, exchange) = (piece.name.clone(), Some(exchange.number));
                findings = vec![Finding { requirement, trial, exchange, found }];
            }
            times += 1;
            let speaks = |f: &Finding| !matches!(f.found, Found::Skipped(_) | Found::Sent(..));
            if piece.own.is_none()
                && !findings.iter().any(speaks)
                && let Some(last) = sent.seen.last()
            {
                let (found, how) = self.beside(last);
                answer = format!("{how}{answer}");
                let (trial, exchange) = (piece.name.clone(), Some(last.exchange.number));
                findings = vec![Finding { requirement, trial, exchange, found }];
            }
            let is_broken = findings.iter().any(|f| matches!(f.found, Found::Broken(_)));
            for mut finding in findings {
                label(&mut finding, &piece.label);
                tally.add(finding);
            }
            if is_broken {
                break;
            }
        }
        Some(answer)
    }

    /// What it says that an answer does not speak to the requirement, and what to say before the answer. What is refused
    /// as it must be cannot fail any more as it did when it was taken.
    fn beside(&self, last: &Seen) -> (Found, &'static str) {
        match (&last.class, last.client_error(self.judge)) {
            (Class::Broken(_) | Class::BrokenTwice, Known::Yes) => (Found::Holds, "refused, as it must be: "),
            (Class::Open(why) | Class::Doubtful(why), _) => {
                (Found::Skipped(format!("the contract leaves it to the server whether to accept this ({why})")), "")
            }
            _ => (Found::Skipped("the answer shows nothing about it".to_owned()), ""),
        }
    }

    /// Sends a piece once and judges it.
    async fn resend(
        &self,
        script: &Script,
        controls: &[Option<Control>],
        requirement: usize,
        piece: &Piece,
        met: &Met,
    ) -> Option<Sent> {
        let contract = self.judge.contract;
        // A part of the schema and a constraint speak of the request that was made for them.
        let about = match contract.requirements[requirement].form {
            Form::Schema(_) | Form::Parameter(..) | Form::Constraint(_) => Some(requirement),
            _ => None,
        };
        let mut granted = Granted::new(self, piece.cost())?;
        let first = piece.groups.iter().flat_map(|g| &g.requests).map(|r| r.sent).min()?;
        let now = || self.client.clock().server().middle();
        let (anywhere, keys) = (|text: &str| contract.has_written(text), contract.written_headers(KEY_HEADER));
        let schema = contract.operation.body().map(|b| b.schema.json());
        let renewal = Renewal {
            run_tags: &script.run_tags,
            run_tag: &self.options.run_tag,
            later: now() - (first + script.difference),
            instants: schema.map(Instants::of).unwrap_or_default(),
            written: Written { anywhere: &anywhere, keys: &keys },
            number: self.number.load(Ordering::Relaxed),
        };
        let row = piece.own.as_ref().and_then(|trial| trial.row.as_ref());
        let row = row.map(|row| self.row_json(&row.value, &piece.name));
        let mut sent = Sent { findings: Vec::new(), seen: Vec::new() };
        let mut done: Vec<StepSeen> = Vec::new();
        let mut answered: Option<DateTime<Utc>> = None;
        for group in &piece.groups {
            let begins = group.requests.iter().map(|r| r.sent).min()?;
            let gap = answered.map(|answered| (begins - answered).to_std().unwrap_or_default()).unwrap_or_default();
            self.sleep(gap.min(MOST_WAIT)).await;
            let step = piece.own.as_ref().zip(group.step);
            let step = step.map(|(trial, step)| &contract.requirements[trial.requirement].form.steps()[step]);
            if let (Some(step), Some(trial)) = (step, &piece.own) {
                let names = scope(self.judge, &done, row.as_ref(), now());
                if let Err(trouble) = self.wait_until(step, &names).await {
                    sent.findings.extend(own(&piece.name, self.cut_short(trial, &trouble, &done, row.as_ref())));
                    return Some(sent);
                }
            }
            let place = self.place(group.requests.len()).await?;
            granted.take(group.requests.len());
            let control = |recorded: &Recorded| match &recorded.against {
                Against::Nothing => Control::Missing,
                Against::Minimal => self.control(MINIMAL),
                Against::Entry(place) => controls[*place].unwrap_or(Control::Missing),
                Against::Step(name) => {
                    let step = done.iter().find(|step| step.name == *name);
                    step.and_then(|step| step.seen.first()).map_or(Control::Missing, control_of)
                }
            };
            let names = scope(self.judge, &done, row.as_ref(), now());
            let sends = || step.into_iter().flat_map(|step| &step.sends).flat_map(|s| repeat_n(s, s.copies));
            let steps = piece.own.as_ref().map_or(&[][..], |own| contract.requirements[own.requirement].form.steps());
            let mut ready = Vec::new();
            for (place, recorded) in group.requests.iter().enumerate() {
                let mut request = renewal.request(&recorded.request);
                if let (Some(send), Some(trial)) = (sends().nth(place), &piece.own) {
                    request = match taken(request, send, steps, &names, contract) {
                        Ok(request) => request,
                        Err(trouble) => {
                            sent.findings
                                .extend(own(&piece.name, self.cut_short(trial, &trouble, &done, row.as_ref())));
                            return Some(sent);
                        }
                    };
                }
                let (name, control, plain) = (recorded.name.clone(), control(recorded), recorded.plain);
                ready.push(Ready { request, name, control, about, plain });
            }
            let seen = self.send(ready, &place, !met.is_empty()).await;
            drop(place);
            let seen: Vec<Seen> = seen.into_iter().map(|one| self.confirmed_at(one, Some(met))).collect();
            answered = group.requests.iter().map(|r| r.answered).max();
            sent.findings.extend(seen.iter().flat_map(|one| self.judge.exchange(one)));
            if let Some(step) = step {
                done.push(StepSeen { name: step.name.clone(), many: step.many, seen: seen.clone() });
            }
            if let Some(trial) = &piece.own {
                self.note_overlap(trial, &seen);
            }
            sent.seen.extend(seen);
        }
        if let Some(trial) = &piece.own {
            sent.findings.extend(own(&piece.name, self.found(trial, &done, row.as_ref())));
        }
        Some(sent)
    }
}

/// The exchange that was left without a whole answer, where that is why nothing is known.
fn unanswered(findings: &[Finding]) -> Option<(FailureKind, Arc<Exchange>)> {
    findings.iter().find_map(|finding| match &finding.found {
        Found::Unknown(_, exchanges) => silence(exchanges),
        _ => None,
    })
}
