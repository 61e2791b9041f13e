//! Whether a drawn value matches the keywords that no strategy was built for.

use chrono::DateTime;
use jsonschema::Validator;
use serde_json::{Map, Value as Json};

use crate::contract::template::{Template, When};
use crate::generate::instant::spell;
use crate::generate::memo::Memo;

/// Keywords that a strategy follows only in part, so that its values are checked.
const HARD: &[&str] = &[
    "allOf",
    "not",
    "if",
    "dependentRequired",
    "dependentSchemas",
    "contains",
    "minContains",
    "maxContains",
    "prefixItems",
    "propertyNames",
    "patternProperties",
    "minProperties",
    "maxProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
];

/// Marks alternatives of which exactly one must match.
pub const ONE_OF: &str = "x-one-of";

/// A schema, compiled to check values with.
#[derive(Clone, Debug)]
pub struct Check(std::sync::Arc<Validator>);

thread_local! {
    static COMPILED: Memo<Option<Check>> = Memo::default();
}

/// The check that values of a schema need in addition to its strategy; None if they match by construction.
pub fn needed(schema: &Json) -> Option<Check> {
    let map = schema.as_object()?;
    let hard = HARD.iter().any(|key| map.contains_key(*key))
        || map.contains_key(ONE_OF)
        || map.contains_key("const") && map.len() > 2;
    hard.then(|| Check::new(schema)).flatten()
}

impl Check {
    /// Compiles a schema; None if it is invalid.
    pub fn new(schema: &Json) -> Option<Self> {
        COMPILED.with(|all| all.of(schema, || Self::compiled(schema)))
    }

    fn compiled(schema: &Json) -> Option<Self> {
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .build(&as_written(schema))
            .ok()?;
        Some(Self(std::sync::Arc::new(validator)))
    }

    /// Whether a value matches the schema.
    pub fn allows(&self, value: &Json) -> bool {
        self.0.is_valid(value)
    }

    /// Whether a value that is not yet made will match the schema.
    pub fn keeps(&self, value: &Template) -> bool {
        self.0.is_valid(&sample(value))
    }
}

/// The schema with `oneOf` if its alternatives come from that.
fn as_written(schema: &Json) -> Json {
    match schema {
        Json::Object(map) => {
            let one_of = map.contains_key(ONE_OF);
            let name = |key: &String| if one_of && key == "anyOf" { "oneOf".to_owned() } else { key.clone() };
            map.iter()
                .map(|(key, value)| match key.as_str() {
                    // These are values, which contain no keywords.
                    "const" | "enum" | "default" | "examples" | "required" => (key.clone(), value.clone()),
                    _ => (name(key), as_written(value)),
                })
                .collect::<Map<_, _>>()
                .into()
        }
        Json::Array(items) => items.iter().map(as_written).collect(),
        other => other.clone(),
    }
}

/// A value as it might be sent. Instants are made for an arbitrary day; values that depend on the target are null.
pub fn sample(template: &Template) -> Json {
    match template {
        Template::Literal(json) => json.clone(),
        Template::Marked(text) => Json::from(text.clone()),
        Template::Unique { text, .. } => Json::from(text.clone()),
        Template::List(items) => items.iter().map(sample).collect(),
        Template::Object(entries) => entries.iter().map(|(k, t)| (k.clone(), sample(t))).collect::<Map<_, _>>().into(),
        Template::Instant { when: When::FromNow(distance), spelling } => {
            let some_day = DateTime::from_timestamp(4_000_000_000, 0).unwrap_or_default();
            Json::from(spell(some_day.checked_add_signed(*distance).unwrap_or(some_day), *spelling))
        }
        _ => Json::Null,
    }
}
