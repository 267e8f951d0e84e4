//! A model of leavers from end to end: bins, weights of evidence, a learner and its calibration, as one readable text.
//!
//! It is fitted on rows handed in and applied to others; which rows are earlier and which later is said by the caller.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::binning::{self, Binning, Characteristic, Values};
use crate::boosted::{self, Boosted};
use crate::calibration::{Platt, platt};
use crate::checks::same_length;
use crate::classifier::{Classifier, Contributions};
use crate::error::{Error, Result};
use crate::evidence::{Coded, counts, evidence};
use crate::logistic::Logistic;

/// The version of the text of a model: one more whenever an older text would be read as something else.
pub const VERSION: u32 = 1;

/// How a model is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// How characteristics are binned.
    pub binning: binning::Settings,
    /// What learns from them.
    pub learner: LearnerSettings,
}

/// What learns, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LearnerSettings {
    /// A sum of the evidence of all characteristics, with this penalty on the weights, none of which is below 0.
    Logistic(f64),
    /// Boosted trees over the numbers themselves and the evidence of categories.
    Boosted(boosted::Settings),
}

impl Default for Settings {
    fn default() -> Self {
        Self { binning: binning::Settings::default(), learner: LearnerSettings::Logistic(1.0) }
    }
}

/// A model that can be written, read and applied.
#[derive(Serialize, Deserialize)]
pub struct Model {
    /// The version of the text.
    pub version: u32,
    /// What is known about each characteristic, in the order in which they are handed in.
    pub characteristics: Vec<Weighed>,
    /// What gives the log-odds.
    pub learner: Learner,
    /// What makes them probabilities.
    pub calibration: Platt,
}

/// A characteristic with the evidence of its bins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weighed {
    /// What it is called.
    pub name: String,
    /// Its bins.
    pub binning: Binning,
    /// The weight of evidence of each bin.
    pub weights: Vec<f64>,
    /// How much it says on its own.
    pub information_value: f64,
}

/// What gives the log-odds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learner {
    /// See [`LearnerSettings::Logistic`].
    Logistic(Logistic),
    /// See [`LearnerSettings::Boosted`].
    Boosted(Box<Boosted>),
}

impl Model {
    /// A model of rows of which is known who left. Bins, evidence and learner see these rows and no others; the log-odds
    /// are not calibrated yet.
    ///
    /// # Errors
    /// [`Error::Lengths`], [`Error::Setting`], [`Error::Code`], [`Error::OneClass`], [`Error::NoFit`],
    /// [`Error::Boosted`].
    pub fn fit(characteristics: &[Characteristic<'_>], is_leaver: &[bool], settings: Settings) -> Result<Self> {
        let weigh = |characteristic: &Characteristic<'_>| weighed(*characteristic, is_leaver, settings.binning);
        let weighed: Vec<Weighed> = characteristics.par_iter().map(weigh).collect::<Result<_>>()?;
        let learner = match settings.learner {
            LearnerSettings::Logistic(penalty) => {
                let columns = evidence_columns(&weighed, characteristics)?;
                Learner::Logistic(with_the_evidence(&slices(&columns), is_leaver, penalty)?)
            }
            LearnerSettings::Boosted(settings) => {
                let columns = tree_columns(&weighed, characteristics)?;
                Learner::Boosted(Box::new(Boosted::fit(&slices(&columns), is_leaver, &settings)?))
            }
        };
        Ok(Self { version: VERSION, characteristics: weighed, learner, calibration: Platt::default() })
    }

    /// The model calibrated on rows that it was not fitted on.
    ///
    /// # Errors
    /// As [`Model::log_odds`], and [`Error::OneClass`].
    pub fn calibrated(mut self, characteristics: &[Characteristic<'_>], is_leaver: &[bool]) -> Result<Self> {
        self.calibration = Platt::default();
        self.calibration = platt(&self.log_odds(characteristics, is_leaver.len())?, is_leaver)?;
        Ok(self)
    }

    /// The calibrated log-odds of leaving of each of the rows: the score.
    ///
    /// # Errors
    /// [`Error::Lengths`], [`Error::Kind`] where the characteristics are not those of the model, [`Error::Code`].
    pub fn log_odds(&self, characteristics: &[Characteristic<'_>], rows: usize) -> Result<Vec<f64>> {
        let columns = self.columns(characteristics, rows)?;
        let raw = match &self.learner {
            Learner::Logistic(logistic) => logistic.log_odds(&slices(&columns), rows)?,
            Learner::Boosted(boosted) => boosted.log_odds(&slices(&columns), rows)?,
        };
        Ok(raw.into_par_iter().map(|log_odds| self.calibration.log_odds(log_odds)).collect())
    }

    /// The probability of leaving of each of the rows, 0 to 1.
    ///
    /// # Errors
    /// As [`Model::log_odds`].
    pub fn probabilities(&self, characteristics: &[Characteristic<'_>], rows: usize) -> Result<Vec<f64>> {
        let log_odds = self.log_odds(characteristics, rows)?;
        Ok(log_odds.into_par_iter().map(crate::logistic::probability).collect())
    }

    /// What each characteristic adds to the calibrated log-odds of each of the rows.
    ///
    /// # Errors
    /// As [`Model::log_odds`].
    pub fn contributions(&self, characteristics: &[Characteristic<'_>], rows: usize) -> Result<Contributions> {
        let columns = self.columns(characteristics, rows)?;
        let mut found = match &self.learner {
            Learner::Logistic(logistic) => logistic.contributions(&slices(&columns), rows)?,
            Learner::Boosted(boosted) => boosted.contributions(&slices(&columns), rows)?,
        };
        found.base = self.calibration.log_odds(found.base);
        found.columns.par_iter_mut().flatten().for_each(|added| *added *= self.calibration.slope);
        Ok(found)
    }

    /// The model as readable JSON.
    ///
    /// # Errors
    /// [`Error::ModelText`] where a number has no text, which no fitted model has.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).map_err(Error::ModelText)
    }

    /// The model of a text that [`Model::to_json`] made: its scores are the same to the bit.
    ///
    /// # Errors
    /// [`Error::ModelText`], [`Error::ModelVersion`] where another version wrote it, [`Error::ModelParts`] where its
    /// parts do not fit together.
    pub fn from_json(text: &str) -> Result<Self> {
        let Versioned { version } = serde_json::from_str(text).map_err(Error::ModelText)?;
        if version != VERSION {
            return Err(Error::ModelVersion { expected: VERSION, found: version });
        }
        let model: Self = serde_json::from_str(text).map_err(Error::ModelText)?;
        model.check()?;
        Ok(model)
    }

    fn columns(&self, characteristics: &[Characteristic<'_>], rows: usize) -> Result<Vec<Vec<f64>>> {
        same_length("characteristics", self.characteristics.len(), characteristics.len())?;
        let columns = match &self.learner {
            Learner::Logistic(_) => evidence_columns(&self.characteristics, characteristics)?,
            Learner::Boosted(_) => tree_columns(&self.characteristics, characteristics)?,
        };
        columns.iter().try_for_each(|column| same_length("a characteristic", rows, column.len()))?;
        Ok(columns)
    }

    fn check(&self) -> Result<()> {
        let as_many = |what, expected, found| {
            if expected == found { Ok(()) } else { Err(Error::ModelParts { what, expected, found }) }
        };
        for characteristic in &self.characteristics {
            as_many("the weights of a characteristic", characteristic.binning.bins(), characteristic.weights.len())?;
        }
        let columns = self.characteristics.len();
        match &self.learner {
            Learner::Logistic(logistic) => as_many("the weights", columns, logistic.weights.len()),
            Learner::Boosted(boosted) => {
                as_many("the columns", columns, boosted.column_count())?;
                boosted.check_trees()
            }
        }
    }
}

/// The part of the text that every version has.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

fn weighed(characteristic: Characteristic<'_>, is_leaver: &[bool], settings: binning::Settings) -> Result<Weighed> {
    let binning = binning::fit(characteristic, is_leaver, settings)?;
    let codes = binning.codes(characteristic)?;
    let coded = Coded { name: characteristic.name, codes: &codes, categories: binning.bins() };
    let found = evidence(&counts(&[coded], is_leaver)?[0], settings.smoothing)?;
    Ok(Weighed {
        name: characteristic.name.to_owned(),
        binning,
        weights: found.weights(),
        information_value: found.information_value,
    })
}

/// A sum in which all evidence counts for what it says, or not at all.
///
/// Of characteristics that say the same, one may get a weight below 0: what speaks for leaving would then count against it.
/// The one with the lowest weight is left out, until there is none below 0; what it says, the others say.
fn with_the_evidence(columns: &[&[f64]], is_leaver: &[bool], penalty: f64) -> Result<Logistic> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    loop {
        let of_kept: Vec<&[f64]> = kept.iter().map(|place| columns[*place]).collect();
        let found = Logistic::fit(&of_kept, is_leaver, &penalty)?;
        let lowest = found.weights.iter().copied().enumerate().min_by(|one, other| one.1.total_cmp(&other.1));
        match lowest.filter(|(_, weight)| *weight < 0.0) {
            Some((place, _)) => drop(kept.remove(place)),
            None => {
                let mut weights = vec![0.0; columns.len()];
                kept.iter().zip(&found.weights).for_each(|(place, weight)| weights[*place] = *weight);
                return Ok(Logistic { intercept: found.intercept, weights });
            }
        }
    }
}

fn evidence_columns(weighed: &[Weighed], characteristics: &[Characteristic<'_>]) -> Result<Vec<Vec<f64>>> {
    weighed.par_iter().zip(characteristics).map(|(weighed, its)| weighed.evidence(*its)).collect()
}

/// Numbers as they are, so that trees may cut them where they like; categories by their evidence, which orders them.
fn tree_columns(weighed: &[Weighed], characteristics: &[Characteristic<'_>]) -> Result<Vec<Vec<f64>>> {
    let column = |(weighed, its): (&Weighed, &Characteristic<'_>)| match (&weighed.binning, its.values) {
        (Binning::Numbers { .. }, Values::Numbers(values)) => Ok(values.to_vec()),
        _ => weighed.evidence(*its),
    };
    weighed.par_iter().zip(characteristics).map(column).collect()
}

impl Weighed {
    /// The evidence of the bin of every row.
    fn evidence(&self, characteristic: Characteristic<'_>) -> Result<Vec<f64>> {
        let codes = self.binning.codes(characteristic)?;
        Ok(codes.into_iter().map(|code| self.weights[code as usize]).collect())
    }
}

fn slices(columns: &[Vec<f64>]) -> Vec<&[f64]> {
    columns.iter().map(Vec::as_slice).collect()
}
