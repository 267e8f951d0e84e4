//! What is asked of a day is asked once per day: a column of dates has far fewer of them than rows.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Date32Type;
use arrow_array::{Array, ArrayRef, Date32Array};
use arrow_buffer::ScalarBuffer;
use arrow_schema::DataType;
use datafusion::arrow::compute::{max, min};
use datafusion::error::Result;
use datafusion::physical_expr::expressions::Column;

use super::block::{Block, evaluated};
use super::carried::gathered;
use super::placed::{Input, Placed};
use super::plan::{Field, RowsOf, Scope, Source};

/// A column with fewer rows than so many times its days is asked row by row.
const ROWS_PER_DAY: usize = 4;

/// What an expression says of each day from the first of a column to its last, and then of no day.
#[derive(Debug)]
pub(super) struct Days {
    first: i32,
    values: ArrayRef,
}

/// The table and column of dates that are all an expression is about.
pub(super) fn dates<'s>(scope: &'s Scope, inputs: &[Input]) -> Option<(&'s str, &'s str)> {
    let [Input::Field(field)] = inputs else { return None };
    let Field { domain, source, data_type } = &scope.fields[*field];
    match (source, &scope.domains[*domain].rows) {
        (Source::Column(column), RowsOf::Block(table)) if *data_type == DataType::Date32 => Some((table, column)),
        _ => None,
    }
}

impl Block<'_> {
    /// The values of an expression about dates; `None` where they are too few for it.
    pub(super) fn by_day(&self, scope: &Scope, placed: &Placed) -> Result<Option<ArrayRef>> {
        let is_date = placed.expr.downcast_ref::<Column>().is_some();
        let Some((table, column)) = dates(scope, &placed.inputs).filter(|_| !is_date) else { return Ok(None) };
        if placed.days.get().is_none() {
            let days = self.days_of(table, column, placed)?;
            // Another block may have been faster; it found the same.
            let _known = placed.days.set(days);
        }
        let Some(Days { first, values }) = placed.days.get().and_then(Option::as_ref) else { return Ok(None) };
        let dates = self.standing(table, column)?.arrow()?;
        let (dates, none) = (dates.as_primitive::<Date32Type>(), values.len() as u32 - 1);
        let place = |date: i32| date.wrapping_sub(*first) as u32;
        let places: ScalarBuffer<u32> = match dates.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => dates.values().iter().map(|date| place(*date)).collect(),
            Some(nulls) => {
                let known = dates.values().iter().zip(nulls);
                known.map(|(date, is_known)| if is_known { place(*date) } else { none }).collect()
            }
        };
        gathered(values, &places).map(Some)
    }

    fn days_of(&self, table: &str, column: &str, placed: &Placed) -> Result<Option<Days>> {
        let (mut rows, mut range) = (0, None::<(i32, i32)>);
        for block in 0..self.snapshot().block_count(table) {
            let dates = self.packed(table, block, column)?.arrow()?;
            let dates = dates.as_primitive::<Date32Type>();
            rows += dates.len();
            if let (Some(least), Some(greatest)) = (min(dates), max(dates)) {
                range = Some(range.map_or((least, greatest), |(first, last)| (first.min(least), last.max(greatest))));
            }
        }
        let Some((first, last)) = range else { return Ok(None) };
        let count = (i64::from(last) - i64::from(first) + 1) as usize;
        if count.saturating_mul(ROWS_PER_DAY) > rows {
            return Ok(None);
        }
        let days: Date32Array = (first..=last).map(Some).chain([None]).collect();
        // A day that nobody has may be one of which the expression cannot be asked.
        let values = evaluated(&placed.expr, &placed.schema, vec![Arc::new(days)], count + 1);
        Ok(values.ok().map(|values| Days { first, values }))
    }
}
