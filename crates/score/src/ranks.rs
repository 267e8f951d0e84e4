//! A column of whole numbers made scores from 1 to the number of bins, the best bin highest.
//!
//! No column is sorted: cut points come from `selection`, and keys are looked at only where a cut goes through rows of
//! one and the same value. What the columns are, and that three of them make a cell, is said by `rfm`.

use std::ops::RangeInclusive;

use rayon::prelude::*;

use crate::checks;
use crate::error::{Error, Result};
use crate::selection::{BUCKETS, Buckets, CHUNK, Ordinal, Ranked, Within};

/// How many bins a column can be cut into: a score is one digit, so that three of them read as a number.
pub const BINS: RangeInclusive<usize> = 2..=9;

/// Keys that one task reads.
const KEYS_OF_A_TASK: usize = 1 << 12;
/// Keys that are waited for together.
const KEYS_AT_ONCE: usize = 64;

/// Said of a bucket that a cut goes through.
const UNDECIDED: u8 = u8::MAX;

/// Which end of a column is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// The smallest values.
    Fewer,
    /// The largest values.
    More,
}

/// How a column is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cutting<'a, T> {
    /// Bins of equal counts by rank from worst to best, ties by the profile's key, bytewise: SQL's
    /// `NTILE(bins) OVER (ORDER BY value, key)`. Where the count does not divide, the worst bins have one more.
    Ntile,
    /// Cut at the quantiles (SQL's `PERCENTILE_DISC` from worst to best); equal values share a bin, the worse one when
    /// they lie on a cut. Where one value spans several quantiles, the bins between stay empty.
    Quantile,
    /// Cut at the points given, which rise and are one fewer than bins; a value on a point belongs to the better bin.
    Fixed(&'a [T]),
}

/// The score of every row of a column, from 1 to `bins`, highest best.
///
/// One row alone is in bin 1, as SQL has it; no rows give no scores. `key` is the key of the profile at a place, which
/// is unlike that of all others (equal keys go by place).
///
/// # Errors
/// [`Error::Setting`] for bins outside [`BINS`], [`Error::CutPoints`] where the points given are not one fewer or do
/// not rise.
pub fn scores<'k, T: Ordinal>(
    values: &[T],
    better: Better,
    cutting: Cutting<'_, T>,
    bins: usize,
    key: impl Fn(usize) -> &'k [u8] + Sync,
) -> Result<Vec<u8>> {
    checks::setting("the number of bins", BINS.contains(&bins), "2 to 9", bins as f64)?;
    if let Cutting::Fixed(points) = cutting {
        check(points, bins)?;
    }
    if better == Better::More {
        return Ok(scores_of(values, cutting, bins, key));
    }
    let turned = values.par_iter().map(|value| value.turned()).collect::<Vec<T>>();
    Ok(match cutting {
        Cutting::Fixed(points) => {
            let points: Vec<T> = points.iter().rev().map(|point| point.turned()).collect();
            scores_of(&turned, Cutting::Fixed(&points), bins, key)
        }
        Cutting::Ntile | Cutting::Quantile => scores_of(&turned, cutting, bins, key),
    })
}

/// Scores of values of which more is better.
fn scores_of<'k, T: Ordinal>(
    values: &[T],
    cutting: Cutting<'_, T>,
    bins: usize,
    key: impl Fn(usize) -> &'k [u8] + Sync,
) -> Vec<u8> {
    if values.is_empty() {
        return Vec::new();
    }
    let buckets = Buckets::over(values);
    let cuts = match cutting {
        Cutting::Ntile => cuts_at(values, &buckets, &ntile_starts(values.len(), bins)),
        Cutting::Quantile => quantile_cuts(values, &buckets, bins),
        Cutting::Fixed(points) => points.iter().map(|point| Cut { value: *point, equal: Equal::Better }).collect(),
    };
    let (mut passed, torn) = cuts_passed(values, &buckets, &cuts);
    for (rows, takes) in torn.iter().zip(takes(&cuts)) {
        let further = passed_by_key(rows, &takes, &key);
        rows.iter().zip(further).for_each(|(row, further)| passed[*row as usize] += further);
    }
    passed.iter_mut().for_each(|passed| *passed += 1);
    passed
}

/// Where a better bin begins.
#[derive(Debug, Clone, Copy)]
struct Cut<T> {
    value: T,
    equal: Equal,
}

/// On which side of a cut the rows lie whose value is that of the cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Equal {
    Better,
    Worse,
    /// The cut tears them apart: so many are worse, the first by key.
    Torn(usize),
}

/// The ranks at which better bins begin.
fn ntile_starts(rows: usize, bins: usize) -> Vec<usize> {
    (1..bins)
        .map(|bin| bin * (rows / bins) + bin.min(rows % bins))
        // With fewer rows than bins, the best bins stay empty.
        .filter(|start| *start < rows)
        .collect()
}

/// A cut before the row at each of `starts`, which are ranks from the worst on.
fn cuts_at<T: Ordinal>(values: &[T], buckets: &Buckets<T>, starts: &[usize]) -> Vec<Cut<T>> {
    let cut = |(start, ranked): (&usize, Ranked<T>)| Cut {
        value: ranked.value,
        equal: if *start == ranked.below { Equal::Better } else { Equal::Torn(start - ranked.below) },
    };
    starts.iter().zip(buckets.at_ranks(values, starts)).map(cut).collect()
}

fn quantile_cuts<T: Ordinal>(values: &[T], buckets: &Buckets<T>, bins: usize) -> Vec<Cut<T>> {
    let ranks: Vec<usize> = (1..bins).map(|bin| (bin * values.len()).div_ceil(bins) - 1).collect();
    let ranked = buckets.at_ranks(values, &ranks);
    ranked.iter().map(|ranked| Cut { value: ranked.value, equal: Equal::Worse }).collect()
}

fn check<T: Ordinal>(points: &[T], bins: usize) -> Result<()> {
    let rises = points.windows(2).all(|pair| pair[0] < pair[1]);
    if rises && points.len() + 1 == bins { Ok(()) } else { Err(Error::CutPoints { bins, found: points.len() }) }
}

/// The cuts that each row has passed for certain, and the rows of each value that is torn by cuts.
fn cuts_passed<T: Ordinal>(values: &[T], buckets: &Buckets<T>, cuts: &[Cut<T>]) -> (Vec<u8>, Vec<Vec<u32>>) {
    let (codes, torn) = (passed_by_bucket(buckets, cuts), torn_values(cuts));
    let chunks = values.par_chunks(CHUNK).enumerate();
    let parts = chunks.map(|(chunk, values)| {
        let mut passed: Vec<u8> = values.iter().map(|value| codes[buckets.of(*value) % BUCKETS]).collect();
        let mut rows = vec![Vec::new(); torn.len()];
        for row in undecided(&passed) {
            let value = values[row];
            passed[row] = cuts.iter().filter(|cut| cut.is_passed_by(value)).count() as u8;
            if let Some(nth) = torn.iter().position(|torn| *torn == value) {
                rows[nth].push((chunk * CHUNK + row) as u32);
            }
        }
        (passed, rows)
    });
    let parts: Vec<(Vec<u8>, Vec<Vec<u32>>)> = parts.collect();
    let rows_of = |nth: usize| parts.iter().map(|(_, rows)| rows[nth].as_slice()).collect::<Vec<_>>().concat();
    let torn = (0..torn.len()).map(rows_of).collect();
    (parts.iter().map(|(passed, _)| passed.as_slice()).collect::<Vec<_>>().concat(), torn)
}

/// How many cuts the values of each bucket have passed, or [`UNDECIDED`].
///
/// A look into this table is a third of the work of comparing with four cuts, which for numbers of 64 bits and more is
/// not done side by side.
fn passed_by_bucket<T: Ordinal>(buckets: &Buckets<T>, cuts: &[Cut<T>]) -> Box<[u8; BUCKETS]> {
    let mut passed = Box::new([0; BUCKETS]);
    let mut undecided = Vec::new();
    for cut in cuts {
        let first = match (buckets.place_of(cut.value), cut.equal) {
            (Within::Before, _) => 0,
            (Within::Behind, _) => BUCKETS,
            (Within::Bucket(bucket), Equal::Better) if buckets.are_single() => bucket,
            (Within::Bucket(bucket), Equal::Worse) if buckets.are_single() => bucket + 1,
            (Within::Bucket(bucket), _) => {
                undecided.push(bucket);
                bucket
            }
        };
        passed[first..].iter_mut().for_each(|passed| *passed += 1);
    }
    undecided.into_iter().for_each(|bucket| passed[bucket] = UNDECIDED);
    passed
}

/// The places of the rows whose bucket does not decide.
fn undecided(passed: &[u8]) -> Vec<usize> {
    passed.iter().enumerate().filter(|(_, passed)| **passed == UNDECIDED).map(|(row, _)| row).collect()
}

impl<T: Ordinal> Cut<T> {
    /// Whether a value lies beyond for certain.
    fn is_passed_by(&self, value: T) -> bool {
        if self.equal == Equal::Better { value >= self.value } else { value > self.value }
    }
}

/// The values that cuts go through, each once.
fn torn_values<T: Ordinal>(cuts: &[Cut<T>]) -> Vec<T> {
    let mut values: Vec<T> =
        cuts.iter().filter(|cut| matches!(cut.equal, Equal::Torn(_))).map(|cut| cut.value).collect();
    values.dedup();
    values
}

/// For each value that cuts go through, how many of its rows lie before each of these cuts.
fn takes<T: Ordinal>(cuts: &[Cut<T>]) -> Vec<Vec<usize>> {
    let of = |value: &T| {
        let taken = |cut: &Cut<T>| match cut.equal {
            Equal::Torn(take) if cut.value == *value => Some(take),
            _ => None,
        };
        cuts.iter().filter_map(taken).collect()
    };
    torn_values(cuts).iter().map(of).collect()
}

/// How many of the cuts before `takes`, which rise, each of the rows passes in the order of the keys.
///
/// Rows often stand in the order of their keys; else eight bytes of the keys are cut as if they were values, and a whole
/// key is read where these are equal.
fn passed_by_key<'k>(rows: &[u32], takes: &[usize], key: &(impl Fn(usize) -> &'k [u8] + Sync)) -> Vec<u8> {
    let beginnings = beginnings(rows, key);
    if beginnings.windows(2).all(|pair| pair[0] < pair[1]) {
        return (0..rows.len()).map(|place| passed_at(place, takes)).collect();
    }
    let buckets = Buckets::over(&beginnings);
    let cuts = cuts_at(&beginnings, &buckets, takes);
    let (mut passed, torn) = cuts_passed(&beginnings, &buckets, &cuts);
    for (mut alike, takes) in torn.into_iter().zip(self::takes(&cuts)) {
        let whole_key = |nth: &u32| (key(rows[*nth as usize] as usize), *nth);
        alike.sort_unstable_by(|left, right| whole_key(left).cmp(&whole_key(right)));
        for (place, nth) in alike.iter().enumerate() {
            passed[*nth as usize] += passed_at(place, &takes);
        }
    }
    passed
}

fn passed_at(place: usize, takes: &[usize]) -> u8 {
    takes.iter().filter(|take| place >= **take).count() as u8
}

/// The eight bytes behind what all keys begin with: `customer-` would settle nothing.
fn beginnings<'k>(rows: &[u32], key: &(impl Fn(usize) -> &'k [u8] + Sync)) -> Vec<u64> {
    let Some(first) = rows.first().map(|row| key(*row as usize)) else { return Vec::new() };
    let shared_of = |shared: usize, row: &u32| {
        let key = key(*row as usize);
        // Nearly always so; only a key that begins otherwise is read byte by byte.
        if key.starts_with(&first[..shared]) { shared } else { shared_bytes(key, first) }
    };
    let behind = |shared: usize| -> Option<Vec<u64>> {
        let parts: Option<Vec<Vec<u64>>> =
            rows.par_chunks(KEYS_OF_A_TASK).map(|rows| beginnings_behind(&first[..shared], rows, key)).collect();
        Some(parts?.concat())
    };
    // What a few share is taken for what all do, and mostly it is: then every key is read once.
    let of_a_few = rows.iter().step_by(rows.len().div_ceil(16)).chain(rows.last()).fold(first.len(), shared_of);
    behind(of_a_few).or_else(|| behind(rows.iter().fold(of_a_few, shared_of))).unwrap_or_default()
}

/// The eight bytes behind `shared`, or `None` where a key does not begin so.
///
/// Keys lie anywhere in memory. So that waiting for one is waiting for many, it is first asked where they are, then for
/// their bytes, and then whether these are the right ones.
fn beginnings_behind<'k>(shared: &[u8], rows: &[u32], key: &impl Fn(usize) -> &'k [u8]) -> Option<Vec<u64>> {
    let (mut beginnings, mut keys) = (Vec::with_capacity(rows.len()), [&[][..]; KEYS_AT_ONCE]);
    for rows in rows.chunks(KEYS_AT_ONCE) {
        let keys = &mut keys[..rows.len()];
        keys.iter_mut().zip(rows).for_each(|(place, row)| *place = key(*row as usize));
        beginnings.extend(keys.iter().map(|key| beginning(key, shared.len())));
        if !keys.iter().all(|key| key.starts_with(shared)) {
            return None;
        }
    }
    Some(beginnings)
}

fn shared_bytes(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}

/// The eight bytes of a key from a place on, as a number that stands among others as the bytes do; what is missing is 0.
#[inline]
fn beginning(key: &[u8], from: usize) -> u64 {
    let bytes = key.get(from..).unwrap_or_default();
    match (bytes.first_chunk(), key.last_chunk()) {
        (Some(eight), _) => u64::from_be_bytes(*eight),
        // Fewer than eight are the last of the key's last eight.
        (None, Some(eight)) if !bytes.is_empty() => u64::from_be_bytes(*eight) << (64 - 8 * bytes.len()),
        _ => bytes.iter().rev().fold(0, |rest, byte| rest >> 8 | u64::from(*byte) << 56),
    }
}
