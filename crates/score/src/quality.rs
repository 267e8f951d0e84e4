//! How good a score is: on rows that it was not learnt from, of which is known who left.
//!
//! Which rows those are is said by the caller. All sums go over the rows sorted by score, so that the order in which
//! rows arrive changes no digit.

use rayon::prelude::*;

use crate::checks::{self, both_kinds, same_length};
use crate::error::Result;

/// Standard errors on each side that 95 of 100 intervals reach.
const DEVIATIONS: f64 = 1.959_963_984_540_054;

/// The farthest that a probability goes for the logarithm: a certainty that errs costs 34.5, not infinity.
const CERTAIN: f64 = 1e-15;

/// What a score is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Quality {
    /// Rows judged.
    pub rows: u64,
    /// How many of them left.
    pub leavers: u64,
    /// See [`auc`].
    pub auc: Interval,
    /// The mean surprise in natural logarithms, 0 is best.
    pub log_loss: f64,
    /// The mean squared error of the probabilities, 0 to 1, 0 is best.
    pub brier: f64,
    /// The mean distance between the probability and the share that left, over the deciles: 0 to 1, 0 is best.
    pub calibration_error: f64,
    /// Tenths of the rows from the highest score to the lowest; fewer than ten where there are fewer rows.
    pub deciles: Vec<Decile>,
}

/// An estimate and the interval that holds the truth in 95 of 100 samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub estimate: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A tenth of the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decile {
    /// How many rows.
    pub rows: u64,
    /// How many of them left. Where rows of one score fall into two deciles, each has its share of their leavers.
    pub leavers: f64,
    /// The probability that was given on average.
    pub mean_probability: f64,
    /// The share that left.
    pub leaver_share: f64,
    /// That share over the share of all rows: 3 is three times as many as without a score.
    pub lift: f64,
}

/// Judges probabilities of leaving, one per row.
///
/// # Errors
/// [`crate::Error::Lengths`], [`crate::Error::Number`], [`crate::Error::OneClass`] where nobody left or nobody stayed.
pub fn quality(probabilities: &[f64], is_leaver: &[bool]) -> Result<Quality> {
    checks::numbers("probabilities", probabilities, "0 to 1", |probability| (0.0..=1.0).contains(&probability))?;
    let ties = Ties::of(probabilities, is_leaver)?;
    let deciles = ties.deciles();
    let rows = ties.rows();
    let apart = |decile: &Decile| decile.rows as f64 * (decile.mean_probability - decile.leaver_share).abs();
    Ok(Quality {
        rows: ties.leavers + ties.stayers,
        leavers: ties.leavers,
        auc: ties.auc(),
        log_loss: ties
            .mean(|tie| -(tie.leavers as f64 * logarithm(tie.score) + tie.stayers as f64 * logarithm(1.0 - tie.score))),
        brier: ties.mean(|tie| tie.leavers as f64 * (1.0 - tie.score).powi(2) + tie.stayers as f64 * tie.score.powi(2)),
        calibration_error: deciles.iter().map(apart).sum::<f64>() / rows,
        deciles,
    })
}

/// The probability that a leaver has a higher score than a stayer, ties counted half (Mann and Whitney's U, from whole
/// numbers), with DeLong's interval, cut at 0 and 1. With fewer than two of either, the interval is all of it.
///
/// Any finite score will do. After DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44(3).
///
/// # Errors
/// [`crate::Error::Lengths`], [`crate::Error::Number`], [`crate::Error::OneClass`].
pub fn auc(scores: &[f64], is_leaver: &[bool]) -> Result<Interval> {
    Ok(Ties::of(scores, is_leaver)?.auc())
}

fn logarithm(probability: f64) -> f64 {
    probability.clamp(CERTAIN, 1.0 - CERTAIN).ln()
}

/// The rows of one score.
#[derive(Debug, Clone, Copy)]
struct Tie {
    score: f64,
    leavers: u64,
    stayers: u64,
}

/// All rows by score, lowest first.
struct Ties {
    ties: Vec<Tie>,
    leavers: u64,
    stayers: u64,
}

impl Ties {
    fn of(scores: &[f64], is_leaver: &[bool]) -> Result<Self> {
        same_length("leavers", scores.len(), is_leaver.len())?;
        checks::finite("scores", scores)?;
        // 0 and −0 are one score.
        let mut rows: Vec<(f64, bool)> =
            scores.iter().map(|score| score + 0.0).zip(is_leaver.iter().copied()).collect();
        rows.par_sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        let ties: Vec<Tie> = rows.chunk_by(|left, right| left.0 == right.0).map(Tie::of).collect();
        let leavers = ties.iter().map(|tie| tie.leavers).sum();
        let stayers = ties.iter().map(|tie| tie.stayers).sum();
        both_kinds(leavers, stayers)?;
        Ok(Self { ties, leavers, stayers })
    }

    fn rows(&self) -> f64 {
        (self.leavers + self.stayers) as f64
    }

    fn mean(&self, of: impl Fn(&Tie) -> f64) -> f64 {
        self.ties.iter().map(of).sum::<f64>() / self.rows()
    }

    fn auc(&self) -> Interval {
        let mut below = 0_u64;
        let mut twice_above = 0_u128;
        for tie in &self.ties {
            twice_above += u128::from(tie.leavers) * (2 * u128::from(below) + u128::from(tie.stayers));
            below += tie.stayers;
        }
        let estimate = twice_above as f64 / (2.0 * self.leavers as f64 * self.stayers as f64);
        if self.leavers < 2 || self.stayers < 2 {
            return Interval { estimate, low: 0.0, high: 1.0 };
        }
        let reach = DEVIATIONS * self.auc_variance(estimate).sqrt();
        Interval { estimate, low: (estimate - reach).max(0.0), high: (estimate + reach).min(1.0) }
    }

    /// DeLong's: how much the places of the leavers among the stayers differ, and those of the stayers among the leavers.
    fn auc_variance(&self, auc: f64) -> f64 {
        let (leavers, stayers) = (self.leavers as f64, self.stayers as f64);
        let (mut stayers_below, mut leavers_below) = (0.0, 0.0);
        let (mut of_leavers, mut of_stayers) = (0.0, 0.0);
        for tie in &self.ties {
            let (its_leavers, its_stayers) = (tie.leavers as f64, tie.stayers as f64);
            let leaver_place = (stayers_below + its_stayers / 2.0) / stayers;
            let stayer_place = (leavers - leavers_below - its_leavers / 2.0) / leavers;
            of_leavers += its_leavers * (leaver_place - auc).powi(2);
            of_stayers += its_stayers * (stayer_place - auc).powi(2);
            stayers_below += its_stayers;
            leavers_below += its_leavers;
        }
        of_leavers / (leavers - 1.0) / leavers + of_stayers / (stayers - 1.0) / stayers
    }

    fn deciles(&self) -> Vec<Decile> {
        let rows = self.leavers + self.stayers;
        let share = self.leavers as f64 / self.rows();
        let end = |tenth: u64| (u128::from(rows) * u128::from(tenth) / 10) as u64;
        let mut downward = Downward { ties: &self.ties, taken: 0 };
        let sizes = (1..=10).map(|tenth| end(tenth) - end(tenth - 1)).filter(|size| *size > 0);
        sizes.map(|size| downward.decile(size, share)).collect()
    }
}

/// The rows that are not yet in a decile, highest scores last.
struct Downward<'t> {
    ties: &'t [Tie],
    /// Rows of the last tie that are.
    taken: u64,
}

impl Downward<'_> {
    fn decile(&mut self, size: u64, share: f64) -> Decile {
        let (mut leavers, mut probability, mut missing) = (0.0, 0.0, size);
        while let Some((tie, lower)) = self.ties.split_last().filter(|_| missing > 0) {
            let taken = missing.min(tie.rows() - self.taken);
            leavers += tie.leavers as f64 * (taken as f64 / tie.rows() as f64);
            probability += tie.score * taken as f64;
            missing -= taken;
            self.taken += taken;
            if self.taken == tie.rows() {
                (self.ties, self.taken) = (lower, 0);
            }
        }
        let leaver_share = leavers / size as f64;
        Decile {
            rows: size,
            leavers,
            mean_probability: probability / size as f64,
            leaver_share,
            lift: leaver_share / share,
        }
    }
}

impl Tie {
    fn of(rows: &[(f64, bool)]) -> Self {
        let leavers = rows.iter().filter(|(_, is_leaver)| *is_leaver).count() as u64;
        Self { score: rows[0].0, leavers, stayers: rows.len() as u64 - leavers }
    }

    fn rows(&self) -> u64 {
        self.leavers + self.stayers
    }
}
