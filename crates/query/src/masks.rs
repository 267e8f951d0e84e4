//! Columns whose values a query does not see.
//!
//! A masked column is NULL where its table is scanned, before anything could look at it. So what a condition, a CASE, a
//! group, an order or the text of an error could tell of its values, it tells of NULL.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::error::DataFusionError;

/// The columns that are masked, and what becomes of a query that reads one.
#[derive(Debug, Clone, Default)]
pub struct Masks {
    /// By table and column: the word for who may see it.
    columns: Arc<BTreeMap<(String, String), &'static str>>,
    refuses: bool,
    read: Arc<Mutex<BTreeSet<String>>>,
}

/// A masked column that a query read which may not.
#[derive(Debug, thiserror::Error)]
#[error("`{column}` is {class}")]
pub(crate) struct MaskedColumn {
    pub(crate) column: String,
    pub(crate) class: &'static str,
}

impl Masks {
    /// Masks over these columns of tables, each with the word for who may see it: their values are NULL.
    pub fn hiding(columns: BTreeMap<(String, String), &'static str>) -> Self {
        Self { columns: Arc::new(columns), refuses: false, read: Arc::default() }
    }

    /// The same columns for a query whose answer would be wrong without them: one that reads any is refused.
    pub fn refusing(&self) -> Self {
        Self { refuses: true, ..self.fresh() }
    }

    /// The same, for another query.
    pub fn fresh(&self) -> Self {
        Self { columns: Arc::clone(&self.columns), refuses: self.refuses, read: Arc::default() }
    }

    /// Whether there is nothing to mask.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    pub(crate) fn covers(&self, table: &str, column: &str) -> bool {
        self.class(table, column).is_some()
    }

    fn class(&self, table: &str, column: &str) -> Option<&'static str> {
        if self.columns.is_empty() {
            return None;
        }
        self.columns.get(&(table.to_owned(), column.to_owned())).copied()
    }

    /// Notes that a query reads these columns of `table`.
    pub(crate) fn note<'c>(&self, table: &str, columns: impl Iterator<Item = &'c str>) -> Result<(), DataFusionError> {
        for column in columns {
            let Some(class) = self.class(table, column) else { continue };
            let column = format!("{table}.{column}");
            if self.refuses {
                return Err(DataFusionError::External(Box::new(MaskedColumn { column, class })));
            }
            self.noted().insert(column);
        }
        Ok(())
    }

    /// The masked columns that were read, as `table.column`, in order.
    pub(crate) fn read(&self) -> Vec<String> {
        self.noted().iter().cloned().collect()
    }

    fn noted(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // A name is noted whole or not at all.
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
