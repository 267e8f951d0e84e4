//! Log-odds made probabilities that can be taken at their word, after Platt.
//!
//! A line through the log-odds, fitted on rows that the model did not learn from. Two numbers rather than the steps of
//! an isotonic curve: a thousand rows are enough, no two customers become equal, and the order stays.

use serde::{Deserialize, Serialize};

use crate::checks::{self, leavers_and_stayers, same_length};
use crate::error::Result;
use crate::logistic::{fit_targets, probability};

/// Keeps the slope bounded where all log-odds are equal; far too small to be seen elsewhere.
const PENALTY: f64 = 1e-6;

/// The calibrated log-odds are `intercept + slope · log-odds`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Platt {
    /// 0 or more: a calibration never turns the order around.
    pub slope: f64,
    /// Added to all.
    pub intercept: f64,
}

impl Default for Platt {
    /// Leaves everything as it is.
    fn default() -> Self {
        Self { slope: 1.0, intercept: 0.0 }
    }
}

/// The line that fits best who left, on rows that the model did not learn from.
///
/// Leavers count as `(L + 1)/(L + 2)` and stayers as `1/(S + 2)` rather than 1 and 0, so that rows which are separated
/// end with a bounded slope. A slope below 0 becomes 0: then the log-odds say nothing, and everyone gets the share of
/// all. After Platt (1999), "Probabilistic outputs for support vector machines".
///
/// # Errors
/// [`crate::Error::Lengths`], [`crate::Error::Number`], [`crate::Error::OneClass`], [`crate::Error::NoFit`].
pub fn platt(log_odds: &[f64], is_leaver: &[bool]) -> Result<Platt> {
    same_length("leavers", log_odds.len(), is_leaver.len())?;
    checks::finite("log-odds", log_odds)?;
    let (leavers, stayers) = leavers_and_stayers(is_leaver)?;
    let (left, stayed) = ((leavers + 1) as f64 / (leavers + 2) as f64, 1.0 / (stayers + 2) as f64);
    let targets: Vec<f64> = is_leaver.iter().map(|is_leaver| if *is_leaver { left } else { stayed }).collect();
    let line = fit_targets(&[log_odds], &targets, PENALTY)?;
    if line.weights[0] >= 0.0 {
        return Ok(Platt { slope: line.weights[0], intercept: line.intercept });
    }
    let level = fit_targets(&[], &targets, PENALTY)?;
    Ok(Platt { slope: 0.0, intercept: level.intercept })
}

impl Platt {
    /// Calibrated log-odds.
    pub fn log_odds(self, log_odds: f64) -> f64 {
        self.intercept + self.slope * log_odds
    }

    /// The calibrated probability, 0 to 1.
    pub fn probability(self, log_odds: f64) -> f64 {
        probability(self.log_odds(log_odds))
    }
}
