//! A set of numbers in few bytes: each of hundreds of requirements may remember ten thousand exchanges.

use std::collections::BTreeMap;

/// Numbers, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// By the numbers' quotient by 64, one bit for each remainder. None is zero.
    words: BTreeMap<u64, u64>,
    count: usize,
}

impl Numbers {
    /// Adds a number.
    pub fn insert(&mut self, number: u64) {
        let word = self.words.entry(number / 64).or_default();
        let bit = 1 << (number % 64);
        self.count += usize::from(*word & bit == 0);
        *word |= bit;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes the highest number away.
    pub fn pop_last(&mut self) {
        if let Some(mut last) = self.words.last_entry() {
            let word = last.get_mut();
            *word &= !(1 << word.ilog2());
            if *word == 0 {
                last.remove();
            }
            self.count -= 1;
        }
    }

    /// The numbers, the lowest first.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        let bits = |(at, word): (&u64, &u64)| {
            let (at, word) = (*at, *word);
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 64 + bit)
        };
        self.words.iter().flat_map(bits)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn is_a_set(all in proptest::collection::vec(prop_oneof![0_u64..200, any::<u64>()], 0..100), most in 1_usize..80) {
            let (mut set, mut numbers) = (BTreeSet::new(), Numbers::default());
            for number in all {
                set.insert(number);
                numbers.insert(number);
                if set.len() > most {
                    set.pop_last();
                    numbers.pop_last();
                }
            }
            prop_assert_eq!(numbers.len(), set.len());
            prop_assert_eq!(numbers.is_empty(), set.is_empty());
            prop_assert!(numbers.iter().eq(set));
        }
    }
}
