//! JSON as CEL values, converted once, with ordered maps; and scopes, whose members may be unknown.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Iterable, Iterator as CelIterator, Sizer};
use cel::common::types::{
    self, CelBool, CelBytes, CelDouble, CelDuration, CelInt, CelList, CelMap, CelNull, CelOptional, CelString,
    CelTimestamp, CelUInt, Type,
};
use cel::common::value::{CowVal, StaticVal, Val};
use chrono::{DateTime, SecondsFormat, Utc};
use indexmap::IndexMap;
use serde_json::Value as Json;

use super::{Evaluated, Expression, evaluate};

/// The name of a function that marks errors about unknown values.
pub(super) const UNKNOWN: &str = "@unknown";
/// The prefix of keys in errors about missing fixtures.
pub(super) const FIXTURES: &str = "fixtures.";

/// A JSON object. It is shared, so that copies are cheap; the order is the object's own.
#[derive(Clone, Debug)]
struct Object(Arc<ObjectInner>);

#[derive(Debug)]
struct ObjectInner {
    entries: IndexMap<String, Box<dyn Val>>,
    keys: Vec<CelString<'static>>,
    /// The path from `fixtures`, if a missing key is a missing fixture.
    fixture: Option<String>,
}

impl Object {
    fn new(entries: IndexMap<String, Box<dyn Val>>, fixture: Option<String>) -> Self {
        let keys = entries.keys().map(|k| CelString::from(k.clone())).collect();
        Self(Arc::new(ObjectInner { entries, keys, fixture }))
    }
}

/// Converts JSON to a CEL value.
pub fn from_json(json: &Json) -> Box<dyn Val> {
    convert(json, None)
}

/// An instant as a CEL value.
pub fn timestamp(instant: DateTime<Utc>) -> Box<dyn Val> {
    Box::new(CelTimestamp::from(instant.fixed_offset()))
}

fn convert(json: &Json, fixture: Option<String>) -> Box<dyn Val> {
    match json {
        Json::Null => Box::new(CelNull),
        Json::Bool(b) => Box::new(CelBool::from(*b)),
        Json::Number(n) => {
            // A number beyond signed 64 bits is a double, so that all numbers can be compared.
            if let Some(i) = n.as_i64() { Box::new(CelInt::from(i)) } else { Box::new(CelDouble::from(as_f64(n))) }
        }
        Json::String(s) => Box::new(CelString::from(s.clone())),
        Json::Array(items) => Box::new(CelList::from(
            items
                .iter()
                .enumerate()
                .map(|(i, item)| convert(item, fixture.as_ref().map(|p| format!("{p}[{i}]"))))
                .collect::<Vec<_>>(),
        )),
        Json::Object(map) => {
            let entries: IndexMap<String, Box<dyn Val>> = map
                .iter()
                .map(|(k, v)| {
                    let path = fixture.as_ref().map(|p| format!("{p}.{k}"));
                    (k.clone(), convert(v, path))
                })
                .collect();
            Box::new(Object::new(entries, fixture))
        }
    }
}

/// The nearest double of a JSON number; infinite beyond the range.
fn as_f64(number: &serde_json::Number) -> f64 {
    number.as_f64().or_else(|| number.to_string().parse().ok()).unwrap_or(f64::NAN)
}

/// Converts a CEL value to JSON: instants and durations as text, bytes as base64. None for types,
/// functions and numbers that JSON lacks.
pub fn to_json(value: &dyn Val) -> Option<Json> {
    if let Some(object) = value.downcast_ref::<Object>() {
        return object
            .0
            .entries
            .iter()
            .map(|(k, v)| Some((k.clone(), to_json(v.as_ref())?)))
            .collect::<Option<serde_json::Map<_, _>>>()
            .map(Json::from);
    }
    if value.downcast_ref::<CelNull>().is_some() {
        return Some(Json::Null);
    }
    if let Some(b) = value.downcast_ref::<CelBool>() {
        return Some(Json::from(*b.inner()));
    }
    if let Some(i) = value.downcast_ref::<CelInt>() {
        return Some(Json::from(*i.inner()));
    }
    if let Some(u) = value.downcast_ref::<CelUInt>() {
        return Some(Json::from(*u.inner()));
    }
    if let Some(d) = value.downcast_ref::<CelDouble>() {
        return serde_json::Number::from_f64(*d.inner()).map(Json::Number);
    }
    if let Some(s) = value.downcast_ref::<CelString>() {
        return Some(Json::from(s.inner()));
    }
    if let Some(list) = value.downcast_ref::<CelList>() {
        return list.inner().iter().map(|v| to_json(v.as_ref())).collect();
    }
    if let Some(map) = value.downcast_ref::<CelMap>() {
        let mut entries = map
            .inner()
            .iter()
            .map(|(k, v)| {
                let key = match to_json(k.inner())? {
                    Json::String(s) => s,
                    other => other.to_string(),
                };
                Some((key, to_json(v.as_ref())?))
            })
            .collect::<Option<Vec<_>>>()?;
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        return Some(entries.into_iter().collect::<serde_json::Map<_, _>>().into());
    }
    if let Some(t) = value.downcast_ref::<CelTimestamp>() {
        return Some(t.inner().to_rfc3339_opts(SecondsFormat::AutoSi, true).into());
    }
    if let Some(d) = value.downcast_ref::<CelDuration>() {
        let millis = d.inner().num_milliseconds();
        return Some(format!("{}.{:03}s", millis / 1000, (millis % 1000).abs()).into());
    }
    if let Some(o) = value.downcast_ref::<CelOptional>() {
        return o.inner().map_or(Some(Json::Null), to_json);
    }
    if let Some(b) = value.downcast_ref::<CelBytes>() {
        use base64::Engine as _;
        return Some(base64::engine::general_purpose::STANDARD.encode(b.inner()).into());
    }
    None
}

/// Named values, some of which may be unknown, and the contract's defines, evaluated when used.
#[derive(Clone, Debug)]
pub struct Scope(Arc<ScopeInner>);

/// What a define came to.
type Worked = Evaluated<Box<dyn Val>>;

#[derive(Debug, Default)]
struct ScopeInner {
    /// The members, which are few and searched in turn.
    slots: Vec<(String, Slot)>,
    /// The scope that is searched for other names.
    parent: Option<Scope>,
    defines: Option<Arc<Defines>>,
    /// The values of the defines, as far as they were asked for, in their order.
    values: OnceLock<Vec<OnceLock<Worked>>>,
}

#[derive(Debug)]
enum Slot {
    Value(Box<dyn Val>),
    Unknown(String),
}

/// Named expressions that cases share.
#[derive(Debug, Default)]
pub struct Defines(IndexMap<String, Define>);

#[derive(Debug)]
struct Define {
    expression: Expression,
    /// The names that are read for it, also by the defines that it uses.
    reads: BTreeSet<String>,
}

impl Defines {
    /// Defines in their order: each may use those before it.
    pub fn new(defines: impl IntoIterator<Item = (String, Expression)>) -> Self {
        let mut all: IndexMap<String, Define> = IndexMap::new();
        for (name, expression) in defines {
            let used = expression.variables().iter().filter_map(|name| all.get(name));
            let reads = used.flat_map(|define| &define.reads).chain(expression.variables()).cloned().collect();
            all.insert(name, Define { expression, reads });
        }
        Self(all)
    }

    /// The defined names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The defined names, each with whether its value may depend on the time.
    pub fn timely(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.iter().map(|(name, define)| (name.as_str(), define.expression.is_timely()))
    }

    /// The expression of a name.
    pub fn get(&self, name: &str) -> Option<&Expression> {
        self.0.get(name).map(|define| &define.expression)
    }
}

/// Builds a scope.
#[derive(Debug, Default)]
pub struct ScopeBuilder(ScopeInner);

impl ScopeBuilder {
    /// Adds a JSON value.
    #[must_use]
    pub fn json(self, name: &str, json: &Json) -> Self {
        self.value(name, from_json(json))
    }

    /// Adds a map of values.
    #[must_use]
    pub fn map(self, name: &str, entries: Vec<(&str, Box<dyn Val>)>) -> Self {
        let entries = entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        self.value(name, Box::new(Object::new(entries, None)))
    }

    /// Adds a CEL value.
    #[must_use]
    pub fn value(mut self, name: &str, value: Box<dyn Val>) -> Self {
        self.0.slots.push((name.to_owned(), Slot::Value(value)));
        self
    }

    /// Adds another scope as a member.
    #[must_use]
    pub fn scope(self, name: &str, scope: &Scope) -> Self {
        self.value(name, Box::new(scope.clone()))
    }

    /// Adds a list of scopes as a member.
    #[must_use]
    pub fn scopes(self, name: &str, scopes: &[Scope]) -> Self {
        let list: Vec<Box<dyn Val>> = scopes.iter().map(|s| Box::new(s.clone()) as Box<dyn Val>).collect();
        self.value(name, Box::new(CelList::from(list)))
    }

    /// Adds the fixtures; a missing path below them is a missing fixture.
    #[must_use]
    pub fn fixtures(self, json: &Json) -> Self {
        self.value("fixtures", convert(json, Some("fixtures".to_owned())))
    }

    /// Adds an unknown value, and why it is unknown.
    #[must_use]
    pub fn unknown(mut self, name: &str, reason: &str) -> Self {
        self.0.slots.push((name.to_owned(), Slot::Unknown(reason.to_owned())));
        self
    }

    /// Adds the contract's defines.
    #[must_use]
    pub fn defines(mut self, defines: Arc<Defines>) -> Self {
        self.0.defines = Some(defines);
        self
    }

    /// The scope.
    pub fn build(self) -> Scope {
        Scope(Arc::new(self.0))
    }
}

impl Scope {
    /// The JSON value at a path of members, if it is known and there is one.
    pub fn member(&self, name: &str, path: &[&str]) -> Option<Json> {
        let Slot::Value(value) = self.slot(name)? else { return None };
        let mut at = value;
        for name in path {
            at = at.downcast_ref::<Object>()?.0.entries.get(*name)?;
        }
        to_json(at.as_ref())
    }

    /// A scope with the same members and more; an added name hides an earlier one.
    pub fn extend(&self) -> ScopeBuilder {
        ScopeBuilder(ScopeInner {
            parent: Some(self.clone()),
            defines: self.0.defines.clone(),
            ..ScopeInner::default()
        })
    }

    /// The value of a define, evaluated once, in the outermost scope that has all that it reads.
    fn defined(&self, name: &str) -> Option<&Evaluated<Box<dyn Val>>> {
        let all = self.0.defines.as_ref()?;
        let (place, _, define) = all.0.get_full(name)?;
        if let Some(outer) = &self.0.parent
            && outer.0.defines.as_ref().is_some_and(|outer| Arc::ptr_eq(outer, all))
            && !self.0.slots.iter().any(|(own, _)| define.reads.contains(own))
        {
            return outer.defined(name);
        }
        let values = self.0.values.get_or_init(|| all.0.iter().map(|_| OnceLock::new()).collect());
        Some(values[place].get_or_init(|| evaluate(&define.expression.ast, self)))
    }

    fn slot(&self, name: &str) -> Option<&Slot> {
        let own = self.0.slots.iter().rev().find(|(n, _)| n == name);
        own.map(|(_, slot)| slot).or_else(|| self.0.parent.as_ref()?.slot(name))
    }
}

fn no_such_key(key: &dyn Val) -> ExecutionError {
    ExecutionError::no_such_key(&key_text(key))
}

fn key_text(key: &dyn Val) -> String {
    match to_json(key) {
        Some(Json::String(s)) => s,
        Some(other) => other.to_string(),
        None => "?".to_owned(),
    }
}

fn wrong_key(key: &dyn Val) -> ExecutionError {
    ExecutionError::UnexpectedType { got: key.get_type().name().to_owned(), want: "string".to_owned() }
}

impl Indexer for Scope {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let name = key.downcast_ref::<CelString>().ok_or_else(|| wrong_key(key))?;
        match self.slot(name.inner()) {
            Some(Slot::Value(value)) => Ok(CowVal::Borrowed(value.as_ref())),
            Some(Slot::Unknown(reason)) => Err(ExecutionError::function_error(UNKNOWN, reason)),
            None => match self.defined(name.inner()) {
                Some(Ok(value)) => Ok(CowVal::Borrowed(value.as_ref())),
                Some(Err(error)) => Err(error.clone()),
                None => Err(no_such_key(key)),
            },
        }
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

impl Val for Scope {
    fn get_type(&self) -> &Type {
        &types::MAP_TYPE
    }
    fn cel_type() -> &'static Type {
        &types::MAP_TYPE
    }
    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }
    fn equals(&self, other: &dyn Val) -> bool {
        other.downcast_ref::<Scope>().is_some_and(|o| Arc::ptr_eq(&o.0, &self.0))
    }
    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Scope {}

impl Indexer for Object {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let name = key.downcast_ref::<CelString>().ok_or_else(|| wrong_key(key))?;
        match self.0.entries.get(name.inner()) {
            Some(value) => Ok(CowVal::Borrowed(value.as_ref())),
            None => Err(match &self.0.fixture {
                Some(path) => ExecutionError::no_such_key(&format!("{path}.{}", name.inner())),
                None => no_such_key(key),
            }),
        }
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

impl Container for Object {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        key.downcast_ref::<CelString>().map(|k| self.0.entries.contains_key(k.inner())).ok_or_else(|| wrong_key(key))
    }
}

impl Sizer for Object {
    fn size(&self) -> CelInt {
        CelInt::from(i64::try_from(self.0.entries.len()).unwrap_or(i64::MAX))
    }
}

struct Keys<'b>(std::slice::Iter<'b, CelString<'static>>);

impl<'b, 'v> CelIterator<'b, 'v> for Keys<'b> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.0.next().map(|k| k as &dyn Val)
    }
}

impl Iterable for Object {
    fn iter<'b, 'v>(&'b self) -> Box<dyn CelIterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Keys(self.0.keys.iter()))
    }
}

impl Val for Object {
    fn get_type(&self) -> &Type {
        &types::MAP_TYPE
    }
    fn cel_type() -> &'static Type {
        &types::MAP_TYPE
    }
    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }
    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }
    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }
    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }
    fn equals(&self, other: &dyn Val) -> bool {
        if let Some(other) = other.downcast_ref::<Object>() {
            return self.0.entries.len() == other.0.entries.len()
                && self.0.entries.iter().all(|(k, v)| other.0.entries.get(k).is_some_and(|o| v.equals(o.as_ref())));
        }
        // A map written in the expression itself.
        other.downcast_ref::<CelMap>().is_some_and(|_| to_json(self) == to_json(other))
    }
    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Object {}
