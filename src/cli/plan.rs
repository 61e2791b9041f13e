//! `plan`: what a check would send.

use std::collections::BTreeMap;

use clap::Args as ClapArgs;
use serde_json::json;

use super::options::{BUDGET, ContractOptions, Flags, SelectionOptions, TargetOptions};
use super::{Done, print};
use crate::contract::Contract;
use crate::contract::requirement::Form;
use crate::gate::Exit;
use crate::generate::seed::Seed;
use crate::http::clock::{Clock, system_now};
use crate::plan::{EXAMPLES, Options, Selection};
use crate::report::text::{counted, visible_lines};
use crate::session::{fit, planned, quick_budget};
use crate::whole::{Outline, Rules, Whole};

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    contract: ContractOptions,

    #[command(flatten)]
    target: TargetOptions,

    #[command(flatten)]
    budget: Flags<BUDGET>,

    #[command(flatten)]
    selection: SelectionOptions,

    /// As if operations of the document could change data on another machine
    #[arg(long, requires = "document")]
    allow_unsafe: bool,

    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Done {
    let mut contracts = args.contract.load_all()?;
    if contracts.len() > 1 {
        return of_document(args, contracts);
    }
    let mut contract = contracts.swap_remove(0);
    let target = args.target.target(&args.budget)?;
    target.settings.authenticate(&mut contract)?;
    target.settings.check_fixtures(&contract.fixtures)?;
    let fixtures = target.settings.fixtures(&contract);
    let options = Options {
        seed: args.selection.seed.map_or_else(Seed::random, Seed),
        examples: if args.selection.quick { 0 } else { args.selection.examples.unwrap_or(EXAMPLES) },
        selection: Selection::new(args.selection.only.clone(), args.selection.skip.clone()),
    };
    let seed = options.seed;
    let mut plan = planned(&contract, &fixtures, &target.settings, args.selection.examples, options, system_now())?;
    if args.selection.quick {
        plan.quicken(&contract, quick_budget(&target.settings));
    }
    fit(&mut plan, &contract, &target.settings, args.selection.examples, None);

    let mut trials: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for entry in plan.entries.iter().filter(|e| e.wanted) {
        if let Some(about) = entry.about {
            let (count, cost) = trials.entry(about).or_default();
            *count += 1;
            *cost += 1;
        }
    }
    for trial in &plan.trials {
        for requirement in trial.requirements() {
            trials.entry(requirement).or_default().0 += 1;
        }
        trials.entry(trial.requirement).or_default().1 += trial.cost;
    }
    let pool = plan.entries.iter().filter(|e| e.wanted && e.about.is_none()).count();
    let obstacles: BTreeMap<usize, &str> = plan.obstacles.iter().map(|(i, why)| (*i, why.as_str())).collect();
    let rows: Vec<(usize, usize, usize)> = (0..contract.requirements.len())
        .filter(|i| plan.selected[*i])
        .map(|i| {
            let (count, cost) = trials.get(&i).copied().unwrap_or_default();
            (i, count, cost)
        })
        .collect();

    let left_out: u64 = plan.left_out.trials.values().sum();
    let lasts = target.settings.rate.map(|rate| rate.period * u32::try_from(plan.requests()).unwrap_or(u32::MAX));

    if args.json {
        let requirements: Vec<_> = rows
            .iter()
            .map(|(i, trials, requests)| {
                let requirement = &contract.requirements[*i];
                json!({
                    "id": requirement.id,
                    "level": requirement.level.map(|l| l.name()),
                    "trials": trials,
                    "requests": requests,
                    "skipped": obstacles.get(i),
                    "left_out": plan.left_out.trials.get(i).copied().unwrap_or_default(),
                })
            })
            .collect();
        let whole = json!({
            "seed": seed.0,
            "requests": plan.requests(),
            "pool": pool,
            "random": 2 * plan.pairs,
            "together": plan.together,
            "guessed": crate::lint::guesses(&contract).iter().map(|g| g.title().to_owned()).collect::<Vec<_>>(),
            "left_out": { "pool": plan.left_out.pool, "trials": left_out },
            "lasts_at_least_ms": lasts.map(|d| d.as_millis() as u64),
            "requirements": requirements,
            "unsupported": contract.operation.unsupported_lines(),
        });
        print(&format!("{}\n", serde_json::to_string_pretty(&whole).unwrap_or_default()));
        return Ok(Exit::Conformant);
    }

    let widest = rows.iter().map(|(i, ..)| contract.requirements[*i].id.len()).max().unwrap_or(0);
    let mut text = format!("  {:<widest$}  level   trials  requests\n", "requirement");
    for (i, count, cost) in &rows {
        let requirement = &contract.requirements[*i];
        let level = requirement.level.map_or("probe", |l| l.name());
        let note = match (obstacles.get(i), count) {
            (Some(why), _) => format!("  skipped: {why}"),
            _ if plan.left_out.trials.contains_key(i) => {
                format!("  the budget leaves out {}", counted(plan.left_out.trials[i], "trial"))
            }
            (None, 0) if matches!(requirement.form, Form::Law(_)) => "  tried after all operations".to_owned(),
            (None, 0) => "  judged on the exchanges of the others".to_owned(),
            _ if *cost == 0 => {
                let requests = &contract.first_with_trials_of(requirement).id;
                format!("  on the requests of {requests}")
            }
            _ => String::new(),
        };
        let number = |n: &usize| if *n == 0 { "–".to_owned() } else { n.to_string() };
        text.push_str(&format!(
            "  {:<widest$}  {level:<6}  {:>6}  {:>8}{note}\n",
            requirement.id,
            number(count),
            number(cost)
        ));
    }
    text.push_str(&format!(
        "\n{} requests on a server that passes: {pool} of the shared pool, {} random ones, {} for single requirements, 1 at the end.\n\
         A server that fails gets up to 100 more, to find the smallest requests that fail.\n\
         Seed {}. Nothing was sent.\n",
        plan.requests(),
        2 * plan.pairs,
        rows.iter().map(|(.., cost)| cost).sum::<usize>(),
        seed.0,
    ));
    if plan.together == 2 {
        text.push_str("What may be left out is tried two at a time: there is too much of it for three.\n");
    }
    for guess in crate::lint::guesses(&contract) {
        let place = guess.place().map_or(String::new(), |place| format!(" ({place})"));
        text.push_str(&format!("Guessed: {}{place}.\n", guess.title()));
    }
    if let Some(lasts) = lasts {
        text.push_str(&format!(
            "At {:?} from one request to the next that takes at least {lasts:?}.\n",
            target.settings.rate.map(|r| r.period).unwrap_or_default()
        ));
    }
    for line in contract.operation.unsupported_lines() {
        text.push_str(&format!("Not supported, and left out: {line}\n"));
    }
    if plan.left_out.limit.is_some() {
        let pool = counted(plan.left_out.pool, "request");
        text.push_str(&format!(
            "The budget leaves out {} and {pool} of the shared pool: a check would not be green.\n",
            counted(left_out, "trial")
        ));
    }
    print(&visible_lines(&text));
    Ok(Exit::Conformant)
}

/// What a check of several operations would send.
fn of_document(args: &Args, contracts: Vec<Contract>) -> Done {
    let target = args.target.target(&args.budget)?;
    let options = crate::session::Options {
        seed: args.selection.seed,
        examples: args.selection.examples,
        only: args.selection.only.clone(),
        skip: args.selection.skip.clone(),
        quick: args.selection.quick,
        ..crate::session::Options::default()
    };
    let rules = Rules { named: args.contract.operation.clone(), allow_unsafe: args.allow_unsafe };
    let whole = Whole::new(contracts, target.settings, options, rules, Clock::system())?;
    let outlines = whole.outlines();
    let requests: u64 = outlines.iter().filter_map(|o| o.requests.as_ref().ok()).sum();
    if args.json {
        let operation = |o: &Outline| {
            json!({
                "operation": o.operation, "method": o.method, "path": o.path, "phase": o.phase.name(),
                "requests": o.requests.as_ref().ok(), "skipped": o.requests.as_ref().err(),
                "values": o.values.iter().map(|(name, from)| json!({"name": name, "from": from})).collect::<Vec<_>>(),
                "unsupported": o.unsupported,
            })
        };
        let all: Vec<_> = outlines.iter().map(operation).collect();
        let whole = json!({ "seed": whole.seed(), "requests": requests, "operations": all });
        print(&format!("{}\n", serde_json::to_string_pretty(&whole).unwrap_or_default()));
        return Ok(Exit::Conformant);
    }
    let widest = outlines.iter().map(|o| o.operation.chars().count()).max().unwrap_or(0);
    let mut text = format!("  {:<widest$}  phase    requests\n", "operation");
    for outline in &outlines {
        let (requests, note) = match &outline.requests {
            Ok(requests) => (requests.to_string(), String::new()),
            Err(reason) => ("–".to_owned(), format!("  skipped: {reason}")),
        };
        text.push_str(&format!("  {:<widest$}  {:<7}  {requests:>8}{note}\n", outline.operation, outline.phase.name()));
        for (name, from) in &outline.values {
            text.push_str(&format!("  {:<widest$}    {name}: {from}\n", ""));
        }
        for line in &outline.unsupported {
            text.push_str(&format!("  {:<widest$}    not supported, and left out: {line}\n", ""));
        }
    }
    text.push_str(&format!(
        "\nAt most {} on a server that passes, {} in this order; after that, up to ten for each law between operations, and \
         the removal of what was created. Seed {}. Nothing was sent.\n\
         `probity plan` with the same document and one --operation shows its requirements.\n",
        counted(requests, "request"),
        counted(outlines.len() as u64, "operation"),
        whole.seed(),
    ));
    print(&visible_lines(&text));
    Ok(Exit::Conformant)
}
