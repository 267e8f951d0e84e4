//! Recency, frequency and money of every profile, each scored from 1 to the number of bins.
//!
//! The best bin has the highest score, in all three. Only profiles with a purchase are handed in; who those are is said
//! by the caller. How a column is cut is left to `ranks`, how a group is called to `groups`.

use rayon::prelude::*;

use crate::checks::same_length;
use crate::error::Result;
use crate::ranks::{Better, Cutting, scores};

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

/// How the bins of all three are cut; see [`Cutting`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method<'a> {
    /// Bins of equal counts, ties by the profile's key.
    Ntile,
    /// At the quantiles, equal values together.
    Quantile,
    /// At the points given.
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
/// [`crate::Error::Lengths`], [`crate::Error::Setting`] for bins outside [`crate::ranks::BINS`],
/// [`crate::Error::CutPoints`].
pub fn rfm<'k>(base: Base<'_>, method: Method<'_>, bins: usize, key: impl Fn(usize) -> &'k [u8] + Sync) -> Result<Rfm> {
    same_length("frequency", base.recency_days.len(), base.frequency.len())?;
    same_length("monetary", base.recency_days.len(), base.monetary.len())?;
    let (recency, frequency, monetary) = match method {
        Method::Ntile => (Cutting::Ntile, Cutting::Ntile, Cutting::Ntile),
        Method::Quantile => (Cutting::Quantile, Cutting::Quantile, Cutting::Quantile),
        Method::Fixed(points) => {
            (Cutting::Fixed(points.recency_days), Cutting::Fixed(points.frequency), Cutting::Fixed(points.monetary))
        }
    };
    let counted = || {
        rayon::join(
            || scores(base.frequency, Better::More, frequency, bins, &key),
            || scores(base.monetary, Better::More, monetary, bins, &key),
        )
    };
    // Side by side: where one column has work for one thread only, the others fill the second.
    let (r, (f, m)) = rayon::join(|| scores(base.recency_days, Better::Fewer, recency, bins, &key), counted);
    Ok(Rfm { r: r?, f: f?, m: m? })
}

impl Rfm {
    /// The three scores as one number of three digits: 543 is recency 5, frequency 4, money 3.
    pub fn cells(&self) -> Vec<u16> {
        let scores = (&self.r, &self.f, &self.m);
        let cell = |(r, f, m): (&u8, &u8, &u8)| u16::from(*r) * 100 + u16::from(*f) * 10 + u16::from(*m);
        scores.into_par_iter().map(cell).collect()
    }
}
