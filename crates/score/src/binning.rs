//! A characteristic made into few bins: numbers cut so that the evidence rises or falls, rare categories put together.
//!
//! A binning is fitted on the rows that a model learns from and applied to all others; it keeps its cut points and the
//! texts of its categories, never codes, which differ from snapshot to snapshot. What a bin says is left to `evidence`.

use std::collections::HashMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::checks::{self, first_row, is_weight, same_length};
use crate::error::{Error, Result};
use crate::selection::at_ranks;

/// The code of a row whose category is not known.
pub const UNKNOWN: u32 = u32::MAX;

/// The values of a characteristic, one per row.
#[derive(Debug, Clone, Copy)]
pub enum Values<'a> {
    /// Numbers. What is not finite is not known: NaN stands for NULL, and a division by zero says no more than that.
    Numbers(&'a [f64]),
    /// Codes of texts, [`UNKNOWN`] for NULL.
    Categories {
        /// One code per row.
        codes: &'a [u32],
        /// The text of each code, each text once.
        texts: &'a [&'a str],
    },
}

/// A characteristic of every row.
#[derive(Debug, Clone, Copy)]
pub struct Characteristic<'a> {
    /// What it is called in models and reports.
    pub name: &'a str,
    /// Its values.
    pub values: Values<'a>,
}

/// How bins are made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Bins of about equal counts that numbers are cut into first, 1 to 100.
    pub pre_bins: usize,
    /// Bins that remain of them at most, 1 or more.
    pub most_bins: usize,
    /// The share of the rows with a value that a bin of numbers holds at least, 0 to 1.
    pub minimum_share: f64,
    /// The share of all rows that a category needs to be a bin of its own, 0 to 1: 0.01 leaves no more than 100 bins.
    pub rare_share: f64,
    /// What is added to each count; see [`crate::evidence::evidence`].
    pub smoothing: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { pre_bins: 20, most_bins: 8, minimum_share: 0.05, rare_share: 0.01, smoothing: 0.5 }
    }
}

/// How the values of a characteristic become codes of bins. The last bin holds the rows whose value is not known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binning {
    /// Numbers up to and including each of these points, which rise; a bin above the last; a bin of the unknown.
    Numbers {
        /// The points.
        up_to: Vec<f64>,
    },
    /// These categories, bytewise sorted; a bin of all others, those never seen included; a bin of the unknown.
    Categories {
        /// The texts.
        kept: Vec<String>,
    },
}

/// Bins for a characteristic from rows of which is known who left.
///
/// Numbers are cut at quantiles and merged by dynamic programming to the bins of the highest information value among
/// those whose evidence rises throughout or falls throughout, each with the minimum share of rows; of equals, the one
/// with fewest bins. Where that leaves nothing to tell apart (one value, too few rows), there is one bin. A category
/// with fewer rows than the rare share joins the others.
///
/// # Errors
/// [`Error::Setting`], [`Error::Lengths`], [`Error::Code`].
pub fn fit(characteristic: Characteristic<'_>, is_leaver: &[bool], settings: Settings) -> Result<Binning> {
    settings.check()?;
    match characteristic.values {
        Values::Numbers(values) => {
            same_length("values of a characteristic", is_leaver.len(), values.len())?;
            Ok(Binning::Numbers { up_to: cut_points(values, is_leaver, settings) })
        }
        Values::Categories { codes, texts } => {
            same_length("codes of a characteristic", is_leaver.len(), codes.len())?;
            check_codes(characteristic.name, codes, texts)?;
            Ok(Binning::Categories { kept: frequent(codes, texts, settings) })
        }
    }
}

impl Binning {
    /// How many bins there are, that of the unknown included.
    pub fn bins(&self) -> usize {
        match self {
            Self::Numbers { up_to } => up_to.len() + 2,
            Self::Categories { kept } => kept.len() + 2,
        }
    }

    /// The bin of every row, below [`Binning::bins`].
    ///
    /// # Errors
    /// [`Error::Kind`] where numbers are met by a binning of categories, or the other way round; [`Error::Code`].
    pub fn codes(&self, characteristic: Characteristic<'_>) -> Result<Vec<u32>> {
        match (self, characteristic.values) {
            (Self::Numbers { up_to }, Values::Numbers(values)) => {
                Ok(values.par_iter().map(|value| number_bin(up_to, *value)).collect())
            }
            (Self::Categories { kept }, Values::Categories { codes, texts }) => {
                check_codes(characteristic.name, codes, texts)?;
                let bins = category_bins(kept, texts);
                let unknown = kept.len() as u32 + 1;
                Ok(codes.par_iter().map(|code| bins.get(*code as usize).copied().unwrap_or(unknown)).collect())
            }
            _ => Err(Error::Kind { what: characteristic.name.to_owned() }),
        }
    }
}

impl Settings {
    fn check(&self) -> Result<()> {
        let Self { pre_bins, most_bins, minimum_share, rare_share, smoothing } = *self;
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        let is_some = (1..=100).contains(&pre_bins);
        checks::setting("the number of bins before merging", is_some, "1 to 100", pre_bins as f64)?;
        checks::setting("the number of bins", most_bins >= 1, "1 or more", most_bins as f64)?;
        checks::setting("the least share of a bin", is_share(minimum_share), "0 to 1", minimum_share)?;
        checks::setting("the share of a rare category", is_share(rare_share), "0 to 1", rare_share)?;
        checks::setting("the smoothing", is_weight(smoothing), "0 or more", smoothing)
    }
}

/// All codes have texts, but for [`UNKNOWN`].
fn check_codes(name: &str, codes: &[u32], texts: &[&str]) -> Result<()> {
    let is_foreign = |row: usize| codes[row] != UNKNOWN && codes[row] as usize >= texts.len();
    match first_row(codes.len(), is_foreign) {
        Some(row) => Err(Error::Code { what: name.to_owned(), row, found: codes[row], count: texts.len() }),
        None => Ok(()),
    }
}

/// The texts of the categories with enough rows.
fn frequent(codes: &[u32], texts: &[&str], settings: Settings) -> Vec<String> {
    let mut counts = vec![0_u64; texts.len()];
    for code in codes {
        if let Some(count) = counts.get_mut(*code as usize) {
            *count += 1;
        }
    }
    // A category that no row has is none, whatever the share.
    let least = ((settings.rare_share * codes.len() as f64).ceil() as u64).max(1);
    let is_kept = |(text, count): (&&str, &u64)| (*count >= least).then(|| (*text).to_owned());
    let mut kept: Vec<String> = texts.iter().zip(&counts).filter_map(is_kept).collect();
    kept.sort_unstable();
    kept
}

/// The bin of each code of a snapshot.
fn category_bins(kept: &[String], texts: &[&str]) -> Vec<u32> {
    let bins: HashMap<&str, u32> = kept.iter().zip(0..).map(|(text, bin)| (text.as_str(), bin)).collect();
    texts.iter().map(|text| bins.get(text).copied().unwrap_or(kept.len() as u32)).collect()
}

fn number_bin(up_to: &[f64], value: f64) -> u32 {
    if !value.is_finite() {
        return up_to.len() as u32 + 1;
    }
    up_to.iter().map(|point| u32::from(value > *point)).sum()
}

fn cut_points(values: &[f64], is_leaver: &[bool], settings: Settings) -> Vec<f64> {
    let known: Vec<i64> = values.iter().filter(|value| value.is_finite()).map(|value| ordered(*value)).collect();
    let points = quantiles(&known, settings.pre_bins);
    let mut bins = vec![Bin::default(); points.len() + 1];
    for (value, is_leaver) in values.iter().zip(is_leaver).filter(|(value, _)| value.is_finite()) {
        bins[number_bin(&points, *value) as usize].add(*is_leaver);
    }
    merged(&bins, settings).into_iter().map(|last| points[last]).collect()
}

/// The values at the quantiles, each once, without the largest: above it there is nothing.
fn quantiles(known: &[i64], bins: usize) -> Vec<f64> {
    let Some(largest) = known.iter().max() else { return Vec::new() };
    let ranks: Vec<usize> = (1..bins).map(|bin| (bin * known.len()).div_ceil(bins) - 1).collect();
    let mut points: Vec<i64> = at_ranks(known, &ranks).iter().map(|ranked| ranked.value).collect();
    points.dedup();
    points.retain(|point| point < largest);
    points.into_iter().map(unordered).collect()
}

/// A whole number that stands among others as the double does; −0 is 0.
fn ordered(value: f64) -> i64 {
    let bits = (value + 0.0).to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

fn unordered(ordered: i64) -> f64 {
    f64::from_bits((ordered ^ ((ordered >> 63) as u64 >> 1) as i64) as u64)
}

/// Leavers and stayers of a bin.
#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    leavers: u64,
    stayers: u64,
}

impl Bin {
    fn add(&mut self, is_leaver: bool) {
        self.leavers += u64::from(is_leaver);
        self.stayers += u64::from(!is_leaver);
    }

    fn minus(self, other: Self) -> Self {
        Self { leavers: self.leavers - other.leavers, stayers: self.stayers - other.stayers }
    }

    fn plus(self, other: Self) -> Self {
        Self { leavers: self.leavers + other.leavers, stayers: self.stayers + other.stayers }
    }
}

/// The last of each run of bins that becomes one, without the last of all.
fn merged(bins: &[Bin], settings: Settings) -> Vec<usize> {
    let merge = Merge::of(bins, settings);
    let rising = merge.best(bins.len(), settings.most_bins, |before, after| before <= after);
    let falling = merge.best(bins.len(), settings.most_bins, |before, after| before >= after);
    let better = match (rising, falling) {
        (Some(rising), Some(falling)) if falling.information > rising.information => Some(falling),
        (rising, falling) => rising.or(falling),
    };
    better.map_or_else(Vec::new, |best| best.lasts)
}

/// What runs of bins hold together, from sums up to each bin.
struct Merge {
    before: Vec<Bin>,
    total: Bin,
    smoothing: f64,
    least_rows: u64,
}

/// Runs of bins with the highest information value.
struct Best {
    information: f64,
    lasts: Vec<usize>,
}

/// The best way to end with a run: its information, and where the run before begins.
#[derive(Debug, Clone, Copy)]
struct Way {
    information: f64,
    previous: usize,
}

impl Merge {
    fn of(bins: &[Bin], settings: Settings) -> Self {
        let mut before = vec![Bin::default()];
        before.extend(bins.iter().scan(Bin::default(), |sum, bin| {
            *sum = sum.plus(*bin);
            Some(*sum)
        }));
        let total = before[bins.len()];
        let rows = total.leavers + total.stayers;
        let least_rows = ((settings.minimum_share * rows as f64).ceil() as u64).max(1);
        Self { before, total, smoothing: settings.smoothing, least_rows }
    }

    fn run(&self, first: usize, last: usize) -> Bin {
        self.before[last + 1].minus(self.before[first])
    }

    /// Leavers to one stayer, smoothed: what the evidence rises and falls with.
    fn odds(&self, run: Bin) -> f64 {
        (run.leavers as f64 + self.smoothing) / (run.stayers as f64 + self.smoothing)
    }

    fn is_allowed(&self, run: Bin) -> bool {
        let has_evidence = self.smoothing > 0.0 || (run.leavers > 0 && run.stayers > 0);
        run.leavers + run.stayers >= self.least_rows && has_evidence
    }

    /// A run's part of the information value, but for what is the same in all ways to cut.
    fn information(&self, run: Bin) -> f64 {
        let share = |count: u64, total: u64| if total == 0 { 0.0 } else { count as f64 / total as f64 };
        let difference = share(run.leavers, self.total.leavers) - share(run.stayers, self.total.stayers);
        difference * self.odds(run).ln()
    }

    /// The best runs of which the odds are `in_order`, each compared with the next; `None` where no run is allowed.
    ///
    /// For each number of runs, the best way to end with each run of bins is kept: the order of two neighbours is all
    /// that one run must know of the one before.
    fn best(&self, bins: usize, most: usize, in_order: impl Fn(f64, f64) -> bool) -> Option<Best> {
        let mut ways = vec![self.ways_with_one(bins)];
        while ways.len() < most.min(bins) {
            let next = self.ways_with_one_more(&ways[ways.len() - 1], bins, &in_order);
            ways.push(next);
        }
        let mut best: Option<(f64, usize, usize)> = None;
        for (runs, ways) in ways.iter().enumerate() {
            for first in 0..bins {
                let Some(way) = ways[first * bins + bins - 1] else { continue };
                if best.is_none_or(|best| way.information > best.0) {
                    best = Some((way.information, runs, first));
                }
            }
        }
        best.map(|(information, runs, first)| Best { information, lasts: lasts(&ways, bins, runs, first) })
    }

    /// By the first bin of the run, then by its last.
    fn ways_with_one(&self, bins: usize) -> Vec<Option<Way>> {
        let from_first = |last: usize| {
            let run = self.run(0, last);
            self.is_allowed(run).then(|| Way { information: self.information(run), previous: 0 })
        };
        let mut ways: Vec<Option<Way>> = (0..bins).map(from_first).collect();
        ways.resize(bins * bins, None);
        ways
    }

    fn ways_with_one_more(
        &self,
        shorter: &[Option<Way>],
        bins: usize,
        in_order: &impl Fn(f64, f64) -> bool,
    ) -> Vec<Option<Way>> {
        let mut ways: Vec<Option<Way>> = vec![None; bins * bins];
        for first in 1..bins {
            for last in first..bins {
                let run = self.run(first, last);
                if !self.is_allowed(run) {
                    continue;
                }
                let (odds, information) = (self.odds(run), self.information(run));
                for previous in 0..first {
                    let Some(way) = shorter[previous * bins + first - 1] else { continue };
                    let information = way.information + information;
                    let place = &mut ways[first * bins + last];
                    if in_order(self.odds(self.run(previous, first - 1)), odds)
                        && place.is_none_or(|best| information > best.information)
                    {
                        *place = Some(Way { information, previous });
                    }
                }
            }
        }
        ways
    }
}

/// Followed back from the last run: where each of the runs before it ends.
fn lasts(ways: &[Vec<Option<Way>>], bins: usize, runs: usize, first: usize) -> Vec<usize> {
    let (mut first, mut last) = (first, bins - 1);
    let mut lasts = Vec::with_capacity(runs);
    for ways in ways[1..=runs].iter().rev() {
        let previous = ways[first * bins + last].map_or(0, |way| way.previous);
        last = first - 1;
        first = previous;
        lasts.push(last);
    }
    lasts.reverse();
    lasts
}
