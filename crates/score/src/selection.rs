//! Values at given ranks of a column that is not sorted: a histogram, and one look into the few buckets that matter.
//!
//! What the values mean, and what is cut at them, is left to `rfm` and `binning`.

use rayon::prelude::*;

/// Buckets of the histogram. Days and counts mostly differ by less, so that a bucket holds one value and no second look
/// is needed; 64 KB of counters stay within a core's own cache.
const BUCKETS: usize = 1 << 14;

/// Rows that one task reads.
pub(crate) const CHUNK: usize = 1 << 16;

/// A value of the column, and how many rows lie below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ranked {
    /// The value at the rank that was asked for.
    pub(crate) value: i128,
    /// How many rows have a smaller one.
    pub(crate) below: usize,
}

/// The value at each of `ranks`, which rise, count from 0 and stay below the number of rows.
///
/// `value` says what a row counts as; the rows are those of `0..rows`.
pub(crate) fn at_ranks(rows: usize, ranks: &[usize], value: impl Fn(usize) -> i128 + Sync) -> Vec<Ranked> {
    if rows == 0 || ranks.is_empty() {
        return Vec::new();
    }
    let buckets = Buckets::over(rows, &value);
    let counts = buckets.counts(rows, &value);
    let places = places(&counts, ranks);
    if buckets.shift == 0 {
        return places.iter().map(|place| Ranked { value: buckets.first(place.bucket), below: place.below }).collect();
    }
    let mut inside = buckets.values_within(rows, &places, &value);
    let found = ranks.iter().zip(&places).map(|(rank, place)| {
        let values = &mut inside[place.nth_bucket];
        let (below, value, _) = values.select_nth_unstable(rank - place.below);
        let value = *value;
        let below = place.below + below.iter().filter(|smaller| **smaller < value).count();
        Ranked { value, below }
    });
    found.collect()
}

/// Buckets of equal width, a power of two, from the smallest value on.
struct Buckets {
    smallest: i128,
    shift: u32,
    is_wide: bool,
}

impl Buckets {
    fn over(rows: usize, value: &(impl Fn(usize) -> i128 + Sync)) -> Self {
        let extremes = chunks(rows).map(|rows| {
            rows.map(value).fold((i128::MAX, i128::MIN), |(least, most), value| (least.min(value), most.max(value)))
        });
        let (smallest, largest) =
            extremes.reduce(|| (i128::MAX, i128::MIN), |left, right| (left.0.min(right.0), left.1.max(right.1)));
        let width = largest.wrapping_sub(smallest) as u128;
        let bits = u128::BITS - width.leading_zeros();
        Self { smallest, shift: bits.saturating_sub(BUCKETS.trailing_zeros()), is_wide: bits > u64::BITS }
    }

    /// The smallest value that falls into a bucket.
    fn first(&self, bucket: usize) -> i128 {
        self.smallest.wrapping_add(((bucket as u128) << self.shift) as i128)
    }

    fn narrow(&self, value: i128) -> usize {
        ((value as u64).wrapping_sub(self.smallest as u64) >> self.shift) as usize
    }

    fn wide(&self, value: i128) -> usize {
        ((value.wrapping_sub(self.smallest) as u128) >> self.shift) as usize
    }

    fn counts(&self, rows: usize, value: &(impl Fn(usize) -> i128 + Sync)) -> Vec<u32> {
        // Sixty-four bits subtract and shift in one instruction each; nearly all columns fit.
        if self.is_wide {
            counted(rows, |row| self.wide(value(row)))
        } else {
            counted(rows, |row| self.narrow(value(row)))
        }
    }

    /// The values in each bucket that a rank falls into, bucket by bucket.
    fn values_within(&self, rows: usize, places: &[Place], value: &(impl Fn(usize) -> i128 + Sync)) -> Vec<Vec<i128>> {
        let mut wanted = vec![0_u8; BUCKETS];
        for place in places {
            wanted[place.bucket] = place.nth_bucket as u8 + 1;
        }
        let buckets = places.last().map_or(0, |place| place.nth_bucket + 1);
        let within = |rows: std::ops::Range<usize>| {
            let mut found = vec![Vec::new(); buckets];
            for value in rows.map(value) {
                let bucket = if self.is_wide { self.wide(value) } else { self.narrow(value) };
                if wanted[bucket] > 0 {
                    found[usize::from(wanted[bucket] - 1)].push(value);
                }
            }
            found
        };
        let parts: Vec<Vec<Vec<i128>>> = chunks(rows).map(within).collect();
        (0..buckets).map(|bucket| parts.iter().flat_map(|part| part[bucket].iter().copied()).collect()).collect()
    }
}

/// Where a rank falls.
struct Place {
    bucket: usize,
    /// Which of the buckets that a rank falls into, counted from 0: two ranks may share one.
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

fn counted(rows: usize, bucket: impl Fn(usize) -> usize + Sync) -> Vec<u32> {
    let count = |rows: std::ops::Range<usize>| {
        let mut counts = vec![0_u32; BUCKETS];
        for row in rows {
            counts[bucket(row)] += 1;
        }
        counts
    };
    // Whole numbers add up to the same in any order.
    chunks(rows).map(count).reduce(
        || vec![0; BUCKETS],
        |mut left, right| {
            left.iter_mut().zip(right).for_each(|(left, right)| *left += right);
            left
        },
    )
}

/// The rows in pieces of [`CHUNK`].
pub(crate) fn chunks(rows: usize) -> impl IndexedParallelIterator<Item = std::ops::Range<usize>> {
    (0..rows.div_ceil(CHUNK)).into_par_iter().map(move |chunk| chunk * CHUNK..rows.min((chunk + 1) * CHUNK))
}
