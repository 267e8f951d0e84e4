//! Records as Arrow batches for Parquet: the same cells as in CSV, typed.
//!
//! Money is DECIMAL(12,2), time a timestamp without zone in microseconds, degrees a double.

use std::sync::Arc;

use arrow_array::builder::{
    Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::calendar::{Day, LocalTime};
use super::money::Cents;
use super::table::{Cells, Column, Key, Kind, Record};

/// The columns of the table with their Arrow types; every column may hold nulls.
pub(super) fn schema<R: Record>() -> SchemaRef {
    let field = |column: &Column| Field::new(column.name, data_type(column.kind), true);
    Arc::new(Schema::new(R::COLUMNS.iter().map(field).collect::<Vec<Field>>()))
}

fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text => DataType::Utf8,
        Kind::Integer => DataType::Int64,
        Kind::Money => DataType::Decimal128(12, 2),
        Kind::Date => DataType::Date32,
        Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, None),
        Kind::Degrees => DataType::Float64,
    }
}

/// One row per record.
pub(super) fn batch<R: Record>(records: &[R]) -> RecordBatch {
    let values = R::COLUMNS.iter().map(|column| Values::new(column.kind)).collect();
    let mut row = Row { values, next: 0, spelled: Vec::new() };
    for record in records {
        record.cells(&mut row);
        row.next = 0;
    }
    let columns = row.values.into_iter().map(Values::finish).collect();
    RecordBatch::try_new(schema::<R>(), columns).expect("a record says one cell of the right kind per column")
}

/// The column that takes the next cell.
struct Row {
    values: Vec<Values>,
    next: usize,
    spelled: Vec<u8>,
}

enum Values {
    Text(StringBuilder),
    Integer(Int64Builder),
    Money(Decimal128Builder),
    Date(Date32Builder),
    Time(TimestampMicrosecondBuilder),
    Degrees(Float64Builder),
}

impl Values {
    fn new(kind: Kind) -> Values {
        match kind {
            Kind::Text => Values::Text(StringBuilder::new()),
            Kind::Integer => Values::Integer(Int64Builder::new()),
            Kind::Money => Values::Money(Decimal128Builder::new().with_data_type(data_type(kind))),
            Kind::Date => Values::Date(Date32Builder::new()),
            Kind::Time => Values::Time(TimestampMicrosecondBuilder::new()),
            Kind::Degrees => Values::Degrees(Float64Builder::new()),
        }
    }

    fn absent(&mut self) {
        match self {
            Values::Text(values) => values.append_null(),
            Values::Integer(values) => values.append_null(),
            Values::Money(values) => values.append_null(),
            Values::Date(values) => values.append_null(),
            Values::Time(values) => values.append_null(),
            Values::Degrees(values) => values.append_null(),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Values::Text(mut values) => Arc::new(values.finish()),
            Values::Integer(mut values) => Arc::new(values.finish()),
            Values::Money(mut values) => Arc::new(values.finish()),
            Values::Date(mut values) => Arc::new(values.finish()),
            Values::Time(mut values) => Arc::new(values.finish()),
            Values::Degrees(mut values) => Arc::new(values.finish()),
        }
    }
}

impl Row {
    fn column(&mut self) -> &mut Values {
        self.next += 1;
        &mut self.values[self.next - 1]
    }
}

/// A cell of another kind than its column's is left out, which `batch` then notices.
impl Cells for Row {
    fn absent(&mut self) {
        self.column().absent();
    }

    fn text(&mut self, text: &str) {
        if let Values::Text(values) = self.column() {
            values.append_value(text);
        }
    }

    fn key(&mut self, key: Key) {
        let mut spelled = std::mem::take(&mut self.spelled);
        spelled.clear();
        key.spell(&mut spelled);
        self.text(std::str::from_utf8(&spelled).expect("a key is letters and digits"));
        self.spelled = spelled;
    }

    fn integer(&mut self, value: i64) {
        if let Values::Integer(values) = self.column() {
            values.append_value(value);
        }
    }

    fn money(&mut self, amount: Cents) {
        if let Values::Money(values) = self.column() {
            values.append_value(i128::from(amount.0));
        }
    }

    fn date(&mut self, day: Day) {
        if let Values::Date(values) = self.column() {
            values.append_value(day.since_1970());
        }
    }

    fn time(&mut self, time: LocalTime) {
        if let Values::Time(values) = self.column() {
            values.append_value(time.since_1970() * 1_000_000);
        }
    }

    fn degrees(&mut self, value: i64) {
        if let Values::Degrees(values) = self.column() {
            // The nearest double to the decimal text, as a reader of the CSV gets it.
            values.append_value(value as f64 / 100_000.0);
        }
    }
}
