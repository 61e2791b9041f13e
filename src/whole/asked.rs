//! What of a check is asked for, and what is called for the sake of that.

use super::laws;
use super::order::shape;
use super::resources::{Resource, creates_in, needs, resources};
use crate::contract::Contract;
use crate::contract::requirement::Law;

/// What of a check is asked for, by the places of the operations.
pub(super) struct Asked {
    /// The resources of the API.
    pub resources: Vec<Resource>,
    /// Which requirements.
    pub selected: Vec<Vec<bool>>,
    /// The laws among them.
    pub laws: Vec<Vec<(usize, Law)>>,
    /// Whether an operation is called, be it for the sake of others.
    pub needed: Vec<bool>,
}

impl Asked {
    pub fn new(contracts: &[Contract], selected: impl Fn(&Contract) -> Vec<bool>) -> Self {
        let selected: Vec<Vec<bool>> = contracts.iter().map(selected).collect();
        let resources = resources(contracts);
        let of = |(contract, selected): (&Contract, &Vec<bool>)| laws::of_contract(&contract.requirements, selected);
        let laws: Vec<Vec<(usize, Law)>> = contracts.iter().zip(&selected).map(of).collect();
        let has_laws = |at: usize| !laws[at].is_empty();
        let mut called: Vec<usize> = (0..contracts.len()).filter(|at| selected[*at].contains(&true)).collect();
        for resource in &resources {
            let all = || resource.updates.iter().copied().chain([resource.read]).chain(resource.delete);
            if all().any(has_laws) {
                called.extend(resource.create.into_iter().chain([resource.read]));
            }
        }
        for list in (0..contracts.len())
            .filter(|at| laws[*at].iter().any(|(_, l)| matches!(l, Law::Listed | Law::Limit(_) | Law::Filter(_))))
        {
            let path = shape(&contracts[list].operation.path);
            called.extend(contracts.iter().position(|c| creates_in(&c.operation, &path)));
        }
        let above: Vec<usize> = called.iter().flat_map(|at| needs(contracts, *at)).collect();
        called.extend(above);
        // What is created is removed again.
        let is_created = |r: &&Resource| r.create.is_some_and(|create| called.contains(&create));
        let deletes: Vec<usize> = resources.iter().filter(is_created).filter_map(|r| r.delete).collect();
        called.extend(deletes);
        let mut needed: Vec<bool> = (0..contracts.len()).map(|at| has_laws(at) || called.contains(&at)).collect();
        for at in called {
            needs(contracts, at).into_iter().for_each(|other| needed[other] = true);
        }
        Self { resources, selected, laws, needed }
    }
}
