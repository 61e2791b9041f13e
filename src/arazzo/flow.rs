//! What comes after a step: `onSuccess` and `onFailure`, those of the step and those of its workflow.

use super::Notes;
use super::file::{Arazzo, Step, Workflow, required, unread};
use crate::source::Result;
use crate::yaml::Node;

/// The fields of an action.
const ACTION: &[&str] = &["name", "type", "workflowId", "stepId", "retryAfter", "retryLimit", "criteria"];

/// What comes after a step that succeeds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The next step.
    Step,
    /// Nothing: the workflow is at its end.
    End,
    /// Something that a scenario cannot say, and why.
    Unknown(String),
}

/// An action as it is written.
struct Action<'a> {
    node: &'a Node,
    kind: &'a str,
    /// Whether it is carried out under conditions.
    is_conditional: bool,
}

/// The actions of a step, and those of its workflow for all steps.
fn actions<'a>(
    arazzo: &'a Arazzo,
    (workflow, step): (&'a Workflow, &'a Step),
    (own, shared, kind): (&str, &str, &str),
    notes: &mut Notes,
) -> Result<Vec<Action<'a>>> {
    let mut all = Vec::new();
    for list in [step.node.get(own), workflow.node.get(shared)].into_iter().flatten() {
        for node in list.sequence("a list of actions")? {
            node.mapping("an action")?;
            let node = arazzo.entry(node, kind)?.node;
            node.mapping("an action")?;
            unread(node, ACTION, "an action", &mut notes.0);
            let of = required(node, "type", "an action")?;
            let word = of.string("`type`")?;
            let known: &[&str] = if own == "onFailure" { &["end", "goto", "retry"] } else { &["end", "goto"] };
            if !known.contains(&word) {
                return Err(of
                    .error(format!("`{word}` is not a type of action here"))
                    .help(format!("write {}", known.join(", "))));
            }
            let criteria = node.get("criteria").map(|n| n.sequence("`criteria`")).transpose()?.unwrap_or_default();
            all.push(Action { node, kind: word, is_conditional: !criteria.is_empty() });
        }
    }
    Ok(all)
}

/// What comes after a step, if it succeeds.
///
/// # Errors
/// What is no action; a step to go to that is not there.
pub(super) fn after(arazzo: &Arazzo, workflow: &Workflow, at: usize, notes: &mut Notes) -> Result<Next> {
    let names = ("onSuccess", "successActions", "successActions");
    for action in actions(arazzo, (workflow, &workflow.steps[at]), names, notes)? {
        if let ("goto", Some(step)) = (action.kind, action.node.get("stepId")) {
            let name = step.string("`stepId`")?;
            let Some(target) = workflow.steps.iter().position(|step| step.name() == name) else {
                let all = workflow.steps.iter().map(|step| step.name());
                let help = crate::source::did_you_mean(name, all);
                return Err(step.error(format!("the workflow has no step `{name}`")).help_if(help));
            };
            if target == at + 1 {
                // The same, whether under conditions or not.
                if action.is_conditional {
                    continue;
                }
                return Ok(Next::Step);
            }
        }
        return Ok(match (action.kind, action.is_conditional) {
            ("end", false) => Next::End,
            ("end", true) => Next::Unknown("it ends the workflow under conditions".to_owned()),
            _ => Next::Unknown("it goes on elsewhere than at the next step".to_owned()),
        });
    }
    Ok(Next::Step)
}

/// Whether the workflow goes on if the step fails, so that its failure is none of the workflow; noted, if it does.
///
/// # Errors
/// What is no action.
pub(super) fn may_fail(arazzo: &Arazzo, workflow: &Workflow, at: usize, notes: &mut Notes) -> Result<bool> {
    let names = ("onFailure", "failureActions", "failureActions");
    let step = &workflow.steps[at];
    let all = actions(arazzo, (workflow, step), names, notes)?;
    let going_on = all.iter().find(|action| action.kind != "end");
    if let Some(action) = going_on {
        let what = if action.kind == "retry" { "tries the step again" } else { "goes on elsewhere" };
        let title = format!(
            "an action {what} if the step `{}` fails: it is carried out once, and noted rather than required",
            step.name()
        );
        notes.add(action.node.error(title));
    }
    Ok(going_on.is_some())
}

/// Why a workflow as a whole is left out, if it is, and where that stands.
pub(super) fn obstacle(workflow: &Workflow) -> Option<(&'static str, &Node)> {
    let node = workflow.node.get("dependsOn")?;
    let is_empty = node.sequence("").is_ok_and(<[Node]>::is_empty);
    (!is_empty).then_some(("it depends on another workflow, and scenarios depend on none", node))
}
