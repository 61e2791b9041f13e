//! `list`: the catalogue of requirements.

use clap::Args as ClapArgs;
use serde_json::json;

use super::catalogue::Catalogue;
use super::options::ContractOptions;
use super::{Done, print};
use crate::contract::requirement::{Origin, Requirement};
use crate::document::operation::Unsupported;
use crate::gate::Exit;
use crate::plan::Selection;
use crate::reference::{Fault, Variation};

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    contract: ContractOptions,

    /// Only requirements whose id matches, as `idempotency/*`; may be repeated
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,

    /// As JSON
    #[arg(long)]
    json: bool,

    /// As a document with examples, to build a server from
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["json", "faults", "variations"])]
    format: Option<Format>,

    /// The faults of the reference server instead
    #[arg(long, conflicts_with = "variations")]
    faults: bool,

    /// The variations of the reference server instead
    #[arg(long, alias = "variations")]
    variations: bool,
}

/// A form of the document.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// One file, with links into the same file
    Markdown,
    /// One page, without anything from elsewhere
    Html,
}

pub(crate) fn run(args: &Args) -> Done {
    if args.faults {
        deviations(args.json, Fault::ALL.iter().map(|f| (f.area(), f.name(), f.text())));
        return Ok(Exit::Conformant);
    }
    if args.variations {
        deviations(args.json, Variation::ALL.iter().map(|l| (l.area(), l.name(), l.text())));
        return Ok(Exit::Conformant);
    }
    let contract = args.contract.load()?;
    let chosen = Selection::new(args.only.clone(), Vec::new()).apply(&contract)?;
    let chosen: Vec<&Requirement> =
        contract.requirements.iter().zip(chosen).filter(|(_, c)| *c).map(|(r, _)| r).collect();
    if args.json {
        let mut all: Vec<_> = chosen.iter().map(|r| entry(r)).collect();
        all.extend(contract.operation.unsupported.iter().enumerate().map(|(i, part)| unsupported(i, part)));
        print(&format!("{}\n", serde_json::to_string_pretty(&all).unwrap_or_default()));
        return Ok(Exit::Conformant);
    }
    if let Some(format) = args.format {
        let catalogue = Catalogue::new(&contract, &chosen)?;
        print(&match format {
            Format::Markdown => catalogue.markdown(),
            Format::Html => catalogue.html(),
        });
        return Ok(Exit::Conformant);
    }
    let widest = chosen.iter().map(|r| r.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut area = "";
    for requirement in &chosen {
        if requirement.area() != area {
            area = requirement.area();
            text.push_str(&format!("\n{area}\n"));
        }
        let level = requirement.level.map_or("probe", |l| l.name());
        text.push_str(&format!("  {:<widest$}  {level:<6}  {}\n", requirement.id, requirement.text));
    }
    let count = |name: &str| chosen.iter().filter(|r| r.level.map_or("probe", |l| l.name()) == name).count();
    text.push_str(&format!(
        "\n{} entries: {} must, {} should, {} may, {} probes.  `probity explain ID` tells more.\n",
        chosen.len(),
        count("must"),
        count("should"),
        count("may"),
        count("probe"),
    ));
    let unsupported = contract.operation.unsupported_lines();
    if !unsupported.is_empty() {
        text.push_str("\nNot supported, and left out:\n");
        unsupported.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    print(text.trim_start_matches('\n'));
    Ok(Exit::Conformant)
}

/// A part of the document that is left out, as an entry among requirements.
fn unsupported(number: usize, part: &Unsupported) -> serde_json::Value {
    json!({
        "id": format!("unsupported/{}", number + 1),
        "area": "unsupported",
        "level": null,
        "text": format!("{}: {}", part.what, part.message.title()),
        "source": "OpenAPI document",
        "origin": {"document": part.message.place()},
        "form": "unsupported",
        "stops": part.required_part,
    })
}

fn entry(requirement: &Requirement) -> serde_json::Value {
    json!({
        "id": requirement.id,
        "area": requirement.area(),
        "level": requirement.level.map(|l| l.name()),
        "text": requirement.text,
        "source": requirement.source,
        "origin": match &requirement.origin {
            Origin::Declared(place) => json!({"case": place.to_string()}),
            Origin::Derived(pointer) => json!({"document": pointer}),
        },
        "form": requirement.form.name(),
    })
}

fn deviations<'a>(as_json: bool, all: impl Iterator<Item = (&'a str, &'a str, &'a str)>) {
    let all: Vec<_> = all.collect();
    if as_json {
        let all: Vec<_> =
            all.iter().map(|(area, name, text)| json!({"name": name, "area": area, "text": text})).collect();
        print(&format!("{}\n", serde_json::to_string_pretty(&all).unwrap_or_default()));
        return;
    }
    let widest = all.iter().map(|(_, name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut last = "";
    for (area, name, sentence) in &all {
        if *area != last {
            last = area;
            text.push_str(&format!("\n{area}\n"));
        }
        text.push_str(&format!("  {name:<widest$}  {sentence}\n"));
    }
    print(text.trim_start_matches('\n'));
}
