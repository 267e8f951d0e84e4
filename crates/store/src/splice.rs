//! A packed column with rows put between its own and others left out: what stays together is copied together.
//!
//! A snapshot that follows another one by a few rows has all of its blocks anew, so a column of a block is put together some
//! times a second. Unpacked, joined, taken row by row and packed again that takes ten times as long.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType, UInt32Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray, StringViewArray};
use arrow_buffer::{BooleanBufferBuilder, NullBuffer, ScalarBuffer};
use arrow_schema::DataType;

use crate::column::ColumnData;
use crate::overlay::Run;

/// The rows of `base` that stay, with those that came between them; `None` where these do not fit into how it is packed.
///
/// What came is as the file has it: codes into the `dictionary` where the column has one, else as at the border.
pub(crate) fn spliced(
    base: &ColumnData,
    came: &ArrayRef,
    dictionary: Option<&Arc<StringViewArray>>,
    runs: &[Run],
) -> Option<ColumnData> {
    match base {
        ColumnData::Decimal { units, nulls, precision, scale } => {
            let wide = came.as_primitive_opt::<Decimal128Type>()?;
            let narrow: Vec<i64> =
                wide.values().iter().map(|units| i64::try_from(*units).unwrap_or_default()).collect();
            Some(ColumnData::Decimal {
                units: splice(units, &narrow, runs).into(),
                nulls: known(nulls.as_ref(), wide.nulls(), runs),
                precision: *precision,
                scale: *scale,
            })
        }
        ColumnData::Time { first, tick, offsets, latest, nulls } => {
            let instants = came.as_primitive_opt::<TimestampMicrosecondType>()?;
            let of_came = offsets_from(*first, *tick, instants)?;
            let latest = of_came.iter().copied().max().unwrap_or_default().max(*latest);
            Some(ColumnData::Time {
                first: *first,
                tick: *tick,
                offsets: splice(offsets, &of_came, runs).into(),
                latest,
                nulls: known(nulls.as_ref(), instants.nulls(), runs),
            })
        }
        ColumnData::Codes { codes, .. } => {
            let of_came = came.as_primitive_opt::<UInt32Type>()?;
            Some(ColumnData::Codes { codes: codes.spliced(of_came, runs), dictionary: Arc::clone(dictionary?) })
        }
        ColumnData::Plain(plain) => plainly(plain, came, runs).map(ColumnData::Plain),
        ColumnData::SetCodes { .. } => None,
    }
}

/// Ticks from the first instant; `None` where one lies before it, between two ticks, or too far away.
fn offsets_from(first: i64, tick: i64, instants: &PrimitiveArray<TimestampMicrosecondType>) -> Option<Vec<u32>> {
    let offset = |instant: Option<i64>| match instant {
        None => Some(0),
        Some(instant) => {
            let since = instant.checked_sub(first)?;
            if since % tick == 0 { u32::try_from(since / tick).ok() } else { None }
        }
    };
    instants.iter().map(offset).collect()
}

fn plainly(base: &ArrayRef, came: &ArrayRef, runs: &[Run]) -> Option<ArrayRef> {
    fn both<T: ArrowPrimitiveType>(base: &ArrayRef, came: &ArrayRef, runs: &[Run]) -> Option<ArrayRef> {
        Some(Arc::new(primitive(base.as_primitive_opt::<T>()?, came.as_primitive_opt::<T>()?, runs)))
    }
    match base.data_type() {
        DataType::Int64 => both::<Int64Type>(base, came, runs),
        DataType::Float64 => both::<Float64Type>(base, came, runs),
        DataType::Date32 => both::<Date32Type>(base, came, runs),
        _ => None,
    }
}

fn primitive<T: ArrowPrimitiveType>(
    base: &PrimitiveArray<T>,
    came: &PrimitiveArray<T>,
    runs: &[Run],
) -> PrimitiveArray<T> {
    let values: ScalarBuffer<T::Native> = splice(base.values(), came.values(), runs).into();
    PrimitiveArray::new(values, known(base.nulls(), came.nulls(), runs))
}

/// The values of `base` that stay, with those that came between them.
pub(crate) fn splice<T: Copy>(base: &[T], came: &[T], runs: &[Run]) -> Vec<T> {
    let mut values = Vec::with_capacity(base.len() + came.len());
    for run in runs {
        match run {
            Run::Base(places) => values.extend_from_slice(&base[places.start as usize..places.end as usize]),
            Run::Came(number) => values.push(came[*number as usize]),
        }
    }
    values
}

pub(crate) fn known(base: Option<&NullBuffer>, came: Option<&NullBuffer>, runs: &[Run]) -> Option<NullBuffer> {
    if base.is_none() && came.is_none() {
        return None;
    }
    let mut known = BooleanBufferBuilder::new(base.or(came).map_or(0, NullBuffer::len));
    for run in runs {
        match run {
            Run::Base(places) => match base {
                Some(base) => known.append_buffer(&base.inner().slice(places.start as usize, places.len())),
                None => known.append_n(places.len(), true),
            },
            Run::Came(number) => known.append(came.is_none_or(|came| came.is_valid(*number as usize))),
        }
    }
    Some(NullBuffer::new(known.finish()))
}

#[cfg(test)]
mod tests {
    use arrow_array::{Date32Array, Decimal128Array, Int64Array, StringArray, TimestampMicrosecondArray, UInt32Array};
    use arrow_select::concat::concat;
    use arrow_select::take::take;
    use muster_catalog::ColumnType;
    use proptest::prelude::*;

    use super::*;
    use crate::codes::Codes;
    use crate::overlay::{Came, Edits, Parent, Standing};

    /// Rows of a block of `base` that are gone, and before which places others came.
    fn edits(base: u32, gone: &[u32], before: &[u32]) -> Edits {
        let mut gone: Vec<u32> = gone.iter().map(|place| place % base.max(1)).filter(|_| base > 0).collect();
        let mut before: Vec<u32> = before.iter().map(|place| place % (base + 1)).collect();
        gone.sort_unstable();
        gone.dedup();
        before.sort_unstable();
        let came = |(row, before): (u32, &u32)| Came {
            row,
            slot: row,
            before: *before,
            replaces: u32::MAX,
            parent: Parent::Base(0),
        };
        Edits { gone, came: (0..).zip(&before).map(came).collect() }
    }

    /// Row by row, as slowly as can be.
    fn slowly(edits: &Edits, base: u32) -> Vec<Standing> {
        let mut rows = Vec::new();
        for place in 0..=base {
            let before = (0..).zip(&edits.came).filter(|(_, came)| came.before == place);
            rows.extend(before.map(|(number, _)| Standing::Came(number)));
            if place < base && !edits.gone.contains(&place) {
                rows.push(Standing::Base(place));
            }
        }
        rows
    }

    /// The same by unpacking, joining, taking and packing.
    fn taken(base: &ArrayRef, came: &ArrayRef, edits: &Edits) -> ArrayRef {
        let count = base.len() as u32;
        let order: UInt32Array = slowly(edits, count)
            .into_iter()
            .map(|standing| match standing {
                Standing::Base(place) => Some(place),
                Standing::Came(number) => Some(count + number),
            })
            .collect();
        take(&concat(&[base.as_ref(), came.as_ref()]).unwrap(), &order, None).unwrap()
    }

    fn columns(values: &[Option<i32>]) -> Vec<(ColumnType, ArrayRef)> {
        let of = |value: &Option<i32>| value.map(i64::from);
        let whole: Int64Array = values.iter().map(of).collect();
        let wide: Decimal128Array = values.iter().map(|value| value.map(i128::from)).collect();
        let seconds: TimestampMicrosecondArray =
            values.iter().map(|value| value.map(|value| i64::from(value) * 1_000_000)).collect();
        vec![
            (ColumnType::Int, Arc::new(whole)),
            (ColumnType::Date, Arc::new(values.iter().copied().collect::<Date32Array>())),
            (ColumnType::Decimal { precision: 12, scale: 2 }, Arc::new(wide.with_precision_and_scale(12, 2).unwrap())),
            (ColumnType::Timestamp, Arc::new(seconds.with_timezone("UTC"))),
        ]
    }

    proptest! {
        #[test]
        fn what_is_put_together_is_what_row_by_row_comes_out(
            base in proptest::collection::vec(proptest::option::weighted(0.9, -1000..1000_i32), 0..40),
            came in proptest::collection::vec(proptest::option::weighted(0.8, -1000..1000_i32), 0..12),
            gone in proptest::collection::vec(0..40_u32, 0..10),
            before in proptest::collection::vec(0..41_u32, 12),
        ) {
            let edits = edits(base.len() as u32, &gone, &before[..came.len()]);
            let count = base.len() as u32;
            let mut rows = Vec::new();
            edits.each(count, |standing| rows.push(standing));
            prop_assert_eq!(&rows, &slowly(&edits, count));
            prop_assert_eq!(rows.len() as u32, edits.rows(count));
            for ((column_type, base), (_, came)) in columns(&base).into_iter().zip(columns(&came)) {
                let packed = ColumnData::pack(column_type, &base, None);
                let expected = taken(&base, &came, &edits);
                match spliced(&packed, &came, None, &edits.runs(count)) {
                    Some(found) => prop_assert_eq!(&found.arrow().unwrap(), &expected),
                    // An instant before the first of the block, or a block without any: packed anew.
                    None => prop_assert_eq!(column_type, ColumnType::Timestamp),
                }
            }
        }
    }

    #[test]
    fn codes_are_put_together_and_what_no_rule_knows_is_left_to_others() {
        let dictionary = Arc::new(StringViewArray::from(vec!["a", "b", "c"]));
        let codes = ColumnData::Codes {
            codes: Codes::of(&UInt32Array::from(vec![Some(0), None, Some(1)])),
            dictionary: Arc::clone(&dictionary),
        };
        let edits = edits(3, &[0], &[1, 3]);
        let came: ArrayRef = Arc::new(UInt32Array::from(vec![Some(2), None]));
        let found = spliced(&codes, &came, Some(&dictionary), &edits.runs(3)).unwrap().arrow().unwrap();
        let expected: ArrayRef = Arc::new(StringViewArray::from(vec![Some("c"), None, Some("b"), None]));
        assert_eq!(&found, &expected);
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
        assert!(spliced(&ColumnData::Plain(Arc::clone(&texts)), &texts, None, &[]).is_none());
    }
}
