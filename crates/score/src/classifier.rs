//! What every model of leavers can do, so that one can stand in for another.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// A model of who leaves: fitted on columns of numbers, it gives log-odds and says where they come from.
///
/// Every slice of columns holds one slice per column, each with one number per row. The same rows and settings give the
/// same model to the byte, and a model that was written and read gives the same log-odds to the bit.
pub trait Classifier: Sized + Serialize + DeserializeOwned {
    /// How it is fitted.
    type Settings;

    /// A model of the rows.
    ///
    /// # Errors
    /// [`Error::Lengths`], [`Error::Setting`], [`Error::OneClass`], and what the model itself cannot do with.
    fn fit(columns: &[&[f64]], is_leaver: &[bool], settings: &Self::Settings) -> Result<Self>;

    /// The log-odds of leaving of each of the rows.
    ///
    /// # Errors
    /// [`Error::Lengths`] where the columns are not those that it was fitted on, and what it cannot do with.
    fn log_odds(&self, columns: &[&[f64]], rows: usize) -> Result<Vec<f64>>;

    /// What each column adds to the log-odds of each of the rows.
    ///
    /// # Errors
    /// As [`Classifier::log_odds`].
    fn contributions(&self, columns: &[&[f64]], rows: usize) -> Result<Contributions>;

    /// Readable JSON.
    ///
    /// # Errors
    /// [`Error::ModelText`] where a number has no text, which no fitted model has.
    fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).map_err(Error::ModelText)
    }

    /// The model of a text that [`Classifier::to_json`] made.
    ///
    /// # Errors
    /// [`Error::ModelText`].
    fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(Error::ModelText)
    }
}

/// What each column adds to the log-odds of each row: `base` and all columns add up to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// What all rows have.
    pub base: f64,
    /// For each column, one number per row.
    pub columns: Vec<Vec<f64>>,
}
