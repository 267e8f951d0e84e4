//! Queries that the room itself asks, and their answers as counts and texts.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef};
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType;
use muster_catalog::Timestamp;
use muster_language::{Statement, parse};
use muster_query::Answer;

use crate::{Error, Evaluator};

/// The answer of a SELECT.
pub(crate) fn ask(evaluator: &Evaluator<'_>, text: &str, as_of: Timestamp) -> Result<Answer, Error> {
    match parse(text)? {
        Statement::Query { query, .. } => evaluator.answer(&query, as_of),
        _ => unreachable!("what this room asks is a SELECT"),
    }
}

/// A column of an answer as texts.
pub(crate) fn texts(answer: &Answer, column: usize) -> Result<Vec<Option<String>>, Error> {
    let columns = cells(answer, column, &DataType::Utf8)?;
    let texts = columns.iter().flat_map(|cells| cells.as_string::<i32>().iter());
    Ok(texts.map(|text| text.map(str::to_owned)).collect())
}

/// A column of an answer as counts; no value is none.
pub(crate) fn counts(answer: &Answer, column: usize) -> Result<Vec<u64>, Error> {
    let columns = cells(answer, column, &DataType::Int64)?;
    let counts = columns.iter().flat_map(|cells| cells.as_primitive::<Int64Type>().iter());
    Ok(counts.map(|count| count.unwrap_or(0).cast_unsigned()).collect())
}

/// A column of an answer as whole numbers.
pub(crate) fn counted(answer: &Answer, column: usize) -> Result<Vec<Option<i64>>, Error> {
    let columns = cells(answer, column, &DataType::Int64)?;
    Ok(columns.iter().flat_map(|cells| cells.as_primitive::<Int64Type>().iter()).collect())
}

/// A column of an answer as TRUE, FALSE or NULL.
pub(crate) fn truths(answer: &Answer, column: usize) -> Result<Vec<Option<bool>>, Error> {
    let columns = cells(answer, column, &DataType::Boolean)?;
    Ok(columns.iter().flat_map(|cells| cells.as_boolean().iter()).collect())
}

/// A column of an answer as people read it, whatever it holds.
pub(crate) fn shown(answer: &Answer, column: usize) -> Result<Vec<Option<String>>, Error> {
    let options = FormatOptions::default();
    let mut texts = Vec::with_capacity(answer.row_count());
    for cells in answer.batches.iter().map(|batch| batch.column(column)) {
        let text = ArrayFormatter::try_new(cells, &options).map_err(muster_store::Error::from)?;
        // A column without any value knows of its NULLs in no other way.
        let nulls = cells.logical_nulls();
        let is_value = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        texts.extend((0..cells.len()).map(|row| is_value(row).then(|| text.value(row).to_string())));
    }
    Ok(texts)
}

fn cells(answer: &Answer, column: usize, as_type: &DataType) -> Result<Vec<ArrayRef>, Error> {
    let cells = answer.batches.iter().map(|batch| cast(batch.column(column), as_type));
    Ok(cells.collect::<Result<_, _>>().map_err(muster_store::Error::from)?)
}

/// The only row of an answer, read from left to right.
pub(crate) struct Line {
    answer: Answer,
    next: usize,
}

impl Line {
    /// # Panics
    /// If there is not exactly one row: an aggregate over a whole table has one.
    pub(crate) fn of(answer: Answer) -> Self {
        assert_eq!(answer.row_count(), 1, "an aggregate over a whole table has one row");
        Self { answer, next: 0 }
    }

    /// The next cell, a count.
    pub(crate) fn count(&mut self) -> Result<u64, Error> {
        let place = self.step();
        Ok(counts(&self.answer, place)?[0])
    }

    /// The next cell, a text.
    pub(crate) fn text(&mut self) -> Result<Option<String>, Error> {
        let place = self.step();
        Ok(texts(&self.answer, place)?.remove(0))
    }

    fn step(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }
}
