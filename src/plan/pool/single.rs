//! Requests that differ from a valid one in one point: edges and faults of the schema, broken constraints.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::super::MINIMAL;
use super::super::contexts::Contexts;
use super::draw::{draws, is_sound};
use super::parts::{Kind, Part};
use super::{Entry, PATIENCE, Planner, Recipe, SOME_PATIENCE, Shape};
use crate::contract::Target;
use crate::contract::requirement::Form;
use crate::exchange::{Request, TrialName};
use crate::generate::draft::Content;
use crate::generate::fault::{self, Change};
use crate::generate::seed::Seed;
use crate::judge::classify::Class;

/// How many requests are made for each constraint that break only it.
const COUNTEREXAMPLES: u64 = 3;
/// How many further fields are put in by themselves, to find a request that breaks a constraint.
const MOST_MORE: usize = 30;

/// The places of entries that others are compared with, by what they are drafts of; None for what breaks something itself.
type Controls = HashMap<String, Option<usize>>;

impl Planner<'_> {
    pub(super) fn edges(&self, none: &Shape, entries: &mut Vec<Entry>) {
        let Some(body) = self.judge.contract.operation.body() else {
            return;
        };
        let mut numbers = Numbers::default();
        let mut room = Room::new(self.most);
        for change in fault::edges(body.schema.json()) {
            let Some(about) = self.requirement_about(&change.about) else {
                continue;
            };
            if room.is_full(about) {
                continue;
            }
            let id = numbers.next(&self.judge.contract.requirements[about].id, "edge");
            let field = change.at.strip_prefix('/').and_then(|name| self.parts.field(name));
            let plain = change.label == fault::PLAIN;
            let entry = match field.filter(|_| plain) {
                // Drawn as in any valid request, since it may have to be one of a list, but alike in
                // every run: others vary the values, this one tells of the type.
                Some(field) => {
                    let mut shape = none.clone();
                    shape.presence[field] = Some(true);
                    let fixed = Planner { seed: Seed(0), parts: Arc::clone(&self.parts), ..*self };
                    let drawn = fixed.draw_until(&id, &change.label, shape, |request, class| {
                        is_sound(class) && self.has(request, &change.at)
                    });
                    drawn.map(|mut drawn| {
                        // Drawing it again with the run's seed would give another.
                        drawn.recipe = None;
                        self.on_minimal(drawn, &change.at, &entries[MINIMAL])
                    })
                }
                None => self.changed(id, &change, &entries[MINIMAL], None, is_sound),
            };
            if let Some(entry) = entry {
                room.take(about);
                entries.push(Entry { about: Some(about), ..entry });
            }
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
            if self.class(&draft).is_some_and(|(_, class)| is_sound(&class)) {
                drawn.draft = draft;
            }
        }
        drawn
    }

    pub(super) fn changed(
        &self,
        name: String,
        change: &Change,
        base: &Entry,
        control: Option<usize>,
        wanted: impl Fn(&Class) -> bool,
    ) -> Option<Entry> {
        let schema = self.judge.contract.operation.body()?.schema.json();
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
            plain: None,
            wanted: true,
        })
    }

    /// Values that the document allows and a server may yet refuse: it must answer them.
    pub(super) fn doubtful(&self, none: &Shape, entries: &mut Vec<Entry>) {
        let Some(body) = self.judge.contract.operation.body() else {
            return;
        };
        let mut numbers = Numbers::default();
        for change in fault::doubtful(body.schema.json()) {
            // What the target provides says what is taken.
            let fixtures = |target: &Target| matches!(target, Target::Body(pointer) if *pointer == change.at);
            if self.requirement_about(&change.about).is_none()
                || self.judge.contract.values.iter().any(|v| fixtures(&v.target))
            {
                continue;
            }
            let is_left = |class: &Class| is_sound(class) || matches!(class, Class::Open(_));
            let id = numbers.next(&TrialName::of_pool("open"), "value");
            entries.extend(self.changed(id, &change, &entries[MINIMAL], None, is_left));
        }
        for (place, part) in self.parts.all.iter().enumerate().filter(|(_, part)| part.unsure && part.optional) {
            let mut shape = none.clone();
            shape.presence[place] = Some(true);
            let Kind::Parameter(i) = part.kind else { continue };
            let parameter = &self.judge.contract.operation.parameters[i];
            let label = format!("with the {} parameter `{}`", parameter.location.name(), parameter.name);
            let id = numbers.next(&TrialName::of_pool("open"), "parameter");
            entries.extend(self.draw_until(&id, &label, shape, |_, class| is_sound(class)));
        }
    }

    pub(super) fn faults(&self, entries: &mut Vec<Entry>) {
        let Some(body) = self.judge.contract.operation.body() else {
            return;
        };
        let mut numbers = Numbers::default();
        let contexts = Contexts::new(entries, self.seed);
        let mut controls = Controls::new();
        let mut room = Room::new(self.most);
        for (i, entry) in entries.iter().enumerate().filter(|(_, e)| e.control.is_none()) {
            controls.entry(format!("{:?}", entry.draft)).or_insert(Some(i));
        }
        for (n, change) in fault::faults(body.schema.json()).into_iter().enumerate() {
            let Some(mut about) = self.requirement_about(&change.about) else {
                continue;
            };
            if room.is_full(about) {
                continue;
            }
            let breaks = |class: &Class| matches!(class, Class::Broken(parts) if parts.contains(&about));
            // In the context that is its turn, or else in the plainest.
            let mut found = [contexts.dealt_by_seed(n), MINIMAL].into_iter().find_map(|base| {
                let control = self.control(&change, base, entries, &mut controls)?;
                let entry = self.changed(String::new(), &change, &entries[base], Some(control), breaks)?;
                Some((base, entry))
            });
            if found.is_none() && change.about.ends_with("/anyOf") {
                // What breaks all alternatives may break what stands beside them first.
                let Some(control) = self.control(&change, MINIMAL, entries, &mut controls) else { continue };
                let entry = self.changed(String::new(), &change, &entries[MINIMAL], Some(control), |class| {
                    matches!(class, Class::Broken(_))
                });
                let class = entry.as_ref().and_then(|e| self.class(&e.draft));
                if let Some((_, Class::Broken(parts))) = class
                    && let Some(first) = parts.first().filter(|i| self.selected[**i])
                {
                    about = *first;
                }
                found = entry.map(|entry| (MINIMAL, entry));
            }
            let Some((base, mut entry)) = found else { continue };
            room.take(about);
            if base != MINIMAL {
                let breaks = |class: &Class| matches!(class, Class::Broken(parts) if parts.contains(&about));
                entry.plain = self.changed(String::new(), &change, &entries[MINIMAL], None, breaks).map(|e| e.draft);
            }
            entry.name = numbers.next(&self.judge.contract.requirements[about].id, "fault");
            entry.about = Some(about);
            entries.push(entry);
        }
    }

    /// The entry that a fault is compared with: the request that it was put into, with the way to the fault. None if that
    /// breaks something itself.
    fn control(
        &self,
        change: &Change,
        base: usize,
        entries: &mut Vec<Entry>,
        controls: &mut Controls,
    ) -> Option<usize> {
        let schema = self.judge.contract.operation.body().map(|b| b.schema.json());
        let (Some(schema), Content::Json(body)) = (schema, &entries[base].draft.body) else {
            return None;
        };
        let control = change.control(body, schema);
        let mut draft = entries[base].draft.clone();
        draft.body = Content::Json(control.clone());
        let text = format!("{draft:?}");
        if let Some(known) = controls.get(&text) {
            return *known;
        }
        let mut entry = entries[base].clone();
        // One place may need several: the faults of another context, or another way to the same place.
        let names = (1..).map(|n| match n {
            1 => TrialName::of_pool(format_args!("control{}", change.at)),
            n => TrialName::of_pool(format_args!("control{}-{n}", change.at)),
        });
        let mut names = names.skip_while(|name| entries.iter().any(|entry| entry.name == *name));
        entry.name = names.next().unwrap_or_default();
        entry.recipe = None;
        entry.label = "a valid request".to_owned();
        entry.draft.body = Content::Json(control);
        entry.wanted = false;
        let sound = self.class(&entry.draft).is_some_and(|(_, class)| is_sound(&class));
        if sound {
            entries.push(entry);
        }
        let place = sound.then(|| entries.len() - 1);
        controls.insert(text, place);
        place
    }

    /// Requests that break one constraint and nothing else.
    pub(super) fn counterexamples(&self, none: &Shape, entries: &mut Vec<Entry>) {
        let contexts = Contexts::new(entries, self.seed);
        for (i, form) in self.chosen() {
            let Form::Constraint(valid) = form else { continue };
            let read = |part: &Part| match &part.kind {
                Kind::Field(name) => valid.reads_field(name, &self.judge.contract.defines),
                Kind::Parameter(_) => false,
            };
            // What it speaks of is there; or is missing, where that is what breaks it; or one more
            // field is there; or all is as it comes.
            let presence = none.presence.iter().zip(&self.parts.all);
            let there: Vec<_> = presence.clone().map(|(p, f)| if read(f) { Some(true) } else { *p }).collect();
            let missing: Vec<_> = presence.map(|(p, f)| if read(f) { Some(false) } else { *p }).collect();
            let fields = self.parts.optional().into_iter().chain(self.required());
            let more = fields.filter(|f| there[*f] == Some(false)).take(MOST_MORE).map(|f| {
                let mut more = there.clone();
                more[f] = Some(true);
                more
            });
            let likely = [there.clone(), missing.clone()].map(|presence| (2 * SOME_PATIENCE, presence));
            let more = more.map(|presence| (SOME_PATIENCE, presence));
            let last = [there.clone(), missing, self.parts.presence(None)].map(|presence| (PATIENCE, presence));
            let shapes: Vec<(u64, Shape)> = likely
                .into_iter()
                .chain(more)
                .chain(last)
                .map(|(patience, presence)| (patience, Shape { presence, ..none.clone() }))
                .collect();
            let id = &self.judge.contract.requirements[i].id;
            for n in 0..COUNTEREXAMPLES {
                let name = TrialName::of_row(id, format_args!("counterexample-{n}"));
                let broken = |_: &Request, class: &Class| *class == Class::Broken(vec![i]);
                // Each in a context of its own, or else in the plainest.
                let mut controls = vec![contexts.dealt_by_seed(usize::try_from(n).unwrap_or_default()), MINIMAL];
                controls.dedup();
                let found = controls.into_iter().find_map(|control| {
                    let recipe = entries[control].recipe.as_ref();
                    let choice = recipe.map_or(&none.choice, |recipe| &recipe.shape.choice).clone();
                    let entry = shapes.iter().find_map(|(patience, shape)| {
                        let shape = &Shape { choice: choice.clone(), ..shape.clone() };
                        let strategy = draws(self.judge, &self.parts, shape);
                        self.draw_with(&strategy, *patience, &name, "", shape, broken)
                    })?;
                    Some((control, entry))
                });
                // What is not found once is not found again.
                let Some((control, mut entry)) = found else { break };
                entry.about = Some(i);
                entry.control = Some(control);
                entry.plain = entry.recipe.as_ref().and_then(Recipe::plainer).and_then(|recipe| {
                    let draw = recipe.tree(self.judge, self.seed)?.current();
                    let draft = recipe.draft(self.judge, &draw, self.now);
                    self.class(&draft).filter(|(request, class)| broken(request, class)).map(|_| draft)
                });
                entries.push(entry);
            }
        }
    }
}

impl Planner<'_> {
    /// Whether a request's body has something at a pointer.
    fn has(&self, request: &Request, pointer: &str) -> bool {
        self.judge.body(request).is_some_and(|b| b.pointer(pointer).is_some())
    }

    /// The places of the parts that must be there.
    fn required(&self) -> Vec<usize> {
        let all = self.parts.all.iter().enumerate();
        all.filter(|(_, part)| !part.optional).map(|(i, _)| i).collect()
    }
}

/// How much room there is for what each requirement tries.
struct Room {
    most: usize,
    taken: BTreeMap<usize, usize>,
}

impl Room {
    fn new(most: usize) -> Self {
        Self { most, taken: BTreeMap::new() }
    }

    fn is_full(&self, about: usize) -> bool {
        self.taken.get(&about).is_some_and(|taken| *taken >= self.most)
    }

    fn take(&mut self, about: usize) {
        *self.taken.entry(about).or_default() += 1;
    }
}

/// Counts the entries of each requirement.
#[derive(Default)]
pub(super) struct Numbers(BTreeMap<String, usize>);

impl Numbers {
    /// The next name of a kind for a requirement.
    pub(super) fn next(&mut self, id: &str, kind: &str) -> String {
        let n = self.0.entry(TrialName::of_row(id, kind)).or_default();
        *n += 1;
        TrialName::of_row(id, format_args!("{kind}-{}", *n - 1))
    }
}
