//! One request that a requirement is tested with, as a command.

use super::options::{Flags, TargetOptions};
use crate::contract::Contract;
use crate::contract::requirement::{Form, Requirement};
use crate::contract::steps::{Base, Step};
use crate::exchange::Attempt;
use crate::exchange::Request;
use crate::exchange::{Exchange, Failure, FailureKind, Interval, Outcome};
use crate::generate::draft::Draft;
use crate::generate::render::{Issued, Rendering};
use crate::generate::seed::{RunTag, Seed};
use crate::generate::step::change;
use crate::http::clock::system_now;
use crate::plan::{FULL, Options, Plan, Selection};
use crate::report::Recorder;
use crate::source::Result;

/// Where `probity serve` is to listen for the example, where no target is set: the embedded server ends with the command.
const REHEARSAL: &str = "http://127.0.0.1:8080";

/// The first request that a requirement would be tested with, as a curl command, and whether it is for
/// `probity serve --port 8080`; None where it cannot be made without having sent others.
pub(super) fn command(
    contract: &Contract,
    requirement: &Requirement,
    target: &TargetOptions,
) -> Result<Option<(String, bool)>> {
    let mut target = target.target(&Flags::default())?;
    let rehearsal = target.embedded.is_some();
    if rehearsal && let Ok(url) = REHEARSAL.parse() {
        target.settings.url = url;
    }
    let fixtures = target.settings.fixtures(contract);
    let now = system_now();
    let options = Options { seed: Seed(0), examples: 0, selection: Selection::default() };
    let plan = Plan::new(contract, &fixtures, &options, now)?;
    let index = contract.requirements.iter().position(|r| r.id == requirement.id);
    let trial = plan.trials.iter().find(|t| index.is_some_and(|index| t.serves(index)));
    let row = trial.and_then(|t| t.row.as_ref()).map(|r| &r.value);
    let draft = match &requirement.form {
        Form::Scenario(scenario) => first(&scenario.steps, &plan, row),
        Form::Probe(probe) if !probe.steps.is_empty() => first(&probe.steps, &plan, row),
        Form::Schema(_) | Form::Parameter(..) | Form::Constraint(_) => {
            let faults = plan.entries.iter().filter(|e| e.about == index);
            faults.max_by_key(|e| e.control.is_some()).map(|e| e.draft.clone())
        }
        // Only a scenario knows which record it is about.
        Form::Called(..) => None,
        _ => Some(plan.entries[FULL].draft.clone()),
    };
    let Some(draft) = draft else { return Ok(None) };
    let scope = fixtures.bare_scope().extend().value("now", crate::expression::timestamp(now)).build();
    let mut rendering = Rendering {
        now,
        run_tag: &RunTag::fixed("example"),
        seed: Seed(0),
        trial: &requirement.id,
        count: 0,
        issued: &Issued::default(),
        scope: &scope,
        row,
        runner: &mut Seed(0).runner(&requirement.id, 0),
    };
    let Ok(request) = rendering.request(&draft, contract.operation_of(draft.operation)) else {
        return Ok(None);
    };
    let recorder = Recorder::new(&target.settings, contract.operation.security.as_ref());
    Ok(Some((recorder.curl(&unsent(request, &requirement.id, now)), rehearsal)))
}

fn first(steps: &[Step], plan: &Plan, row: Option<&crate::contract::template::Template>) -> Option<Draft> {
    let send = steps.first()?.sends.first()?;
    let base = match &send.base {
        Base::Minimal => plan.smallest(send.call)?,
        Base::Valid | Base::Varied => &plan.entries[FULL].draft,
        Base::From(_) | Base::Repeat(_) => return None,
    };
    change(base.clone(), send, row).ok()
}

/// A request as the exchange that it would begin.
pub(super) fn unsent(request: Request, id: &str, now: chrono::DateTime<chrono::Utc>) -> Exchange {
    Exchange {
        number: 0,
        trial: id.to_owned(),
        request,
        attempts: vec![Attempt::only(
            now,
            std::time::Duration::ZERO,
            Interval::exact(now),
            Outcome::Failed(Failure { kind: FailureKind::Unsendable, message: String::new() }),
        )],
        ended: None,
        fresh: true,
        unconfirmed: false,
    }
}
