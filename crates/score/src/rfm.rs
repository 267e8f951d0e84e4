//! Recency, frequency and money, each scored from 1 to the number of bins, and the named group that follows.
//!
//! The best bin has the highest score, in all three. Only profiles with a purchase are handed in; who those are, and
//! how a group is called, is said by the caller. No column is sorted: cut points come from `selection`, and keys are
//! looked at only where a cut goes through profiles of one and the same value.

use std::ops::RangeInclusive;

use rayon::prelude::*;

use crate::error::{Error, Result, same_length};
use crate::selection::{CHUNK, Ordinal, Ranked, at_ranks};

/// How many bins a column can be cut into: a score is one digit, so that a cell reads as `543`.
pub const BINS: RangeInclusive<usize> = 2..=9;

/// What is ranked: one entry per profile in every slice, in the order of the caller.
#[derive(Debug, Clone, Copy)]
pub struct Base<'a> {
    /// Days since the last purchase; fewer is better.
    pub recency_days: &'a [i64],
    /// Purchases; more is better.
    pub frequency: &'a [i64],
    /// Value of the purchases in the smallest unit of money, negative where more was returned; more is better.
    pub monetary: &'a [i128],
}

/// How the bins are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method<'a> {
    /// Bins of equal counts by rank from worst to best, ties by the profile's key, bytewise: SQL's
    /// `NTILE(bins) OVER (ORDER BY value, key)`. Where the count does not divide, the worst bins have one more.
    Ntile,
    /// Cut at the quantiles (SQL's `PERCENTILE_DISC` from worst to best); equal values share a bin, the worse one when
    /// they lie on a cut. Where one value spans several quantiles, the bins between stay empty.
    Quantile,
    /// Cut at the points given; a value on a point belongs to the better bin.
    Fixed(CutPoints<'a>),
}

/// One cut point fewer than bins for each column, rising, in the column's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutPoints<'a> {
    /// At most so many days for a better bin.
    pub recency_days: &'a [i64],
    /// At least so many purchases for a better bin.
    pub frequency: &'a [i64],
    /// At least so much money for a better bin.
    pub monetary: &'a [i128],
}

/// The scores of each profile, from 1 to the number of bins, highest best.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rfm {
    /// Recency.
    pub r: Vec<u8>,
    /// Frequency.
    pub f: Vec<u8>,
    /// Money.
    pub m: Vec<u8>,
}

/// Scores every profile of the base. One customer alone is in bin 1, as SQL has it; no profiles give no scores.
///
/// `key` is the key of the profile at a place, which is unlike that of all others (equal keys go by place).
///
/// # Errors
/// [`Error::Lengths`], [`Error::Setting`] for bins outside [`BINS`], [`Error::CutPoints`].
pub fn rfm<'k>(base: Base<'_>, method: Method<'_>, bins: usize, key: impl Fn(usize) -> &'k [u8] + Sync) -> Result<Rfm> {
    same_length("frequency", base.recency_days.len(), base.frequency.len())?;
    same_length("monetary", base.recency_days.len(), base.monetary.len())?;
    let given = match method {
        Method::Fixed(points) => Some(points),
        Method::Ntile | Method::Quantile => None,
    };
    let (recency, (frequency, monetary)) = (
        cutting(method, given.map(|points| points.recency_days)),
        (cutting(method, given.map(|points| points.frequency)), cutting(method, given.map(|points| points.monetary))),
    );
    // Side by side: what one column does alone, such as to select within a bucket, another fills.
    let (r, (f, m)) = rayon::join(
        || scores(base.recency_days, Better::Fewer, recency, bins, &key),
        || {
            rayon::join(
                || scores(base.frequency, Better::More, frequency, bins, &key),
                || scores(base.monetary, Better::More, monetary, bins, &key),
            )
        },
    );
    Ok(Rfm { r: r?, f: f?, m: m? })
}

fn cutting<'a, T>(method: Method<'_>, given: Option<&'a [T]>) -> Cutting<'a, T> {
    match (method, given) {
        (_, Some(points)) => Cutting::Fixed(points),
        (Method::Quantile, None) => Cutting::Quantile,
        (_, None) => Cutting::Ntile,
    }
}

impl Rfm {
    /// The three scores as one number of three digits: 543 is recency 5, frequency 4, money 3.
    pub fn cells(&self) -> Vec<u16> {
        self.map(|r, f, m| u16::from(r) * 100 + u16::from(f) * 10 + u16::from(m))
    }

    /// The place of the first rule that holds for each profile; `None` where no rule does.
    pub fn groups(&self, rules: &[GroupRule]) -> Vec<Option<usize>> {
        let most = *BINS.end() as u8 + 1;
        let cells = usize::from(most).pow(3);
        let score = |cell: usize, place: u32| (cell / usize::from(most).pow(place) % usize::from(most)) as u8;
        let first =
            |cell: usize| rules.iter().position(|rule| rule.holds_for(score(cell, 2), score(cell, 1), score(cell, 0)));
        // A thousand cells are looked up once, and not the rules for each of a million profiles.
        let firsts: Vec<Option<usize>> = (0..cells).map(first).collect();
        self.map(|r, f, m| firsts[(usize::from(r) * 10 + usize::from(f)) * 10 + usize::from(m)])
    }

    fn map<T: Send>(&self, of: impl Fn(u8, u8, u8) -> T + Sync) -> Vec<T> {
        let scores = (&self.r, &self.f, &self.m);
        scores.into_par_iter().map(|(r, f, m)| of(*r, *f, *m)).collect()
    }
}

/// A named group: the profiles whose three scores all lie within.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRule {
    /// What the group is called.
    pub label: String,
    /// Scores of recency.
    pub r: RangeInclusive<u8>,
    /// Scores of frequency.
    pub f: RangeInclusive<u8>,
    /// Scores of money.
    pub m: RangeInclusive<u8>,
}

impl GroupRule {
    fn holds_for(&self, r: u8, f: u8, m: u8) -> bool {
        self.r.contains(&r) && self.f.contains(&f) && self.m.contains(&m)
    }
}

/// The ten groups for five bins, of which the first that holds counts. Together they hold for all 125 cells.
///
/// Money tells apart only the best buyers of now (champions) and of then (can't lose).
pub fn default_groups() -> Vec<GroupRule> {
    let rule = |label: &str, r, f, m| GroupRule { label: label.to_owned(), r, f, m };
    vec![
        rule("champions", 4..=5, 4..=5, 4..=5),
        rule("can't lose", 1..=2, 4..=5, 4..=5),
        rule("loyal", 3..=5, 4..=5, 1..=5),
        rule("new", 4..=5, 1..=1, 1..=5),
        rule("potential", 4..=5, 2..=3, 1..=5),
        rule("needs attention", 3..=3, 3..=3, 1..=5),
        rule("about to sleep", 3..=3, 1..=2, 1..=5),
        rule("at risk", 1..=2, 3..=5, 1..=5),
        rule("hibernating", 2..=2, 1..=2, 1..=5),
        rule("lost", 1..=1, 1..=2, 1..=5),
    ]
}

/// Which end of a column is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// The smallest values.
    Fewer,
    /// The largest values.
    More,
}

/// How one column is cut; see [`Method`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cutting<'a, T> {
    /// Equal counts, ties by key.
    Ntile,
    /// At the quantiles, equal values together.
    Quantile,
    /// At points that rise, one fewer than bins.
    Fixed(&'a [T]),
}

/// The score of every row of one column, from 1 to `bins`, highest best.
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
    if !BINS.contains(&bins) {
        return Err(Error::Setting { what: "the number of bins", expected: "2 to 9", found: bins as f64 });
    }
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
