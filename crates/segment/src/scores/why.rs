//! Why one profile has the score that it has: what each characteristic adds, read off the kept model.
//!
//! The model, its base and its expressions are those that were kept with the table, whatever muster.toml says by now; what is
//! known of the profile is asked as of the instant of the table.

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef};
use muster_catalog::{Expression, Place, ProfileId, Timestamp, nearest};
use muster_score::binning::{Characteristic, Values};
use muster_score::model::{Model, Weighed};
use serde::Deserialize;

use super::CHURN;
use super::characteristics::Described;
use super::churn::fault;
use super::churn_report::labels;
use super::kept::ScoreTable;
use crate::evaluator::{Evaluator, PROFILES};
use crate::{Error, Item};

/// Why a profile has its score of leaving.
#[derive(Debug, Clone, PartialEq)]
pub struct Reasons {
    /// The key of the profile.
    pub key: String,
    /// The instant of the table, as of which everything was known.
    pub as_of: Timestamp,
    /// What learnt, as muster.toml has it.
    pub learner: String,
    /// What each characteristic adds, in the order of the model.
    pub characteristics: Vec<Reason>,
    /// What everybody has.
    pub base: f64,
    /// The log-odds of leaving: base and contributions add up to them.
    pub log_odds: f64,
    /// The probability that they stand for: the score.
    pub score: f64,
    /// The score that is kept; `None` where the profile came into the base by rows that were loaded later.
    pub kept: Option<f64>,
}

/// What a characteristic adds to a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// The characteristic.
    pub name: String,
    /// Its expression.
    pub expression: String,
    /// What the profile's is.
    pub value: Fact,
    /// The bin in which that lies, as people call it.
    pub bin: String,
    /// What it adds to the log-odds.
    pub contribution: f64,
}

/// What is known of a profile.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A number; of a day or an instant how many days it was ago, of yes and no 1 and 0.
    Number(f64),
    /// A category.
    Text(String),
    /// Nothing.
    Nothing,
}

/// A kept model with what it is a model of.
#[derive(Deserialize)]
struct Written {
    base: String,
    learner: String,
    expressions: Vec<Named>,
    model: serde_json::Value,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    expression: String,
}

impl Written {
    fn of(table: &ScoreTable) -> Result<(Self, Model), Error> {
        let text = table.model.as_deref().unwrap_or_default();
        let unreadable = |error| fault(muster_score::Error::ModelText(error));
        let written: Self = serde_json::from_str(text).map_err(unreadable)?;
        let model = Model::from_json(&written.model.to_string()).map_err(fault)?;
        Ok((written, model))
    }
}

impl Evaluator<'_> {
    /// Why the profile with this key has the score of leaving that this table says.
    pub(crate) fn reasons_of_churn(&self, table: &ScoreTable, key: &str) -> Result<Reasons, Error> {
        let as_of = table.as_of;
        let row = self.row_of_profile(key)?;
        self.refuse_what_masks_hide(CHURN, as_of)?;
        let (written, model) = Written::of(table)?;
        let own = |text: &str| Expression { text: text.to_owned(), place: Place::of("the kept model", "", 0) };
        let characteristics: Vec<(String, Expression)> =
            written.expressions.iter().map(|named| (named.name.clone(), own(&named.expression))).collect();
        let base = own(&written.base);
        let described = Described { score: CHURN, base: &base, characteristics: &characteristics };
        let facts = self.facts(&described, as_of, &mut vec![Item::Score(CHURN.to_owned())])?;
        let Some(place) = facts.rows.iter().position(|known| *known == row) else {
            let instant = as_of.rfc3339(self.names().zone);
            return Err(Error::OutsideBase { key: key.to_owned(), instant, base: written.base });
        };
        let kept = self.kept_score(row, as_of)?;
        let own = facts.of(&[place]);
        let reasons = own.with(|facts| reasons(&model, &written, facts))?;
        own.with(|facts| {
            let sum = |found: Vec<f64>| found[0];
            Ok(Reasons {
                key: key.to_owned(),
                as_of,
                learner: written.learner.clone(),
                base: model.contributions(facts, 1).map_err(fault)?.base,
                log_odds: model.log_odds(facts, 1).map(sum).map_err(fault)?,
                score: model.probabilities(facts, 1).map(sum).map_err(fault)?,
                characteristics: reasons,
                kept,
            })
        })
    }

    /// The number of the row of the profile with this key.
    fn row_of_profile(&self, key: &str) -> Result<u32, Error> {
        if let [Some(ProfileId(row))] = self.profiles_with_keys(&[key.to_owned()])?[..] {
            return Ok(row);
        }
        let column = self.snapshot().schema(PROFILES).and_then(|schema| schema.key.clone()).ok_or(Error::NoData)?;
        let mut near: Vec<String> = Vec::new();
        for block in 0..self.snapshot().block_count(PROFILES) {
            let keys = self.snapshot().scan(PROFILES, block, &[&column])?.remove(0);
            // The nearest of each block.
            near.extend(nearest(key, keys.as_string_view().iter().flatten()).map(str::to_owned));
        }
        let nearest = nearest(key, near.iter().map(String::as_str)).map(str::to_owned);
        Err(Error::UnknownProfile { key: key.to_owned(), column, nearest })
    }

    fn kept_score(&self, row: u32, as_of: Timestamp) -> Result<Option<f64>, Error> {
        let (rows, scores): (Vec<u32>, ArrayRef) = self.kept().score(CHURN, as_of, "score")?;
        let place = rows.binary_search(&row).ok();
        let scores = scores.as_primitive_opt::<Float64Type>();
        Ok(place
            .zip(scores)
            .filter(|(place, scores)| scores.is_valid(*place))
            .map(|(place, scores)| scores.value(place)))
    }
}

/// What each characteristic of the one profile adds.
fn reasons(model: &Model, written: &Written, facts: &[Characteristic<'_>]) -> Result<Vec<Reason>, Error> {
    let added = model.contributions(facts, 1).map_err(fault)?;
    let reason = |(place, weighed): (usize, &Weighed)| {
        let bin = weighed.binning.codes(facts[place]).map_err(fault)?[0] as usize;
        Ok(Reason {
            name: weighed.name.clone(),
            expression: written.expressions[place].expression.clone(),
            value: known(facts[place].values),
            bin: labels(&weighed.binning).swap_remove(bin),
            contribution: added.columns[place][0],
        })
    };
    model.characteristics.iter().enumerate().map(reason).collect()
}

fn known(values: Values<'_>) -> Fact {
    match values {
        Values::Numbers(values) if values[0].is_finite() => Fact::Number(values[0]),
        Values::Numbers(_) => Fact::Nothing,
        Values::Categories { codes, texts } => {
            texts.get(codes[0] as usize).map_or(Fact::Nothing, |text| Fact::Text((*text).to_owned()))
        }
    }
}
