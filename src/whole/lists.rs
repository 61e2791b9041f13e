//! The laws of lists.

use std::sync::Arc;

use serde_json::Value as Json;

use super::laws::{Laws, Shown, answer_of, bodies, broken};
use crate::contract::template::Template;
use crate::generate::draft::Content;
use crate::judge::bind::{Known, Seen};
use crate::judge::finding::{Found, short};
use crate::judge::law::items;
use crate::plan::MINIMAL;
use crate::session::Session;

/// How many of the listed values of a field are tried.
const VALUES: usize = 6;

impl Laws<'_> {
    pub(super) async fn limit(&mut self, list: usize, at: usize) -> Shown {
        let parameter = &self.session(list)?.contract().operation.parameters[at];
        let (name, least) = (parameter.name.clone(), parameter.schema.json()["minimum"].as_u64().unwrap_or(1).max(1));
        self.fill(list, &[None, None]).await?;
        let (all, _) = self.list(list, &[], "all").await?;
        if all.len() as u64 <= least {
            return Err("the list has too few items to show it".to_owned());
        }
        let (some, seen) = self.list(list, &[(name, least.into())], "limited").await?;
        if some.len() as u64 <= least {
            return Ok(Found::Holds);
        }
        let exchanges = vec![Arc::clone(&seen.exchange)];
        Ok(broken(format!("at most {least}"), format!("{} items", some.len()), exchanges, Vec::new(), None))
    }

    pub(super) async fn filter(&mut self, list: usize, at: usize) -> Shown {
        let parameter = &self.session(list)?.contract().operation.parameters[at];
        let (name, values) =
            (parameter.name.clone(), parameter.schema.json()["enum"].as_array().cloned().unwrap_or_default());
        let with = values.into_iter().take(VALUES).map(|value| Some((name.clone(), value)));
        let with: Vec<Option<(String, Json)>> = with.collect();
        self.fill(list, &with).await?;
        let (all, _) = self.list(list, &[], "all").await?;
        let value = all.last().and_then(|item| item.get(&name)).cloned().unwrap_or_default();
        let others = all.iter().filter(|item| item.get(&name).is_some_and(|v| *v != value)).count();
        if value.is_null() || others == 0 {
            return Err(format!("the list shows no two values of `{name}`"));
        }
        let (some, seen) = self.list(list, &[(name.clone(), value.clone())], "filtered").await?;
        let wrong = some.iter().filter_map(|item| item.get(&name)).find(|v| **v != value);
        match wrong {
            _ if some.is_empty() => Err("the filtered list is empty".to_owned()),
            None => Ok(Found::Holds),
            Some(wrong) => {
                let exchanges = vec![Arc::clone(&seen.exchange)];
                let due = format!("only items whose {name} is {}", short(Some(&value)));
                Ok(broken(due, format!("one whose {name} is {}", short(Some(wrong))), exchanges, Vec::new(), None))
            }
        }
    }

    /// Creates records in a list, if there is an operation for that, with such a field where it is given: the first two
    /// that are accepted.
    async fn fill(&mut self, list: usize, with: &[Option<(String, Json)>]) -> Result<(), String> {
        let path = self.session(list)?.contract().operation.path.clone();
        let creates = |s: &Session| s.contract().operation.method == "POST" && s.contract().operation.path == path;
        let Some(create) = self.sessions.iter().position(|s| s.as_ref().is_some_and(creates)) else { return Ok(()) };
        if self.refused[create] {
            return Ok(());
        }
        let mut taken = 0;
        for field in with {
            let mut entry = self.session(create)?.plan().entries[MINIMAL].clone();
            if let (Content::Json(Template::Object(members)), Some((name, value))) = (&mut entry.draft.body, field) {
                members.retain(|(other, _)| other != name);
                members.push((name.clone(), Template::Literal(value.clone())));
            }
            taken += u32::from(self.send(create, &entry, "listed").await?.accepted() == Known::Yes);
            if taken == 2 {
                break;
            }
        }
        Ok(())
    }

    async fn list(&mut self, list: usize, query: &[(String, Json)], step: &str) -> Result<(Vec<Json>, Seen), String> {
        let seen = self.call(list, MINIMAL, &[], query, step).await?;
        match (seen.exchange.status(), items(&bodies(&seen).1)) {
            (Some(200), Some(items)) => Ok((items.clone(), seen)),
            (Some(200), None) => Err("the answer is not clearly a list".to_owned()),
            _ => Err(format!("the list could not be read: {}", answer_of(&seen))),
        }
    }
}
