//! Records that are created for laws.

use std::sync::Arc;

use super::laws::{Created, Laws, answer_of, bodies, set_path};
use super::names::fresh;
use super::odd;
use super::order::{makes, shape};
use super::partition::Partition;
use super::records::{Records, Taken};
use super::resources::gives;
use crate::document::parameter::ParameterLocation;
use crate::generate::draft::Content;
use crate::judge::bind::{Known, Seen};
use crate::plan::{Entry, MINIMAL};
use crate::session::Session;

/// How deep records are created for the sake of others.
const DEEPEST: u8 = 2;

impl Laws<'_> {
    /// Creates a record.
    pub(super) async fn create(&mut self, create: usize) -> Result<Created, String> {
        if self.refused[create] {
            return Err("the operation that creates such a record accepted no request".to_owned());
        }
        let named = self.new_name(create)?;
        let seen = match self.first_accepted(create, &named, "created").await {
            Ok(seen) => seen,
            Err(why) => self.created_elsewhere(create).await?.ok_or(why)?,
        };
        self.created_by(create, &seen)
    }

    /// The record with which a creation was answered.
    pub(super) fn created_by(&mut self, create: usize, seen: &Seen) -> Result<Created, String> {
        if !matches!(seen.exchange.status(), Some(200 | 201)) {
            return Err(format!("the creation was answered with {}", answer_of(seen)));
        }
        if !self.made.is_of_its_own(seen.exchange.number) {
            return Err("it is answered with a record that was there before".to_owned());
        }
        let (sent, answer) = bodies(seen);
        let mut records = Records::default();
        records.note(self.session(create)?.contract(), &seen.exchange);
        self.tag = seen.exchange.response().and_then(|response| response.header("etag")).map(str::to_owned);
        self.partition = Partition::of(&self.session(create)?.contract().operation, &seen.exchange.request);
        Ok(Created { exchange: Arc::clone(&seen.exchange), sent, answer, records })
    }

    /// Creates a record with texts that are easily damaged, and with other values than a server assumes by itself; with usual
    /// ones if that is refused.
    pub(super) async fn create_oddly(&mut self, create: usize) -> Result<Created, String> {
        if self.refused[create] {
            return self.create(create).await;
        }
        let session = self.session(create)?;
        let mut entry: Entry = session.plan().entries[self.fullest(create)?].clone();
        let body = session.contract().operation.body();
        let (Content::Json(template), Some(body)) = (&mut entry.draft.body, body) else {
            return self.create(create).await;
        };
        if !odd::make(template, body.schema.json()) {
            return self.create(create).await;
        }
        set_path(&mut entry, &self.new_name(create)?);
        self.partition.apply(&mut entry.draft, &self.session(create)?.contract().operation);
        let seen = self.send(create, &entry, "created-oddly").await?;
        match seen.accepted() {
            Known::Yes => self.created_by(create, &seen),
            _ => self.create(create).await,
        }
    }

    /// Creates a record with as little as may be: what is said of it may be that nothing is to be added.
    pub(super) async fn create_smallest(&mut self, create: usize) -> Result<Created, String> {
        let named = self.new_name(create)?;
        let seen = self.call(create, MINIMAL, &named, &[], "created-for-another").await?;
        match seen.accepted() {
            Known::Yes => self.created_by(create, &seen),
            _ => self.create(create).await,
        }
    }

    /// A name that nobody has given yet, where a creation names in its path what it creates.
    pub(super) fn new_name(&self, create: usize) -> Result<Vec<Taken>, String> {
        let operation = &self.session(create)?.contract().operation;
        if !makes(operation) {
            return Ok(Vec::new());
        }
        let path = shape(&operation.path);
        let own = path.rsplit('/').next().unwrap_or_default().trim_matches(['{', '}']);
        let parameter = operation.parameters_in(ParameterLocation::Path).find(|p| p.name == own);
        let value = parameter.and_then(|p| fresh(p, &self.run_tag, self.number));
        let value = value.ok_or("no name is known that nobody has given yet")?;
        Ok(vec![Taken { location: Some(ParameterLocation::Path), name: own.to_owned(), value }])
    }

    /// Creates a record under others that are created for it, since those that were known may be in a state in which nothing
    /// is added to them; None if there are no others, or that is refused, too.
    pub(super) async fn created_elsewhere(&mut self, create: usize) -> Result<Option<Seen>, String> {
        if self.within >= DEEPEST {
            return Ok(None);
        }
        let operation = &self.session(create)?.contract().operation;
        let gives = |(other, session): (usize, &Option<Session>)| {
            let giver = &session.as_ref()?.contract().operation;
            (other != create && giver.method == "POST" && gives(giver, operation)).then_some(other)
        };
        let mut givers: Vec<usize> = self.sessions.iter().enumerate().filter_map(gives).collect();
        givers.retain(|giver| !self.refused[*giver]);
        let mut records = Records::default();
        for giver in givers {
            self.within += 1;
            let created = Box::pin(self.create_smallest(giver)).await;
            self.within -= 1;
            records.note(self.session(giver)?.contract(), &created?.exchange);
        }
        let mut taken = records.values(&self.session(create)?.contract().operation, true, true);
        if taken.is_empty() {
            return Ok(None);
        }
        taken.extend(self.new_name(create)?);
        for place in [self.fullest(create)?, MINIMAL] {
            let seen = self.call(create, place, &taken, &[], "created-elsewhere").await?;
            if seen.accepted() == Known::Yes {
                return Ok(Some(seen));
            }
        }
        Ok(None)
    }

    /// The answer to a full request, or to the smallest where that is refused.
    pub(super) async fn first_accepted(&mut self, of: usize, named: &[Taken], step: &str) -> Result<Seen, String> {
        let seen = self.call(of, self.fullest(of)?, named, &[], step).await?;
        if seen.accepted() == Known::Yes {
            return Ok(seen);
        }
        let seen = self.call(of, MINIMAL, named, &[], &format!("{step}-smallest")).await?;
        match seen.accepted() {
            Known::Yes => Ok(seen),
            _ => Err(format!("{} was answered with {}", self.session(of)?.contract().operation.id, answer_of(&seen))),
        }
    }
}
