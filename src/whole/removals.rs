//! The laws of deletions: what is deleted is gone, and stays where it is if nobody says who deletes it.

use std::sync::Arc;

use super::laws::{LATER, Laws, Shown, answer_of, bodies, broken, set_path};
use crate::contract::requirement::Law;
use crate::contract::template::Template;
use crate::exchange::{Exchange, TOKEN_WITHOUT_LAST};
use crate::generate::draft::Credentials;
use crate::judge::bind::Seen;
use crate::judge::exchange::answer;
use crate::judge::finding::Found;
use crate::judge::law::same;
use crate::plan::{Entry, MINIMAL};

impl Laws<'_> {
    pub(super) async fn gone(&mut self, law: Law, delete: usize, create: usize, read: usize) -> Shown {
        let created = self.create(create).await?;
        let mut before = self.call_on(read, MINIMAL, Some(&created), "before").await?;
        if before.exchange.status() != Some(200) {
            tokio::time::sleep(LATER[1]).await;
            before = self.call_on(read, MINIMAL, Some(&created), "before").await?;
        }
        if before.exchange.status() != Some(200) {
            return Err(format!("the record could not be read before: {}", answer_of(&before)));
        }
        let deleted = self.call_on(delete, MINIMAL, Some(&created), "deleted").await?;
        if !matches!(deleted.exchange.status(), Some(200 | 204)) {
            return Err(format!("the deletion was answered with {}", answer_of(&deleted)));
        }
        let exchanges = vec![Arc::clone(&created.exchange), Arc::clone(&deleted.exchange)];
        if law == Law::GoneTwice {
            let again = self.call_on(delete, MINIMAL, Some(&created), "deleted-again").await?;
            return self.no_error(&again, "any status below 500", exchanges);
        }
        let mut last = None;
        for later in LATER {
            tokio::time::sleep(later).await;
            let seen = self.call_on(read, MINIMAL, Some(&created), "after").await?;
            // Some servers keep what was deleted, and show that it was.
            if seen.exchange.status() != Some(200) || !same(&bodies(&before).1, &bodies(&seen).1) {
                return Ok(Found::Holds);
            }
            last = Some(seen);
        }
        let exchanges = exchanges.into_iter().chain(last.map(|seen| seen.exchange)).collect();
        Ok(broken(
            "404 or 410".to_owned(),
            "status 200, with the record as it was".to_owned(),
            exchanges,
            Vec::new(),
            None,
        ))
    }

    /// Whether a record stays that is deleted without credentials, or with broken ones. That the deletion is there is known
    /// from one with good ones.
    pub(super) async fn guarded(&mut self, delete: usize, create: usize, read: usize, is_broken: bool) -> Shown {
        if self.refused[delete] {
            return Err("no deletion with credentials was accepted, so that a refusal would show nothing".to_owned());
        }
        let created = self.create(create).await?;
        let taken = self.named_by(delete, &created)?;
        let mut entry: Entry = self.session(delete)?.plan().entries[MINIMAL].clone();
        set_path(&mut entry, &taken);
        self.partition.apply(&mut entry.draft, &self.session(delete)?.contract().operation);
        let security = self.session(delete)?.contract().operation.security.as_ref();
        let text = security.filter(|_| is_broken).map(|security| security.broken(TOKEN_WITHOUT_LAST));
        entry.draft.credentials =
            text.map_or(Credentials::None, |text| Credentials::Text(Template::Literal(text.into())));
        let deleted = self.send(delete, &entry, "deleted-by-nobody").await?;
        match deleted.exchange.status() {
            Some(200..=299) => {}
            Some(300..=499) => return Ok(Found::Holds),
            _ => return Err(answer_of(&deleted)),
        }
        let after = self.call_on(read, MINIMAL, Some(&created), "after").await?;
        match after.exchange.status() {
            Some(404 | 410) => {
                let exchanges = vec![Arc::clone(&created.exchange), Arc::clone(&deleted.exchange), after.exchange];
                let due = "a refusal (4xx), with the record where it was".to_owned();
                Ok(broken(
                    due,
                    format!("{}, and the record is gone", answer(&deleted.exchange)),
                    exchanges,
                    Vec::new(),
                    None,
                ))
            }
            _ => Err(format!("{}, though the record may be where it was", answer_of(&deleted))),
        }
    }

    /// Whether an answer is no server error; those of gateways show nothing.
    pub(super) fn no_error(&self, seen: &Seen, due: &str, mut exchanges: Vec<Arc<Exchange>>) -> Shown {
        match seen.exchange.status() {
            Some(502..=504) | None => Err(answer_of(seen)),
            Some(500..) => {
                exchanges.push(Arc::clone(&seen.exchange));
                Ok(broken(due.to_owned(), answer(&seen.exchange), exchanges, Vec::new(), None))
            }
            Some(_) => Ok(Found::Holds),
        }
    }
}
