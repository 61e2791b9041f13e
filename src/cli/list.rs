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
use crate::report::text::visible_lines;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    contract: ContractOptions,

    /// Only requirements whose id matches, such as `idempotency/*`; may be repeated
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,

    /// As JSON
    #[arg(long)]
    json: bool,

    /// Write them as a document with examples, to build a server from
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["json", "faults", "variations"])]
    format: Option<Format>,

    /// List the faults of the reference server instead
    #[arg(long, conflicts_with = "variations")]
    faults: bool,

    /// List the variations of the reference server instead
    #[arg(long, alias = "liberties")]
    variations: bool,
}

/// A form of the document.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// One Markdown file
    Markdown,
    /// One self-contained page
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
    let contracts = args.contract.load_all()?;
    let mut all: Vec<&Requirement> = contracts.iter().flat_map(|c| &c.requirements).collect();
    // As in reports.
    all.sort_by(|a, b| a.id.cmp(&b.id));
    let ids: Vec<&str> = all.iter().map(|r| r.id.as_str()).collect();
    let chosen = Selection::new(args.only.clone(), Vec::new()).choose(&ids)?;
    let chosen: Vec<&Requirement> = all.into_iter().zip(chosen).filter(|(_, c)| *c).map(|(r, _)| r).collect();
    let left_out: Vec<&Unsupported> = contracts.iter().flat_map(|c| &c.operation.unsupported).collect();
    if args.json {
        let mut all: Vec<_> = chosen.iter().map(|r| entry(r)).collect();
        all.extend(left_out.iter().enumerate().map(|(i, part)| unsupported(i, part)));
        print(&format!("{}\n", serde_json::to_string_pretty(&all).unwrap_or_default()));
        return Ok(Exit::Conformant);
    }
    if let Some(format) = args.format {
        let contract = args.contract.load()?;
        let catalogue = Catalogue::new(&contract, &chosen)?;
        print(&match format {
            Format::Markdown => catalogue.markdown(),
            Format::Html => catalogue.html(),
        });
        return Ok(Exit::Conformant);
    }
    let widest = chosen.iter().map(|r| r.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut group = "";
    for requirement in &chosen {
        let own = requirement.operation().unwrap_or(requirement.area());
        if own != group {
            group = own;
            text.push_str(&format!("\n{group}\n"));
        }
        let level = requirement.level.map_or("probe", |l| l.name());
        text.push_str(&format!("  {:<widest$}  {level:<6}  {}\n", requirement.id, requirement.text));
    }
    let count = |name: &str| chosen.iter().filter(|r| r.level.map_or("probe", |l| l.name()) == name).count();
    text.push_str(&format!(
        "\n{} entries: {} must, {} should, {} may, {} probes.  `probity explain ID` shows one of them.\n",
        chosen.len(),
        count("must"),
        count("should"),
        count("may"),
        count("probe"),
    ));
    let unsupported: Vec<String> = contracts.iter().flat_map(|c| c.operation.unsupported_lines()).collect();
    if !unsupported.is_empty() {
        text.push_str("\nNot supported, and left out:\n");
        unsupported.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    print(&visible_lines(text.trim_start_matches('\n')));
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
        "operation": requirement.operation(),
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
    print(&visible_lines(text.trim_start_matches('\n')));
}
