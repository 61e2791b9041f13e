//! Objects and maps.

use std::borrow::Cow;

use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use serde_json::{Map, Value as Json, json};

use super::check::Check;
use super::optional::{Optional, Part, is_compound, may_fail};
use super::values;
use crate::contract::template::Template;
use crate::generate::string;

/// A property that an object may have.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its schema.
    pub schema: Json,
    /// Whether it is required.
    pub required: bool,
}

/// Whether a property is required.
pub fn is_required(schema: &Json, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|r| r.iter().any(|n| n == name))
}

/// The properties that a schema names anywhere: as properties, as required ones, in conditions.
pub fn fields(schema: &Json) -> Vec<Field> {
    let mut all: Vec<Field> = Vec::new();
    let mut add = |name: &str, below: &Json, required: bool| match all.iter_mut().find(|f| f.name == name) {
        // Of two schemas, the more detailed one is more likely to be matched; the result is checked anyway.
        Some(known) if known.schema == json!({}) || known.schema == json!(true) => known.schema = below.clone(),
        Some(_) => {}
        None if *below == json!(false) => {}
        None => all.push(Field { name: name.to_owned(), schema: below.clone(), required }),
    };
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        add(name, below, is_required(schema, name));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
        add(name, &unnamed(schema, name), true);
    }
    let conditional = ["then", "else", "if"].into_iter().filter_map(|key| schema.get(key));
    let dependent = schema["dependentSchemas"].as_object().into_iter().flatten().map(|(_, s)| s);
    for part in conditional.chain(dependent) {
        for (name, below) in part["properties"].as_object().into_iter().flatten() {
            add(name, below, false);
        }
        for name in part["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            add(name, &unnamed(schema, name), false);
        }
    }
    for (_, names) in schema["dependentRequired"].as_object().into_iter().flatten() {
        for name in names.as_array().into_iter().flatten().filter_map(Json::as_str) {
            add(name, &unnamed(schema, name), false);
        }
    }
    all
}

/// A schema's subschema for a property that is not among its `properties`.
pub fn unnamed(schema: &Json, name: &str) -> Json {
    for (pattern, below) in schema["patternProperties"].as_object().into_iter().flatten() {
        if string::Pattern::new(pattern).is_in(name) {
            return below.clone();
        }
    }
    match schema.get("additionalProperties") {
        Some(below @ Json::Object(_)) => below.clone(),
        _ => json!({}),
    }
}

/// Two schemas of one value as one: if both have a keyword, the second's counts. Values drawn from it are checked.
pub fn beside(one: &Json, other: &Json) -> Json {
    match (one, other) {
        (Json::Object(one), Json::Object(other)) => {
            let mut both = one.clone();
            both.extend(other.clone());
            both.into()
        }
        (Json::Object(_), _) => one.clone(),
        _ => other.clone(),
    }
}

/// Objects of a schema; `presence` may force optional properties in or out.
pub fn objects(schema: &Json, presence: &dyn Fn(&str) -> Option<bool>) -> BoxedStrategy<Template> {
    let fields = fields(schema);
    // Presence comes first: shrinking gains most by leaving out properties first.
    let present: Vec<BoxedStrategy<bool>> = fields
        .iter()
        .map(|field| match presence(&field.name) {
            _ if field.required => Just(true).boxed(),
            Some(false) => Just(false).boxed(),
            // It shrinks to absence.
            Some(true) => prop::bool::weighted(1.0).boxed(),
            None => any::<bool>().boxed(),
        })
        .collect();
    let drawn: Vec<BoxedStrategy<Part>> = fields
        .iter()
        .map(|field| match !field.required && (is_compound(&field.schema) || may_fail(&field.schema)) {
            true => Optional::of(&field.schema).boxed(),
            false => values(&hinted(&field.name, &field.schema)).prop_map(Part::Ready).boxed(),
        })
        .collect();
    let rules = Rules::new(schema, fields);
    match more(schema, &rules) {
        None => (present, drawn).prop_map(move |(present, values)| rules.object(present, values, Vec::new())).boxed(),
        Some(more) => {
            (present, drawn, more).prop_map(move |(present, values, more)| rules.object(present, values, more)).boxed()
        }
    }
}

/// A text without a form, whose name says that it is an address: a server may take nothing else.
fn hinted<'a>(name: &str, schema: &'a Json) -> Cow<'a, Json> {
    let is_free = schema["type"] == "string"
        && ["format", "pattern", "enum", "const", "examples", "default", "minLength"]
            .iter()
            .all(|key| schema.get(*key).is_none());
    if !is_free || !name.to_lowercase().ends_with("email") {
        return Cow::Borrowed(schema);
    }
    let mut hinted = schema.clone();
    hinted["format"] = json!("email");
    Cow::Owned(hinted)
}

/// Which properties an object may have together.
#[derive(Clone, Debug)]
struct Rules {
    fields: Vec<Field>,
    /// If the first is present, the second must be.
    dependent: Vec<(usize, usize)>,
    least: usize,
    most: usize,
}

impl Rules {
    fn new(schema: &Json, fields: Vec<Field>) -> Self {
        let place = |name: &str| fields.iter().position(|f| f.name == name);
        let mut dependent = Vec::new();
        for (name, others) in schema["dependentRequired"].as_object().into_iter().flatten() {
            let others = others.as_array().into_iter().flatten().filter_map(Json::as_str);
            dependent.extend(others.filter_map(|other| Some((place(name)?, place(other)?))));
        }
        for (name, part) in schema["dependentSchemas"].as_object().into_iter().flatten() {
            let others = part["required"].as_array().into_iter().flatten().filter_map(Json::as_str);
            dependent.extend(others.filter_map(|other| Some((place(name)?, place(other)?))));
        }
        let bound = |key: &str| schema[key].as_u64().and_then(|n| usize::try_from(n).ok());
        let (least, most) = (bound("minProperties").unwrap_or(0), bound("maxProperties").unwrap_or(usize::MAX));
        Self { fields, dependent, least, most }
    }

    fn object(&self, mut present: Vec<bool>, values: Vec<Part>, more: Vec<(String, Template)>) -> Template {
        let mut changed = true;
        while changed {
            changed = false;
            for (one, other) in &self.dependent {
                if present[*one] && !present[*other] {
                    present[*other] = true;
                    changed = true;
                }
            }
        }
        let count = |present: &[bool]| present.iter().filter(|p| **p).count();
        let mut place = present.len();
        while count(&present) > self.most && place > 0 {
            place -= 1;
            present[place] &= self.fields[place].required;
        }
        let missing = self.least.saturating_sub(count(&present) + more.len());
        let is_spare = |i: &usize| !present[*i] && values[*i].get().is_some();
        let absent: Vec<usize> = (0..present.len()).filter(is_spare).take(missing).collect();
        absent.into_iter().for_each(|i| present[i] = true);
        let room = self.most.saturating_sub(count(&present));
        let named = self.fields.iter().map(|f| f.name.clone()).zip(values).zip(present);
        let mut entries: Vec<(String, Template)> =
            named.filter(|(_, present)| *present).filter_map(|((name, part), _)| Some((name, part.get()?))).collect();
        for (name, value) in more.into_iter().take(room) {
            if !entries.iter().any(|(known, _)| *known == name) {
                entries.push((name, value));
            }
        }
        Template::Object(entries)
    }
}

/// Further properties of a map, by name; None if the schema does not describe any.
fn more(schema: &Json, rules: &Rules) -> Option<BoxedStrategy<Vec<(String, Template)>>> {
    let closed = schema["additionalProperties"] == json!(false);
    let patterns = schema["patternProperties"].as_object().filter(|p| !p.is_empty());
    let wanted = rules.least.saturating_sub(rules.fields.len());
    let is_map = schema["additionalProperties"].is_object() || patterns.is_some();
    if !is_map && (wanted == 0 || closed) {
        return None;
    }
    let names: Vec<(BoxedStrategy<String>, Json)> = match patterns {
        Some(patterns) => patterns
            .iter()
            .map(|(pattern, below)| (string::strings(&json!({ "type": "string", "pattern": pattern })), below.clone()))
            .collect(),
        None => {
            let default = json!({"type": "string", "pattern": "^[a-z]{1,8}[0-9]?$"});
            let own = schema.get("propertyNames").filter(|n| n.is_object());
            let own = own.map(|n| beside(&json!({"type": "string"}), n));
            vec![(string::strings(own.as_ref().unwrap_or(&default)), unnamed(schema, ""))]
        }
    };
    let entry = proptest::strategy::Union::new(names.into_iter().map(|(name, below)| (name, values(&below)).boxed()));
    let most = rules.most.min(wanted + 3);
    // More are drawn than are needed, since duplicates are removed.
    Some(proptest::collection::vec(entry, wanted..=most.max(wanted) + wanted.min(3)).boxed())
}

/// The first names that a map may have but does not, for one property too many.
pub fn further_names(schema: &Json, taken: &Map<String, Json>, how_many: usize) -> Vec<String> {
    let check = schema.get("propertyNames").and_then(Check::new);
    let allowed = |name: &String| check.as_ref().is_none_or(|c| c.allows(&json!(name)));
    let drawn = schema["patternProperties"].as_object().into_iter().flatten().filter_map(|(pattern, _)| {
        use proptest::strategy::ValueTree;
        let strategy = string::strings(&json!({ "type": "string", "pattern": pattern }));
        Some(strategy.new_tree(&mut crate::generate::seed::Seed(0).runner("names", 0)).ok()?.current())
    });
    let named = schema.get("propertyNames").filter(|names| names.is_object()).into_iter().flat_map(|names| {
        use proptest::strategy::ValueTree;
        let strategy = string::strings(names);
        let draw = move |n| {
            let mut runner = crate::generate::seed::Seed(0).runner("named", n);
            Some(strategy.new_tree(&mut runner).ok()?.current())
        };
        (0..50).filter_map(draw).collect::<std::collections::BTreeSet<String>>()
    });
    let numbered = (1..).map(|n| format!("more{n}")).take(100 + how_many);
    drawn
        .chain(named)
        .chain(numbered)
        .filter(|name| !taken.contains_key(name) && schema["properties"].get(name).is_none() && allowed(name))
        .take(how_many)
        .collect()
}
