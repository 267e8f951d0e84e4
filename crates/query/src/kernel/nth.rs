//! `first(…)`, `last(…)`, `nth(…)`: which row of each group that is, and what it says.

use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_buffer::{BooleanBuffer, ScalarBuffer};
use arrow_select::take::take;
use datafusion::arrow::row::Rows;
use datafusion::error::Result;
use datafusion::physical_expr::expressions::Column;
use muster_store::ColumnData;

use super::block::{Block, codes_of};
use super::chosen::sort;
use super::placed::{Input, Placed};
use super::plan::{Aggregate, History, LEVEL, Reduction, RowsOf, Scope, Step};
use super::reduce::Groups;
use super::tuples::Tuples;
use super::visible::there;

/// The column whose text an aggregate takes of one row, where rows stand in their order and all of them count: what is asked
/// of it is then asked once per text.
pub(super) fn text_of_one(scope: &Scope, aggregate: &Aggregate) -> Option<RowsOf> {
    let Aggregate { reduction: Reduction::Nth(_), argument: Some(argument), filter, order, .. } = aggregate else {
        return None;
    };
    let [Input::Field(field)] = argument.inputs.as_slice() else { return None };
    let coded = &scope.domains[scope.fields[*field].domain];
    let is_text = matches!(coded.step, Step::Text { .. }) && argument.expr.downcast_ref::<Column>().is_some();
    let is_every = filter.first.is_empty() && filter.then.is_empty() && order.is_empty();
    (is_text && is_every && coded.from == LEVEL).then(|| coded.rows.clone())
}

impl Block<'_> {
    /// For each row with a history the code of the text of its n-th row, that of none behind the last.
    pub(super) fn nth_codes(&self, history: &History, aggregate: usize, texts: &RowsOf) -> Result<ScalarBuffer<u32>> {
        let (Reduction::Nth(place), RowsOf::Texts { table, column }) =
            (&history.aggregates[aggregate].reduction, texts)
        else {
            unreachable!("compiled for the text of one row");
        };
        let offsets = self.offsets(&history.shared, table)?;
        let there = there(self, table, &history.scope.visible)?;
        let rows = nth_rows(*place, None, there.as_ref(), &Groups { offsets: &offsets });
        let (packed, texts) = (self.standing(table, column)?, self.texts(table, column)?);
        let none = texts.len() as u32;
        Ok(match packed.as_ref() {
            ColumnData::Codes { codes, .. } => {
                rows.iter().map(|row| row.and_then(|row| codes.code(row as usize)).unwrap_or(none)).collect()
            }
            packed => {
                let codes = codes_of(packed, &texts)?;
                rows.iter().map(|row| row.map_or(none, |row| codes[row as usize])).collect()
            }
        })
    }
}

/// The n-th row of each group, from one, or from the end below zero.
pub(super) fn nth_rows(
    place: i64,
    order: Option<&Rows>,
    passing: Option<&BooleanBuffer>,
    groups: &Groups<'_>,
) -> Vec<Option<u32>> {
    let from = usize::try_from(place.unsigned_abs()).unwrap_or(usize::MAX);
    let Some(skipped) = from.checked_sub(1) else { return vec![None; groups.count()] };
    if order.is_some() {
        let of_group = |group| {
            let mut rows = groups.rows(group, passing);
            sort(&mut rows, order);
            let index = if place < 0 { rows.len().checked_sub(from)? } else { skipped };
            rows.get(index).copied()
        };
        return (0..groups.count()).map(of_group).collect();
    }
    let Some(passing) = passing else {
        let of_group = |(first, end): (usize, usize)| {
            let row = if place < 0 { end.checked_sub(from)? } else { first.checked_add(skipped)? };
            (first..end).contains(&row).then_some(row as u32)
        };
        return groups.ranges().map(of_group).collect();
    };
    let is_there = |row: &usize| passing.value(*row);
    let of_group = |(first, end): (usize, usize)| {
        let mut rows = (first..end).filter(is_there);
        let row = if place < 0 { rows.nth_back(skipped) } else { rows.nth(skipped) };
        row.map(|row| row as u32)
    };
    groups.ranges().map(of_group).collect()
}

/// The values of an expression for these tuples, and NULL for none.
pub(super) fn at_rows(tuples: &Tuples<'_>, argument: &Placed, rows: &[Option<u32>]) -> Result<ArrayRef> {
    let there: Vec<u32> = rows.iter().flatten().copied().collect();
    let values = tuples.some(&there).value(argument)?;
    if there.len() == rows.len() {
        return Ok(values);
    }
    let places = rows.iter().scan(0, |next, row| Some(row.map(|_| std::mem::replace(next, *next + 1))));
    Ok(take(&values, &UInt32Array::from_iter(places), None)?)
}
