//! Logistic regression with a penalty on the weights, and what each characteristic adds to a row's log-odds.
//!
//! Columns are numbers of similar sizes, such as weights of evidence; where they come from is left to `model`.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::checks::{self, is_positive, leavers_and_stayers, same_length, same_rows};
use crate::classifier::{Classifier, Contributions};
use crate::error::{Error, Result};

/// Rows that are summed at once. The size never depends on the threads, so neither do the sums.
const CHUNK: usize = 1 << 13;

/// Steps after which nothing more is gained. Newton's method needs about ten.
const MOST_STEPS: usize = 100;

/// The log-odds of leaving: the intercept and, for each column, its weight times its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logistic {
    /// The log-odds of a row of zeros.
    pub intercept: f64,
    /// One weight for each column.
    pub weights: Vec<f64>,
}

/// The weights of the least penalised loss, by Newton's method.
///
/// The loss is the sum over the rows of the negative log-likelihood, and `penalty / 2` times the sum of the squared
/// weights; the intercept is not penalised. With a penalty there is one minimum, also where a column separates leavers
/// from stayers: the weights stay bounded. A constant column gets a weight of no more than rounding.
///
/// # Errors
/// [`Error::Setting`] for a penalty that is not above 0, [`Error::Lengths`], [`Error::Number`], [`Error::OneClass`],
/// [`Error::NoFit`].
pub fn fit(columns: &[&[f64]], is_leaver: &[bool], penalty: f64) -> Result<Logistic> {
    check(columns, is_leaver.len())?;
    leavers_and_stayers(is_leaver)?;
    let targets: Vec<f64> = is_leaver.iter().map(|is_leaver| f64::from(u8::from(*is_leaver))).collect();
    fit_targets(columns, &targets, penalty)
}

/// The same for shares of leaving between 0 and 1, of which not all are 0 and not all are 1.
pub(crate) fn fit_targets(columns: &[&[f64]], targets: &[f64], penalty: f64) -> Result<Logistic> {
    checks::setting("the penalty", is_positive(penalty), "above 0", penalty)?;
    let no_fit = || Error::NoFit { columns: columns.len(), rows: targets.len() };
    let mut at = start(columns.len(), targets);
    let mut here = slope(columns, targets, penalty, &at);
    for _ in 0..MOST_STEPS {
        let step = solved(&here.curvature, &here.gradient).ok_or_else(no_fit)?;
        let Some((next, slope)) = descended(columns, targets, penalty, &at, &step, here.loss) else { break };
        let is_done = moved(&at, &next) < 1e-12;
        (at, here) = (next, slope);
        if is_done {
            break;
        }
    }
    let is_finite = at.iter().all(|number| number.is_finite()) && here.loss.is_finite();
    if is_finite { Ok(Logistic { intercept: at[0], weights: at[1..].to_vec() }) } else { Err(no_fit()) }
}

/// The penalised loss of a model, and its derivatives by the intercept and by each weight.
///
/// # Errors
/// [`Error::Lengths`], [`Error::Number`].
pub fn loss_and_gradient(
    model: &Logistic,
    columns: &[&[f64]],
    is_leaver: &[bool],
    penalty: f64,
) -> Result<(f64, Vec<f64>)> {
    check(columns, is_leaver.len())?;
    same_length("weights", columns.len(), model.weights.len())?;
    let targets: Vec<f64> = is_leaver.iter().map(|is_leaver| f64::from(u8::from(*is_leaver))).collect();
    let at: Vec<f64> = std::iter::once(model.intercept).chain(model.weights.iter().copied()).collect();
    let here = slope(columns, &targets, penalty, &at);
    Ok((here.loss, here.gradient))
}

impl Classifier for Logistic {
    /// The penalty.
    type Settings = f64;

    fn fit(columns: &[&[f64]], is_leaver: &[bool], penalty: &f64) -> Result<Self> {
        fit(columns, is_leaver, *penalty)
    }

    fn log_odds(&self, columns: &[&[f64]], rows: usize) -> Result<Vec<f64>> {
        self.check(columns, rows)?;
        let weighted = |row: usize| {
            let added = columns.iter().zip(&self.weights).map(|(column, weight)| column[row] * weight);
            added.fold(self.intercept, |sum, added| sum + added)
        };
        Ok((0..rows).into_par_iter().map(weighted).collect())
    }

    fn contributions(&self, columns: &[&[f64]], rows: usize) -> Result<Contributions> {
        self.check(columns, rows)?;
        let weighted = |(column, weight): (&&[f64], &f64)| column.iter().map(|value| value * weight).collect();
        let columns = columns.par_iter().zip(&self.weights).map(weighted).collect();
        Ok(Contributions { base: self.intercept, columns })
    }
}

impl Logistic {
    fn check(&self, columns: &[&[f64]], rows: usize) -> Result<()> {
        same_length("columns", self.weights.len(), columns.len())?;
        check(columns, rows)
    }
}

/// The probability of log-odds, 0 to 1, without overflow.
pub fn probability(log_odds: f64) -> f64 {
    if log_odds >= 0.0 {
        1.0 / (1.0 + (-log_odds).exp())
    } else {
        let odds = log_odds.exp();
        odds / (1.0 + odds)
    }
}

fn check(columns: &[&[f64]], rows: usize) -> Result<()> {
    same_rows(columns, rows)?;
    columns.iter().try_for_each(|column| checks::finite("a column", column))
}

/// The log-odds of all rows together, and no weights.
fn start(columns: usize, targets: &[f64]) -> Vec<f64> {
    let share = targets.iter().sum::<f64>() / targets.len() as f64;
    let mut start = vec![0.0; columns + 1];
    start[0] = (share / (1.0 - share)).ln();
    start
}

/// The loss at a place, and where it goes down. The first number of a place is the intercept.
struct Slope {
    loss: f64,
    gradient: Vec<f64>,
    /// Second derivatives, row by row.
    curvature: Vec<f64>,
}

fn slope(columns: &[&[f64]], targets: &[f64], penalty: f64, at: &[f64]) -> Slope {
    let parts: Vec<Slope> = (0..targets.len().div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| chunk_slope(columns, targets, at, chunk * CHUNK..targets.len().min((chunk + 1) * CHUNK)))
        .collect();
    let width = at.len();
    let mut sum = Slope { loss: 0.0, gradient: vec![0.0; width], curvature: vec![0.0; width * width] };
    // In the order of the rows, whichever part was ready first.
    for part in &parts {
        sum.loss += part.loss;
        add(&mut sum.gradient, &part.gradient);
        add(&mut sum.curvature, &part.curvature);
    }
    for (place, weight) in at.iter().enumerate().skip(1) {
        sum.loss += penalty / 2.0 * weight * weight;
        sum.gradient[place] += penalty * weight;
        sum.curvature[place * width + place] += penalty;
    }
    sum
}

fn add(sum: &mut [f64], part: &[f64]) {
    sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
}

fn chunk_slope(columns: &[&[f64]], targets: &[f64], at: &[f64], rows: std::ops::Range<usize>) -> Slope {
    let width = at.len();
    let mut slope = Slope { loss: 0.0, gradient: vec![0.0; width], curvature: vec![0.0; width * width] };
    let mut values = vec![1.0; width];
    for row in rows {
        for (value, column) in values[1..].iter_mut().zip(columns) {
            *value = column[row];
        }
        let log_odds: f64 = values.iter().zip(at).map(|(value, weight)| value * weight).sum();
        let expected = probability(log_odds);
        let error = expected - targets[row];
        let weight = expected * (1.0 - expected);
        // ln(1 + e^x), which is x for large x.
        slope.loss += log_odds.max(0.0) + (-log_odds.abs()).exp().ln_1p() - targets[row] * log_odds;
        for (first, value) in values.iter().enumerate() {
            slope.gradient[first] += error * value;
            let weighted = weight * value;
            let line = &mut slope.curvature[first * width..first * width + first + 1];
            line.iter_mut().zip(&values).for_each(|(sum, other)| *sum += weighted * other);
        }
    }
    slope
}

/// Follows the step, halved until the loss is lower; `None` where no part of it lowers the loss any more.
fn descended(
    columns: &[&[f64]],
    targets: &[f64],
    penalty: f64,
    at: &[f64],
    step: &[f64],
    loss: f64,
) -> Option<(Vec<f64>, Slope)> {
    (0..40).find_map(|halvings| {
        let length = 0.5_f64.powi(halvings);
        let next: Vec<f64> = at.iter().zip(step).map(|(at, step)| at - length * step).collect();
        let slope = slope(columns, targets, penalty, &next);
        (slope.loss < loss).then_some((next, slope))
    })
}

fn moved(at: &[f64], next: &[f64]) -> f64 {
    at.iter().zip(next).map(|(at, next)| (at - next).abs() / (1.0 + next.abs())).fold(0.0, f64::max)
}

/// Solves `matrix · x = right` by Cholesky's decomposition of the lower half; `None` where it is not positive.
fn solved(matrix: &[f64], right: &[f64]) -> Option<Vec<f64>> {
    let width = right.len();
    let mut lower = matrix.to_vec();
    for line in 0..width {
        for place in 0..=line {
            let known: f64 = (0..place).map(|k| lower[line * width + k] * lower[place * width + k]).sum();
            let rest = lower[line * width + place] - known;
            lower[line * width + place] = if place < line {
                rest / lower[place * width + place]
            } else if rest > 0.0 && rest.is_finite() {
                rest.sqrt()
            } else {
                return None;
            };
        }
    }
    let mut x = right.to_vec();
    for line in 0..width {
        let known: f64 = (0..line).map(|k| lower[line * width + k] * x[k]).sum();
        x[line] = (x[line] - known) / lower[line * width + line];
    }
    for line in (0..width).rev() {
        let known: f64 = (line + 1..width).map(|k| lower[k * width + line] * x[k]).sum();
        x[line] = (x[line] - known) / lower[line * width + line];
    }
    Some(x)
}
