//! From what a run brought to its report.

pub mod joined;
pub mod merge;

use std::sync::Arc;

use chrono::SecondsFormat;

use super::model::{
    Again, Cause, Contract as ContractFacts, Counts, Coverage, Difference, Doubt, End, Failure, Figures, Form, Header,
    Health, HealthState, Observation, Operand, Options, Place, Report, Requirement, Tool, UnsupportedPart, VERSION,
};
use super::text::{counted, seconds};
use crate::contract::Contract;
use crate::contract::requirement::{Form as Tested, Origin, Requirement as Owed};
use crate::exchange::{Exchange, TrialName};
use crate::judge::finding::Counterexample;
use crate::judge::tally::{Tally, Verdict};
use crate::plan::Limit;
use crate::report::model::summary::Summary;
use crate::report::recorder::Recorder;
use crate::report::text::curl::plain_or_quoted;
use crate::report::text::ranges;
use crate::run::preflight::Stop;
use crate::run::{self, Outcome};

/// How many counterexamples of one requirement a report shows.
pub const FAILURES_SHOWN: usize = 3;
/// How many commands a failure shows, and how many exchanges a doubt.
const EXCHANGES_SHOWN: usize = 3;

/// What a run does not know of itself.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The target's base URL, or [`super::model::EMBEDDED_TARGET`].
    pub target: String,
    /// The run's seed.
    pub seed: u64,
    /// The run tag.
    pub run_tag: String,
    /// How it was carried out.
    pub options: Options,
    /// The command that checks this target again, without seed and selection:
    /// `probity check --config probity.toml`.
    pub command: String,
}

impl Report {
    /// The report of a run. `selected` tells of each requirement, by its place in the contract,
    /// whether the run was about it.
    pub fn build(
        contract: &Contract,
        selected: &[bool],
        outcome: &Outcome,
        facts: &Facts,
        recorder: &Recorder,
    ) -> Self {
        let is_selected = |i: usize| selected.get(i).copied().unwrap_or_default();
        let nothing = Tally::default();
        let tally = |i: usize| outcome.tallies.get(i).unwrap_or(&nothing);
        let chosen = || {
            let all = contract.requirements.iter().enumerate();
            all.filter(|(i, _)| is_selected(*i)).map(|(i, _)| tally(i))
        };
        let end = end(outcome, chosen, &facts.options, recorder);
        let causes = crate::judge::cause::causes(contract, &outcome.tallies);
        let builder = Builder { contract, facts, recorder, end: &end };
        let mut requirements: Vec<Requirement> = contract
            .requirements
            .iter()
            .enumerate()
            .map(|(i, owed)| {
                let mut requirement = builder.requirement(owed, is_selected(i), tally(i));
                let cause = causes.get(i).copied().flatten();
                requirement.cause = cause.map(|c| contract.requirements[c].id.clone());
                requirement
            })
            .collect();
        requirements.sort_by(|a, b| a.id.cmp(&b.id));
        Self {
            version: VERSION,
            header: header(contract, outcome, facts, recorder),
            summary: Summary::of(&requirements),
            requirements,
            figures: Figures::from(&outcome.figures),
            health: health(&outcome.health, recorder),
            end,
            ruling: None,
            cleanup: None,
        }
    }
}

fn header(contract: &Contract, outcome: &Outcome, facts: &Facts, recorder: &Recorder) -> Header {
    let operation = &contract.operation;
    let started = outcome.figures.started;
    Header {
        tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        contract: ContractFacts {
            name: contract.name.clone(),
            hash: contract.hash.clone(),
            document: operation.place.source.path.clone(),
            operation_id: operation.id.clone(),
            method: operation.method.to_uppercase(),
            path: operation.path.clone(),
            operations: Vec::new(),
            not_reached: Vec::new(),
            unsupported: operation
                .unsupported_lines()
                .into_iter()
                .map(|part| UnsupportedPart { operation: operation.id.clone(), part: recorder.text(&part) })
                .collect(),
        },
        target: recorder.text(&facts.target),
        seed: facts.seed,
        run_tag: facts.run_tag.clone(),
        started: started.to_rfc3339_opts(SecondsFormat::Millis, true),
        variables: recorder.variables(),
        options: facts.options.clone(),
        command: facts.command.clone(),
        subject: None,
    }
}

fn health(health: &run::Health, recorder: &Recorder) -> Health {
    let (state, answer) = match health {
        run::Health::Yes => (HealthState::Yes, None),
        run::Health::No(answer) => (HealthState::No, Some(recorder.text(answer))),
        run::Health::NotAsked => (HealthState::NotAsked, None),
    };
    Health { state, answer }
}

/// Whether a run came to its end, or what kept it from that.
fn end<'a, I: Iterator<Item = &'a Tally>>(
    outcome: &Outcome,
    chosen: impl Fn() -> I,
    options: &Options,
    recorder: &Recorder,
) -> End {
    let left_out: u64 = outcome.left_out + chosen().map(|t| t.left_out).sum::<u64>();
    let failed = chosen().filter(|t| t.broken > 0).count() as u64;
    let (cause, reason) = match &outcome.stop {
        Some(Stop::Unreachable(what)) => (
            Cause::Unreachable,
            format!("the target cannot be reached: {}; check its URL, and whether it is running", recorder.text(what)),
        ),
        Some(Stop::CutOff(what)) => (
            Cause::Unreachable,
            format!(
                "the answer to the first request does not come whole: {}; look at the target, and at what stands before it",
                recorder.text(what)
            ),
        ),
        Some(Stop::Unwell(what)) => (
            Cause::Unwell,
            format!(
                "the target answers, but does not take valid requests: {}; look at its logs, and try again",
                recorder.text(what)
            ),
        ),
        Some(Stop::Refused(what, advice)) => {
            (Cause::Refused, format!("the target refuses a valid request: {}; {advice}", recorder.text(what)))
        }
        Some(Stop::Throttled(how)) => (
            Cause::Throttled,
            format!(
                "the server kept asking us to wait ({how}); try again when its limit is reset, with a lower --rate, or with a \
                 longer --max-duration"
            ),
        ),
        Some(Stop::NoToken(what)) => {
            (Cause::Token, format!("{}; see how tokens are made anew: `probity explain settings`", recorder.text(what)))
        }
        Some(Stop::Interrupted) => (Cause::Interrupted, "the run was interrupted".to_owned()),
        None if left_out == 0 && outcome.health != run::Health::NotAsked => {
            return End { complete: true, cause: None, reason: None, preflight_failed: false };
        }
        None | Some(Stop::Limit(_)) => match (&outcome.stop, options.max_failures) {
            (None, Some(most)) if failed >= most => (
                Cause::MaxFailures,
                format!("the run ended after {}, as --max-failures demands", counted(failed, "failure")),
            ),
            (Some(Stop::Limit(Limit::Created)), _) => {
                let most = counted(options.max_created.unwrap_or_default(), "record");
                (Cause::MaxCreated, format!("the budget of {most} (--max-created) was not enough for all"))
            }
            (Some(Stop::Limit(Limit::Duration)), _) => {
                let most = seconds(options.max_duration_ms.unwrap_or_default());
                (Cause::MaxDuration, format!("the budget of {most} (--max-duration) was not enough for all"))
            }
            _ => {
                let most = counted(options.max_requests, "request");
                (Cause::MaxRequests, format!("the budget of {most} (--max-requests) was not enough for all"))
            }
        },
    };
    // Throttled at once: not even both of the first requests were accepted.
    let at_once = outcome.figures.accepted < 2 && chosen().all(|t| t.left_out > 0);
    End {
        complete: false,
        cause: Some(cause),
        reason: Some(reason),
        preflight_failed: match cause {
            Cause::Unreachable | Cause::Refused => true,
            Cause::Throttled | Cause::Token | Cause::Unwell => at_once,
            _ => false,
        },
    }
}

/// What every requirement's part of the report is made with.
struct Builder<'a> {
    contract: &'a Contract,
    facts: &'a Facts,
    recorder: &'a Recorder,
    end: &'a End,
}

impl Builder<'_> {
    fn requirement(&self, owed: &Owed, selected: bool, tally: &Tally) -> Requirement {
        let verdict = if selected { tally.verdict(&owed.form) } else { Verdict::Untested };
        let (failures, shown) = self.failures(&owed.id, tally);
        let doubt = tally.doubt.as_ref().filter(|_| verdict == Verdict::Inconclusive);
        Requirement {
            id: owed.id.clone(),
            area: owed.area().to_owned(),
            operation: owed.operation().map(str::to_owned),
            foremost: self.contract.foremost.iter().any(|area| area == owed.area()),
            level: owed.level,
            text: owed.text.clone(),
            source: owed.source.clone(),
            origin: match &owed.origin {
                Origin::Declared(place) => place.to_string(),
                Origin::Derived(pointer) => pointer.clone(),
            },
            place: self.place(&owed.origin),
            form: form(&owed.form),
            selected,
            verdict,
            reason: self.reason(&owed.form, verdict, selected, tally),
            counts: Counts {
                holds: tally.holds,
                broken: tally.broken,
                until_broken: tally.first_broken.map(|number| number + 1),
                unknown: tally.unknown,
                skipped: tally.skipped,
                left_out: tally.left_out,
            },
            failures,
            more_failures: tally.broken.saturating_sub(shown),
            cause: None,
            again: tally.again.map(|a| Again { sent: a.sent, broken: a.broken }),
            at_once: (tally.at_once > 0).then_some(tally.at_once as u64),
            evidence: ranges::write(tally.evidence.iter()),
            coverage: self.contract.says(&owed.form).map(|says| Coverage {
                fields: self.contract.fields(&owed.form),
                says,
                accepted: tally.accepted,
                rejected: tally.rejected,
            }),
            doubt: doubt.map(|(trial, _, exchanges)| {
                let skipped = exchanges.len().saturating_sub(EXCHANGES_SHOWN);
                let last = exchanges.iter().skip(skipped);
                Doubt { trial: trial.clone(), exchanges: last.map(|e| self.recorder.record(e)).collect() }
            }),
            gateway: self.gateway(&owed.id, tally),
            observations: self.observations(tally),
        }
    }

    /// One of the gateway errors that were few enough to be fair.
    fn gateway(&self, id: &str, tally: &Tally) -> Option<Box<Failure>> {
        let (trial, exchange) = tally.gateway.as_ref().filter(|_| tally.broken == 0)?;
        let counterexample = Counterexample::of(String::new(), String::new(), Arc::clone(exchange));
        Some(Box::new(self.failure(trial, &counterexample, false, self.rerun(id, trial))))
    }

    /// The line that says so.
    fn place(&self, origin: &Origin) -> Option<Place> {
        let place = match origin {
            Origin::Declared(place) => place,
            Origin::Derived(pointer) => &self.contract.operation.place_of(pointer),
        };
        Some(Place { file: place.source.path.clone(), line: place.line() as u64 })
    }

    fn reason(&self, form: &Tested, verdict: Verdict, selected: bool, tally: &Tally) -> Option<String> {
        let reason = match verdict {
            Verdict::Pass | Verdict::Fail => return None,
            _ if !selected && self.facts.options.quick => "left out by --quick, or not asked for".to_owned(),
            _ if !selected => "not asked for in this run".to_owned(),
            Verdict::Inconclusive => match &tally.doubt {
                Some((_, reason, _)) => reason.clone(),
                None => "the result is not known".to_owned(),
            },
            Verdict::Skipped => match &tally.obstacle {
                Some(reason) => reason.clone(),
                None if form.always().is_some() => "no request of this run was answered so".to_owned(),
                None => "it cannot be tried on this target".to_owned(),
            },
            Verdict::Untested => match &self.end.reason {
                Some(reason) if tally.left_out > 0 => reason.clone(),
                _ => "no accepted request of this run shows anything about it; more --examples may help".to_owned(),
            },
        };
        Some(self.recorder.text(&reason))
    }

    /// The counterexamples to show, and how many of them were counted: looking for smaller ones is not.
    fn failures(&self, id: &str, tally: &Tally) -> (Vec<Failure>, u64) {
        let mut counterexamples: Vec<_> = tally.counterexamples.iter().collect();
        counterexamples.sort_by_key(|(trial, counterexample)| (size(counterexample), *trial));
        let smallest = tally.smallest.iter().map(|(trial, counterexample)| (trial, counterexample, true));
        let rest = counterexamples.into_iter().map(|(trial, counterexample)| (trial, counterexample, false));
        let shown: Vec<_> = smallest.chain(rest).take(FAILURES_SHOWN).collect();
        let counted = shown.iter().filter(|(_, _, smallest)| !smallest).count() as u64;
        // What never failed again by itself may take the rest of the run to fail.
        let alone = tally.again.is_none_or(|again| again.broken > 0);
        let failure = |(trial, counterexample, smallest): (&String, &Arc<Counterexample>, bool)| {
            let rerun = if alone { self.rerun(id, trial) } else { self.rerun_all() };
            self.failure(trial, counterexample, smallest, rerun)
        };
        (shown.into_iter().map(failure).collect(), counted)
    }

    fn failure(&self, trial: &str, counterexample: &Counterexample, smallest: bool, rerun: String) -> Failure {
        let recorder = self.recorder;
        let difference = |d: &crate::judge::finding::Difference| Difference {
            at: recorder.text(&d.at),
            expected: d.expected.as_ref().map(|v| recorder.json(v)),
            actual: d.actual.as_ref().map(|v| recorder.json(v)),
        };
        let operand = |o: &crate::expression::Operand| Operand {
            path: recorder.text(&o.path),
            value: o.value.as_ref().map(|v| recorder.json(v)),
        };
        Failure {
            trial: trial.to_owned(),
            label: recorder.text(&counterexample.label),
            expected: recorder.text(&counterexample.expected),
            actual: recorder.text(&counterexample.actual),
            clause: counterexample.clause.clone(),
            differences: counterexample.differences.iter().map(difference).collect(),
            operands: counterexample.operands.iter().map(operand).collect(),
            smallest,
            exchanges: counterexample.exchanges.iter().map(|e| recorder.record(e)).collect(),
            curl: to_resend(&counterexample.exchanges).map(|e| recorder.curl(e)).collect(),
            script: recorder
                .script(&counterexample.exchanges, &self.facts.run_tag, &|text| self.contract.has_written(text)),
            wrong: counterexample.wrong.as_deref().map(|at| recorder.text(at)),
            rerun,
        }
    }

    /// The command that tries everything again.
    fn rerun_all(&self) -> String {
        format!("{} --seed {}", self.facts.command, self.facts.seed)
    }

    /// The command that tries a requirement again, with the requirement whose trial broke it.
    fn rerun(&self, id: &str, trial: &str) -> String {
        let mut command = format!("{} --only {}", self.rerun_all(), plain_or_quoted(id));
        if let Some(other) = trial_of(trial).filter(|other| *other != id) {
            command.push_str(&format!(" --only {}", plain_or_quoted(other)));
        }
        command
    }

    fn observations(&self, tally: &Tally) -> Vec<Observation> {
        let all = tally.observed.iter().map(|(text, count)| {
            let value = serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into());
            Observation { value: self.recorder.json(&value), count: *count }
        });
        all.collect()
    }
}

/// The requirement whose trial an exchange belongs to; none for the shared pool.
pub(crate) fn trial_of(trial: &str) -> Option<&str> {
    TrialName::read(trial).requirement
}

/// The exchanges that a person sends again: the first ones, and the one that failed.
fn to_resend(exchanges: &[Arc<Exchange>]) -> impl Iterator<Item = &Arc<Exchange>> {
    let (last, before) = match exchanges.split_last() {
        Some((last, before)) => (Some(last), before),
        None => (None, exchanges),
    };
    before.iter().take(EXCHANGES_SHOWN - 1).chain(last)
}

/// How many bytes of bodies a counterexample's requests have.
fn size(counterexample: &Counterexample) -> usize {
    let bodies = counterexample.exchanges.iter().filter_map(|e| e.request.body.as_ref());
    bodies.map(bytes::Bytes::len).sum()
}

fn form(form: &Tested) -> Form {
    match form {
        Tested::Constraint(_) => Form::Constraint,
        Tested::Rule(_) => Form::Rule,
        Tested::Scenario(_) => Form::Scenario,
        Tested::Probe(_) => Form::Probe,
        Tested::Schema(_) | Tested::Parameter(..) => Form::Schema,
        Tested::Always(_) | Tested::Called(..) => Form::Always,
        Tested::Law(_) => Form::Law,
    }
}

#[cfg(test)]
mod tests;
