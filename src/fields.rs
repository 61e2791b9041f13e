//! What a file that people write may hold: the keys of each map, and what stands there. Loaders refuse all other keys by
//! these declarations, and editors learn them from the JSON Schema that is made of them, so that neither can drift.

use serde_json::{Map as JsonMap, Value as Json, json};

/// A map with known keys.
#[derive(Debug)]
pub struct Map {
    /// What it is called in a schema, in lower case.
    pub name: &'static str,
    /// What it is for: a sentence.
    pub text: &'static str,
    /// Its keys, in the order in which they are best written.
    pub keys: &'static [Key],
}

/// A key of a map.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it means: a sentence.
    pub text: &'static str,
    /// What stands there.
    pub value: Value,
    /// Whether it must be there.
    pub required: bool,
}

impl Key {
    /// A key that may be left out.
    pub const fn new(name: &'static str, value: Value, text: &'static str) -> Self {
        Self { name, text, value, required: false }
    }

    /// A key that must be there.
    pub const fn required(name: &'static str, value: Value, text: &'static str) -> Self {
        Self { name, text, value, required: true }
    }
}

impl Map {
    /// The names of its keys.
    pub fn names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }
}

/// A value with a name, so that it may contain itself.
#[derive(Debug)]
pub struct Named {
    /// What it is called in a schema.
    pub name: &'static str,
    /// What it is.
    pub value: Value,
}

/// What stands somewhere.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// Anything.
    Any,
    /// A string.
    Text,
    /// A string of this form, as a regular expression.
    Like(&'static str),
    /// A string, a number, true, false or null.
    Scalar,
    /// One of these words.
    Word(&'static [&'static str]),
    /// True or false.
    Truth,
    /// A whole number that is not smaller.
    Whole(i64),
    /// A whole number of any sign.
    Integer,
    /// A list with at least so many items.
    List(&'static Value, usize),
    /// A map with any keys.
    Entries(&'static Value),
    /// A map with any keys but these.
    Except(&'static [&'static str], &'static Value),
    /// A map with one key of any name.
    Single(&'static Value),
    /// Any one of these.
    One(&'static [Value]),
    /// A map with known keys.
    Map(&'static Map),
    /// What is declared elsewhere.
    Named(&'static Named),
}

/// The form of a duration: `3s`, `500ms`.
pub const DURATION: Value = Value::Like(r"^\s*\+?(\d+\.?\d*|\.\d+)\s*(ms|s|m|h)$");

/// The dialect of the schemas.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The JSON Schema of a file that is this value.
pub fn schema(title: &str, text: &str, value: &Value) -> Json {
    let mut definitions = JsonMap::new();
    let root = of(value, &mut definitions);
    document(title, text, root, definitions)
}

/// The JSON Schema of a file, given that of its root and what that refers to.
pub fn document(title: &str, text: &str, root: Json, definitions: JsonMap<String, Json>) -> Json {
    let mut schema = json!({ "$schema": DIALECT, "title": title, "description": text });
    if let (Json::Object(schema), Json::Object(root)) = (&mut schema, root) {
        schema.extend(root);
        if !definitions.is_empty() {
            schema.insert("$defs".to_owned(), Json::Object(definitions));
        }
    }
    schema
}

/// The schema of a value; what it refers to goes to the definitions.
pub fn of(value: &Value, definitions: &mut JsonMap<String, Json>) -> Json {
    match value {
        Value::Any => json!({}),
        Value::Text => json!({ "type": "string" }),
        Value::Like(pattern) => json!({ "type": "string", "pattern": pattern }),
        Value::Scalar => json!({ "type": ["string", "number", "boolean", "null"] }),
        Value::Word(words) => json!({ "enum": words }),
        Value::Truth => json!({ "type": "boolean" }),
        Value::Whole(least) => json!({ "type": "integer", "minimum": least }),
        Value::Integer => json!({ "type": "integer" }),
        Value::List(item, least) => {
            let mut list = json!({ "type": "array", "items": of(item, definitions) });
            if *least > 0 {
                list["minItems"] = json!(least);
            }
            list
        }
        Value::Entries(entry) => json!({ "type": "object", "additionalProperties": of(entry, definitions) }),
        Value::Except(words, entry) => json!({
            "type": "object",
            "propertyNames": { "not": { "enum": words } },
            "additionalProperties": of(entry, definitions),
        }),
        Value::Single(entry) => json!({
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": of(entry, definitions),
        }),
        Value::One(some) => json!({ "anyOf": some.iter().map(|one| of(one, definitions)).collect::<Vec<_>>() }),
        Value::Map(map) => refer(map.name, definitions, |definitions| of_map(map, definitions)),
        Value::Named(named) => refer(named.name, definitions, |definitions| of(&named.value, definitions)),
    }
}

fn refer(
    name: &str,
    definitions: &mut JsonMap<String, Json>,
    make: impl FnOnce(&mut JsonMap<String, Json>) -> Json,
) -> Json {
    let name = name.replace(' ', "-");
    let reference = json!({ "$ref": format!("#/$defs/{name}") });
    if !definitions.contains_key(&name) {
        // It may refer to itself.
        definitions.insert(name.clone(), Json::Null);
        let schema = make(definitions);
        definitions.insert(name, schema);
    }
    reference
}

fn of_map(map: &Map, definitions: &mut JsonMap<String, Json>) -> Json {
    let properties: JsonMap<String, Json> =
        map.keys.iter().map(|key| (key.name.to_owned(), described(of(&key.value, definitions), key.text))).collect();
    let required: Vec<&str> = map.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    object(map.text, properties, &required)
}

/// The schema of a map with these keys and no others.
pub fn object(text: &str, properties: JsonMap<String, Json>, required: &[&str]) -> Json {
    let mut schema = json!({
        "type": "object",
        "description": text,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// A schema with what its value means.
pub fn described(mut schema: Json, text: &str) -> Json {
    schema["description"] = json!(text);
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    static TREE: Named =
        Named { name: "a tree", value: Value::One(&[Value::Whole(0), Value::List(&Value::Named(&TREE), 1)]) };
    static LEAF: Map = Map {
        name: "a leaf",
        text: "A leaf.",
        keys: &[
            Key::required("tree", Value::Named(&TREE), "Where it grows."),
            Key::new("after", DURATION, "When it falls."),
            Key::new("other", Value::Except(&["word"], &Value::Scalar), "What else it has."),
        ],
    };

    #[test]
    fn a_schema_takes_what_is_declared_and_nothing_else() {
        const LEAVES: Value = Value::List(&Value::Map(&LEAF), 0);
        let schema = schema("Leaves", "All leaves.", &LEAVES);
        assert!(jsonschema::meta::is_valid(&schema), "{schema}");
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        for good in
            [json!([]), json!([{ "tree": 1 }]), json!([{ "tree": [[2], 0], "after": "1.5 s", "other": { "a": null } }])]
        {
            assert!(validator.is_valid(&good), "{good}");
        }
        for bad in [
            json!({}),
            json!([{}]),
            json!([{ "tree": -1 }]),
            json!([{ "tree": [[]] }]),
            json!([{ "tree": 1, "after": "soon" }]),
            json!([{ "tree": 1, "leaf": 1 }]),
            json!([{ "tree": 1, "other": { "word": 1 } }]),
        ] {
            assert!(!validator.is_valid(&bad), "{bad}");
        }
    }
}
