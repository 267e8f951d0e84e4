//! Which values a column has and how often: all of them up to a limit, beyond it those whose hash is small.
//!
//! The choice by hash is the same in every column (a bottom-k sample, after Cohen and Kaplan (2007), PODC), so whether
//! the values of one column occur in another is seen from two samples as well. Every occurrence of a chosen value is
//! counted: a value that is chosen at the end was so from its first row on.

use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use foldhash::quality::FixedState;
use hashbrown::HashMap;

/// Values of a column that are kept, at most: two megabytes of hashes and counts.
const LIMIT: usize = 1 << 17;
const SEED: u64 = 0x006d_7573_7465_7221;
const STATE: FixedState = FixedState::with_seed(SEED);

/// The hash of a value, the same in every column and every run.
pub(crate) fn hash(value: &str) -> u64 {
    STATE.hash_one(value)
}

/// The hash of several values in their order.
pub(crate) fn hash_of_row<'a>(values: impl Iterator<Item = Option<&'a str>>) -> u64 {
    values.fold(SEED, |row, value| FixedState::with_seed(row).hash_one(value))
}

/// Distinct values by their hashes, each with how often it occurs.
#[derive(Debug, Clone)]
pub(crate) struct Sketch {
    limit: usize,
    /// Hashes above are not kept.
    ceiling: u64,
    counts: HashMap<u64, u32, BuildHasherDefault<AsItIs>>,
}

/// What is a hash already needs no other.
#[derive(Debug, Clone, Copy, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What a sketch knew of a value that it was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// It is kept, and was not there before.
    First,
    /// It was there.
    Again,
    /// It is not among those that are kept.
    Passed,
}

impl Default for Sketch {
    fn default() -> Self {
        Self::with_limit(LIMIT)
    }
}

impl Sketch {
    pub fn with_limit(limit: usize) -> Self {
        Self { limit, ceiling: u64::MAX, counts: HashMap::default() }
    }

    /// Takes note of one occurrence.
    pub fn add(&mut self, hash: u64) -> Sight {
        if hash > self.ceiling {
            return Sight::Passed;
        }
        let count = self.counts.entry(hash).or_insert(0);
        *count = count.saturating_add(1);
        if *count > 1 {
            return Sight::Again;
        }
        while self.counts.len() > self.limit {
            self.ceiling /= 2;
            let ceiling = self.ceiling;
            self.counts.retain(|hash, _| *hash <= ceiling);
        }
        if hash <= self.ceiling { Sight::First } else { Sight::Passed }
    }

    /// Whether every value is kept.
    pub fn is_exact(&self) -> bool {
        self.ceiling == u64::MAX
    }

    /// Values that are kept.
    pub fn kept(&self) -> u64 {
        self.counts.len() as u64
    }

    /// How many distinct values there are; where not all are kept an estimate, right to about one percent.
    pub fn distinct(&self) -> u64 {
        if self.is_exact() {
            return self.kept();
        }
        let share = self.ceiling as f64 / u64::MAX as f64;
        (self.counts.len() as f64 / share).round() as u64
    }

    /// How many of the kept values occur more than once.
    pub fn repeated(&self) -> u64 {
        self.counts.values().filter(|count| **count > 1).count() as u64
    }

    /// How often a value occurs; 0 where it is not kept.
    pub fn count(&self, hash: u64) -> u64 {
        self.counts.get(&hash).copied().unwrap_or(0).into()
    }

    /// How often the most frequent of the kept values occurs, and the next.
    pub fn two_most(&self) -> (u64, u64) {
        self.counts.values().fold((0, 0), |(first, second), count| {
            let count = u64::from(*count);
            if count > first { (count, first) } else { (first, count.max(second)) }
        })
    }

    /// How many of the values occur in `other`, as far as both would keep them.
    pub fn found_in(&self, other: &Self) -> Share {
        let ceiling = self.ceiling.min(other.ceiling);
        let mut share = Share::default();
        for (hash, count) in self.counts.iter().filter(|(hash, _)| **hash <= ceiling) {
            let found = other.counts.contains_key(hash);
            share.values += 1;
            share.rows += u64::from(*count);
            share.values_found += u64::from(found);
            share.rows_found += if found { u64::from(*count) } else { 0 };
        }
        share
    }
}

/// How much of a column was looked for elsewhere, and found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub values: u64,
    pub values_found: u64,
    pub rows: u64,
    pub rows_found: u64,
}

impl Share {
    /// Of the distinct values, 0 to 1.
    pub fn of_values(&self) -> f64 {
        if self.values == 0 { 0.0 } else { self.values_found as f64 / self.values as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(limit: usize, numbers: impl Iterator<Item = u32>) -> Sketch {
        let mut sketch = Sketch::with_limit(limit);
        numbers.for_each(|number| {
            sketch.add(hash(&number.to_string()));
        });
        sketch
    }

    #[test]
    fn below_the_limit_everything_is_exact() {
        let sketch = of(100, (0..90).chain(0..10));
        assert_eq!((sketch.is_exact(), sketch.distinct(), sketch.repeated()), (true, 90, 10));
        assert_eq!((sketch.count(hash("3")), sketch.count(hash("30")), sketch.count(hash("x"))), (2, 1, 0));
    }

    #[test]
    fn above_it_counts_are_estimated_and_every_chosen_value_is_still_counted_in_full() {
        let sketch = of(1_000, (0..50_000).chain(0..50_000));
        assert!(!sketch.is_exact() && sketch.kept() <= 1_000);
        assert!((40_000..60_000).contains(&sketch.distinct()), "{}", sketch.distinct());
        assert_eq!(sketch.repeated(), sketch.kept());
        assert_eq!(of(1_000, 0..50_000).repeated(), 0);
    }

    #[test]
    fn what_is_in_another_column_is_seen_from_two_samples() {
        let (half, all) = (of(500, 0..20_000), of(2_000, 10_000..200_000));
        let share = half.found_in(&all).of_values();
        assert!((0.35..0.65).contains(&share), "{share}");
        assert_eq!(of(500, 10_000..20_000).found_in(&all).of_values(), 1.0);
        assert_eq!(of(500, 0..9_000).found_in(&all).of_values(), 0.0);
    }
}
