//! Ids of records: unique, and telling nothing of their order.

use super::Variation;
use super::deviations::Deviations;
use chrono::{DateTime, Utc};
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts, and hides the count.
#[derive(Debug)]
pub(super) struct Ids {
    seed: u64,
    next: AtomicU64,
}

impl Ids {
    /// Servers started at different times give different ids.
    pub(super) fn new(started: DateTime<Utc>) -> Self {
        Self { seed: mix(started.timestamp_micros().cast_unsigned()), next: AtomicU64::new(1) }
    }

    pub(super) fn next(&self, d: &Deviations) -> String {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        // Mixing is one to one, so that the first half alone is unique.
        let (high, low) = (mix(self.seed ^ count), mix(self.seed.wrapping_add(mix(count))));
        if d.variation(Variation::IdsInSequence) {
            count.to_string()
        } else if d.variation(Variation::IdsAsUuids) {
            let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xfff);
            let (d, e) = (low >> 48 & 0x3fff | 0x8000, low & 0xffff_ffff_ffff);
            format!("{a:08x}-{b:04x}-4{c:03x}-{d:04x}-{e:012x}")
        } else if d.variation(Variation::IdsLong) {
            format!("op_{}{}", letters(high), letters(low).repeat(16))
        } else {
            format!("op_{}", letters(high))
        }
    }
}

/// The finaliser of splitmix64: one to one, and every bit counts for every other.
pub(super) const fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ n >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ n >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ n >> 31
}

/// Thirteen letters and digits of five bits each.
fn letters(n: u64) -> String {
    const ALPHABET: [char; 32] = [
        'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j', 'k', 'm', 'n', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y',
        'z', '2', '3', '4', '5', '6', '7', '8', '9', '0',
    ];
    (0..13).map(|at| ALPHABET[(n >> (5 * at) & 31) as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::Ids;
    use crate::reference::deviations::Deviations;
    use crate::reference::{Options, Variation};
    use chrono::DateTime;
    use std::collections::HashSet;

    #[test]
    fn ids_are_unique_and_without_order() {
        for variations in [vec![], vec![Variation::IdsAsUuids], vec![Variation::IdsLong]] {
            let d = Deviations::new(&Options { variations, ..Options::default() });
            let ids = Ids::new(DateTime::UNIX_EPOCH);
            let drawn: Vec<String> = (0..10_000).map(|_| ids.next(&d)).collect();
            assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), drawn.len());
            assert!(!drawn.is_sorted());
        }
    }
}
