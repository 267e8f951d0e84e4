//! One row per key: the rows of one key in a flat file become one, column by column, by each column's `pick`.
//!
//! Exact, and in the order in which the keys first appear. Holds all rows of the kept columns in memory until the last
//! one was read.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringViewArray, UInt32Array,
};
use arrow_cast::cast;
use arrow_ord::ord::{DynComparator, make_comparator};
use arrow_schema::{ArrowError, DataType};
use arrow_select::concat::concat_batches;
use arrow_select::take::take;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use muster_catalog::{ColumnType, Pick, Table};

use crate::error::Error;
use crate::plan::{Plan, PlannedColumn};
use crate::shape::TableShape;
use crate::typing::as_texts;

/// One row for each key.
pub(crate) fn one_row_per_key(
    table: &Table,
    plan: &Plan,
    shape: &TableShape<'_>,
    batches: &[RecordBatch],
) -> Result<RecordBatch, Error> {
    let inconsistent = |source| Error::Inconsistent { table: table.name.clone(), source };
    let rows = concat_batches(&shape.schema, batches).map_err(inconsistent)?;
    let keys = Keys::of(&rows, table).map_err(inconsistent)?;
    let ages = ages(&rows, table).map_err(inconsistent)?;
    let columns = plan.columns.iter().zip(rows.columns()).map(|(planned, column)| match planned.pick {
        Pick::Sum => sums(planned, column, &keys).map_err(|key| too_large(table, planned, keys.text(key))),
        pick => picked(pick, column, &keys, ages.as_ref()).map_err(inconsistent),
    });
    RecordBatch::try_new(shape.schema.clone(), columns.collect::<Result<_, _>>()?).map_err(inconsistent)
}

/// Which rows share a key.
struct Keys {
    texts: StringViewArray,
    /// The number of each row's key, in the order of first appearance.
    numbers: Vec<usize>,
    /// The first row of each key.
    first_rows: Vec<usize>,
}

impl Keys {
    fn of(rows: &RecordBatch, table: &Table) -> Result<Self, ArrowError> {
        let column = table.key.as_deref().and_then(|key| rows.column_by_name(key));
        let texts = as_texts(column.ok_or_else(|| ArrowError::SchemaError("no key column".to_owned()))?)?;
        let mut known: HashMap<&str, usize, FixedState> = HashMap::default();
        let (mut numbers, mut first_rows) = (Vec::with_capacity(texts.len()), Vec::new());
        for (row, text) in texts.iter().enumerate() {
            let number = *known.entry(text.unwrap_or_default()).or_insert(first_rows.len());
            if number == first_rows.len() {
                first_rows.push(row);
            }
            numbers.push(number);
        }
        Ok(Self { numbers, first_rows, texts: texts.clone() })
    }

    fn count(&self) -> usize {
        self.first_rows.len()
    }

    fn text(&self, number: usize) -> String {
        self.texts.value(self.first_rows[number]).to_owned()
    }
}

/// When each row last changed at its source, where the table knows.
fn ages(rows: &RecordBatch, table: &Table) -> Result<Option<Int64Array>, ArrowError> {
    let column = table.updated_at.as_deref().and_then(|name| rows.column_by_name(name));
    let cast_to_int = |column: &ArrayRef| Ok(cast(column, &DataType::Int64)?.as_primitive::<Int64Type>().clone());
    column.map(cast_to_int).transpose()
}

/// For each key the value that its pick prefers among those that are there.
fn picked(pick: Pick, column: &ArrayRef, keys: &Keys, ages: Option<&Int64Array>) -> Result<ArrayRef, ArrowError> {
    let preference = Preference::of(pick, column, ages)?;
    let mut chosen: Vec<Option<usize>> = vec![None; keys.count()];
    for row in (0..column.len()).filter(|row| column.is_valid(*row)) {
        let best = &mut chosen[keys.numbers[row]];
        if best.is_none_or(|best| preference.prefers(row, best)) {
            *best = Some(row);
        }
    }
    let rows: UInt32Array = chosen.into_iter().map(|row| row.and_then(|row| u32::try_from(row).ok())).collect();
    take(column, &rows, None)
}

/// Which of two rows gives the value.
enum Preference<'a> {
    Earlier,
    Later,
    Smaller(DynComparator),
    Larger(DynComparator),
    Older(&'a Int64Array, DynComparator),
    Newer(&'a Int64Array, DynComparator),
}

impl<'a> Preference<'a> {
    fn of(pick: Pick, column: &ArrayRef, ages: Option<&'a Int64Array>) -> Result<Self, ArrowError> {
        let compare = || make_comparator(column, column, arrow_schema::SortOptions::default());
        Ok(match (pick, ages) {
            (Pick::First | Pick::Sum, None) => Self::Earlier,
            (Pick::Last, None) => Self::Later,
            (Pick::First | Pick::Sum, Some(ages)) => Self::Older(ages, compare()?),
            (Pick::Last, Some(ages)) => Self::Newer(ages, compare()?),
            (Pick::Min, _) => Self::Smaller(compare()?),
            (Pick::Max, _) => Self::Larger(compare()?),
        })
    }

    /// Whether `row`, which comes later, is preferred to the best so far. A row that does not say when it changed is
    /// older than all that do.
    fn prefers(&self, row: usize, best: usize) -> bool {
        let age = |ages: &Int64Array, row: usize| ages.is_valid(row).then(|| ages.value(row));
        match self {
            Self::Earlier => false,
            Self::Later => true,
            Self::Smaller(compare) => compare(row, best) == Ordering::Less,
            Self::Larger(compare) => compare(row, best) == Ordering::Greater,
            Self::Older(ages, compare) => age(ages, row).cmp(&age(ages, best)).then_with(|| compare(row, best)).is_lt(),
            Self::Newer(ages, compare) => age(ages, best).cmp(&age(ages, row)).then_with(|| compare(row, best)).is_lt(),
        }
    }
}

/// For each key the sum of the values that are there; `Err` with the number of a key whose sum does not fit the type.
fn sums(planned: &PlannedColumn, column: &ArrayRef, keys: &Keys) -> Result<ArrayRef, usize> {
    match planned.column_type {
        ColumnType::Decimal { precision, .. } => {
            let limit = 10_i128.pow(precision.into());
            let values = column.as_primitive::<Decimal128Type>();
            let sums = sum_by_key(values.iter(), keys, |sum, value| {
                sum.checked_add(value).filter(|sum| sum.checked_abs().is_some_and(|size| size < limit))
            })?;
            Ok(Arc::new(Decimal128Array::from_iter(sums).with_data_type(column.data_type().clone())))
        }
        ColumnType::Float => {
            let sums = sum_by_key(column.as_primitive::<Float64Type>().iter(), keys, |sum, value| {
                Some(sum + value).filter(|sum| sum.is_finite())
            })?;
            Ok(Arc::new(Float64Array::from(sums)))
        }
        _ => {
            let sums = sum_by_key(column.as_primitive::<Int64Type>().iter(), keys, i64::checked_add)?;
            Ok(Arc::new(Int64Array::from(sums)))
        }
    }
}

fn sum_by_key<T: Copy>(
    values: impl Iterator<Item = Option<T>>,
    keys: &Keys,
    add: impl Fn(T, T) -> Option<T>,
) -> Result<Vec<Option<T>>, usize> {
    let mut sums: Vec<Option<T>> = vec![None; keys.count()];
    for (value, number) in values.zip(&keys.numbers) {
        if let Some(value) = value {
            let sum = sums[*number].map_or(Some(value), |sum| add(sum, value));
            sums[*number] = Some(sum.ok_or(*number)?);
        }
    }
    Ok(sums)
}

fn too_large(table: &Table, planned: &PlannedColumn, key: String) -> Error {
    Error::SumTooLarge {
        table: table.name.clone(),
        column: planned.column.name.clone(),
        column_type: planned.column_type,
        key,
    }
}
