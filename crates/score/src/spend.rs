//! What customers spend per purchase: Gamma-Gamma.
//!
//! Each customer's purchases scatter around a mean of their own, and the means scatter over customers; a customer's
//! observed mean is drawn towards that of the base, the more the fewer purchases it comes from (Fader and Hardie 2013,
//! "The Gamma-Gamma Model of Monetary Value"). How many purchases will come is said by [`crate::alive`].

use rayon::prelude::*;
use statrs::function::gamma::{digamma, ln_gamma};

use crate::checks::{first_row, is_positive};
use crate::descent::{REACH, lowest};
use crate::error::{Error, Result};

/// Customers that are summed as one block: sums do not depend on who sums them.
const BLOCK: usize = 4096;

/// What Gamma-Gamma must know of a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spending {
    /// Purchases that the mean comes from: those after the first, where BG/NBD goes beside.
    pub purchases: u32,
    /// Mean value of these purchases, in any one unit of money.
    pub mean: f64,
}

/// The parameters of Gamma-Gamma: a purchase is gamma(`p`, ν), and ν is gamma(`q`, `v`) over customers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GammaGamma {
    /// Shape of a customer's purchases.
    pub p: f64,
    /// Shape of the rates over customers.
    pub q: f64,
    /// Inverse scale of these rates, in the unit of money.
    pub v: f64,
}

/// A fitted model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// The likeliest parameters.
    pub model: GammaGamma,
    /// Natural logarithm of their likelihood.
    pub log_likelihood: f64,
    /// Customers that it was fitted on: those with a purchase and a mean above 0.
    pub customers: usize,
}

/// The parameters under which the spendings are likeliest.
///
/// Customers without a counted purchase, or whose mean is 0 or negative (gifts, returns), tell the model nothing and are
/// left out.
///
/// # Errors
/// [`Error::Number`] where a mean is infinite or no number; [`Error::NobodyReturned`] where nobody is left;
/// [`Error::Undetermined`] where the likelihood has no maximum, as for a single customer, or where all spend the same.
pub fn fit(spendings: &[Spending]) -> Result<Fit> {
    if let Some(row) = first_row(spendings.len(), |row| !spendings[row].mean.is_finite()) {
        return Err(Error::Number { what: "mean", row, expected: "a finite amount", found: spendings[row].mean });
    }
    let mut telling: Vec<Spending> = spendings.iter().copied().filter(Spending::tells).collect();
    if telling.is_empty() {
        return Err(Error::NobodyReturned { model: "Gamma-Gamma" });
    }
    telling.par_sort_unstable_by(|one, other| {
        (one.purchases, one.mean).partial_cmp(&(other.purchases, other.mean)).unwrap_or(std::cmp::Ordering::Equal)
    });
    let customers = telling.len();
    let mean = telling.iter().map(|spending| spending.mean).sum::<f64>() / customers as f64;
    let lowest = lowest([0.0, 0.5, mean.ln()], REACH, |logs| {
        let (value, slope) = of_sorted(logs.map(f64::exp), &telling);
        let count = customers as f64;
        (-value / count, std::array::from_fn(|place| -slope[place] * logs[place].exp() / count))
    })
    .map_err(|iterations| Error::Undetermined { model: "Gamma-Gamma", iterations })?;
    let [p, q, v] = lowest.at.map(f64::exp);
    Ok(Fit { model: GammaGamma { p, q, v }, log_likelihood: -lowest.value * customers as f64, customers })
}

/// The logarithm of the likelihood of the spendings under `model`, and its slope by p, q and v.
///
/// Those that tell nothing (no purchase, no mean above 0) are left out.
pub fn log_likelihood(model: &GammaGamma, spendings: &[Spending]) -> (f64, [f64; 3]) {
    let telling: Vec<Spending> = spendings.iter().copied().filter(Spending::tells).collect();
    of_sorted([model.p, model.q, model.v], &telling)
}

impl Spending {
    fn tells(&self) -> bool {
        self.purchases > 0 && is_positive(self.mean)
    }
}

/// Gamma functions depend on the purchases alone, so they are worked out once for each run of equal ones.
fn of_sorted([p, q, v]: [f64; 3], spendings: &[Spending]) -> (f64, [f64; 3]) {
    let parts: Vec<(f64, [f64; 3])> = spendings.par_chunks(BLOCK).map(|block| of_block([p, q, v], block)).collect();
    let constant = (ln_gamma(q), digamma(q), v.ln());
    let count = spendings.len() as f64;
    let (value, slope) = parts.iter().fold((0.0, [0.0; 3]), |(value, slope), part| {
        (value + part.0, std::array::from_fn(|place| slope[place] + part.1[place]))
    });
    let [by_p, by_q, by_v] = slope;
    let value = value + count * (q * constant.2 - constant.0);
    (value, [by_p, by_q + count * (constant.2 - constant.1), by_v + count * q / v])
}

fn of_block([p, q, v]: [f64; 3], spendings: &[Spending]) -> (f64, [f64; 3]) {
    let (mut value, mut slope) = (0.0, [0.0; 3]);
    for run in spendings.chunk_by(|one, other| one.purchases == other.purchases) {
        let purchases = f64::from(run[0].purchases);
        let (shape, count) = (p * purchases, run.len() as f64);
        let gammas = ln_gamma(shape + q) - ln_gamma(shape);
        let (both, own) = (digamma(shape + q), digamma(shape));
        value += count * gammas;
        slope[0] += count * purchases * (both - own);
        slope[1] += count * both;
        for spending in run {
            let sum = purchases * spending.mean;
            let log_sum = (v + sum).ln();
            let log_part = sum.ln() - log_sum;
            value += shape * log_part - spending.mean.ln() - q * log_sum;
            slope[0] += purchases * log_part;
            slope[1] -= log_sum;
            slope[2] -= (shape + q) / (v + sum);
        }
    }
    (value, slope)
}

impl GammaGamma {
    /// The mean value of a purchase of someone of whom nothing is known; `None` where the base has no mean (q ≤ 1).
    pub fn mean_of_base(&self) -> Option<f64> {
        (self.q > 1.0).then(|| self.p * self.v / (self.q - 1.0))
    }

    /// The expected value of a customer's future purchases, or `None` where the base has no mean and nothing is known of
    /// the customer.
    ///
    /// A spending that tells nothing (no purchase, no mean above 0) gets the mean of the base.
    pub fn expected_value(&self, spending: &Spending) -> Option<f64> {
        if !spending.tells() {
            return self.mean_of_base();
        }
        let purchases = f64::from(spending.purchases);
        let weight = self.p * purchases + self.q - 1.0;
        (weight > 0.0).then(|| self.p * (self.v + purchases * spending.mean) / weight)
    }
}
