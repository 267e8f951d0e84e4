//! What a query runs over.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow_schema::{ArrowError, DataType};
use chrono_tz::Tz;
use muster_catalog::RowSet;
use muster_store::Snapshot;

use crate::{EachProfile, Masks};

/// One snapshot, its zone, and the columns that the query reads beside the stored ones, evaluated on it already.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The tables, their fields as of the query's instant; that later rows are not there yet is the query's own condition.
    pub snapshot: Arc<Snapshot>,
    /// The zone in which instants are shown, truncated and added to.
    pub zone: Tz,
    /// What the query names and no table has.
    pub computed: Vec<Computed>,
    /// The tables that it names and the snapshot does not have, by name.
    pub tables: Vec<(String, RecordBatch)>,
    /// The columns whose values it does not see.
    pub masks: Masks,
}

/// A column that a table has for one query.
#[derive(Debug, Clone)]
pub struct Computed {
    /// The table.
    pub table: String,
    /// Its name.
    pub column: String,
    /// What it says.
    pub content: Content,
}

/// What a computed column says of each row of its table.
#[derive(Debug, Clone)]
pub enum Content {
    /// Whether the row is one of these: of a segment, a list, an audience, a condition about the past.
    Members(Arc<RowSet>),
    /// The value of the row: of a variable.
    Values(Arc<Values>),
    /// What is asked of each profile when its turn comes; only of what is itself asked of one profile at a time.
    Each(Arc<EachProfile>),
}

/// A value for each row of a table; NULL for rows that it does not know.
#[derive(Debug, Clone)]
pub struct Values {
    values: ArrayRef,
    /// For each row number the place of its value.
    places: UInt32Array,
}

impl Values {
    /// The values of these rows, in any order.
    pub fn new(rows: &[u32], values: ArrayRef) -> Self {
        let mut places = vec![None; rows.iter().max().map_or(0, |last| *last as usize + 1)];
        for (place, row) in rows.iter().enumerate() {
            places[*row as usize] = u32::try_from(place).ok();
        }
        Self { values, places: places.into() }
    }

    /// What they are, in Arrow's words.
    pub fn data_type(&self) -> &DataType {
        self.values.data_type()
    }

    /// The same as another type; what does not fit is NULL.
    ///
    /// # Errors
    /// If there is no such cast.
    pub fn cast(&self, to: &DataType) -> Result<Self, ArrowError> {
        Ok(Self { values: arrow_cast::cast(&self.values, to)?, places: self.places.clone() })
    }

    fn of(&self, rows: &[i64]) -> Result<ArrayRef, ArrowError> {
        let place = |row: &i64| {
            let row = usize::try_from(*row).ok().filter(|row| *row < self.places.len())?;
            self.places.is_valid(row).then(|| self.places.value(row))
        };
        let places: UInt32Array = rows.iter().map(place).collect();
        arrow_select::take::take(&self.values, &places, None)
    }
}

impl Content {
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Self::Members(_) => DataType::Boolean,
            Self::Values(values) => values.data_type().clone(),
            Self::Each(each) => each.data_type(),
        }
    }

    /// The column for `count` rows from the number `first` on.
    pub(crate) fn of_block(&self, first: i64, count: usize) -> Result<ArrayRef, ArrowError> {
        match (self, u32::try_from(first)) {
            (Self::Members(members), Ok(first)) => Ok(Arc::new(BooleanArray::new(members.marks(first, count), None))),
            _ => self.of(&(first..).take(count).collect::<Vec<_>>()),
        }
    }

    /// The column for the rows with these numbers.
    ///
    /// # Errors
    /// If there are more of them than an array holds.
    pub fn of(&self, rows: &[i64]) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::Members(members) => {
                let member = |row: &i64| Some(u32::try_from(*row).is_ok_and(|row| members.contains(row)));
                Ok(Arc::new(rows.iter().map(member).collect::<BooleanArray>()))
            }
            Self::Values(values) => values.of(rows),
            Self::Each(_) => Err(ArrowError::ComputeError("what is asked of one profile was asked of all".to_owned())),
        }
    }
}
