//! A valid request with empty texts, which programs often forget.

use serde_json::Value as Json;

use super::Planner;
use crate::contract::Target;
use crate::contract::template::Template;
use crate::exchange::TrialName;
use crate::generate::draft::{Content, Draft};
use crate::generate::values::type_of;
use crate::judge::classify::Class;
use crate::plan::{Entry, FULL};
use crate::yaml::escape;

impl Planner<'_> {
    /// A valid request with every field, in which each text that may be empty is. It may be refused where the document
    /// alone says what is valid, but it must not break the server.
    pub(super) fn empty_texts(&self, entries: &mut Vec<Entry>) {
        let full = &entries[FULL];
        let Content::Json(Template::Object(members)) = &full.draft.body else { return };
        let schema = self.judge.contract.operation.body().map(|body| &body.schema.json()["properties"]);
        let is_given = |name: &str| {
            let field = Target::Body(format!("/{}", escape(name)));
            self.judge.contract.values.iter().any(|list| list.target == field)
        };
        let may_be_empty = |name: &str| {
            let schema = schema.and_then(|all| all.get(name));
            let says_more = |schema: &Json| {
                ["format", "enum", "const", "pattern", "anyOf"].iter().any(|key| schema.get(*key).is_some())
                    || schema["minLength"].as_u64().is_some_and(|least| least > 0)
            };
            !is_given(name) && schema.is_some_and(|schema| type_of(schema) == "string" && !says_more(schema))
        };
        let empty = |(name, value): &(String, Template)| {
            let value = if may_be_empty(name) { Template::Literal("".into()) } else { value.clone() };
            (name.clone(), value)
        };
        if !members.iter().any(|(name, _)| may_be_empty(name)) {
            return;
        }
        let body = Content::Json(Template::Object(members.iter().map(empty).collect()));
        let draft = Draft { body, ..full.draft.clone() };
        if self.class(&draft).is_some_and(|(_, class)| matches!(class, Class::Valid | Class::Doubtful(_))) {
            let label = "a valid request with every text empty".to_owned();
            let name = TrialName::of_pool("empty-texts");
            entries.push(Entry { name, label, draft, recipe: None, ..full.clone() });
        }
    }
}
