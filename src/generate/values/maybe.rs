//! Values that may not be found: an optional part without a value is left out, so that the rest can still be drawn.

use proptest::strategy::{BoxedStrategy, NewTree, Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value as Json;

use crate::contract::template::Template;

/// How many values are drawn for an optional part before it is left out.
const PATIENCE: u32 = 200;

/// A strategy whose value may be missing.
#[derive(Debug)]
pub(super) struct Maybe(pub(super) BoxedStrategy<Template>);

/// A value, or none.
pub(super) struct MaybeTree(Option<Box<dyn ValueTree<Value = Template>>>);

impl Strategy for Maybe {
    type Tree = MaybeTree;
    type Value = Option<Template>;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        // It has its own runner, so that its rejects are not counted against the others.
        let config = Config { max_local_rejects: PATIENCE, failure_persistence: None, ..Config::default() };
        let mut own = TestRunner::new_with_rng(config, runner.new_rng());
        Ok(MaybeTree(self.0.new_tree(&mut own).ok()))
    }
}

impl ValueTree for MaybeTree {
    type Value = Option<Template>;

    fn current(&self) -> Option<Template> {
        self.0.as_ref().map(ValueTree::current)
    }

    fn simplify(&mut self) -> bool {
        self.0.as_mut().is_some_and(ValueTree::simplify)
    }

    fn complicate(&mut self) -> bool {
        self.0.as_mut().is_some_and(ValueTree::complicate)
    }
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
