//! Writing `probity.toml`: the file that `init` begins, and the one that `explain settings` shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value as Json;
use toml::Value as Toml;

use crate::settings::keys::{KEYS, Key, SECTIONS, Section};
use crate::settings::{FILE, TOKEN_HELP};

/// How wide comments are, in columns.
const COLUMNS: usize = 110;

/// What a new file says.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    /// Values by their flags, see [`KEYS`].
    pub values: BTreeMap<&'static str, String>,
    /// Who calls: name, variable, and whether it is provided.
    pub identities: Vec<(String, String, bool)>,
    /// The JSON Schema of the fixtures that a contract asks for.
    pub schema: &'a Json,
    /// Those that are known.
    pub fixtures: &'a Json,
}

/// A new file: what is known stands there, all else in comments.
pub fn file(draft: &Draft<'_>) -> String {
    let mut text =
        format!("# {FILE}: where the target is, who calls it, and what it provides. `probity explain settings`\n");
    text += "# tells of every key, `probity doctor` whether it works. Tokens never stand in this file.\n";
    keys(&mut text, "target", |key| draft.values.get(key.flag).cloned());
    text += "\n# Who calls, and the variable that holds the token. The others stand in where the contract's cases name them.\n";
    for (name, variable, lent) in &draft.identities {
        let lines = format!("[identities.{}]\ntoken = {{ env = \"{variable}\" }}\n\n", bare(name));
        text += &if *lent { lines } else { commented(&lines) };
    }
    text += "# What the target provides. Runs create records there: see that all of it is meant for that. What is missing makes\n\
             # the requirements that need it `skipped`.\n";
    table(&mut text, &["fixtures".to_owned()], draft.schema, Some(draft.fixtures), true);
    keys(&mut text, "budget", |key| draft.values.get(key.flag).cloned());
    for section in SECTIONS.iter().filter(|s| !["identities", "fixtures", "targets"].contains(&s.table)) {
        text.push('\n');
        comment(&mut text, section.text);
        text += &commented(section.lines);
    }
    text
}

/// A file with every key that there is.
pub fn whole() -> String {
    let mut text = format!("# Every key of {FILE}; all but target.url may be left out.\n");
    for name in ["target", "budget"] {
        keys(&mut text, name, |key| Some(key.example.trim_matches('"').to_owned()));
    }
    for Section { text: about, lines, .. } in SECTIONS {
        text.push('\n');
        comment(&mut text, about);
        text += lines;
    }
    text
}

/// What a file cannot say, and what its values give way to.
pub fn beside() -> String {
    let mut text = "Each value comes from the first of these that gives it: the flag, the variable, the table of the\n\
                    target that --on names, the file's shared tables, the default.\n\nOnly on the command line, or in a \
                    variable:\n\n"
        .to_owned();
    for key in KEYS.iter().filter(|key| key.table.is_empty()) {
        let _ = writeln!(text, "  --{}, {}   {}", key.flag, key.variable(), key.text);
    }
    let _ = writeln!(text, "\nA token: {TOKEN_HELP}.");
    text
}

/// A table of single values: those that are given, the others as comments.
fn keys(text: &mut String, table: &str, given: impl Fn(&Key) -> Option<String>) {
    let keys = || KEYS.iter().filter(|key| key.table == table);
    let header = if keys().any(|key| given(key).is_some()) { "" } else { "# " };
    let _ = writeln!(text, "\n{header}[{table}]");
    for key in keys() {
        let default = match key.default.text() {
            "" => String::new(),
            default => format!("; default: {default}"),
        };
        comment(text, &format!("{} (--{}, {}{default})", key.sentence(), key.flag, key.variable()));
        let _ = match given(key) {
            // Whether it is quoted is told by the example.
            Some(value) if key.example.starts_with('"') => writeln!(text, "{} = {}", key.name, Toml::from(value)),
            Some(value) => writeln!(text, "{} = {value}", key.name),
            None => writeln!(text, "# {} = {}", key.name, key.example),
        };
    }
}

/// A table of fixtures, as a schema has it: single values first, then the tables below.
fn table(text: &mut String, path: &[String], schema: &Json, value: Option<&Json>, header: bool) {
    let mark = if value.is_some() { "" } else { "# " };
    if header {
        let names: Vec<String> = path.iter().map(|name| bare(name)).collect();
        let _ = writeln!(text, "{mark}[{}]", names.join("."));
    }
    let empty = serde_json::Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|r| r == name));
    for (name, property) in properties.iter().filter(|(_, property)| !is_table(property)) {
        let known = value.and_then(|value| value.get(name)).and_then(toml);
        let needed = if required(name) && known.is_none() && value.is_some() { " (required)" } else { "" };
        let about = property["description"].as_str().unwrap_or_default();
        comment(text, &format!("{about}{needed}"));
        let _ = match known {
            Some(known) => writeln!(text, "{} = {known}", bare(name)),
            None => writeln!(text, "# {} = {}", bare(name), example(property)),
        };
    }
    // What a schema says nothing of is kept all the same.
    let others = value.and_then(Json::as_object).into_iter().flatten();
    for (name, other) in others.filter(|(name, _)| !properties.contains_key(*name)) {
        if let Some(other) = toml(other) {
            let _ = writeln!(text, "{} = {other}", bare(name));
        }
    }
    for (name, property) in properties.iter().filter(|(_, property)| is_table(property)) {
        text.push('\n');
        comment(text, property["description"].as_str().unwrap_or_default());
        let below = |name: &str| path.iter().cloned().chain([name.to_owned()]).collect::<Vec<_>>();
        let known = value.and_then(|value| value.get(name));
        if property["properties"].is_object() {
            table(text, &below(name), property, known, true);
            continue;
        }
        let entries = known.and_then(Json::as_object).filter(|entries| !entries.is_empty());
        let item = &property["additionalProperties"];
        for (number, (entry, known)) in entries.into_iter().flatten().enumerate() {
            if number > 0 {
                text.push('\n');
            }
            let mut path = below(name);
            path.push(entry.clone());
            table(text, &path, item, Some(known), true);
        }
        if entries.is_none() {
            let mut path = below(name);
            path.push("ID".to_owned());
            table(text, &path, item, None, true);
        }
    }
}

/// Whether a fixture is written as a table.
fn is_table(schema: &Json) -> bool {
    schema["properties"].is_object() || schema["additionalProperties"]["properties"].is_object()
}

/// What may stand in the place of a fixture that is not known.
fn example(schema: &Json) -> String {
    match schema["type"].as_str() {
        Some("array") => format!("[{0}, {0}]", example(&schema["items"])),
        Some("integer" | "number") => "1".to_owned(),
        Some("boolean") => "true".to_owned(),
        Some("object") => "{}".to_owned(),
        _ => "\"…\"".to_owned(),
    }
}

/// A value in one line; None for null, which TOML lacks.
fn toml(json: &Json) -> Option<String> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(truth) => truth.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => Toml::from(text.as_str()).to_string(),
        Json::Array(items) => format!("[{}]", items.iter().filter_map(toml).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let entries = map.iter().filter_map(|(name, value)| Some(format!("{} = {}", bare(name), toml(value)?)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    })
}

/// A key, in quotes where it needs them.
fn bare(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(plain) {
        return name.to_owned();
    }
    // The escapes of JSON are also TOML's; one character more needs one.
    Json::from(name).to_string().replace('\u{7f}', "\\u007f")
}

fn comment(text: &mut String, about: &str) {
    let about = about.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in textwrap::wrap(&about, COLUMNS).iter().filter(|line| !line.is_empty()) {
        let _ = writeln!(text, "# {line}");
    }
}

fn commented(lines: &str) -> String {
    lines.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("# {line}\n") }).collect()
}
