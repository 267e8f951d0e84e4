//! Columns that a Parquet file holds as numbers, instants or lists already.
//!
//! What is of the column's kind is taken over as it is; everything else goes through its text, and is judged like a
//! field of a CSV file.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field, TimeUnit};
use muster_catalog::ColumnType;

use super::number::finite;
use super::{ColumnReader, Form, Typed, ValueFault, as_texts, set};
use crate::report::Reason;

pub(super) fn read(reader: &ColumnReader, fields: &ArrayRef) -> Result<Typed, ArrowError> {
    let taken = if reader.takes_values_out() { None } else { taken_over(reader, fields)? };
    match taken {
        Some((array, faults)) => Ok(Typed { array, faults, placeholders: 0 }),
        None => reader.read_texts(&as_texts(fields)?),
    }
}

type Values = (ArrayRef, Vec<ValueFault>);

/// The column as it is, if it is of the right kind.
fn taken_over(reader: &ColumnReader, fields: &ArrayRef) -> Result<Option<Values>, ArrowError> {
    let target = reader.column_type.arrow();
    let kind = fields.data_type();
    Ok(match &reader.form {
        Form::Int if kind.is_integer() => Some(fitting(reader.column_type, fields, &target)?),
        Form::Decimal { .. } if kind.is_integer() => Some(fitting(reader.column_type, fields, &target)?),
        Form::Decimal { scale, .. } if decimal_scale(kind).is_some_and(|found| found <= *scale) => {
            Some(fitting(reader.column_type, fields, &target)?)
        }
        Form::Float if kind.is_floating() => Some(finite_floats(&cast(fields, &DataType::Float64)?)),
        Form::Bool(_) if *kind == DataType::Boolean => Some((fields.clone(), Vec::new())),
        Form::Date(_) if matches!(kind, DataType::Date32 | DataType::Date64) => {
            Some((cast(fields, &target)?, Vec::new()))
        }
        Form::Instant(form) => match kind {
            DataType::Timestamp(_, Some(_)) => Some(fitting(reader.column_type, fields, &target)?),
            DataType::Timestamp(_, None) => {
                let local = DataType::Timestamp(TimeUnit::Microsecond, None);
                let (locals, too_large) = fitting(reader.column_type, fields, &local)?;
                let (instants, faults) = form.of_locals(locals.as_primitive::<TimestampMicrosecondType>());
                Some((instants, too_large.into_iter().chain(faults).collect()))
            }
            _ => None,
        },
        Form::Set { .. } if matches!(kind, DataType::List(_) | DataType::LargeList(_)) => {
            let lists = cast(fields, &DataType::List(Field::new_list_field(DataType::Utf8View, true).into()))?;
            Some((Arc::new(set::from_lists(lists.as_list())), Vec::new()))
        }
        _ => None,
    })
}

fn decimal_scale(kind: &DataType) -> Option<i8> {
    match kind {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(*scale),
        _ => None,
    }
}

/// Casts what loses nothing but may be out of range: Arrow makes such values null, and here they are faults.
fn fitting(column_type: ColumnType, fields: &ArrayRef, target: &DataType) -> Result<Values, ArrowError> {
    let values = cast(fields, target)?;
    if values.null_count() == fields.null_count() {
        return Ok((values, Vec::new()));
    }
    let texts = as_texts(fields)?;
    let lost = (0..values.len()).filter(|&row| values.is_null(row) && fields.is_valid(row));
    let faults = lost.map(|row| {
        let value = texts.is_valid(row).then(|| texts.value(row));
        ValueFault::of(row, value, Reason::OutOfRange { column_type })
    });
    Ok((values.clone(), faults.collect()))
}

fn finite_floats(floats: &ArrayRef) -> Values {
    let floats = floats.as_primitive::<Float64Type>();
    let mut faults = Vec::new();
    for (row, value) in floats.iter().enumerate() {
        if let Some(Err(reason)) = value.map(finite) {
            faults.push(ValueFault::of(row, value.map(|value| value.to_string()).as_deref(), reason));
        }
    }
    // Adding zero turns minus zero into zero and leaves everything else alone.
    let values: PrimitiveArray<Float64Type> = floats.unary(|value| value + 0.0);
    (Arc::new(values), faults)
}

#[cfg(test)]
mod tests {
    use arrow_array::{Float64Array, Int64Array, TimestampSecondArray, UInt64Array};
    use chrono_tz::Tz;
    use muster_catalog::Column;

    use super::*;

    #[track_caller]
    fn check(fields: impl Array + 'static, column: &Column, expected: &[&str]) {
        let column_type = column.column_type.expect("the column of a test has a type");
        let reader = ColumnReader::new(column, column_type, &[], Tz::Europe__Amsterdam).unwrap();
        let typed = reader.read(&(Arc::new(fields) as ArrayRef)).unwrap();
        assert_eq!(typed.array.data_type(), &column_type.arrow());
        for (row, expected) in expected.iter().enumerate() {
            let fault = typed.faults.iter().find(|fault| fault.row == row);
            let value = arrow_cast::display::array_value_to_string(&typed.array, row).unwrap();
            assert_eq!(fault.map_or(value, |fault| format!("!{}", fault.reason.kind())), *expected, "row {row}");
        }
    }

    #[test]
    fn numbers_are_taken_over_exactly_or_refused() {
        let decimal = Column::typed("n", ColumnType::Decimal { precision: 5, scale: 2 });
        check(UInt64Array::from(vec![7, u64::MAX]), &Column::typed("n", ColumnType::Int), &["7", "!out of range"]);
        check(Int64Array::from(vec![7, 1000]), &decimal, &["7.00", "!out of range"]);
        check(Float64Array::from(vec![2.55, 2.555]), &decimal, &["2.55", "!too many decimals"]);
        check(
            Float64Array::from(vec![-0.0, f64::NAN]),
            &Column::typed("n", ColumnType::Float),
            &["0.0", "!out of range"],
        );
    }

    #[test]
    fn a_number_that_is_an_id_becomes_its_text() {
        let id = Column::typed("id", ColumnType::Id);
        check(Int64Array::from(vec![17850]), &id, &["17850"]);
        check(Float64Array::from(vec![17850.0]), &Column { integral: true, ..id }, &["17850"]);
    }

    #[test]
    fn an_instant_without_zone_is_read_in_the_columns() {
        let noon = 1_751_284_800;
        let column = Column::typed("at", ColumnType::Timestamp);
        check(TimestampSecondArray::from(vec![noon]), &column, &["2025-06-30T10:00:00Z"]);
        check(TimestampSecondArray::from(vec![noon]).with_timezone("UTC"), &column, &["2025-06-30T12:00:00Z"]);
        check(TimestampSecondArray::from(vec![i64::MAX / 10]), &column, &["!out of range"]);
        check(TimestampSecondArray::from(vec![1 << 40]), &column, &["!out of range"]);
    }
}
