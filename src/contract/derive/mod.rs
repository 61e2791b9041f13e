//! Requirements that follow from the document itself, each citing its JSON Pointer.
//!
//! - `body`: the parts of the body's schema
//! - `parameter`: parameters, and the parts of their schemas

mod body;
mod parameter;

use serde_json::Value as Json;

use super::requirement::{Always, Form, Level, Origin, Requirement};
use crate::document::operation::Operation;

/// The requirements of a document's operation.
pub fn requirements(operation: &Operation) -> Vec<Requirement> {
    let mut all = always(operation);
    if let Some(body) = operation.body() {
        body::parts(body.schema.json(), "body", "", &mut all);
    }
    parameter::all(operation, &mut all);
    all
}

/// A name as part of an id. A word begins with a capital that follows a small letter, or comes before one: `orderID` is
/// `order-id`, and so is `OrderId`.
fn slug(name: &str) -> String {
    let all: Vec<char> = name.chars().collect();
    let is_small = |c: Option<&char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let mut out = String::new();
    for (i, c) in all.iter().enumerate() {
        match c {
            'A'..='Z' => {
                let before = i.checked_sub(1).map(|i| &all[i]);
                let ends_capitals = before.is_some_and(char::is_ascii_uppercase) && is_small(all.get(i + 1));
                if is_small(before) || ends_capitals {
                    out.push('-');
                }
                out.push(c.to_ascii_lowercase());
            }
            'a'..='z' | '0'..='9' => out.push(*c),
            _ => out.push('-'),
        }
    }
    out
}

fn always(operation: &Operation) -> Vec<Requirement> {
    let operation_pointer = operation.pointer.as_str();
    let one = |slug: &str, level, text: String, pointer: &str, form| Requirement {
        id: format!("operation/{slug}"),
        level: Some(level),
        text,
        source: format!("OpenAPI document, {pointer}"),
        origin: Origin::Derived(pointer.to_owned()),
        form: Form::Always(form),
    };
    let mut all = vec![
        one(
            "answered",
            Level::Must,
            "Every request is answered within the time limit, with a complete HTTP response.".into(),
            operation_pointer,
            Always::Answered,
        ),
        one(
            "no-server-error",
            Level::Must,
            "No request, however odd, is answered with a 5xx status.".into(),
            operation_pointer,
            Always::NoServerError,
        ),
        one(
            "valid-accepted",
            Level::Must,
            "Every request that keeps the contract is accepted.".into(),
            operation_pointer,
            Always::ValidAccepted,
        ),
    ];
    all.extend(super::answers::requirements(operation));
    all
}

/// Formats whose values the validator checks, so that they can be broken.
pub fn is_checked_format(format: &str) -> bool {
    ["date-time", "date", "time", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"].contains(&format)
}

/// Plain texts that are tried against a pattern: one that none of them breaks is hardly broken by any text.
pub fn unmatched() -> impl Iterator<Item = String> {
    let words = ["!", "x", "0", "a b", "é", "~~~~~~~~", "A", "a/b", "-"].into_iter().map(str::to_owned);
    words.chain(('!'..='~').map(String::from)).chain(["x".repeat(64), "0".repeat(64)])
}

/// Whether some plain text breaks a pattern.
pub fn is_breakable(pattern: &str) -> bool {
    let validator = jsonschema::options().build(&serde_json::json!({ "pattern": pattern })).ok();
    validator.is_some_and(|v| unmatched().any(|text| !v.is_valid(&Json::from(text))))
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn capitals_begin_words() {
        for (name, id) in [
            ("name", "name"),
            ("unit_price", "unit-price"),
            ("unitPrice", "unit-price"),
            ("minLength", "min-length"),
            ("lat2Long", "lat2-long"),
            ("Name", "name"),
            ("ID", "id"),
            ("orderID", "order-id"),
            ("OrderId", "order-id"),
            ("HTMLPage", "html-page"),
            ("Address.ZipCode", "address-zip-code"),
            ("$top", "-top"),
        ] {
            assert_eq!(slug(name), id, "{name}");
        }
    }
}
