//! The keywords of schemas, and the kind of value of each.

/// The kind of a keyword's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It has no influence on what is sent or judged.
    Annotation,
    /// It is read elsewhere.
    Read,
    /// Any value, kept as it is.
    Kept,
    Type,
    Number,
    Count,
    Flag,
    Text,
    Pattern,
    Values,
    Names,
    NameLists,
    Schema,
    Schemas,
    NamedSchemas,
    Discriminator,
}

/// The types of JSON Schema.
pub(super) const TYPES: &[&str] = &["null", "boolean", "object", "array", "number", "string", "integer"];

/// Its name, the kind of its value, and whether OpenAPI 3.0 lacks it.
const KEYWORDS: &[(&str, Kind, bool)] = &[
    ("$ref", Kind::Read, false),
    ("type", Kind::Type, false),
    ("enum", Kind::Values, false),
    ("const", Kind::Kept, true),
    ("format", Kind::Text, false),
    ("multipleOf", Kind::Number, false),
    ("maximum", Kind::Number, false),
    ("exclusiveMaximum", Kind::Number, false),
    ("minimum", Kind::Number, false),
    ("exclusiveMinimum", Kind::Number, false),
    ("maxLength", Kind::Count, false),
    ("minLength", Kind::Count, false),
    ("pattern", Kind::Pattern, false),
    ("maxItems", Kind::Count, false),
    ("minItems", Kind::Count, false),
    ("uniqueItems", Kind::Flag, false),
    ("maxContains", Kind::Count, true),
    ("minContains", Kind::Count, true),
    ("maxProperties", Kind::Count, false),
    ("minProperties", Kind::Count, false),
    ("required", Kind::Names, false),
    ("dependentRequired", Kind::NameLists, true),
    ("allOf", Kind::Schemas, false),
    ("oneOf", Kind::Schemas, false),
    ("anyOf", Kind::Schemas, false),
    ("not", Kind::Schema, false),
    ("if", Kind::Schema, true),
    ("then", Kind::Schema, true),
    ("else", Kind::Schema, true),
    ("dependentSchemas", Kind::NamedSchemas, true),
    ("prefixItems", Kind::Schemas, true),
    ("items", Kind::Schema, false),
    ("contains", Kind::Schema, true),
    ("properties", Kind::NamedSchemas, false),
    ("patternProperties", Kind::NamedSchemas, true),
    ("additionalProperties", Kind::Schema, false),
    ("propertyNames", Kind::Schema, true),
    ("unevaluatedItems", Kind::Schema, true),
    ("unevaluatedProperties", Kind::Schema, true),
    ("discriminator", Kind::Discriminator, false),
    ("nullable", Kind::Read, false),
    ("readOnly", Kind::Read, false),
    ("writeOnly", Kind::Read, false),
    ("$dynamicRef", Kind::Read, true),
    ("$id", Kind::Read, true),
    ("$anchor", Kind::Read, true),
    ("$dynamicAnchor", Kind::Read, true),
    ("$defs", Kind::Read, true),
    ("default", Kind::Kept, false),
    ("example", Kind::Kept, false),
    ("examples", Kind::Kept, false),
    ("title", Kind::Annotation, false),
    ("description", Kind::Annotation, false),
    ("summary", Kind::Annotation, false),
    ("deprecated", Kind::Annotation, false),
    ("externalDocs", Kind::Annotation, false),
    ("xml", Kind::Annotation, false),
    ("$schema", Kind::Annotation, false),
    ("$comment", Kind::Annotation, false),
    ("$vocabulary", Kind::Annotation, false),
    ("definitions", Kind::Annotation, false),
    ("contentEncoding", Kind::Annotation, false),
    ("contentMediaType", Kind::Annotation, false),
    ("contentSchema", Kind::Annotation, false),
];

impl Kind {
    /// Whether OpenAPI 3.0 lacks a keyword.
    fn of(name: &str) -> Option<(Self, bool)> {
        KEYWORDS.iter().find(|(own, ..)| *own == name).map(|(_, kind, new)| (*kind, *new))
    }
}

/// The kind of a keyword's value; None if the keyword is unknown.
pub(super) fn kind_of(name: &str) -> Option<Kind> {
    Kind::of(name).map(|(kind, _)| kind)
}

/// Whether OpenAPI 3.0 lacks a keyword that later versions have.
pub(super) fn is_new(name: &str) -> bool {
    Kind::of(name).is_some_and(|(_, new)| new)
}

/// All keywords.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    KEYWORDS.iter().map(|(name, ..)| *name)
}
