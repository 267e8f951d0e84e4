//! Scores as columns of profiles: which there are, and what each says, as of the snapshot and instant of who asks.
//!
//! Purchases are what the catalog says ([`purchases`]); the mathematics is `muster-score`'s; here its slices are filled and
//! its answers become columns ([`of_purchases`]).

mod of_purchases;
mod purchases;

use std::sync::Arc;

use muster_catalog::{Catalog, ColumnNames, ColumnType, Purchase, ScoreNames, Scores, Timestamp};
use muster_language::hidden;
use muster_query::Values;

use crate::definition::digest;
use crate::evaluator::Evaluator;
use crate::{Error, Item};

/// How scores are computed: which rows are purchases, and what muster.toml says of ranks and of silence.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scoring {
    purchases: Option<Purchases>,
    scores: Scores,
}

/// The rows that are purchases.
#[derive(Debug, Clone, PartialEq)]
struct Purchases {
    table: String,
    purchase: Purchase,
}

impl Scoring {
    /// As a workspace has it.
    pub fn of(catalog: &Catalog) -> Self {
        let purchases = catalog.purchases();
        let purchases =
            purchases.map(|(table, purchase)| Purchases { table: table.name.clone(), purchase: purchase.clone() });
        Self { purchases, scores: catalog.scores.clone() }
    }

    /// Changes when anything does that the scores hang on; where it stands in the file does not count.
    pub(crate) fn digest(&self) -> String {
        let of = |purchases: &Purchases| {
            let Purchase { value, when, .. } = &purchases.purchase;
            format!("{:?}", (&purchases.table, value, when))
        };
        digest(&format!("{:?} {:?}", self.purchases.as_ref().map(of), self.scores))
    }

    /// The scores that queries may name, where what a purchase is worth is of type `worth`.
    pub(crate) fn names(&self, worth: ColumnType) -> Vec<ScoreNames> {
        let score = |name: &str, columns: &[(&str, ColumnType)]| ScoreNames {
            name: name.to_owned(),
            columns: columns
                .iter()
                .map(|(name, column_type)| ColumnNames {
                    name: (*name).to_owned(),
                    column_type: *column_type,
                    role: None,
                })
                .collect(),
        };
        use ColumnType::{Float, Int, Text, Timestamp};
        let cadence = [
            ("purchases", Int),
            ("first_at", Timestamp),
            ("last_at", Timestamp),
            ("span_days", Int),
            ("mean_gap_days", Float),
            ("days_since_last", Int),
            ("total", worth),
            ("mean_value", worth),
        ];
        let rfm = [
            ("recency_days", Int),
            ("frequency", Int),
            ("monetary", worth),
            ("r", Int),
            ("f", Int),
            ("m", Int),
            ("cell", Text),
            ("label", Text),
        ];
        match self.purchases {
            None => Vec::new(),
            Some(_) => {
                vec![score(CADENCE, &cadence), score(REACTIVATION, &[("due_at", Timestamp)]), score(RFM, &rfm)]
            }
        }
    }
}

const CADENCE: &str = "cadence";
const REACTIVATION: &str = "reactivation";
const RFM: &str = "rfm";

impl Evaluator<'_> {
    /// What a column of a score says of each profile as of an instant. All columns of a score are computed together.
    pub(crate) fn score_column(
        &self,
        (score, column): (&str, &str),
        as_of: Timestamp,
        path: &mut Vec<Item>,
    ) -> Result<Arc<Values>, Error> {
        let hidden = hidden::score(score, column);
        if let Some(known) = self.known_values(&hidden, as_of) {
            return Ok(known);
        }
        let columns = self.waiting(Item::Score(score.to_owned()), path, |path| {
            let purchases = self.purchases(as_of, path)?;
            self.of_purchases(score, &purchases, as_of)
        })?;
        let mut wanted = None;
        for (name, values) in columns {
            let values = self.keep_values(&hidden::score(score, name), as_of, Arc::new(values));
            wanted = wanted.or_else(|| (name == column).then_some(values));
        }
        Ok(wanted.expect("names are resolved to columns that a score has"))
    }
}
