//! The inputs of workflows as fixtures: those with a default or an example have it in the cases, the others are asked for.

use std::cell::Cell;

use serde_json::{Map, Value as Json, json};

use super::cel::{Operand, constant, member};
use super::file::{Arazzo, Workflow};
use super::runtime::steps;
use super::{Notes, Trouble};
use crate::source::Result;

/// The inputs of one workflow.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    all: Vec<Input>,
    /// Whether there may be others, since their schema is not understood.
    is_open: bool,
}

#[derive(Debug)]
struct Input {
    name: String,
    /// What the fixture is called.
    fixture: String,
    schema: Json,
    default: Option<Json>,
    /// Whether an expression names it.
    is_used: Cell<bool>,
}

/// The fixtures of all workflows, by name.
#[derive(Debug, Default)]
pub(super) struct Fixtures {
    schemas: Map<String, Json>,
    asked: Vec<String>,
}

impl Fixtures {
    /// The JSON Schema of the fixtures.
    pub(super) fn schema(&self) -> Json {
        json!({ "type": "object", "properties": self.schemas })
    }

    /// Those that have to be asked for.
    pub(super) fn asked(&self) -> &[String] {
        &self.asked
    }

    /// Notes which inputs of a workflow have to be asked for: those without a value that an expression names.
    pub(super) fn ask(&mut self, inputs: &Inputs) {
        let wanted = inputs.all.iter().filter(|input| input.default.is_none() && input.is_used.get());
        for input in wanted {
            if !self.asked.contains(&input.fixture) {
                self.asked.push(input.fixture.clone());
            }
        }
    }

    /// Adds an input. Inputs of several workflows are one fixture where their schemas are the same.
    fn add(&mut self, workflow: &str, name: &str, mut schema: Json, default: Option<&Json>) -> String {
        if !schema.is_object() {
            schema = json!({});
        }
        if schema["description"].is_null() {
            let text = match default {
                Some(default) => format!("An input of the workflow {workflow}; without it, {default}"),
                None => format!("An input of the workflow {workflow}"),
            };
            schema["description"] = json!(text);
        }
        let plain = |schema: &Json| {
            let mut schema = schema.clone();
            schema.as_object_mut().map(|map| map.remove("description"));
            schema
        };
        let mut fixture = name.to_owned();
        while self.schemas.get(&fixture).is_some_and(|known| plain(known) != plain(&schema)) {
            fixture = format!("{workflow}_{fixture}");
        }
        self.schemas.entry(&fixture).or_insert(schema);
        fixture
    }
}

impl Inputs {
    /// Reads the inputs of a workflow.
    ///
    /// # Errors
    /// What is no schema.
    pub(super) fn read(
        arazzo: &Arazzo,
        workflow: &Workflow,
        fixtures: &mut Fixtures,
        notes: &mut Notes,
    ) -> Result<Self> {
        let Some(node) = workflow.node.get("inputs") else { return Ok(Self::default()) };
        let schema = match arazzo.resolved(node) {
            Ok(schema) => schema,
            Err(Trouble::Unsupported(why)) => {
                notes.add(node.error(format!("the inputs are taken from the fixtures as they are: {why}")));
                return Ok(Self { is_open: true, ..Self::default() });
            }
            Err(Trouble::Wrong(error)) => return Err(error),
        };
        if !schema.is_object() && !schema.is_boolean() {
            return Err(node.error(format!("`inputs` must be a JSON Schema, not {}", node.kind())));
        }
        if let Err(error) = jsonschema::validator_for(&schema) {
            let help = "the inputs are described by a JSON Schema, as in `{ type: object, properties: … }`";
            return Err(node.error(format!("`inputs` is not a JSON Schema: {error}")).help(help));
        }
        let mut properties = Map::new();
        let parts = schema["allOf"].as_array().into_iter().flatten().chain([&schema]);
        for part in parts {
            properties
                .extend(part["properties"].as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
        }
        // A default or an example for all of them.
        let whole = value_of(&schema);
        let mut all = Vec::new();
        for (name, schema) in properties {
            let default = value_of(&schema).or_else(|| whole.as_ref()?.get(&name).cloned());
            let fixture = fixtures.add(workflow.name(), &name, schema.clone(), default.as_ref());
            all.push(Input { name, fixture, schema, default, is_used: Cell::new(false) });
        }
        Ok(Self { all, is_open: false })
    }

    /// The value of an input, by what stands behind `$inputs.`.
    ///
    /// # Errors
    /// There is no such input, or what follows its name leads nowhere.
    pub(super) fn operand(&self, rest: &str) -> std::result::Result<Operand, String> {
        let fits = |input: &&Input| {
            rest.strip_prefix(&input.name).is_some_and(|after| after.is_empty() || after.starts_with(['.', '#', '[']))
        };
        let Some(input) = self.all.iter().filter(fits).max_by_key(|input| input.name.len()) else {
            let name = rest.split(['.', '#', '[']).next().unwrap_or(rest);
            let path = steps(&rest[name.len()..]).filter(|_| self.is_open).ok_or_else(|| name.to_owned())?;
            let whole = Operand::described(member("fixtures", name), Vec::new());
            return Ok(path.iter().fold(whole, |at, token| at.token(token)));
        };
        input.is_used.set(true);
        let base = match &input.default {
            Some(default) => Operand::described("fixtures", Vec::new()).member(&input.fixture).or(&constant(default)),
            None => member("fixtures", &input.fixture),
        };
        let whole = Operand::described(base, vec![input.schema.clone()]);
        let path = steps(&rest[input.name.len()..]).ok_or_else(|| rest.to_owned())?;
        Ok(path.iter().fold(whole, |at, token| at.token(token)))
    }

    /// The names of the inputs.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|input| input.name.as_str())
    }
}

/// The value that a schema shows: its default, its constant, or its first example.
fn value_of(schema: &Json) -> Option<Json> {
    let first = || schema["examples"].as_array().and_then(|all| all.first().cloned());
    let named = |key: &str| schema.get(key).cloned();
    named("default").or_else(|| named("const")).or_else(first).or_else(|| named("example"))
}
