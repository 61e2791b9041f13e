//! Parts of a request's schema, of which each is owed by itself: a keyword at a place.

use std::ops::Deref;

use super::template::segments;
use crate::yaml::escape;

/// The part of a parameter that requires its presence.
pub const REQUIRED: &str = "/required";

/// The bounds of a number.
pub const BOUNDS: [&str; 4] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];

/// A keyword of a schema in which every reference is followed: its JSON Pointer, or `…/required#name` for a property that
/// is required. What is asked of it for each violation is found out once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pointer: String,
    field: String,
}

impl Part {
    /// The part at a pointer.
    pub fn new(pointer: impl Into<String>) -> Self {
        let pointer = pointer.into();
        Self { field: field_of(&pointer), pointer }
    }

    /// The part that requires a property of the object at a place in the schema.
    pub fn required(place: &str, property: &str) -> Self {
        Self::new(format!("{place}/required#{property}"))
    }

    /// The field that it describes: a JSON Pointer, in which `*` stands for any item or member.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Its keyword, as violations name it.
    pub fn keyword(&self) -> &str {
        keyword_of(&self.pointer)
    }
}

impl Deref for Part {
    type Target = str;

    fn deref(&self) -> &str {
        &self.pointer
    }
}

/// The field that a part of a schema describes.
fn field_of(part: &str) -> String {
    if let Some((place, name)) = part.rsplit_once("/required#") {
        return format!("{}/{}", field_of(&format!("{place}/type")), escape(name));
    }
    let names = segments(part);
    let mut names = names.iter().map(String::as_str);
    let mut field = String::new();
    while let Some(keyword) = names.next() {
        match (keyword, names.len()) {
            ("properties", 2..) => {
                field.push('/');
                field.push_str(&escape(names.next().unwrap_or_default()));
            }
            ("prefixItems", 2..) => {
                field.push('/');
                field.push_str(names.next().unwrap_or_default());
            }
            ("items" | "additionalProperties", 1..) => field.push_str("/*"),
            _ => break,
        }
    }
    field
}

/// The keyword of a part of a schema, as violations name it.
pub fn keyword_of(part: &str) -> &str {
    if part.contains("/required#") {
        return "required";
    }
    one_word(part.rsplit('/').next().unwrap_or_default())
}

/// One keyword for several that form one part of a schema.
pub fn one_word(keyword: &str) -> &str {
    match keyword {
        "oneOf" => "anyOf",
        "minContains" | "maxContains" => "contains",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_schema_are_about_fields() {
        for (part, field) in [
            ("/type", ""),
            ("/properties/a/type", "/a"),
            ("/properties/items/items/properties/properties/maxLength", "/items/*/properties"),
            ("/required#a", "/a"),
            ("/properties/a/required#b~", "/a/b~0"),
            ("/properties/a~1b/items/enum", "/a~1b/*"),
            ("/additionalProperties", ""),
            ("/properties/a/additionalProperties/type", "/a/*"),
            ("/prefixItems/1/type", "/1"),
            ("/properties/a/anyOf", "/a"),
        ] {
            assert_eq!(Part::new(part).field(), field, "{part}");
        }
    }
}
