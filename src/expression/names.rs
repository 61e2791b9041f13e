//! The names in an expression: which are allowed, which are bound by the expression itself, and
//! which paths under bodies it reads.

use std::collections::BTreeSet;

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, SourceInfo, operators};
use cel::common::types::CelString;

use super::pattern::MATCHES;
use super::{BodyPath, SELF};
use crate::source::did_you_mean;

/// Names of types and of function libraries, which stand for themselves.
const RESERVED: &[&str] = &[
    "bool",
    "bytes",
    "double",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "type",
    "uint",
    "math",
    "optional",
    "strings",
    "lists",
];

/// The names that an expression may use.
#[derive(Clone, Debug, Default)]
pub struct Names {
    all: BTreeSet<String>,
    timely: BTreeSet<String>,
    /// The names that stand for an exchange, or for a list of exchanges.
    exchanges: BTreeSet<String>,
    /// The members of an exchange.
    members: BTreeSet<String>,
    /// Names of earlier versions, and what to write instead.
    retired: &'static [(&'static str, &'static str)],
}

impl Names {
    /// A set of names.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self::default().and(names)
    }

    /// The same names and more.
    #[must_use]
    pub fn and<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut more = self.clone();
        more.all.extend(names.into_iter().map(str::to_owned));
        more
    }

    /// The same names, with one that stands for something that depends on the time.
    #[must_use]
    pub fn and_timely(&self, name: &str) -> Self {
        let mut more = self.and([name]);
        more.timely.insert(name.to_owned());
        more
    }

    /// The same names, with some that stand for an exchange or a list of exchanges, each of which has the `members`.
    #[must_use]
    pub fn and_exchanges<'a>(&self, names: impl IntoIterator<Item = &'a str>, members: &Names) -> Self {
        let mut more = self.clone();
        for name in names {
            more.all.insert(name.to_owned());
            more.exchanges.insert(name.to_owned());
        }
        more.members.clone_from(&members.all);
        more
    }

    /// The same names, with names of earlier versions, and what to write instead.
    #[must_use]
    pub fn with_retired(mut self, retired: &'static [(&'static str, &'static str)]) -> Self {
        self.retired = retired;
        self
    }

    /// Whether it is one of these names, or a name that CEL itself gives a meaning.
    pub fn is_taken(&self, name: &str) -> bool {
        self.all.contains(name) || RESERVED.contains(&name) || self.retired.iter().any(|(old, _)| *old == name)
    }

    /// The error for a name that is not among `known`.
    fn unknown(&self, name: &str, known: &BTreeSet<String>) -> UnknownName {
        let retired = self.retired.iter().find(|(old, _)| *old == name).map(|(_, help)| (*help).to_owned());
        let known = known.iter().map(String::as_str);
        let help = retired.or_else(|| did_you_mean(name, known.clone()));
        UnknownName {
            help: help.unwrap_or_else(|| format!("known names: {}", known.collect::<Vec<_>>().join(", "))),
            name: name.to_owned(),
        }
    }

    /// Whether one of these names stands for something that depends on the time.
    pub(super) fn depends_on_time(&self, names: &[String]) -> bool {
        names.iter().any(|n| n == "now" || self.timely.contains(n))
    }
}

/// A name that nothing defines.
pub(super) struct UnknownName {
    pub name: String,
    pub help: String,
}

/// What the walk over an expression has found.
#[derive(Default)]
pub(super) struct Found {
    pub body_paths: Vec<BodyPath>,
    pub optional_fields: Vec<String>,
    pub variables: Vec<String>,
}

struct Binder<'a> {
    names: &'a Names,
    /// The names that the expression binds itself, and whether each stands for an exchange.
    local: Vec<(String, bool)>,
    paths: BTreeSet<BodyPath>,
    optional: BTreeSet<String>,
    variables: BTreeSet<String>,
}

/// Rewrites free names to members of the one bound variable.
pub(super) fn bind(ast: &mut IdedExpr, names: &Names) -> Result<Found, UnknownName> {
    let mut binder = Binder {
        names,
        local: Vec::new(),
        paths: BTreeSet::new(),
        optional: BTreeSet::new(),
        variables: BTreeSet::new(),
    };
    binder.walk(ast)?;
    Ok(Found {
        body_paths: binder.paths.into_iter().collect(),
        optional_fields: binder.optional.into_iter().collect(),
        variables: binder.variables.into_iter().collect(),
    })
}

/// The position of each operator and name in the text, in bytes.
pub(super) fn offsets(ast: &IdedExpr, info: &SourceInfo) -> Vec<(u64, usize)> {
    // Ids count up from 1; asking for a few more than there are nodes does no harm.
    let chars: Vec<usize> = info.source.char_indices().map(|(i, _)| i).collect();
    (0..=max_id(ast))
        .filter_map(|id| {
            let (start, _) = info.offset_for(id)?;
            Some((id, chars.get(start as usize).copied().unwrap_or(info.source.len())))
        })
        .collect()
}

fn max_id(ast: &IdedExpr) -> u64 {
    let below = children(ast).into_iter().map(max_id).max().unwrap_or(0);
    below.max(ast.id)
}

/// The parts of an expression.
pub(super) fn children(ast: &IdedExpr) -> Vec<&IdedExpr> {
    match &ast.expr {
        Expr::Call(call) => call.target.iter().map(|t| &**t).chain(&call.args).collect(),
        Expr::Comprehension(c) => vec![&c.iter_range, &c.accu_init, &c.loop_cond, &c.loop_step, &c.result],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Map(map) => entries(&map.entries),
        Expr::Struct(s) => entries(&s.entries),
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
    }
}

fn entries(entries: &[cel::common::ast::IdedEntryExpr]) -> Vec<&IdedExpr> {
    entries
        .iter()
        .flat_map(|e| match &e.expr {
            EntryExpr::StructField(f) => vec![&f.value],
            EntryExpr::MapEntry(m) => vec![&m.key, &m.value],
        })
        .collect()
}

/// An expression with another in the place of a name.
pub(super) fn with_name(ast: &IdedExpr, name: &str, with: &IdedExpr) -> IdedExpr {
    let inner = |ast: &IdedExpr| with_name(ast, name, with);
    let expr = match &ast.expr {
        Expr::Ident(own) if own == name => return with.clone(),
        Expr::Select(select) => {
            let mut select = select.clone();
            select.operand = Box::new(inner(&select.operand));
            Expr::Select(select)
        }
        Expr::Call(call) => {
            let mut call = call.clone();
            call.target = call.target.map(|target| Box::new(inner(&target)));
            call.args = call.args.iter().map(inner).collect();
            Expr::Call(call)
        }
        Expr::Comprehension(c) => {
            let mut c = c.clone();
            c.iter_range = inner(&c.iter_range);
            // Below this, the same name has another meaning.
            if c.iter_var != name && c.iter_var2.as_deref() != Some(name) {
                c.loop_step = inner(&c.loop_step);
            }
            Expr::Comprehension(c)
        }
        Expr::List(list) => {
            let mut list = list.clone();
            list.elements.iter_mut().for_each(|element| *element = inner(element));
            Expr::List(list)
        }
        Expr::Map(map) => {
            let mut map = map.clone();
            for entry in &mut map.entries {
                if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                    (entry.key, entry.value) = (inner(&entry.key), inner(&entry.value));
                }
            }
            Expr::Map(map)
        }
        other => other.clone(),
    };
    IdedExpr { id: ast.id, expr }
}

/// The names of a chain of selections: `a.b['c']` is a, b, c. Optional selections end it: what they
/// name need not exist.
pub(super) fn chain(ast: &IdedExpr) -> Option<Vec<String>> {
    match &ast.expr {
        Expr::Ident(name) if name == SELF => Some(Vec::new()),
        Expr::Ident(name) => Some(vec![name.clone()]),
        Expr::Select(select) => with(chain(&select.operand)?, &select.field),
        Expr::Call(CallExpr { func_name, target: None, args }) if args.len() == 2 && func_name == operators::INDEX => {
            let path = chain(&args[0])?;
            match &args[1].expr {
                Expr::Literal(LiteralValue::String(key)) => with(path, key.inner()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a step of a comprehension adds the item itself to a list.
fn keeps_items(ast: &IdedExpr, item: &str) -> bool {
    match &ast.expr {
        Expr::List(list) => {
            matches!(list.elements.as_slice(), [IdedExpr { expr: Expr::Ident(name), .. }] if name == item)
        }
        _ => children(ast).into_iter().any(|part| keeps_items(part, item)),
    }
}

fn with(mut path: Vec<String>, name: &str) -> Option<Vec<String>> {
    path.push(name.to_owned());
    Some(path)
}

impl Binder<'_> {
    fn walk(&mut self, ast: &mut IdedExpr) -> Result<(), UnknownName> {
        self.note_path(ast);
        match &mut ast.expr {
            Expr::Ident(name) => {
                if let Some(bound) = self.resolve(name)? {
                    ast.expr = bound;
                }
                Ok(())
            }
            Expr::Select(select) => {
                if self.is_exchange(&select.operand) && !self.names.members.contains(&select.field) {
                    return Err(self.names.unknown(&select.field, &self.names.members));
                }
                self.walk(&mut select.operand)
            }
            Expr::Call(call) => {
                self.note_optional(call);
                if call.func_name == "matches" {
                    MATCHES.clone_into(&mut call.func_name);
                }
                if let Some(target) = &mut call.target {
                    self.walk(target)?;
                }
                call.args.iter_mut().try_for_each(|arg| self.walk(arg))
            }
            Expr::List(list) => list.elements.iter_mut().try_for_each(|e| self.walk(e)),
            Expr::Map(map) => self.walk_entries(&mut map.entries),
            Expr::Struct(s) => self.walk_entries(&mut s.entries),
            Expr::Comprehension(c) => self.walk_comprehension(c),
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
        }
    }

    fn walk_entries(&mut self, entries: &mut [cel::common::ast::IdedEntryExpr]) -> Result<(), UnknownName> {
        entries.iter_mut().try_for_each(|e| match &mut e.expr {
            EntryExpr::StructField(f) => self.walk(&mut f.value),
            EntryExpr::MapEntry(m) => {
                self.walk(&mut m.key)?;
                self.walk(&mut m.value)
            }
        })
    }

    fn walk_comprehension(&mut self, c: &mut ComprehensionExpr) -> Result<(), UnknownName> {
        let of_exchanges = self.is_exchange(&c.iter_range);
        self.walk(&mut c.iter_range)?;
        self.walk(&mut c.accu_init)?;
        let depth = self.local.len();
        self.local.push((c.accu_var.clone(), false));
        self.local.push((c.iter_var.clone(), of_exchanges && c.iter_var2.is_none()));
        self.local.extend(c.iter_var2.clone().map(|name| (name, false)));
        let walked = self.walk(&mut c.loop_cond).and_then(|()| self.walk(&mut c.loop_step));
        self.local.truncate(depth + 1);
        let walked = walked.and_then(|()| self.walk(&mut c.result));
        self.local.truncate(depth);
        walked
    }

    fn resolve(&mut self, name: &str) -> Result<Option<Expr>, UnknownName> {
        if self.local.iter().any(|(l, _)| l == name) {
            return Ok(None);
        }
        if self.names.all.contains(name) {
            self.variables.insert(name.to_owned());
            // An index, since a selection would be looked up as a qualified name each time.
            let part = |expr| IdedExpr { id: 0, expr };
            let key = Expr::Literal(LiteralValue::String(CelString::from(name.to_owned())));
            let args = vec![part(Expr::Ident(SELF.to_owned())), part(key)];
            return Ok(Some(Expr::Call(CallExpr { func_name: operators::INDEX.to_owned(), target: None, args })));
        }
        if RESERVED.contains(&name) {
            return Ok(None);
        }
        Err(self.names.unknown(name, &self.names.all))
    }

    /// Whether a part of an expression that is not yet rewritten is certain to be an exchange or a list of exchanges.
    fn is_exchange(&self, ast: &IdedExpr) -> bool {
        match &ast.expr {
            Expr::Ident(name) => match self.local.iter().rev().find(|(local, _)| local == name) {
                Some((_, is_exchange)) => *is_exchange,
                None => self.names.exchanges.contains(name),
            },
            Expr::List(list) => !list.elements.is_empty() && list.elements.iter().all(|e| self.is_exchange(e)),
            Expr::Call(CallExpr { func_name, target: None, args }) if func_name == operators::INDEX => {
                args.first().is_some_and(|list| self.is_exchange(list))
            }
            // A filter keeps the items of its list as they are.
            Expr::Comprehension(c) => keeps_items(&c.loop_step, &c.iter_var) && self.is_exchange(&c.iter_range),
            _ => false,
        }
    }

    /// Notes the x of `request.body.?x`.
    fn note_optional(&mut self, call: &CallExpr) {
        if call.func_name == operators::OPT_SELECT
            && let [of, field] = &call.args[..]
            && let Expr::Literal(LiteralValue::String(field)) = &field.expr
            && chain(of).is_some_and(|path| path.ends_with(&["request".to_owned(), "body".to_owned()]))
        {
            self.optional.insert(field.inner().to_owned());
        }
    }

    /// Notes `….request.body.x` and its like, whatever stands before.
    fn note_path(&mut self, ast: &IdedExpr) {
        let Some(path) = chain(ast) else { return };
        let Some(at) = path.windows(2).position(|w| (w[0] == "request" || w[0] == "response") && w[1] == "body") else {
            return;
        };
        let segments = path[at + 2..].to_vec();
        let shorter = |other: &BodyPath| {
            other.response == (path[at] == "response")
                && other.segments.len() > segments.len()
                && other.segments.starts_with(&segments)
        };
        // The walk meets a.b.c before a.b: only the longest is of interest.
        if !segments.is_empty() && !self.paths.iter().any(shorter) {
            self.paths.insert(BodyPath { response: path[at] == "response", segments });
        }
    }
}

/// A string literal, for messages.
pub(super) fn quoted(text: &CelString<'_>) -> String {
    format!("'{}'", text.inner())
}
