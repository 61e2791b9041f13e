//! The requirements as a document that an implementer can build from.
//!
//! - [`examples`]: requests that are accepted, and requests that are rejected
//! - [`markdown`]: the document as Markdown
//!
//! It depends on the contract alone: seed, clock and mark are fixed, and the examples name what the reference server
//! provides.

mod examples;
mod markdown;

use askama::Template;
use chrono::{DateTime, Utc};

use super::explain::tested;
use crate::contract::Contract;
use crate::contract::requirement::{Origin, Requirement};
use crate::reference;
use crate::report::text::words;
use crate::settings::{Overrides, Settings};
use crate::source::{Result, Source};

/// The address that stands in the examples' place.
const ADDRESS: &str = "https://server.example";

/// What is said in place of examples.
const WITHOUT: &str = "There are no examples: the reference server does not provide what this contract asks for.";

/// The moment at which the examples are made: they speak of times around it.
fn moment() -> DateTime<Utc> {
    DateTime::from_timestamp(1_893_456_000, 0).unwrap_or_default()
}

/// The document.
#[derive(Template)]
#[template(path = "catalogue.html", config = "src/report/format/html/askama.toml")]
pub(super) struct Catalogue<'a> {
    contract: &'a Contract,
    moment: String,
    /// The smallest valid request: examples show what they have otherwise.
    usual: Option<examples::Message>,
    areas: Vec<(&'a str, Vec<Entry<'a>>)>,
}

/// A requirement with its examples.
struct Entry<'a> {
    requirement: &'a Requirement,
    level: &'static str,
    source: String,
    tested: Vec<String>,
    examples: Vec<examples::Example>,
}

impl<'a> Catalogue<'a> {
    /// The document of some requirements.
    ///
    /// # Errors
    /// What the reference server provides cannot be read.
    pub(super) fn new(contract: &'a Contract, chosen: &[&'a Requirement]) -> Result<Self> {
        // Nothing of the environment is looked at: what is written is the same everywhere.
        let source = Source::new("(embedded)", reference::settings_toml(ADDRESS));
        let settings = Settings::read(Some(source), &Overrides::default(), &reference::token)?;
        let lends = contract.fixtures.violations(&settings.fixtures).is_empty();
        // Of another contract there may be nothing to make a request with.
        let examples = lends.then(|| examples::Examples::new(contract, &settings, moment()).ok()).flatten();
        let mut areas: Vec<(&str, Vec<Entry<'_>>)> = Vec::new();
        for requirement in chosen {
            let entry = Entry {
                requirement,
                level: words::level(requirement.level),
                source: match &requirement.origin {
                    Origin::Declared(place) => format!("{} ({})", requirement.source, place.source.path),
                    Origin::Derived(_) => requirement.source.clone(),
                },
                tested: tested(contract, requirement),
                examples: examples.as_ref().map(|e| e.of(requirement)).unwrap_or_default(),
            };
            match areas.last_mut().filter(|(area, _)| *area == requirement.area()) {
                Some((_, entries)) => entries.push(entry),
                None => areas.push((requirement.area(), vec![entry])),
            }
        }
        Ok(Self {
            contract,
            moment: moment().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            usual: examples.and_then(|e| e.usual()),
            areas,
        })
    }

    /// As Markdown.
    pub(super) fn markdown(&self) -> String {
        markdown::render(self)
    }

    /// As one HTML page.
    pub(super) fn html(&self) -> String {
        // Writing to memory: this cannot fail.
        self.render().unwrap_or_default()
    }

    /// The command that writes it.
    fn command(&self, format: &str) -> String {
        format!("probity list --format {format}")
    }
}
