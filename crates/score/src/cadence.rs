//! The rhythm in which a profile buys, or visits, and the day on which it has been silent for too long.
//!
//! The same functions serve purchases and, for profiles that never bought, visits: what counts is said by the caller,
//! who also turns days into instants of the workspace's zone.

use rayon::prelude::*;

use crate::checks::{self, first_row, is_positive, same_length};
use crate::error::{Error, Result};
use crate::selection::at_ranks;

/// When things happened to each profile: one entry per profile in every slice, in the order of the caller.
#[derive(Debug, Clone, Copy)]
pub struct Occurrences<'a> {
    /// How many there are. Where it is 0 or less, the days of that profile are not looked at.
    pub counts: &'a [i64],
    /// The day of the first, in days since 1970-01-01.
    pub first_days: &'a [i32],
    /// The day of the last, in days since 1970-01-01.
    pub last_days: &'a [i32],
}

/// Occurrences of several kinds, gathered one kind after the other: visits and clicks of who never bought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gathered {
    counts: Vec<i64>,
    first_days: Vec<i32>,
    last_days: Vec<i32>,
}

impl Gathered {
    /// Nothing happened yet to any of so many profiles.
    pub fn nothing(profiles: usize) -> Self {
        Self { counts: vec![0; profiles], first_days: vec![0; profiles], last_days: vec![0; profiles] }
    }

    /// So many happened to the profile at a place, between these days; 0 or less says nothing.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn add(&mut self, profile: usize, count: i64, first_day: i32, last_day: i32) {
        if count <= 0 {
            return;
        }
        let is_first = self.counts[profile] == 0;
        let (first, last) = (&mut self.first_days[profile], &mut self.last_days[profile]);
        *first = if is_first { first_day } else { first_day.min(*first) };
        *last = if is_first { last_day } else { last_day.max(*last) };
        self.counts[profile] += count;
    }

    /// All of them together.
    pub fn occurrences(&self) -> Occurrences<'_> {
        Occurrences { counts: &self.counts, first_days: &self.first_days, last_days: &self.last_days }
    }
}

/// The rhythm of each profile, in the order in which the profiles were given.
#[derive(Debug, Clone, PartialEq)]
pub struct Cadence {
    /// Days from the first to the last, 0 or more; `None` without any.
    pub span_days: Vec<Option<i64>>,
    /// `span_days / (count − 1)`, 0 or more; `None` below two.
    pub mean_gap_days: Vec<Option<f64>>,
    /// Days from the last until the day as of which is asked; negative where the last is dated later; `None` without any.
    pub days_since_last: Vec<Option<i64>>,
}

/// The cadence of every profile as of a day.
///
/// # Errors
/// [`Error::Lengths`] where the slices differ in length, [`Error::FirstAfterLast`] where a profile's days are turned
/// around.
pub fn cadence(occurrences: Occurrences<'_>, as_of: i32) -> Result<Cadence> {
    occurrences.check()?;
    Ok(Cadence {
        span_days: occurrences.each(|_, first, last| Some(days_between(first, last))),
        mean_gap_days: occurrences.each(mean_gap_days),
        days_since_last: occurrences.each(|_, _, last| Some(days_between(last, as_of))),
    })
}

/// The value of a profile's purchase on average, in the unit of `totals`; `None` without a purchase.
///
/// Rounded to the nearest unit, halves away from zero, as SQL rounds decimals: 5 of three purchases is 2, −5 of two is −3.
///
/// # Errors
/// [`Error::Lengths`] where the slices differ in length.
pub fn mean_values(totals: &[i128], counts: &[i64]) -> Result<Vec<Option<i128>>> {
    same_length("counts", totals.len(), counts.len())?;
    let mean = |(total, count): (&i128, &i64)| (*count > 0).then(|| rounded_quotient(*total, i128::from(*count)));
    Ok(totals.par_iter().zip(counts).map(mean).collect())
}

/// The median of the mean gaps of those who came back on another day; `None` where nobody did.
///
/// A gap of 0 counts as no gap: who buys twice on one day is a one-time buyer. Of an even number of gaps it is the mean
/// of the middle two, as SQL's `median`. Gaps that are no finite number are left out.
pub fn median_gap_days(mean_gap_days: &[Option<f64>]) -> Option<f64> {
    let gaps = mean_gap_days.iter().flatten().filter(|gap| is_positive(**gap));
    // The bits of positive doubles stand in the order of the doubles.
    let gaps: Vec<u64> = gaps.map(|gap| gap.to_bits()).collect();
    let last = gaps.len().checked_sub(1)?;
    let found = at_ranks(&gaps, &[last / 2, last.div_ceil(2)]);
    let [lower, upper] = [found[0], found[1]].map(|ranked| f64::from_bits(ranked.value));
    Some(lower + (upper - lower) / 2.0)
}

/// The first day on which a profile has been silent for longer than `multiple` of its mean gap.
///
/// That is the first whole day on which `days_since_last > multiple · mean_gap_days` holds, in doubles. One-time buyers
/// (no gap, or a gap of 0) are measured by `median_gap_days`, that of the base. `None` where nothing happened, where
/// neither gap is known, and where the day lies beyond the days that an i32 can count.
///
/// # Errors
/// [`Error::Setting`] where `multiple` is not a positive number, [`Error::Lengths`] where the slices differ in length.
pub fn due_days(
    occurrences: Occurrences<'_>,
    mean_gap_days: &[Option<f64>],
    multiple: f64,
    median_gap_days: Option<f64>,
) -> Result<Vec<Option<i32>>> {
    occurrences.check()?;
    same_length("mean_gap_days", occurrences.counts.len(), mean_gap_days.len())?;
    checks::setting("the multiple of the mean gap", is_positive(multiple), "above 0", multiple)?;
    let due = |row: usize| {
        let own = mean_gap_days[row].filter(|gap| is_positive(*gap));
        let gap = own.or(median_gap_days.filter(|gap| is_positive(*gap)))?;
        (occurrences.counts[row] > 0).then_some(())?;
        day_after_silence(occurrences.last_days[row], multiple * gap)
    };
    Ok((0..mean_gap_days.len()).into_par_iter().map(due).collect())
}

impl Occurrences<'_> {
    fn check(&self) -> Result<()> {
        same_length("first_days", self.counts.len(), self.first_days.len())?;
        same_length("last_days", self.counts.len(), self.last_days.len())?;
        let is_turned = |row: usize| self.counts[row] > 0 && self.first_days[row] > self.last_days[row];
        match first_row(self.counts.len(), is_turned) {
            Some(row) => Err(Error::FirstAfterLast { row, first: self.first_days[row], last: self.last_days[row] }),
            None => Ok(()),
        }
    }

    /// What `measure` says of the count, the first and the last day of each profile to which something happened.
    fn each<T: Send>(&self, measure: impl Fn(i64, i32, i32) -> Option<T> + Sync) -> Vec<Option<T>> {
        let rows = (self.counts, self.first_days, self.last_days);
        rows.into_par_iter()
            .map(|(count, first, last)| if *count > 0 { measure(*count, *first, *last) } else { None })
            .collect()
    }
}

fn days_between(first: i32, last: i32) -> i64 {
    i64::from(last) - i64::from(first)
}

fn mean_gap_days(count: i64, first: i32, last: i32) -> Option<f64> {
    (count > 1).then(|| days_between(first, last) as f64 / (count - 1) as f64)
}

fn day_after_silence(last: i32, silence_days: f64) -> Option<i32> {
    let day = f64::from(last) + silence_days.floor() + 1.0;
    (day <= f64::from(i32::MAX)).then_some(day as i32)
}

/// Halves away from zero. The divisor is positive.
fn rounded_quotient(dividend: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    // The rest is smaller than a count, so that twice of it cannot overflow.
    if 2 * rest.abs() >= divisor { quotient + dividend.signum() } else { quotient }
}
