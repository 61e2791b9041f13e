//! The operations of the document that the steps of a contract call besides its own.

use std::sync::Arc;

use super::of_document::{bare, choose};
use super::requirement::{Always, Form, Requirement};
use super::{Contract, patterns};
use crate::document::Document;
use crate::document::operation::Operation;
use crate::expression::Defines;
use crate::source::{Result, did_you_mean};
use crate::yaml::Node;

/// The contracts of the operations that `operations` names, without those that its requirements would be. The contract's
/// own operation is not among them.
///
/// # Errors
/// What is no pattern, or fits no operation.
pub(super) fn read(
    node: Option<&Node>,
    document: &Document,
    own: &Operation,
    hash: &str,
    (defines, callers): (&Arc<Defines>, &[String]),
) -> Result<Vec<Contract>> {
    let Some(node) = node else { return Ok(Vec::new()) };
    let mut wanted = vec![false; document.entries().len()];
    for one in node.sequence("`operations`")? {
        let pattern = one.string("an operation")?;
        let set = patterns::set(&[patterns::of_operation(pattern)]).map_err(|e| one.error(e.title().to_owned()))?;
        let fits = choose(document, &set);
        if !fits.contains(&true) {
            let error = one.error(format!("no operation of the document matches `{pattern}`"));
            let ids = document.entries().iter().map(|entry| entry.id.as_str());
            return Err(match did_you_mean(pattern, ids) {
                Some(help) => error.help(help),
                None => error,
            });
        }
        wanted.iter_mut().zip(fits).for_each(|(wanted, fits)| *wanted |= fits);
    }
    let chosen = document.entries().iter().zip(wanted).filter(|(_, wanted)| *wanted).map(|(entry, _)| entry);
    let others = chosen.filter(|entry| (entry.method.as_str(), entry.path.as_str()) != (&own.method, &own.path));
    let contract = |entry| {
        let operation = document.read_operation(entry);
        let callers = callers.to_vec();
        Ok(Contract { defines: Arc::clone(defines), callers, ..bare(document, operation, hash)? })
    };
    others.map(contract).collect()
}

/// What every exchange of the operations that these cases call must meet. That a valid request is accepted is left to the
/// scenarios: they ask for records that are not there on purpose.
pub(super) fn requirements(called: &[Contract], document: &Document, cases: &[Requirement]) -> Vec<Requirement> {
    let is_called = |(place, _): &(usize, &Contract)| cases.iter().any(|case| case.form.calls(*place));
    let of = |(place, contract): (usize, &Contract)| {
        let prefix = super::of_document::prefix(document, &contract.operation);
        let mut all = super::derive::requirements(&contract.operation);
        super::ids::tell_apart(&mut all);
        let of_all = all.into_iter().filter_map(move |requirement| {
            let always = requirement.form.always().filter(|always| *always != Always::ValidAccepted)?;
            let id = format!("{prefix}/{}", requirement.id);
            Some(Requirement { id, form: Form::Called(place, always), ..requirement })
        });
        of_all.collect::<Vec<_>>()
    };
    called.iter().enumerate().filter(is_called).flat_map(of).collect()
}
