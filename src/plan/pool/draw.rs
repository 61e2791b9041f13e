//! Drawing requests of a shape.

use std::cell::Cell;

use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};

use super::parts::{Kind, Parts};
use super::{Entry, PATIENCE, Planner, SOME_PATIENCE, Shape};
use crate::contract::CALLER;
use crate::contract::template::Template;
use crate::document::parameter::ParameterLocation;
use crate::exchange::Request;
use crate::generate::draft::{Choice, Content, Draft, assemble};
use crate::generate::draw::{self, Draw, Form, Wanted};
use crate::generate::render::{Issued, Rendering};
use crate::generate::seed::{RunTag, Seed};
use crate::judge::Judge;
use crate::judge::classify::Class;

/// How many smaller requests are tried for the smallest one.
const MOST_SHRINKING: usize = 500;
/// How many shapes near to one that cannot be drawn are tried.
const MOST_NEAR: usize = 80;

/// How many requests that are left in doubt are passed over for one that is surely valid.
const MOST_DOUBTFUL: u32 = 12;

/// How a request was drawn: drawing again gives the same, and can then be shrunk.
#[derive(Clone, Debug)]
pub struct Recipe {
    id: String,
    attempt: u64,
    pub(super) shape: Shape,
}

impl Recipe {
    /// The same draw by the caller, without a key, at the first path; None if it is that already.
    pub fn plainer(&self) -> Option<Self> {
        let choice = Choice { path: Some(0), ..Choice::default() };
        let mut plainer = self.clone();
        plainer.shape.choice = choice;
        let own = &self.shape.choice;
        let is_plain = !own.key && own.path == Some(0) && own.caller.as_deref().is_none_or(|caller| caller == CALLER);
        (!is_plain).then_some(plainer)
    }

    /// The draw as a tree that can be simplified.
    pub fn tree(&self, judge: Judge<'_>, seed: Seed) -> Option<Box<dyn ValueTree<Value = Draw>>> {
        let strategy = draws(judge, &Parts::new(judge.contract), &self.shape);
        strategy.new_tree(&mut seed.runner(&self.id, self.attempt)).ok()
    }

    /// The request that a draw makes.
    pub fn draft(&self, judge: Judge<'_>, draw: &Draw, now: chrono::DateTime<chrono::Utc>) -> Draft {
        assemble(judge.contract, judge.fixtures, draw, &self.shape.choice, now)
    }
}

pub(super) fn draws(judge: Judge<'_>, parts: &Parts, shape: &Shape) -> BoxedStrategy<Draw> {
    let operation = &judge.contract.operation;
    let presence = |kind: &Kind| {
        let place = parts.all.iter().position(|part| part.kind == *kind)?;
        shape.presence.get(place).copied().flatten()
    };
    draw::draws(Wanted {
        operation,
        form: parts.forms.get(shape.choice.form).copied().unwrap_or(Form::None),
        field: &|name| presence(&Kind::Field(name.to_owned())),
        parameter: &|place| presence(&Kind::Parameter(place)),
        lists: operation.parameters_in(ParameterLocation::Path).count() + judge.contract.values.len(),
    })
}

/// Whether a request may be taken for all that the document says.
pub(super) fn is_sound(class: &Class) -> bool {
    matches!(class, Class::Valid | Class::Doubtful(_))
}

impl Planner<'_> {
    /// Makes a drawn request as small as it can be and still be valid.
    pub(super) fn shrink(&self, entry: &mut Entry) {
        let Some((recipe, mut tree)) =
            entry.recipe.take().and_then(|recipe| recipe.tree(self.judge, self.seed).map(|tree| (recipe, tree)))
        else {
            return;
        };
        let first = self.class(&entry.draft).map(|(_, class)| class == Class::Valid);
        let mut more = tree.simplify();
        for _ in 0..MOST_SHRINKING {
            if !more {
                break;
            }
            let draft = recipe.draft(self.judge, &tree.current(), self.now);
            // No smaller at the cost of being sure.
            let valid = self
                .class(&draft)
                .is_some_and(|(_, class)| class == Class::Valid || first == Some(false) && is_sound(&class));
            if valid {
                entry.draft = draft;
            }
            more = if valid { tree.simplify() } else { tree.complicate() };
        }
    }

    pub(super) fn plain(&self, entry: &mut Entry) {
        if let (Some(pointer), Content::Json(body)) = (&self.judge.contract.run_tag, &mut entry.draft.body)
            && let Some(Template::Marked(text)) = body.pointer_mut(pointer)
        {
            *text = "a".to_owned();
        }
    }

    /// A valid request of a shape, or of the shape nearest to it: constraints may ask for one of
    /// several fields, or allow only one of them. At most so many fields are put in or taken out
    /// before chance decides. The shape becomes the one that was found. Where nothing is surely valid, one that breaks
    /// nothing.
    pub(super) fn nearest(&self, id: &str, label: &str, shape: &mut Shape, most: usize) -> Option<Entry> {
        let doubtful = Cell::new(0);
        // Where many break nothing and none is surely valid, none will be: a field of all of them is what is in doubt.
        let valid = |_: &Request, class: &Class| match class {
            Class::Valid => true,
            Class::Doubtful(_) => {
                doubtful.set(doubtful.get() + 1);
                doubtful.get() > MOST_DOUBTFUL
            }
            _ => false,
        };
        let sound = |_: &Request, class: &Class| is_sound(class);
        let patience = if most > 1 { PATIENCE / 3 } else { SOME_PATIENCE };
        let strategy = draws(self.judge, &self.parts, shape);
        if let Some(entry) = self.draw_with(&strategy, patience, id, label, shape, valid) {
            return Some(entry);
        }
        if let Some(entry) = self.draw_with(&strategy, SOME_PATIENCE, id, label, shape, sound) {
            return Some(entry);
        }
        let optional = self.parts.optional();
        let single = optional.iter().map(|a| vec![*a]);
        let pairs = optional.iter().enumerate().flat_map(|(i, a)| optional[i + 1..].iter().map(|b| vec![*a, *b]));
        let flipped = single.chain(pairs).filter(|fields| fields.len() <= most).take(MOST_NEAR).map(|fields| {
            let mut near = shape.clone();
            for field in fields {
                near.presence[field] = near.presence[field].map(|present| !present);
            }
            near
        });
        let any = Shape { presence: self.parts.presence(None), ..shape.clone() };
        let near: Vec<Shape> = flipped.chain([any]).collect();
        near.into_iter().find_map(|near| {
            let strategy = draws(self.judge, &self.parts, &near);
            let entry = self.draw_with(&strategy, SOME_PATIENCE, id, label, &near, sound)?;
            *shape = near;
            Some(entry)
        })
    }

    pub(super) fn draw_until(
        &self,
        id: &str,
        label: &str,
        shape: Shape,
        wanted: impl Fn(&Request, &Class) -> bool,
    ) -> Option<Entry> {
        self.draw_with(&draws(self.judge, &self.parts, &shape), PATIENCE, id, label, &shape, wanted)
    }

    pub(super) fn draw_with(
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
                // What cannot be drawn a few times cannot be drawn.
                if attempt >= 3 {
                    return None;
                }
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
                    plain: None,
                    wanted: true,
                });
            }
        }
        None
    }

    /// What the contract says of a draft, were it sent now.
    pub(super) fn class(&self, draft: &Draft) -> Option<(Request, Class)> {
        let operation = &self.judge.contract.operation;
        let mut rendering = Rendering {
            now: self.now,
            run_tag: &RunTag::fixed("00000000"),
            seed: self.seed,
            trial: "plan",
            count: 0,
            issued: &Issued::default(),
            scope: self.judge.fixtures.bare_scope(),
            row: None,
            runner: &mut self.seed.runner("plan", 0),
        };
        let request = rendering.request(draft, operation).ok()?;
        let body = self.judge.body(&request);
        let scope = self.judge.request_scope(&request, body.as_ref(), self.now);
        let class = self.judge.class_of(&request, body.as_ref(), &scope, self.now, self.now);
        Some((request, class))
    }
}
