//! What a client has to know of the world: tokens, and a settings file with everything that it provides.

use super::find;
use super::world::Household;
use crate::reference::seed_data;
use std::fmt::Write as _;

/// The environment variables that the settings name, with the token of each.
pub const TOKENS: &[(&str, &str)] = &[
    (seed_data::TOKENS[0].variable, seed_data::TOKENS[0].secret),
    (seed_data::TOKENS[1].variable, seed_data::TOKENS[1].secret),
    (seed_data::TOKENS[2].variable, seed_data::TOKENS[2].secret),
    (seed_data::TOKENS[3].variable, seed_data::TOKENS[3].secret),
];

/// The token in one of these variables.
pub fn token(variable: &str) -> Option<String> {
    TOKENS.iter().find(|(name, _)| *name == variable).map(|(_, token)| (*token).to_owned())
}

/// The `probity.toml` that fits a reference server at this address.
pub fn settings_toml(url: &str) -> String {
    let mut toml = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut toml, url);
    toml
}

/// A line for a shell that creates an opportunity, with the token in its variable.
pub fn curl_line(url: &str) -> String {
    let household = find::households(seed_data::CALLER.book_id).nth(1).map_or("", |household| household.id);
    format!(
        "curl -sS -X POST '{}/v1/households/{household}/opportunities' \\\n  -H \"Authorization: Bearer ${{{}}}\" \\\n  \
         -H 'Content-Type: application/json' \\\n  --data '{{\"name\": \"First one\", \"value\": 500000, \"probability\": 75}}'\n",
        url.trim_end_matches('/'),
        TOKENS[0].0,
    )
}

fn write(toml: &mut String, url: &str) -> std::fmt::Result {
    writeln!(toml, "[target]\nurl = \"{url}\"\n")?;
    for (identity, (variable, _)) in ["caller", "colleague", "read_only", "stranger"].iter().zip(TOKENS) {
        writeln!(toml, "[identities.{identity}]\ntoken = {{ env = \"{variable}\" }}\n")?;
    }

    let caller = &seed_data::CALLER;
    // The first household of the book is left for servers that always answer with it.
    // Of the others one of each type: what is provided twice costs requests and shows no more.
    let mut lent: Vec<&Household> = Vec::new();
    for household in find::households(caller.book_id).skip(1) {
        if lent.iter().all(|other| other.kind != household.kind) {
            lent.push(household);
        }
    }
    let defaults: Vec<&str> =
        lent.iter().filter_map(|h| find::default_pipeline(h.book_id, h.kind)).map(|pipeline| pipeline.id).collect();
    let foreign = seed_data::HOUSEHOLDS.iter().find(|household| household.book_id != caller.book_id);
    writeln!(toml, "[fixtures]")?;
    if let Some(household) = lent.first() {
        writeln!(toml, "household_id = \"{}\"", household.id)?;
    }
    if let Some(household) = foreign {
        writeln!(toml, "foreign_household_id = \"{}\"", household.id)?;
        if let Some(pipeline) = find::default_pipeline(household.book_id, household.kind) {
            writeln!(toml, "foreign_pipeline_id = \"{}\"", pipeline.id)?;
            writeln!(toml, "foreign_stage_id = \"{}\"", pipeline.stages[0].id)?;
        }
        writeln!(toml, "foreign_user_id = \"{}\"", household.advisor.id)?;
    }
    writeln!(toml, "caller_user_id = \"{}\"", caller.id)?;
    writeln!(toml, "colleague_user_id = \"{}\"", seed_data::COLLEAGUE.id)?;

    for household in lent {
        if let Some(pipeline) = find::default_pipeline(household.book_id, household.kind) {
            writeln!(toml, "\n[fixtures.households.{}]\npipeline_id = \"{}\"", household.id, pipeline.id)?;
        }
    }
    // And one pipeline that is nobody's default.
    let spare = find::pipelines(caller.book_id).find(|pipeline| !defaults.contains(&pipeline.id)).map(|p| p.id);
    for pipeline in find::pipelines(caller.book_id) {
        if !defaults.contains(&pipeline.id) && spare != Some(pipeline.id) {
            continue;
        }
        let stages: Vec<String> = pipeline.stages.iter().map(|stage| format!("\"{}\"", stage.id)).collect();
        writeln!(toml, "\n[fixtures.pipelines.{}]\nstage_ids = [{}]", pipeline.id, stages.join(", "))?;
    }
    Ok(())
}
