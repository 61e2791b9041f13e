//! `doctor`: whether a check can be run, and what stands in its way.

use clap::Args as ClapArgs;
use serde_json::json;

use super::options::{ContractOptions, Flags, TargetOptions, environment, width};
use super::{Done, logging, print};
use crate::doctor::{Check, Examination, State, examine};
use crate::gate::Exit;
use crate::http::block_on;
use crate::http::clock::Clock;
use crate::report::text::{counted, visible, wrap};

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    contract: ContractOptions,

    #[command(flatten)]
    target: TargetOptions,

    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Done {
    let mut contract = args.contract.load()?;
    let mut seen = Examination::default();
    match args.target.target(&Flags::default()) {
        Err(error) => seen.checks.push(Check::input("settings", &error)),
        Ok(target) => {
            let settings = &target.settings;
            logging::keep_out(&settings.secrets);
            let from = match (&settings.source, &target.embedded) {
                (_, Some(_)) => "none: the embedded reference server".to_owned(),
                (Some(source), _) => source.path.clone(),
                (None, None) => "the command line and the environment".to_owned(),
            };
            let on = settings.name.as_ref().map_or_else(String::new, |name| format!(", target {name}"));
            match settings.authenticate(&mut contract) {
                Err(error) => seen.checks.push(Check::input("settings", &error)),
                Ok(()) => {
                    seen.checks.push(Check::good("settings", format!("{from}{on}: {}", settings.url)));
                    let examined = block_on(examine(&contract, settings, &environment, Clock::system()))??;
                    seen.checks.extend(examined.checks);
                    seen.refusable = examined.refusable;
                }
            }
            let redactor = settings.secrets.redactor();
            for check in &mut seen.checks {
                check.text = redactor.text(&check.text).into_owned();
            }
        }
    }
    print(&if args.json { as_json(&seen) } else { as_text(&seen) });
    Ok(seen.exit())
}

fn as_json(seen: &Examination) -> String {
    let report = json!({ "checks": seen.checks, "refusable": seen.refusable, "exit": seen.exit().code() });
    format!("{report:#}\n")
}

fn as_text(seen: &Examination) -> String {
    let mut text = String::new();
    for check in &seen.checks {
        let symbol = match check.state {
            State::Good => "✓",
            State::Warning => "!",
            State::Bad => "✗",
            State::Skipped => "–",
        };
        let advice = check.advice.iter().filter(|_| check.state != State::Good).map(|advice| format!("→ {advice}"));
        let lines = [visible(&check.text)].into_iter().chain(advice);
        let lines: Vec<String> = lines.flat_map(|line| wrap(&line, width().saturating_sub(14))).collect();
        text += &format!("{symbol} {:<11} {}\n", check.name, lines.join(&format!("\n{:14}", "")));
    }
    let bad = seen.checks.iter().filter(|check| check.state == State::Bad).count() as u64;
    let sent = match seen.refusable {
        0 => "Nothing was created: only GET requests were sent.".to_owned(),
        n => format!(
            "Nothing should have been created: apart from GET requests, {} sent that the server must refuse.",
            match n {
                1 => "1 request was".to_owned(),
                n => format!("{n} requests were"),
            }
        ),
    };
    let end = match (bad, seen.exit()) {
        (0, Exit::Conformant) => "A check can run: `probity check`.".to_owned(),
        (bad, _) => format!("{} to be fixed first.", counted(bad, "thing")),
    };
    format!("{text}\n{sent}\n{end}\n")
}
