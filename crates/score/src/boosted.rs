//! Gradient-boosted trees, grown by a library: nothing else in this crate knows which.
//!
//! `forust-ml` 0.8, not `perpetual` 3.0.0-rc.2: on the telephone company's customers, five folds five times, the mean
//! AUC was 0.8478 against 0.8361 (budget 1; 0.8206 with 0.5), the log loss 0.413 against 0.432, without calibration.
//!
//! The library bins the columns, grows the trees and explains them; here its settings are chosen, columns that it
//! refuses are kept from it, and its trees are checked before they are followed.

use forust_ml::GradientBooster;
use forust_ml::data::Matrix;
use forust_ml::gradientbooster::ContributionsMethod;
use forust_ml::objective::ObjectiveType;
use forust_ml::sampler::SampleMethod;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::checks::{self, is_weight, leavers_and_stayers, same_length, same_rows};
use crate::classifier::{Classifier, Contributions};
use crate::error::{Error, Result};

/// Rows that the trees see at once, so that their copy stays small beside the columns.
const CHUNK: usize = 1 << 13;

/// How trees are grown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// How many trees; without any, everyone gets the share of all.
    pub trees: usize,
    /// How much of each tree counts, above 0 to 1.
    pub learning_rate: f64,
    /// Questions from the root to a leaf at most, 1 to 12.
    pub depth: usize,
    /// The weight of a leaf at least, 0 or more: about a fifth of its rows where a quarter leaves.
    pub minimum_leaf_weight: f64,
    /// Draws the leaves toward 0, 0 or more.
    pub penalty: f64,
    /// The share of the rows that each tree is grown on, above 0 to 1.
    pub row_share: f64,
    /// Which rows those are.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            trees: 150,
            learning_rate: 0.05,
            depth: 3,
            minimum_leaf_weight: 5.0,
            penalty: 1.0,
            row_share: 1.0,
            seed: 0,
        }
    }
}

/// Boosted trees. A number that is not finite is missing: each question says where such rows go.
#[derive(Serialize, Deserialize)]
pub struct Boosted {
    /// How many columns it was fitted on.
    columns: usize,
    /// Those of them that differ between rows; no tree can ask for the others.
    used: Vec<usize>,
    /// The log-odds of all rows together.
    base: f64,
    /// `None` where no column differs between rows, and where no tree was asked for.
    booster: Option<GradientBooster>,
}

impl Classifier for Boosted {
    type Settings = Settings;

    fn fit(columns: &[&[f64]], is_leaver: &[bool], settings: &Settings) -> Result<Self> {
        settings.check()?;
        check(columns, columns.len(), is_leaver.len())?;
        let base = base(is_leaver)?;
        let used: Vec<usize> = (0..columns.len()).filter(|column| differs(columns[*column])).collect();
        let booster = match used.is_empty() || settings.trees == 0 {
            true => None,
            false => Some(grown(columns, &used, is_leaver, settings)?),
        };
        let boosted = Self { columns: columns.len(), used, base, booster };
        boosted.check_trees()?;
        Ok(boosted)
    }

    fn log_odds(&self, columns: &[&[f64]], rows: usize) -> Result<Vec<f64>> {
        check(columns, self.columns, rows)?;
        let Some(booster) = &self.booster else { return Ok(vec![self.base; rows]) };
        let of_chunk = |chunk: &std::ops::Range<usize>| {
            booster.predict(&Matrix::new(&self.copied(columns, chunk.clone()), chunk.len(), self.used.len()), false)
        };
        let parts: Vec<Vec<f64>> = chunks(rows).par_iter().map(of_chunk).collect();
        Ok(parts.concat())
    }

    /// Followed from the root to the leaf, each question adds to its column what the mean of the rows below it changes.
    ///
    /// They add up to the log-odds to 1e-9. Not Shapley's values, which share an interaction more fairly between its
    /// columns: a million rows and 150 trees took 201 s on two busy cores, and 3 s this way on two quieter ones.
    fn contributions(&self, columns: &[&[f64]], rows: usize) -> Result<Contributions> {
        check(columns, self.columns, rows)?;
        let none = Contributions { base: self.base, columns: vec![vec![0.0; rows]; self.columns] };
        let Some(booster) = self.booster.as_ref().filter(|_| rows > 0) else { return Ok(none) };
        let of_chunk = |chunk: &std::ops::Range<usize>| {
            let copied = self.copied(columns, chunk.clone());
            let matrix = Matrix::new(&copied, chunk.len(), self.used.len());
            booster.predict_contributions(&matrix, ContributionsMethod::Average, false)
        };
        let parts: Vec<Vec<f64>> = chunks(rows).par_iter().map(of_chunk).collect();
        Ok(self.by_column(&parts.concat(), none))
    }

    fn from_json(text: &str) -> Result<Self> {
        let boosted: Self = serde_json::from_str(text).map_err(Error::ModelText)?;
        boosted.check_trees()?;
        Ok(boosted)
    }
}

impl Settings {
    fn check(&self) -> Result<()> {
        let Self { learning_rate, depth, minimum_leaf_weight, penalty, row_share, .. } = *self;
        let is_share = |share: f64| share > 0.0 && share <= 1.0;
        checks::setting("the learning rate", is_share(learning_rate), "above 0 to 1", learning_rate)?;
        checks::setting("the depth of trees", (1..=12).contains(&depth), "1 to 12", depth as f64)?;
        checks::setting("the weight of a leaf", is_weight(minimum_leaf_weight), "0 or more", minimum_leaf_weight)?;
        checks::setting("the penalty", is_weight(penalty), "0 or more", penalty)?;
        checks::setting("the share of the rows", is_share(row_share), "above 0 to 1", row_share)
    }
}

impl Boosted {
    /// How many columns it was fitted on.
    pub fn column_count(&self) -> usize {
        self.columns
    }

    /// The columns that trees may ask for, one after the other, of these rows.
    fn copied(&self, columns: &[&[f64]], rows: std::ops::Range<usize>) -> Vec<f64> {
        copied(columns, &self.used, rows)
    }

    /// Rows of the used columns, with what all have at the end, made columns of all.
    fn by_column(&self, rows: &[f64], mut contributions: Contributions) -> Contributions {
        let width = self.used.len() + 1;
        contributions.base = rows[width - 1];
        for (place, column) in self.used.iter().enumerate() {
            contributions.columns[*column] = rows.iter().skip(place).step_by(width).copied().collect();
        }
        contributions
    }

    /// Trees of a text that somebody changed could lead nowhere, or around in circles.
    pub(crate) fn check_trees(&self) -> Result<()> {
        let used = self.used.len();
        if let Some(column) = self.used.iter().find(|column| **column >= self.columns) {
            return Err(Error::ModelParts { what: "the columns", expected: self.columns, found: column + 1 });
        }
        for tree in self.booster.iter().flat_map(|booster| &booster.trees) {
            let nodes = tree.nodes.len();
            let leads_on = tree.nodes.iter().enumerate().all(|(place, node)| {
                let children = [node.left_child, node.right_child, node.missing_node];
                let is_below = children.iter().all(|child| *child > place && *child < nodes);
                let is_question = node.split_feature < used && is_below;
                node.weight_value.is_finite() && (node.is_leaf || is_question)
            });
            if nodes == 0 || !leads_on {
                return Err(Error::ModelParts { what: "the nodes of a tree", expected: used, found: nodes });
            }
        }
        Ok(())
    }
}

fn grown(columns: &[&[f64]], used: &[usize], is_leaver: &[bool], settings: &Settings) -> Result<GradientBooster> {
    let mut booster = GradientBooster::default()
        .set_objective_type(ObjectiveType::LogLoss)
        .set_iterations(settings.trees)
        .set_learning_rate(settings.learning_rate as f32)
        .set_max_depth(settings.depth)
        .set_min_leaf_weight(settings.minimum_leaf_weight as f32)
        .set_l2(settings.penalty as f32)
        .set_subsample(settings.row_share as f32)
        .set_seed(settings.seed)
        .set_initialize_base_score(true);
    booster.sample_method = if settings.row_share < 1.0 { SampleMethod::Random } else { SampleMethod::None };
    let rows = is_leaver.len();
    let copied = copied(columns, used, 0..rows);
    let targets: Vec<f64> = is_leaver.iter().map(|is_leaver| f64::from(u8::from(*is_leaver))).collect();
    let grown = booster.fit_unweighted(&Matrix::new(&copied, rows, used.len()), &targets, None);
    grown.map_err(|error| Error::Boosted(Box::new(error)))?;
    Ok(booster)
}

fn copied(columns: &[&[f64]], used: &[usize], rows: std::ops::Range<usize>) -> Vec<f64> {
    let known = |value: &f64| if value.is_finite() { *value } else { f64::NAN };
    used.iter().flat_map(|column| columns[*column][rows.clone()].iter().map(known)).collect()
}

fn chunks(rows: usize) -> Vec<std::ops::Range<usize>> {
    (0..rows).step_by(CHUNK).map(|start| start..rows.min(start + CHUNK)).collect()
}

fn check(columns: &[&[f64]], expected: usize, rows: usize) -> Result<()> {
    same_length("columns", expected, columns.len())?;
    same_rows(columns, rows)
}

/// Whether two rows have different numbers.
fn differs(column: &[f64]) -> bool {
    let mut known = column.iter().filter(|value| value.is_finite());
    known.next().is_some_and(|first| known.any(|value| value != first))
}

/// The log-odds of all rows together.
fn base(is_leaver: &[bool]) -> Result<f64> {
    let (leavers, stayers) = leavers_and_stayers(is_leaver)?;
    Ok((leavers as f64 / stayers as f64).ln())
}
