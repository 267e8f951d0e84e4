//! A column of whole numbers made scores from 1 to the number of bins, the best bin highest.
//!
//! No column is sorted: cut points come from `selection`, and keys are looked at only where a cut goes through rows of
//! one and the same value. What the columns are, and that three of them make a cell, is said by `rfm`.

use std::ops::RangeInclusive;

use rayon::prelude::*;

use crate::checks;
use crate::error::{Error, Result};
use crate::selection::{CHUNK, Ordinal, Ranked, at_ranks};

/// How many bins a column can be cut into: a score is one digit, so that three of them read as a number.
pub const BINS: RangeInclusive<usize> = 2..=9;

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
    let cuts = match cutting {
        Cutting::Ntile => ntile_cuts(values, bins),
        Cutting::Quantile => quantile_cuts(values, bins),
        Cutting::Fixed(points) => points.iter().map(|point| Cut { value: *point, equal: Equal::Better }).collect(),
    };
    let (mut passed, torn) = cuts_passed(values, &cuts);
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

fn ntile_cuts<T: Ordinal>(values: &[T], bins: usize) -> Vec<Cut<T>> {
    let rows = values.len();
    let starts: Vec<usize> = (1..bins)
        .map(|bin| bin * (rows / bins) + bin.min(rows % bins))
        // With fewer rows than bins, the best bins stay empty.
        .filter(|start| *start < rows)
        .collect();
    cuts_at(values, &starts)
}

/// A cut before the row at each of `starts`, which are ranks from the worst on.
fn cuts_at<T: Ordinal>(values: &[T], starts: &[usize]) -> Vec<Cut<T>> {
    let cut = |(start, ranked): (&usize, Ranked<T>)| Cut {
        value: ranked.value,
        equal: if *start == ranked.below { Equal::Better } else { Equal::Torn(start - ranked.below) },
    };
    starts.iter().zip(at_ranks(values, starts)).map(cut).collect()
}

fn quantile_cuts<T: Ordinal>(values: &[T], bins: usize) -> Vec<Cut<T>> {
    let Some(last) = values.len().checked_sub(1) else { return Vec::new() };
    let ranks: Vec<usize> = (1..bins).map(|bin| (bin * (last + 1)).div_ceil(bins) - 1).collect();
    at_ranks(values, &ranks).iter().map(|ranked| Cut { value: ranked.value, equal: Equal::Worse }).collect()
}

fn check<T: Ordinal>(points: &[T], bins: usize) -> Result<()> {
    let rises = points.windows(2).all(|pair| pair[0] < pair[1]);
    if rises && points.len() + 1 == bins { Ok(()) } else { Err(Error::CutPoints { bins, found: points.len() }) }
}

/// The cuts that each row has passed for certain, and the rows of each value that is torn by cuts.
fn cuts_passed<T: Ordinal>(values: &[T], cuts: &[Cut<T>]) -> (Vec<u8>, Vec<Vec<u32>>) {
    let torn = torn_values(cuts);
    let of = |is_reached: bool| -> Vec<T> {
        cuts.iter().filter(|cut| (cut.equal == Equal::Better) == is_reached).map(|cut| cut.value).collect()
    };
    let (reached, exceeded) = (of(true), of(false));
    let chunks = values.par_chunks(CHUNK).enumerate();
    let parts = chunks.map(|(chunk, values)| {
        let counts = counts_of_passed(values, &reached, &exceeded);
        let rows = |torn: &T| -> Vec<u32> {
            let equal = values.iter().enumerate().filter(|(_, value)| *value == torn);
            equal.map(|(row, _)| (chunk * CHUNK + row) as u32).collect()
        };
        (counts, torn.iter().map(rows).collect::<Vec<_>>())
    });
    let parts: Vec<(Vec<u8>, Vec<Vec<u32>>)> = parts.collect();
    let rows_of = |nth: usize| parts.iter().map(|(_, rows)| rows[nth].as_slice()).collect::<Vec<_>>().concat();
    let torn = (0..torn.len()).map(rows_of).collect();
    (parts.iter().map(|(counts, _)| counts.as_slice()).collect::<Vec<_>>().concat(), torn)
}

/// For each value, how many of `reached` it is not below, and how many of `exceeded` it lies above.
///
/// Cut by cut over pieces that stay in the cache: a comparison and an addition, without a branch.
fn counts_of_passed<T: Ordinal>(values: &[T], reached: &[T], exceeded: &[T]) -> Vec<u8> {
    let mut counts = vec![0_u8; values.len()];
    for (values, counts) in values.chunks(2048).zip(counts.chunks_mut(2048)) {
        for cut in reached {
            counts.iter_mut().zip(values).for_each(|(count, value)| *count += u8::from(value >= cut));
        }
        for cut in exceeded {
            counts.iter_mut().zip(values).for_each(|(count, value)| *count += u8::from(value > cut));
        }
    }
    counts
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
/// Eight bytes of the keys are cut as if they were values; a whole key is read where these are equal.
fn passed_by_key<'k>(rows: &[u32], takes: &[usize], key: &(impl Fn(usize) -> &'k [u8] + Sync)) -> Vec<u8> {
    let beginnings = beginnings(rows, key);
    let cuts = cuts_at(&beginnings, takes);
    let (mut passed, torn) = cuts_passed(&beginnings, &cuts);
    for (mut alike, takes) in torn.into_iter().zip(self::takes(&cuts)) {
        let whole_key = |nth: &u32| (key(rows[*nth as usize] as usize), *nth);
        alike.sort_unstable_by(|left, right| whole_key(left).cmp(&whole_key(right)));
        for (place, nth) in alike.iter().enumerate() {
            passed[*nth as usize] += takes.iter().filter(|take| place >= **take).count() as u8;
        }
    }
    passed
}

/// The eight bytes behind what all keys begin with: `customer-` would settle nothing.
fn beginnings<'k>(rows: &[u32], key: &(impl Fn(usize) -> &'k [u8] + Sync)) -> Vec<u64> {
    let first = rows.first().map_or(&[][..], |row| key(*row as usize));
    let shared = |rows: &[u32]| {
        rows.iter().fold(first.len(), |shared, row| {
            let key = key(*row as usize);
            // Nearly always so; only a key that begins otherwise is read byte by byte.
            if key.starts_with(&first[..shared]) { shared } else { shared_bytes(key, first) }
        })
    };
    let shared = rows.par_chunks(CHUNK).map(shared).min().unwrap_or(0);
    rows.par_iter().map(|row| beginning(&key(*row as usize)[shared..])).collect()
}

fn shared_bytes(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}

/// Eight bytes as a number that stands among others as the bytes do; what is missing is 0.
fn beginning(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(eight) => u64::from_be_bytes(*eight),
        None => bytes.iter().rev().fold(0, |rest, byte| rest >> 8 | u64::from(*byte) << 56),
    }
}
