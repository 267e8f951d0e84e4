//! How many rows each condition of a definition leaves: of one that is stored, or of one that somebody is writing.
//!
//! Each condition is a set of rows, which is kept: while a definition is being written, those of its conditions that did
//! not change are not asked again.

use std::sync::Arc;

use muster_catalog::{RowSet, Timestamp};
use muster_language::{Query, resolve_segment};

use crate::{Error, Evaluator};

/// A definition, counted condition by condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// All rows that the conditions choose among.
    pub rows: u64,
    /// The conditions that are joined by AND, in their order.
    pub conditions: Vec<CountedCondition>,
    /// What chooses among the rows that meet all of them, as it is written; most definitions have none.
    pub choice: Option<String>,
    /// The rows that the definition selects.
    pub selected: u64,
}

/// What a condition does to the rows of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedCondition {
    /// As it is written.
    pub text: String,
    /// The rows for which it is TRUE.
    pub alone: u64,
    /// The rows for which it and all those before it are TRUE.
    pub remain: u64,
}

impl Evaluator<'_> {
    /// How many rows of its table each condition of `definition` leaves, as of an instant.
    ///
    /// # Errors
    /// If the definition selects no set of rows of one table, does not resolve, or a query fails.
    pub fn preview(&self, definition: &Query, as_of: Timestamp) -> Result<Preview, Error> {
        // What is wrong with the whole is said first, as of a definition that is stored.
        resolve_segment(definition, self.names(), as_of)?;
        let watch = self.engine().stopper().watch();
        let waterfall = definition.waterfall().expect("what resolves as a segment is one SELECT");
        let all = self.rows_of(&waterfall.all, as_of)?;
        let (mut left, mut conditions) = (Arc::clone(&all), Vec::with_capacity(waterfall.conditions.len()));
        for condition in waterfall.conditions {
            watch.check()?;
            let rows = self.rows_of(&condition.rows, as_of)?;
            left = Arc::new(left.and(&rows));
            conditions.push(CountedCondition { text: condition.text, alone: rows.len(), remain: left.len() });
        }
        let selected = match waterfall.choice {
            None => left.len(),
            Some(_) => self.rows_of(definition, as_of)?.len(),
        };
        Ok(Preview { rows: all.len(), conditions, choice: waterfall.choice, selected })
    }

    /// The rows that a definition selects which need not be stored, asked once per instant.
    fn rows_of(&self, definition: &Query, as_of: Timestamp) -> Result<Arc<RowSet>, Error> {
        let text = definition.digest_text();
        if let Some(known) = self.known_rows(&text, as_of) {
            return Ok(known);
        }
        let resolved = resolve_segment(definition, self.names(), as_of)?;
        let evaluation = self.whole_evaluation(&resolved.query, &mut Vec::new())?;
        let rows = Arc::new(self.engine().rows(&resolved, &evaluation)?);
        self.keep_rows(text, as_of, &rows);
        Ok(rows)
    }
}
