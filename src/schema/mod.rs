//! Schemas of a document, to judge with and to generate from, in terms of JSON Schema 2020-12.
//!
//! [`Schema::json`] is what requests are generated from: without references, `allOf` merged, `oneOf` and `anyOf` as one
//! list under `anyOf`, whose members are merged with what stands beside them. Beside the keywords it may have:
//!
//! - [`POINTER`]: where in the document the part stands; `x-pointers`: the same for keywords that come from elsewhere
//! - `x-one-of: true`: `anyOf` was `oneOf`
//! - `x-nullable: true`: OpenAPI 3.0's `nullable` where it may mean nothing, so that null is left to the server
//! - `x-format-bounds`: the bounds that only `format` sets
//! - `x-cut`: keywords that are there only because the schema contains itself
//! - `x-read-only`: names of properties that are not sent
//! - `x-unsupported`: keywords that cannot be checked, so that no value is surely valid

mod bundle;
mod compiled;
mod context;
mod discriminator;
mod keywords;
mod known;
mod merge;
mod normal;
pub mod notes;
mod reach;
pub mod registry;
mod resources;
mod scope;
#[cfg(test)]
mod tests;
mod vocabulary;

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::{Value as Json, json};

use compiled::Compiled;
use notes::Problems;
use registry::{Located, Registry};

use crate::yaml::escape;

/// The annotation that remembers where in the document a subschema stands.
pub const POINTER: &str = "x-pointer";

/// A schema of a document; what it is made into is made when it is asked for, and once.
#[derive(Clone)]
pub struct Schema(Arc<Inner>);

struct Inner {
    /// Where it stands; None for one that anything keeps.
    at: Option<(Arc<Registry>, usize, String)>,
    direction: Direction,
    json: OnceLock<Option<Json>>,
    compiled: Mutex<Option<Arc<Compiled>>>,
    strict: Mutex<Option<Arc<Compiled>>>,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schema").field(&self.pointer()).finish()
    }
}

/// One way in which a value breaks a schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// JSON Pointer into the value.
    pub at: String,
    /// JSON Pointer into the document, to the part that is broken.
    pub pointer: String,
    /// JSON Pointer into the translated schema, to the same: see
    /// `Form::Schema` of a requirement.
    pub part: String,
    /// The keyword that is broken.
    pub keyword: String,
    /// Of `required`: the property that is missing.
    pub property: Option<String>,
    /// Of `oneOf`: whether several match, and not none.
    pub several: bool,
    /// The message.
    pub message: String,
}

impl Violation {
    /// The place in the value that is wrong: of what is missing, where it is missing.
    pub fn place(&self) -> String {
        match &self.property {
            Some(property) => format!("{}/{}", self.at, escape(property)),
            None => self.at.clone(),
        }
    }
}

/// Whether a schema is for what is sent or for what comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// `readOnly` properties are not sent, and need not be there.
    Request,
    /// `writeOnly` properties need not be there; of `oneOf` at least one must match.
    Response,
    /// As [`Direction::Response`], but `writeOnly` properties must not be there, and one of `oneOf` matches, not several.
    Strict,
}

/// The keywords of schemas that are known.
pub fn keywords() -> impl Iterator<Item = &'static str> {
    vocabulary::names()
}

static ANYTHING: OnceLock<Json> = OnceLock::new();

impl Schema {
    /// The schema at a place of a document, and what is odd or not supported in it and in all that it reaches.
    pub fn read(registry: &Arc<Registry>, at: &Located<'_>, direction: Direction) -> (Self, Problems) {
        let problems = bundle::problems(registry, at, direction);
        let (file, inner) = at.key();
        (Self::new(Some((Arc::clone(registry), file, inner.to_owned())), direction), problems)
    }

    /// A schema that anything keeps.
    pub fn anything(direction: Direction) -> Self {
        Self::constant(json!({}), direction)
    }

    /// A schema that stands nowhere in the document: what OpenAPI takes for granted.
    pub fn constant(json: Json, direction: Direction) -> Self {
        let schema = Self::new(None, direction);
        let _ = schema.0.json.set(Some(json));
        schema
    }

    fn new(at: Option<(Arc<Registry>, usize, String)>, direction: Direction) -> Self {
        let (json, compiled, strict) = (OnceLock::new(), Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { at, direction, json, compiled, strict }))
    }

    fn located(&self) -> Option<(&Registry, Located<'_>)> {
        let (registry, file, inner) = self.0.at.as_ref()?;
        Some((registry, registry.at(*file, inner)?))
    }

    /// Where it stands in the document.
    pub fn pointer(&self) -> String {
        self.located().map(|(registry, at)| registry.pointer(&at)).unwrap_or_default()
    }

    /// To generate from: JSON Schema 2020-12 without references, each part annotated with [`POINTER`]. Empty where
    /// [`Schema::is_impossible`].
    pub fn json(&self) -> &Json {
        self.normal().unwrap_or_else(|| ANYTHING.get_or_init(|| json!({})))
    }

    /// Whether no value of bounded size keeps it.
    pub fn is_impossible(&self) -> bool {
        self.normal().is_none()
    }

    fn normal(&self) -> Option<&Json> {
        let written = self.0.json.get_or_init(|| match self.located() {
            Some((registry, at)) => normal::normal(registry, &at, self.0.direction),
            None => Some(json!({})),
        });
        written.as_ref()
    }

    fn compile(&self, direction: Direction) -> Compiled {
        Compiled::new(match self.located() {
            Some((registry, at)) => bundle::bundle(registry, &at, direction),
            None => self.json().clone(),
        })
    }

    fn compiled(&self, direction: Direction) -> Arc<Compiled> {
        let kept = if direction == self.0.direction { &self.0.compiled } else { &self.0.strict };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(kept.get_or_insert_with(|| Arc::new(self.compile(direction))))
    }

    /// Frees what checking values has taken; it is made again for the next value. What a schema refers to may be most of a
    /// large document.
    pub fn release(&self) {
        for kept in [&self.0.compiled, &self.0.strict] {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Whether the value keeps the schema.
    pub fn is_valid(&self, value: &Json) -> bool {
        self.violations(value).is_empty()
    }

    /// Every way in which the value breaks the schema.
    pub fn violations(&self, value: &Json) -> Vec<Violation> {
        self.compiled(self.0.direction).violations(value)
    }

    /// What is wrong with a response's value beside [`Schema::violations`]: `writeOnly` properties that are there, and
    /// alternatives of which several match though one should.
    pub fn excesses(&self, value: &Json) -> Vec<Violation> {
        let mut all = self.compiled(Direction::Strict).violations(value);
        all.retain(|violation| violation.several || violation.keyword == "writeOnly");
        all
    }

    /// Whether a value may have something at a path of names; what the schema does not describe may be anything.
    pub fn reaches(&self, path: &[String]) -> bool {
        self.located().is_none_or(|(registry, at)| reach::reaches(registry, &at, path))
    }

    /// Whether it, or what it reaches, has this keyword.
    pub fn mentions(&self, keyword: &str) -> bool {
        self.located().is_some_and(|(registry, at)| reach::mentions(registry, &at, keyword))
    }
}
