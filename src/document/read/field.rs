//! The fixed fields of OpenAPI's objects.

use crate::document::version::Version;
use crate::schema::notes::Problems;
use crate::schema::registry::Located;
use crate::source::did_you_mean;

/// Names of fields, and the version that introduced each.
pub(super) type Fields = &'static [(&'static str, Version)];

use Version::{V30, V31, V32};

pub(super) const OPERATION: Fields = &[
    ("tags", V30),
    ("summary", V30),
    ("description", V30),
    ("externalDocs", V30),
    ("operationId", V30),
    ("parameters", V30),
    ("requestBody", V30),
    ("responses", V30),
    ("callbacks", V30),
    ("deprecated", V30),
    ("security", V30),
    ("servers", V30),
];
pub(super) const PARAMETER: Fields = &[
    ("name", V30),
    ("in", V30),
    ("description", V30),
    ("required", V30),
    ("deprecated", V30),
    ("allowEmptyValue", V30),
    ("style", V30),
    ("explode", V30),
    ("allowReserved", V30),
    ("schema", V30),
    ("example", V30),
    ("examples", V30),
    ("content", V30),
];
pub(super) const REQUEST_BODY: Fields = &[("description", V30), ("content", V30), ("required", V30)];
pub(super) const MEDIA_TYPE: Fields = &[
    ("schema", V30),
    ("example", V30),
    ("examples", V30),
    ("encoding", V30),
    ("itemSchema", V32),
    ("prefixEncoding", V32),
    ("itemEncoding", V32),
    ("description", V32),
];
pub(super) const ENCODING: Fields = &[
    ("contentType", V30),
    ("headers", V30),
    ("style", V30),
    ("explode", V30),
    ("allowReserved", V30),
    ("encoding", V32),
    ("prefixEncoding", V32),
    ("itemEncoding", V32),
];
pub(super) const RESPONSE: Fields =
    &[("description", V30), ("summary", V32), ("headers", V30), ("content", V30), ("links", V30)];
pub(super) const HEADER: Fields = &[
    ("description", V30),
    ("required", V30),
    ("deprecated", V30),
    ("allowEmptyValue", V30),
    ("style", V30),
    ("explode", V30),
    ("allowReserved", V30),
    ("schema", V30),
    ("example", V30),
    ("examples", V30),
    ("content", V30),
];

/// Notes fields that the object does not define, since they have no effect.
pub(super) fn known(at: &Located<'_>, what: &str, fields: Fields, version: Version, problems: &mut Problems) {
    for (key, _) in at.entries() {
        let name = key.name.as_str();
        if name.starts_with("x-") || name == "$ref" {
            continue;
        }
        match fields.iter().find(|(own, _)| *own == name) {
            Some((_, since)) if *since <= version => {}
            Some((_, since)) => {
                let since = if *since == V31 { "3.1" } else { "3.2" };
                problems.note(
                    key.place
                        .error(format!("`{name}` in {what} was introduced by OpenAPI {since}"))
                        .help("it is read nevertheless"),
                );
            }
            None => {
                let near = did_you_mean(name, fields.iter().map(|(own, _)| *own));
                let error = key.place.error(format!("unknown field `{name}` in {what}"));
                problems.note(error.help(near.unwrap_or_else(|| "it is ignored".to_owned())));
            }
        }
    }
    if let crate::yaml::Value::Mapping(entries) = &at.node.value
        && let Some(key) = entries.repeated().first()
    {
        problems.note(crate::yaml::repeated_key(key));
    }
}
