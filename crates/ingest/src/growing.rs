//! Rows that are put behind each other as they come, column by column.
//!
//! Each wave's memory is free for the next once its rows are copied. Kept in pieces until the end, a table of gigabytes
//! stood in memory that nobody had touched before, twice: a fifth of a load went into clearing it.

use std::sync::Arc;

use arrow_array::builder::{ArrayBuilder, PrimitiveBuilder, StringViewBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, SchemaRef, TimeUnit};
use arrow_select::concat::concat;
use rayon::prelude::*;

/// The rows that came so far.
pub(crate) struct GrowingRows {
    schema: SchemaRef,
    columns: Vec<Box<dyn Growing>>,
    count: usize,
}

impl GrowingRows {
    /// No rows yet, of this schema.
    pub fn of(schema: SchemaRef) -> Self {
        Self { schema, columns: Vec::new(), count: 0 }
    }

    /// Puts a wave of batches of the schema behind the rows that are there. It is this share of all that will come, as far
    /// as one can tell: by the first that has rows room is reserved for all, and memory taken as they are copied.
    pub fn append(&mut self, wave: &[RecordBatch], share: f64) {
        let rows: usize = wave.iter().map(RecordBatch::num_rows).sum();
        if rows == 0 {
            return;
        }
        if self.columns.is_empty() {
            let room = ((rows as f64 / share * MARGIN).min(MOST_ROOM) as usize).max(rows);
            self.columns = self.schema.fields().iter().map(|field| growing(field.data_type(), room)).collect();
        }
        self.count += rows;
        let columns = self.columns.par_iter_mut().enumerate();
        columns.for_each(|(at, column)| wave.iter().for_each(|batch| column.append(batch.column(at))));
    }

    /// All of them; `None` where none came.
    ///
    /// # Errors
    /// If sets cannot be put together.
    pub fn finish(self) -> Result<Option<RecordBatch>, ArrowError> {
        if self.count == 0 {
            return Ok(None);
        }
        let columns = self.columns.into_iter().map(|mut column| column.whole()).collect::<Result<_, _>>()?;
        RecordBatch::try_new(self.schema, columns).map(Some)
    }
}

/// Rows for which room is reserved at most, a gibibyte of texts, however many the first wave promised: a small machine may
/// refuse even what nobody touches. More are copied once more.
const MOST_ROOM: f64 = (1 << 26) as f64;

/// More room than the first wave tells of: its rows may be longer than others.
const MARGIN: f64 = 1.05;

/// A column while its rows come.
trait Growing: Send {
    /// Puts rows of its type behind those that are there.
    fn append(&mut self, piece: &ArrayRef);

    /// All of its rows.
    fn whole(&mut self) -> Result<ArrayRef, ArrowError>;
}

fn growing(data_type: &DataType, room: usize) -> Box<dyn Growing> {
    fn numbers<T: ArrowPrimitiveType>(data_type: &DataType, room: usize) -> Box<dyn Growing> {
        Box::new(PrimitiveBuilder::<T>::with_capacity(room).with_data_type(data_type.clone()))
    }
    match data_type {
        DataType::Utf8View => Box::new(StringViewBuilder::with_capacity(room)),
        DataType::Int64 => numbers::<Int64Type>(data_type, room),
        DataType::Decimal128(..) => numbers::<Decimal128Type>(data_type, room),
        DataType::Float64 => numbers::<Float64Type>(data_type, room),
        DataType::Timestamp(TimeUnit::Microsecond, _) => numbers::<TimestampMicrosecondType>(data_type, room),
        DataType::Date32 => numbers::<Date32Type>(data_type, room),
        // Truth values and sets are small.
        _ => Box::new(Pieces(Vec::new())),
    }
}

impl<T: ArrowPrimitiveType> Growing for PrimitiveBuilder<T> {
    fn append(&mut self, piece: &ArrayRef) {
        self.append_array(piece.as_primitive());
    }

    fn whole(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(ArrayBuilder::finish(self))
    }
}

impl Growing for StringViewBuilder {
    fn append(&mut self, piece: &ArrayRef) {
        self.append_array(piece.as_string_view());
    }

    fn whole(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(ArrayBuilder::finish(self))
    }
}

/// A column that is put together in the end.
struct Pieces(Vec<ArrayRef>);

impl Growing for Pieces {
    fn append(&mut self, piece: &ArrayRef) {
        self.0.push(Arc::clone(piece));
    }

    fn whole(&mut self) -> Result<ArrayRef, ArrowError> {
        concat(&self.0.iter().map(AsRef::as_ref).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{BooleanArray, Decimal128Array, Int64Array, StringViewArray, TimestampMicrosecondArray};
    use arrow_schema::{Field, Schema};
    use arrow_select::concat::concat_batches;

    use super::*;

    fn rows(from: i64, count: i64) -> RecordBatch {
        let some = |row: i64| (row % 3 != 0).then_some(row);
        let columns: Vec<ArrayRef> = vec![
            Arc::new((from..from + count).map(some).collect::<Int64Array>()),
            Arc::new(
                (from..from + count)
                    .map(|row| Some(format!("more than stands in a view, {row}")))
                    .collect::<StringViewArray>(),
            ),
            Arc::new((from..from + count).map(|row| some(row).map(|row| row.to_string())).collect::<StringViewArray>()),
            Arc::new(
                (from..from + count)
                    .map(|row| some(row).map(i128::from))
                    .collect::<Decimal128Array>()
                    .with_precision_and_scale(12, 2)
                    .unwrap(),
            ),
            Arc::new((from..from + count).map(some).collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
            Arc::new((from..from + count).map(|row| some(row).map(|row| row % 2 == 0)).collect::<BooleanArray>()),
        ];
        let fields =
            columns.iter().enumerate().map(|(at, column)| Field::new(at.to_string(), column.data_type().clone(), true));
        RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns).unwrap()
    }

    /// Its slow twin is the library's own way, which needs all of them at once.
    #[test]
    fn rows_are_those_that_came_however_many_were_expected() {
        let waves = [vec![rows(0, 5), rows(5, 1)], vec![], vec![rows(6, 100)], vec![rows(106, 2), rows(108, 3)]];
        let all: Vec<RecordBatch> = waves.iter().flatten().cloned().collect();
        for share in [1.0, 0.5, 1e-9, f64::MIN_POSITIVE] {
            let mut growing = GrowingRows::of(all[0].schema());
            waves.iter().for_each(|wave| growing.append(wave, share));
            let expected = concat_batches(&all[0].schema(), &all).unwrap();
            assert_eq!(growing.finish().unwrap(), Some(expected), "{share}");
        }
    }

    #[test]
    fn no_rows_are_no_batch() {
        let mut growing = GrowingRows::of(rows(0, 1).schema());
        growing.append(&[], 1.0);
        assert_eq!(growing.finish().unwrap(), None);
    }
}
