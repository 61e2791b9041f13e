//! Randomness: one runner for each trial, so that no trial's data depends on another's.

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sha2::{Digest, Sha256};

/// The seed of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// A random seed, of no more bits than a number in JSON keeps wherever it is read.
    pub fn random() -> Self {
        Self(entropy() >> 11)
    }

    /// The runner of one trial: the same for the same seed, requirement and number.
    pub fn runner(self, id: &str, number: u64) -> TestRunner {
        // A schema that no value matches is given up soon.
        let config = Config { failure_persistence: None, max_local_rejects: 1000, ..Config::default() };
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &self.bytes(id, number));
        TestRunner::new_with_rng(config, rng)
    }

    /// A number below a bound that depends only on the seed, the requirement and the number.
    pub fn pick(self, id: &str, number: u64, below: usize) -> usize {
        let below = u64::try_from(below.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.number(id, number) % below).unwrap_or_default()
    }

    /// A number that depends only on the seed, the requirement and the number.
    pub fn number(self, id: &str, number: u64) -> u64 {
        let bytes = self.bytes(id, number);
        let mut first = [0; 8];
        first.copy_from_slice(&bytes[..8]);
        u64::from_be_bytes(first)
    }

    /// Some hexadecimal digits that depend only on the seed, the requirement and the number.
    pub fn digits(self, id: &str, number: u64, count: usize) -> String {
        let bytes = self.bytes(id, number);
        bytes.iter().map(|b| format!("{b:02x}")).collect::<String>().chars().cycle().take(count).collect()
    }

    fn bytes(self, id: &str, number: u64) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.0.to_be_bytes());
        hasher.update(number.to_be_bytes());
        hasher.update(id.as_bytes());
        hasher.finalize().into()
    }
}

/// A mark on everything that a run creates, so that it cannot collide with another run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunTag(String);

impl RunTag {
    /// A new run tag. It does not depend on the seed, since an earlier run may have had the same seed.
    pub fn random() -> Self {
        Self(format!("{:08x}", entropy() & 0xffff_ffff))
    }

    /// A given mark, for runs that must be reproducible.
    pub fn fixed(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The mark itself.
    pub fn text(&self) -> &str {
        &self.0
    }
}

fn entropy() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    // The standard library's hash keys are random for each process and differ for each call.
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;

    fn draw(seed: u64, id: &str, number: u64) -> Vec<u8> {
        proptest::collection::vec(any::<u8>(), 16).new_tree(&mut Seed(seed).runner(id, number)).unwrap().current()
    }

    #[test]
    fn a_random_seed_is_kept_by_every_reader_of_json() {
        assert!((0..100).all(|_| Seed::random().0 < 1 << 53));
    }

    #[test]
    fn depends_on_seed_requirement_and_number_only() {
        assert_eq!(draw(1, "a/b", 0), draw(1, "a/b", 0));
        assert_ne!(draw(1, "a/b", 0), draw(2, "a/b", 0));
        assert_ne!(draw(1, "a/b", 0), draw(1, "a/c", 0));
        assert_ne!(draw(1, "a/b", 0), draw(1, "a/b", 1));
        assert_ne!(RunTag::random(), RunTag::random());
    }
}
