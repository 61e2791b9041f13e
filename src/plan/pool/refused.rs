//! Why no valid request can be made: the field, the keyword and the line.

use proptest::strategy::{Strategy, ValueTree};
use serde_json::Value as Json;

use super::draw::draws;
use super::{Planner, Shape};
use crate::generate::draw::{parameter_values, schema_of};
use crate::generate::seed::Seed;
use crate::generate::values::{alternatives, values};
use crate::judge::classify::Class;
use crate::schema::POINTER;
use crate::source::Diagnostic;

/// How many requests are looked at.
const LOOKS: u64 = 20;

/// Keywords for which a value may not be found, the likeliest first.
const CULPRITS: &[&str] = &[
    "pattern",
    "not",
    "if",
    "contains",
    "propertyNames",
    "patternProperties",
    "dependentRequired",
    "dependentSchemas",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "unevaluatedProperties",
    "allOf",
    "anyOf",
    "enum",
    "format",
    "minLength",
    "minimum",
];

impl Planner<'_> {
    /// What to say where no valid request of the smallest shape, or of any other, was found.
    pub(super) fn refused(&self, shape: &Shape) -> Box<Diagnostic> {
        let operation = &self.judge.contract.operation;
        if let Some(obstacle) = operation.obstacle() {
            return Box::new(obstacle.message.clone());
        }
        for parameter in operation.parameters.iter().filter(|p| p.required && !self.judge.contract.gives(p)) {
            if parameter_values(parameter).new_tree(&mut Seed(0).runner("refused", 0)).is_err() {
                let what = format!("the {} parameter `{}`", parameter.location.name(), parameter.name);
                let keyword = culprit(parameter.schema.json());
                return parameter
                    .place
                    .error(format!("no value was found for {what} that keeps its {keyword}"))
                    .label("of this parameter")
                    .help(format!(
                        "give an `example` in the document, or values under `values: {}:` in contract.yaml",
                        parameter.location.name()
                    ));
            }
        }
        let schema = self.parts.forms.first().and_then(|form| schema_of(operation, *form));
        if let Some((field, part)) = schema.as_ref().and_then(|schema| undrawable(schema, "")) {
            return self.undrawn(&field, &part);
        }
        let mut reasons: Vec<String> = Vec::new();
        let strategy = draws(self.judge, &self.parts, shape);
        for n in 0..LOOKS {
            let Ok(tree) = strategy.new_tree(&mut self.seed.runner("pool/minimal", n)) else { continue };
            let recipe = crate::generate::draft::assemble(
                self.judge.contract,
                self.judge.fixtures,
                &tree.current(),
                &shape.choice,
                self.now,
            );
            reasons.extend(self.class(&recipe).map(|(_, class)| self.reason(&class)));
        }
        reasons.sort();
        let count = |reason: &String| reasons.iter().filter(|r| *r == reason).count();
        let most = reasons.iter().max_by_key(|r| count(r)).cloned();
        let error = Diagnostic::new("no valid request can be made from the contract and the fixtures");
        match most {
            Some(reason) => error.help(format!("of what was tried, most is not valid because {reason}")),
            None => error.help(
                "check that the fixtures name an id for every path parameter, and that no constraint excludes all",
            ),
        }
    }

    fn reason(&self, class: &Class) -> String {
        let id = |i: &usize| self.judge.contract.requirements[*i].id.clone();
        match class {
            Class::Broken(parts) => {
                format!("it breaks {}", parts.iter().map(id).collect::<Vec<_>>().join(" and "))
            }
            Class::BrokenTwice => "it breaks the document in several places".to_owned(),
            Class::Open(reason) | Class::Doubtful(reason) => format!("that is left open: {reason}"),
            Class::Valid => "it is".to_owned(),
        }
    }

    /// No value of a part of the body was found.
    fn undrawn(&self, field: &str, part: &Json) -> Box<Diagnostic> {
        let field = if field.is_empty() { "the body".to_owned() } else { format!("`{field}`") };
        let keyword = culprit(part);
        let said = part.get(keyword).filter(|v| v.is_string()).map_or(String::new(), |v| format!(" {v}"));
        let title = format!("no value was found for {field} that keeps its {keyword}{said}");
        let pointer = part["x-pointers"][keyword].as_str().map(str::to_owned);
        let pointer = pointer.or_else(|| Some(format!("{}/{keyword}", part[POINTER].as_str()?)));
        let help = "give an `example` in the document, or values under `values: body:` in contract.yaml";
        match pointer {
            Some(pointer) => self.judge.contract.operation.place_of(&pointer).error(title).label("of this").help(help),
            None => Diagnostic::new(title).help(help),
        }
    }
}

/// The deepest part of a schema that a request needs and of which no value is found, with its field.
fn undrawable(schema: &Json, field: &str) -> Option<(String, Json)> {
    if values(schema).new_tree(&mut Seed(0).runner("refused", 0)).is_ok() {
        return None;
    }
    let required = schema["properties"].as_object().into_iter().flatten();
    let required = required.filter(|(name, _)| crate::generate::values::object::is_required(schema, name));
    let below = required.map(|(name, below)| (format!("{field}/{}", crate::yaml::escape(name)), below));
    let items = Some(&schema["items"]).filter(|items| items.is_object()).map(|items| (format!("{field}/0"), items));
    let deeper = below.chain(items).find_map(|(field, below)| undrawable(below, &field));
    let choice = || alternatives(schema).iter().find_map(|alternative| undrawable(alternative, field));
    deeper.or_else(choice).or_else(|| Some((field.to_owned(), schema.clone())))
}

fn culprit(schema: &Json) -> &'static str {
    CULPRITS.iter().find(|key| schema.get(**key).is_some()).copied().unwrap_or("type")
}
