//! The JSON Schema of `probity.toml`, for editors.

use serde_json::{Map, Value as Json, json};

use super::file::FILE;
use super::keys::{self, KEYS, Key, LISTS, SECTIONS};
use crate::fields;

/// The schema. It has every key that the loader accepts, since both ask [`keys`].
pub fn schema() -> Json {
    let mut definitions = Map::new();
    let file = table("", &keys::in_file(), &mut definitions);
    let named = table("target", &keys::in_named_target(), &mut definitions);
    definitions.insert("named-target".to_owned(), named);
    fields::document(
        &format!("{FILE} of probity"),
        "Where the target is, who calls it, and what it provides.",
        file,
        definitions,
    )
}

/// The schema of a table with these entries: keys of it, or tables.
fn table(name: &str, entries: &[&str], definitions: &mut Map<String, Json>) -> Json {
    let properties = entries.iter().map(|entry| ((*entry).to_owned(), self::entry(name, entry, definitions)));
    let properties = properties.collect::<Vec<_>>().into_iter().collect();
    let about = if name.is_empty() { "The settings." } else { about(name) };
    fields::object(about, properties, &[])
}

fn about(table: &str) -> &'static str {
    match table {
        "target" => "Which server is checked, and how it is connected to.",
        _ => "What a run may cost.",
    }
}

fn entry(table: &str, name: &str, definitions: &mut Map<String, Json>) -> Json {
    if let Some(key) = KEYS.iter().find(|key| key.table == table && key.name == name) {
        return of_key(key);
    }
    if let Some(list) = LISTS.iter().find(|list| table == "target" && list.name == name) {
        let items = json!({ "type": "array", "items": { "type": "string" } });
        return fields::described(items, &format!("{}.", keys::sentence(list.text)));
    }
    match SECTIONS.iter().find(|section| section.table == name) {
        Some(section) => {
            let text = section.text.split_whitespace().collect::<Vec<_>>().join(" ");
            let schema = match &section.value {
                Some(value) => fields::of(value, definitions),
                None => json!({ "type": "object", "additionalProperties": { "$ref": "#/$defs/named-target" } }),
            };
            fields::described(schema, &text)
        }
        None if name == "target" => self::table("target", &keys::in_target(), definitions),
        None => self::table("budget", &keys::in_budget(), definitions),
    }
}

/// A single value, of the type that its example has.
fn of_key(key: &Key) -> Json {
    let example = key.example.trim_matches('"');
    let mut schema = match key.value {
        None => json!({ "type": "boolean" }),
        Some(_) if key.example.starts_with('"') => json!({ "type": "string", "examples": [example] }),
        Some(_) => json!({ "type": "integer", "minimum": 1, "examples": [example.parse::<u64>().unwrap_or(1)] }),
    };
    if key.value == Some("DURATION") {
        schema = json!({ "examples": [example] });
        schema.as_object_mut().into_iter().for_each(|schema| schema.extend(duration()));
    }
    let default = match key.default.text() {
        "" => String::new(),
        default => format!("; default: {default}"),
    };
    fields::described(schema, &format!("{} (--{}, {}{default}).", key.sentence(), key.flag, key.variable()))
}

fn duration() -> Map<String, Json> {
    match fields::of(&fields::DURATION, &mut Map::new()) {
        Json::Object(schema) => schema,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::settings::{Overrides, Settings, write};
    use crate::source::Source;

    fn json(text: &str) -> Json {
        serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
    }

    /// Whether the loader knows all keys; values are not its concern here.
    fn knows(text: &str) -> bool {
        let source = Source::new(FILE, text);
        match Settings::read(Some(Arc::clone(&source)), &Overrides::default(), &|name| {
            (name == "PROBITY_TOKEN").then(|| "t".to_owned())
        }) {
            Ok(_) => true,
            Err(error) => !error.to_string().contains("unknown key"),
        }
    }

    #[test]
    fn the_file_with_every_key_fits() {
        let validator = jsonschema::draft202012::new(&schema()).unwrap();
        let file = json(&write::whole());
        let errors: Vec<String> = validator.iter_errors(&file).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }

    #[test]
    fn what_the_loader_refuses_the_schema_does_too() {
        let schema = schema();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let target = "[target]\nurl = \"http://x\"\n";
        let tables =
            ["", "[budget]", "[cleanup]\npath = \"/x\"", "[targets.a]", "[targets.a.budget]", "[identities.a]"];
        for table in tables {
            let text = format!("{target}{table}\nwrong_key = 1\n");
            let text = if table.is_empty() { format!("wrong_key = 1\n{target}") } else { text };
            assert!(!knows(&text), "{text}");
            assert!(!validator.is_valid(&json(&text)), "{text}");
        }
        for secret in ["{ env = \"A\", ttl = \"5s\" }", "{ file = \"a\", env = \"A\" }", "{ path = \"a\" }", "\"a\""] {
            let text = format!("{target}[identities.caller]\ntoken = {secret}\n");
            assert!(Settings::read(Some(Source::new(FILE, text.as_str())), &Overrides::default(), &|_| None).is_err());
            assert!(!validator.is_valid(&json(&text)), "{text}");
        }
    }
}
