//! The shared pool: valid requests over a covering array, edges and single faults of the schema,
//! requests that break one constraint, and random ones.
//!
//! - `draw`: drawing requests of a shape
//! - `single`: requests that differ from a valid one in one point
//! - `random`: random pairs

mod draw;
mod random;
mod single;

use super::{Entry, Obstacles, Shape};
use crate::contract::Target;
use crate::contract::requirement::{Form, Rule};
use crate::contract::template::segments;
use crate::exchange::Request;
use crate::expression::{Defines, Expression, Scope, Trouble};
use crate::generate::cover;
use crate::generate::draft::{Choice, KEY_HEADER};
use crate::generate::seed::Seed;
use crate::judge::Judge;
use crate::judge::classify::Class;
use crate::judge::exchange::lends_no;
use crate::source::{Diagnostic, Result};

pub use draw::Recipe;
pub(super) use random::Random;

/// How often a request is drawn anew until it is what is wanted.
const PATIENCE: u64 = 300;
/// The same, for each of many shapes that are tried in turn.
const SOME_PATIENCE: u64 = 30;

pub(super) struct Planner<'a> {
    pub judge: Judge<'a>,
    pub seed: Seed,
    pub now: chrono::DateTime<chrono::Utc>,
    pub selected: &'a [bool],
}

impl Planner<'_> {
    /// Whether any requirement looks at the pool as a whole.
    pub(super) fn wants_pool(&self) -> bool {
        self.chosen().any(|(_, form)| form.is_fed())
    }

    fn chosen(&self) -> impl Iterator<Item = (usize, &Form)> {
        self.judge
            .contract
            .requirements
            .iter()
            .enumerate()
            .filter(|(i, _)| self.selected[*i])
            .map(|(i, r)| (i, &r.form))
    }

    /// The fixed part of the pool, and the rules that nothing which is provided can speak to, with what is missing.
    pub(super) fn entries(&self) -> Result<(Vec<Entry>, Obstacles)> {
        let fields = self.fields();
        let callers = self.judge.fixtures.callers(self.judge.contract);
        let mut none =
            Shape { presence: vec![Some(false); fields.len()], choice: Choice { path: Some(0), ..Choice::default() } };
        let has_key = self.has_key();
        let mut all = Shape {
            presence: vec![Some(true); fields.len()],
            choice: Choice { path: Some(0), caller: None, key: has_key },
        };
        let mut entries = Vec::new();
        for (name, label, shape) in [
            ("pool/minimal", "the smallest valid request", &mut none),
            ("pool/full", "a valid request with every field", &mut all),
        ] {
            let entry = self.nearest(name, label, shape, 2).ok_or_else(|| {
                Diagnostic::new("no valid request can be made from the contract and the fixtures").help(
                    "check that the fixtures name an id for every path parameter, and that no constraint excludes all",
                )
            })?;
            entries.push(entry);
        }
        self.shrink(&mut entries[super::MINIMAL]);
        if self.judge.contract.run_tag.is_some() {
            // The smallest request is everybody's base: its text is plain.
            self.plain(&mut entries[super::MINIMAL]);
        }
        self.cover(&none, &callers, &mut entries);
        let obstacles = self.rules(&mut entries);
        self.edges(&none, &mut entries);
        self.faults(&mut entries);
        self.counterexamples(&none, &mut entries);
        Ok((entries, obstacles))
    }

    /// The optional fields at the top of the body, with their places in the schema.
    fn fields(&self) -> Vec<String> {
        self.judge
            .contract
            .operation
            .body
            .as_ref()
            .and_then(|b| b.schema.json["properties"].as_object())
            .into_iter()
            .flat_map(|p| p.keys().cloned())
            .collect()
    }

    fn has_key(&self) -> bool {
        let headers = &self.judge.contract.operation.header_parameters;
        headers.iter().any(|p| p.name.eq_ignore_ascii_case(KEY_HEADER))
    }

    fn cover(&self, none: &Shape, callers: &[String], entries: &mut Vec<Entry>) {
        let optional = self.optional();
        let paths = self.path_values();
        let mut sizes = vec![2; optional.len()];
        sizes.push(paths.clamp(1, 3));
        sizes.push(callers.len().max(1));
        sizes.push(1 + usize::from(self.has_key()));
        // The contexts stand first: all of the fields or none, in every pair with path, caller and key.
        let fields = optional.len();
        let mut contexts = vec![1 + usize::from(fields > 0)];
        contexts.extend(&sizes[fields..]);
        let first = cover::pairs(&contexts).into_iter();
        let first = first.map(|row| std::iter::repeat_n(row[0], fields).chain(row[1..].iter().copied()).collect());
        for (n, row) in cover::completed(first.collect(), &sizes, 3).into_iter().enumerate().skip(1) {
            let mut shape = none.clone();
            for (place, field) in optional.iter().enumerate() {
                shape.presence[*field] = Some(row[place] == 1);
            }
            let rest = &row[optional.len()..];
            shape.choice = Choice { path: Some(rest[0]), caller: callers.get(rest[1]).cloned(), key: rest[2] == 1 };
            let id = format!("pool/cover-{n:02}");
            entries.extend(self.nearest(&id, "a valid request", &mut shape, 1));
        }
    }

    /// How many values the first path parameter with a list has.
    fn path_values(&self) -> usize {
        let list = self.judge.contract.values.iter().find(|v| matches!(v.target, Target::Path(_)));
        list.and_then(|l| l.list.json(self.judge.fixtures.scope()).ok())
            .and_then(|v| v.as_array().map(Vec::len))
            .unwrap_or(1)
    }

    /// For each rule that no request so far speaks to, one that does; and those for which none can be made.
    fn rules(&self, entries: &mut Vec<Entry>) -> Obstacles {
        let mut obstacles = Vec::new();
        let requests: Vec<_> =
            entries.iter().filter_map(|e| self.class(&e.draft)).map(|(request, _)| self.scope_of(&request)).collect();
        for (i, form) in self.chosen() {
            let Form::Rule(rule) = form else { continue };
            if let Some(path) = requests.first().and_then(|scope| missing(rule, scope, &self.judge.contract.defines)) {
                obstacles.push((i, lends_no(&path)));
                continue;
            }
            let Some(given) = &rule.given else { continue };
            if requests.iter().any(|scope| given.truth(scope) == Ok(true)) {
                continue;
            }
            let requirement = &self.judge.contract.requirements[i];
            let shape = Shape { presence: vec![None; self.fields().len()], choice: Choice::default() };
            let id = format!("pool/for-{}", requirement.id);
            let entry = self.draw_until(&id, "a valid request", shape, |request, class| {
                *class == Class::Valid && given.truth(&self.scope_of(request)) == Ok(true)
            });
            match entry {
                Some(entry) => entries.push(entry),
                None => obstacles.extend(self.unlent(given).map(|path| (i, lends_no(&path)))),
            }
        }
        obstacles
    }

    /// The fixture for want of which a field that an expression reads is never sent.
    fn unlent(&self, expression: &Expression) -> Option<String> {
        let scope = self.scope_of_minimal()?;
        let read = |pointer: &str| {
            expression.body_paths().iter().any(|p| !p.response && segments(pointer).starts_with(&p.segments))
        };
        self.judge.contract.values.iter().find_map(|list| match (&list.target, list.list.json(&scope)) {
            (Target::Body(pointer), Err(Trouble::Fixture(path))) if read(pointer) => Some(path),
            _ => None,
        })
    }

    fn scope_of_minimal(&self) -> Option<crate::expression::Scope> {
        let mut shape = Shape {
            presence: vec![Some(false); self.fields().len()],
            choice: Choice { path: Some(0), ..Choice::default() },
        };
        let entry = self.nearest("pool/minimal", "", &mut shape, 2)?;
        let (request, _) = self.class(&entry.draft)?;
        Some(self.scope_of(&request))
    }

    fn scope_of(&self, request: &Request) -> crate::expression::Scope {
        let body = request.json();
        self.judge.request_scope(request, body.as_ref(), self.now)
    }

    fn requirement_about(&self, part: &str) -> Option<usize> {
        self.chosen().find(|(_, form)| matches!(form, Form::Schema(p) if p == part)).map(|(i, _)| i)
    }
}

/// The fixture that a rule reads of a request that it speaks to, and the settings do not have.
fn missing(rule: &Rule, request: &Scope, defines: &Defines) -> Option<String> {
    let scope = request.extend().unknown("response", "nothing was sent yet").build();
    if rule.given.as_ref().is_some_and(|given| given.truth(&scope) != Ok(true)) {
        return None;
    }
    let expressions = || rule.when.iter().chain(&rule.expect);
    // What a define lacks may hide behind what is not known yet.
    let defined = expressions().flat_map(|e| e.variables()).filter_map(|name| defines.get(name));
    let defined = defined.filter_map(|define| define.json(&scope).err());
    let mut troubles = expressions().filter_map(|expression| expression.truth(&scope).err()).chain(defined);
    troubles.find_map(|trouble| match trouble {
        Trouble::Fixture(path) => Some(path),
        _ => None,
    })
}
