//! Columns that a Parquet file holds as numbers, instants or lists already.
//!
//! What is of the column's kind is taken over as it is; everything else goes through its text, and is judged like a
//! field of a CSV file, except that a number is written the plain way whatever the column says of its texts.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, BooleanArray, PrimitiveArray};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field, TimeUnit};
use arrow_select::nullif::nullif;
use muster_catalog::ColumnType;

use super::days::DAY;
use super::number::finite;
use super::{ColumnReader, Form, Remarks, Typed, ValueFault, as_texts, controls, is_listed, not_a, set};
use crate::report::Reason;

pub(super) fn read(reader: &ColumnReader, fields: &ArrayRef) -> Result<Typed, ArrowError> {
    if is_text(fields.data_type()) {
        return reader.read_texts(&as_texts(fields)?);
    }
    let (fields, placeholders) = without_listed(reader, fields)?;
    match taken_over(reader, &fields)? {
        Some((array, faults)) => Ok(Typed { array, faults, placeholders, remarks: Remarks::default() }),
        None => {
            let typed = reader.read_plain_texts(&as_texts(&fields)?)?;
            Ok(Typed { placeholders, ..typed })
        }
    }
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

/// The column without the values whose texts stand for "no value" or "not known", and how many of the latter there
/// were. What is true, false or a list has no such text.
fn without_listed(reader: &ColumnReader, fields: &ArrayRef) -> Result<(ArrayRef, u64), ArrowError> {
    if !reader.takes_values_out() || matches!(fields.data_type(), DataType::Boolean) || fields.data_type().is_nested() {
        return Ok((fields.clone(), 0));
    }
    let texts = as_texts(fields)?;
    let are_listed = |list: &[String]| -> BooleanArray {
        texts.iter().map(|text| Some(text.is_some_and(|text| is_listed(text, list)))).collect()
    };
    let unknown = are_listed(&reader.placeholders);
    let left = nullif(&nullif(fields, &are_listed(&reader.nulls))?, &unknown)?;
    Ok((left, unknown.true_count() as u64))
}

type Values = (ArrayRef, Vec<ValueFault>);

/// The column as it is, if it is of the right kind.
fn taken_over(reader: &ColumnReader, fields: &ArrayRef) -> Result<Option<Values>, ArrowError> {
    let target = reader.column_type.arrow();
    let kind = fields.data_type();
    Ok(match &reader.form {
        Form::Int if kind.is_integer() => Some(fitting(reader.column_type, fields, &target)?),
        Form::Int if kind.is_floating() => Some(whole_floats(&cast(fields, &DataType::Float64)?)),
        Form::Decimal { .. } if kind.is_integer() => Some(fitting(reader.column_type, fields, &target)?),
        Form::Decimal { scale, .. } if decimal_scale(kind).is_some_and(|found| found <= *scale) => {
            Some(fitting(reader.column_type, fields, &target)?)
        }
        Form::Float if kind.is_floating() => Some(finite_floats(&cast(fields, &DataType::Float64)?)),
        Form::Bool(_) if *kind == DataType::Boolean => Some((fields.clone(), Vec::new())),
        Form::Date(_) => dates(fields, &target)?,
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
        Form::Set { .. } if matches!(kind, DataType::List(_) | DataType::LargeList(_)) => Some(sets(fields)?),
        _ => None,
    })
}

/// Days, also where they are written as the midnights with which they begin; another time of the day would be lost.
fn dates(fields: &ArrayRef, target: &DataType) -> Result<Option<Values>, ArrowError> {
    match fields.data_type() {
        DataType::Date32 => Ok(Some((fields.clone(), Vec::new()))),
        DataType::Date64 | DataType::Timestamp(_, None) => {
            let local = DataType::Timestamp(TimeUnit::Microsecond, None);
            let (locals, mut faults) = fitting(ColumnType::Date, fields, &local)?;
            let micros = locals.as_primitive::<TimestampMicrosecondType>();
            let texts = as_texts(&locals)?;
            let timed =
                (0..locals.len()).filter(|row| locals.is_valid(*row) && micros.value(*row).rem_euclid(DAY) != 0);
            let fault =
                |row| ValueFault::of(row, Some(texts.value(row)), not_a(ColumnType::Date, "a day without time"));
            faults.extend(timed.map(fault));
            Ok(Some((cast(&locals, target)?, faults)))
        }
        _ => Ok(None),
    }
}

/// Lists of texts; a member that is no text at all is no member.
fn sets(fields: &ArrayRef) -> Result<Values, ArrowError> {
    let lists = cast(fields, &DataType::List(Field::new_list_field(DataType::Utf8View, true).into()))?;
    let lists = lists.as_list::<i32>();
    let odd = (0..lists.len()).filter(|row| lists.is_valid(*row)).flat_map(|row| {
        let members = lists.value(row);
        let odd = controls(members.as_string_view());
        odd.into_iter().take(1).map(move |fault| ValueFault { row, ..fault }).collect::<Vec<_>>()
    });
    let faults = odd.collect();
    Ok((Arc::new(set::from_lists(lists)), faults))
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

/// Doubles that are whole numbers: what a table program makes of a column of them with gaps.
fn whole_floats(floats: &ArrayRef) -> Values {
    let floats = floats.as_primitive::<Float64Type>();
    let mut faults = Vec::new();
    let whole = |(row, value): (usize, Option<f64>)| {
        let value = value?;
        // Of larger ones a double does not hold every one, so nobody knows which was meant.
        const EXACT: f64 = (1_i64 << 53) as f64;
        let reason = if value.fract() != 0.0 || value.is_nan() {
            not_a(ColumnType::Int, "a number without fraction")
        } else if value.abs() > EXACT {
            Reason::OutOfRange { column_type: ColumnType::Int }
        } else {
            return Some(value as i64);
        };
        faults.push(ValueFault::of(row, Some(&value.to_string()), reason));
        Some(0)
    };
    let values: PrimitiveArray<Int64Type> = floats.iter().enumerate().map(whole).collect();
    (Arc::new(values), faults)
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
    use arrow_array::builder::{ListBuilder, StringBuilder};
    use arrow_array::types::{Decimal32Type, Decimal256Type, Int32Type, TimestampMillisecondType};
    use arrow_array::{
        Date32Array, Date64Array, Decimal128Array, DictionaryArray, Float16Array, Float64Array, Int64Array,
        LargeStringArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
        TimestampSecondArray, UInt8Array, UInt64Array,
    };
    use chrono_tz::Tz;
    use muster_catalog::Column;

    use super::*;

    #[track_caller]
    fn check(fields: impl Array + 'static, column: &Column, expected: &[&str]) {
        let column_type = column.column_type.expect("the column of a test has a type");
        let reader = ColumnReader::new(column, column_type, &["none".into()], Tz::Europe__Amsterdam).unwrap();
        let typed = reader.read(&(Arc::new(fields) as ArrayRef)).unwrap();
        assert_eq!(typed.array.data_type(), &column_type.arrow());
        for (row, expected) in expected.iter().enumerate() {
            let fault = typed.faults.iter().find(|fault| fault.row == row);
            let value = arrow_cast::display::array_value_to_string(&typed.array, row).unwrap();
            assert_eq!(fault.map_or(value, |fault| format!("!{}", fault.reason.kind())), *expected, "row {row}");
        }
    }

    fn decimal(precision: u8, scale: i8) -> Column {
        Column::typed("n", ColumnType::Decimal { precision, scale })
    }

    #[test]
    fn numbers_are_taken_over_exactly_or_refused() {
        let int = Column::typed("n", ColumnType::Int);
        check(UInt64Array::from(vec![7, u64::MAX]), &int, &["7", "!out of range"]);
        check(UInt8Array::from(vec![255]), &int, &["255"]);
        check(Int64Array::from(vec![7, 1000]), &decimal(5, 2), &["7.00", "!out of range"]);
        check(Float64Array::from(vec![2.55, 2.555]), &decimal(5, 2), &["2.55", "!too many decimals"]);
        let float = Column::typed("n", ColumnType::Float);
        check(Float64Array::from(vec![-0.0, f64::NAN]), &float, &["0.0", "!out of range"]);
        check(Float16Array::from_iter([0.5, -2.0].map(|value| Some(half(value)))), &float, &["0.5", "-2.0"]);
    }

    /// Sixteen bits of a double that needs no more.
    fn half(value: f32) -> <arrow_array::types::Float16Type as arrow_array::ArrowPrimitiveType>::Native {
        <arrow_array::types::Float16Type as arrow_array::ArrowPrimitiveType>::Native::from_f32(value)
    }

    #[test]
    fn doubles_are_whole_numbers_where_they_are_exactly() {
        let values =
            vec![Some(3.0), None, Some(-0.0), Some(3.5), Some(1e300), Some(f64::NAN), Some(9_007_199_254_740_992.0)];
        let expected =
            ["3", "", "0", "!not a whole number", "!out of range", "!not a whole number", "9007199254740992"];
        check(Float64Array::from(values), &Column::typed("n", ColumnType::Int), &expected);
    }

    #[test]
    fn decimals_of_every_width_keep_every_digit() {
        let narrow = PrimitiveArray::<Decimal32Type>::from(vec![150]).with_precision_and_scale(9, 2).unwrap();
        check(narrow, &decimal(12, 2), &["1.50"]);
        let wide = |units: i128| Decimal128Array::from(vec![units]).with_precision_and_scale(38, 10).unwrap();
        check(wide(15_000_000_000), &decimal(12, 2), &["1.50"]);
        check(wide(15_000_000_001), &decimal(12, 2), &["!too many decimals"]);
        check(wide(10_i128.pow(37)), &decimal(12, 2), &["!out of range"]);
        let units = [arrow_value(150), arrow_value(i128::MAX)];
        let widest = PrimitiveArray::<Decimal256Type>::from(units.to_vec()).with_precision_and_scale(60, 2).unwrap();
        check(widest, &decimal(38, 2), &["1.50", "!out of range"]);
    }

    fn arrow_value(units: i128) -> <Decimal256Type as arrow_array::ArrowPrimitiveType>::Native {
        <Decimal256Type as arrow_array::ArrowPrimitiveType>::Native::from_i128(units)
    }

    #[test]
    fn a_number_that_is_an_id_becomes_its_text() {
        let id = Column::typed("id", ColumnType::Id);
        check(Int64Array::from(vec![17850]), &id, &["17850"]);
        check(Float64Array::from(vec![17850.0]), &Column { integral: true, ..id }, &["17850"]);
    }

    #[test]
    fn how_texts_of_numbers_are_written_is_nothing_to_numbers() {
        let column = Column { decimal: Some(','), thousands: Some('.'), ..decimal(9, 3) };
        check(Float64Array::from(vec![1.234]), &column, &["1.234"]);
        check(LargeStringArray::from(vec!["1.234,5"]), &column, &["1234.500"]);
    }

    #[test]
    fn texts_of_every_layout_are_texts() {
        let text = Column::typed("name", ColumnType::Text);
        let dictionary: DictionaryArray<Int32Type> =
            vec![Some("Ann"), None, Some("Ann"), Some("none")].into_iter().collect();
        check(dictionary, &text, &["Ann", "", "Ann", ""]);
        check(LargeStringArray::from(vec!["Ann", "none"]), &text, &["Ann", ""]);
    }

    #[test]
    fn an_instant_of_every_unit_is_taken_over_and_without_zone_read_in_the_columns() {
        let noon = 1_751_284_800;
        let at = Column::typed("at", ColumnType::Timestamp);
        check(TimestampSecondArray::from(vec![noon]), &at, &["2025-06-30T10:00:00Z"]);
        check(TimestampSecondArray::from(vec![noon]).with_timezone("UTC"), &at, &["2025-06-30T12:00:00Z"]);
        check(TimestampMillisecondArray::from(vec![noon * 1000]), &at, &["2025-06-30T10:00:00Z"]);
        check(TimestampMicrosecondArray::from(vec![noon * 1_000_000 + 5]), &at, &["2025-06-30T10:00:00.000005Z"]);
        let zoned = TimestampNanosecondArray::from(vec![noon * 1_000_000_000 + 999]).with_timezone("America/New_York");
        check(zoned, &at, &["2025-06-30T12:00:00Z"]);
        check(TimestampSecondArray::from(vec![i64::MAX / 10]), &at, &["!out of range"]);
        check(TimestampSecondArray::from(vec![1 << 40]), &at, &["!out of range"]);
        check(Date32Array::from(vec![20_269]), &at, &["2025-06-29T22:00:00Z"]);
    }

    #[test]
    fn a_midnight_is_a_date_and_another_time_is_none() {
        let day = Column { format: Some("%d-%m-%Y".into()), ..Column::typed("day", ColumnType::Date) };
        let noon = 1_751_284_800;
        check(Date32Array::from(vec![Some(20_269), None]), &day, &["2025-06-30", ""]);
        check(Date64Array::from(vec![20_269 * 86_400_000]), &day, &["2025-06-30"]);
        let stamps = PrimitiveArray::<TimestampMillisecondType>::from(vec![20_269 * 86_400_000, noon * 1000]);
        check(stamps, &day, &["2025-06-30", "!not a date"]);
    }

    #[test]
    fn truth_is_itself_whatever_words_the_column_has() {
        let column = Column { truthy: vec!["J".into()], ..Column::typed("b", ColumnType::Bool) };
        check(BooleanArray::from(vec![Some(true), Some(false), None]), &column, &["true", "false", ""]);
    }

    #[test]
    fn a_list_of_texts_is_a_set() {
        let mut lists = ListBuilder::new(StringBuilder::new());
        lists.append_value([Some("b;c"), None, Some("a")]);
        lists.append_null();
        lists.append_value([Some("a\u{1b}")]);
        check(lists.finish(), &Column::typed("tags", ColumnType::Set), &["[a, b;c]", "", "!control character"]);
    }

    #[test]
    fn placeholders_are_taken_out_of_numbers_and_counted() {
        let column = Column { placeholder: vec!["-1".into()], ..Column::typed("n", ColumnType::Int) };
        let reader = ColumnReader::new(&column, ColumnType::Int, &[], Tz::UTC).unwrap();
        let typed = reader.read(&(Arc::new(Int64Array::from(vec![-1, 7])) as ArrayRef)).unwrap();
        assert_eq!((typed.array.null_count(), typed.placeholders, typed.faults.len()), (1, 1, 0));
    }
}
