//! What may be there in a request or not, and which forms its body may take.

use crate::contract::Contract;
use crate::document::parameter::ParameterLocation;
use crate::generate::draw::{Form, forms, schema_of};
use crate::generate::parameter;
use crate::generate::parameter::is_key;
use crate::generate::values::object;

/// The parts of an operation's requests.
#[derive(Clone, Debug)]
pub(in crate::plan) struct Parts {
    /// Fields at the top of the body, then parameters.
    pub all: Vec<Part>,
    /// The forms of the body, the one to prefer first.
    pub forms: Vec<Form>,
}

/// A part of a request.
#[derive(Clone, Debug)]
pub(in crate::plan) struct Part {
    /// What it is.
    pub kind: Kind,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether no value of it is known, so that it is sent only where that is what is tried.
    pub unsure: bool,
}

/// What a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) enum Kind {
    /// A field at the top of the body, by name.
    Field(String),
    /// A parameter, by its place in the operation.
    Parameter(usize),
}

impl Parts {
    /// The parts of a contract's operation.
    pub fn new(contract: &Contract) -> Self {
        let operation = &contract.operation;
        let forms = forms(operation);
        let mut all: Vec<Part> = Vec::new();
        for schema in forms.iter().filter_map(|form| schema_of(operation, *form)) {
            for field in object::fields(&schema) {
                let kind = Kind::Field(field.name);
                match all.iter_mut().find(|p| p.kind == kind) {
                    Some(known) => known.optional |= !field.required,
                    None => all.push(Part { kind, optional: !field.required, unsure: false }),
                }
            }
        }
        for (i, parameter) in operation.parameters.iter().enumerate() {
            if parameter.location == ParameterLocation::Path || is_key(parameter) {
                continue;
            }
            all.push(Part {
                kind: Kind::Parameter(i),
                optional: !parameter.required,
                unsure: !parameter::is_known(parameter) && !contract.gives(parameter),
            });
        }
        Self { all, forms }
    }

    /// The places of the parts that may be there or not as it comes.
    pub fn optional(&self) -> Vec<usize> {
        let free = self.all.iter().enumerate().filter(|(_, part)| part.optional && !part.unsure);
        free.map(|(i, _)| i).collect()
    }

    /// The place of a field at the top of the body.
    pub fn field(&self, name: &str) -> Option<usize> {
        self.all.iter().position(|part| matches!(&part.kind, Kind::Field(n) if n == name))
    }

    /// All parts there, or none, or as chance has it; what is unsure is left out.
    pub fn presence(&self, there: Option<bool>) -> Vec<Option<bool>> {
        self.all.iter().map(|part| if part.unsure { Some(false) } else { there }).collect()
    }
}
