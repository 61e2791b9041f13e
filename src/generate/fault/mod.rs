//! Every way in which one part of a schema can be broken, and the edges up to which it is met.
//!
//! - `kind`: values of another type
//! - `number`, `string`, `list`, `object`: values beyond the bounds of these types
//! - `whole`: values that break what is no single bound: alternatives, conditions, `not`
//! - `edge`: values that only just match the schema, and those for which that is left open

mod edge;
mod kind;
mod list;
mod number;
mod object;
mod string;
mod whole;

use std::borrow::Cow;

use serde_json::{Value as Json, json};

pub use super::values::simplest;
use super::values::{alternatives, list::item_at, object::unnamed};
use crate::contract::template::{Template, segments};
use crate::yaml::escape;
pub use edge::{PLAIN, doubtful, edges};

/// A change to a valid value that touches one part of its schema.
#[derive(Clone, Debug)]
pub struct Change {
    /// The keyword that it is about: see [`crate::contract::requirement::Form::Schema`].
    pub about: String,
    /// What is changed, in a few words.
    pub label: String,
    /// Where in the value, by JSON Pointer.
    pub at: String,
    /// The new value; None removes the field.
    pub value: Option<Template>,
    /// Other possible values, if a constraint excludes the first.
    pub others: Vec<Template>,
    /// The value there in the request that it is compared with, if that needs to be a special one.
    pub base: Option<Template>,
}

impl Change {
    /// The value with the change; missing parents are filled in.
    pub fn apply(&self, body: &Template, schema: &Json) -> Template {
        self.applied(self.value.as_ref(), body, schema)
    }

    /// The value with the change, in each possible form, the plainest first.
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

    /// The value without the change but with its parents, which the change is compared with.
    pub fn control(&self, body: &Template, schema: &Json) -> Template {
        let mut body = body.clone();
        ensure_parent(&mut body, schema, &self.at);
        if let Some(base) = &self.base {
            body.set(&self.at, base.clone());
        } else if self.value.is_none() && body.pointer(&self.at).is_none() {
            body.set(&self.at, schema_at(schema, &self.at).map_or(Template::Literal(Json::Null), |s| simplest(&s)));
        }
        body
    }
}

/// The schema of the value at a pointer, if that does not depend on alternatives.
pub fn schema_at<'a>(schema: &'a Json, pointer: &str) -> Option<Cow<'a, Json>> {
    segments(pointer).iter().try_fold(Cow::Borrowed(schema), |s, name| match s {
        Cow::Borrowed(schema) => below(schema, name),
        Cow::Owned(schema) => below(&schema, name).map(|found| Cow::Owned(found.into_owned())),
    })
}

/// The schema of a part of a value.
fn below<'a>(schema: &'a Json, name: &str) -> Option<Cow<'a, Json>> {
    if let Some(named) = schema["properties"].get(name) {
        return Some(Cow::Borrowed(named));
    }
    let is_list = schema.get("items").is_some() || schema.get("prefixItems").is_some();
    if let Some(place) = name.parse::<usize>().ok().filter(|_| is_list) {
        return Some(Cow::Borrowed(item_at(schema, place)));
    }
    Some(unnamed(schema, name)).filter(Json::is_object).filter(|found| *found != json!({})).map(Cow::Owned)
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
            body.set(&way, simplest(&below));
        }
    }
}

/// Every single way to break a schema.
pub fn faults(schema: &Json) -> Vec<Change> {
    let mut all = Vec::new();
    walk(schema, "", "", &mut |part, place, at| broken(part, place, at, &mut all));
    all
}

/// Visits each part of a schema with its place in the schema and in the value. Parts of alternatives are left out: the
/// list of alternatives is one part.
fn walk(schema: &Json, place: &str, at: &str, visit: &mut impl FnMut(&Json, &str, &str)) {
    visit(schema, place, at);
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        let name = escape(name);
        walk(below, &format!("{place}/properties/{name}"), &format!("{at}/{name}"), visit);
    }
    for (i, below) in schema["prefixItems"].as_array().into_iter().flatten().enumerate() {
        walk(below, &format!("{place}/prefixItems/{i}"), &format!("{at}/{i}"), visit);
    }
    if schema["items"].is_object() {
        let first = schema["prefixItems"].as_array().map_or(0, Vec::len);
        walk(&schema["items"], &format!("{place}/items"), &format!("{at}/{first}"), visit);
    }
    if schema["additionalProperties"].is_object()
        && let Some(name) = object::a_name(schema)
    {
        walk(&schema["additionalProperties"], &format!("{place}/additionalProperties"), &format!("{at}/{name}"), visit);
    }
}

struct Collector<'a> {
    place: &'a str,
    at: &'a str,
    base: Option<Template>,
    out: &'a mut Vec<Change>,
}

impl Collector<'_> {
    fn set(&mut self, keyword: &str, label: impl Into<String>, value: Json) {
        self.put(keyword, label, vec![Template::from(value)]);
    }

    /// The same with several possible values; no change if there are none.
    fn put(&mut self, keyword: &str, label: impl Into<String>, values: Vec<Template>) {
        let mut values = values.into_iter();
        if let Some(value) = values.next() {
            self.out.push(Change {
                about: format!("{}/{keyword}", self.place),
                label: label.into(),
                at: self.at.to_owned(),
                value: Some(value),
                others: values.collect(),
                base: self.base.clone(),
            });
        }
    }

    /// The same, compared with a value of its own.
    fn put_beside(&mut self, keyword: &str, label: impl Into<String>, base: Template, values: Vec<Template>) {
        let before = self.base.replace(base);
        self.put(keyword, label, values);
        self.base = before;
    }
}

/// Whether the way to a place leads through an entry of a map, which exists only if it is added.
fn is_map_entry(place: &str) -> bool {
    place.ends_with("/additionalProperties")
}

fn broken(schema: &Json, place: &str, at: &str, out: &mut Vec<Change>) {
    object::broken(schema, place, at, out);
    let base = is_map_entry(place).then(|| simplest(schema));
    let mut c = Collector { place, at, base, out };
    if schema.get("type").is_some() {
        kind::wrong_types(schema, &mut c);
    }
    number::beyond(schema, &mut c);
    string::beyond(schema, &mut c);
    kind::unlisted(schema, &mut c);
    list::beyond(schema, &mut c);
    if !alternatives(schema).is_empty() {
        whole::alternatives(schema, &mut c);
    }
    whole::conditions(schema, &mut c);
}
