//! What will be tried of a document, before anything is sent.

use super::Whole;
use super::order::{Phase, makes};
use super::records::givers;
use crate::contract::Contract;
use crate::document::operation::Operation;
use crate::document::parameter::ParameterLocation;
use crate::generate::parameter::is_known;
use crate::generate::seed::Seed;
use crate::plan::{self, EXAMPLES, Selection};
use crate::session::{fit, planned};

/// What will be tried of an operation.
#[derive(Clone, Debug)]
pub struct Outline {
    /// Its id.
    pub operation: String,
    /// In capitals.
    pub method: String,
    /// The path with its parameters in braces.
    pub path: String,
    /// When it is tried.
    pub phase: Phase,
    /// How many requests it takes on a server that passes; why it is not tried, if so.
    pub requests: Result<u64, String>,
    /// The path parameters, and where the value of each comes from.
    pub values: Vec<(String, String)>,
    /// What is not supported, one line for each part.
    pub unsupported: Vec<String>,
}

impl Whole {
    /// The seed.
    pub fn seed(&self) -> u64 {
        self.options.seed.unwrap_or_default()
    }

    /// What will be tried, in this order.
    pub fn outlines(&self) -> Vec<Outline> {
        let mut called: Vec<&Operation> = Vec::new();
        let mut all = Vec::new();
        for contract in &self.contracts {
            let outline = self.outline(contract, &called);
            if outline.requests.is_ok() {
                called.push(&contract.operation);
            }
            all.push(outline);
        }
        all
    }

    fn outline(&self, contract: &Contract, operations: &[&Operation]) -> Outline {
        let operation = &contract.operation;
        let phase = Phase::of(operation, &self.paths);
        let ours = phase != Phase::Read;
        let is_made = phase == Phase::Create && makes(operation);
        let given = givers(operation, operations, ours);
        let mut unknown = Vec::new();
        let mut source = |name: &str, known: bool| {
            let fixture = self.fixture(operation, name, ours).is_some();
            match given.iter().find(|(parameter, _)| parameter == name) {
                _ if fixture => "from the fixtures".to_owned(),
                Some((_, giver)) => format!("from what {} answers", giver.id),
                None if known && !ours => "from the document".to_owned(),
                None if is_made => "a new name".to_owned(),
                None => {
                    unknown.push(format!("`{name}`"));
                    "guessed".to_owned()
                }
            }
        };
        let values = operation.parameters_in(ParameterLocation::Path);
        let values: Vec<_> = values.map(|p| (p.name.clone(), source(&p.name, is_known(p)))).collect();
        let requests = match self.withheld(operation, phase) {
            Some(reason) => Err(reason),
            None if ours && !unknown.is_empty() => {
                Err(format!("no operation that is called creates a record for {} in its path", unknown.join(" and ")))
            }
            None => self.requests(contract, phase),
        };
        Outline {
            operation: operation.id.clone(),
            method: operation.method.clone(),
            path: operation.path.clone(),
            phase,
            requests,
            values,
            unsupported: operation.unsupported_lines(),
        }
    }

    fn requests(&self, contract: &Contract, phase: Phase) -> Result<u64, String> {
        let selected = self.selected(contract);
        let ids = contract.requirements.iter().zip(&selected).filter(|(_, s)| **s).map(|(r, _)| r.id.clone()).collect();
        if !selected.contains(&true) {
            return Err("not asked for".to_owned());
        }
        let fixtures = self.settings.fixtures(contract);
        let options = plan::Options {
            seed: Seed(self.seed()),
            examples: self.options.examples.unwrap_or(EXAMPLES),
            selection: Selection::default().exactly(ids),
        };
        let now = self.clock.local();
        let plan = planned(contract, &fixtures, &self.settings, self.options.examples, options, now);
        let mut plan = plan.map_err(|error| error.title().to_owned())?;
        if phase == Phase::Destroy {
            return Ok(1);
        }
        if self.options.quick {
            plan.quicken(contract, self.most_requests().unwrap_or_default() / (self.contracts.len() as u64).max(1));
        }
        let share = self.shares.get(&contract.operation.id).copied();
        fit(&mut plan, contract, &self.settings, self.options.examples, share);
        Ok(plan.requests() as u64)
    }
}
