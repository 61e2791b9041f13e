//! Whether what is provided is what the contract asks for, and what the target says it is.

use serde_json::Value as Json;

use super::{Check, Doctor};
use crate::gate::Exit;
use crate::lookup::{Asked, Found, look_up};
use crate::report::text::{counted, listed};

impl Doctor<'_> {
    pub(super) fn fixtures(&mut self) -> bool {
        let schema = &self.contract.fixtures;
        let mut wrong = schema.violations(&self.settings.fixtures);
        wrong.sort();
        for (at, message) in &wrong {
            let at = at.trim_start_matches('/').replace('/', ".");
            let text = if at.is_empty() { message.clone() } else { format!("{at}: {message}") };
            let advice = "`probity explain fixtures` tells what a target provides; `probity init` looks it up";
            self.add(Check::bad("fixtures", Exit::Usage, text, advice));
        }
        if wrong.is_empty() {
            let all = schema.json["properties"].as_object().into_iter().flatten();
            let missing = all.map(|(name, _)| name).filter(|name| self.settings.fixtures.get(*name).is_none());
            let missing: Vec<String> = missing.cloned().collect();
            let text = match &missing[..] {
                [] => "all that the contract asks for".to_owned(),
                missing => format!("as the contract asks; what needs {} is skipped", listed(missing)),
            };
            self.add(Check::good("fixtures", text));
        }
        wrong.is_empty()
    }

    pub(super) async fn lookups(&mut self) {
        if self.contract.lookup.steps.is_empty() {
            return self.add(Check::skipped("look-ups", "the contract names none"));
        }
        let given = &self.settings.fixtures;
        let found = look_up(&self.contract.lookup, &self.client, &self.contract.fixtures, given).await;
        let checks = confirm(given, &found);
        self.seen.checks.extend(checks);
    }
}

/// Whether what was found is what was given.
fn confirm(given: &Json, found: &Found) -> Vec<Check> {
    let (mut same, mut checks, mut unknown) = (0, Vec::new(), Vec::new());
    for (path, value) in leaves(given, String::new()) {
        match found.fixtures.pointer(&path) {
            Some(other) if *other == value => same += 1,
            Some(other) => {
                let text = format!("{} is {value}, the target says {other}", path[1..].replace('/', "."));
                let advice = "take what the target says, or see that the settings mean this target";
                checks.push(Check::bad("look-ups", Exit::Usage, text, advice));
            }
            None => unknown.push(path[1..].replace('/', ".")),
        }
    }
    if same > 0 {
        checks.push(Check::good("look-ups", format!("the target confirms {}", counted(same, "fixture"))));
    }
    let missed: Vec<String> = found.asked.iter().filter(|a| !a.is_answered()).map(Asked::line).collect();
    let few = missed.iter().take(3).map(String::as_str).chain((missed.len() > 3).then_some("…"));
    let why = if missed.is_empty() { String::new() } else { format!(" ({})", few.collect::<Vec<_>>().join("; ")) };
    if checks.is_empty() && missed.len() == found.asked.len() {
        checks.push(Check::skipped("look-ups", format!("the target answers none{why}")));
    } else if !unknown.is_empty() {
        checks.push(Check::skipped("look-ups", format!("not confirmed: {}{why}", listed(&unknown))));
    }
    checks
}

/// The values that are no objects, by JSON Pointer.
fn leaves(json: &Json, at: String) -> Vec<(String, Json)> {
    match json {
        Json::Object(map) => map
            .iter()
            .flat_map(|(k, v)| leaves(v, format!("{at}/{}", k.replace('~', "~0").replace('/', "~1"))))
            .collect(),
        other => vec![(at, other.clone())],
    }
}
