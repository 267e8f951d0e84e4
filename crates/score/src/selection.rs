//! Values at given ranks of a column that is not sorted: a histogram, and a look into the few buckets that matter.
//!
//! What the values mean, and what is cut at them, is left to `rfm` and `binning`.

use rayon::prelude::*;

/// Buckets of the histogram. Days and counts mostly differ by less, so that a bucket holds one value and no second look
/// is needed; 64 KB of counters stay within a core's own cache.
pub(crate) const BUCKETS: usize = 1 << 14;

/// Rows that one task reads.
pub(crate) const CHUNK: usize = 1 << 16;

/// Whole numbers that can be ranked.
pub trait Ordinal: Copy + Ord + Send + Sync {
    /// No number is smaller.
    const LEAST: Self;
    /// No number is larger.
    const MOST: Self;

    /// Its bits turned around: it keeps its place among all others, seen from the other end, and never overflows.
    fn turned(self) -> Self;

    /// How many bits its distance from the smallest number has.
    fn bits_above(self, smallest: Self) -> u32;

    /// The bucket it falls into when buckets are 2 to the power of `shift` wide.
    fn bucket(self, smallest: Self, shift: u32) -> usize;

    /// The smallest number that falls into a bucket.
    fn first_of(bucket: usize, smallest: Self, shift: u32) -> Self;
}

macro_rules! ordinal {
    ($signed:ty, $unsigned:ty) => {
        impl Ordinal for $signed {
            const LEAST: Self = Self::MIN;
            const MOST: Self = Self::MAX;

            fn turned(self) -> Self {
                !self
            }

            // The distance between any two is a number of the unsigned type, which wrapping around arrives at.
            fn bits_above(self, smallest: Self) -> u32 {
                <$unsigned>::BITS - (self.wrapping_sub(smallest) as $unsigned).leading_zeros()
            }

            fn bucket(self, smallest: Self, shift: u32) -> usize {
                ((self.wrapping_sub(smallest) as $unsigned) >> shift) as usize
            }

            fn first_of(bucket: usize, smallest: Self, shift: u32) -> Self {
                smallest.wrapping_add(((bucket as $unsigned) << shift) as $signed)
            }
        }
    };
}

ordinal!(i64, u64);
ordinal!(u64, u64);
ordinal!(i128, u128);

/// A value of the column, and how many rows lie below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ranked<T> {
    /// The value at the rank that was asked for.
    pub(crate) value: T,
    /// How many rows have a smaller one.
    pub(crate) below: usize,
}

/// The value at each of `ranks`, which rise, count from 0 and stay below the number of rows.
pub(crate) fn at_ranks<T: Ordinal>(values: &[T], ranks: &[usize]) -> Vec<Ranked<T>> {
    if values.is_empty() || ranks.is_empty() { Vec::new() } else { Buckets::over(values).at_ranks(values, ranks) }
}

/// The same for the values of one bucket: few are sorted. Many, as where one value is far from all others, are
/// distributed again over a range that is 16,384 times narrower.
fn at_ranks_within<T: Ordinal>(mut values: Vec<T>, ranks: &[usize]) -> Vec<Ranked<T>> {
    if values.len() > BUCKETS / 4 {
        return at_ranks(&values, ranks);
    }
    values.sort_unstable();
    let at =
        |rank: &usize| Ranked { value: values[*rank], below: values.partition_point(|value| *value < values[*rank]) };
    ranks.iter().map(at).collect()
}

/// Buckets of equal width, a power of two, from the smallest value on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Buckets<T> {
    smallest: T,
    largest: T,
    shift: u32,
}

impl<T: Ordinal> Buckets<T> {
    /// Buckets for some values, at least one.
    pub(crate) fn over(values: &[T]) -> Self {
        let none = || (T::MOST, T::LEAST);
        let both = |left: (T, T), right: (T, T)| (left.0.min(right.0), left.1.max(right.1));
        let extremes = |values: &[T]| values.iter().fold(none(), |found, value| both(found, (*value, *value)));
        let (smallest, largest) = values.par_chunks(CHUNK).map(extremes).reduce(none, both);
        let shift = largest.bits_above(smallest).saturating_sub(BUCKETS.trailing_zeros());
        Self { smallest, largest, shift }
    }

    /// The bucket, below [`BUCKETS`], of a value that they were made over.
    pub(crate) fn of(&self, value: T) -> usize {
        value.bucket(self.smallest, self.shift)
    }

    /// The bucket that a value would be in: in front of all, within, or behind all.
    pub(crate) fn place_of(&self, value: T) -> Within {
        if value < self.smallest {
            Within::Before
        } else if value > self.largest {
            Within::Behind
        } else {
            Within::Bucket(self.of(value))
        }
    }

    /// Whether each bucket holds one value only.
    pub(crate) fn are_single(&self) -> bool {
        self.shift == 0
    }

    /// The value at each of `ranks` of the values that they were made over.
    pub(crate) fn at_ranks(&self, values: &[T], ranks: &[usize]) -> Vec<Ranked<T>> {
        let places = places(&self.counts(values), ranks);
        if self.are_single() {
            let first = |place: &Place| T::first_of(place.bucket, self.smallest, 0);
            return places.iter().map(|place| Ranked { value: first(place), below: place.below }).collect();
        }
        let inside = self.values_within(values, &places);
        let mut found = Vec::with_capacity(ranks.len());
        for (values, nth_bucket) in inside.into_iter().zip(0..) {
            let its = places.iter().zip(ranks).filter(|(place, _)| place.nth_bucket == nth_bucket);
            let (below, its): (Vec<usize>, Vec<usize>) =
                its.map(|(place, rank)| (place.below, rank - place.below)).unzip();
            found.extend(
                at_ranks_within(values, &its)
                    .into_iter()
                    .zip(below)
                    .map(|(ranked, below)| Ranked { value: ranked.value, below: below + ranked.below }),
            );
        }
        found
    }

    fn counts(&self, values: &[T]) -> Vec<u32> {
        let count = |values: &[T]| {
            let mut counts = vec![0_u32; BUCKETS];
            values.iter().for_each(|value| counts[self.of(*value)] += 1);
            counts
        };
        // Whole numbers add up to the same in any order.
        values.par_chunks(CHUNK).map(count).reduce(
            || vec![0; BUCKETS],
            |mut left, right| {
                left.iter_mut().zip(right).for_each(|(left, right)| *left += right);
                left
            },
        )
    }

    /// The values in each bucket that a rank falls into, bucket by bucket.
    fn values_within(&self, values: &[T], places: &[Place]) -> Vec<Vec<T>> {
        let mut wanted = vec![0_u8; BUCKETS];
        for place in places {
            wanted[place.bucket] = place.nth_bucket as u8 + 1;
        }
        let buckets = places.last().map_or(0, |place| place.nth_bucket + 1);
        let within = |values: &[T]| {
            let mut found = vec![Vec::new(); buckets];
            for value in values {
                let nth = wanted[self.of(*value)];
                if nth > 0 {
                    found[usize::from(nth - 1)].push(*value);
                }
            }
            found
        };
        let parts: Vec<Vec<Vec<T>>> = values.par_chunks(CHUNK).map(within).collect();
        let whole = |bucket: usize| parts.iter().map(|part| part[bucket].as_slice()).collect::<Vec<_>>().concat();
        (0..buckets).map(whole).collect()
    }
}

/// Where a value lies among buckets that were made over others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    /// Below all of them.
    Before,
    /// In one.
    Bucket(usize),
    /// Above all of them.
    Behind,
}

/// Where a rank falls.
struct Place {
    bucket: usize,
    /// Which of the buckets that ranks fall into, counted from 0: two ranks may share one.
    nth_bucket: usize,
    /// Rows in the buckets before.
    below: usize,
}

fn places(counts: &[u32], ranks: &[usize]) -> Vec<Place> {
    let (mut bucket, mut below, mut buckets) = (0, 0, 0);
    let mut places: Vec<Place> = Vec::with_capacity(ranks.len());
    for rank in ranks {
        while below + counts[bucket] as usize <= *rank {
            below += counts[bucket] as usize;
            bucket += 1;
        }
        if places.last().is_none_or(|place| place.bucket != bucket) {
            buckets += 1;
        }
        places.push(Place { bucket, nth_bucket: buckets - 1, below });
    }
    places
}
