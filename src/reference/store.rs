//! Where records are kept, after their creation was answered.

use crate::reference::faults::memory::lock;
use crate::reference::record::Record;
use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

/// The oldest records are forgotten beyond this number.
const MOST_RECORDS: usize = 10_000;

/// All records, by id.
#[derive(Debug, Default)]
pub(super) struct Store(Mutex<Records>);

#[derive(Debug, Default)]
struct Records {
    by_id: HashMap<String, Record>,
    /// The ids, from the oldest on.
    order: VecDeque<String>,
}

impl Store {
    /// Keeps a new record.
    pub(super) fn insert(&self, record: Record) {
        let mut records = lock(&self.0);
        records.order.push_back(record.id.clone());
        records.by_id.insert(record.id.clone(), record);
        if records.order.len() > MOST_RECORDS
            && let Some(oldest) = records.order.pop_front()
        {
            records.by_id.remove(&oldest);
        }
    }

    /// The record with this id.
    pub(super) fn get(&self, id: &str) -> Option<Record> {
        lock(&self.0).by_id.get(id).cloned()
    }

    /// The record that was created last, for faulty servers.
    pub(super) fn latest(&self) -> Option<Record> {
        let records = lock(&self.0);
        records.order.back().and_then(|id| records.by_id.get(id)).cloned()
    }

    /// Changes the record with this id, and gives it as it is then.
    pub(super) fn change(&self, id: &str, change: impl FnOnce(&mut Record)) -> Option<Record> {
        let mut records = lock(&self.0);
        let record = records.by_id.get_mut(id)?;
        change(record);
        Some(record.clone())
    }

    /// Forgets a record, for faulty servers.
    pub(super) fn remove(&self, id: &str) {
        lock(&self.0).by_id.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_RECORDS, Store};
    use crate::reference::changes::tests::record;

    #[test]
    fn the_oldest_records_are_forgotten() {
        let store = Store::default();
        for number in 0..=MOST_RECORDS {
            store.insert(record(&number.to_string()));
        }
        assert!(store.get("0").is_none() && store.get("1").is_some());
        assert_eq!(store.latest().unwrap().id, MOST_RECORDS.to_string());
    }
}
