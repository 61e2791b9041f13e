//! What a request names beside its path and body, such as a tenant in a header: the record that it creates, or answers with,
//! is known there and perhaps nowhere else.

use serde_json::Value as Json;
use url::form_urlencoded;

use crate::contract::template::Template;
use crate::document::operation::Operation;
use crate::document::parameter::{Parameter, ParameterLocation};
use crate::exchange::Request;
use crate::generate::draft::Draft;
use crate::generate::parameter::is_key;
use crate::generate::values::type_of;

/// The headers and the query of a request, as far as its operation describes them: records may be known in one partition and
/// not in another.
#[derive(Clone, Debug, Default)]
pub(super) struct Partition(Vec<(ParameterLocation, String, Option<String>)>);

impl Partition {
    pub(super) fn of(operation: &Operation, request: &Request) -> Self {
        let query = request.path.split_once('?').map_or("", |(_, query)| query);
        let in_query = |name: &str| {
            let mut all = form_urlencoded::parse(query.as_bytes());
            all.find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
        };
        let value = |p: &Parameter| match p.location {
            ParameterLocation::Header => Some(request.header(&p.name).map(str::to_owned)),
            ParameterLocation::Query => Some(in_query(&p.name)),
            _ => None,
        };
        // Lists and objects are written in many ways.
        let is_single = |p: &&Parameter| !["array", "object"].contains(&type_of(p.schema.json()));
        let all = operation.parameters.iter().filter(|p| !is_key(p)).filter(is_single);
        Self(all.filter_map(|p| Some((p.location, p.name.clone(), value(p)?))).collect())
    }

    /// What it says of a parameter of another operation: None if it does not know it, else its value if it was sent.
    fn says(&self, parameter: &Parameter) -> Option<Option<&str>> {
        let is_it = |(location, name, _): &&(ParameterLocation, String, Option<String>)| {
            let by_case = *location != ParameterLocation::Header;
            *location == parameter.location
                && (*name == parameter.name || !by_case && name.eq_ignore_ascii_case(&parameter.name))
        };
        self.0.iter().find(is_it).map(|(.., value)| value.as_deref())
    }

    /// The values for what an operation requires: location, name and value of each parameter.
    pub(super) fn values(&self, operation: &Operation) -> Vec<(ParameterLocation, String, Json)> {
        let required = operation.parameters.iter().filter(|p| p.required);
        required.filter_map(|p| Some((p.location, p.name.clone(), self.says(p)??.into()))).collect()
    }

    /// Makes a request of an operation name the same; what was not sent is left out.
    pub(super) fn apply(&self, draft: &mut Draft, operation: &Operation) {
        for parameter in &operation.parameters {
            let Some(value) = self.says(parameter).filter(|value| value.is_some() || !parameter.required) else {
                continue;
            };
            let list = match parameter.location {
                ParameterLocation::Header => &mut draft.headers,
                _ => &mut draft.query,
            };
            list.retain(|(name, _)| !name.eq_ignore_ascii_case(&parameter.name));
            list.extend(value.map(|value| (parameter.name.clone(), Template::Literal(value.into()))));
        }
    }
}
