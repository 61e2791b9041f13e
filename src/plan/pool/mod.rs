//! The shared pool: valid requests over a covering array, edges and single faults of the schema,
//! requests that break one constraint, and random ones.
//!
//! - `parts`: what may be there in a request or not
//! - `draw`: drawing requests of a shape
//! - `empty`: a request with empty texts
//! - `single`: requests that differ from a valid one in one point of the body
//! - `parameter`: the same of a parameter
//! - `random`: random pairs
//! - `refused`: why no valid request can be made

mod draw;
mod empty;
mod parameter;
mod parts;
mod random;
mod refused;
mod single;

use super::{Entry, Obstacles, Shape};
use crate::contract::Target;
use crate::contract::requirement::{Form, Rule};
use crate::contract::template::{Template, segments};
use crate::document::parameter::ParameterLocation;
use crate::exchange::{Request, TrialName};
use crate::expression::{Defines, Expression, Scope, Trouble};
use crate::generate::cover;
use crate::generate::draft::{Choice, Content};
use crate::generate::parameter::is_key;
use crate::generate::seed::Seed;
use crate::judge::Judge;
use crate::judge::classify::Class;
use crate::judge::exchange::missing_fixture;
use crate::source::Result;
use parts::Parts;

pub use draw::Recipe;
pub(super) use random::Random;

/// How often a request is drawn anew until it is what is wanted.
const PATIENCE: u64 = 300;
/// What a request with every field tries.
const FULL_LABEL: &str = "a valid request with every field";
/// How many more full requests are drawn where chance decides what is in them.
const FULLEST: usize = 6;
/// How many rows of the covering array are drawn for one of many operations.
const ROWS_OF_MANY: usize = 8;
/// The same, for each of many shapes that are tried in turn.
const SOME_PATIENCE: u64 = 30;

pub(super) struct Planner<'a> {
    pub judge: Judge<'a>,
    pub seed: Seed,
    pub now: chrono::DateTime<chrono::Utc>,
    pub selected: &'a [bool],
    pub parts: std::sync::Arc<Parts>,
    /// How many edges, and how many faults, of the body each requirement gets at most.
    pub most: usize,
}

impl<'a> Planner<'a> {
    /// A planner for a contract and what is provided to it.
    pub(super) fn new(judge: Judge<'a>, seed: Seed, now: chrono::DateTime<chrono::Utc>, selected: &'a [bool]) -> Self {
        let parts = std::sync::Arc::new(Parts::new(judge.contract));
        Self { judge, seed, now, selected, parts, most: usize::MAX }
    }
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

    /// The smallest valid request.
    pub(super) fn minimal(&self) -> Result<Entry> {
        let name = TrialName::of_pool("minimal");
        let entry = self.nearest(&name, "the smallest valid request", &mut self.smallest(), 2);
        entry.ok_or_else(|| self.refused(&self.smallest()))
    }

    /// The fixed part of the pool, and the requirements that nothing which can be made speaks to, with what is missing.
    pub(super) fn entries(&self) -> Result<(Vec<Entry>, Obstacles)> {
        let callers = self.judge.fixtures.callers(self.judge.contract);
        let mut none = self.smallest();
        let mut all = Shape {
            presence: self.parts.presence(Some(true)),
            choice: Choice { path: Some(0), key: self.has_key(), ..Choice::default() },
        };
        let mut entries = Vec::new();
        for (name, label, shape) in
            [("minimal", "the smallest valid request", &mut none), ("full", FULL_LABEL, &mut all)]
        {
            let name = TrialName::of_pool(name);
            let entry = self.nearest(&name, label, shape, 2);
            let entry = entry.map(|entry| if label == FULL_LABEL { self.fullest(entry, shape) } else { entry });
            // What has all may be more than is allowed at once.
            let entry = entry.or_else(|| entries.first().cloned().map(|first: Entry| Entry { name, ..first }));
            entries.push(entry.ok_or_else(|| self.refused(&self.smallest()))?);
        }
        self.shrink(&mut entries[super::MINIMAL]);
        if self.judge.contract.run_tag.is_some() {
            // The smallest request is everybody's base: its text is plain.
            self.plain(&mut entries[super::MINIMAL]);
        }
        if self.judge.contract.document_only {
            self.empty_texts(&mut entries);
        }
        self.cover(&none, &callers, &mut entries);
        let mut obstacles = self.rules(&mut entries);
        self.edges(&none, &mut entries);
        self.parameter_edges(&mut entries);
        self.doubtful(&none, &mut entries);
        self.faults(&mut entries);
        self.parameter_faults(&mut entries);
        self.counterexamples(&none, &mut entries);
        obstacles.extend(self.untried(&entries));
        Ok((entries, obstacles))
    }

    /// Of several full requests the one with most in its nested objects, which have their fields by chance.
    fn fullest(&self, mut best: Entry, shape: &Shape) -> Entry {
        let is_nested = |body: &Template| matches!(body, Template::Object(all) if all.iter().any(|(_, v)| matches!(v, Template::Object(_))));
        if !self.judge.contract.document_only || !matches!(&best.draft.body, Content::Json(body) if is_nested(body)) {
            return best;
        }
        for n in 0..FULLEST {
            let name = TrialName::of_pool(format_args!("full-{n}"));
            if let Some(other) = self.nearest(&name, FULL_LABEL, &mut shape.clone(), 2)
                && other.draft.leaves() > best.draft.leaves()
            {
                best = Entry { name: best.name, ..other };
            }
        }
        best
    }

    /// The shape of the smallest request.
    fn smallest(&self) -> Shape {
        Shape { presence: self.parts.presence(Some(false)), choice: Choice { path: Some(0), ..Choice::default() } }
    }

    /// Parts of the document for which no request was found that breaks or just keeps one of them alone.
    fn untried(&self, entries: &[Entry]) -> Obstacles {
        let is_part = |form: &Form| matches!(form, Form::Schema(_) | Form::Parameter(..));
        let tried = |i: usize| entries.iter().any(|e| e.about == Some(i));
        let untried = self.chosen().filter(|(i, form)| is_part(form) && !tried(*i));
        untried
            .map(|(i, _)| (i, "no request was found that breaks or just keeps it, and nothing else".to_owned()))
            .collect()
    }

    fn has_key(&self) -> bool {
        self.judge.contract.operation.parameters.iter().any(is_key)
    }

    fn cover(&self, none: &Shape, callers: &[String], entries: &mut Vec<Entry>) {
        let optional = self.parts.optional();
        let sizes = self.sizes(callers.len());
        // The contexts stand first: all of the parts or none, in every pair with path, caller and key.
        let fields = optional.len();
        let mut contexts = vec![1 + usize::from(fields > 0)];
        contexts.extend(&sizes[fields..]);
        let first = cover::few_pairs(&contexts).into_iter();
        let first = first.map(|row| std::iter::repeat_n(row[0], fields).chain(row[1..].iter().copied()).collect());
        // Where each of many operations has a small budget, more rows have no room.
        let most = if self.judge.contract.document_only { ROWS_OF_MANY } else { usize::MAX };
        for (n, row) in cover::rows_after(first.collect(), &sizes).into_iter().enumerate().take(most).skip(1) {
            let mut shape = none.clone();
            for (place, field) in optional.iter().enumerate() {
                shape.presence[*field] = Some(row[place] == 1);
            }
            let rest = &row[optional.len()..];
            shape.choice = Choice {
                path: Some(rest[0]),
                caller: callers.get(rest[1]).cloned(),
                key: rest[2] == 1,
                form: rest.get(3).copied().unwrap_or(0),
            };
            let id = TrialName::of_cover(n);
            entries.extend(self.nearest(&id, "a valid request", &mut shape, 1));
        }
    }

    /// How many of the parts that may be left out are tried together.
    pub(super) fn together(&self) -> usize {
        cover::strength(&self.sizes(self.judge.fixtures.callers(self.judge.contract).len()))
    }

    /// How many values each factor of the covering array has.
    fn sizes(&self, callers: usize) -> Vec<usize> {
        let mut sizes = vec![2; self.parts.optional().len()];
        sizes.push(self.path_values().clamp(1, 3));
        sizes.push(callers.max(1));
        sizes.push(1 + usize::from(self.has_key()));
        if self.parts.forms.len() > 1 {
            sizes.push(self.parts.forms.len());
        }
        sizes
    }

    /// How many values the first path parameter with a list has.
    fn path_values(&self) -> usize {
        let in_path = |target: &Target| matches!(target, Target::Parameter(ParameterLocation::Path, _));
        let list = self.judge.contract.values.iter().find(|v| in_path(&v.target));
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
                obstacles.push((i, missing_fixture(&path)));
                continue;
            }
            let Some(given) = &rule.filter else { continue };
            if requests.iter().any(|scope| given.truth(scope) == Ok(true)) {
                continue;
            }
            let requirement = &self.judge.contract.requirements[i];
            let shape = Shape { presence: self.parts.presence(None), choice: Choice::default() };
            let id = TrialName::of_pool(format_args!("for-{}", requirement.id));
            let entry = self.draw_until(&id, "a valid request", shape, |request, class| {
                *class == Class::Valid && given.truth(&self.scope_of(request)) == Ok(true)
            });
            match entry {
                Some(entry) => entries.push(entry),
                None => obstacles.extend(self.missing(given).map(|path| (i, missing_fixture(&path)))),
            }
        }
        obstacles
    }

    /// The fixture for want of which a field that an expression reads is never sent.
    fn missing(&self, expression: &Expression) -> Option<String> {
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
        let entry = self.nearest(&TrialName::of_pool("minimal"), "", &mut self.smallest(), 2)?;
        let (request, _) = self.class(&entry.draft)?;
        Some(self.scope_of(&request))
    }

    fn scope_of(&self, request: &Request) -> crate::expression::Scope {
        let body = self.judge.body(request);
        self.judge.request_scope(request, body.as_ref(), self.now)
    }

    fn requirement_about(&self, part: &str) -> Option<usize> {
        self.chosen().find(|(_, form)| matches!(form, Form::Schema(p) if **p == *part)).map(|(i, _)| i)
    }
}

/// The fixture that a rule reads of a request that it speaks to, and the settings do not have.
fn missing(rule: &Rule, request: &Scope, defines: &Defines) -> Option<String> {
    let scope = request.extend().unknown("response", "nothing was sent yet").build();
    if rule.filter.as_ref().is_some_and(|given| given.truth(&scope) != Ok(true)) {
        return None;
    }
    if let Some(path) = rule.when.as_ref().and_then(|when| when.wants_fixture(&scope)) {
        return Some(path);
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
