//! Every way in which one part of a schema can be broken, and the edges up to which it holds.

use proptest::strategy::{Strategy, ValueTree};
use serde_json::{Value as Json, json};

use super::body::{MOST_ITEMS, integer_bounds, is_required, item_bounds, multiple, type_of, values};
use super::seed::Seed;
use super::text::{LONGEST, fit, lengths, of_length, shaped};
use crate::contract::derive::{is_checked_format, required_part};
use crate::contract::template::{Template, segments};
use crate::schema::registry::escape;

/// The label of a change that only puts a field in.
pub const PLAIN: &str = "a plain value";

/// A change to a valid body that touches one part of the schema.
#[derive(Clone, Debug)]
pub struct Change {
    /// The keyword that it is about: see [`crate::contract::requirement::Form::Schema`].
    pub about: String,
    /// What is done, in a few words.
    pub label: String,
    /// Where in the body, by JSON Pointer.
    pub at: String,
    /// What is put there; None takes the field away.
    pub value: Option<Template>,
    /// Other values that would do, where a constraint stands against the first.
    pub others: Vec<Template>,
}

impl Change {
    /// The body with the change; what the way there lacks is filled in.
    pub fn apply(&self, body: &Template, schema: &Json) -> Template {
        self.applied(self.value.as_ref(), body, schema)
    }

    /// The body with the change, in each form that it may take, the plainest first.
    pub fn forms(&self, body: &Template, schema: &Json) -> impl Iterator<Item = Template> {
        std::iter::once(self.value.as_ref())
            .chain(self.others.iter().map(Some))
            .map(|value| self.applied(value, body, schema))
    }

    fn applied(&self, value: Option<&Template>, body: &Template, schema: &Json) -> Template {
        let mut body = body.clone();
        ensure_parent(&mut body, schema, &self.at);
        match value {
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
    walk(schema, "", "", &mut |part, place, at| broken(part, place, at, &mut all));
    all
}

/// Values at the edges of what the schema of a body allows.
pub fn edges(schema: &Json) -> Vec<Change> {
    let mut all = Vec::new();
    walk(schema, "", "", &mut |part, place, at| kept(part, place, at, &mut all));
    all
}

/// Visits each part of a schema with its place in the schema and in the body.
fn walk(schema: &Json, place: &str, at: &str, visit: &mut impl FnMut(&Json, &str, &str)) {
    visit(schema, place, at);
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        let name = escape(name);
        walk(below, &format!("{place}/properties/{name}"), &format!("{at}/{name}"), visit);
    }
    if schema["items"].is_object() {
        walk(&schema["items"], &format!("{place}/items"), &format!("{at}/0"), visit);
    }
}

struct Collector<'a> {
    place: &'a str,
    at: &'a str,
    out: &'a mut Vec<Change>,
}

impl Collector<'_> {
    fn set(&mut self, keyword: &str, label: impl Into<String>, value: Json) {
        self.put(keyword, label, vec![Template::from(value)]);
    }

    /// The same with several values that would do; none, if there are none.
    fn put(&mut self, keyword: &str, label: impl Into<String>, values: Vec<Template>) {
        let mut values = values.into_iter();
        if let Some(value) = values.next() {
            self.out.push(Change {
                about: format!("{}/{keyword}", self.place),
                label: label.into(),
                at: self.at.to_owned(),
                value: Some(value),
                others: values.collect(),
            });
        }
    }
}

fn broken(schema: &Json, place: &str, at: &str, out: &mut Vec<Change>) {
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        out.push(Change {
            about: required_part(place, name),
            label: format!("without `{name}`"),
            at: format!("{at}/{}", escape(name)),
            value: None,
            others: Vec::new(),
        });
    }
    if schema["additionalProperties"] == json!(false) {
        out.push(Change {
            about: format!("{place}/additionalProperties"),
            label: "with an undocumented property".to_owned(),
            at: format!("{at}/x-undocumented"),
            value: Some(Template::Literal(json!("x"))),
            others: Vec::new(),
        });
    }
    let mut c = Collector { place, at, out };
    if schema.get("type").is_some() {
        wrong_types(schema, &mut c);
    }
    numbers_beyond(schema, &mut c);
    strings_beyond(schema, &mut c);
    if let Some(values) = schema["enum"].as_array() {
        match values.iter().find(|v| !v.is_null()) {
            Some(Json::String(first)) => {
                c.set("enum", "a value that is not listed", json!(format!("{first}-x")));
            }
            Some(Json::Number(_)) => c.set("enum", "a value that is not listed", json!(987_654_321)),
            _ => {}
        }
    }
    let (least, most) = item_bounds(schema);
    if let Some(least) = least.filter(|n| *n > 0) {
        c.put("minItems", "an item too few", lists(schema, least - 1));
    }
    if let Some(most) = most.filter(|n| *n < MOST_ITEMS) {
        c.put("maxItems", "an item too many", lists(schema, most + 1));
    }
    if schema["uniqueItems"] == json!(true) {
        let twice = lists(schema, least.unwrap_or(0).max(2) - 1).into_iter().map(|list| match list {
            Template::List(mut items) => {
                items.extend(items.last().cloned());
                Template::List(items)
            }
            other => other,
        });
        c.put("uniqueItems", "an item twice", twice.collect());
    }
}

/// How many lists are made, of which a constraint may take one and not another.
const LISTS: u64 = 8;

/// Lists of just so many items, whatever the schema says of their number; the items differ as far
/// as there are enough.
fn lists(schema: &Json, length: usize) -> Vec<Template> {
    let items = &schema["items"];
    let plain = simplest(items);
    let strategy = values(items);
    let mut all: Vec<Template> = Vec::new();
    for n in 0..LISTS {
        let mut runner = Seed(0).runner("lists", n);
        let mut list = if n == 0 { vec![plain.clone()] } else { Vec::new() };
        let mut texts: Vec<String> = list.iter().map(|i| format!("{i:?}")).collect();
        for _ in 0..10 * length + 100 {
            if list.len() >= length {
                break;
            }
            let Ok(tree) = strategy.new_tree(&mut runner) else { break };
            let item = tree.current();
            let text = format!("{item:?}");
            if !texts.contains(&text) {
                texts.push(text);
                list.push(item);
            }
        }
        // Of what there is too little of, some comes twice.
        while list.len() < length {
            list.push(list.last().cloned().unwrap_or_else(|| plain.clone()));
        }
        list.truncate(length);
        let list = Template::List(list);
        if all.iter().all(|l| format!("{l:?}") != format!("{list:?}")) {
            all.push(list);
        }
    }
    all
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
    let candidates: &[(&str, &str, Json)] = &[
        ("string", "a string", json!("abc")),
        ("string", "a number in a string", json!("12")),
        ("number", "a fraction", json!(1.5)),
        ("integer", "a number", number),
        ("boolean", "a boolean", boolean),
        ("object", "an object", json!({})),
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
    if !allows(schema, "array") {
        // Some readers take a list of one for the one.
        c.put("type", "a list of one", vec![Template::List(vec![simplest(schema)])]);
    }
}

fn numbers_beyond(schema: &Json, c: &mut Collector<'_>) {
    let integral = type_of(schema) == "integer";
    let (low, high) = integer_bounds(schema);
    let (low, high) = (low.map(i128::from), high.map(i128::from));
    for (keyword, bound, sign) in
        [("minimum", low, -1), ("exclusiveMinimum", low, -1), ("maximum", high, 1), ("exclusiveMaximum", high, 1)]
    {
        let (Some(bound), Some(exact)) = (bound, schema[keyword].as_f64()) else {
            continue;
        };
        if integral {
            let beyond = bound + sign;
            c.set(keyword, format!("{beyond}, just beyond"), whole(beyond));
            // Beyond 64 bits the nearest is as far as any.
            let far = bound + sign * 1_000_000;
            if i64::try_from(far).is_ok() {
                c.set(keyword, format!("{far}, far beyond"), whole(far));
            }
        } else {
            let step = schema["multipleOf"].as_f64().filter(|s| *s > 0.0).unwrap_or(1.0);
            let sign = if sign < 0 { -1.0 } else { 1.0 };
            let beyond = if keyword.starts_with("exclusive") { exact } else { exact + sign * step };
            c.set(keyword, "beyond", json!(beyond));
        }
    }
    if let Some(step) = schema["multipleOf"].as_f64().filter(|s| *s > 0.0) {
        #[expect(clippy::cast_precision_loss, reason = "bounds of a schema are small")]
        let first = (low.unwrap_or(0) as f64 / step).ceil();
        #[expect(clippy::cast_possible_truncation, reason = "bounds of a schema are small")]
        let value = match integral {
            true => (multiple(step, first) + (step / 2.0).ceil()) as i128,
            false => 0,
        };
        if !integral {
            c.set("multipleOf", "between two steps", json!(multiple(step / 10.0, first * 10.0 + 5.0)));
        } else if step != 1.0 {
            c.set("multipleOf", "between two steps", whole(value));
        }
    }
    // What a narrow column would wrap around into the range.
    if let (true, Some(low), Some(high)) = (integral, low, high) {
        for bits in [8_u32, 16, 32] {
            let wrapped = high - (high - low) / 2 + (1_i128 << bits);
            if wrapped > high && schema.get("maximum").is_some() {
                c.set("maximum", format!("{wrapped}, in range but for {bits} bits"), whole(wrapped));
            }
        }
    }
}

/// A whole number of any size.
fn whole(number: i128) -> Json {
    serde_json::from_str(&number.to_string()).unwrap_or(Json::Null)
}

fn strings_beyond(schema: &Json, c: &mut Collector<'_>) {
    let (least, most) = lengths(schema);
    let sized = |n: usize| of_length(schema, n).unwrap_or_else(|| "x".repeat(n));
    if let Some(least) = least.filter(|n| *n > 0) {
        c.set("minLength", "a character too short", json!(sized(least - 1)));
    }
    if let Some(most) = most.filter(|n| *n < LONGEST) {
        c.set("maxLength", "a character too long", json!(sized(most + 1)));
    }
    if schema["pattern"].is_string() {
        let validator = jsonschema::options().build(&json!({ "pattern": schema["pattern"] })).ok();
        let breaks = |text: &String| validator.as_ref().is_some_and(|v| !v.is_valid(&json!(text)));
        let (least, most) = (least.unwrap_or(1), most.unwrap_or(LONGEST));
        let candidates = ["!", "x", "0", " ", "é", "~~~~~~~~"].into_iter().map(str::to_owned);
        let characters = (' '..='~').map(String::from);
        let fitted = |text: String| fit(&text, least, most.min(40).max(least));
        let against = candidates.chain(characters).map(fitted).find(breaks);
        if let Some(text) = against {
            c.set("pattern", "a text that does not match", json!(text));
        }
        // Who searches for the pattern instead of matching the whole finds it.
        if shaped(schema).is_some()
            && let Template::Literal(Json::String(plain)) = simplest(schema)
        {
            let more = [format!("!{plain}!"), format!("{plain}!"), format!("!{plain}")];
            let more = more.into_iter().filter(|t| (least..=most).contains(&t.chars().count()));
            if let Some(text) = more.into_iter().find(breaks) {
                c.set("pattern", "a text that matches in part", json!(text));
            }
        }
    }
    if let Some(format) = schema["format"].as_str().filter(|f| is_checked_format(f)) {
        c.set("format", "a word", json!("tomorrow!"));
        match format {
            "date-time" => {
                c.set("format", "a day that no month has", json!("2096-02-30T12:00:00Z"));
                c.set("format", "a date without a time", json!("2096-02-28"));
            }
            "date" => {
                c.set("format", "a day that no month has", json!("2096-02-30"));
                c.set("format", "a date with a time", json!("2096-02-28T12:00:00Z"));
            }
            _ => {}
        }
    }
}

/// Whether a number is a multiple of the schema's step.
fn step_fits(schema: &Json, number: i64) -> bool {
    schema["multipleOf"].as_i64().is_none_or(|step| step > 0 && number % step == 0)
}

fn kept(schema: &Json, place: &str, at: &str, out: &mut Vec<Change>) {
    if at.is_empty() {
        return;
    }
    let mut c = Collector { place, at, out };
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
        let (least, most) = lengths(schema);
        if let Some(n) = if keyword == "minLength" { least } else { most }.filter(|n| *n > 0) {
            c.set(keyword, label, json!(of_length(schema, n).unwrap_or_else(|| fit("x", n, n))));
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
            about: format!("{place}/type"),
            label: PLAIN.to_owned(),
            at: at.to_owned(),
            value: Some(simplest(schema)),
            others: Vec::new(),
        });
    }
    if allows(schema, "null") && schema.get("type").is_some() {
        c.set("type", "null", Json::Null);
    }
    let (least, most) = item_bounds(schema);
    for (keyword, n) in [("minItems", least), ("maxItems", most)] {
        if let Some(n) = n.filter(|n| *n <= 100) {
            c.put(keyword, format!("{n} items"), lists(schema, n));
        }
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
