//! Schemas that chance makes up, and a validator of our own for them: it shares no line with the
//! engine's, and reads OpenAPI as it is written.

use probity::document;
use probity::document::operation::Operation;
use probity::source::{Place, Source};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

/// Patterns with the lengths of what matches them.
const PATTERNS: &[(&str, usize, usize)] = &[
    ("^[A-Z]{2,8}$", 2, 8),
    ("^[a-z][a-z0-9-]*$", 1, 30),
    ("^\\d{3}-\\d+$", 5, 30),
    ("^(red|green|blue)$", 3, 5),
    ("^[^/]+$", 1, 30),
];

fn string() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0_u64..6, 0_u64..20).prop_map(|(least, more)| json!({"minLength": least, "maxLength": least + more})),
        (0_u64..60).prop_map(|least| json!({"minLength": least})),
        (1_u64..60).prop_map(|most| json!({"maxLength": most})),
        Just(json!({})),
        select(PATTERNS).prop_map(|(pattern, ..)| json!({"pattern": pattern})),
        (select(PATTERNS), any::<prop::sample::Index>(), any::<prop::sample::Index>())
            .prop_map(|((pattern, least, most), a, b)| {
                let (a, b) = (least + a.index(most - least + 1), least + b.index(most - least + 1));
                json!({"pattern": pattern, "minLength": a.min(b), "maxLength": a.max(b)})
            })
            .prop_filter("no text has the pattern and such a length", |s| {
                s["pattern"] != "^(red|green|blue)$"
                    || (s["minLength"].as_u64() <= Some(3) || s["maxLength"].as_u64() >= Some(5))
            }),
        select(&["date", "date-time", "uuid", "email", "ipv4", "uri"][..]).prop_map(|f| json!({"format": f})),
        subsequence(vec!["one", "two", "three", ""], 1..=4).prop_map(|v| json!({"enum": v})),
    ]
    .prop_map(|s| typed("string", s))
}

fn integer() -> impl Strategy<Value = Value> {
    let bound = prop_oneof![-100_i64..100, -5_000_000_000_i64..5_000_000_000];
    prop_oneof![
        Just(json!({})),
        Just(json!({"format": "int32"})),
        Just(json!({"format": "int64"})),
        (bound.clone(), 0_i64..1000, any::<bool>(), any::<bool>()).prop_map(|(low, more, a, b)| {
            // At least one whole number lies between.
            let more = more + i64::from(a) + i64::from(b);
            json!({"minimum": low, "maximum": low + more, "exclusiveMinimum": a, "exclusiveMaximum": b})
        }),
        (bound.clone(), any::<bool>()).prop_map(|(low, a)| json!({"minimum": low, "exclusiveMinimum": a})),
        bound.clone().prop_map(|high| json!({"maximum": high})),
        (bound, 2_i64..30)
            .prop_map(|(low, step)| json!({"minimum": low, "maximum": low + 3 * step, "multipleOf": step})),
        subsequence(vec![1, 2, 3, 50], 1..=4).prop_map(|v| json!({"enum": v})),
    ]
    .prop_map(|s| typed("integer", s))
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({})),
        (-1000_i32..1000, 1_i32..1000, any::<bool>(), any::<bool>()).prop_map(|(low, more, a, b)| {
            let (low, high) = (f64::from(low) / 4.0, f64::from(low + more) / 4.0);
            json!({"minimum": low, "maximum": high, "exclusiveMinimum": a, "exclusiveMaximum": b})
        }),
        (-1000_i32..1000).prop_map(|high| json!({"maximum": f64::from(high) / 8.0})),
        (-1000_i32..1000).prop_map(|low| json!({"minimum": f64::from(low) / 8.0})),
        (select(&[0.01, 0.1, 0.25, 0.5, 1.0, 3.0][..]), 0_i32..50).prop_map(|(step, low)| {
            json!({"minimum": f64::from(low), "maximum": f64::from(low) + 20.0 * step, "multipleOf": step})
        }),
    ]
    .prop_map(|s| typed("number", s))
}

fn typed(kind: &str, rest: Value) -> Value {
    let mut all = Map::new();
    all.insert("type".into(), json!(kind));
    if let Value::Object(rest) = rest {
        all.extend(rest);
    }
    all.into()
}

/// A schema of any kind.
fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![string(), integer(), number(), Just(json!({"type": "boolean"}))];
    let nullable = (leaf, prop::bool::weighted(0.2)).prop_map(|(mut schema, nullable)| {
        if nullable {
            schema["nullable"] = json!(true);
        }
        schema
    });
    nullable.prop_recursive(3, 12, 3, |below| {
        prop_oneof![
            (below.clone(), 0_u64..3, 1_u64..3, any::<bool>()).prop_map(|(items, least, more, unique)| {
                // Of few values there are not always enough different ones.
                let many = items["type"] == "string" && items["format"].is_string()
                    || ["integer", "number"].iter().any(|t| items["type"] == **t) && items["maximum"].is_null() && items["enum"].is_null();
                json!({"type": "array", "items": items, "minItems": least, "maxItems": least + more, "uniqueItems": unique && many})
            }),
            below.clone().prop_map(|items| json!({"type": "array", "items": items})),
            object(below),
        ]
    })
}

fn object(below: impl Strategy<Value = Value> + Clone) -> impl Strategy<Value = Value> {
    const NAMES: &[&str] = &["a", "b_c", "dEf", "g/h", "i~j"];
    let fields = proptest::collection::vec((below, any::<bool>()), 0..=NAMES.len());
    (fields, any::<bool>()).prop_map(|(fields, closed)| {
        let required: Vec<&str> = NAMES.iter().zip(&fields).filter(|(_, f)| f.1).map(|(n, _)| *n).collect();
        let properties: Map<String, Value> =
            NAMES.iter().zip(fields.iter().cloned()).map(|(n, (schema, _))| ((*n).to_owned(), schema)).collect();
        let mut all = typed("object", json!({"properties": properties}));
        if !required.is_empty() {
            all["required"] = json!(required);
        }
        if closed {
            all["additionalProperties"] = json!(false);
        }
        all
    })
}

/// A schema of a request's body.
pub fn bodies() -> impl Strategy<Value = Value> {
    object(any_schema().boxed())
}

/// The operation whose body has a schema.
pub fn operation(schema: &Value) -> Operation {
    let text = json!({
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {"post": {
            "operationId": "x",
            "requestBody": {"content": {"application/json": {"schema": schema}}},
            "responses": {"200": {"description": "d"}},
        }}},
    })
    .to_string();
    let source = Source::new("made-up.json", text);
    let place = Place { source: source.clone(), span: 0..1 };
    document::load(&source, "x", &place).unwrap_or_else(|e| panic!("{e}\n{schema:#}"))
}

/// An operation of a path, each of whose parameters is a text.
pub fn operation_at(path: &str) -> Operation {
    let names = path.split('{').skip(1).filter_map(|part| part.split('}').next());
    let parameters: Vec<Value> =
        names.map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})).collect();
    let text = json!({
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {(path): {"put": {"operationId": "x", "parameters": parameters, "responses": {"200": {"description": "d"}}}}},
    })
    .to_string();
    let source = Source::new("made-up.json", text);
    let place = Place { source: source.clone(), span: 0..1 };
    document::load(&source, "x", &place).unwrap_or_else(|e| panic!("{e}"))
}

/// Where a value breaks a schema, and which keyword: nothing if it keeps it.
pub fn violations(schema: &Value, value: &Value) -> Vec<(String, String)> {
    let mut all = Vec::new();
    look(schema, value, "", &mut all);
    all
}

fn look(schema: &Value, value: &Value, at: &str, out: &mut Vec<(String, String)>) {
    let mut broken = |keyword: &str, holds: bool| {
        if !holds {
            out.push((at.to_owned(), keyword.to_owned()));
        }
    };
    if value.is_null() && schema["nullable"] == true {
        return;
    }
    let number = value.as_f64();
    let fits = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("integer") => number.is_some_and(|n| n.fract() == 0.0),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    broken("type", fits);
    if let Some(values) = schema["enum"].as_array() {
        let same = |a: &Value| a == value || a.as_f64().is_some() && a.as_f64() == number;
        broken("enum", values.iter().any(same));
    }
    if let Some(text) = value.as_str() {
        let length = text.chars().count() as u64;
        broken("minLength", schema["minLength"].as_u64().is_none_or(|n| length >= n));
        broken("maxLength", schema["maxLength"].as_u64().is_none_or(|n| length <= n));
        if let Some(pattern) = schema["pattern"].as_str() {
            broken("pattern", regex::Regex::new(pattern).expect("a pattern").is_match(text));
        }
        broken("format", schema["format"].as_str().is_none_or(|f| has_format(f, text)));
    }
    if let Some(number) = number {
        let whole = value.to_string().parse::<i128>().ok();
        for (bound, exclusive, sign) in [("minimum", "exclusiveMinimum", 1.0), ("maximum", "exclusiveMaximum", -1.0)] {
            let Some(limit) = schema[bound].as_f64() else { continue };
            let inside = (number - limit) * sign;
            let strict = schema[exclusive] == true;
            broken(if strict { exclusive } else { bound }, if strict { inside > 0.0 } else { inside >= 0.0 });
        }
        let (low, high) = match schema["format"].as_str() {
            Some("int32") => (i128::from(i32::MIN), i128::from(i32::MAX)),
            Some("int64") => (i128::from(i64::MIN), i128::from(i64::MAX)),
            _ => (i128::MIN, i128::MAX),
        };
        broken("minimum", whole.is_none_or(|n| n >= low));
        broken("maximum", whole.is_none_or(|n| n <= high));
        if let Some(step) = schema["multipleOf"].as_f64() {
            let times = number / step;
            broken("multipleOf", (times - times.round()).abs() < 1e-6);
        }
    }
    if let Some(items) = value.as_array() {
        let length = items.len() as u64;
        broken("minItems", schema["minItems"].as_u64().is_none_or(|n| length >= n));
        broken("maxItems", schema["maxItems"].as_u64().is_none_or(|n| length <= n));
        let twice = items.iter().enumerate().any(|(i, a)| items[..i].contains(a));
        broken("uniqueItems", schema["uniqueItems"] != true || !twice);
        if schema["items"].is_object() {
            for (i, item) in items.iter().enumerate() {
                look(&schema["items"], item, &format!("{at}/{i}"), out);
            }
        }
    }
    if let Some(fields) = value.as_object() {
        let escape = |name: &str| name.replace('~', "~0").replace('/', "~1");
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                out.push((format!("{at}/{}", escape(name)), format!("required#{name}")));
            }
        }
        let unknown = fields.keys().any(|name| schema["properties"].get(name).is_none());
        if schema["additionalProperties"] == false && unknown {
            out.push((at.to_owned(), "additionalProperties".to_owned()));
        }
        for (name, value) in fields {
            if let Some(below) = schema["properties"].get(name) {
                look(below, value, &format!("{at}/{}", escape(name)), out);
            }
        }
    }
}

fn has_format(format: &str, text: &str) -> bool {
    match format {
        "date" => text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok(),
        "date-time" => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
        "uuid" => {
            let parts: Vec<usize> = text.split('-').map(str::len).collect();
            parts == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
        }
        "email" => text.split_once('@').is_some_and(|(a, b)| !a.is_empty() && b.contains('.')),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "uri" => url::Url::parse(text).is_ok(),
        _ => true,
    }
}
