//! Requests that a server accepts, and requests that it rejects, for each requirement.

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use crate::cli::example::unsent;
use crate::contract::Contract;
use crate::contract::coverage::stands;
use crate::contract::requirement::{Always, Form, Requirement, Rule, Scenario};
use crate::contract::steps::{Base, Send, Step};
use crate::contract::template::Template;
use crate::exchange::Request;
use crate::expression::{Expression, Scope, timestamp};
use crate::generate::draft::{Draft, Fixtures};
use crate::generate::render::{Issued, Rendering};
use crate::generate::seed::{RunTag, Seed};
use crate::generate::step::change;
use crate::judge::Judge;
use crate::plan::{Entry, FULL, MINIMAL, Options, Plan, Selection, Trial};
use crate::report::Recorder;
use crate::report::format::html::body;
use crate::report::text::visible;
use crate::settings::Settings;
use crate::source::Result;

/// Up to how many bytes a body stands on one line, and is shown at all.
const BODY: [usize; 2] = [96, 800];

/// What must come of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// It is accepted.
    Accepted,
    /// It is rejected.
    Rejected,
    /// That depends on more than this request, or either is fair.
    Open,
}

/// A request, and what must come of it.
pub(super) struct Example {
    pub due: Due,
    /// What it tries, in a few words; may be empty.
    pub label: String,
    pub message: Message,
}

/// A request as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Method and path.
    pub head: String,
    pub headers: Vec<String>,
    pub body: String,
}

impl Message {
    /// All of it as one text.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{}\n", self.head);
        self.headers.iter().for_each(|header| text += &format!("{header}\n"));
        if !self.body.is_empty() {
            text += &format!("\n{}\n", self.body);
        }
        text
    }
}

/// What examples are made with.
pub(super) struct Examples<'a> {
    contract: &'a Contract,
    fixtures: Fixtures,
    plan: Plan,
    now: DateTime<Utc>,
    recorder: Recorder,
}

impl<'a> Examples<'a> {
    /// Examples from what the settings provide, as at a moment.
    pub(super) fn new(contract: &'a Contract, settings: &Settings, now: DateTime<Utc>) -> Result<Self> {
        let fixtures = settings.fixtures(contract);
        let options = Options { seed: Seed(0), examples: 0, selection: Selection::default() };
        let plan = Plan::new(contract, &fixtures, &options, now)?;
        let recorder = Recorder::new(settings, contract.operation.security.as_ref());
        Ok(Self { contract, fixtures, plan, now, recorder })
    }

    /// The smallest valid request.
    pub(super) fn usual(&self) -> Option<Message> {
        self.request(&self.plan.entries[MINIMAL].draft, None, "usual").map(|r| self.message(r))
    }

    /// The examples of a requirement.
    pub(super) fn of(&self, requirement: &Requirement) -> Vec<Example> {
        let Some(index) = self.contract.requirements.iter().position(|r| r.id == requirement.id) else {
            return Vec::new();
        };
        match &requirement.form {
            form @ (Form::Schema(_) | Form::Parameter(..) | Form::Constraint(_)) => self.of_part(index, form),
            Form::Rule(rule) => self.of_rule(rule),
            Form::Scenario(scenario) => self.of_scenario(index, scenario),
            Form::Probe(probe) => {
                let trial = self.plan.trials.iter().find(|t| t.serves(index));
                let send = probe.steps.first().and_then(|s| s.sends.first());
                let draft = send.and_then(|send| self.draft(send, &probe.steps, trial, None));
                draft.and_then(|d| self.example(Due::Open, trial, &d)).into_iter().collect()
            }
            Form::Always(Always::Answered | Always::NoServerError) | Form::Called(..) | Form::Law(_) => Vec::new(),
            Form::Always(_) => self.entry(Due::Accepted, &self.plan.entries[FULL]).into_iter().collect(),
        }
    }

    fn of_part(&self, index: usize, form: &Form) -> Vec<Example> {
        let entries = || self.plan.entries.iter();
        let fields = self.contract.fields(form);
        let speaks = |entry: &&Entry| {
            let body = self.request(&entry.draft, None, &entry.name).and_then(|r| r.json());
            entry.control.is_none() && body.is_some_and(|body| fields.iter().any(|f| stands(&body, f)))
        };
        let about = |entry: &&Entry| entry.about == Some(index);
        let accepted = entries().find(|e| about(e) && e.control.is_none()).or_else(|| entries().find(speaks));
        let rejected = entries().find(|e| about(e) && e.control.is_some());
        let accepted = accepted.and_then(|e| self.entry(Due::Accepted, e));
        accepted.into_iter().chain(rejected.and_then(|e| self.entry(Due::Rejected, e))).collect()
    }

    /// A request that a rule speaks to: what it says is of the response, so none is rejected for it.
    fn of_rule(&self, rule: &Rule) -> Vec<Example> {
        let refusals = |when: &Expression| when.reads("client_error") || when.reads("refused");
        if rule.when.as_ref().is_some_and(refusals) {
            return Vec::new();
        }
        let fits = |entry: &&Entry| {
            let Some(given) = &rule.filter else { return true };
            let scope = self.request(&entry.draft, None, &entry.name).map(|r| self.scope_of(&r));
            entry.control.is_none() && scope.is_some_and(|scope| given.truth(&scope) == Ok(true))
        };
        let entry = self.plan.entries.iter().find(fits);
        entry.and_then(|e| self.entry(Due::Accepted, e)).into_iter().collect()
    }

    fn of_scenario(&self, index: usize, scenario: &Scenario) -> Vec<Example> {
        let trial = self.plan.trials.iter().find(|t| t.serves(index));
        let mut all: Vec<Example> = Vec::new();
        for (at, step) in scenario.steps.iter().enumerate() {
            let due = self.due(scenario, at, trial);
            // One of each is enough.
            if all.iter().any(|e| e.due == due) {
                continue;
            }
            let draft = step.sends.first().and_then(|send| self.draft(send, &scenario.steps, trial, None));
            all.extend(draft.and_then(|d| self.example(due, trial, &d)));
        }
        // What is rejected stands beside its control.
        if all.iter().any(|e| e.due == Due::Rejected) && all.iter().all(|e| e.due != Due::Accepted) {
            let base = trial.and_then(|t| t.base).unwrap_or(MINIMAL);
            all.splice(0..0, self.entry(Due::Accepted, &self.plan.entries[base]));
        }
        all
    }

    /// What must come of a step, were all others accepted: what the scenario says when nothing is known of responses
    /// but whether they accept.
    fn due(&self, scenario: &Scenario, at: usize, trial: Option<&Trial>) -> Due {
        let may = |accepted: bool| {
            let mut names = self.fixtures.bare_scope().extend().value("now", timestamp(self.now));
            if let Some(row) = trial.and_then(|t| t.row.as_ref()) {
                names = names.json("it", &self.row(&row.value));
            }
            for (i, step) in scenario.steps.iter().enumerate() {
                let scope = self.outcome(step, &scenario.steps, trial, i != at || accepted);
                names = if step.many {
                    let copies = step.sends.iter().map(|s| s.copies).sum();
                    names.scopes(&step.name, &vec![scope; copies])
                } else {
                    names.scope(&step.name, &scope)
                };
            }
            let scope = names.build();
            let not_false = |e: &Expression| e.truth(&scope) != Ok(false);
            scenario.given.as_ref().is_none_or(not_false) && not_false(&scenario.expect)
        };
        match (may(true), may(false)) {
            (true, false) => Due::Accepted,
            (false, true) => Due::Rejected,
            _ => Due::Open,
        }
    }

    /// An exchange of which only this much is known.
    fn outcome(&self, step: &Step, steps: &[Step], trial: Option<&Trial>, accepted: bool) -> Scope {
        let send = step.sends.first();
        let draft = send.and_then(|send| self.draft(send, steps, trial, None));
        let row = trial.and_then(|t| t.row.as_ref()).map(|r| &r.value);
        let draft = draft.unwrap_or_else(|| self.plan.entries[MINIMAL].draft.clone());
        let request = self.request(&draft, row, &step.name);
        let scope = request.map_or_else(|| self.fixtures.scope().clone(), |r| self.scope_of(&r));
        scope
            .extend()
            .json("accepted", &json!(accepted))
            .json("client_error", &json!(!accepted))
            .json("refused", &json!(!accepted))
            .json("answered", &json!(true))
            .unknown("response", "nothing was sent")
            .build()
    }

    fn scope_of(&self, request: &Request) -> Scope {
        let judge = Judge { contract: self.contract, fixtures: &self.fixtures };
        judge.request_scope(request, request.json().as_ref(), self.now)
    }

    /// What a step sends first, as far as it does not depend on responses.
    fn draft(&self, send: &Send, steps: &[Step], trial: Option<&Trial>, below: Option<usize>) -> Option<Draft> {
        let row = trial.and_then(|t| t.row.as_ref()).map(|r| &r.value);
        let base = match &send.base {
            Base::Minimal => self.plan.smallest(send.call)?.clone(),
            Base::Valid | Base::Varied => self.plan.entries[trial.and_then(|t| t.base).unwrap_or(FULL)].draft.clone(),
            Base::From(name) | Base::Repeat(name) => {
                let at = steps.iter().position(|s| s.name == *name)?;
                // A step is made from an earlier one.
                if below.is_some_and(|below| at >= below) {
                    return None;
                }
                self.draft(steps[at].sends.first()?, steps, trial, Some(at))?
            }
        };
        change(base, send, row).ok()
    }

    fn entry(&self, due: Due, entry: &Entry) -> Option<Example> {
        let message = self.message(self.request(&entry.draft, None, &entry.name)?);
        let label = entry.label.strip_prefix(": ").unwrap_or(&entry.label);
        Some(Example { due, label: visible(label), message })
    }

    fn example(&self, due: Due, trial: Option<&Trial>, draft: &Draft) -> Option<Example> {
        let row = trial.and_then(|t| t.row.as_ref());
        let name = trial.map_or("example", |t| &t.name);
        let message = self.message(self.request(draft, row.map(|r| &r.value), name)?);
        Some(Example { due, label: row.map(|r| visible(&r.label)).unwrap_or_default(), message })
    }

    fn request(&self, draft: &Draft, row: Option<&Template>, name: &str) -> Option<Request> {
        let mut scope = self.fixtures.bare_scope().extend().value("now", timestamp(self.now));
        if let Some(row) = row {
            scope = scope.json("it", &self.row(row));
        }
        let operation = self.contract.operation_of(draft.operation);
        self.rendered(name, row, &scope.build(), |r| r.request(draft, operation)).ok()
    }

    fn row(&self, row: &Template) -> Json {
        let scope = self.fixtures.bare_scope().extend().value("now", timestamp(self.now)).build();
        self.rendered("row", None, &scope, |r| r.row_json(row))
    }

    /// Makes something of templates, as at the moment.
    fn rendered<T>(
        &self,
        name: &str,
        row: Option<&Template>,
        scope: &Scope,
        make: impl FnOnce(&mut Rendering<'_>) -> T,
    ) -> T {
        make(&mut Rendering {
            now: self.now,
            run_tag: &RunTag::fixed("00000000"),
            seed: Seed(0),
            trial: name,
            count: 0,
            issued: &Issued::default(),
            scope,
            row,
            runner: &mut Seed(0).runner(name, 0),
        })
    }

    fn message(&self, request: Request) -> Message {
        let bytes = request.body.as_ref().map_or(0, |b| b.len());
        let shown = self.recorder.record(&unsent(request, "example", self.now)).request;
        let path = shown.url.strip_prefix(super::ADDRESS).unwrap_or(&shown.url);
        let headers = shown.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("user-agent"));
        let text = shown.body.or(shown.body_base64.map(|b| format!("(Base64) {b}"))).unwrap_or_default();
        let body = match text.len() {
            n if n <= BODY[0] => visible(&text),
            n if n <= BODY[1] => body::text(&text),
            _ => format!("{}… ({bytes} bytes in all)", visible(&text.chars().take(BODY[0]).collect::<String>())),
        };
        Message {
            head: visible(&format!("{} {path}", shown.method)),
            headers: headers.map(|(name, value)| visible(&format!("{name}: {value}"))).collect(),
            body,
        }
    }
}
