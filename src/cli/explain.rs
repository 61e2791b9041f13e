//! `explain`: one requirement, or what settings look like.

use clap::Args as ClapArgs;

use super::options::{ContractOptions, TargetOptions};
use super::{Done, Failed, print};
use crate::contract::Contract;
use crate::contract::requirement::{Always, Form, Law, Origin, Requirement, Rows};
use crate::contract::steps::{Base, Step};
use crate::gate::Exit;
use crate::report::text::visible_lines;
use crate::settings::write;
use crate::source::{Diagnostic, did_you_mean};

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The id of a requirement, such as `operation/answered` (`probity list` shows all ids); or `fixtures`, or `settings`
    id: String,

    #[command(flatten)]
    contract: ContractOptions,

    #[command(flatten)]
    target: TargetOptions,
}

pub(crate) fn run(args: &Args) -> Done {
    if args.id == "settings" {
        print(&format!("{}\n{}", write::whole(), write::beside()));
        return Ok(Exit::Conformant);
    }
    let contracts = args.contract.load_all()?;
    if args.id == "fixtures" {
        let contract = &contracts[0];
        let schema = serde_json::to_string_pretty(&contract.fixtures.json).unwrap_or_default();
        print(&format!(
            "What a target provides to {} under [fixtures], as a JSON Schema:\n\n{schema}\n",
            contract.name
        ));
        return Ok(Exit::Conformant);
    }
    let found = contracts.iter().find_map(|contract| Some((contract, contract.requirement(&args.id)?)));
    let Some((contract, requirement)) = found else {
        let ids = contracts.iter().flat_map(|c| &c.requirements).map(|r| r.id.as_str());
        return Err(Failed::Input(
            Diagnostic::new(format!("there is no requirement `{}`", args.id))
                .help(did_you_mean(&args.id, ids).unwrap_or_else(|| "`probity list` shows all ids".to_owned())),
        ));
    };
    let mut text = format!(
        "{}   {}\n\n  {}\n\n",
        requirement.id,
        requirement.level.map_or("probe: it observes, and never fails", |l| l.name()),
        requirement.text
    );
    text.push_str(&format!("  source   {}\n", requirement.source));
    text.push_str(&match &requirement.origin {
        Origin::Declared(place) => format!("  case     {place}\n"),
        Origin::Derived(_) => "  case     none: it follows from the document\n".to_owned(),
    });
    text.push_str("\n  How it is tested\n");
    for line in tested(contract, requirement) {
        text.push_str(&format!("    {line}\n"));
    }
    if let Some((example, rehearsal)) = super::example::command(contract, requirement, &args.target)? {
        let to = if rehearsal { ", to `probity serve --port 8080`" } else { "" };
        text.push_str(&format!("\n  An example request{to}\n{}\n", indent(&example)));
    }
    print(&visible_lines(&text));
    Ok(Exit::Conformant)
}

fn indent(text: &str) -> String {
    text.lines().map(|l| format!("    {l}")).collect::<Vec<_>>().join("\n")
}

/// How a requirement is tested, in lines.
pub(super) fn tested(contract: &Contract, requirement: &Requirement) -> Vec<String> {
    match &requirement.form {
        Form::Constraint(valid) => vec![
            "Requests that break only this are sent, and must be refused; the same requests without the".into(),
            "fault must have been accepted. What a request must keep:".into(),
            format!("  {}", flat(valid.text())),
        ],
        Form::Rule(rule) => {
            let mut lines =
                vec!["On every exchange of the run whose idempotency key no other request carried".to_owned()];
            if let Some(filter) = &rule.filter {
                lines.push(format!("  whose request fits    {}", flat(filter.text())));
            }
            let when = rule.when.as_ref().map_or("accepted".to_owned(), |w| flat(w.text()));
            lines.push(format!("  when                  {when}"));
            if let Some(expect) = &rule.expect {
                lines.push(format!("  this must hold        {}", flat(expect.text())));
            }
            if let Some(unique) = &rule.unique {
                lines.push(format!("  this never comes twice  {}", flat(unique.text())));
            }
            lines
        }
        Form::Scenario(scenario) => {
            let mut lines = table(scenario.rows.as_deref());
            lines.extend(scenario.steps.iter().map(|one| step(contract, one)));
            if let Some(given) = &scenario.given {
                lines.push(format!("It shows something if     {}", flat(given.text())));
            }
            lines.push(format!("Then this must hold       {}", flat(scenario.expect.text())));
            lines
        }
        Form::Probe(probe) => {
            let mut lines = table(probe.rows.as_deref());
            lines.extend(probe.steps.iter().map(|one| step(contract, one)));
            lines.push(format!("What is noted             {}", flat(probe.observe.text())));
            lines
        }
        Form::Schema(_) | Form::Parameter(..) => vec![
            "Values at the edge are sent and must be accepted; values that break this part of the schema,".into(),
            "and nothing else, must be refused while the same request without them is accepted.".into(),
        ],
        Form::Law(law) => vec![
            match law {
                Law::ReadBack => "A record is created and read: what was sent and echoed must be there.",
                Law::Updated => {
                    "A record is created, changed and read: what was sent and echoed must be there, and after PATCH the rest."
                }
                Law::Gone => "A record is created, deleted and read: it must not come as it was.",
                Law::GoneTwice => "A record is created and deleted twice: the second answer must be no server error.",
                Law::Guarded(_) => {
                    "A record is created and deleted without the caller's credentials: that must leave it where it is."
                }
                Law::Unknown => "An id is read that has the form of a known one, and that nobody gave.",
                Law::Listed => {
                    "A record is created, and the list is read to its end, five pages at most: the record must stand in it."
                }
                Law::Limit(_) => "The list is read as it is, and with a limit below the number of its items.",
                Law::Filter(_) => "The list is read as it is, and with one of the values that it shows.",
            }
            .to_owned(),
            "What differs is read again one second and three seconds later.".to_owned(),
        ],
        Form::Called(..) => {
            vec!["Every response to a step that calls the operation is looked at.".to_owned()]
        }
        Form::Always(always) => vec![
            match always {
                Always::Answered => "Every request of the run, however odd, is looked at.",
                Always::NoServerError => "Every response of the run is looked at.",
                Always::ValidAccepted => {
                    "Every request of the run that keeps schema, constraints and provided values is looked at."
                }
                Always::DocumentedStatus | Always::MediaType => "Every response to an accepted request is looked at.",
                Always::RefusalStatus => {
                    "Every response to a refused request is looked at, but for statuses that any server may have."
                }
                Always::Shape(_) => "Every response with this status is held against its schema.",
                Always::Headers(_) | Always::HeaderValues(_) => {
                    "The headers of every response with this status are looked at."
                }
                Always::WriteOnly(_) | Always::OneAlternative(_) => {
                    "The body of every response with this status is looked at."
                }
            }
            .to_owned(),
        ],
    }
}

fn table(rows: Option<&Rows>) -> Vec<String> {
    match rows {
        None => Vec::new(),
        Some(Rows::List(rows)) => {
            let labels: Vec<&str> = rows.iter().filter_map(|r| r.label.as_deref()).collect();
            let labels = if labels.is_empty() { String::new() } else { format!(": {}", labels.join("; ")) };
            vec![format!("For each of {} rows{labels}", rows.len())]
        }
        Some(Rows::Cel(list)) => vec![format!("For each of {}", flat(list.text()))],
        Some(Rows::Contexts { most: None }) => vec!["In each context that valid requests are sent in".to_owned()],
        Some(Rows::Contexts { most: Some(most) }) => {
            vec![format!("In {most} of the contexts that valid requests are sent in, which the seed chooses")]
        }
    }
}

fn step(contract: &Contract, step: &Step) -> String {
    let sends = step.sends.iter().map(|send| {
        let base = match &send.base {
            Base::Valid => "a valid request".to_owned(),
            Base::Minimal => match send.call {
                Some(place) => format!("the smallest valid request of `{}`", contract.called[place].operation.id),
                None => "the smallest valid request".to_owned(),
            },
            Base::Varied => "a valid request in one of the contexts".to_owned(),
            Base::From(name) => format!("one like `{name}`"),
            Base::Repeat(name) => format!("`{name}` again"),
        };
        let mut with: Vec<String> = send.set.iter().map(|(p, _)| p.clone()).collect();
        with.extend(send.drop.iter().map(|p| format!("no {p}")));
        with.extend(send.raw.iter().map(|_| "a body of its own".to_owned()));
        with.extend(send.headers.iter().map(|(n, _)| n.clone()));
        with.extend(send.path.iter().map(|(n, _)| format!("{{{n}}}")));
        with.extend(send.authorization.iter().map(|_| "other credentials".to_owned()));
        with.extend(send.identity.iter().map(|_| "another identity".to_owned()));
        let with = if with.is_empty() { String::new() } else { format!(", with {}", with.join(", ")) };
        let copies = if send.copies > 1 { format!(", {} at once", send.copies) } else { String::new() };
        format!("{base}{with}{copies}")
    });
    let sends: Vec<String> = sends.collect();
    format!("`{}` sends {}", step.name, sends.join("; at once "))
}

/// An expression in one line.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
