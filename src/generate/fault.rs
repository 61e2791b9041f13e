//! Every way in which one part of a schema can be broken, and the edges up to which it holds.

use proptest::strategy::{Strategy, ValueTree};
use serde_json::{Value as Json, json};

use super::body::{integer_bounds, is_required, type_of, values};
use super::seed::Seed;
use super::text::fit;
use crate::contract::derive::{is_checked_format, required_pointer};
use crate::contract::document::escape;
use crate::contract::schema::POINTER;
use crate::contract::template::{Template, segments};

/// The label of a change that only puts a field in.
pub const PLAIN: &str = "a plain value";

/// A change to a valid body that touches one part of the schema.
#[derive(Clone, Debug)]
pub struct Change {
    /// The JSON Pointer in the document of the keyword that it is about.
    pub about: String,
    /// What is done, in a few words.
    pub label: String,
    /// Where in the body, by JSON Pointer.
    pub at: String,
    /// What is put there; None takes the field away.
    pub value: Option<Template>,
}

impl Change {
    /// The body with the change; what the way there lacks is filled in.
    pub fn apply(&self, body: &Template, schema: &Json) -> Template {
        let mut body = body.clone();
        ensure_parent(&mut body, schema, &self.at);
        match &self.value {
            Some(value) => body.set(&self.at, value.clone()),
            None => body.remove(&self.at),
        }
        body
    }

    /// The body without the change but with the way there: what the change is compared with.
    pub fn control(&self, body: &Template, schema: &Json) -> Template {
        let mut body = body.clone();
        ensure_parent(&mut body, schema, &self.at);
        if self.value.is_none() && body.pointer(&self.at).is_none() {
            body.set(&self.at, schema_at(schema, &self.at).map_or(Template::Literal(Json::Null), simplest));
        }
        body
    }
}

/// The plainest value that keeps a schema.
pub fn simplest(schema: &Json) -> Template {
    let mut runner = Seed(0).runner("simplest", 0);
    match values(schema).new_tree(&mut runner) {
        Ok(mut tree) => {
            for _ in 0..10_000 {
                if !tree.simplify() {
                    break;
                }
            }
            tree.current()
        }
        Err(_) => Template::Literal(Json::Null),
    }
}

fn schema_at<'a>(schema: &'a Json, pointer: &str) -> Option<&'a Json> {
    segments(pointer).iter().try_fold(schema, |s, name| {
        s["properties"].get(name).or_else(|| s.get("items").filter(|_| name.parse::<usize>().is_ok()))
    })
}

fn ensure_parent(body: &mut Template, schema: &Json, pointer: &str) {
    let names = segments(pointer);
    let mut way = String::new();
    for name in names.iter().take(names.len().saturating_sub(1)) {
        way.push('/');
        way.push_str(&escape(name));
        if body.pointer(&way).is_none()
            && let Some(below) = schema_at(schema, &way)
        {
            body.set(&way, simplest(below));
        }
    }
}

/// Every single way to break the schema of a body.
pub fn faults(schema: &Json) -> Vec<Change> {
    let mut all = Vec::new();
    walk(schema, "", &mut |part, at| broken(part, at, &mut all));
    all
}

/// Values at the edges of what the schema of a body allows.
pub fn edges(schema: &Json) -> Vec<Change> {
    let mut all = Vec::new();
    walk(schema, "", &mut |part, at| kept(part, at, &mut all));
    all
}

fn walk(schema: &Json, at: &str, visit: &mut impl FnMut(&Json, &str)) {
    visit(schema, at);
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        walk(below, &format!("{at}/{}", escape(name)), visit);
    }
    if schema["items"].is_object() {
        walk(&schema["items"], &format!("{at}/0"), visit);
    }
}

struct Collector<'a> {
    pointer: &'a str,
    at: &'a str,
    out: &'a mut Vec<Change>,
}

impl Collector<'_> {
    fn set(&mut self, keyword: &str, label: impl Into<String>, value: Json) {
        self.out.push(Change {
            about: format!("{}/{keyword}", self.pointer),
            label: label.into(),
            at: self.at.to_owned(),
            value: Some(Template::from(value)),
        });
    }
}

fn broken(schema: &Json, at: &str, out: &mut Vec<Change>) {
    let pointer = schema[POINTER].as_str().unwrap_or_default().to_owned();
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        out.push(Change {
            about: required_pointer(&pointer, name),
            label: format!("without `{name}`"),
            at: format!("{at}/{}", escape(name)),
            value: None,
        });
    }
    if schema["additionalProperties"] == json!(false) {
        out.push(Change {
            about: format!("{pointer}/additionalProperties"),
            label: "with an undocumented property".to_owned(),
            at: format!("{at}/x-undocumented"),
            value: Some(Template::Literal(json!("x"))),
        });
    }
    let mut c = Collector { pointer: &pointer, at, out };
    if schema.get("type").is_some() {
        wrong_types(schema, &mut c);
    }
    numbers_beyond(schema, &mut c);
    strings_beyond(schema, &mut c);
    if let Some(values) = schema["enum"].as_array() {
        match values.first() {
            Some(Json::String(first)) => {
                c.set("enum", "a value that is not listed", json!(format!("{first}-x")));
            }
            Some(Json::Number(_)) => c.set("enum", "a value that is not listed", json!(987_654_321)),
            _ => {}
        }
    }
    let items = |n: u64| -> Json {
        let one = known(&simplest(&schema["items"]));
        Json::Array(vec![one; usize::try_from(n).unwrap_or_default()])
    };
    if let Some(least) = schema["minItems"].as_u64().filter(|n| *n > 0) {
        c.set("minItems", "an item too few", items(least - 1));
    }
    if let Some(most) = schema["maxItems"].as_u64() {
        c.set("maxItems", "an item too many", items(most + 1));
    }
    if schema["uniqueItems"] == json!(true) {
        let n = schema["minItems"].as_u64().unwrap_or(0).max(2);
        c.set("uniqueItems", "an item twice", items(n));
    }
}

fn known(template: &Template) -> Json {
    match template {
        Template::Literal(json) => json.clone(),
        Template::List(items) => items.iter().map(known).collect(),
        Template::Object(entries) => {
            entries.iter().map(|(k, t)| (k.clone(), known(t))).collect::<serde_json::Map<_, _>>().into()
        }
        _ => Json::Null,
    }
}

fn allows(schema: &Json, name: &str) -> bool {
    match &schema["type"] {
        Json::String(one) => one == name,
        Json::Array(several) => several.iter().any(|t| t == name),
        _ => true,
    }
}

fn wrong_types(schema: &Json, c: &mut Collector<'_>) {
    let kind = type_of(schema).to_owned();
    let text = kind == "string";
    // Where nothing is what a careless server takes for left out, the wrong values are such nothings.
    let number = if text { json!(0) } else { json!(12) };
    let boolean = json!(false);
    let list = if kind.is_empty() || kind == "array" { json!([]) } else { json!([known(&simplest(schema))]) };
    let candidates: &[(&str, &str, Json)] = &[
        ("string", "a string", json!("abc")),
        ("string", "a number in a string", json!("12")),
        ("number", "a fraction", json!(1.5)),
        ("integer", "a number", number),
        ("boolean", "a boolean", boolean),
        ("object", "an object", json!({})),
        ("array", "a list", list),
        ("null", "null", json!(null)),
    ];
    for (name, label, value) in candidates {
        let fits = allows(schema, name)
            || (*name == "integer" && allows(schema, "number"))
            // Strings that look like numbers tempt only those who expect numbers.
            || (*label == "a number in a string" && !["integer", "number"].contains(&kind.as_str()))
            || (*name == "number" && !["integer", "string"].contains(&kind.as_str()));
        if !fits {
            c.set("type", *label, value.clone());
        }
    }
}

fn numbers_beyond(schema: &Json, c: &mut Collector<'_>) {
    let integral = type_of(schema) == "integer";
    let (low, high) = integer_bounds(schema);
    for (keyword, bound, sign) in
        [("minimum", low, -1), ("exclusiveMinimum", low, -1), ("maximum", high, 1), ("exclusiveMaximum", high, 1)]
    {
        let (Some(bound), Some(exact)) = (bound, schema[keyword].as_f64()) else {
            continue;
        };
        if integral {
            let Some(beyond) = bound.checked_add(sign) else {
                continue;
            };
            c.set(keyword, format!("{beyond}, just beyond"), json!(beyond));
            if let Some(far) = bound.checked_add(sign * 1_000_000) {
                c.set(keyword, format!("{far}, far beyond"), json!(far));
            }
        } else {
            #[expect(clippy::cast_precision_loss, reason = "one or minus one")]
            let beyond = exact + sign as f64;
            let exclusive = keyword.starts_with("exclusive");
            c.set(keyword, "beyond", json!(if exclusive { exact } else { beyond }));
        }
    }
    if let Some(step) = schema["multipleOf"].as_f64() {
        let between = low.unwrap_or(0);
        #[expect(clippy::cast_precision_loss, reason = "bounds of a schema are small")]
        let value = ((between as f64 / step).ceil() + 0.5) * step;
        let value = if integral { json!(value.round() as i64) } else { json!(value) };
        if !(integral && step == 1.0) {
            c.set("multipleOf", "between two steps", value);
        }
    }
    // What a narrow column would wrap around into the range.
    if let (true, Some(low), Some(high)) = (integral, low, high) {
        for bits in [8_u32, 16, 32] {
            let wrapped = (high - (high - low) / 2).checked_add(1_i64 << bits);
            if let Some(wrapped) = wrapped.filter(|w| *w > high && schema.get("maximum").is_some()) {
                c.set("maximum", format!("{wrapped}, in range but for {bits} bits"), json!(wrapped));
            }
        }
    }
}

fn strings_beyond(schema: &Json, c: &mut Collector<'_>) {
    let length = |key: &str| schema[key].as_u64().and_then(|n| usize::try_from(n).ok());
    if let Some(least) = length("minLength").filter(|n| *n > 0) {
        c.set("minLength", "a character too short", json!("x".repeat(least - 1)));
    }
    if let Some(most) = length("maxLength") {
        c.set("maxLength", "a character too long", json!("x".repeat(most + 1)));
    }
    if schema["pattern"].is_string() {
        let validator = jsonschema::options().build(&json!({ "pattern": schema["pattern"] })).ok();
        let least = length("minLength").unwrap_or(1);
        let most = length("maxLength").unwrap_or(40).max(least);
        let candidates = ["!", "x", "0", " ", "é", "~~~~~~~~"];
        let against = candidates
            .iter()
            .map(|s| json!(fit(s, least, most)))
            .find(|v| validator.as_ref().is_some_and(|val| !val.is_valid(v)));
        if let Some(value) = against {
            c.set("pattern", "a text that does not match", value);
        }
    }
    if let Some(format) = schema["format"].as_str().filter(|f| is_checked_format(f)) {
        c.set("format", "a word", json!("tomorrow!"));
        if format == "date-time" {
            c.set("format", "a day that no month has", json!("2096-02-30T12:00:00Z"));
            c.set("format", "a date without a time", json!("2096-02-28"));
        }
    }
}

/// Whether a number is a multiple of the schema's step.
fn step_fits(schema: &Json, number: i64) -> bool {
    schema["multipleOf"].as_i64().is_none_or(|step| step > 0 && number % step == 0)
}

fn kept(schema: &Json, at: &str, out: &mut Vec<Change>) {
    if at.is_empty() {
        return;
    }
    let pointer = schema[POINTER].as_str().unwrap_or_default().to_owned();
    let mut c = Collector { pointer: &pointer, at, out };
    let kind = type_of(schema).to_owned();
    let (low, high) = integer_bounds(schema);
    if ["integer", "number"].contains(&kind.as_str()) {
        for (keyword, bound) in [("minimum", low), ("maximum", high)] {
            if let Some(bound) = bound.filter(|_| schema.get(keyword).is_some()) {
                c.set(keyword, format!("{bound}, the bound itself"), json!(bound));
                let inside = bound.saturating_add(if keyword == "minimum" { 1 } else { -1 });
                if low.is_none_or(|l| inside >= l) && high.is_none_or(|h| inside <= h) && step_fits(schema, inside) {
                    c.set(keyword, format!("{inside}, next to the bound"), json!(inside));
                }
            }
        }
        for (keyword, bound) in [("exclusiveMinimum", low), ("exclusiveMaximum", high)] {
            if let Some(bound) = bound.filter(|_| schema.get(keyword).is_some()) {
                c.set(keyword, format!("{bound}, next to the bound"), json!(bound));
            }
        }
    }
    for (keyword, label) in [("minLength", "as short as may be"), ("maxLength", "as long as may be")] {
        if let Some(n) = schema[keyword].as_u64().filter(|n| (1..=1_000_000).contains(n)) {
            let n = usize::try_from(n).unwrap_or(1);
            c.set(keyword, label, json!(fit("x", n, n)));
        }
    }
    for value in schema["enum"].as_array().into_iter().flatten().take(10) {
        c.set("enum", format!("the value {value}"), value.clone());
    }
    if kind == "boolean" {
        c.set("type", "true", json!(true));
        c.set("type", "false", json!(false));
    } else if schema.get("type").is_some() {
        c.out.push(Change {
            about: format!("{pointer}/type"),
            label: PLAIN.to_owned(),
            at: at.to_owned(),
            value: Some(simplest(schema)),
        });
    }
    if allows(schema, "null") && schema.get("type").is_some() {
        c.set("type", "null", Json::Null);
    }
    for (keyword, n) in [("minItems", schema["minItems"].as_u64()), ("maxItems", schema["maxItems"].as_u64())] {
        let Some(n) = n.filter(|n| *n <= 100) else { continue };
        let exact = json!({"type": "array", "items": schema["items"], "minItems": n, "maxItems": n, "uniqueItems": schema["uniqueItems"] == true});
        c.out.push(Change {
            about: format!("{pointer}/{keyword}"),
            label: format!("{n} items"),
            at: at.to_owned(),
            value: Some(simplest(&exact)),
        });
    }
}

/// Whether a field may be left out.
pub fn is_optional(schema: &Json, pointer: &str) -> bool {
    let Some((parent, _)) = pointer.rsplit_once('/') else {
        return false;
    };
    let name = segments(pointer).pop().unwrap_or_default();
    schema_at(schema, parent).is_some_and(|s| !is_required(s, &name))
}
