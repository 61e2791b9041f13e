//! The changes that an update asks for.

use super::asked::CloseDate;
use super::record::Record;
use super::world::{Household, Stage, User};
use chrono::{DateTime, Utc};

/// The changes that a body names, each checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    pub(super) name: Option<String>,
    /// In cents, as records have it.
    pub(super) value: Option<i64>,
    /// In percent.
    pub(super) probability: Option<i64>,
    pub(super) close_date: Option<CloseDate>,
    pub(super) stage: Option<&'static Stage>,
    pub(super) owner: Option<&'static User>,
    pub(super) household: Option<&'static Household>,
}

impl Changes {
    /// Makes the changes. A record that is moved to the stage where it is does not move.
    pub(super) fn apply(&self, record: &mut Record, now: DateTime<Utc>) {
        let Self { name, value, probability, close_date, stage, owner, household } = self.clone();
        record.asked.name = name.unwrap_or_else(|| std::mem::take(&mut record.asked.name));
        record.asked.value = value.or(record.asked.value);
        record.asked.probability = probability.or(record.asked.probability);
        record.asked.close_date = close_date.or_else(|| record.asked.close_date.take());
        if let Some(stage) = stage.filter(|stage| stage.id != record.stage.id) {
            record.stage = stage;
            record.stage_updated_at = now;
        }
        record.owner = owner.unwrap_or(record.owner);
        record.household = household.or(record.household);
        record.updated_at = now.max(record.updated_at);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::Changes;
    use crate::reference::asked::Asked;
    use crate::reference::find;
    use crate::reference::record::Record;
    use crate::reference::seed_data::CALLER;
    use chrono::{DateTime, TimeDelta};

    /// A record of the first household, with nothing but a name.
    pub(in crate::reference) fn record(id: &str) -> Record {
        let household = find::households(CALLER.book_id).next().unwrap();
        let pipeline = find::default_pipeline(CALLER.book_id, household.kind).unwrap();
        let asked = Asked {
            name: "Plain".to_owned(),
            value: None,
            probability: None,
            close_date: None,
            pipeline_id: None,
            stage_id: None,
            owner_id: None,
        };
        Record {
            id: id.to_owned(),
            asked,
            book_id: CALLER.book_id,
            household: Some(household),
            pipeline,
            stage: &pipeline.stages[0],
            owner: &CALLER,
            created_at: DateTime::UNIX_EPOCH,
            stage_updated_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn what_is_left_out_stays_and_only_another_stage_moves_the_record() {
        let mut kept = record("1");
        let later = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        Changes { value: Some(500), ..Changes::default() }.apply(&mut kept, later(1));
        assert_eq!((kept.asked.name.as_str(), kept.asked.value), ("Plain", Some(500)));
        assert_eq!((kept.stage_updated_at, kept.updated_at), (DateTime::UNIX_EPOCH, later(1)));

        let same = Changes { stage: Some(kept.stage), ..Changes::default() };
        same.apply(&mut kept, later(2));
        assert_eq!(kept.stage_updated_at, DateTime::UNIX_EPOCH);
        let other = Changes { stage: kept.pipeline.stages.last(), ..Changes::default() };
        other.apply(&mut kept, later(3));
        assert_eq!((kept.stage_updated_at, kept.asked.value), (later(3), Some(500)));
    }
}
