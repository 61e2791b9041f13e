//! The shared pool: valid requests over a covering array, edges and single faults of the schema,
//! requests that break one constraint, and random ones.

use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};

use super::{Entry, Obstacles, Shape};
use crate::contract::requirement::Form;
use crate::contract::template::{Template, segments};
use crate::contract::{CALLER, Target};
use crate::expression::{Expression, Trouble};
use crate::generate::body::{self, Draw};
use crate::generate::cover;
use crate::generate::draft::{Choice, Content, Draft, KEY_HEADER, assemble};
use crate::generate::fault::{self, Change};
use crate::generate::render::{Issued, Rendering, Request};
use crate::generate::seed::{Mark, Seed};
use crate::judge::Judge;
use crate::judge::classify::Class;
use crate::judge::exchange::lends_no;
use crate::source::{Diagnostic, Result};

/// How often a request is drawn anew until it is what is wanted.
const PATIENCE: u64 = 300;
/// The same, for each of many shapes that are tried in turn.
const SOME_PATIENCE: u64 = 30;
/// How many smaller requests are tried for the smallest one.
const MOST_SHRINKING: usize = 500;
/// How many requests are made for each constraint that break only it.
const BREACHES: u64 = 3;

/// How a request was drawn: drawing again gives the same, and can then be shrunk.
#[derive(Clone, Debug)]
pub struct Recipe {
    id: String,
    attempt: u64,
    shape: Shape,
}

pub(super) struct Planner<'a> {
    pub judge: Judge<'a>,
    pub seed: Seed,
    pub now: chrono::DateTime<chrono::Utc>,
    pub selected: &'a [bool],
}

impl Recipe {
    /// The draw as a tree that can be simplified.
    pub fn tree(&self, judge: Judge<'_>, seed: Seed) -> Option<Box<dyn ValueTree<Value = Draw>>> {
        let strategy = draws(judge, &self.shape);
        strategy.new_tree(&mut seed.runner(&self.id, self.attempt)).ok()
    }

    /// The request that a draw makes.
    pub fn draft(&self, judge: Judge<'_>, draw: &Draw, now: chrono::DateTime<chrono::Utc>) -> Draft {
        assemble(judge.contract, judge.lent, draw, &self.shape.choice, now)
    }
}

fn draws(judge: Judge<'_>, shape: &Shape) -> BoxedStrategy<Draw> {
    let contract = judge.contract;
    let schema = contract.operation.body.as_ref().map(|b| &b.schema.json);
    let lists = contract.operation.path_parameters.len() + contract.values.len();
    body::draws(schema, &shape.presence, lists)
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

    /// The fixed part of the pool, and the rules that nothing which is lent can speak to, with what is missing.
    pub(super) fn entries(&self) -> Result<(Vec<Entry>, Obstacles)> {
        let fields = self.fields();
        let callers = self.judge.lent.callers(self.judge.contract);
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
        if self.judge.contract.mark.is_some() {
            // The smallest request is everybody's base: its text is plain.
            self.plain(&mut entries[super::MINIMAL]);
        }
        self.cover(&none, &callers, &mut entries);
        let obstacles = self.rules(&mut entries);
        self.edges(&none, &mut entries);
        self.faults(&mut entries);
        self.breaches(&none, &mut entries);
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

    /// Makes a drawn request as small as it can be and still be valid.
    fn shrink(&self, entry: &mut Entry) {
        let Some((recipe, mut tree)) =
            entry.recipe.take().and_then(|recipe| recipe.tree(self.judge, self.seed).map(|tree| (recipe, tree)))
        else {
            return;
        };
        let mut more = tree.simplify();
        for _ in 0..MOST_SHRINKING {
            if !more {
                break;
            }
            let draft = recipe.draft(self.judge, &tree.current(), self.now);
            let valid = self.class(&draft).is_some_and(|(_, class)| class == Class::Valid);
            if valid {
                entry.draft = draft;
            }
            more = if valid { tree.simplify() } else { tree.complicate() };
        }
    }

    fn plain(&self, entry: &mut Entry) {
        if let (Some(pointer), Content::Json(body)) = (&self.judge.contract.mark, &mut entry.draft.body)
            && let Some(Template::Marked(text)) = body.pointer_mut(pointer)
        {
            *text = "a".to_owned();
        }
    }

    /// A valid request of a shape, or of the shape nearest to it: constraints may ask for one of
    /// several fields, or allow only one of them. At most so many fields are put in or taken out
    /// before chance decides. The shape becomes the one that was found.
    fn nearest(&self, id: &str, label: &str, shape: &mut Shape, most: usize) -> Option<Entry> {
        let valid = |_: &Request, class: &Class| *class == Class::Valid;
        let patience = if most > 1 { PATIENCE / 3 } else { SOME_PATIENCE };
        if let Some(entry) = self.draw_with(&draws(self.judge, shape), patience, id, label, shape, valid) {
            return Some(entry);
        }
        let optional = self.optional();
        let single = optional.iter().map(|a| vec![*a]);
        let pairs = optional.iter().enumerate().flat_map(|(i, a)| optional[i + 1..].iter().map(|b| vec![*a, *b]));
        let flipped = single.chain(pairs).filter(|fields| fields.len() <= most).map(|fields| {
            let mut near = shape.clone();
            for field in fields {
                near.presence[field] = near.presence[field].map(|present| !present);
            }
            near
        });
        let any = Shape { presence: vec![None; shape.presence.len()], ..shape.clone() };
        let near: Vec<Shape> = flipped.chain([any]).collect();
        near.into_iter().find_map(|near| {
            let entry = self.draw_with(&draws(self.judge, &near), SOME_PATIENCE, id, label, &near, valid)?;
            *shape = near;
            Some(entry)
        })
    }

    /// The places of the optional fields among [`Self::fields`].
    fn optional(&self) -> Vec<usize> {
        let schema = self.judge.contract.operation.body.as_ref().map(|b| &b.schema.json);
        self.fields()
            .iter()
            .enumerate()
            .filter(|(_, name)| schema.is_some_and(|s| !body::is_required(s, name)))
            .map(|(i, _)| i)
            .collect()
    }

    fn draw_until(
        &self,
        id: &str,
        label: &str,
        shape: Shape,
        wanted: impl Fn(&Request, &Class) -> bool,
    ) -> Option<Entry> {
        self.draw_with(&draws(self.judge, &shape), PATIENCE, id, label, &shape, wanted)
    }

    fn draw_with(
        &self,
        strategy: &BoxedStrategy<Draw>,
        patience: u64,
        id: &str,
        label: &str,
        shape: &Shape,
        wanted: impl Fn(&Request, &Class) -> bool,
    ) -> Option<Entry> {
        for attempt in 0..patience {
            let Ok(tree) = strategy.new_tree(&mut self.seed.runner(id, attempt)) else {
                continue;
            };
            let recipe = Recipe { id: id.to_owned(), attempt, shape: shape.clone() };
            let draft = recipe.draft(self.judge, &tree.current(), self.now);
            let Some((request, class)) = self.class(&draft) else {
                continue;
            };
            if wanted(&request, &class) {
                return Some(Entry {
                    name: id.to_owned(),
                    draft,
                    label: label.to_owned(),
                    control: None,
                    about: None,
                    recipe: Some(recipe),
                    wanted: true,
                });
            }
        }
        None
    }

    /// What the contract says of a draft, were it sent now.
    fn class(&self, draft: &Draft) -> Option<(Request, Class)> {
        let operation = &self.judge.contract.operation;
        let mut rendering = Rendering {
            now: self.now,
            mark: &Mark::fixed("00000000"),
            seed: self.seed,
            trial: "plan",
            count: 0,
            issued: &Issued::default(),
            scope: self.judge.lent.bare_scope(),
            row: None,
            runner: &mut self.seed.runner("plan", 0),
        };
        let request = rendering.request(draft, &operation.method, &operation.path).ok()?;
        let body = request.json();
        let scope = self.judge.request_scope(&request, body.as_ref(), self.now);
        let class = self.judge.class_of(body.as_ref(), &scope, self.now, self.now);
        Some((request, class))
    }

    fn cover(&self, none: &Shape, callers: &[String], entries: &mut Vec<Entry>) {
        let optional = self.optional();
        let paths = self.path_values();
        let mut sizes = vec![2; optional.len()];
        sizes.push(paths.clamp(1, 3));
        sizes.push(callers.len().max(1));
        sizes.push(1 + usize::from(self.has_key()));
        for (n, row) in cover::rows(&sizes).into_iter().enumerate().skip(1) {
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
        list.and_then(|l| l.list.json(self.judge.lent.scope()).ok())
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

    fn edges(&self, none: &Shape, entries: &mut Vec<Entry>) {
        let Some(body) = &self.judge.contract.operation.body else {
            return;
        };
        let fields = self.fields();
        let mut numbers = Numbers::default();
        for change in fault::edges(&body.schema.json) {
            let Some(about) = self.requirement_about(&change.about) else {
                continue;
            };
            let id = numbers.next(&self.judge.contract.requirements[about].id, "edge");
            let field = fields.iter().position(|f| change.at == format!("/{f}"));
            let plain = change.label == fault::PLAIN;
            let entry = match field.filter(|_| plain) {
                // Drawn as in any valid request, since it may have to be one of a list, but alike in
                // every run: others vary the values, this one tells of the type.
                Some(field) => {
                    let mut shape = none.clone();
                    shape.presence[field] = Some(true);
                    let fixed = Planner { seed: Seed(0), ..*self };
                    let drawn = fixed.draw_until(&id, &change.label, shape, |request, class| {
                        *class == Class::Valid && has(request, &change.at)
                    });
                    drawn.map(|mut drawn| {
                        // Drawing it again with the run's seed would give another.
                        drawn.recipe = None;
                        self.on_minimal(drawn, &change.at, &entries[super::MINIMAL])
                    })
                }
                None => self.changed(id, &change, &entries[super::MINIMAL], None, |class| *class == Class::Valid),
            };
            entries.extend(entry.map(|mut entry| {
                entry.about = Some(about);
                entry
            }));
        }
    }

    /// The smallest request with one field of a drawn one, so that a refusal is about that field;
    /// just the smallest, where it has that field, and plain; the drawn one itself, where the field
    /// needs others of it.
    fn on_minimal(&self, mut drawn: Entry, at: &str, minimal: &Entry) -> Entry {
        if let (Content::Json(from), Content::Json(body)) = (&drawn.draft.body, &minimal.draft.body)
            && let Some(value) = from.pointer(at)
        {
            let mut draft = minimal.draft.clone();
            let mut body = body.clone();
            if body.pointer(at).is_none() {
                body.set(at, value.clone());
            }
            draft.body = Content::Json(body);
            if self.class(&draft).is_some_and(|(_, class)| class == Class::Valid) {
                drawn.draft = draft;
            }
        }
        drawn
    }

    fn changed(
        &self,
        name: String,
        change: &Change,
        base: &Entry,
        control: Option<usize>,
        wanted: impl Fn(&Class) -> bool,
    ) -> Option<Entry> {
        let schema = &self.judge.contract.operation.body.as_ref()?.schema.json;
        let Content::Json(body) = &base.draft.body else {
            return None;
        };
        let mut draft = base.draft.clone();
        let mut forms = change.forms(body, schema);
        forms.find(|body| {
            draft.body = Content::Json(body.clone());
            self.class(&draft).is_some_and(|(_, class)| wanted(&class))
        })?;
        Some(Entry {
            name,
            draft,
            label: format!("{}: {}", change.at, change.label),
            control,
            about: None,
            recipe: None,
            wanted: true,
        })
    }

    fn faults(&self, entries: &mut Vec<Entry>) {
        let Some(body) = &self.judge.contract.operation.body else {
            return;
        };
        let mut numbers = Numbers::default();
        for change in fault::faults(&body.schema.json) {
            let Some(about) = self.requirement_about(&change.about) else {
                continue;
            };
            let control = self.control(&change, entries);
            let id = numbers.next(&self.judge.contract.requirements[about].id, "fault");
            let base = entries[super::MINIMAL].clone();
            let entry = self.changed(
                id,
                &change,
                &base,
                Some(control),
                |class| matches!(class, Class::Broken(parts) if parts.contains(&about)),
            );
            entries.extend(entry.map(|mut entry| {
                entry.about = Some(about);
                entry
            }));
        }
    }

    /// The entry that a fault is compared with: the smallest request, with the way to the fault.
    fn control(&self, change: &Change, entries: &mut Vec<Entry>) -> usize {
        let schema = self.judge.contract.operation.body.as_ref().map(|b| &b.schema.json);
        let (Some(schema), Content::Json(body)) = (schema, &entries[super::MINIMAL].draft.body) else {
            return super::MINIMAL;
        };
        let control = change.control(body, schema);
        let text = format!("{control:?}");
        let same =
            |e: &Entry| e.control.is_none() && matches!(&e.draft.body, Content::Json(b) if format!("{b:?}") == text);
        if let Some(at) = entries.iter().position(same) {
            return at;
        }
        let mut entry = entries[super::MINIMAL].clone();
        entry.name = format!("pool/control{}", change.at);
        entry.label = "a valid request".to_owned();
        entry.draft.body = Content::Json(control);
        entry.wanted = false;
        entries.push(entry);
        entries.len() - 1
    }

    /// Requests that break one constraint and nothing else.
    fn breaches(&self, none: &Shape, entries: &mut Vec<Entry>) {
        let fields = self.fields();
        for (i, form) in self.chosen() {
            let Form::Constraint(valid) = form else { continue };
            let read = |name: &String| valid.reads_field(name, &self.judge.contract.defines);
            // What it speaks of is there; or is missing, where that is what breaks it; or one more
            // field is there; or all is as it comes.
            let presence = none.presence.iter().zip(&fields);
            let there: Vec<_> = presence.clone().map(|(p, f)| if read(f) { Some(true) } else { *p }).collect();
            let missing: Vec<_> = presence.map(|(p, f)| if read(f) { Some(false) } else { *p }).collect();
            let more = (0..fields.len()).filter(|f| there[*f] == Some(false)).map(|f| {
                let mut more = there.clone();
                more[f] = Some(true);
                more
            });
            let likely = [there.clone(), missing.clone()].map(|presence| (2 * SOME_PATIENCE, presence));
            let more = more.map(|presence| (SOME_PATIENCE, presence));
            let last = [there.clone(), missing, vec![None; fields.len()]].map(|presence| (PATIENCE, presence));
            let shapes: Vec<(u64, Shape)> = likely
                .into_iter()
                .chain(more)
                .chain(last)
                .map(|(patience, presence)| (patience, Shape { presence, ..none.clone() }))
                .collect();
            let id = &self.judge.contract.requirements[i].id;
            for n in 0..BREACHES {
                let name = format!("{id}#breach-{n}");
                let broken = |_: &Request, class: &Class| *class == Class::Broken(vec![i]);
                let entry = shapes.iter().find_map(|(patience, shape)| {
                    let strategy = draws(self.judge, shape);
                    self.draw_with(&strategy, *patience, &name, "", shape, broken)
                });
                // What is not found once is not found again.
                let Some(mut entry) = entry else { break };
                entry.about = Some(i);
                entry.control = Some(super::MINIMAL);
                entries.push(entry);
            }
        }
    }

    /// What random pairs are made from, made once.
    pub(super) fn random(&self) -> Random {
        let shape = Shape { presence: vec![None; self.fields().len()], choice: Choice::default() };
        let schema = self.judge.contract.operation.body.as_ref().map(|b| &b.schema.json);
        Random {
            seed: self.seed,
            now: self.now,
            strategy: draws(self.judge, &shape),
            shape,
            callers: self.judge.lent.callers(self.judge.contract),
            changes: schema.map(fault::faults).unwrap_or_default(),
        }
    }
}

/// What random pairs are made from.
#[derive(Debug)]
pub(super) struct Random {
    seed: Seed,
    now: chrono::DateTime<chrono::Utc>,
    strategy: BoxedStrategy<Draw>,
    shape: Shape,
    callers: Vec<String>,
    changes: Vec<Change>,
}

impl Random {
    pub(super) fn pair(&self, judge: Judge<'_>, selected: &[bool], number: usize) -> (Option<Entry>, Option<Entry>) {
        let planner = Planner { judge, seed: self.seed, now: self.now, selected };
        let id = format!("pool/random-{number:06}");
        let n = u64::try_from(number).unwrap_or_default();
        let mut shape = self.shape.clone();
        let caller = self.callers.get(self.seed.pick("pool/caller", n, self.callers.len()));
        shape.choice = Choice {
            path: None,
            caller: Some(caller.cloned().unwrap_or_else(|| CALLER.to_owned())),
            key: planner.has_key() && self.seed.pick("pool/key", n, 2) == 1,
        };
        let valid = planner.draw_with(&self.strategy, PATIENCE, &id, "a random valid request", &shape, |_, class| {
            *class == Class::Valid
        });
        let fault = valid.as_ref().and_then(|valid| self.fault(&planner, valid, n));
        (valid, fault)
    }

    fn fault(&self, planner: &Planner<'_>, valid: &Entry, n: u64) -> Option<Entry> {
        (0..20).find_map(|attempt| {
            let at = self.seed.pick("pool/fault", n * 100 + attempt, self.changes.len());
            let change = self.changes.get(at)?;
            let about = planner.requirement_about(&change.about);
            let name = format!("{}-fault", valid.name);
            let mut entry = planner.changed(name, change, valid, None, |class| matches!(class, Class::Broken(_)))?;
            entry.about = about;
            Some(entry)
        })
    }
}

fn has(request: &Request, pointer: &str) -> bool {
    request.json().is_some_and(|b| b.pointer(pointer).is_some())
}

/// Counts the entries of each requirement.
#[derive(Default)]
struct Numbers(std::collections::BTreeMap<String, usize>);

impl Numbers {
    fn next(&mut self, id: &str, kind: &str) -> String {
        let n = self.0.entry(format!("{id}#{kind}")).or_default();
        *n += 1;
        format!("{id}#{kind}-{}", *n - 1)
    }
}
