//! What the document and the constraints say of a request's body, field by field.

use serde_json::Value as Json;

use super::Contract;
use super::part::REQUIRED;
use super::requirement::Form;
use super::template::segments;
use crate::yaml::escape;

impl Contract {
    /// The fields of the body that a part of the schema or a constraint is about: JSON Pointers,
    /// in which `*` stands for any item of a list; one empty pointer for the body itself. Of a
    /// constraint those at the top of the body.
    pub fn fields(&self, form: &Form) -> Vec<String> {
        match form {
            Form::Schema(part) => vec![part.field().to_owned()],
            Form::Constraint(valid) => {
                let properties = self.operation.body().and_then(|b| b.schema.json()["properties"].as_object());
                let names = properties.into_iter().flat_map(|p| p.keys());
                let read = names.filter(|name| valid.reads_field(name, &self.defines));
                read.map(|name| format!("/{}", escape(name))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether a body has a value that the requirement at this place speaks of, see [`Contract::fields`].
    pub fn speaks_of(&self, requirement: usize, body: &Json) -> bool {
        let parsed = |form: &Form| self.fields(form).iter().map(|field| segments(field)).collect();
        let fields = self.spoken.get_or_init(|| self.requirements.iter().map(|r| parsed(&r.form)).collect());
        fields[requirement].iter().any(|field| is_below(body, field))
    }

    /// What a part of the schema or a constraint says, in a line: `maximum: 100`, or an expression.
    pub fn says(&self, form: &Form) -> Option<String> {
        match form {
            Form::Schema(part) => said(self.operation.body()?.schema.json(), part),
            Form::Parameter(place, part) if **part == *REQUIRED => {
                self.operation.parameters.get(*place).map(|_| "required".to_owned())
            }
            Form::Parameter(place, part) => said(self.operation.parameters.get(*place)?.schema.json(), part),
            Form::Constraint(valid) => Some(valid.text().split_whitespace().collect::<Vec<_>>().join(" ")),
            _ => None,
        }
    }
}

/// A keyword with its value, in a line.
fn said(schema: &Json, part: &str) -> Option<String> {
    if part.contains("/required#") {
        return Some("required".to_owned());
    }
    let keyword = part.rsplit('/').next()?;
    let value = schema.pointer(part)?;
    let value = match value {
        Json::String(text) => text.clone(),
        // A schema as a value is too long for a line.
        Json::Object(_) | Json::Array(_) if keyword != "enum" => return Some(keyword.to_owned()),
        other => other.to_string(),
    };
    Some(format!("{keyword}: {value}"))
}

/// Whether a place in a value is one that a field stands for, in which `*` stands for any item or member.
pub fn covers(field: &str, place: &str) -> bool {
    let (mut field, mut place) = (field.split('/'), place.split('/'));
    loop {
        match (field.next(), place.next()) {
            (None, None) => return true,
            (Some(f), Some(p)) if f == p || f == "*" => {}
            _ => return false,
        }
    }
}

/// Whether a body has a value at a pointer in which `*` stands for any item of a list.
pub fn stands(body: &Json, field: &str) -> bool {
    is_below(body, &segments(field))
}

fn is_below(value: &Json, names: &[String]) -> bool {
    match (names, value) {
        ([], _) => true,
        ([name, rest @ ..], Json::Array(items)) => match name.parse::<usize>() {
            Ok(place) => items.get(place).is_some_and(|item| is_below(item, rest)),
            Err(_) => items.iter().any(|item| is_below(item, rest)),
        },
        ([name, rest @ ..], Json::Object(map)) if name == "*" => map.values().any(|value| is_below(value, rest)),
        ([name, rest @ ..], _) => value.get(name).is_some_and(|value| is_below(value, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_stand_in_any_item() {
        let body = json!({"a": [{}, {"b": null}], "*": 1});
        for (field, there) in
            [("", true), ("/a", true), ("/a/*/b", true), ("/a/*/c", false), ("/b", false), ("/*", true)]
        {
            assert_eq!(stands(&body, field), there, "{field}");
        }
    }
}
