//! Optional parts: their values are drawn when they are needed, and left out if none is found, so that the rest can
//! still be drawn.

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::rc::Rc;

use proptest::strategy::{BoxedStrategy, NewTree, Strategy, ValueTree};
use proptest::test_runner::{Config, TestRng, TestRunner};
use serde_json::Value as Json;

use super::values;
use crate::contract::template::Template;
use crate::generate::memo::Memo;

/// How many values are drawn for an optional part before it is left out.
const PATIENCE: u32 = 200;

thread_local! {
    static OPTIONAL: Memo<Optional> = Memo::default();
}

/// A strategy for an optional part of a schema. Most parts of a large schema are never there: neither a strategy nor a
/// value is made for those.
#[derive(Clone, Debug)]
pub(super) struct Optional(Rc<Made>);

#[derive(Debug)]
struct Made {
    schema: Json,
    strategy: OnceCell<BoxedStrategy<Template>>,
}

/// The value of a part.
#[derive(Clone)]
pub(super) enum Part {
    /// This one.
    Ready(Template),
    /// One that is drawn when it is needed.
    Later(Rc<Later>),
}

/// A value that may not have been drawn yet.
pub(super) struct Later {
    made: Rc<Made>,
    rng: RefCell<Option<TestRng>>,
    tree: OnceCell<RefCell<Option<Box<dyn ValueTree<Value = Template>>>>>,
}

impl Optional {
    /// The strategy of a schema: the same one for the same schema, since a plan draws many requests.
    pub(super) fn of(schema: &Json) -> Self {
        OPTIONAL
            .with(|all| all.of(schema, || Self(Rc::new(Made { schema: schema.clone(), strategy: OnceCell::new() }))))
    }
}

impl Part {
    /// The value; None if none is found.
    pub(super) fn get(&self) -> Option<Template> {
        match self {
            Self::Ready(value) => Some(value.clone()),
            Self::Later(later) => later.tree().borrow().as_ref().map(ValueTree::current),
        }
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(value) => value.fmt(f),
            Self::Later(_) => f.write_str("a part"),
        }
    }
}

impl Later {
    fn tree(&self) -> &RefCell<Option<Box<dyn ValueTree<Value = Template>>>> {
        self.tree.get_or_init(|| {
            let strategy = self.made.strategy.get_or_init(|| values(&self.made.schema));
            // It has its own runner, so that its rejects are not counted against the others.
            let config = Config { max_local_rejects: PATIENCE, failure_persistence: None, ..Config::default() };
            let drawn = self.rng.take().and_then(|rng| {
                let mut own = TestRunner::new_with_rng(config, rng);
                strategy.new_tree(&mut own).ok()
            });
            RefCell::new(drawn)
        })
    }
}

/// A tree of a part. What was not needed is not simplified either.
pub(super) struct PartTree(Rc<Later>);

impl Strategy for Optional {
    type Tree = PartTree;
    type Value = Part;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let rng = RefCell::new(Some(runner.new_rng()));
        Ok(PartTree(Rc::new(Later { made: Rc::clone(&self.0), rng, tree: OnceCell::new() })))
    }
}

impl PartTree {
    fn change(&mut self, change: impl FnOnce(&mut Box<dyn ValueTree<Value = Template>>) -> bool) -> bool {
        self.0.tree.get().is_some_and(|tree| tree.borrow_mut().as_mut().is_some_and(change))
    }
}

impl ValueTree for PartTree {
    type Value = Part;

    fn current(&self) -> Part {
        Part::Later(Rc::clone(&self.0))
    }

    fn simplify(&mut self) -> bool {
        self.change(|tree| tree.simplify())
    }

    fn complicate(&mut self) -> bool {
        self.change(|tree| tree.complicate())
    }
}

/// Whether values of a schema may have parts themselves.
pub(super) fn is_compound(schema: &Json) -> bool {
    ["properties", "items", "prefixItems", "additionalProperties", "anyOf"]
        .iter()
        .any(|key| schema.get(*key).is_some_and(|below| below.is_object() || below.is_array()))
}

/// Whether a value of a schema may not be found.
pub(super) fn may_fail(schema: &Json) -> bool {
    match schema {
        Json::Object(map) => {
            let hard =
                ["pattern", "not", "if", "contains", "uniqueItems", "propertyNames", "patternProperties", "allOf"];
            hard.iter().any(|key| map.contains_key(*key))
                || ["properties", "items", "anyOf", "additionalProperties", "prefixItems"]
                    .iter()
                    .filter_map(|key| map.get(*key))
                    .any(|below| match below {
                        Json::Object(map) if !map.contains_key("type") => {
                            map.values().any(may_fail) || may_fail_itself(map)
                        }
                        other => may_fail(other),
                    })
        }
        Json::Array(items) => items.iter().any(may_fail),
        Json::Bool(allowed) => !allowed,
        _ => false,
    }
}

fn may_fail_itself(map: &serde_json::Map<String, Json>) -> bool {
    map.contains_key("anyOf") || map.contains_key("pattern") || map.contains_key("not")
}
