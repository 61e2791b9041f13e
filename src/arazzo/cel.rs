//! Pieces of CEL, and what is known of their values.

use serde_json::Value as Json;

/// Words that cannot stand after a dot in CEL.
const KEYWORDS: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// A string of CEL.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\'' => out += "\\'",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            c if c.is_control() => out += &format!("\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out + "'"
}

/// A JSON value as CEL.
pub(super) fn constant(json: &Json) -> String {
    match json {
        Json::String(text) => quoted(text),
        Json::Array(items) => format!("[{}]", items.iter().map(constant).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let entries: Vec<String> = map.iter().map(|(k, v)| format!("{}: {}", quoted(k), constant(v))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// Whether a name can be written after a dot, and be the name of a step.
pub(super) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !KEYWORDS.contains(&name)
}

/// A member of a map that is certainly there.
pub(super) fn member(base: &str, name: &str) -> String {
    if is_identifier(name) { format!("{base}.{name}") } else { format!("{base}[{}]", quoted(name)) }
}

/// What is known of the type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Bool,
    List,
    Map,
}

/// A step on the way to a value.
#[derive(Clone, Debug)]
enum Part {
    /// A member, whether the document describes it, and whether it says that it is always there.
    Name { name: String, described: bool, required: bool },
    /// An item of a list.
    Index(u64),
}

/// A value that an expression names: where it is, and what the document says of it.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    base: String,
    path: Vec<Part>,
    schemas: Vec<Json>,
    kind: Option<Kind>,
}

impl Operand {
    /// A value that these schemas describe.
    pub(super) fn described(base: impl Into<String>, schemas: Vec<Json>) -> Self {
        Self { base: base.into(), path: Vec::new(), schemas, kind: None }
    }

    /// A value that is always of this kind.
    pub(super) fn of_kind(base: impl Into<String>, kind: Kind) -> Self {
        Self { kind: Some(kind), ..Self::described(base, Vec::new()) }
    }

    /// A member of it.
    pub(super) fn member(&self, name: &str) -> Self {
        let property = |schema: &Json| schema["properties"].get(name).cloned();
        let is_required = |schema: &Json| {
            property(schema).is_some() && schema["required"].as_array().is_some_and(|all| all.iter().any(|r| r == name))
        };
        let required = !self.schemas.is_empty() && self.schemas.iter().all(is_required);
        let schemas: Vec<Json> = self.schemas.iter().filter_map(property).collect();
        let part = Part::Name { name: name.to_owned(), described: !schemas.is_empty(), required };
        self.below(part, schemas)
    }

    /// A text by its name, such as a header: the document need not describe it.
    pub(super) fn text(&self, name: &str) -> Self {
        let part = Part::Name { name: name.to_owned(), described: true, required: false };
        Self { kind: Some(Kind::Text), ..self.below(part, Vec::new()) }
    }

    /// An item of it.
    pub(super) fn item(&self, index: u64) -> Self {
        self.below(Part::Index(index), self.item_schemas())
    }

    fn below(&self, part: Part, schemas: Vec<Json>) -> Self {
        let path = self.path.iter().cloned().chain([part]).collect();
        Self { base: self.base.clone(), path, schemas, kind: None }
    }

    /// What a token of a JSON Pointer leads to.
    pub(super) fn token(&self, token: &str) -> Self {
        let is_member = self.schemas.iter().any(|schema| schema["properties"].get(token).is_some());
        match token.parse() {
            Ok(index) if !is_member && !token.starts_with('+') => self.item(index),
            _ => self.member(token),
        }
    }

    /// What the document says of the items, if it is a list.
    pub(super) fn item_schemas(&self) -> Vec<Json> {
        self.schemas.iter().filter_map(|schema| schema.get("items").cloned()).collect()
    }

    /// What the document says of its members, if it is a map.
    pub(super) fn member_schemas(&self) -> Vec<Json> {
        self.schemas
            .iter()
            .filter_map(|schema| schema["properties"].as_object())
            .flat_map(|p| p.values().cloned())
            .collect()
    }

    /// Its kind, where all that describes it agrees.
    pub(super) fn kind(&self) -> Option<Kind> {
        let mut kinds = self.schemas.iter().map(kind_of);
        let first = kinds.next().flatten();
        self.kind.or(first.filter(|first| kinds.all(|kind| kind == Some(*first))))
    }

    /// Whether the document lists its values, and this is one of them to the letter.
    pub(super) fn lists(&self, text: &str) -> bool {
        let has = |schema: &Json| {
            schema["const"] == text || schema["enum"].as_array().is_some_and(|all| all.iter().any(|one| one == text))
        };
        !self.schemas.is_empty() && self.schemas.iter().all(has)
    }

    /// Whether it is there in every answer that the document describes.
    pub(super) fn is_certain(&self) -> bool {
        self.path.iter().all(|part| matches!(part, Part::Name { required: true, .. }))
    }

    /// The value; an expression without one where it is missing.
    pub(super) fn value(&self) -> String {
        self.written(".value()", |part| match part {
            Part::Name { described, .. } => *described,
            Part::Index(_) => true,
        })
    }

    /// The value; null where it is missing.
    pub(super) fn or_null(&self) -> String {
        self.or("null")
    }

    /// The value, or another where it is missing.
    pub(super) fn or(&self, other: &str) -> String {
        self.written(&format!(".orValue({other})"), |part| matches!(part, Part::Name { required: true, .. }))
    }

    /// Whether there is such a value.
    pub(super) fn exists(&self) -> String {
        let written = self.written(".hasValue()", |_| false);
        if self.path.is_empty() { "true".to_owned() } else { written }
    }

    fn written(&self, end: &str, is_direct: impl Fn(&Part) -> bool) -> String {
        let mut text = self.base.clone();
        let mut optional = false;
        for part in &self.path {
            optional |= !is_direct(part);
            text = match (part, optional) {
                (Part::Name { name, .. }, false) => member(&text, name),
                (Part::Name { name, .. }, true) if is_identifier(name) => format!("{text}.?{name}"),
                (Part::Name { name, .. }, true) => format!("{text}[?{}]", quoted(name)),
                (Part::Index(index), false) => format!("{text}[{index}]"),
                (Part::Index(index), true) => format!("{text}[?{index}]"),
            };
        }
        if optional { text + end } else { text }
    }
}

fn kind_of(schema: &Json) -> Option<Kind> {
    if schema["x-nullable"] == true {
        return None;
    }
    match schema["type"].as_str()? {
        "string" => Some(Kind::Text),
        "integer" | "number" => Some(Kind::Number),
        "boolean" => Some(Kind::Bool),
        "array" => Some(Kind::List),
        "object" => Some(Kind::Map),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_need_not_be_there_is_optional() {
        let schema = json!({ "required": ["id"], "properties": {
            "id": { "type": "string" },
            "tags": { "type": "array", "items": { "type": "integer" } },
        } });
        let body = Operand::described("made.response.body", vec![schema]);
        let written = |operand: &Operand| [operand.value(), operand.or_null()];
        assert_eq!(written(&body.member("id")), ["made.response.body.id", "made.response.body.id"]);
        let first = body.member("tags").token("0");
        assert_eq!(written(&first), ["made.response.body.tags[0]", "made.response.body.?tags[?0].orValue(null)"]);
        assert_eq!(first.kind(), Some(Kind::Number));
        let unknown = body.member("x-y").member("in");
        assert_eq!(unknown.value(), "made.response.body[?'x-y'][?'in'].value()");
        assert!(body.member("id").is_certain() && !unknown.is_certain());
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(quoted("it's\n\\"), r"'it\'s\n\\'");
        assert_eq!(constant(&json!({ "a": [1, null, "x"] })), "{'a': [1, null, 'x']}");
    }
}
