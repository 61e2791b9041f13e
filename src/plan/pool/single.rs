//! Requests that differ from a valid one in one point: edges and faults of the schema, broken constraints.

use std::collections::BTreeMap;

use super::super::MINIMAL;
use super::super::contexts::Contexts;
use super::draw::draws;
use super::{Entry, PATIENCE, Planner, Recipe, SOME_PATIENCE, Shape};
use crate::contract::requirement::Form;
use crate::exchange::Request;
use crate::generate::draft::Content;
use crate::generate::fault::{self, Change};
use crate::generate::seed::Seed;
use crate::judge::classify::Class;

/// How many requests are made for each constraint that break only it.
const COUNTEREXAMPLES: u64 = 3;

impl Planner<'_> {
    pub(super) fn edges(&self, none: &Shape, entries: &mut Vec<Entry>) {
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
                        self.on_minimal(drawn, &change.at, &entries[MINIMAL])
                    })
                }
                None => self.changed(id, &change, &entries[MINIMAL], None, |class| *class == Class::Valid),
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

    pub(super) fn changed(
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
            plain: None,
            wanted: true,
        })
    }

    pub(super) fn faults(&self, entries: &mut Vec<Entry>) {
        let Some(body) = &self.judge.contract.operation.body else {
            return;
        };
        let mut numbers = Numbers::default();
        let contexts = Contexts::new(entries);
        for (n, change) in fault::faults(&body.schema.json).into_iter().enumerate() {
            let Some(about) = self.requirement_about(&change.about) else {
                continue;
            };
            let id = numbers.next(&self.judge.contract.requirements[about].id, "fault");
            let broken = |class: &Class| matches!(class, Class::Broken(parts) if parts.contains(&about));
            // In the context that is its turn, or else in the plainest.
            let entry = [contexts.dealt(n), MINIMAL].into_iter().find_map(|base| {
                let entry = self.changed(id.clone(), &change, &entries[base], None, broken)?;
                Some((base, entry))
            });
            let Some((base, mut entry)) = entry else { continue };
            entry.about = Some(about);
            if base != MINIMAL {
                entry.plain = self.changed(String::new(), &change, &entries[MINIMAL], None, broken).map(|e| e.draft);
            }
            entry.control = Some(self.control(&change, base, entries));
            entries.push(entry);
        }
    }

    /// The entry that a fault is compared with: the request that it was put into, with the way to the fault.
    fn control(&self, change: &Change, base: usize, entries: &mut Vec<Entry>) -> usize {
        let schema = self.judge.contract.operation.body.as_ref().map(|b| &b.schema.json);
        let (Some(schema), Content::Json(body)) = (schema, &entries[base].draft.body) else {
            return base;
        };
        let control = change.control(body, schema);
        let mut draft = entries[base].draft.clone();
        draft.body = Content::Json(control.clone());
        let text = format!("{draft:?}");
        let same = |e: &Entry| e.control.is_none() && format!("{:?}", e.draft) == text;
        if same(&entries[base]) {
            return base;
        }
        if let Some(at) = entries.iter().position(same) {
            return at;
        }
        let mut entry = entries[base].clone();
        entry.name = format!("pool/control{}", change.at);
        entry.recipe = None;
        entry.label = "a valid request".to_owned();
        entry.draft.body = Content::Json(control);
        entry.wanted = false;
        entries.push(entry);
        entries.len() - 1
    }

    /// Requests that break one constraint and nothing else.
    pub(super) fn counterexamples(&self, none: &Shape, entries: &mut Vec<Entry>) {
        let fields = self.fields();
        let contexts = Contexts::new(entries);
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
            for n in 0..COUNTEREXAMPLES {
                let name = format!("{id}#counterexample-{n}");
                // Each in a context of its own.
                let control = contexts.dealt(usize::try_from(n).unwrap_or_default());
                let choice =
                    entries[control].recipe.as_ref().map_or(&none.choice, |recipe| &recipe.shape.choice).clone();
                let broken = |_: &Request, class: &Class| *class == Class::Broken(vec![i]);
                let entry = shapes.iter().find_map(|(patience, shape)| {
                    let shape = &Shape { choice: choice.clone(), ..shape.clone() };
                    let strategy = draws(self.judge, shape);
                    self.draw_with(&strategy, *patience, &name, "", shape, broken)
                });
                // What is not found once is not found again.
                let Some(mut entry) = entry else { break };
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

fn has(request: &Request, pointer: &str) -> bool {
    request.json().is_some_and(|b| b.pointer(pointer).is_some())
}

/// Counts the entries of each requirement.
#[derive(Default)]
struct Numbers(BTreeMap<String, usize>);

impl Numbers {
    fn next(&mut self, id: &str, kind: &str) -> String {
        let n = self.0.entry(format!("{id}#{kind}")).or_default();
        *n += 1;
        format!("{id}#{kind}-{}", *n - 1)
    }
}
